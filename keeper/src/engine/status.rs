use serde::Serialize;

use crate::config::Mode;

/// The keeper in numbers, always the latest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// What it may do.
    pub mode: Mode,
    /// Markets looked after.
    pub markets: usize,
    /// Positions known.
    pub positions: usize,
    /// Actions in flight.
    pub in_flight: usize,
    /// Actions that wait for others to end.
    pub waiting: usize,
    /// Positions that something is due for, possible or not.
    pub not_quiet: usize,
    /// Newest slot known.
    pub slot: u64,
    /// Lamports of the keeper when they were last looked at, about once a minute.
    pub lamports: Option<u64>,
}
