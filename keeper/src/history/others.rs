//! Reads what others did to positions: changes that no action of this keeper explains, from the node's transaction history.

use std::{sync::Arc, time::Duration};

use ballast_client::{Chain, ChainError};
use ballast_history::{ActionRow, Unexplained};
use solana_sdk::{pubkey::Pubkey, signature::Signature};
use tokio::{
    sync::{mpsc as asynchronous, watch},
    time::sleep,
};

use super::{Health, Input, backfill::Deeds, queue::Sender};

/// Changes that may wait for the node.
pub(super) const QUEUE: usize = 1_000;
/// Signatures a page, and pages that are read at most for a change.
const PAGE: usize = 50;
const PAGES: usize = 20;
/// Pause between two questions.
const PAUSE: Duration = Duration::from_millis(200);
/// Pauses after questions that were not answered; then the change stays unread.
const RESTS_SECS: [u64; 3] = [5, 15, 60];

/// Reads changes for ever, one after the other.
pub(super) async fn run(
    chain: Arc<dyn Chain>,
    mut asked: asynchronous::Receiver<Unexplained>,
    sender: Sender,
    health: watch::Sender<Health>,
) {
    while let Some(change) = asked.recv().await {
        match patiently(chain.as_ref(), &change).await {
            Some(rows) if !rows.is_empty() => sender.hand_over(Input::Others(rows)).await,
            Some(_) => {}
            None => health.send_modify(|health| health.unread_changes += 1),
        }
    }
}

async fn patiently(chain: &dyn Chain, change: &Unexplained) -> Option<Vec<ActionRow>> {
    for rest_secs in RESTS_SECS {
        if let Ok(read) = read(chain, change).await {
            return read;
        }
        sleep(Duration::from_secs(rest_secs)).await;
    }
    None
}

/// What was done between the two slots; `None`: the node does not have all of it.
pub(super) async fn read(
    chain: &dyn Chain,
    change: &Unexplained,
) -> Result<Option<Vec<ActionRow>>, ChainError> {
    let Ok(position) = change.position.parse::<Pubkey>() else {
        return Ok(None);
    };
    let mut rows = Vec::new();
    let mut before: Option<Signature> = None;
    for _ in 0..PAGES {
        sleep(PAUSE).await;
        let page = chain.history(&position, before.as_ref(), PAGE).await?;
        let Some(page) = page.filter(|page| !page.is_empty()) else {
            return Ok(None);
        };
        for past in page {
            if past.slot <= change.after_slot {
                return Ok(Some(rows));
            }
            before = Some(past.signature);
            if past.failed || past.slot > change.to_slot {
                continue;
            }
            sleep(PAUSE).await;
            match Deeds::read(chain, &position, &past).await? {
                Some(deeds) if !deeds.cut => rows.extend(deeds.rows),
                _ => return Ok(None),
            }
        }
    }
    Ok(None)
}
