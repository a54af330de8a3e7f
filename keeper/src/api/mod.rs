//! The keeper over HTTP: the page, `/api/v1`, the stream of events, overrides, `/healthz`, `/readyz`, `/metrics`.
//!
//! Answers come from a [`scene`]: an immutable picture of what the engine knew at one moment, with what people, journal, flags and
//! history say beside it. Readers take no lock of the engine, and the server has a thread of its own, so that they cannot keep
//! it from its work.
//!
//! - [`guard`] says who may call: every request, before anything else of it is looked at.
//! - [`route`] finds the answer, [`reads`] and [`writes`] make it; [`problem`] is what a refusal looks like.
//! - [`stream`] carries ticks, actions and overrides.
//! - [`beside`] is what others implement: flags, history.

mod actions;
pub mod beside;
pub mod browser;
mod files;
mod guard;
mod hedge;
mod metrics;
mod problem;
mod reads;
mod route;
mod scene;
mod server;
#[cfg(test)]
mod size_tests;
mod stream;
mod timed;
mod token;
mod writes;

use std::sync::Arc;

use ballast_client::{BundleLane, RpcChain};
use solana_sdk::hash::Hash;

pub use beside::{Flags, Nobody, Past};
pub use server::{Server, ServerError};
pub use token::{Token, TokenError};

use crate::{
    config::Config, control::Control, hedge::HedgeWatch, journal::Feed, picture::Pictures,
    shards::Shards,
};

/// Time between two ticks of the stream.
pub const HEARTBEAT_MS: u64 = 1_000;

/// What answers are made of.
#[derive(Clone)]
pub struct Sources {
    /// The configuration.
    pub config: Arc<Config>,
    /// Which cluster it is.
    pub genesis_hash: Hash,
    /// All that the engine knows.
    pub pictures: Pictures,
    /// What people say.
    pub control: Control,
    /// What is journaled.
    pub feed: Feed,
    /// What the history keeps.
    pub past: Arc<dyn Past>,
    /// What the flags say.
    pub flags: Arc<dyn Flags>,
    /// The hedge at a venue; `None`: there is none.
    pub hedge: Option<HedgeWatch>,
    /// Whose positions are, where several keepers are a group.
    pub shards: Shards,
    /// The block engine; `None`: there is none.
    pub bundles: Option<Arc<BundleLane>>,
    /// Nodes whose requests are counted.
    pub nodes: Vec<RpcChain>,
}
