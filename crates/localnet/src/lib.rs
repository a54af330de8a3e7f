//! Clusters on this machine, for tests and the demo; never part of the product.
//!
//! - [`Svm`]: the runtime alone, in process, no RPC. A block per transaction; the clock moves only when told to.
//! - [`EmbeddedNode`]: a node in process with real JSON-RPC and websockets, offline.
//! - [`TestValidator`]: a `solana-test-validator` process.
//!
//! All three are a [`Localnet`], so that a [`World`] (mints, pool, liquidity, prices, a market with lenders, traders) is set
//! up and driven by the same code on each. Beside them, [`HermesServer`] hands out prices before they are on chain, and
//! [`Devnet`] has what a validator needs to be taken for devnet.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod branches;
mod devnet;
mod embedded;
mod hermes;
pub mod keys;
mod localnet;
mod price;
mod process;
mod programs;
mod relocated;
mod svm;
mod validator;
mod world;

pub use branches::BranchSide;
pub use devnet::Devnet;
pub use embedded::EmbeddedNode;
pub use hermes::{HermesAnswer, HermesServer};
pub use localnet::{Endpoints, Localnet, LocalnetExt};
pub use price::UsdPrice;
pub use process::Process;
pub use programs::{Program, Programs, deploy_directory};
pub use svm::{Saved, Svm};
pub use validator::TestValidator;
pub use world::{
    Ground, PROTOCOL_FEE_RATE_BPS, PricePost, QUOTE_PRICE, Trader, World, WorldConfig,
};
