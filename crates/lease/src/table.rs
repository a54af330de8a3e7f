//! The table of leases, and of what was signed under them.

use postgres::{Client, Row};
use thiserror::Error;

use crate::rules::{Lease, through_from};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS leases (
        shard BIGINT PRIMARY KEY,
        owner TEXT NOT NULL,
        epoch BIGINT NOT NULL,
        through BIGINT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS lease_intents (
        shard BIGINT NOT NULL,
        epoch BIGINT NOT NULL,
        signature TEXT NOT NULL,
        last_valid BIGINT NOT NULL,
        bytes BYTEA NOT NULL,
        outcome TEXT,
        PRIMARY KEY (shard, signature)
    );
    CREATE INDEX IF NOT EXISTS lease_intents_open ON lease_intents (shard, epoch) WHERE outcome IS NULL;
";

/// Why the table cannot be used.
#[derive(Debug, Error)]
pub enum LeaseError {
    /// Postgres said no, or does not answer: nothing may be signed until it does.
    #[error("leases: {0}; nothing is signed until Postgres answers")]
    Postgres(#[from] postgres::Error),
    /// A height that is none.
    #[error("leases: height {0} is beyond any chain's")]
    Height(u64),
}

/// Why an intent was not written. Nothing may be sent then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody else holds the lease by now.
    Lost,
    /// The transaction would live longer than the lease.
    OutlivesLease {
        /// Through this height the lease holds.
        through: u64,
    },
    /// Transactions of earlier epochs have no outcome yet: they come first.
    Unsettled {
        /// How many.
        open: u64,
    },
}

/// What somebody has signed and has no outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIntent {
    /// Under this epoch.
    pub epoch: u64,
    /// Its signature.
    pub signature: String,
    /// Above this height it can never land.
    pub last_valid: u64,
    /// The signed bytes.
    pub bytes: Vec<u8>,
}

/// One member's view of the table.
pub struct Leases {
    client: Client,
    member: String,
}

impl Leases {
    /// Creates the tables if they are missing.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub fn new(mut client: Client, member: &str) -> Result<Self, LeaseError> {
        // Two who create a table at the same time would disturb each other.
        let mut transaction = client.transaction()?;
        transaction.execute("SELECT pg_advisory_xact_lock(6230127)", &[])?;
        transaction.batch_execute(SCHEMA)?;
        transaction.commit()?;
        Ok(Self {
            client,
            member: member.into(),
        })
    }

    /// Takes a lease, if `height` is above what the last holder has. The height is [`crate::rules::height_to_take`] of two nodes.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub fn take(&mut self, shard: u32, height: u64) -> Result<Option<Lease>, LeaseError> {
        let (now, through) = (db(height)?, db(through_from(height))?);
        let shard_id = i64::from(shard);
        let new = self.client.query_opt(
            "INSERT INTO leases (shard, owner, epoch, through) VALUES ($1, $2, 1, $3)
             ON CONFLICT (shard) DO UPDATE SET owner = excluded.owner, epoch = leases.epoch + 1,
                 through = excluded.through
             WHERE leases.through < $4
             RETURNING epoch",
            &[&shard_id, &self.member, &through, &now],
        )?;
        Ok(new.map(|row| Lease {
            shard,
            epoch: unsigned(&row, 0),
            through: through_from(height),
            renewed_at: height,
        }))
    }

    /// Renews a lease; `None`: somebody else has it by now.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub fn renew(&mut self, lease: &Lease, height: u64) -> Result<Option<Lease>, LeaseError> {
        let renewed = self.client.query_opt(
            "UPDATE leases SET through = GREATEST(through, $4)
             WHERE shard = $1 AND owner = $2 AND epoch = $3 RETURNING through",
            &[
                &i64::from(lease.shard),
                &self.member,
                &db(lease.epoch)?,
                &db(through_from(height))?,
            ],
        )?;
        Ok(renewed.map(|row| Lease {
            through: unsigned(&row, 0),
            renewed_at: height,
            ..*lease
        }))
    }

    /// Writes an intent down, if the lease is still held and the transaction does not outlive it. Only then may it be sent.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub fn write_intent(
        &mut self,
        lease: &Lease,
        signature: &str,
        last_valid: u64,
        bytes: &[u8],
    ) -> Result<Result<(), Refusal>, LeaseError> {
        let (shard, epoch) = (i64::from(lease.shard), db(lease.epoch)?);
        let mut transaction = self.client.transaction()?;
        // Locked, so that nobody takes it before the intent is there for the new holder to see.
        let held = transaction.query_opt(
            "SELECT through FROM leases WHERE shard = $1 AND owner = $2 AND epoch = $3 FOR UPDATE",
            &[&shard, &self.member, &epoch],
        )?;
        let Some(held) = held else {
            return Ok(Err(Refusal::Lost));
        };
        let through = unsigned(&held, 0);
        if last_valid > through {
            return Ok(Err(Refusal::OutlivesLease { through }));
        }
        let open = transaction.query_one(
            "SELECT COUNT(*) FROM lease_intents WHERE shard = $1 AND epoch < $2 AND outcome IS NULL",
            &[&shard, &epoch],
        )?;
        let open = unsigned(&open, 0);
        if open > 0 {
            return Ok(Err(Refusal::Unsettled { open }));
        }
        transaction.execute(
            "INSERT INTO lease_intents (shard, epoch, signature, last_valid, bytes) VALUES ($1, $2, $3, $4, $5)",
            &[&shard, &epoch, &signature, &db(last_valid)?, &bytes],
        )?;
        transaction.commit()?;
        Ok(Ok(()))
    }

    /// What was signed for a shard and has no outcome, the oldest epoch first.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub fn open_intents(&mut self, shard: u32) -> Result<Vec<OpenIntent>, LeaseError> {
        let rows = self.client.query(
            "SELECT epoch, last_valid, signature, bytes FROM lease_intents
             WHERE shard = $1 AND outcome IS NULL ORDER BY epoch, last_valid, signature",
            &[&i64::from(shard)],
        )?;
        Ok(rows
            .iter()
            .map(|row| OpenIntent {
                epoch: unsigned(row, 0),
                last_valid: unsigned(row, 1),
                signature: row.get(2),
                bytes: row.get(3),
            })
            .collect())
    }

    /// Outcomes of what may have landed at this height or later, whoever signed it.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub fn outcomes(&mut self, shard: u32, from: u64) -> Result<Vec<(String, String)>, LeaseError> {
        let rows = self.client.query(
            "SELECT signature, outcome FROM lease_intents
             WHERE shard = $1 AND last_valid >= $2 AND outcome IS NOT NULL ORDER BY epoch, last_valid, signature",
            &[&i64::from(shard), &db(from)?],
        )?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// Writes an outcome down. The first one stands.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub fn settle(&mut self, shard: u32, signature: &str, outcome: &str) -> Result<(), LeaseError> {
        self.client.execute(
            "UPDATE lease_intents SET outcome = $3 WHERE shard = $1 AND signature = $2 AND outcome IS NULL",
            &[&i64::from(shard), &signature, &outcome],
        )?;
        Ok(())
    }
}

fn db(value: u64) -> Result<i64, LeaseError> {
    i64::try_from(value).map_err(|_| LeaseError::Height(value))
}

/// What [`db`] has written.
fn unsigned(row: &Row, column: usize) -> u64 {
    row.get::<_, i64>(column).unsigned_abs()
}
