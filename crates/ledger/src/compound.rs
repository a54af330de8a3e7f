//! Putting fees to work.

use ballast_clmm::{Amounts, SqrtPrice};
use ballast_model::{Bps, ModelError, Position, liquidity_for_value_down, worth_down};

use crate::{
    Ledger, LedgerError, grow,
    grow::{leveraged_down, within_band},
    settle,
};

/// What a market and an owner let a keeper grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrowthLimits {
    /// Base debt over the pool's base.
    pub hedge: Bps,
    /// Hedge error, of the full base amount, beyond which nothing grows.
    pub delta_band: Bps,
    /// Assets below which nothing grows, raw quote units: nobody would be paid to liquidate it.
    pub min_value: u64,
    /// Assets beyond which nothing grows.
    pub max_value: u64,
}

impl GrowthLimits {
    /// Value by which a position's liquidity may be increased, raw quote units.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn room_down(&self, position: &Position, at: SqrtPrice) -> Result<u128, ModelError> {
        let error = position.hedge_error(at, self.hedge)?;
        let assets = position.value(at)?.assets;
        let grows =
            within_band(position, error, self.delta_band)? && assets >= u128::from(self.min_value);
        let room = u128::from(self.max_value).saturating_sub(assets);
        Ok(if grows { room } else { 0 })
    }
}

/// How fees are put to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompoundTerms {
    /// The oracle's price.
    pub oracle: SqrtPrice,
    /// The owner's leverage.
    pub leverage: Bps,
    /// What may grow; `None`: the fees only repay.
    pub grows: Option<GrowthLimits>,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compounded {
    /// The fees.
    pub fees: Amounts,
    /// Liquidity added.
    pub liquidity: u128,
}

/// Collects the fees that are booked and repays with them. Where there is room, and `may_grow` finds nothing against it, liquidity
/// is added, at most so much that assets grow by the fees times the leverage. No swap.
///
/// # Errors
/// Those of [`Ledger::collect`], [`grow()`] and `may_grow`.
pub fn compound<L: Ledger>(
    ledger: &mut L,
    terms: &CompoundTerms,
    may_grow: impl FnOnce(&L) -> Result<(), L::Error>,
) -> Result<Compounded, L::Error> {
    let fees = ledger.collect()?;
    settle(ledger)?;
    let mut liquidity = 0;
    if let Some(limits) = terms.grows {
        let position = ledger.position()?;
        let room = limits.room_down(&position, terms.oracle);
        let room = room.map_err(LedgerError::from)?;
        if room > 0 {
            may_grow(ledger)?;
            let worth = worth_down(fees, terms.oracle).map_err(LedgerError::from)?;
            let value = leveraged_down(worth, terms.leverage)?.min(room);
            let most = liquidity_for_value_down(&position.band, value, ledger.pool_price()?);
            liquidity = grow(ledger, terms.leverage, most.map_err(LedgerError::from)?)?;
        }
    }
    Ok(Compounded { fees, liquidity })
}
