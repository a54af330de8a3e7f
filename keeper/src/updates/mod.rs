//! Prices before they are on chain: signed by the oracle's guardians, handed out by a service, and good to be posted by whoever
//! wants to act on them.
//!
//! 1. [`PriceUpdates`] is a service; [`Hermes`] is Pyth's own.
//! 2. [`watch`] asks it again and again, so that the [book](crate::book) knows newer prices than the price accounts hold.
//! 3. [`Poster`] posts them when an action needs a younger price than those accounts hold.
//!
//! A service is trusted as much as a node is: what it says decides what is tried. What is done on chain is done at prices whose
//! signatures the chain has checked.

mod cache;
mod error;
mod hermes;
mod poster;
mod signed;
mod watch;

use async_trait::async_trait;

pub use cache::Pair;
pub use error::UpdatesError;
pub use hermes::Hermes;
pub use poster::{Occasion, PostError, Posted, Poster};
pub use signed::{FeedId, SignedPrice, read_updates};
pub use watch::watch;

/// A service that hands out signed prices.
#[async_trait]
pub trait PriceUpdates: Send + Sync {
    /// Name for messages, without credentials.
    fn label(&self) -> String;

    /// The newest price of each feed, in the order of the feeds. Implementations bound the call in time and in bytes.
    async fn latest(&self, feeds: &[FeedId]) -> Result<Vec<SignedPrice>, UpdatesError>;
}
