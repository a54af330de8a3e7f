//! Who of several keepers hedges an account: a lease, as shards of positions have one, but counted in seconds of the venue's clock,
//! which is the clock by which the venue refuses an order after its `expiresAfter`. So the fence holds however long a process was
//! paused, and whatever its own clock says: an order that was signed under a lease cannot land once another may hold it.
//!
//! An order is written into the table in the transaction that checks the lease once more, before it is sent. A new holder finds out
//! what became of the old one's orders before it sends any.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use ballast_history::store::Postgres;
use ballast_lease::{Lease, Leases, OpenIntent, Refusal, TERM};
use ballast_venue::{
    hedge::gate::End,
    venue::{Order, OrderState, Venue},
};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::{
    config::{Hedge, HedgeLease},
    connection::{Connect, Connection},
};

/// Shards of positions are numbered below this.
const ACCOUNTS_FROM: u32 = 1 << 31;
/// So many seconds after an order's last valid one, the venue's clock says that it never landed.
const MARGIN_SECS: u64 = 3;
/// Under a lease that was not renewed for longer than this nothing is signed.
const LONGEST_UNRENEWED: Duration = Duration::from_secs(TERM / 3);
/// Outcomes are read back so far before the newest fill, seconds.
const BACK_SECS: u64 = 120;

/// Whether this keeper hedges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does. Orders of others who held the lease before have these numbers at the venue.
    Leads(Vec<u64>),
    /// Another does.
    Follows,
}

/// See the module's description.
#[async_trait]
pub trait Lead: Send + Sync {
    /// Takes or renews the lease, and settles what earlier holders have left. `since_ms`: from when on fills are read.
    async fn stand(&self, venue: &dyn Venue, since_ms: u64) -> Result<Standing, String>;
    /// Writes an order down, if the lease still holds and outlives it.
    async fn admit(&self, order: &Order) -> Result<(), String>;
    /// Writes down what became of it.
    async fn ended(&self, order: &Order, end: &End);
}

/// Where leases are. What it says is done.
pub trait Table: Send + 'static {
    /// See [`Leases::take`].
    fn take(&mut self, shard: u32, secs: u64) -> Result<Option<Lease>, String>;
    /// See [`Leases::renew`].
    fn renew(&mut self, lease: &Lease, secs: u64) -> Result<Option<Lease>, String>;
    /// See [`Leases::write_intent`].
    fn write(
        &mut self,
        lease: &Lease,
        name: &str,
        last_secs: u64,
        bytes: &[u8],
    ) -> Result<Result<(), Refusal>, String>;
    /// See [`Leases::open_intents`].
    fn open(&mut self, shard: u32) -> Result<Vec<OpenIntent>, String>;
    /// See [`Leases::settle`].
    fn settle(&mut self, shard: u32, name: &str, outcome: &str) -> Result<(), String>;
    /// See [`Leases::outcomes`].
    fn outcomes(&mut self, shard: u32, from_secs: u64) -> Result<Vec<(String, String)>, String>;
}

/// A member with a table.
pub struct Leader<T: Table> {
    shard: u32,
    connection: Connection<T>,
    held: Mutex<Option<Held>>,
}

/// A lease, and when it was asked for last.
#[derive(Clone, Copy)]
struct Held {
    lease: Lease,
    asked: Instant,
}

impl Leader<Leases> {
    /// In Postgres. Nothing is connected yet.
    pub fn in_postgres(hedge: &Hedge, lease: &HedgeLease) -> Self {
        let lease = lease.clone();
        let connect = move || {
            let (client, place) =
                Postgres::client(&lease.url).map_err(|error| error.to_string())?;
            Leases::new(client, &lease.member).map_err(|error| format!("{place}: {error}"))
        };
        Self::new(shard(hedge), Arc::new(connect))
    }
}

/// One for each account: whoever holds it signs for the account.
fn shard(hedge: &Hedge) -> u32 {
    let name = format!("{} {}", hedge.venue_name(), hedge.account);
    let hash = Sha256::digest(name.as_bytes());
    ACCOUNTS_FROM | u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]])
}

impl<T: Table> Leader<T> {
    /// A member of whoever connects to the same table.
    pub fn new(shard: u32, connect: Connect<T>) -> Self {
        Self {
            shard,
            connection: Connection::new(connect),
            held: Mutex::new(None),
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn settle(&self, venue: &dyn Venue, secs: u64) -> Result<(), String> {
        let shard = self.shard;
        let open = self.connection.with(move |table| table.open(shard)).await?;
        for intent in open {
            let order: Order = serde_json::from_slice(&intent.bytes)
                .map_err(|error| format!("intent {}: {error}", intent.signature))?;
            let state = venue.order(order.cloid).await;
            let outcome = match state.map_err(|error| error.to_string())? {
                OrderState::Closed(done) => taken(done.oid),
                OrderState::NeverSeen if secs > intent.last_valid + MARGIN_SECS => "void".into(),
                // It may still land, or still fill.
                OrderState::NeverSeen | OrderState::Open(_) => continue,
            };
            self.connection
                .with(move |table| table.settle(shard, &intent.signature, &outcome))
                .await?;
        }
        Ok(())
    }
}

fn taken(oid: u64) -> String {
    format!("taken {oid}")
}

fn oid_of(outcome: &str) -> Option<u64> {
    outcome.strip_prefix("taken ")?.parse().ok()
}

#[async_trait]
impl<T: Table> Lead for Leader<T> {
    async fn stand(&self, venue: &dyn Venue, since_ms: u64) -> Result<Standing, String> {
        let asked = Instant::now();
        let time_ms = venue.time_ms().await.map_err(|error| error.to_string())?;
        let (shard, secs) = (self.shard, time_ms / 1_000);
        let held = *self.held();
        let lease = self
            .connection
            .with(move |table| match held {
                Some(held) => table.renew(&held.lease, secs),
                None => table.take(shard, secs),
            })
            .await?;
        *self.held() = lease.map(|lease| Held { lease, asked });
        if lease.is_none() {
            return Ok(Standing::Follows);
        }
        self.settle(venue, secs).await?;
        let from_secs = (since_ms / 1_000).saturating_sub(BACK_SECS);
        let outcomes = self
            .connection
            .with(move |table| table.outcomes(shard, from_secs))
            .await?;
        let oids = outcomes.iter().filter_map(|(_, outcome)| oid_of(outcome));
        Ok(Standing::Leads(oids.collect()))
    }

    async fn admit(&self, order: &Order) -> Result<(), String> {
        let name = order.cloid.to_string();
        let bytes = serde_json::to_vec(order).map_err(|error| error.to_string())?;
        // The second in which it ends: the next holder begins after that.
        let last_secs = order.expires_after_ms / 1_000;
        let held = *self.held();
        let written = match held {
            Some(held) => {
                let unrenewed = held.asked.elapsed();
                if unrenewed > LONGEST_UNRENEWED {
                    return Err(format!(
                        "the hedge's lease was renewed {} s ago, and at most {} s are trusted: it is renewed before the next order",
                        unrenewed.as_secs(),
                        LONGEST_UNRENEWED.as_secs()
                    ));
                }
                let lease = held.lease;
                let write = move |table: &mut T| table.write(&lease, &name, last_secs, &bytes);
                self.connection.with(write).await?
            }
            None => Err(Refusal::Lost),
        };
        if written == Err(Refusal::Lost) {
            *self.held() = None;
        }
        written.map_err(|refusal| match refusal {
            Refusal::Lost => "another keeper holds the hedge's lease".into(),
            Refusal::OutlivesLease { through } => format!(
                "the order would outlive the lease, which holds through {through} by the venue's clock: is this machine's \
                 clock right?"
            ),
            Refusal::Unsettled { open } => {
                format!("{open} orders of the last leader have no outcome yet")
            }
        })
    }

    async fn ended(&self, order: &Order, end: &End) {
        let outcome = match end {
            End::Taken(done) => taken(done.oid),
            End::Void(_) => "void".into(),
        };
        let (shard, name) = (self.shard, order.cloid.to_string());
        // What could not be written is found out again by whoever leads.
        let _ = self
            .connection
            .with(move |table| table.settle(shard, &name, &outcome))
            .await;
    }
}

impl Table for Leases {
    fn take(&mut self, shard: u32, secs: u64) -> Result<Option<Lease>, String> {
        Self::take(self, shard, secs).map_err(|error| error.to_string())
    }

    fn renew(&mut self, lease: &Lease, secs: u64) -> Result<Option<Lease>, String> {
        Self::renew(self, lease, secs).map_err(|error| error.to_string())
    }

    fn write(
        &mut self,
        lease: &Lease,
        name: &str,
        last_secs: u64,
        bytes: &[u8],
    ) -> Result<Result<(), Refusal>, String> {
        self.write_intent(lease, name, last_secs, bytes)
            .map_err(|error| error.to_string())
    }

    fn open(&mut self, shard: u32) -> Result<Vec<OpenIntent>, String> {
        self.open_intents(shard).map_err(|error| error.to_string())
    }

    fn settle(&mut self, shard: u32, name: &str, outcome: &str) -> Result<(), String> {
        Self::settle(self, shard, name, outcome).map_err(|error| error.to_string())
    }

    fn outcomes(&mut self, shard: u32, from_secs: u64) -> Result<Vec<(String, String)>, String> {
        Self::outcomes(self, shard, from_secs).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests;
