//! Red flags.

use serde::Serialize;

/// How a flag stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FlagState {
    /// Below its threshold.
    Quiet,
    /// Beyond it for its window.
    Raised,
    /// Cannot be judged.
    Unknown,
}

/// A red flag.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Flag {
    /// Its name.
    pub name: String,
    /// The same for people.
    pub label: String,
    /// What was seen, with its unit.
    pub value: String,
    /// From where on it is raised, with its unit.
    pub threshold: String,
    /// For how long that must have been so.
    pub window_secs: u32,
    /// How it stands.
    pub state: FlagState,
    /// Since when it has been raised.
    pub since_secs: Option<i64>,
    /// Evidence, or why it cannot be judged.
    pub note: String,
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Flags {
    /// Of the answer.
    pub version: u64,
    /// Each.
    pub flags: Vec<Flag>,
}

/// How many are raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RedFlags {
    /// Raised.
    pub raised: usize,
    /// There are.
    pub of: usize,
    /// From how many on the keeper only reduces.
    pub reduce_at: usize,
}
