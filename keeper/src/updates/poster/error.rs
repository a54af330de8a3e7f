//! Why prices were not posted.

use std::time::Duration;

use ballast_client::{
    ChainError, Failure, Pubkey, SendError, SignError, Signature, posting::PostingError,
};
use thiserror::Error;

use crate::{execute::Spent, journal::JournalError, updates::UpdatesError};

/// Why prices were not posted.
#[derive(Debug, Error)]
pub enum PostError {
    /// The service gave none.
    #[error(transparent)]
    Updates(#[from] UpdatesError),
    /// The cluster does not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The receiver cannot be used.
    #[error("{receiver} is no Pyth receiver that prices can be posted through: {reason}")]
    Receiver {
        /// Its address.
        receiver: Pubkey,
        /// What is wrong with it.
        reason: String,
    },
    /// The instructions cannot be built.
    #[error(transparent)]
    Posting(#[from] PostingError),
    /// A transaction could not be prepared.
    #[error(transparent)]
    Send(#[from] SendError),
    /// A transaction failed.
    #[error("posting a price failed: {0} (transaction {1})")]
    Failed(Box<Failure>, Signature),
    /// A transaction was not seen in time.
    #[error("posting a price took too long (transaction {0})")]
    Late(Signature),
    /// Nobody signs.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// It would cost more than may be spent.
    #[error(transparent)]
    Spent(#[from] Spent),
    /// What cannot be written down is not done.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The keeper was told to send nothing, or something urgent is to be posted first.
    #[error("posting a price was broken off before all of it was sent: {0}")]
    BrokenOff(&'static str),
    /// It has failed just now.
    #[error("posting a price has just failed; it is tried again in {} s", .0.as_secs() + 1)]
    Pausing(Duration),
}
