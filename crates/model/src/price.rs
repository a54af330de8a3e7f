//! Prices near a price: bands around it and the distance between two.

use ballast_clmm::{
    SqrtPrice,
    wide::{U256, mul_full},
};

use crate::{Bps, ModelError, Trade};

/// Fraction bits of the square root of a ratio below.
const RATIO_BITS: u32 = 25;

/// The square root of `ratio` in Q25, rounded down. Q50 under the root fits 64 bits for every ratio below 16 384.
fn sqrt_ratio_down(ratio: Bps) -> Result<u64, ModelError> {
    let one = u64::from(Bps::ONE.get());
    let (whole, part) = (u64::from(ratio.get()) / one, u64::from(ratio.get()) % one);
    // In two parts, because the whole ratio in basis points does not fit beyond 163 %. A part does: it is below one.
    let whole = whole
        .checked_mul(1 << (2 * RATIO_BITS))
        .ok_or(ModelError::Overflow("scaled price"))?;
    let scaled = whole.checked_add((part << (2 * RATIO_BITS)) / one);
    Ok(scaled.ok_or(ModelError::Overflow("scaled price"))?.isqrt())
}

/// The square-root price at `ratio` times the price, not above the exact value (within 2^-24 of it).
///
/// # Errors
/// [`ModelError`] if `ratio` exceeds 163 839 999 / 10 000 or the result is no square-root price.
pub fn scale_down(price: SqrtPrice, ratio: Bps) -> Result<SqrtPrice, ModelError> {
    scale(price, sqrt_ratio_down(ratio)?)
}

/// The square-root price at `ratio` times the price, not below the exact value (within 2^-24 of it).
///
/// # Errors
/// [`ModelError`] if `ratio` exceeds 163 839 999 / 10 000 or the result is no square-root price.
pub fn scale_up(price: SqrtPrice, ratio: Bps) -> Result<SqrtPrice, ModelError> {
    scale(price, sqrt_ratio_down(ratio)? + 1)
}

fn scale(price: SqrtPrice, root_q25: u64) -> Result<SqrtPrice, ModelError> {
    let product = price
        .x64()
        .checked_mul(u128::from(root_q25))
        .ok_or(ModelError::Overflow("scaled price"))?;
    Ok(SqrtPrice::new(product >> RATIO_BITS)?)
}

const MILLION: u64 = 1_000_000;

/// The pool's price at which a swap has to end: beyond it the next unit would lose more than `max_loss` against the oracle's price,
/// the pool's fee included. So the whole swap loses less.
///
/// # Errors
/// [`ModelError`] if the result is no square-root price, or the fee is a whole.
pub fn swap_limit(
    trade: Trade,
    oracle: SqrtPrice,
    max_loss: Bps,
    fee_rate_ppm: u32,
) -> Result<SqrtPrice, ModelError> {
    let one = u64::from(Bps::ONE.get());
    let loss = u64::from(max_loss.get());
    let kept = MILLION.saturating_sub(u64::from(fee_rate_ppm));
    // Selling brings the pool's price less the fee, buying costs it and the fee.
    let (num, den) = match trade {
        Trade::SellBase => (one.saturating_sub(loss) * MILLION, one * kept),
        Trade::BuyBase => ((one + loss) * kept, one * MILLION),
    };
    let ratio = (u128::from(num) << (2 * RATIO_BITS)).checked_div(u128::from(den));
    let ratio = ratio.and_then(|ratio| u64::try_from(ratio).ok());
    let root = ratio.ok_or(ModelError::Overflow("swap limit"))?.isqrt();
    match trade {
        Trade::SellBase => scale(oracle, root + 1),
        Trade::BuyBase => scale(oracle, root),
    }
}

/// Whether the prices (not their roots) differ by at most `cap` of `reference`, to either side. Exact.
pub fn within(price: SqrtPrice, reference: SqrtPrice, cap: Bps) -> bool {
    let one = u64::from(Bps::ONE.get());
    let cap = u64::from(cap.get());
    // Square roots lie below 2^96, so squares times a bps factor below 2^34 stay below 2^226.
    let square = |root: SqrtPrice| mul_full(root.x64(), root.x64());
    let scaled = square(price) * U256::from(one);
    let reference = square(reference);
    scaled <= reference * U256::from(one + cap)
        && scaled >= reference * U256::from(one.saturating_sub(cap))
}

/// `|b / a - 1|` of the prices (not their roots), in basis points, rounded down.
pub fn distance_bps(a: SqrtPrice, b: SqrtPrice) -> u32 {
    const SCALE: u128 = 1 << 24;
    // Roots are below 2^96, so that the product fits; ratios above 2^32 count as that.
    let ratio = (b.x64() * SCALE / a.x64()).min(1 << 56);
    let distance = (ratio * ratio / SCALE).abs_diff(SCALE);
    u32::try_from(distance * u128::from(Bps::ONE.get()) / SCALE).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(price: f64) -> SqrtPrice {
        SqrtPrice::new((price.sqrt() * 2f64.powi(64)) as u128).unwrap()
    }

    #[test]
    fn scaling_brackets_the_exact_price() {
        for price in [1e-9, 0.2, 1.0, 3.7e6] {
            for ratio in [1, 500, 9_000, 9_999, 10_000, 10_001, 12_000, 16_383] {
                let exact = (price * f64::from(ratio) / 1e4).sqrt() * 2f64.powi(64);
                let low = scale_down(root(price), Bps::new(ratio)).unwrap().x64() as f64;
                let high = scale_up(root(price), Bps::new(ratio)).unwrap().x64() as f64;
                assert!(
                    low <= exact * (1.0 + 1e-12) && low >= exact * (1.0 - 1e-5),
                    "{price} {ratio}"
                );
                assert!(
                    high >= exact * (1.0 - 1e-12) && high <= exact * (1.0 + 1e-5),
                    "{price} {ratio}"
                );
            }
        }
    }

    #[test]
    fn the_cap_is_on_the_price_and_holds_on_both_sides() {
        let cap = Bps::new(100);
        assert!(within(root(1.0099), root(1.0), cap));
        assert!(!within(root(1.0101), root(1.0), cap));
        assert!(within(root(0.9901), root(1.0), cap));
        assert!(!within(root(0.9899), root(1.0), cap));
    }

    #[test]
    fn a_swap_ends_where_the_next_unit_would_lose_too_much() {
        for (loss, fee_ppm) in [(0, 0), (100, 400), (30, 3_000), (10_000, 400), (1, 10_000)] {
            let price = |trade| {
                let limit = swap_limit(trade, root(200.0), Bps::new(loss), fee_ppm);
                limit.map(|limit| (limit.x64() as f64 / 2f64.powi(64)).powi(2))
            };
            let (cap, kept) = (f64::from(loss) / 1e4, 1.0 - f64::from(fee_ppm) / 1e6);
            // On the safe side of the exact limit, and near it.
            if loss < 10_000 {
                let sold = price(Trade::SellBase).unwrap() * kept / (200.0 * (1.0 - cap));
                assert!(
                    (1.0..1.0 + 1e-6).contains(&sold),
                    "{loss} {fee_ppm}: {sold}"
                );
            }
            let bought = price(Trade::BuyBase).unwrap() / kept / (200.0 * (1.0 + cap));
            assert!(
                (1.0 - 1e-6..=1.0 + 1e-12).contains(&bought),
                "{loss} {fee_ppm}: {bought}"
            );
        }
        let all = swap_limit(Trade::SellBase, SqrtPrice::ONE, Bps::ZERO, 1_000_000);
        assert!(all.is_err());
        assert!(swap_limit(Trade::BuyBase, SqrtPrice::MAX, Bps::new(u32::MAX), 0).is_err());
    }

    #[test]
    fn ends_of_the_range_are_errors_not_panics() {
        let max = SqrtPrice::MAX;
        assert!(scale_up(max, Bps::new(16_000)).is_err());
        assert!(scale_down(max, Bps::new(u32::MAX)).is_err());
        assert!(within(max, max, Bps::new(u32::MAX)));
    }

    #[test]
    fn ratios_far_above_one_are_in_range() {
        let one = SqrtPrice::ONE;
        for (bps, root) in [
            (16_383, 1.2799),
            (16_384, 1.28),
            (20_000, std::f64::consts::SQRT_2),
            (40_000, 2.0),
        ] {
            let scaled = scale_up(one, Bps::new(bps)).unwrap().x64() as f64 / 2f64.powi(64);
            assert!((scaled - root).abs() < 1e-4, "{bps}: {scaled}");
        }
        assert!(scale_down(one, Bps::new(163_839_999)).is_ok());
        assert!(scale_down(one, Bps::new(163_840_000)).is_err());
    }

    #[test]
    fn distances_are_those_of_prices() {
        // Square roots of 4, 1 and 1/4, and a price 1 % up and down.
        let at = |root_percent: u128| SqrtPrice::new((root_percent << 64) / 100).unwrap();
        let one = at(100);
        assert_eq!(distance_bps(one, one), 0);
        assert_eq!(distance_bps(one, at(200)), 30_000);
        assert_eq!(distance_bps(one, at(50)), 7_500);
        assert_eq!(distance_bps(one, at(101)), 200);
        assert_eq!(distance_bps(one, at(99)), 199);
        assert_eq!(distance_bps(SqrtPrice::MIN, SqrtPrice::MAX), u32::MAX);
        assert_eq!(distance_bps(SqrtPrice::MAX, SqrtPrice::MIN), 10_000);
    }
}
