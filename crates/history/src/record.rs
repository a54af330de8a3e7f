//! What was done, and what people ordered, as rows.

use serde::{Deserialize, Serialize};

/// A position in figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Equity, raw quote units.
    pub equity: i128,
    /// Base held less base owed.
    pub delta: i128,
    /// Debt over assets, rounded up.
    pub ltv_bps: u32,
}

/// Who wrote a row down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// This keeper's journal.
    Journal,
    /// The program's events.
    Chain,
}

/// Something that was done to a position, or would have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionRow {
    /// What makes it the one that it is: written twice, it is still one. The signature and the position, where there is one.
    pub key: String,
    /// Number of its intent in this keeper's journal; `None`: somebody else's, or on paper.
    pub intent: Option<u64>,
    /// When, Unix seconds.
    pub secs: i64,
    /// The position, or the market.
    pub position: String,
    /// The position's number.
    pub number: Option<u64>,
    /// What.
    pub action: String,
    /// Why.
    pub reason: Option<String>,
    /// The oracle's square-root price, Q64.64.
    pub price_x64: Option<u128>,
    /// pending, landed, failed, raced, expired, dropped or paper.
    pub outcome: String,
    /// Why it failed, or would.
    pub error: Option<String>,
    /// The transaction.
    pub signature: Option<String>,
    /// Slot of its block.
    pub slot: Option<u64>,
    /// What it cost, raw quote units.
    pub cost: Option<i128>,
    /// Who signed.
    pub by: Option<String>,
    /// The position before.
    pub before: Option<Figures>,
    /// The position after.
    pub after: Option<Figures>,
    /// Who wrote it down first.
    pub origin: Origin,
}

impl ActionRow {
    /// The key of what a transaction did to a position.
    pub fn key_of(signature: &str, position: &str) -> String {
        format!("{signature}:{position}")
    }
}

/// What somebody ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverrideRow {
    /// What makes it the one that it is: written twice, it is still one.
    pub key: String,
    /// When, Unix seconds.
    pub secs: i64,
    /// keeper or position.
    pub scope: String,
    /// The position, if of one.
    pub position: Option<String>,
    /// The position's number.
    pub number: Option<u64>,
    /// halt, reduce, pause or resume.
    pub mode: String,
    /// Why, in that person's words.
    pub note: String,
    /// Who.
    pub by: String,
    /// Until when; `None`: until it is taken back.
    pub until_secs: Option<i64>,
}
