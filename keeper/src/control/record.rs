//! An override as it is journaled and answered.

use ballast_strategy::decide::ActionKind;
use serde::{Deserialize, Serialize};
use solana_sdk::{pubkey::Pubkey, signature::Signature};

use super::Mode;
use crate::journal::text;

/// What a person asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// The keeper sends nothing.
    Halt,
    /// Only what lowers risk.
    Reduce,
    /// Nothing is done for the position.
    Pause,
    /// As the configuration says.
    Resume,
}

impl Verb {
    /// The most that it leaves; `None`: whatever the configuration allows.
    pub fn bound(self) -> Option<Mode> {
        match self {
            Self::Halt | Self::Pause => Some(Mode::Halted),
            Self::Reduce => Some(Mode::Reducing),
            Self::Resume => None,
        }
    }

    /// Its name in requests, journals and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Halt => "halt",
            Self::Reduce => "reduce",
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }
}

impl std::fmt::Display for Verb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "scope", rename_all = "snake_case")]
pub enum Scope {
    /// All that the keeper does.
    Keeper,
    /// What it does for one position.
    Position {
        /// Which.
        #[serde(with = "text")]
        position: Pubkey,
    },
}

/// A person's word, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Its number: from the same series as those of intents.
    pub id: u64,
    /// When it was given, Unix seconds.
    pub secs: i64,
    /// About what.
    #[serde(flatten)]
    pub scope: Scope,
    /// What was asked for.
    pub mode: Verb,
    /// Why.
    pub note: String,
    /// By which way: `dashboard`, `cli`, `file`, `flags`.
    pub by: String,
    /// When it ends by itself, Unix seconds; `None`: when somebody says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_secs: Option<i64>,
}

/// An action that was signed before and cannot be called back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// Number of its intent.
    pub id: u64,
    /// The position.
    #[serde(with = "text")]
    pub position: Pubkey,
    /// What it does.
    pub action: ActionKind,
    /// Its transaction.
    #[serde(with = "text")]
    pub signature: Signature,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The override.
    #[serde(flatten)]
    pub entry: Override,
    /// What was in flight when it was journaled and may land yet.
    #[serde(default)]
    pub in_flight: Vec<InFlight>,
}

/// What is journaled: the answer, and what it answers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverrideRecord {
    /// The answer.
    #[serde(flatten)]
    pub applied: Applied,
    /// The request's idempotency key: the same key has the same answer for a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}
