//! What the stream of events carries, beside actions and overrides.

use serde::Serialize;

/// The heartbeat.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tick {
    /// Grows with every change of what the keeper knows.
    pub version: u64,
    /// The keeper's clock.
    pub now: f64,
    /// Newest slot.
    pub slot: u64,
    /// Time since it was seen.
    pub slot_age_ms: u64,
    /// The keeper's mode.
    pub mode: String,
    /// Risk stage of the first market.
    pub stage: u8,
    /// Red flags raised.
    pub flags_raised: usize,
    /// The oracle's price in the first market; `null`: there is none.
    pub price: Option<f64>,
    /// The pool's.
    pub pool_price: Option<f64>,
}

/// The first event of every stream.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hello {
    /// As a tick.
    #[serde(flatten)]
    pub tick: Tick,
    /// Another one than before: the keeper was restarted.
    pub instance: String,
    /// Time between two ticks.
    pub heartbeat_ms: u64,
}

/// The journal no longer reaches back to what the reader last saw: read everything anew.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reset {
    /// Why.
    pub reason: String,
}
