//! Why a keeper does not start, or stops.

use std::path::PathBuf;

use ballast_client::{ChainError, MarketError};
use solana_sdk::pubkey::Pubkey;
use thiserror::Error;

use crate::{
    api::ServerError, config::ConfigError, engine::EngineError, hedge::DeskError,
    journal::JournalError, key_file::KeyFileError, updates::UpdatesError,
};

fn list(addresses: &[Pubkey]) -> String {
    let all: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    all.join(", ")
}

/// Why the keeper did not start, or stopped other than on request.
#[derive(Debug, Error)]
pub enum KeeperError {
    /// The configuration is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The nodes are of different clusters.
    #[error(
        "{node} belongs to another cluster than {first}: nodes.more_rpc_urls are other nodes of the cluster of rpc_url"
    )]
    OtherCluster {
        /// Which node.
        node: String,
        /// The one before it.
        first: String,
    },
    /// The keypair file cannot be used.
    #[error(
        "keypair {path}: {reason}; it must be a JSON array of 64 bytes, as `solana-keygen new` writes it"
    )]
    Keypair {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Others may read the keypair file.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The service manager's socket cannot be used.
    #[error("NOTIFY_SOCKET: {0}; start the keeper without it, or mend the unit (Type=notify)")]
    Supervisor(std::io::Error),
    /// A tip would be given away.
    #[error(
        "bundles.tip_accounts names {account}, which is not the engine's: name some of {}", list(.named)
    )]
    TipAccount {
        /// Which.
        account: Pubkey,
        /// Those of the engine.
        named: Vec<Pubkey>,
    },
    /// The file with the token of the streaming service cannot be read.
    #[error(
        "feed.grpc_token {path}: {source}; write the token that the service gave you into that file"
    )]
    FeedToken {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The node does not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The node does not tell which cluster it belongs to.
    #[error("the node does not tell which cluster it belongs to: {0}")]
    Genesis(ChainError),
    /// The node does not tell what became of transactions.
    #[error(
        "the node does not tell what became of transactions ({reason}), without which active mode would do things twice: \
         use a node that answers getSignatureStatuses as rpc_url, or set mode = \"observe\""
    )]
    NoStatuses {
        /// What it said.
        reason: String,
    },
    /// The node does not search for positions.
    #[error(
        "the node does not search for positions ({reason}), so that the keeper would not know whom to look after: use a \
         node that answers getProgramAccounts for program {program} as rpc_url (many public ones do not)",
        program = ballast::ID
    )]
    NoSearch {
        /// What it said.
        reason: String,
    },
    /// No market is left.
    #[error(
        "no market is left to look after: the pools of all of them are of programs that pool_programs does not name"
    )]
    NoMarketServed,
    /// The node keeps no history, so that it could not tell whether a transaction expired.
    #[error(
        "the node does not tell what became of older transactions ({reason}), without which active mode cannot act: use a \
         node that keeps transaction history (its option --enable-rpc-transaction-history) as rpc_url, or set mode = \
         \"paper\""
    )]
    NoHistory {
        /// What it said.
        reason: String,
    },
    /// A market cannot be read.
    #[error("market {address}: {source}")]
    Market {
        /// Its address.
        address: Pubkey,
        /// Why.
        source: MarketError,
    },
    /// The price service cannot be used.
    #[error(transparent)]
    Updates(#[from] UpdatesError),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The hedge cannot begin.
    #[error("hedge: {0}")]
    Hedge(#[from] DeskError),
    /// The API cannot be served.
    #[error(transparent)]
    Api(#[from] ServerError),
    /// It stopped while running.
    #[error(transparent)]
    Engine(#[from] EngineError),
}
