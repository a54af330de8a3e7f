//! Whether several nodes say the same of accounts.

use std::fmt;

use solana_sdk::{account::Account, pubkey::Pubkey};

/// An account as an answer had it.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// Which.
    pub address: Pubkey,
    /// `None`: there is no such account.
    pub account: Option<Account>,
    /// Whether it may change with every slot: that it is another one meanwhile says nothing then.
    pub moves: bool,
}

/// Accounts as an answer had them at one slot.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The slot.
    pub slot: u64,
    /// The accounts.
    pub accounts: Vec<Claimed>,
}

/// What nodes say different things of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The account.
    pub address: Pubkey,
    /// The nodes, by their names for messages.
    pub nodes: Vec<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}", self.address, self.nodes.join(" and by "))
    }
}

/// What several nodes say of a [`Claim`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// Two at least say so.
    Backed,
    /// No other one has said anything of it: it does not answer, or none is configured.
    Alone,
    /// The accounts are others by now: look again.
    Changed,
    /// One says something else. It may be behind or ahead: that is not known yet.
    Unsettled(Difference),
    /// Two at least say something else of the same time, and less say so.
    Outvoted(Difference),
    /// Some say so and as many something else of the same time.
    Disputed(Difference),
}
