//! A position at one moment, in numbers that people read.

use anyhow::Result;
use ballast_client::{Bps, SqrtPrice};
use ballast_model::{Boundaries, Position, Valuation};
use ballast_strategy::ActionKind;

use super::MICRO_PER_QUOTE;
use crate::attribution::State;

const LAMPORTS_PER_BASE: f64 = 1e9;

/// A position at one moment.
#[derive(Clone, Copy)]
pub struct Sample {
    /// Its numbers, and its uncollected fees.
    pub state: State,
    /// The price that it is valued at.
    pub at: SqrtPrice,
    /// Value without uncollected fees, as the program sees it.
    pub(super) value: Valuation,
    pub(super) equity: i128,
    pub(super) delta: i128,
    pub(super) maintenance: Bps,
    /// What a keeper has to do.
    pub standing: Standing,
}

/// What a keeper has to do about a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Quiet,
    /// Something, and it can.
    Due,
    /// Something, but it cannot yet.
    Blocked {
        /// What is most pressing.
        wanted: ActionKind,
        /// How long the owner's pauses still last, if it is they that stand in the way.
        pause_secs: Option<i64>,
    },
}

impl Sample {
    /// Quote tokens, uncollected fees among them.
    pub fn equity(&self) -> f64 {
        self.equity as f64 / MICRO_PER_QUOTE
    }

    /// Base tokens.
    pub fn delta(&self) -> f64 {
        self.delta as f64 / LAMPORTS_PER_BASE
    }

    /// Debt / assets.
    pub fn ltv(&self) -> f64 {
        f64::from(self.value.ltv_bps_up()) / 1e4
    }

    /// Assets / equity.
    pub fn leverage(&self) -> f64 {
        self.value.leverage_bps_up() as f64 / 1e4
    }

    /// Distance to the liquidation prices below and above, as part of the price; `None`: there is none.
    ///
    /// # Errors
    /// If they cannot be computed.
    pub fn distances(&self) -> Result<[Option<f64>; 2]> {
        let model: &Position = &self.state.model;
        let Boundaries::Interval { lower, upper } = model.boundaries(self.maintenance)? else {
            return Ok([Some(0.0); 2]);
        };
        let now = self.at.x64() as f64;
        let distance =
            |end: Option<SqrtPrice>| end.map(|end| ((end.x64() as f64 / now).powi(2) - 1.0).abs());
        Ok([distance(lower), distance(upper)])
    }
}
