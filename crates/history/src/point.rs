//! What is kept of a position every quarter of an hour.

use ballast_model::Bps;
use serde::{Deserialize, Serialize};

use crate::{Sums, account::AttributionError, text, track::Track};

/// Time between two points.
pub const STEP_SECS: i64 = 900;

/// A position at the first sight in an interval of [`STEP_SECS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// Beginning of the interval, Unix seconds.
    pub interval_secs: i64,
    /// When it was seen.
    pub secs: i64,
    /// Slot of the data.
    pub slot: u64,
    /// The oracle's square-root price, Q64.64.
    #[serde(with = "text")]
    pub price_x64: u128,
    /// Equity with waiting fees, raw quote units.
    #[serde(with = "text")]
    pub equity: i128,
    /// Base held less base owed.
    #[serde(with = "text")]
    pub delta: i128,
    /// Debt over assets, rounded up.
    pub ltv_bps: u32,
    /// Assets over equity, rounded up; `None`: no equity.
    pub leverage_bps: Option<u64>,
    /// Lower and upper tick of the band.
    pub ticks: [i32; 2],
    /// Sums since opening.
    pub sums: Sums,
    /// The owner's flows since opening.
    #[serde(with = "text")]
    pub flow: i128,
}

impl Point {
    /// Beginning of the interval that a time lies in.
    pub const fn interval_secs(secs: i64) -> i64 {
        secs - secs.rem_euclid(STEP_SECS)
    }

    pub(crate) fn new(track: &Track) -> Result<Self, AttributionError> {
        let seen = &track.seen;
        let at = seen.price()?;
        let model = seen.account.with_debt(crate::account::amounts(seen.debt))?;
        let value = model.value(at)?;
        let leverage = value.leverage_bps_up();
        Ok(Self {
            interval_secs: Self::interval_secs(seen.secs),
            secs: seen.secs,
            slot: seen.slot,
            price_x64: seen.price_x64,
            equity: seen.equity()?,
            delta: model.hedge_error(at, Bps::ONE)?,
            ltv_bps: value.ltv_bps_up(),
            leverage_bps: (leverage < u64::MAX).then_some(leverage),
            ticks: seen.account.ticks,
            sums: track.sums,
            flow: track.flow,
        })
    }
}
