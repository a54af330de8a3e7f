//! Intervals and horizons.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ConfigError, check::require};

/// Intervals and horizons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How often an action in flight is looked up.
    pub poll_interval: Duration,
    /// How often the same bytes are sent again until they land or expire.
    pub resend_interval: Duration,
    /// How often a market's own accounts are read, whatever the stream says.
    pub refresh: Duration,
    /// Without any message for this long the stream counts as broken.
    pub watchdog: Duration,
    /// How often all positions are read anew even if the stream looks fine.
    pub resync: Duration,
    /// How long a quiet interval is relied on; debts are grown to its end.
    pub horizon_secs: u32,
    /// First pause after a failure of a position's action; doubles with each further one.
    pub backoff_first: Duration,
    /// Longest such pause.
    pub backoff_max: Duration,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTiming {
    poll_interval_ms: u64,
    resend_interval_ms: u64,
    refresh_interval_ms: u64,
    watchdog_secs: u64,
    resync_secs: u64,
    horizon_secs: u32,
    backoff_first_ms: u64,
    backoff_max_secs: u64,
}

impl Default for RawTiming {
    fn default() -> Self {
        Self {
            poll_interval_ms: 400,
            resend_interval_ms: 2_000,
            refresh_interval_ms: 1_000,
            watchdog_secs: 5,
            resync_secs: 300,
            horizon_secs: 600,
            backoff_first_ms: 500,
            backoff_max_secs: 60,
        }
    }
}

impl From<RawTiming> for Timing {
    fn from(raw: RawTiming) -> Self {
        Self {
            poll_interval: Duration::from_millis(raw.poll_interval_ms),
            resend_interval: Duration::from_millis(raw.resend_interval_ms),
            refresh: Duration::from_millis(raw.refresh_interval_ms),
            watchdog: Duration::from_secs(raw.watchdog_secs),
            resync: Duration::from_secs(raw.resync_secs),
            horizon_secs: raw.horizon_secs,
            backoff_first: Duration::from_millis(raw.backoff_first_ms),
            backoff_max: Duration::from_secs(raw.backoff_max_secs),
        }
    }
}

impl Default for Timing {
    fn default() -> Self {
        RawTiming::default().into()
    }
}

impl Timing {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let ms = Duration::from_millis;
        let secs = Duration::from_secs;
        require(
            (ms(10)..=secs(30)).contains(&self.poll_interval),
            "timing.poll_interval_ms",
            "is out of range",
            "use 10 to 30000",
        )?;
        require(
            self.resend_interval >= self.poll_interval && self.resend_interval <= secs(60),
            "timing.resend_interval_ms",
            "is out of range",
            "use at least poll_interval_ms and at most 60000",
        )?;
        require(
            (ms(50)..=secs(60)).contains(&self.refresh),
            "timing.refresh_interval_ms",
            "is out of range",
            "use 50 to 60000",
        )?;
        require(
            (secs(1)..=secs(600)).contains(&self.watchdog),
            "timing.watchdog_secs",
            "is out of range",
            "use 1 to 600",
        )?;
        require(
            self.resync >= self.watchdog && self.resync <= secs(86_400),
            "timing.resync_secs",
            "is out of range",
            "use at least watchdog_secs and at most 86400",
        )?;
        require(
            (10..=86_400).contains(&self.horizon_secs),
            "timing.horizon_secs",
            "is out of range",
            "use 10 to 86400",
        )?;
        require(
            self.backoff_first >= ms(10) && self.backoff_first <= self.backoff_max,
            "timing.backoff_first_ms",
            "is out of range",
            "use at least 10 and at most backoff_max_secs",
        )?;
        require(
            self.backoff_max <= secs(3_600),
            "timing.backoff_max_secs",
            "is out of range",
            "use at most 3600",
        )
    }
}
