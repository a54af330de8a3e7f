//! What people tell the keeper.

use ballast_strategy::ActionKind;
use serde::{Deserialize, Serialize};

/// What an override is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All of it.
    Keeper,
    /// One position.
    Position,
}

/// What it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverrideMode {
    /// Send nothing.
    Halt,
    /// Only reduce risk.
    Reduce,
    /// Leave a position alone.
    Pause,
    /// As configured.
    Resume,
}

/// An override in the journal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Override {
    /// Its sequence number in the journal.
    pub id: u64,
    /// When.
    pub secs: i64,
    /// About what.
    pub scope: Scope,
    /// What it says.
    pub mode: OverrideMode,
    /// Why.
    pub note: String,
    /// Who: `dashboard`, `cli`, `file`, `flags`.
    pub by: String,
    /// The position.
    pub position: Option<String>,
    /// Its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Its market.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    /// When it ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_secs: Option<i64>,
}

/// An action that was signed before and cannot be called back.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InFlight {
    /// Number of its intent.
    pub id: u64,
    /// The position.
    pub position: String,
    /// Its number; `null`: it is not known any more.
    pub number: Option<u64>,
    /// Its market; `null`: it is not known any more.
    pub market: Option<String>,
    /// What it does.
    pub action: ActionKind,
    /// Its transaction.
    pub signature: String,
}

/// What `POST /overrides` answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AppliedOverride {
    /// The override, as it is journaled.
    #[serde(flatten)]
    pub entry: Override,
    /// What was in flight when it was journaled and may land yet.
    pub in_flight: Vec<InFlight>,
}

/// Newest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Overrides {
    /// Of the answer.
    pub version: u64,
    /// Each.
    pub rows: Vec<Override>,
}

/// What `POST /overrides` takes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct OverrideRequest {
    /// About what.
    pub scope: Scope,
    /// What it says.
    pub mode: OverrideMode,
    /// Which position.
    #[serde(default)]
    pub position: Option<String>,
    /// Why, in three letters or more.
    pub note: String,
    /// When it ends by itself.
    #[serde(default)]
    pub until_secs: Option<i64>,
    /// Refused if the keeper's mode is another one.
    #[serde(default)]
    pub expect_mode: Option<String>,
}

/// What `POST /overrides/preview` takes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PreviewRequest {
    /// About what.
    pub scope: Scope,
    /// What it says.
    pub mode: OverrideMode,
    /// Which position.
    #[serde(default)]
    pub position: Option<String>,
}

/// What an override does to risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Nobody acts before liquidation.
    Raises,
    /// Nothing adds to it.
    Lowers,
    /// As configured.
    Restores,
}

/// The nearest of the positions concerned.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PreviewNearest {
    /// Its number; `null`: there is no position.
    pub id: Option<u64>,
    /// Its market.
    pub market: Option<String>,
    /// Which boundary.
    pub side: Option<crate::position::SideOfPrice>,
    /// See [`crate::Nearest`].
    pub distance_bps: Option<i64>,
    /// See [`crate::Nearest`].
    pub sigma_days: Option<f64>,
}

/// What an override would do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Preview {
    /// In a sentence.
    pub effect: String,
    /// To risk.
    pub risk: Risk,
    /// Positions concerned.
    pub positions: usize,
    /// Their equity; `null`: their markets have different quote tokens.
    pub equity: Option<String>,
    /// A market in whose quote token equity is counted; `null`: there is no position, or there are several tokens.
    pub market: Option<String>,
    /// Of how many something is due now.
    pub due_now: usize,
    /// How many are within a usual day's move of liquidation.
    pub within_one_sigma_day: usize,
    /// The nearest.
    pub nearest: PreviewNearest,
    /// Actions that cannot be called back.
    pub in_flight: Vec<InFlight>,
}
