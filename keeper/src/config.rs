//! Configuration of a keeper: a TOML file, and what the environment and flags lay over it ([`Layers`]). Unknown keys are errors, and every
//! error names the key, where it is, and the fix.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use ballast_abi::clusters;
use ballast_client::Endpoint;
use solana_sdk::pubkey::Pubkey;

mod api;
mod automation;
mod budgets;
mod bundles;
mod check;
mod error;
mod feed;
mod fees;
mod flags;
mod hedge;
mod history;
mod layers;
mod liquidation;
mod malformed;
mod markets;
mod nodes;
mod notify;
mod prices;
mod raw;
mod shards;
mod signer;
mod timing;

pub use api::Api;
pub use automation::Automation;
pub use budgets::Budgets;
pub use bundles::Bundles;
pub use error::ConfigError;
pub use feed::Feed;
pub use fees::Fees;
pub use flags::Flags;
pub use hedge::{Hedge, HedgeLease, HedgeVenue, PaperTerms, Perp};
pub use history::History;
pub use layers::{Layered, Layers, Origin, PREFIX, Setting};
pub use liquidation::Liquidation;
pub use markets::MarketConfig;
pub use nodes::Nodes;
pub use notify::Notify;
pub use prices::Prices;
pub use shards::Shards;
pub use signer::RemoteSigner;
pub use timing::Timing;

pub use crate::control::Mode;

/// A checked configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// JSON-RPC endpoint, `http://` or `https://`.
    pub rpc_url: Endpoint,
    /// Websocket endpoint, `ws://` or `wss://`.
    pub ws_url: Endpoint,
    /// Key that pays and signs, as a file of the usual JSON array. Never read in observe mode if absent.
    pub keypair: Option<PathBuf>,
    /// A service that signs in place of a key in a file.
    pub signer: Option<RemoteSigner>,
    /// What the keeper may do.
    pub mode: Mode,
    /// Directory of the journal; created if missing. One keeper per directory.
    pub journal_dir: PathBuf,
    /// Most actions in flight at a time.
    pub max_in_flight: usize,
    /// Pool programs whose markets are served. Their code runs in transactions that the keeper signs: others' markets are
    /// left alone.
    pub pool_programs: Vec<Pubkey>,
    /// Markets to look after, at least one.
    pub markets: Vec<MarketConfig>,
    /// Intervals.
    pub timing: Timing,
    /// Priority fees.
    pub fees: Fees,
    /// A block engine that takes transactions before the nodes do.
    pub bundles: Bundles,
    /// Whether and with how much the keeper liquidates.
    pub liquidation: Liquidation,
    /// Recentering, compounding and risk stages.
    pub automation: Automation,
    /// What has become of positions.
    pub history: History,
    /// Prices newer than those of the price accounts.
    pub prices: Prices,
    /// Nodes beside that of `rpc_url`.
    pub nodes: Nodes,
    /// How much each node may be asked.
    pub budgets: Budgets,
    /// Which service streams what changes.
    pub feed: Feed,
    /// Red flags and contingency.
    pub flags: Flags,
    /// The hedge on a venue; `None`: positions are hedged on the chain alone.
    pub hedge: Option<Hedge>,
    /// The group of keepers between which positions are shared out; `None`: this one acts for all.
    pub shards: Option<Shards>,
    /// Whom to tell what a person should know.
    pub notify: Notify,
    /// The HTTP interface.
    pub api: Api,
}

/// Orca's pool programs, the upgradeable and the immutable one.
pub const POOL_PROGRAMS: [Pubkey; 2] = [clusters::WHIRLPOOL, clusters::WHIRLPOOL_IMMUTABLE];
/// What a signature costs.
pub(crate) const SIGNATURE_LAMPORTS: u64 = 5_000;

fn invalid(key: impl Into<String>, problem: impl Into<String>, fix: &'static str) -> ConfigError {
    ConfigError::Invalid {
        key: key.into(),
        problem: problem.into(),
        fix,
    }
}

/// What is no address is not repeated: it may be a URL with a key in it.
fn address(key: &str, text: &str) -> Result<Pubkey, ConfigError> {
    Pubkey::from_str(text).map_err(|_| {
        invalid(
            key,
            "is not an address",
            "write a base58 account address of 32 bytes",
        )
    })
}

impl Config {
    /// Reads and checks a file and what the environment lays over it. Relative paths are relative to the file's directory.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Ok(Layers::of(path).with_environment()?.read()?.config)
    }

    /// Parses and checks the text of a configuration alone.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let raw: raw::RawConfig =
            toml::from_str(text).map_err(|error| malformed::explain(text, &error))?;
        raw.read()
    }

    /// Whether there is somebody who signs.
    pub fn signs(&self) -> bool {
        self.keypair.is_some() || self.signer.is_some()
    }

    fn relative_to(mut self, directory: &Path) -> Self {
        self.journal_dir = directory.join(&self.journal_dir);
        self.history.relative_to(directory);
        self.feed.relative_to(directory);
        if let Some(hedge) = &mut self.hedge {
            hedge.relative_to(directory);
        }
        if let Some(signer) = &mut self.signer {
            signer.relative_to(directory);
        }
        self.keypair = self.keypair.map(|keypair| directory.join(keypair));
        self.api.read_token = self.api.read_token.map(|token| directory.join(token));
        self
    }
}

#[cfg(test)]
mod tests;
