//! Postgres, by a URL.

use std::{collections::HashMap, error::Error, net::IpAddr, time::Duration};

use bytes::BytesMut;
use postgres::{
    Client, Config, NoTls, Statement,
    config::{Host, SslMode},
    types::{FromSql, IsNull, ToSql, Type, to_sql_checked},
};

use super::sql::{Database, StoreError, Value};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// See the module's description.
pub struct Postgres {
    client: Client,
    statements: HashMap<String, Statement>,
    place: String,
}

impl Postgres {
    /// Connects. There is no TLS: the server is on this machine, or behind a tunnel, or `sslmode=disable` says that the network
    /// between is trusted.
    ///
    /// # Errors
    /// [`StoreError::Url`], [`StoreError::Postgres`].
    pub fn connect(url: &str) -> Result<Self, StoreError> {
        let (client, place) = Self::client(url)?;
        Ok(Self {
            client,
            statements: HashMap::new(),
            place,
        })
    }

    /// A connection alone, and where it leads, without what a password would be in.
    ///
    /// # Errors
    /// [`StoreError::Url`], [`StoreError::Postgres`].
    pub fn client(url: &str) -> Result<(Client, String), StoreError> {
        let (mut config, place) = parse(url)?;
        config.ssl_mode(SslMode::Disable);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        config.application_name("ballast");
        let client = config
            .connect(NoTls)
            .map_err(|error| told(&place, &error))?;
        Ok((client, place))
    }

    /// Whether a URL can be used, without connecting.
    ///
    /// # Errors
    /// [`StoreError::Url`]; it does not repeat the URL.
    pub fn check(url: &str) -> Result<(), StoreError> {
        parse(url).map(|_| ())
    }

    fn prepared(&mut self, statement: &str) -> Result<Statement, StoreError> {
        if let Some(known) = self.statements.get(statement) {
            return Ok(known.clone());
        }
        let prepared = self
            .client
            .prepare(statement)
            .map_err(|error| told(&self.place, &error))?;
        self.statements.insert(statement.into(), prepared.clone());
        Ok(prepared)
    }
}

/// A URL, and what messages call it.
fn parse(url: &str) -> Result<(Config, String), StoreError> {
    // Anything else would be read as `key=value` settings.
    if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
        return Err(StoreError::Url("it does not begin with postgres://".into()));
    }
    let config: Config = url
        .parse()
        // The parser's errors do not repeat the URL, which holds a password.
        .map_err(|error| StoreError::Url(format!("it is no Postgres URL ({error})")))?;
    let place = place(&config);
    if config.get_ssl_mode() != SslMode::Disable && !is_local(&config) {
        return Err(StoreError::Url(format!(
            "{place} is not on this machine, and the keeper does not speak TLS to Postgres: use a tunnel, or write \
             sslmode=disable if the network between is trusted"
        )));
    }
    Ok((config, place))
}

fn place(config: &Config) -> String {
    let hosts: Vec<_> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        })
        .collect();
    format!("{}/{}", hosts.join(","), config.get_dbname().unwrap_or(""))
}

fn is_local(config: &Config) -> bool {
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    })
}

fn told(place: &str, error: &postgres::Error) -> StoreError {
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        reason = format!("{reason}: {cause}");
        source = cause.source();
    }
    StoreError::Postgres {
        place: place.into(),
        reason,
        // Errors of statements carry a state; without one it is the connection. 57P: the server is going down.
        lost: error
            .code()
            .is_none_or(|state| state.code().starts_with("57P")),
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(int) => int.to_sql_checked(kind, out),
            Self::Text(text) => text.to_sql_checked(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        if *kind == Type::INT8 {
            return i64::from_sql(kind, raw).map(Self::Int);
        }
        String::from_sql(kind, raw).map(Self::Text)
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::INT8 || <String as FromSql>::accepts(kind)
    }
}

fn parameters(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values
        .iter()
        .map(|value| value as &(dyn ToSql + Sync))
        .collect()
}

impl Database for Postgres {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn identity(&self) -> &'static str {
        "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
    }

    fn begin(&self) -> &'static str {
        "BEGIN"
    }

    fn batch(&mut self, statements: &str) -> Result<(), StoreError> {
        self.client
            .batch_execute(statements)
            .map_err(|error| told(&self.place, &error))
    }

    fn execute(&mut self, statement: &str, values: &[Value]) -> Result<u64, StoreError> {
        let statement = self.prepared(statement)?;
        self.client
            .execute(&statement, &parameters(values))
            .map_err(|error| told(&self.place, &error))
    }

    fn query(&mut self, statement: &str, values: &[Value]) -> Result<Vec<Vec<Value>>, StoreError> {
        let statement = self.prepared(statement)?;
        let rows = self
            .client
            .query(&statement, &parameters(values))
            .map_err(|error| told(&self.place, &error))?;
        let read = |row: &postgres::Row| {
            let columns = 0..row.len();
            columns.map(|column| row.try_get(column)).collect()
        };
        rows.iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(|error| told(&self.place, &error))
    }
}
