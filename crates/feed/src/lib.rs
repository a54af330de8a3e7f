//! Streams of accounts: what changes is told as it changes, whichever service tells it.
//!
//! - [`Feed`] is such a service, [`Updates`] one life of its stream. It never begins anew by itself: whoever reads it has to read
//!   everything once more, because nobody knows what was missed.
//! - [`Websocket`] is a node's own stream.
//! - [`Grpc`] is Yellowstone's, which is faster, orders what it tells within a slot and tells which slots are dead.
//! - [`queue`] lies between a connection and its reader: bounded, and what does not fit ends the stream instead of being dropped.
//! - [`Recent`] keeps the order of what came lately, and knows what a dead slot had told.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod error;
mod grpc;
#[cfg(test)]
mod grpc_tests;
pub mod queue;
mod recent;
#[cfg(any(test, feature = "standin"))]
pub mod standin;
mod websocket;

pub use error::FeedError;
pub use grpc::{Grpc, GrpcSeen, KeepAlive, LOOK_WITHIN, Token};
pub use queue::Limits;
pub use recent::Recent;
pub use websocket::Websocket;

use std::time::Duration;

use async_trait::async_trait;
use ballast_client::{Account, Pubkey};

/// How long connecting and subscribing may take.
pub const SUBSCRIBE_WITHIN: Duration = Duration::from_secs(20);

/// What is wanted of one market: some accounts, and all its positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Address of the market.
    pub market: Pubkey,
    /// Accounts by their addresses.
    pub accounts: Vec<Pubkey>,
}

/// What a stream tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// The cluster has come to this slot.
    Slot(u64),
    /// An account is now like this.
    Account {
        /// Of which market.
        market: Pubkey,
        /// Which.
        address: Pubkey,
        /// Since this slot.
        slot: u64,
        /// Higher for what was written later; `None` where the service does not tell.
        write_version: Option<u64>,
        /// How it is.
        account: Account,
    },
    /// What was told of this slot has not happened.
    Dead(u64),
    /// Something that cannot be read.
    Unreadable {
        /// Of which market.
        market: Pubkey,
        /// What is wrong with it.
        reason: String,
    },
}

/// A service that streams accounts at commitment `confirmed`.
#[async_trait]
pub trait Feed: Send + Sync {
    /// Name for messages, without credentials.
    fn label(&self) -> String;

    /// Begins a stream. It tells everything that changes after this has returned.
    ///
    /// # Errors
    /// [`FeedError`], within [`SUBSCRIBE_WITHIN`].
    async fn subscribe(&self, wanted: &[Wanted]) -> Result<Box<dyn Updates>, FeedError>;
}

/// One life of a stream. Dropping it ends the subscription.
#[async_trait]
pub trait Updates: Send {
    /// The next update. Safe to drop before it completes.
    ///
    /// # Errors
    /// [`FeedError`]: the stream has ended, and this is why.
    async fn next(&mut self) -> Result<Update, FeedError>;
}
