//! What has to hold before a keeper acts: its node answers everything that it will be asked, and the pools of its markets
//! belong to programs that are trusted.

use std::{sync::Arc, time::Duration};

use ballast_client::{
    Chain, ChainError, EXPIRY_MARGIN, MarketContext, Nodes, Positions, PriceAccounts,
};
use solana_sdk::{pubkey::Pubkey, signature::Signature};
use tokio::time::sleep;

use crate::{
    config::{Config, MarketConfig},
    event::KeeperEvent,
    events::Events,
    keeper::KeeperError,
};

/// Longest life of a blockhash in blocks, and a margin.
const BLOCKHASH_LIFE: u64 = 151 + EXPIRY_MARGIN;
/// How often to look for the status of a transaction that is there: a node behind a balancer may lag.
const LOOKS: u32 = 10;

/// Asks every node everything on which acting depends: what one of them cannot answer, it could not decide together with another. One
/// that does not answer now is warned of, and may answer later.
///
/// # Errors
/// [`KeeperError`], which says what a node lacks and what to do; or that none answers.
pub async fn require_nodes(
    nodes: &Nodes,
    markets: &[MarketConfig],
    pause: Duration,
    events: &Events,
) -> Result<(), KeeperError> {
    // So that each is measured by the others from the first answer on, and nobody is waited for who does not answer at all.
    let silent = match nodes.members() {
        [_] => vec![false],
        _ => nodes
            .survey()
            .await
            .iter()
            .map(|seen| seen.slot.is_none())
            .collect(),
    };
    let any_speaks = silent.contains(&false);
    let mut troubles = Vec::new();
    for (node, silent) in nodes.members().iter().zip(silent) {
        if silent && any_speaks {
            troubles.push(ChainError::Unreachable {
                endpoint: node.label(),
                reason: "it did not tell its slot".into(),
            });
            continue;
        }
        match require_node(node.as_ref(), markets, pause).await {
            Ok(()) => {}
            Err(KeeperError::Chain(trouble)) => troubles.push(trouble),
            Err(error) => return Err(error),
        }
    }
    let all = troubles.len() == nodes.members().len();
    for trouble in troubles {
        if all {
            return Err(trouble.into());
        }
        let message = format!("{trouble}; until it answers it decides nothing");
        events.send(KeeperEvent::Warning { message });
    }
    Ok(())
}

/// Asks a node everything on which acting depends, the way it will be asked.
///
/// # Errors
/// [`KeeperError`], which says what the node lacks and what to do.
pub async fn require_node(
    chain: &dyn Chain,
    markets: &[MarketConfig],
    pause: Duration,
) -> Result<(), KeeperError> {
    let nobodys = Signature::default();
    refused(chain.status(&nobodys, false).await)?
        .map_or(Ok(()), |reason| Err(KeeperError::NoStatuses { reason }))?;
    refused(chain.status(&nobodys, true).await)?
        .map_or(Ok(()), |reason| Err(KeeperError::NoHistory { reason }))?;
    for market in markets {
        refused(Positions::of_market(chain, &market.address).await)?
            .map_or(Ok(()), |reason| Err(KeeperError::NoSearch { reason }))?;
        require_status_of_newest(chain, &market.address, pause).await?;
    }
    Ok(())
}

/// Why a node refuses, if it does.
fn refused<T>(answer: Result<T, ChainError>) -> Result<Option<String>, ChainError> {
    match answer {
        Ok(_) => Ok(None),
        Err(ChainError::Refused { reason, .. }) => Ok(Some(reason)),
        Err(error) => Err(error),
    }
}

/// Looks up a transaction that has landed. A node that knows nothing of it would have every action taken for expired, and
/// done again.
async fn require_status_of_newest(
    chain: &dyn Chain,
    address: &Pubkey,
    pause: Duration,
) -> Result<(), KeeperError> {
    let newest = match chain.newest_signature(address).await {
        Ok(Some(newest)) => newest,
        // There is none, or the node does not tell: nothing to look up.
        Ok(None) | Err(ChainError::Refused { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for _ in 0..LOOKS {
        if chain.status(&newest, true).await?.is_some() {
            return Ok(());
        }
        sleep(pause).await;
    }
    let reason =
        format!("it lists transaction {newest} of market {address}, but knows no status of it");
    Err(KeeperError::NoStatuses { reason })
}

/// Why a market is left out: its pool is of a program that the configuration does not trust.
pub fn untrusted(config: &Config, market: &MarketContext) -> Option<String> {
    let (address, program) = (market.address, market.market.whirlpool_program);
    (!config.pool_programs.contains(&program)).then(|| {
        format!(
            "market {address} is skipped: its pool is of program {program}, which pool_programs does not name; add it only if \
             you trust that program's code, which would run in transactions that this keeper signs"
        )
    })
}

/// Reads the markets of a configuration. Those of pool programs that are not trusted are left out, with a warning.
///
/// # Errors
/// [`KeeperError::Market`], [`KeeperError::NoMarketServed`].
pub async fn markets(
    chain: &dyn Chain,
    config: &Config,
    events: &Events,
) -> Result<Vec<Arc<MarketContext>>, KeeperError> {
    let mut served = Vec::with_capacity(config.markets.len());
    for market in &config.markets {
        let address = market.address;
        let prices = PriceAccounts {
            base: market.base_price,
            quote: market.quote_price,
        };
        let context = MarketContext::load(chain, address, prices).await;
        let context = context.map_err(|source| KeeperError::Market { address, source })?;
        match untrusted(config, &context) {
            None => served.push(Arc::new(context)),
            Some(message) => events.send(KeeperEvent::Warning { message }),
        }
    }
    if served.is_empty() {
        return Err(KeeperError::NoMarketServed);
    }
    Ok(served)
}

/// Returns when no transaction can land any more that was signed before the call.
pub async fn outlive_blockhashes(chain: &dyn Chain, pause: Duration) {
    let mut until = None;
    loop {
        if let Ok(height) = chain.block_height().await {
            let until = *until.get_or_insert(height.saturating_add(BLOCKHASH_LIFE));
            if height > until {
                return;
            }
        }
        sleep(pause).await;
    }
}
