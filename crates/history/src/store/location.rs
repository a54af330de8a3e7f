//! Where a store is.

use std::path::PathBuf;

use super::{Postgres, SqlStore, Sqlite, Store, StoreError};

/// See the module's description.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A file.
    Sqlite(PathBuf),
    /// A URL, `postgres://...`, which may hold a password.
    Postgres(String),
}

/// Without the URL, which may hold a password.
impl std::fmt::Debug for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "Sqlite({})", path.display()),
            Self::Postgres(_) => f.write_str("Postgres(..)"),
        }
    }
}

impl Location {
    /// Opens it to write, and creates what is missing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(&self) -> Result<Box<dyn Store>, StoreError> {
        Ok(match self {
            Self::Sqlite(path) => Box::new(SqlStore::new(Sqlite::open(path)?)?),
            Self::Postgres(url) => Box::new(SqlStore::new(Postgres::connect(url)?)?),
        })
    }

    /// Opens it to read what somebody else writes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_to_read(&self) -> Result<Box<dyn Store>, StoreError> {
        Ok(match self {
            Self::Sqlite(path) => Box::new(SqlStore::to_read(Sqlite::open_to_read(path)?)),
            Self::Postgres(url) => Box::new(SqlStore::to_read(Postgres::connect(url)?)),
        })
    }
}
