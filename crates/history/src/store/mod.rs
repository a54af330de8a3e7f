//! The store: a SQLite file by default, Postgres by a URL, the same statements on both.
//!
//! A [`Batch`] is written in one transaction, so that sums and points never disagree, wherever the process is killed. What is
//! written is absolute, never an increment, and has a key: written twice, it is there once.

mod hedge;
mod location;
mod pg;
mod read;
mod schema;
mod sql;
mod sqlite;
mod write;

pub use location::Location;
pub use pg::Postgres;
pub use read::{ActionQuery, Actions, Before, Numbered};
pub use schema::VERSION;
pub use sql::{Database, StoreError};
pub use sqlite::Sqlite;

use crate::{
    HedgePoint, Track,
    point::Point,
    record::{ActionRow, OverrideRow},
};

/// A position and its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The position's address.
    pub address: String,
    /// The market's.
    pub market: String,
    /// The position's number.
    pub number: u64,
    /// See there.
    pub track: Track,
}

/// What is written in one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Records, as they are now.
    pub tracks: Vec<Stored>,
    /// Points, with their position's address.
    pub points: Vec<(String, Point)>,
    /// What was done.
    pub actions: Vec<ActionRow>,
    /// What people ordered.
    pub overrides: Vec<OverrideRow>,
    /// How far the chain's history of positions has been read: address, and a text that only the reader understands.
    pub backfills: Vec<(String, String)>,
    /// Points of the hedge.
    pub hedge: Vec<HedgePoint>,
}

impl Batch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.tracks.is_empty()
            && self.points.is_empty()
            && self.actions.is_empty()
            && self.overrides.is_empty()
            && self.backfills.is_empty()
            && self.hedge.is_empty()
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.tracks.len()
            + self.points.len()
            + self.actions.len()
            + self.overrides.len()
            + self.backfills.len()
            + self.hedge.len()
    }
}

/// The history of one keeper's positions.
pub trait Store: Send {
    /// Claims the store for one keeper on one cluster.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] if it is somebody else's.
    fn claim(&mut self, whose: &str) -> Result<(), StoreError>;

    /// Writes all of it, or nothing. Records that are older than what is there, and points of intervals that have one, are left
    /// out.
    ///
    /// # Errors
    /// [`StoreError`].
    fn write(&mut self, batch: &Batch) -> Result<(), StoreError>;

    /// Deletes points, actions, overrides and the hedge's points from before a time, and closed positions that have none left. Sums of open
    /// positions stay. Returns how many rows went.
    ///
    /// # Errors
    /// [`StoreError`].
    fn prune(&mut self, before_secs: i64) -> Result<u64, StoreError>;

    /// All records, closed positions included.
    ///
    /// # Errors
    /// [`StoreError`].
    fn tracks(&mut self) -> Result<Vec<Stored>, StoreError>;

    /// The record of one position.
    ///
    /// # Errors
    /// [`StoreError`].
    fn track(&mut self, address: &str) -> Result<Option<Stored>, StoreError>;

    /// Points of a position from one time (inclusive) to another (exclusive), oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn points(
        &mut self,
        address: &str,
        span: std::ops::Range<i64>,
        limit: u32,
    ) -> Result<Vec<Point>, StoreError>;

    /// Points of an account's perpetual from one time (inclusive) to another (exclusive), oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn hedge_points(
        &mut self,
        account: &str,
        coin: &str,
        span: std::ops::Range<i64>,
        limit: u32,
    ) -> Result<Vec<HedgePoint>, StoreError>;

    /// Of every position the first point at or after a time.
    ///
    /// # Errors
    /// [`StoreError`].
    fn first_points(&mut self, from_secs: i64) -> Result<Vec<(String, Point)>, StoreError>;

    /// What was done, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    fn actions(&mut self, query: &ActionQuery) -> Result<Actions, StoreError>;

    /// What people ordered, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    fn overrides(&mut self, limit: u32) -> Result<Vec<Numbered<OverrideRow>>, StoreError>;

    /// How far the chain's history of a position has been read.
    ///
    /// # Errors
    /// [`StoreError`].
    fn backfill(&mut self, address: &str) -> Result<Option<String>, StoreError>;
}

/// A [`Store`] on a database.
pub struct SqlStore<D> {
    db: D,
}

impl<D: Database> SqlStore<D> {
    /// Brings the tables to the newest version.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn new(mut db: D) -> Result<Self, StoreError> {
        schema::migrate(&mut db, VERSION)?;
        Ok(Self { db })
    }

    /// As it is, for reading: nothing is created and nothing changed.
    pub fn to_read(db: D) -> Self {
        Self { db }
    }

    /// In one transaction, which is rolled back on any error.
    fn in_transaction<T>(
        &mut self,
        work: impl FnOnce(&mut D) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.db.batch(self.db.begin())?;
        let done = work(&mut self.db).and_then(|done| {
            self.db.batch("COMMIT")?;
            Ok(done)
        });
        if done.is_err() {
            // The first error is the one that matters; a lost connection has rolled back by itself.
            let _ = self.db.batch("ROLLBACK");
        }
        done
    }
}

impl<D: Database> Store for SqlStore<D> {
    fn claim(&mut self, whose: &str) -> Result<(), StoreError> {
        self.in_transaction(|db| write::claim(db, whose))
    }

    fn write(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        self.in_transaction(|db| write::batch(db, batch))
    }

    fn prune(&mut self, before_secs: i64) -> Result<u64, StoreError> {
        self.in_transaction(|db| write::prune(db, before_secs))
    }

    fn tracks(&mut self) -> Result<Vec<Stored>, StoreError> {
        read::tracks(&mut self.db)
    }

    fn track(&mut self, address: &str) -> Result<Option<Stored>, StoreError> {
        read::track(&mut self.db, address)
    }

    fn points(
        &mut self,
        address: &str,
        span: std::ops::Range<i64>,
        limit: u32,
    ) -> Result<Vec<Point>, StoreError> {
        read::points(&mut self.db, address, span, limit)
    }

    fn hedge_points(
        &mut self,
        account: &str,
        coin: &str,
        span: std::ops::Range<i64>,
        limit: u32,
    ) -> Result<Vec<HedgePoint>, StoreError> {
        hedge::points(&mut self.db, [account, coin], span, limit)
    }

    fn first_points(&mut self, from_secs: i64) -> Result<Vec<(String, Point)>, StoreError> {
        read::first_points(&mut self.db, from_secs)
    }

    fn actions(&mut self, query: &ActionQuery) -> Result<Actions, StoreError> {
        read::actions(&mut self.db, query)
    }

    fn overrides(&mut self, limit: u32) -> Result<Vec<Numbered<OverrideRow>>, StoreError> {
        read::overrides(&mut self.db, limit)
    }

    fn backfill(&mut self, address: &str) -> Result<Option<String>, StoreError> {
        read::backfill(&mut self.db, address)
    }
}

#[cfg(test)]
mod tests;
