//! Prices near a price: bands around it and the distance between two.

use ballast_clmm::{SqrtPrice, wide::U256};

use crate::{Bps, ModelError};

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

/// Whether the prices (not their roots) differ by at most `cap` of `reference`, to either side. Exact.
pub fn within(price: SqrtPrice, reference: SqrtPrice, cap: Bps) -> bool {
    let one = u64::from(Bps::ONE.get());
    let cap = u64::from(cap.get());
    // Square roots lie below 2^96, so squares times a bps factor below 2^34 stay below 2^226.
    let square = |root: SqrtPrice| U256::from(root.x64()) * U256::from(root.x64());
    let scaled = square(price) * U256::from(one);
    let reference = square(reference);
    scaled <= reference * U256::from(one + cap)
        && scaled >= reference * U256::from(one.saturating_sub(cap))
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
}
