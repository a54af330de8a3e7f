//! The table of leases, and of what was signed under them.

use postgres::{Client, Row};
use thiserror::Error;

use crate::rules::{Lease, TERM, through_from};

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
    CREATE TABLE IF NOT EXISTS lease_members (
        member TEXT PRIMARY KEY,
        seen BIGINT NOT NULL
    );
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

    /// Says that this member is there at a height. Returns all members that said so within a term before it, by name.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub fn beat(&mut self, height: u64) -> Result<Vec<String>, LeaseError> {
        self.client.execute(
            "INSERT INTO lease_members (member, seen) VALUES ($1, $2)
             ON CONFLICT (member) DO UPDATE SET seen = excluded.seen",
            &[&self.member, &db(height)?],
        )?;
        self.members(height)
    }

    /// The members that are there at a height, by name.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub fn members(&mut self, height: u64) -> Result<Vec<String>, LeaseError> {
        let since = db(height.saturating_sub(TERM))?;
        let rows = self.client.query(
            "SELECT member FROM lease_members WHERE seen >= $1 ORDER BY member",
            &[&since],
        )?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Says that this member goes. Its leases still hold to their ends.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub fn leave(&mut self) -> Result<(), LeaseError> {
        let member = &self.member;
        self.client
            .execute("DELETE FROM lease_members WHERE member = $1", &[member])?;
        Ok(())
    }

    /// How many of these shards each owner holds at a height.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub fn owners(
        &mut self,
        shards: &[u32],
        height: u64,
    ) -> Result<Vec<(String, u64)>, LeaseError> {
        let rows = self.client.query(
            "SELECT owner, COUNT(*) FROM leases WHERE shard = ANY($1) AND through >= $2 GROUP BY owner ORDER BY owner",
            &[&ids(shards), &db(height)?],
        )?;
        Ok(rows
            .iter()
            .map(|row| (row.get(0), unsigned(row, 1)))
            .collect())
    }

    /// Takes a lease, if `height` is above what the last holder has. The height is [`crate::rules::height_to_take`] of two nodes.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub fn take(&mut self, shard: u32, height: u64) -> Result<Option<Lease>, LeaseError> {
        Ok(self.take_all(&[shard], height)?.pop())
    }

    /// Takes those of several leases that can be taken at a height.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub fn take_all(&mut self, shards: &[u32], height: u64) -> Result<Vec<Lease>, LeaseError> {
        let through = through_from(height);
        // In order, so that two who take the same do not wait for each other.
        let new = self.client.query(
            "INSERT INTO leases (shard, owner, epoch, through)
             SELECT wanted.shard, $2, 1, $3 FROM UNNEST($1::BIGINT[]) AS wanted (shard) ORDER BY wanted.shard
             ON CONFLICT (shard) DO UPDATE SET owner = excluded.owner, epoch = leases.epoch + 1,
                 through = excluded.through
             WHERE leases.through < $4
             RETURNING shard, epoch",
            &[&ids(shards), &self.member, &db(through)?, &db(height)?],
        )?;
        let taken = new.iter().map(|row| Lease {
            shard: shard_of(row),
            epoch: unsigned(row, 1),
            through,
            renewed_at: height,
        });
        Ok(taken.collect())
    }

    /// Renews a lease; `None`: somebody else has it by now.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub fn renew(&mut self, lease: &Lease, height: u64) -> Result<Option<Lease>, LeaseError> {
        Ok(self.renew_all(std::slice::from_ref(lease), height)?.pop())
    }

    /// Renews several leases; those that are missing from the answer somebody else has by now.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub fn renew_all(&mut self, leases: &[Lease], height: u64) -> Result<Vec<Lease>, LeaseError> {
        let shards: Vec<u32> = leases.iter().map(|lease| lease.shard).collect();
        let epochs: Result<Vec<i64>, _> = leases.iter().map(|lease| db(lease.epoch)).collect();
        let renewed = self.client.query(
            "UPDATE leases SET through = GREATEST(leases.through, $4)
             FROM UNNEST($1::BIGINT[], $2::BIGINT[]) AS held (shard, epoch)
             WHERE leases.shard = held.shard AND leases.epoch = held.epoch AND leases.owner = $3
             RETURNING leases.shard, leases.epoch, leases.through",
            &[
                &ids(&shards),
                &epochs?,
                &self.member,
                &db(through_from(height))?,
            ],
        )?;
        let renewed = renewed.iter().map(|row| Lease {
            shard: shard_of(row),
            epoch: unsigned(row, 1),
            through: unsigned(row, 2),
            renewed_at: height,
        });
        Ok(renewed.collect())
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
        let open = self.open_of(&[shard])?;
        Ok(open.into_iter().map(|(_, intent)| intent).collect())
    }

    /// The same of several shards, each with its own.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub fn open_of(&mut self, shards: &[u32]) -> Result<Vec<(u32, OpenIntent)>, LeaseError> {
        let rows = self.client.query(
            "SELECT shard, epoch, last_valid, signature, bytes FROM lease_intents
             WHERE shard = ANY($1) AND outcome IS NULL ORDER BY epoch, last_valid, signature",
            &[&ids(shards)],
        )?;
        let open = rows.iter().map(|row| {
            let intent = OpenIntent {
                epoch: unsigned(row, 1),
                last_valid: unsigned(row, 2),
                signature: row.get(3),
                bytes: row.get(4),
            };
            (shard_of(row), intent)
        });
        Ok(open.collect())
    }

    /// Forgets what has an outcome and could land below a height only.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub fn forget(&mut self, shards: &[u32], below: u64) -> Result<u64, LeaseError> {
        let forgotten = self.client.execute(
            "DELETE FROM lease_intents WHERE shard = ANY($1) AND last_valid < $2 AND outcome IS NOT NULL",
            &[&ids(shards), &db(below)?],
        )?;
        Ok(forgotten)
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

fn ids(shards: &[u32]) -> Vec<i64> {
    shards.iter().map(|shard| i64::from(*shard)).collect()
}

/// A row's first column, a shard, which was written from 32 bits.
fn shard_of(row: &Row) -> u32 {
    row.get::<_, i64>(0) as u32
}

/// What [`db`] has written.
fn unsigned(row: &Row, column: usize) -> u64 {
    row.get::<_, i64>(column).unsigned_abs()
}
