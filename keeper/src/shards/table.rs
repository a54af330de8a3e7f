//! Where the leases are: in Postgres, or, in tests, in memory.

use std::sync::Arc;

use ballast_history::store::Postgres;
use ballast_lease::{Lease, LeaseError, Leases, OpenIntent, Refusal, shard::SHARDS};
use tokio::{task::spawn_blocking, time::timeout};

use crate::{
    config::Shards,
    connection::{self, PATIENCE},
};

/// To such a table.
pub(super) type Connection = connection::Connection<Box<dyn Table>>;

/// One member's view of the leases. What it says is done.
pub trait Table: Send + 'static {
    /// See [`Leases::beat`].
    fn beat(&mut self, height: u64) -> Result<Vec<String>, String>;
    /// See [`Leases::leave`].
    fn leave(&mut self) -> Result<(), String>;
    /// See [`Leases::take_all`].
    fn take(&mut self, shards: &[u32], height: u64) -> Result<Vec<Lease>, String>;
    /// See [`Leases::renew_all`].
    fn renew(&mut self, leases: &[Lease], height: u64) -> Result<Vec<Lease>, String>;
    /// See [`Leases::write_intent`].
    fn write(
        &mut self,
        lease: &Lease,
        signature: &str,
        last_valid: u64,
        bytes: &[u8],
    ) -> Result<Result<(), Refusal>, String>;
    /// See [`Leases::open_of`].
    fn open(&mut self, shards: &[u32]) -> Result<Vec<(u32, OpenIntent)>, String>;
    /// See [`Leases::settle`].
    fn settle(&mut self, shard: u32, signature: &str, outcome: &str) -> Result<(), String>;
    /// See [`Leases::forget`].
    fn forget(&mut self, below: u64) -> Result<(), String>;
}

/// Connects to the table: again after every error.
pub type Connect = connection::Connect<Box<dyn Table>>;

/// In Postgres.
pub fn in_postgres(config: &Shards) -> Connect {
    let config = config.clone();
    Arc::new(move || -> Result<Box<dyn Table>, String> {
        let (client, place) = Postgres::client(&config.url).map_err(|error| error.to_string())?;
        let leases = Leases::new(client, &config.member);
        Ok(Box::new(
            leases.map_err(|error| format!("{place}: {error}"))?,
        ))
    })
}

/// The group as its table shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupSeen {
    /// Members that are there, by name.
    pub members: Vec<String>,
    /// How many shards each owner holds.
    pub owners: Vec<(String, u64)>,
    /// How many there are.
    pub shards: u64,
}

/// Looks at the table without taking part.
///
/// # Errors
/// What Postgres says.
pub async fn look(config: &Shards, height: u64) -> Result<GroupSeen, String> {
    let config = config.clone();
    let look = move || {
        let (client, place) = Postgres::client(&config.url).map_err(|error| error.to_string())?;
        let told = |error: LeaseError| format!("{place}: {error}");
        let mut leases = Leases::new(client, &config.member).map_err(told)?;
        Ok(GroupSeen {
            members: leases.members(height).map_err(told)?,
            owners: leases.owners(&all(), height).map_err(told)?,
            shards: SHARDS.into(),
        })
    };
    let seen = timeout(PATIENCE, spawn_blocking(look)).await;
    let seen = seen.map_err(|_| format!("no answer within {PATIENCE:?}"))?;
    seen.map_err(|error| error.to_string())?
}

fn all() -> Vec<u32> {
    (0..SHARDS).collect()
}

impl Table for Leases {
    fn beat(&mut self, height: u64) -> Result<Vec<String>, String> {
        Self::beat(self, height).map_err(|error| error.to_string())
    }

    fn leave(&mut self) -> Result<(), String> {
        Self::leave(self).map_err(|error| error.to_string())
    }

    fn take(&mut self, shards: &[u32], height: u64) -> Result<Vec<Lease>, String> {
        self.take_all(shards, height)
            .map_err(|error| error.to_string())
    }

    fn renew(&mut self, leases: &[Lease], height: u64) -> Result<Vec<Lease>, String> {
        self.renew_all(leases, height)
            .map_err(|error| error.to_string())
    }

    fn write(
        &mut self,
        lease: &Lease,
        signature: &str,
        last_valid: u64,
        bytes: &[u8],
    ) -> Result<Result<(), Refusal>, String> {
        self.write_intent(lease, signature, last_valid, bytes)
            .map_err(|error| error.to_string())
    }

    fn open(&mut self, shards: &[u32]) -> Result<Vec<(u32, OpenIntent)>, String> {
        self.open_of(shards).map_err(|error| error.to_string())
    }

    fn settle(&mut self, shard: u32, signature: &str, outcome: &str) -> Result<(), String> {
        Self::settle(self, shard, signature, outcome).map_err(|error| error.to_string())
    }

    fn forget(&mut self, below: u64) -> Result<(), String> {
        Self::forget(self, &all(), below)
            .map(|_| ())
            .map_err(|error| error.to_string())
    }
}
