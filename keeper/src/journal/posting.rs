//! What is written down of a posting of prices. It moves nobody's tokens and may be done twice, so that nobody takes it up after a
//! restart, and its transactions' bytes are not kept; but what it may cost counts from before it begins.
//! Nor is it looked at again once it is confirmed: where a fork takes it back, its outcome stays the one of that block.

use serde::{Deserialize, Serialize};
use solana_sdk::pubkey::Pubkey;

use ballast_strategy::decide::ActionKind;

use super::{IntentId, text};

/// A posting that is about to begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostingRecord {
    /// Its number: postings and intents are numbered together.
    pub id: IntentId,
    /// The market.
    #[serde(with = "text")]
    pub market: Pubkey,
    /// The position for which it is done; the market's base price account, if the price is shown for itself.
    #[serde(with = "text")]
    pub subject: Pubkey,
    /// The action for which it is done.
    pub action: ActionKind,
    /// When it began, Unix seconds.
    pub now_secs: i64,
    /// What all its transactions cost at most, fees and priority fees.
    pub max_lamports: u64,
}

/// What became of a posting. Of one that a crash cut off there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostedRecord {
    /// Which.
    pub id: IntentId,
    /// What.
    pub outcome: PostingOutcome,
    /// Signatures of the transactions that were sent, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<String>,
}

/// How a posting ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostingOutcome {
    /// The prices are in the keeper's accounts.
    Landed {
        /// Slot of the last transaction's block.
        slot: u64,
    },
    /// None of its transactions was sent, so that it has cost nothing.
    NotSent {
        /// Why.
        error: String,
    },
    /// Some of it was sent, and not all of it landed in time.
    BrokenOff {
        /// Why.
        error: String,
    },
}
