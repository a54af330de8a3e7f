//! What the keeper has done.

use ballast_strategy::ActionKind;
use serde::Serialize;

/// What became of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionOutcome {
    /// On its way.
    Pending,
    /// Done.
    Landed,
    /// In a block, but it failed.
    Failed,
    /// Somebody else was faster, or the price moved.
    Raced,
    /// In no block, and can never be.
    Expired,
    /// No node ever took it.
    Dropped,
    /// Only simulated.
    Paper,
}

/// A position before or after an action.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ActionFigures {
    /// Equity.
    pub equity: String,
    /// Delta; `null`: not recorded.
    pub delta: Option<String>,
    /// LTV.
    pub ltv_bps: u32,
}

/// An action of the keeper's journal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Action {
    /// Number of its intent.
    pub id: u64,
    /// When it was decided, cluster's clock.
    pub secs: i64,
    /// The position; the market's address for what is done to the market.
    pub position: String,
    /// The position's number; `null`: it is not known any more, or the market itself.
    pub number: Option<u64>,
    /// The market; `null`: it is not known any more.
    pub market: Option<String>,
    /// What.
    pub action: ActionKind,
    /// Why.
    pub reason: String,
    /// The oracle's price.
    pub price: f64,
    /// What became of it.
    pub outcome: ActionOutcome,
    /// Why it failed.
    pub error: Option<String>,
    /// Its transaction; `null`: only simulated.
    pub signature: Option<String>,
    /// Slot of its block; before, the slot of the data that it was decided on.
    pub slot: u64,
    /// What its swap lost against the oracle's price, quote; `null`: not known.
    pub cost: Option<String>,
    /// Who did it.
    pub by: &'static str,
    /// Before.
    pub before: ActionFigures,
    /// Afterwards; `null`: not known.
    pub after: Option<ActionFigures>,
}

/// A page of actions, newest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Actions {
    /// Of the answer.
    pub version: u64,
    /// These.
    pub rows: Vec<Action>,
    /// Whether there are older ones.
    pub more: bool,
}
