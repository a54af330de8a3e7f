//! The price's moving average as a second witness for what takes a position from its owner or money from lenders: a price of
//! one moment is not enough. The keeper decides by the same functions.
//!
//! - **Liquidation**: at maintenance, LTV at the average has to be at or above the market's deleverage trigger. The higher LTV is at the
//!   price the less is asked for, down to the market's target, and from halfway between maintenance and 100 % on nothing, because
//!   waiting for the average would cost the lenders. An owner loses to a wick only what it takes that near to insolvency, or what
//!   should have been deleveraged for long. Meanwhile anyone may deleverage, with a swap too.
//! - **Losses of lenders**: LTV at the average is at or above maintenance. That is asked of writing debt off, and of every part of a
//!   liquidation of what is insolvent: what such a part leaves is covered at no price, so that after it nothing would be left to
//!   wait for. Showing a loss books nothing, and waits for no average.

use anchor_lang::prelude::*;
use ballast_abi::pyth::PriceUpdate;
use ballast_model::{Bps, Position as PositionModel, Valuation};

use crate::{
    errors::BallastError,
    math::ToProgramError,
    oracle,
    state::{Limits, Market},
};

/// LTV that a position must have at the average for a loss of its lenders.
fn needed_for_loss(limits: &Limits) -> Bps {
    Bps::new(limits.maintenance_ltv_bps)
}

/// LTV that a position must have at the average to be liquidated, given its value at the price; `None`: any. Rounded up.
pub fn needed_to_liquidate(limits: &Limits, value: &Valuation) -> Option<Bps> {
    if value.debt > value.assets {
        return Some(needed_for_loss(limits));
    }
    let maintenance = limits.maintenance_ltv_bps;
    let halfway = u32::midpoint(maintenance, Bps::ONE.get());
    if value.ltv_at_least(Bps::new(halfway)) {
        return None;
    }
    // Linear in between. LTV is rounded up, so that a basis point less is above maintenance for certain.
    let above = u64::from(value.ltv_bps_up().saturating_sub(maintenance + 1));
    let falls = limits
        .deleverage_ltv_bps
        .saturating_sub(limits.target_ltv_bps);
    let by = u64::from(falls) * above / u64::from(halfway.saturating_sub(maintenance).max(1));
    let by = u32::try_from(by).unwrap_or(falls).min(falls);
    Some(Bps::new(limits.deleverage_ltv_bps.saturating_sub(by)))
}

/// The same at the price that is used and at the newest that is known: the stricter of both, so that who brings an older price of a
/// wick is spared nothing.
pub fn needed_to_liquidate_at_both(limits: &Limits, values: [&Valuation; 2]) -> Option<Bps> {
    let [one, other] = values.map(|value| needed_to_liquidate(limits, value));
    one.max(other)
}

/// The average of both updates must show an LTV of at least `needed`. `value` is the position's at their price.
///
/// # Errors
/// [`BallastError::NoSecondWitness`] and those of [`oracle::average`].
pub fn require_average(
    market: &Market,
    updates: &[PriceUpdate; 2],
    position: &PositionModel,
    value: &Valuation,
    needed: Bps,
) -> Result<()> {
    if follows_from_price(updates, value, needed) {
        return Ok(());
    }
    let [base, quote] = updates;
    let average = oracle::average(market, base, quote)?;
    let value = position.value(average).or_range()?;
    require!(value.ltv_at_least(needed), BallastError::NoSecondWitness);
    Ok(())
}

/// Whether LTV is at least `needed` at the average because it is that far above it at the price, which is cheaper to see than to
/// value the position again: assets and debt move with the price, and by no greater factor, so that LTV at the average is at least
/// that at the price over the factor between the two.
fn follows_from_price([base, quote]: &[PriceUpdate; 2], value: &Valuation, needed: Bps) -> bool {
    if base.ema_price <= 0 || quote.ema_price <= 0 {
        return false;
    }
    let product = |a: i64, b: i64| u128::from(a.unsigned_abs()) * u128::from(b.unsigned_abs());
    let price = product(base.price, quote.ema_price);
    let average = product(base.ema_price, quote.price);
    let (more, less) = (price.max(average), price.min(average));
    // Rounded so that the product below fits, and against what is to be shown.
    let shift = 32u32.saturating_sub(more.leading_zeros());
    let (more, less) = ((more >> shift) + 1, less >> shift);
    let bps = (more * u128::from(needed.get())).checked_div(less);
    bps.and_then(|bps| u32::try_from(bps + 1).ok())
        .is_some_and(|bps| value.ltv_at_least(Bps::new(bps)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(price: i64, ema_price: i64) -> PriceUpdate {
        PriceUpdate {
            write_authority: Pubkey::default(),
            feed_id: [0; 32],
            price,
            conf: 0,
            exponent: -8,
            publish_time: 0,
            previous_publish_time: 0,
            ema_price,
            ema_conf: 0,
            posted_slot: 0,
        }
    }

    #[test]
    fn an_average_that_is_near_needs_no_valuation() {
        let value = Valuation {
            assets: 10_000,
            debt: 8_000,
        };
        let near = |base, quote| follows_from_price(&[base, quote], &value, Bps::new(6_500));
        let dollar = update(100_000_000, 100_000_000);
        // 80 / 65 is 1.2308: as far as that, either way, and whichever of the two has moved.
        for average in [81_260, 100_000, 123_060] {
            assert!(near(update(100_000, average), dollar), "{average}");
            assert!(near(dollar, update(100_000, average)), "{average}");
        }
        for average in [-1, 0, 1, 81_240, 123_090, i64::MAX] {
            assert!(!near(update(100_000, average), dollar), "{average}");
            assert!(!near(dollar, update(100_000, average)), "{average}");
        }
        // Any numbers that a feed may hold.
        assert!(near(update(i64::MAX, i64::MAX), update(i64::MAX, i64::MAX)));
        assert!(near(update(1, 1), update(i64::MAX, i64::MAX)));
        assert!(!near(update(1, i64::MAX), update(i64::MAX, 1)));
    }

    #[test]
    fn the_deeper_the_less_has_to_be_waited_for_until_lenders_lose() {
        let limits = Limits {
            target_ltv_bps: 6_500,
            deleverage_ltv_bps: 7_700,
            maintenance_ltv_bps: 8_000,
            ..bytemuck::Zeroable::zeroed()
        };
        let needed = |assets, debt| needed_to_liquidate(&limits, &Valuation { assets, debt });
        assert_eq!(needed(10_000, 8_000), Some(Bps::new(7_700)));
        assert_eq!(needed(10_000, 8_001), Some(Bps::new(7_700)));
        // 12 % over a thousand basis points.
        assert_eq!(needed(10_000, 8_002), Some(Bps::new(7_699)));
        assert_eq!(needed(10_000, 8_501), Some(Bps::new(7_100)));
        assert_eq!(needed(10_000, 8_999), Some(Bps::new(6_503)));
        assert_eq!(needed(10_000, 9_000), None);
        assert_eq!(needed(10_000, 10_000), None);
        assert_eq!(needed(10_000, 10_001), Some(Bps::new(8_000)));
        assert_eq!(needed(0, 1), Some(Bps::new(8_000)));
    }

    #[test]
    fn who_brings_an_older_price_of_a_wick_is_spared_nothing() {
        let limits = Limits {
            target_ltv_bps: 6_500,
            deleverage_ltv_bps: 7_700,
            maintenance_ltv_bps: 8_000,
            ..bytemuck::Zeroable::zeroed()
        };
        let value = |debt| Valuation {
            assets: 10_000,
            debt,
        };
        let needed = |used, newest| {
            let both = [&value(used), &value(newest)];
            needed_to_liquidate_at_both(&limits, both).map(Bps::get)
        };
        let (now, wick) = (8_001, 9_200);
        assert_eq!(needed(wick, wick), None);
        assert_eq!(needed(now, now), Some(7_700));
        assert_eq!(needed(wick, now), Some(7_700));
        assert_eq!(needed(now, wick), Some(7_700));
        // Insolvent at either, what a loss needs.
        assert_eq!(needed(now, 10_001), Some(8_000));
    }
}
