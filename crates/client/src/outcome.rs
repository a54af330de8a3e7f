//! What became of a transaction.

use solana_sdk::signature::Signature;
use thiserror::Error;

use crate::{chain::ChainError, event::BallastEvent, failure::Failure, transaction::BuildError};

/// What became of a transaction.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// In a confirmed block, successfully.
    Landed {
        /// Slot of the block.
        slot: u64,
    },
    /// In a confirmed block, without effect but for the fee.
    Failed {
        /// Slot of the block.
        slot: u64,
        /// Why.
        failure: Failure,
    },
    /// Its blockhash has been too old for [`EXPIRY_MARGIN`](crate::EXPIRY_MARGIN) blocks: it has not landed and never will.
    Expired,
    /// Not seen until the deadline, although its blockhash may still be good: it may land yet. Do not sign another one for
    /// the same purpose before it has expired.
    Dropped {
        /// The last trouble with the node, if there was any.
        last_error: Option<ChainError>,
    },
}

/// A transaction that landed successfully.
#[derive(Debug)]
pub struct Receipt {
    /// Its signature.
    pub signature: Signature,
    /// Slot of its block.
    pub slot: u64,
    /// Compute units that it used, if the node says.
    pub units: Option<u64>,
    /// Log lines; empty if the node does not have them yet.
    pub logs: Vec<String>,
    /// The program's events in the logs.
    pub events: Vec<BallastEvent>,
}

/// What a simulation has shown.
#[derive(Debug)]
pub struct Rehearsed {
    /// Compute units that it would use.
    pub units: u64,
    /// The program's events that it would have.
    pub events: Vec<BallastEvent>,
}

/// Why a transaction was not prepared or did not land.
#[derive(Debug, Error)]
pub enum SendError {
    /// It cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The cluster did not answer while it was prepared; nothing was sent.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// It would fail; nothing was sent.
    #[error("{0}")]
    Refused(Box<Failure>),
    /// It landed and failed.
    #[error("{failure} (transaction {signature})")]
    Failed {
        /// Its signature.
        signature: Signature,
        /// Why.
        failure: Box<Failure>,
    },
    /// It did not land and never will.
    #[error("transaction {0} expired before it landed: send again")]
    Expired(Signature),
    /// Not seen until the deadline.
    #[error(
        "transaction {signature} was not seen in time and may land yet, up to block height {last_valid_block_height}: \
         before you send again see what becomes of it with `ballast tx {signature} --last-valid \
         {last_valid_block_height} --wait`"
    )]
    Dropped {
        /// Its signature.
        signature: Signature,
        /// Up to which block height it may land.
        last_valid_block_height: u64,
        /// The last trouble with the node, if there was any.
        last_error: Option<ChainError>,
    },
}

impl SendError {
    /// What a program or the runtime said, in the simulation or on chain.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Refused(failure) | Self::Failed { failure, .. } => Some(failure),
            _ => None,
        }
    }

    /// Whether it failed with this error of the Ballast program.
    pub fn is(&self, error: ballast::errors::BallastError) -> bool {
        self.failure().is_some_and(|failure| failure.is(error))
    }
}
