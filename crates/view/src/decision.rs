//! What the keeper makes of a position.

use ballast_strategy::{ActionKind, decide::Threshold};
use serde::Serialize;

/// What follows from a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing is due.
    Nothing,
    /// Something is due and possible.
    Act,
    /// Something is due and not possible.
    Blocked,
    /// A person keeps the keeper from it.
    Paused,
}

/// A decision, in words.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DecisionView {
    /// What follows.
    pub verdict: Verdict,
    /// What is due.
    pub action: Option<ActionKind>,
    /// Why.
    pub reason: Option<String>,
    /// What stands in its way.
    pub obstacles: Vec<String>,
    /// What the action would move.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
}

/// A price at which something becomes due.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NextTrigger {
    /// The price.
    pub price: f64,
    /// What it stands for.
    pub threshold: Threshold,
    /// What is done then.
    pub action: &'static str,
}

/// What happens first in either direction.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Next {
    /// If the price falls.
    pub below: Option<NextTrigger>,
    /// If it rises.
    pub above: Option<NextTrigger>,
}

/// The prices between which a threshold is not reached.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ThresholdView {
    /// Which.
    pub threshold: Threshold,
    /// What is done when it is reached.
    pub action: &'static str,
    /// Reached at this price and below.
    pub below: Option<f64>,
    /// Reached at this price and above.
    pub above: Option<f64>,
    /// Whether it is not reached at the oracle's price.
    pub quiet: bool,
}
