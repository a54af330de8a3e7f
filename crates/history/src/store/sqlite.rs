//! SQLite, compiled in: a file.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, Row, params_from_iter, types::ValueRef};

use super::sql::{Database, StoreError, Value};

/// How long a writer waits for another.
const BUSY: Duration = Duration::from_secs(10);

/// See the module's description.
pub struct Sqlite {
    connection: Connection,
    place: String,
}

impl Sqlite {
    /// Opens a file, and creates it if there is none. What is committed is on disk; readers do not wait for writers.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::with(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
        )
    }

    /// Opens a file that somebody else writes, for reading.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`], also if there is none.
    pub fn open_to_read(path: &Path) -> Result<Self, StoreError> {
        Self::with(path, OpenFlags::SQLITE_OPEN_READ_ONLY, "")
    }

    fn with(path: &Path, flags: OpenFlags, pragmas: &str) -> Result<Self, StoreError> {
        let place = path.display().to_string();
        let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
            connection.busy_timeout(BUSY)?;
            connection.execute_batch(pragmas)?;
            connection.set_prepared_statement_cache_capacity(64);
            Ok(connection)
        });
        match opened {
            Ok(connection) => Ok(Self { connection, place }),
            Err(source) => Err(StoreError::Sqlite { place, source }),
        }
    }

    fn told(&self, source: rusqlite::Error) -> StoreError {
        StoreError::Sqlite {
            place: self.place.clone(),
            source,
        }
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(rusqlite::types::ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(int) => ValueRef::Integer(*int),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

/// SQLite numbers parameters with `?`; with `$` they would count in order of appearance.
fn numbered(statement: &str) -> String {
    statement.replace('$', "?")
}

fn values(row: &Row<'_>, columns: usize) -> rusqlite::Result<Vec<Value>> {
    let value = |column| {
        Ok(match row.get_ref(column)? {
            ValueRef::Integer(int) => Value::Int(int),
            ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => Value::Null,
        })
    };
    (0..columns).map(value).collect()
}

impl Database for Sqlite {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn identity(&self) -> &'static str {
        "INTEGER PRIMARY KEY AUTOINCREMENT"
    }

    fn begin(&self) -> &'static str {
        "BEGIN IMMEDIATE"
    }

    fn batch(&mut self, statements: &str) -> Result<(), StoreError> {
        self.connection
            .execute_batch(statements)
            .map_err(|error| self.told(error))
    }

    fn execute(&mut self, statement: &str, values: &[Value]) -> Result<u64, StoreError> {
        let changed = self
            .connection
            .prepare_cached(&numbered(statement))
            .and_then(|mut statement| statement.execute(params_from_iter(values)));
        // A count of rows fits 64 bits.
        changed
            .map(|changed| changed as u64)
            .map_err(|error| self.told(error))
    }

    fn query(&mut self, statement: &str, asked: &[Value]) -> Result<Vec<Vec<Value>>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare_cached(&numbered(statement))?;
            let columns = statement.column_count();
            let rows = statement.query_map(params_from_iter(asked), |row| values(row, columns))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.told(error))
    }
}
