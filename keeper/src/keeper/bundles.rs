//! The block engine of a configuration.

use std::sync::Arc;

use ballast_client::{BundleLane, Chain, Fallback, FallbackReason, OnFallback};

use super::KeeperError;
use crate::{config::Config, event::KeeperEvent, events::Events};

/// The engine that a configuration names, with these nodes behind it.
pub(super) fn lane(
    config: &Config,
    chain: Arc<dyn Chain>,
    events: &Events,
) -> Option<Arc<BundleLane>> {
    let events = events.clone();
    let on_fallback: OnFallback = Arc::new(move |fallback: &Fallback| {
        // Why it rests was told when it began to.
        if fallback.why != FallbackReason::Resting {
            let Fallback {
                engine,
                signature,
                why,
            } = fallback;
            let message = format!(
                "transaction {signature} goes to the nodes, not as a bundle through {engine}: {why}"
            );
            events.send(KeeperEvent::Warning { message });
        }
    });
    let engine = config.bundles.engine()?;
    Some(Arc::new(BundleLane::new(engine, chain, Some(on_fallback))))
}

/// Compares the configured accounts for tips with those that the engine names: what is paid to another is given away. An engine that does
/// not answer now may answer later.
///
/// # Errors
/// [`KeeperError::TipAccount`].
pub(super) async fn require_tip_accounts(
    config: &Config,
    lane: &BundleLane,
    events: &Events,
) -> Result<(), KeeperError> {
    let named = match lane.engines_tip_accounts().await {
        Ok(named) => named,
        Err(error) => {
            let message = format!(
                "the block engine does not say of which accounts it takes tips ({error}): those of bundles.tip_accounts are used unseen"
            );
            events.send(KeeperEvent::Warning { message });
            return Ok(());
        }
    };
    let mut configured = config.bundles.tip_accounts.iter();
    match configured.find(|account| !named.contains(account)) {
        None => Ok(()),
        Some(account) => Err(KeeperError::TipAccount {
            account: *account,
            named,
        }),
    }
}
