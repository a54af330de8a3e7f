//! The price's moving average as a second witness for what takes a position from its owner or money from lenders: a price of
//! one moment is not enough. The keeper decides by the same functions.
//!
//! - **Liquidation**: LTV at the average is at or above the market's target; or LTV at the price is so high, halfway between
//!   maintenance and 100 %, that waiting for the average would cost the lenders. An owner loses to a wick only what stands
//!   that near to insolvency, or what was above the target for long. Nobody has to wait either: from the market's own trigger
//!   on, anyone may deleverage.
//! - **Losses of lenders**: LTV at the average is at or above maintenance. That is asked of writing debt off, of showing a loss,
//!   and of every part of a liquidation of what is insolvent: what such a part leaves is covered at no price, so that after
//!   it nothing would be left to wait for.

use anchor_lang::prelude::*;
use ballast_model::{Bps, Position as PositionModel, Valuation};

use crate::{
    errors::BallastError,
    groups::PriceAccounts,
    math::ToProgramError,
    oracle,
    state::{Limits, Market},
};

/// LTV that a position must have at the average for a loss of its lenders.
pub fn needed_for_loss(limits: &Limits) -> Bps {
    Bps::new(limits.maintenance_ltv_bps)
}

/// LTV that a position must have at the average to be liquidated, given its value at the price; `None`: any.
pub fn needed_to_liquidate(limits: &Limits, value: &Valuation) -> Option<Bps> {
    if value.debt > value.assets {
        return Some(needed_for_loss(limits));
    }
    let halfway = u32::midpoint(limits.maintenance_ltv_bps, Bps::ONE.get());
    (!value.ltv_at_least(Bps::new(halfway))).then(|| Bps::new(limits.target_ltv_bps))
}

/// The average must show an LTV of at least `needed`.
///
/// # Errors
/// [`BallastError::NoSecondWitness`] and those of [`oracle::average_price`].
pub fn require_average(
    market: &Market,
    prices: &PriceAccounts,
    position: &PositionModel,
    needed: Bps,
) -> Result<()> {
    let average = oracle::average_price(market, prices)?;
    let value = position.value(average).or_range()?;
    require!(value.ltv_at_least(needed), BallastError::NoSecondWitness);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deeper_the_less_has_to_be_waited_for_until_lenders_lose() {
        let limits = Limits {
            target_ltv_bps: 6_500,
            maintenance_ltv_bps: 8_000,
            ..bytemuck::Zeroable::zeroed()
        };
        let needed = |assets, debt| needed_to_liquidate(&limits, &Valuation { assets, debt });
        assert_eq!(needed(10_000, 8_000), Some(Bps::new(6_500)));
        assert_eq!(needed(10_000, 8_999), Some(Bps::new(6_500)));
        assert_eq!(needed(10_000, 9_000), None);
        assert_eq!(needed(10_000, 10_000), None);
        assert_eq!(needed(10_000, 10_001), Some(Bps::new(8_000)));
        assert_eq!(needed(0, 1), Some(Bps::new(8_000)));
    }
}
