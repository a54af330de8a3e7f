//! One suite, run on SQLite and on Postgres: `each_store!` makes two tests of every function.

mod crash;
mod suite;
mod values;

use std::sync::Arc;

use ballast_history::store::{Location, Store};
use ballast_localdb::Postgres;
use tempfile::TempDir;

/// A store of its own, and what it lives in.
pub struct Place {
    location: Location,
    _directory: TempDir,
    _server: Option<Arc<Postgres>>,
}

impl Place {
    fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self {
            location: Location::Sqlite(directory.path().join("history.sqlite")),
            _directory: directory,
            _server: None,
        }
    }

    /// `None` where there is no Postgres.
    fn postgres() -> Option<Self> {
        let server = Postgres::shared_or_skip()?;
        Some(Self {
            location: Location::Postgres(server.database().unwrap()),
            _directory: tempfile::tempdir().unwrap(),
            _server: Some(server),
        })
    }

    fn open(&self) -> Box<dyn Store> {
        self.location.open().unwrap()
    }

    fn open_to_read(&self) -> Box<dyn Store> {
        self.location.open_to_read().unwrap()
    }
}

/// Each function as a test on both.
#[macro_export]
macro_rules! each_store {
    ($($name:ident,)*) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name(&$crate::Place::sqlite()); })*
        }
        mod postgres {
            $(#[test] fn $name() {
                if let Some(place) = $crate::Place::postgres() {
                    super::$name(&place);
                }
            })*
        }
    };
}
