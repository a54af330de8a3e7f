//! What is written down.

use serde::{Deserialize, Serialize};
use solana_sdk::{hash::Hash, pubkey::Pubkey, signature::Signature};

use ballast_strategy::decide::ActionKind;

use super::{Confirmed, PostedRecord, PostingRecord};
use crate::{control::OverrideRecord, execute::budget::Spending};

/// Values that are written as text: addresses, and integers that JSON readers elsewhere would round.
pub mod text {
    use std::{fmt::Display, str::FromStr};

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Serialises by `Display`.
    pub fn serialize<T: Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    /// Deserialises by `FromStr`.
    pub fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|_| D::Error::custom(format!("`{text}` is not valid here")))
    }
}

/// Bytes in base64.
mod base64_bytes {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD
            .decode(String::deserialize(deserializer)?)
            .map_err(D::Error::custom)
    }
}

/// First record of every journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`super::VERSION`].
    pub version: u32,
    /// Which cluster the records are about.
    #[serde(with = "text")]
    pub genesis_hash: Hash,
    /// Who signs.
    #[serde(with = "text")]
    pub keeper: Pubkey,
    /// What a journal that was put aside leaves to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<Continued>,
}

/// Where the journal before this one ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Continued {
    /// Number of the next intent.
    pub next_id: u64,
    /// Newest slot at which an action took effect.
    pub slot: u64,
    /// Sequence number of its last record, see [`super::feed`].
    #[serde(default)]
    pub sequence: u64,
    /// What was spent in the last hour before its end.
    #[serde(default, skip_serializing_if = "Spending::is_empty")]
    pub spent: Spending,
    /// What was in a block that a fork might still take back, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub landed: Vec<Confirmed>,
}

/// Number of an intent, unique in its journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IntentId(pub u64);

/// The numbers that a decision was made on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// Newest slot of the data.
    pub slot: u64,
    /// The cluster's clock, Unix seconds.
    pub now_secs: i64,
    /// The oracle's square-root price, Q64.64.
    #[serde(with = "text")]
    pub oracle_x64: u128,
    /// The pool's square-root price, Q64.64.
    #[serde(with = "text")]
    pub pool_x64: u128,
    /// LTV at the oracle's price, rounded up.
    pub ltv_bps: u32,
    /// Equity at the oracle's price, raw quote units.
    #[serde(with = "text")]
    pub equity: i128,
    /// Hedge error at the oracle's price, base units.
    #[serde(with = "text")]
    pub hedge_error: i128,
}

fn is_zero(lamports: &u64) -> bool {
    *lamports == 0
}

/// A signed transaction that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Its number.
    pub id: IntentId,
    /// The market.
    #[serde(with = "text")]
    pub market: Pubkey,
    /// The position.
    #[serde(with = "text")]
    pub position: Pubkey,
    /// What is done.
    pub action: ActionKind,
    /// Why.
    pub reason: String,
    /// On which numbers.
    pub inputs: Inputs,
    /// How often this action has been tried before without landing.
    pub attempt: u32,
    /// The transaction's signature.
    #[serde(with = "text")]
    pub signature: Signature,
    /// Above this block height it can never land.
    pub last_valid_block_height: u64,
    /// Compute-unit limit.
    pub compute_units: u32,
    /// Priority fee, micro-lamports per compute unit.
    pub micro_lamports: u64,
    /// What the transaction pays a block engine if it lands.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tip_lamports: u64,
    /// The exact bytes.
    #[serde(with = "base64_bytes")]
    pub transaction: Vec<u8>,
}

/// What became of an intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done.
    Landed {
        /// Slot of its block.
        slot: u64,
    },
    /// In a block, but it failed: nothing changed but the fee.
    Failed {
        /// Slot of its block.
        slot: u64,
        /// Why.
        error: String,
    },
    /// In a block, but it failed because it was not due any more: somebody else was faster, or the price moved.
    Raced {
        /// Slot of its block.
        slot: u64,
        /// What the program said.
        error: String,
    },
    /// It was sent, is in no block and can never be.
    Expired {
        /// Block height at which that was certain.
        block_height: u64,
    },
    /// No node ever took it, and it can never land.
    Dropped {
        /// Block height at which that was certain.
        block_height: u64,
        /// What the last node said.
        error: String,
    },
}

impl Outcome {
    /// Slot up to which the effects are known; 0 if there are none.
    pub fn slot(&self) -> u64 {
        match self {
            Self::Landed { slot } | Self::Failed { slot, .. } | Self::Raced { slot, .. } => *slot,
            Self::Expired { .. } | Self::Dropped { .. } => 0,
        }
    }
}

/// Outcome of an intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeRecord {
    /// Which.
    pub id: IntentId,
    /// What.
    pub outcome: Outcome,
}

/// What an action would have done, in paper mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperRecord {
    /// The market.
    #[serde(with = "text")]
    pub market: Pubkey,
    /// The position.
    #[serde(with = "text")]
    pub position: Pubkey,
    /// What would be done.
    pub action: ActionKind,
    /// Why.
    pub reason: String,
    /// On which numbers.
    pub inputs: Inputs,
    /// Why it would fail; `None`: it would succeed.
    pub error: Option<String>,
    /// Compute units that it used in the simulation.
    pub compute_units: u64,
}

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// First line.
    Header(Header),
    /// Before sending.
    Intent(Box<Intent>),
    /// When it is known what became of it.
    Outcome(OutcomeRecord),
    /// In paper mode, instead of both.
    Paper(PaperRecord),
    /// What a person said, before it is answered.
    Override(Box<OverrideRecord>),
    /// Before prices are posted.
    Posting(PostingRecord),
    /// What became of that.
    Posted(PostedRecord),
}
