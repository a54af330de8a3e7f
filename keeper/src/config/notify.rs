//! Whom to tell what a person should know.

use std::time::Duration;

use ballast_client::Endpoint;
use ballast_model::Bps;
use serde::{Deserialize, Serialize};

use super::{ConfigError, check::require};
use crate::notify::Webhook;

/// Notifications by webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// Where they are posted; `None`: nowhere.
    pub webhook_url: Option<Endpoint>,
    /// A post ends after this.
    pub timeout: Duration,
    /// How often one is posted before it is given up.
    pub attempts: u32,
    /// Most that wait; more are dropped and counted.
    pub queue: usize,
    /// A liquidation boundary nearer than this many usual days' moves is told of; 10 000 is one.
    pub boundary_sigma_days: Bps,
    /// So many failures of one position's actions in a row are told of.
    pub failures_in_row: u32,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawNotify {
    webhook_url: Option<String>,
    timeout_ms: u64,
    attempts: u32,
    queue: usize,
    boundary_sigma_days_bps: u32,
    failures_in_row: u32,
}

impl Default for RawNotify {
    fn default() -> Self {
        Self {
            webhook_url: None,
            timeout_ms: 5_000,
            attempts: 8,
            queue: 256,
            boundary_sigma_days_bps: 10_000,
            failures_in_row: 3,
        }
    }
}

impl From<RawNotify> for Notify {
    fn from(raw: RawNotify) -> Self {
        Self {
            webhook_url: raw.webhook_url.map(Endpoint::new),
            timeout: Duration::from_millis(raw.timeout_ms),
            attempts: raw.attempts,
            queue: raw.queue,
            boundary_sigma_days: Bps::new(raw.boundary_sigma_days_bps),
            failures_in_row: raw.failures_in_row,
        }
    }
}

impl Default for Notify {
    fn default() -> Self {
        RawNotify::default().into()
    }
}

impl Notify {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        // Not repeated, because it may hold a key.
        require(
            self.webhook_url
                .as_ref()
                .is_none_or(|url| Webhook::new(url, self.timeout).is_some()),
            "notify.webhook_url",
            "is not an http address",
            "write https://HOST/PATH, or leave it out",
        )?;
        let ms = Duration::from_millis;
        require(
            (ms(100)..=ms(30_000)).contains(&self.timeout),
            "notify.timeout_ms",
            "is out of range",
            "use 100 to 30000",
        )?;
        require(
            (1..=20).contains(&self.attempts),
            "notify.attempts",
            "is out of range",
            "use 1 to 20",
        )?;
        require(
            (1..=10_000).contains(&self.queue),
            "notify.queue",
            "is out of range",
            "use 1 to 10000",
        )?;
        require(
            self.boundary_sigma_days.get() <= 1_000_000,
            "notify.boundary_sigma_days_bps",
            "is out of range",
            "use at most 1000000; 10000 is one usual day's move, 0 tells of none",
        )?;
        require(
            (1..=1_000).contains(&self.failures_in_row),
            "notify.failures_in_row",
            "is out of range",
            "use 1 to 1000",
        )
    }
}
