//! What is to be done, and what came of it.

use std::sync::Arc;

use ballast_client::MarketContext;
use ballast_model::Amounts;
use ballast_strategy::{decide::ActionKind, situation::Outlook};
use solana_sdk::pubkey::Pubkey;

use super::{FeeAccounts, Fresh};
use crate::journal::{JournalError, Outcome};

/// A position, or a market, that something seems to be due for.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its market.
    pub market: Arc<MarketContext>,
    /// The position; the market's own address for a look at its evidence, its base price account for showing it a price.
    pub position: Pubkey,
    /// Where its fees are to be read.
    pub fees: Option<FeeAccounts>,
    /// What is known beyond accounts.
    pub outlook: Outlook,
    /// Nothing is known to be due: the fees are to be looked at.
    pub survey: bool,
    /// What seems to be due. Anything else is left for another job.
    pub action: ActionKind,
    /// Slot up to which the effects of earlier actions are known.
    pub min_slot: u64,
    /// How often this has been tried before without landing.
    pub attempt: u32,
    /// Whether the last try landed and failed, so that this one is simulated however urgent it is.
    pub has_failed: bool,
}

/// What came of a job or a resumed intent.
#[derive(Debug)]
pub enum Verdict {
    /// At one slot, it was not due, or something stood in the way.
    NotDue,
    /// It would fail; nothing was sent.
    Refused,
    /// Simulated and written down.
    Paper,
    /// A transaction was sent and its outcome is known.
    Resolved(Outcome),
    /// Nothing was sent, because a node did not answer or made no sense.
    Unavailable(String),
    /// Nothing may be done any more.
    Halt(JournalError),
}

/// A verdict with what was seen on the way.
#[derive(Debug)]
pub struct Report {
    /// The market.
    pub market: Pubkey,
    /// The position.
    pub position: Pubkey,
    /// What was to be done.
    pub action: ActionKind,
    /// Whether it was only to be looked at.
    pub survey: bool,
    /// What came of it.
    pub verdict: Verdict,
    /// What was seen before anything was done.
    pub seen: Option<Seen>,
    /// Newest accounts, for the book.
    pub fresh: Option<Fresh>,
}

/// What was seen of a position beyond its own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// At this slot.
    pub slot: u64,
    /// At this time.
    pub at_secs: i64,
    /// Fees that waited.
    pub fees: Option<Amounts>,
    /// The part of them that the pool had booked.
    pub booked_fees: Option<Amounts>,
    /// Lamports for rewards.
    pub reward_lamports: Option<u64>,
}
