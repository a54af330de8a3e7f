//! How far the chain is, where one node's word is not enough.

use std::sync::Arc;

use super::Nodes;
use crate::chain::{Chain, ChainError};

/// What two nodes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Confirmed block heights, the higher one first. If one node at most is ahead of the chain, the second has been reached.
    pub heights: [u64; 2],
    /// A slot by which all blocks up to the second height were made.
    pub slot: u64,
}

impl Nodes {
    /// Asks all for height and slot. However long the others have been silent, one alone is not believed.
    ///
    /// # Errors
    /// [`ChainError`], also if fewer than two answer.
    pub async fn reach(&self) -> Result<Reach, ChainError> {
        let question = |index, chain: Arc<dyn Chain>| async move {
            let height = chain.block_height().await?;
            let slot = self.told(index, "getSlot", chain.slot().await?)?;
            Ok((height, slot))
        };
        let answers = self.gather(question, |_| false).await;
        let mut error = None;
        let mut told = Vec::new();
        for answer in answers.into_iter().flatten() {
            match answer {
                Ok(answer) => told.push(answer),
                Err(failed) => error = error.or(Some(failed)),
            }
        }
        told.sort_unstable_by(|a, b| b.cmp(a));
        match told[..] {
            [(first, a), (second, b), ..] => Ok(Reach {
                heights: [first, second],
                slot: a.max(b),
            }),
            _ => Err(error.unwrap_or_else(|| ChainError::Unreachable {
                endpoint: self.label(),
                reason: "fewer than two nodes tell their block height".into(),
            })),
        }
    }
}
