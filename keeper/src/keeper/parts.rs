//! What a keeper is made of.

use std::{path::PathBuf, sync::Arc};

use ballast_client::{Chain, Lane, RpcChain, TransactionSigner};
use ballast_feed::Feed;
use solana_sdk::hash::Hash;

use crate::{
    config::Config, control::SystemClock, hedge, journal::Storage, shards::table,
    supervisor::Supervisor,
};

/// What a keeper is made of. [`crate::Keeper::connect`] makes it from a configuration; tests bring their own.
pub struct Parts {
    /// The configuration.
    pub config: Config,
    /// The cluster.
    pub chain: Arc<dyn Chain>,
    /// Which cluster that is: a journal is of one cluster.
    pub genesis_hash: Hash,
    /// Who signs; may be missing in observe mode.
    pub signer: Option<Arc<dyn TransactionSigner>>,
    /// More nodes that are asked and sent to, and by two of which it is decided what became of a transaction.
    pub more_nodes: Vec<Arc<dyn Chain>>,
    /// Streams, in the order in which they are tried; empty: polls only.
    pub feeds: Vec<Arc<dyn Feed>>,
    /// Where the journal is; `None`: in the configured directory.
    pub storage: Option<Box<dyn Storage>>,
    /// Where files that halt it are looked for; `None`: nowhere.
    pub halt_dir: Option<PathBuf>,
    /// `None`: the system's.
    pub clock: Option<SystemClock>,
    /// Other nodes, which are asked for their slot only.
    pub other_nodes: Vec<Arc<dyn Chain>>,
    /// In place of what the configuration's hedge names.
    pub hedge: hedge::Tools,
    /// Where leases on shards are; `None`: where the configuration says, if it does.
    pub leases: Option<table::Connect>,
    /// In place of the nodes, and of the block engine that the configuration names.
    pub lane: Option<Arc<dyn Lane>>,
    /// Nodes whose requests are counted for the metrics.
    pub meters: Vec<RpcChain>,
    /// Who wants to be told that the keeper runs; `None`: nobody.
    pub supervisor: Option<Supervisor>,
}
