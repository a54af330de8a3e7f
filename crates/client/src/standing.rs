//! Whether a transaction that was in a confirmed block still stands, by one node.
//!
//! That a node knows nothing of it says something only if the node would know of that block. Of which blocks it knows is remembered for a
//! while, and each question of it is tried on its own: who answers few has not to answer several in a row.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::join;
use solana_sdk::signature::Signature;
use tokio::time::Instant;

use crate::chain::{Chain, ChainError, Confirmation, Standing, TransactionStatus};

/// So long a node is believed to keep the blocks that it said it keeps. Nobody sets one up anew from a snapshot in less.
const REMEMBERED_FOR: Duration = Duration::from_secs(60);

/// What a node said, and when.
#[derive(Clone, Copy, Debug)]
struct Told {
    slot: u64,
    at: Instant,
}

impl Told {
    fn now(slot: u64) -> Self {
        let at = Instant::now();
        Self { slot, at }
    }

    fn lately(&self) -> Option<u64> {
        (self.at.elapsed() < REMEMBERED_FOR).then_some(self.slot)
    }
}

/// Of which blocks a node knows.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// As far as it had come.
    reached: Option<Told>,
    /// The lowest that it keeps.
    first: Option<Told>,
    /// The block height that it has reached.
    height: Option<Told>,
}

impl Kept {
    /// It told its block height.
    pub fn tells_height(&mut self, height: u64) {
        self.height = Some(Told::now(height));
    }

    /// The block height that it told lately.
    pub fn height(&self) -> Option<u64> {
        self.height.and_then(|told| told.lately())
    }

    fn reached(&self) -> Option<u64> {
        self.reached.and_then(|told| told.lately())
    }

    fn first(&self) -> Option<u64> {
        self.first.and_then(|told| told.lately())
    }

    /// Whether it would know of what is in a block of this slot; `None`: it has to be asked.
    fn knows(&self, slot: u64) -> Option<bool> {
        let keeps = self.first()? <= slot;
        match keeps {
            true => (slot <= self.reached()?).then_some(true),
            false => Some(false),
        }
    }
}

pub(crate) fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    // Every change of it is whole.
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What one node says of a transaction that was in a confirmed block of this slot.
pub(crate) async fn ask<C: Chain + ?Sized>(
    chain: &C,
    kept: &Mutex<Kept>,
    signature: &Signature,
    slot: u64,
) -> Result<Standing, ChainError> {
    // Before the status: what came into a block up to where it had come is in it.
    let knew = lock(kept).knows(slot);
    let status = told_of(chain, signature).await;
    if let Ok(Some(status)) = &status {
        return Ok(by_status(status, slot));
    }
    match (knew, status) {
        (Some(true), status) => status.map(|_| Standing::Gone),
        (Some(false), status) => status.map(|_| Standing::Unknown),
        (None, status) => {
            // Also where the status was not told: what is told now is known the next time.
            let learned = learn(chain, kept, slot).await;
            if lock(kept).knows(slot) == Some(true) {
                return Ok(match told_of(chain, signature).await? {
                    Some(status) => by_status(&status, slot),
                    None => Standing::Gone,
                });
            }
            status.and(learned).map(|()| Standing::Unknown)
        }
    }
}

/// What is known of it, in history as well, if the node has one.
async fn told_of<C: Chain + ?Sized>(
    chain: &C,
    signature: &Signature,
) -> Result<Option<TransactionStatus>, ChainError> {
    match chain.status(signature, true).await {
        // It may know of it lately nevertheless; that it does not says nothing.
        Err(refused @ ChainError::Refused { .. }) => {
            let lately = chain.status(signature, false).await?;
            lately.map(Some).ok_or(refused)
        }
        told => told,
    }
}

/// Asks for what is not known of its blocks. What is told of one counts also where the other is not.
async fn learn<C: Chain + ?Sized>(
    chain: &C,
    kept: &Mutex<Kept>,
    slot: u64,
) -> Result<(), ChainError> {
    let (needs_reached, needs_first) = {
        let kept = lock(kept);
        let is_short = kept.reached().is_none_or(|reached| reached < slot);
        (is_short, kept.first().is_none())
    };
    let reached = async {
        if needs_reached {
            let told = chain.slot().await?;
            lock(kept).reached = Some(Told::now(told));
        }
        Ok(())
    };
    let first = async {
        if needs_first {
            // Who does not say keeps none that is known.
            let told = chain.first_available_slot().await?.unwrap_or(u64::MAX);
            lock(kept).first = Some(Told::now(told));
        }
        Ok(())
    };
    let (reached, first) = join(reached, first).await;
    reached.and(first)
}

/// What a node's status says of a transaction that was in a block of this slot. Another block counts once that is confirmed.
fn by_status(status: &TransactionStatus, slot: u64) -> Standing {
    match (status.slot == slot, status.confirmation) {
        (_, Confirmation::Processed) => Standing::Unknown,
        (true, Confirmation::Confirmed) => Standing::Stands,
        (true, Confirmation::Finalized) => Standing::Final,
        (false, _) => Standing::Gone,
    }
}
