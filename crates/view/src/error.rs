//! Refusals.

use serde::Serialize;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ErrorView {
    /// For programs.
    pub code: String,
    /// What to do, for people.
    pub message: String,
    /// Which part of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// The body of every refusal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ErrorBody {
    /// Why.
    pub error: ErrorView,
}
