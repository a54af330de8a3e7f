//! Ways of a signed transaction to a block.
//!
//! A lane only hands bytes in. What became of them is what the chain says, whichever lane they took: so nothing changes for the
//! journal, and the same bytes may take several.

mod bundle;
mod tip;

use std::sync::Arc;

use async_trait::async_trait;
use solana_sdk::transaction::VersionedTransaction;

use crate::chain::{Chain, ChainError};
pub use bundle::{BundleConfig, BundleLane, BundleTraffic, Fallback, FallbackReason, OnFallback};
pub use tip::{tip_instruction, tip_lamports};

/// Where signed bytes are handed in.
#[async_trait]
pub trait Lane: Send + Sync {
    /// Name for messages, without credentials.
    fn label(&self) -> String;

    /// Hands a signed transaction in, unchecked. Handing the same bytes in again is harmless.
    async fn submit(&self, transaction: &VersionedTransaction) -> Result<(), ChainError>;
}

/// By the nodes themselves.
#[derive(Clone)]
pub struct PlainLane(Arc<dyn Chain>);

impl PlainLane {
    /// By these nodes.
    pub fn new(chain: Arc<dyn Chain>) -> Self {
        Self(chain)
    }
}

#[async_trait]
impl Lane for PlainLane {
    fn label(&self) -> String {
        self.0.label()
    }

    async fn submit(&self, transaction: &VersionedTransaction) -> Result<(), ChainError> {
        self.0.submit(transaction).await
    }
}
