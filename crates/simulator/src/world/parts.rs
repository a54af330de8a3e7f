//! How a world begins, and why it may end early.

use ballast::state::Position as Stored;
use ballast_clmm::{Amounts, Side};
use ballast_ledger::LedgerError;
use ballast_model::{Bps, ModelError, lending::LendingError};
use ballast_snapshot::{MarketSnapshot, SnapshotError};
use ballast_strategy::situation::{Economics, SituationError};
use thiserror::Error;

use crate::{
    PerpAccount, Units,
    ticks::{TickPool, TickPoolError},
};

/// Why a world ends early.
#[derive(Debug, Error)]
pub enum WorldError {
    /// Numbers that contradict each other.
    #[error(transparent)]
    Situation(#[from] SituationError),
    /// Numbers of a market that contradict each other.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// What an owner wants, and cannot.
    #[error(transparent)]
    Owner(#[from] crate::SimulationError),
    /// A number out of range.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The pool.
    #[error(transparent)]
    Pool(#[from] TickPoolError),
    /// A reserve.
    #[error("reserve: {0}")]
    Lending(#[from] LendingError),
    /// An action.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// More base would have to be bought than own funds pay for.
    #[error(
        "own funds do not pay for the base that hedge {hedge} leaves unborrowed: raise the hedge or lower the leverage"
    )]
    HedgeTooLow {
        /// The hedge.
        hedge: Bps,
    },
    /// The ledger and the pool have counted differently.
    #[error("tokens are not conserved: {before:?} became {after:?} (base, quote)")]
    NotConserved {
        /// All tokens at the start.
        before: [i128; 2],
        /// All tokens now.
        after: [i128; 2],
    },
}

/// A position in a world.
#[derive(Clone, Debug)]
pub struct Held {
    /// What it is called.
    pub name: String,
    /// As the program stores it.
    pub stored: Stored,
    /// Its seat in the pool.
    pub seat: usize,
    /// Whether a keeper looks after it.
    pub kept: bool,
}

/// Somebody who lends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lender {
    /// What he is called.
    pub name: String,
    /// Which reserve.
    pub side: Side,
    /// Shares of it.
    pub shares: u64,
}

/// How a world begins.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The tokens' decimals.
    pub units: Units,
    /// Market, reserves and prices; the pool in it is seen anew from `pool`.
    pub market: MarketSnapshot,
    /// The pool, with everybody's liquidity.
    pub pool: TickPool,
    /// The positions.
    pub positions: Vec<Held>,
    /// Seats of others.
    pub others: Vec<usize>,
    /// Lenders of both reserves.
    pub lenders: Vec<Lender>,
    /// What liquidators can bring.
    pub liquidators: Amounts,
    /// What the book holds at a perp venue.
    pub perp: Option<PerpAccount>,
    /// What keepers take recentering and compounding to be worth.
    pub economics: Economics,
}
