//! What became of a transaction of which only the signature is known.

use std::time::Duration;

use solana_sdk::signature::Signature;
use tokio::time::sleep;

use crate::{
    chain::{Chain, ChainError, Confirmation, EXPIRY_MARGIN, Expiry, TransactionStatus},
    failure::Failure,
};

/// Blocks in which a transaction can land after its blockhash.
const BLOCKHASH_LIFE: u64 = 150;

/// What became of a transaction.
#[derive(Clone, Debug)]
pub enum Fate {
    /// In a confirmed block, successfully.
    Landed {
        /// Slot of the block.
        slot: u64,
        /// What it logged, if the node has that.
        logs: Vec<String>,
    },
    /// In a confirmed block, without effect but for the fee.
    Failed {
        /// Slot of the block.
        slot: u64,
        /// Why.
        failure: Failure,
    },
    /// In a block that is not confirmed yet.
    Seen {
        /// Slot of the block.
        slot: u64,
    },
    /// In no block, and too old to come into one.
    Expired,
    /// In no block yet.
    Unknown {
        /// Block height now.
        height: u64,
        /// If it is in none of the blocks up to this height, it has expired, whenever it was signed before this was asked.
        certain_above: u64,
    },
}

impl Fate {
    /// Whether it will not change any more.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Landed { .. } | Self::Failed { .. } | Self::Expired
        )
    }
}

/// Looks up what became of a transaction. `last_valid`: up to which block height it can land, if that is known; else the
/// longest time is assumed for which one that is signed now could. Of several nodes two have to say that it has expired.
///
/// # Errors
/// [`ChainError`]; also from nodes that keep no history of transactions, without which expiry cannot be told.
pub async fn fate(
    chain: &dyn Chain,
    signature: &Signature,
    last_valid: Option<u64>,
) -> Result<Fate, ChainError> {
    // Before the status: what lands between the two is in it.
    let height = chain.block_height().await?;
    if let Some(status) = chain.status(signature, true).await? {
        return settled(chain, signature, status).await;
    }
    let last_valid = last_valid.unwrap_or_else(|| height.saturating_add(BLOCKHASH_LIFE));
    let certain_above = last_valid.saturating_add(EXPIRY_MARGIN);
    let unknown = Fate::Unknown {
        height,
        certain_above,
    };
    if height <= certain_above {
        return Ok(unknown);
    }
    match chain.expiry(signature, certain_above).await? {
        Expiry::Expired { .. } => Ok(Fate::Expired),
        Expiry::Landed(status) => settled(chain, signature, status).await,
        Expiry::NotYet | Expiry::Unconfirmed => Ok(unknown),
    }
}

/// As [`fate`], looking again every `pause` until the answer is final. A node that does not answer is asked again.
///
/// # Errors
/// As [`fate`], for the first answer and for refusals.
pub async fn await_fate(
    chain: &dyn Chain,
    signature: &Signature,
    last_valid: Option<u64>,
    pause: Duration,
) -> Result<Fate, ChainError> {
    let mut found = fate(chain, signature, last_valid).await?;
    let last_valid = match found {
        Fate::Unknown { certain_above, .. } => Some(certain_above.saturating_sub(EXPIRY_MARGIN)),
        _ => last_valid,
    };
    while !found.is_final() {
        sleep(pause).await;
        found = match fate(chain, signature, last_valid).await {
            Ok(found) => found,
            Err(ChainError::Unreachable { .. } | ChainError::Busy { .. }) => continue,
            Err(error) => return Err(error),
        };
    }
    Ok(found)
}

async fn settled(
    chain: &dyn Chain,
    signature: &Signature,
    status: TransactionStatus,
) -> Result<Fate, ChainError> {
    let slot = status.slot;
    if status.confirmation < Confirmation::Confirmed {
        return Ok(Fate::Seen { slot });
    }
    let record = chain.transaction(signature).await?;
    let logs = record.map(|record| record.logs).unwrap_or_default();
    Ok(match status.error {
        None => Fate::Landed { slot, logs },
        // The logs name the program that failed.
        Some(error) => Fate::Failed {
            slot,
            failure: Failure::new(error, logs, &[]),
        },
    })
}
