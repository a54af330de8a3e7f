//! What both databases have in common: statements with `$1` parameters, and three kinds of values.

use thiserror::Error;

/// Why the store cannot be used.
#[derive(Debug, Error)]
pub enum StoreError {
    /// SQLite said no.
    #[error(
        "history {place}: {source}; check the disk and the directory's permissions, and that no other program holds the file"
    )]
    Sqlite {
        /// The file.
        place: String,
        /// What it said.
        source: rusqlite::Error,
    },
    /// Postgres said no, or does not answer.
    #[error(
        "history in Postgres {place}: {reason}; check the URL in [history], the server and the role's rights"
    )]
    Postgres {
        /// Host and database, without credentials.
        place: String,
        /// What it said.
        reason: String,
        /// Whether another try with a new connection may help.
        lost: bool,
    },
    /// The URL cannot be used.
    #[error("history url: {0}")]
    Url(String),
    /// Written by a later version.
    #[error(
        "history {place} has schema version {found}, this keeper knows {known}: use the newer keeper, or another place"
    )]
    Newer {
        /// Where.
        place: String,
        /// There.
        found: i64,
        /// Here.
        known: i64,
    },
    /// Another keeper's, or another cluster's.
    #[error(
        "history {place} belongs to {found}, not to {expected}: give each keeper its own file, database or search_path"
    )]
    Foreign {
        /// Where.
        place: String,
        /// Whose it is.
        found: String,
        /// Who asked.
        expected: String,
    },
    /// A row that does not read back.
    #[error(
        "history: {what} of {whom} does not read back ({found}): restore a backup, or begin a new history elsewhere"
    )]
    Damaged {
        /// Which value.
        what: &'static str,
        /// Of which position or row.
        whom: String,
        /// What stands there.
        found: String,
    },
}

impl StoreError {
    /// Whether a new connection may help.
    pub fn is_lost_connection(&self) -> bool {
        matches!(self, Self::Postgres { lost: true, .. })
    }
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// None.
    Null,
    /// An integer.
    Int(i64),
    /// Text; also integers beyond 64 bits.
    Text(String),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Int(value.into())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        // Postgres has no zero characters in texts.
        Self::Text(value.replace('\0', ""))
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        value.as_str().into()
    }
}

impl From<u64> for Value {
    /// For slots, heights and ratios: those of real clusters fit.
    fn from(value: u64) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<i128> for Value {
    fn from(value: i128) -> Self {
        Self::Text(value.to_string())
    }
}

impl From<u128> for Value {
    fn from(value: u128) -> Self {
        Self::Text(value.to_string())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row that is read from left to right.
pub struct Row {
    values: std::vec::IntoIter<Value>,
    whom: String,
}

impl Row {
    /// A row; `whom` is for messages.
    pub fn new(values: Vec<Value>, whom: &str) -> Self {
        Self {
            values: values.into_iter(),
            whom: whom.into(),
        }
    }

    fn next(&mut self) -> Value {
        self.values.next().unwrap_or(Value::Null)
    }

    fn damaged(&self, what: &'static str, found: &Value) -> StoreError {
        StoreError::Damaged {
            what,
            whom: self.whom.clone(),
            found: format!("{found:?}"),
        }
    }

    /// The next value, an integer that fits.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn int<T: TryFrom<i64>>(&mut self, what: &'static str) -> Result<T, StoreError> {
        let value = self.next();
        match &value {
            Value::Int(int) => T::try_from(*int).ok(),
            _ => None,
        }
        .ok_or_else(|| self.damaged(what, &value))
    }

    /// The next value, an integer or none.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn int_or_none<T: TryFrom<i64>>(
        &mut self,
        what: &'static str,
    ) -> Result<Option<T>, StoreError> {
        match self.values.as_slice().first() {
            None | Some(Value::Null) => {
                self.next();
                Ok(None)
            }
            Some(_) => self.int(what).map(Some),
        }
    }

    /// The next value, text.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn text(&mut self, what: &'static str) -> Result<String, StoreError> {
        match self.next() {
            Value::Text(text) => Ok(text),
            value => Err(self.damaged(what, &value)),
        }
    }

    /// The next value, text or none.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn text_or_none(&mut self, what: &'static str) -> Result<Option<String>, StoreError> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            value @ Value::Int(_) => Err(self.damaged(what, &value)),
        }
    }

    /// The next value, kept as text.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn parsed<T: std::str::FromStr>(&mut self, what: &'static str) -> Result<T, StoreError> {
        let text = self.text(what)?;
        text.parse()
            .map_err(|_| self.damaged(what, &Value::Text(text)))
    }

    /// The next value, kept as text, or none.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn parsed_or_none<T: std::str::FromStr>(
        &mut self,
        what: &'static str,
    ) -> Result<Option<T>, StoreError> {
        let Some(text) = self.text_or_none(what)? else {
            return Ok(None);
        };
        text.parse()
            .map(Some)
            .map_err(|_| self.damaged(what, &Value::Text(text)))
    }
}

/// A connection to a database.
pub trait Database: Send {
    /// Where it is, for messages, without credentials.
    fn place(&self) -> String;

    /// How a column of growing numbers is declared.
    fn identity(&self) -> &'static str;

    /// How a transaction that will write begins.
    fn begin(&self) -> &'static str;

    /// Statements without parameters or results.
    ///
    /// # Errors
    /// [`StoreError`].
    fn batch(&mut self, statements: &str) -> Result<(), StoreError>;

    /// A statement with parameters; returns how many rows it changed.
    ///
    /// # Errors
    /// [`StoreError`].
    fn execute(&mut self, statement: &str, values: &[Value]) -> Result<u64, StoreError>;

    /// A question.
    ///
    /// # Errors
    /// [`StoreError`].
    fn query(&mut self, statement: &str, values: &[Value]) -> Result<Vec<Vec<Value>>, StoreError>;
}
