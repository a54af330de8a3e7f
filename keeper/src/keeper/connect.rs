//! A keeper from its configuration: the keypair is read, and the nodes are asked which cluster they belong to.

use std::{sync::Arc, time::Duration};

use ballast_client::{Chain, Endpoint, RpcChain, RpcConfig, TransactionSigner};
use ballast_feed::{Feed, Grpc, Token, Websocket};
use futures_util::future::join_all;
use solana_sdk::hash::Hash;

use super::{Keeper, KeeperError, Parts};
use crate::{
    config::{self, Config, Mode, RemoteSigner},
    event::KeeperEvent,
    events::Events,
    hedge,
    key_file::{self, KeyFileError},
    retries,
    supervisor::Supervisor,
};

/// Every request to a node ends after this.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

impl Keeper {
    /// Checks the configuration, reads the keypair and asks the node which cluster it belongs to.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn connect(config: Config) -> Result<Self, KeeperError> {
        config.check()?;
        let events = Events::default();
        let signer = signer(&config, &events)?;
        let supervisor = Supervisor::of_process().map_err(KeeperError::Supervisor)?;
        let feeds = feeds(&config)?;
        let on_retry = || Some(retries::warnings(events.clone()));
        let request = |url: &Endpoint| RpcConfig {
            budget: config.budgets.of(url),
            ..RpcConfig::new(REQUEST_TIMEOUT)
        };
        let node = |url: &Endpoint| RpcChain::with_config(url.clone(), request(url), on_retry());
        let chain = node(&config.rpc_url);
        let more_nodes: Vec<RpcChain> = config.nodes.more_rpc_urls.iter().map(node).collect();
        let genesis_hash = genesis_hash(&chain, &more_nodes, &events).await?;
        let meters = [&chain].into_iter().chain(&more_nodes).cloned().collect();
        let more_nodes = more_nodes
            .into_iter()
            .map(|node| Arc::new(node) as Arc<dyn Chain>)
            .collect();
        let halt_dir = Some(config.journal_dir.clone());
        let other = |url: &Endpoint| {
            // Whether they answer is what they are asked for: no reason to warn.
            let other = RpcChain::with_config(url.clone(), RpcConfig::new(REQUEST_TIMEOUT), None);
            Arc::new(other) as Arc<dyn Chain>
        };
        let other_nodes = config.flags.other_rpc_urls.iter().map(other).collect();
        let parts = Parts {
            config,
            chain: Arc::new(chain),
            more_nodes,
            genesis_hash,
            signer,
            feeds,
            storage: None,
            halt_dir,
            clock: None,
            other_nodes,
            hedge: hedge::Tools::default(),
            leases: None,
            lane: None,
            meters,
            supervisor,
        };
        Ok(Self::with_events(parts, events))
    }
}

/// Who signs: a key in a file, which is its owner's alone, or a service.
fn signer(
    config: &Config,
    events: &Events,
) -> Result<Option<Arc<dyn TransactionSigner>>, KeeperError> {
    if let Some(RemoteSigner(service)) = &config.signer {
        let service = ballast_client::RemoteSigner::new(service.clone());
        return Ok(Some(Arc::new(service)));
    }
    let Some(path) = &config.keypair else {
        return Ok(None);
    };
    match key_file::check(path) {
        Ok(()) => {}
        Err(error @ KeyFileError::Open(_)) if !config.mode.sends() => {
            let message = format!("{error}; with mode = \"{}\" it is refused", Mode::Active);
            events.send(KeeperEvent::Warning { message });
        }
        Err(error) => return Err(error.into()),
    }
    let keypair = solana_sdk::signature::read_keypair_file(path);
    let keypair = keypair.map_err(|error| KeeperError::Keypair {
        path: path.clone(),
        reason: error.to_string(),
    })?;
    Ok(Some(Arc::new(keypair)))
}

/// What streams, in the order in which it is tried.
fn feeds(config: &Config) -> Result<Vec<Arc<dyn Feed>>, KeeperError> {
    if let Some(grpc) = grpc(&config.feed)? {
        return Ok(vec![Arc::new(grpc)]);
    }
    let urls = [&config.ws_url]
        .into_iter()
        .chain(&config.nodes.more_ws_urls);
    let websocket = |url: &Endpoint| Arc::new(Websocket::new(url.clone())) as Arc<dyn Feed>;
    Ok(urls.map(websocket).collect())
}

/// The gRPC service that streams, with its token; `None`: websockets do.
///
/// # Errors
/// [`KeeperError::FeedToken`].
pub fn grpc(feed: &config::Feed) -> Result<Option<Grpc>, KeeperError> {
    let Some(url) = &feed.grpc_url else {
        return Ok(None);
    };
    let token = feed.grpc_token.as_ref().map(|path| {
        let text = std::fs::read_to_string(path).map_err(|source| KeeperError::FeedToken {
            path: path.clone(),
            source,
        });
        text.map(|text| Token::new(&text))
    });
    Ok(Some(Grpc::new(url.clone(), token.transpose()?)))
}

/// Which cluster the nodes belong to. One that does not answer now may answer later; one at least has to.
async fn genesis_hash(
    own: &RpcChain,
    more: &[RpcChain],
    events: &Events,
) -> Result<Hash, KeeperError> {
    let mut told: Option<(String, Hash)> = None;
    let mut troubles = Vec::new();
    let ask = |node: &'_ RpcChain| {
        let node = node.clone();
        async move {
            // Asked first, because its errors are plain.
            let hash = match node.slot().await {
                Ok(_) => node.genesis_hash().await.map_err(KeeperError::Genesis),
                Err(error) => Err(error.into()),
            };
            (node, hash)
        }
    };
    let all = join_all([own].into_iter().chain(more).map(ask)).await;
    for (node, hash) in all {
        match (hash, &told) {
            (Ok(hash), None) => told = Some((node.label(), hash)),
            (Ok(hash), Some((first, other))) if hash != *other => {
                let (node, first) = (node.label(), first.clone());
                return Err(KeeperError::OtherCluster { node, first });
            }
            (Ok(_), Some(_)) => {}
            (Err(error), _) => troubles.push(error),
        }
    }
    let mut troubles = troubles.into_iter();
    match (told, troubles.next()) {
        (None, Some(trouble)) => Err(trouble),
        (None, None) => Ok(Hash::default()),
        (Some((_, hash)), trouble) => {
            for trouble in trouble.into_iter().chain(troubles) {
                let message = trouble.to_string();
                events.send(KeeperEvent::Warning { message });
            }
            Ok(hash)
        }
    }
}
