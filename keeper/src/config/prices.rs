//! Where newer prices come from than the markets' price accounts hold, and when a market is shown them.

use std::{sync::Arc, time::Duration};

use ballast_client::Endpoint;
use serde::{Deserialize, Serialize};

use super::{ConfigError, check::require};
use crate::updates::{Hermes, PriceUpdates, UpdatesError};

/// A price service, and when prices are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prices {
    /// Pyth's price service; `None`: only what the price accounts hold.
    pub hermes_url: Option<Endpoint>,
    /// Every question to it ends after this.
    pub timeout: Duration,
    /// How often it is asked.
    pub poll: Duration,
    /// A market is shown its newest price while a trigger of a position is within this distance of the price. 0: never.
    pub show_within_bps: u32,
    /// Least time between two prices of the price accounts that a market is shown.
    pub show_every_secs: u32,
    /// The same of prices that have to be posted first, which costs more.
    pub post_every_secs: u32,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawPrices {
    hermes_url: Option<String>,
    timeout_ms: u64,
    poll_ms: u64,
    show_within_bps: u32,
    show_every_secs: u32,
    post_every_secs: u32,
}

impl Default for RawPrices {
    fn default() -> Self {
        Self {
            hermes_url: None,
            timeout_ms: 2_000,
            poll_ms: 1_000,
            show_within_bps: 50,
            show_every_secs: 10,
            post_every_secs: 30,
        }
    }
}

impl From<RawPrices> for Prices {
    fn from(raw: RawPrices) -> Self {
        Self {
            hermes_url: raw.hermes_url.map(Endpoint::new),
            timeout: Duration::from_millis(raw.timeout_ms),
            poll: Duration::from_millis(raw.poll_ms),
            show_within_bps: raw.show_within_bps,
            show_every_secs: raw.show_every_secs,
            post_every_secs: raw.post_every_secs,
        }
    }
}

impl Default for Prices {
    fn default() -> Self {
        RawPrices::default().into()
    }
}

impl Prices {
    /// The price service, if there is one.
    ///
    /// # Errors
    /// [`UpdatesError::Address`].
    pub fn source(&self) -> Result<Option<Arc<dyn PriceUpdates>>, UpdatesError> {
        let Some(url) = &self.hermes_url else {
            return Ok(None);
        };
        Ok(Some(Arc::new(Hermes::new(url, self.timeout)?)))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        // Not repeated, because it may hold a key.
        require(
            self.source().is_ok(),
            "prices.hermes_url",
            "is not an http address",
            "write https://HOST or http://HOST:PORT, or leave it out",
        )?;
        let ms = Duration::from_millis;
        require(
            (ms(100)..=ms(10_000)).contains(&self.timeout),
            "prices.timeout_ms",
            "is out of range",
            "use 100 to 10000",
        )?;
        require(
            (ms(200)..=ms(60_000)).contains(&self.poll),
            "prices.poll_ms",
            "is out of range",
            "use 200 to 60000",
        )?;
        require(
            self.show_within_bps <= 10_000,
            "prices.show_within_bps",
            "is more than the price",
            "use at most 10000",
        )?;
        require(
            (1..=3_600).contains(&self.show_every_secs),
            "prices.show_every_secs",
            "is out of range",
            "use 1 to 3600",
        )?;
        require(
            (5..=3_600).contains(&self.post_every_secs),
            "prices.post_every_secs",
            "is out of range",
            "use 5 to 3600",
        )
    }
}
