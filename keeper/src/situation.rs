//! Everything a decision about one position depends on, as values of one moment.

use ballast_client::{MarketSnapshot, Position, Reserve, SnapshotError};
use ballast_model::{
    Amounts, ModelError, Position as PositionModel, Side, SqrtPrice, lending::ReserveState,
};
use solana_sdk::pubkey::Pubkey;
use thiserror::Error;

use crate::prices::PriceFault;

/// See the module's description.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// Market, reserves, pool and prices.
    pub market: &'a MarketSnapshot,
    /// The position.
    pub position: &'a Position,
    /// The cluster's clock, Unix seconds; not before the snapshot's.
    pub now_secs: i64,
    /// Newest slot of the data.
    pub slot: u64,
    /// Who would sign.
    pub keeper: Pubkey,
    /// What the signer could pay into a liquidation; `None` if it does not liquidate.
    pub funds: Option<Amounts>,
}

/// Data that contradict each other, so that nothing can be decided.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SituationError {
    /// Ticks, debts or debt shares out of range.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// Amounts out of range.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Published prices that give no square-root price.
    #[error(transparent)]
    Price(#[from] PriceFault),
}

impl Situation<'_> {
    /// A reserve as stored.
    pub fn reserve(&self, side: Side) -> &Reserve {
        self.market.reserve(side)
    }

    /// A reserve with interest booked up to now, as the program does first thing.
    ///
    /// # Errors
    /// [`SituationError::Snapshot`].
    pub fn accrued(&self, side: Side) -> Result<ReserveState, SituationError> {
        Ok(self.market.reserve_at(side, self.now_secs)?)
    }

    /// The position as a value object, debts with interest up to now.
    ///
    /// # Errors
    /// [`SituationError::Snapshot`].
    pub fn model(&self) -> Result<PositionModel, SituationError> {
        Ok(self.market.position(self.position, self.now_secs)?)
    }

    /// The oracle's price, whether or not it may be used.
    ///
    /// # Errors
    /// [`SituationError::Price`].
    pub fn oracle(&self) -> Result<SqrtPrice, SituationError> {
        Ok(self.market.oracle_sqrt_price().map_err(PriceFault::from)?)
    }

    /// Whether the owner lets this keeper act on the policy.
    pub fn allowed_by_owner(&self) -> bool {
        self.keeper == self.position.owner || self.position.policy.keeper_enabled == 1
    }
}
