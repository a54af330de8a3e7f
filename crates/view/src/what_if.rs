//! What moves of the price would do to a position.

use serde::Serialize;

/// How a position stands after a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveState {
    /// Below every trigger.
    Healthy,
    /// At or above the LTV at which a keeper deleverages.
    AboveTrigger,
    /// At or above maintenance.
    Liquidated,
}

/// A position after a move.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WhatIfState {
    /// Equity.
    pub equity: String,
    /// Delta.
    pub delta: String,
    /// LTV.
    pub ltv_bps: u32,
    /// `null`: no equity.
    pub leverage_bps: Option<u64>,
    /// How it stands.
    pub state: MoveState,
}

/// The same where the keeper acts on the way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Kept {
    /// Afterwards.
    #[serde(flatten)]
    pub after: WhatIfState,
    /// How often it acted.
    pub actions: u32,
}

/// What a move of the price would do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WhatIf {
    /// The move.
    pub move_bps: i32,
    /// Where it ends.
    pub price: f64,
    /// At once: nobody can act.
    pub gap: WhatIfState,
    /// In sixty steps, with the keeper; `null`: it may not.
    pub kept: Option<Kept>,
}
