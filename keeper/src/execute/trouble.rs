//! Why nothing was sent.

use ballast_client::{ChainError, SendError, lookup_table::LookupTableError};
use ballast_strategy::situation::SituationError;
use thiserror::Error;

use super::{Spent, Unbacked, ViewError};
use crate::{
    journal::JournalError,
    shards::NotNow,
    updates::{PostError, UpdatesError},
};

/// Why nothing was sent.
#[derive(Debug, Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    View(#[from] ViewError),
    #[error(transparent)]
    Situation(#[from] SituationError),
    #[error(transparent)]
    Send(#[from] SendError),
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Spent(#[from] Spent),
    #[error("nobody to sign with: set keypair, or [signer]")]
    NoKey,
    #[error(transparent)]
    Tables(#[from] LookupTableError),
    #[error(transparent)]
    Updates(#[from] UpdatesError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Lease(#[from] NotNow),
    #[error(transparent)]
    Unbacked(#[from] Unbacked),
    #[error(
        "the band {lower} to {upper} needs tick arrays that do not exist: set automation.create_tick_arrays, or create them"
    )]
    NoTickArrays { lower: i32, upper: i32 },
}
