use ballast_clmm::{SqrtPrice, wide};

use crate::{Bps, ModelError};

/// A price P = s^2 as an exact integer number of 2^-128 quote per base, below 2^192.
///
/// Squaring once and multiplying by 64-bit amounts keeps a valuation to a handful of 64x64 products and free of divisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price {
    hi: u64,
    lo: u128,
}

impl From<SqrtPrice> for Price {
    fn from(sqrt: SqrtPrice) -> Self {
        // s = h * 2^64 + l with h < 2^32, because MAX_SQRT_PRICE < 2^96: no step below can overflow.
        let (h, l) = ((sqrt.x64() >> 64) as u64, sqrt.x64() as u64);
        let cross = 2 * product(h, l);
        let (lo, carry) = product(l, l).overflowing_add(cross << 64);
        Self {
            hi: h * h + (cross >> 64) as u64 + u64::from(carry),
            lo,
        }
    }
}

impl Price {
    /// Value of an amount of base in quote units, and whether a fraction was cut off.
    fn value(self, base: u64) -> (u128, bool) {
        let low = product(base, self.lo as u64);
        let mid = product(base, (self.lo >> 64) as u64) + (low >> 64);
        // base * P < 2^256, so that its upper half fits.
        let value = product(base, self.hi) + (mid >> 64);
        (value, mid as u64 != 0 || low as u64 != 0)
    }

    /// `base * P`, rounded down: collateral.
    pub fn value_down(self, base: u64) -> u128 {
        self.value(base).0
    }

    /// `base * P`, rounded up: debt.
    pub fn value_up(self, base: u64) -> u128 {
        let (value, inexact) = self.value(base);
        value + u128::from(inexact)
    }

    /// The price itself in whole quote units per base unit, rounded up.
    pub(crate) fn ceil(self) -> u128 {
        self.value_up(1)
    }
}

/// Value of `base` in quote units at `at`, rounded down: `floor(base * s^2 / 2^128)`.
///
/// # Errors
/// [`ModelError::Overflow`] if it does not fit, which no 64-bit amount at a valid price reaches.
pub fn value_down(base: u64, at: SqrtPrice) -> Result<u128, ModelError> {
    wide::mul_square_shr128_down(u128::from(base), at.x64()).ok_or(ModelError::Overflow("value"))
}

/// Value of `base` in quote units at `at`, rounded up: `ceil(base * s^2 / 2^128)`.
///
/// # Errors
/// As [`value_down`].
pub fn value_up(base: u64, at: SqrtPrice) -> Result<u128, ModelError> {
    wide::mul_square_shr128_up(u128::from(base), at.x64()).ok_or(ModelError::Overflow("value"))
}

/// What a position owns and owes at one price, in quote units: assets rounded down, debt rounded up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Valuation {
    /// Value of everything owned, rounded down.
    pub assets: u128,
    /// Value of everything owed, rounded up.
    pub debt: u128,
}

impl Valuation {
    /// Assets less debt, rounded down. Saturates at the ends of `i128`.
    pub fn equity(&self) -> i128 {
        if self.assets >= self.debt {
            i128::try_from(self.assets - self.debt).unwrap_or(i128::MAX)
        } else {
            i128::try_from(self.debt - self.assets).map_or(i128::MIN, |deficit| -deficit)
        }
    }

    /// Debt / assets, rounded up, saturating. No debt is 0, debt without assets is `u32::MAX`.
    pub fn ltv_bps_up(&self) -> u32 {
        ratio_bps_up(self.debt, self.assets)
            .try_into()
            .unwrap_or(u32::MAX)
    }

    /// Assets / equity, rounded up, saturating. Without equity it is `u64::MAX`.
    pub fn leverage_bps_up(&self) -> u64 {
        match self.assets.checked_sub(self.debt) {
            None | Some(0) => u64::MAX,
            Some(equity) => ratio_bps_up(self.assets, equity),
        }
    }

    /// Whether debt / assets >= threshold, exactly. A position that owes nothing is below every threshold.
    pub fn ltv_at_least(&self, threshold: Bps) -> bool {
        self.debt > 0 && scaled(self.debt, Bps::ONE.get()) >= scaled(self.assets, threshold.get())
    }

    /// Whether debt / assets > threshold, exactly.
    pub fn ltv_above(&self, threshold: Bps) -> bool {
        scaled(self.debt, Bps::ONE.get()) > scaled(self.assets, threshold.get())
    }
}

/// Of two digits; always fits. On a machine of 64 bits this is a fraction of the cost of a 128-bit product.
fn product(a: u64, b: u64) -> u128 {
    u128::from(a) * u128::from(b)
}

fn ratio_bps_up(part: u128, whole: u128) -> u64 {
    if part == 0 {
        return 0;
    }
    wide::mul_div_up(part, u128::from(Bps::ONE.get()), whole)
        .and_then(|ratio| ratio.try_into().ok())
        .unwrap_or(u64::MAX)
}

/// `value * factor` as (upper part, lowest 64 bits): products of any size compare exactly and without division.
fn scaled(value: u128, factor: u32) -> (u128, u64) {
    let factor = u128::from(factor);
    let low = u128::from(value as u64) * factor;
    ((value >> 64) * factor + (low >> 64), low as u64)
}

/// The least base that is worth at least `value` quote units at `at`: `ceil(value * 2^128 / s^2)`.
///
/// # Errors
/// [`ModelError::Overflow`] above 64 bits.
pub fn base_for_value_up(value: u128, at: SqrtPrice) -> Result<u64, ModelError> {
    let square = wide::mul_full(at.x64(), at.x64());
    // The value in the high half: value * 2^128.
    let scaled = wide::U256::from(value) << 128usize;
    let (quotient, remainder) =
        wide::div_rem_256(scaled, square).ok_or(ModelError::Overflow("base"))?;
    let base = if remainder.is_zero() {
        quotient
    } else {
        quotient + wide::U256::from(1)
    };
    u64::try_from(base).map_err(|_| ModelError::Overflow("base"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ruint::aliases::U256;

    const MIN: u128 = SqrtPrice::MIN.x64();
    const MAX: u128 = SqrtPrice::MAX.x64();

    fn exact(base: u64, sqrt: u128) -> (u128, bool) {
        let product = U256::from(base) * U256::from(sqrt) * U256::from(sqrt);
        let floor = product >> 128usize;
        (floor.to(), (floor << 128usize) != product)
    }

    proptest! {
        #![proptest_config(crate::seed::config(2_000))]

        #[test]
        fn values_equal_the_256_bit_product(base: u64, sqrt in MIN..=MAX, shift in 0u32..64) {
            let (base, at) = (base >> shift, SqrtPrice::new((sqrt >> shift).max(MIN)).unwrap());
            let (floor, inexact) = exact(base, at.x64());
            let up = floor + u128::from(inexact);
            prop_assert_eq!((value_down(base, at), value_up(base, at)), (Ok(floor), Ok(up)));
            let price = Price::from(at);
            prop_assert_eq!((price.value_down(base), price.value_up(base)), (floor, up));
        }

        #[test]
        fn thresholds_compare_exactly(assets: u128, debt: u128, threshold: u32, shift in 0u32..128) {
            let v = Valuation { assets: assets >> shift, debt: debt >> shift };
            let (d, a) = (U256::from(v.debt) * U256::from(10_000), U256::from(v.assets) * U256::from(threshold));
            prop_assert_eq!(v.ltv_at_least(Bps::new(threshold)), v.debt > 0 && d >= a);
            prop_assert_eq!(v.ltv_above(Bps::new(threshold)), d > a);
        }

        #[test]
        fn ltv_is_the_smallest_threshold_not_exceeded(assets in 1u128..1 << 100, debt in 1u128..1 << 100) {
            let v = Valuation { assets, debt };
            let ltv = v.ltv_bps_up();
            if ltv < u32::MAX {
                prop_assert!(!v.ltv_above(Bps::new(ltv)));
                prop_assert!(ltv == 0 || v.ltv_above(Bps::new(ltv - 1)));
            }
        }
    }

    #[test]
    fn extremes() {
        let values = |base, at| (value_down(base, at).unwrap(), value_up(base, at).unwrap());
        let (floor, inexact) = exact(u64::MAX, MAX);
        assert!(inexact);
        assert_eq!(values(u64::MAX, SqrtPrice::MAX), (floor, floor + 1));
        assert_eq!(Price::from(SqrtPrice::MAX).value_up(u64::MAX), floor + 1);
        assert_eq!(values(u64::MAX, SqrtPrice::MIN), (1, 2));
        assert_eq!(values(1, SqrtPrice::MIN), (0, 1));
        assert_eq!(values(0, SqrtPrice::MAX), (0, 0));
        assert_eq!(values(7, SqrtPrice::ONE), (7, 7));

        let empty = Valuation::default();
        assert_eq!(
            (empty.equity(), empty.ltv_bps_up(), empty.leverage_bps_up()),
            (0, 0, u64::MAX)
        );
        assert!(!empty.ltv_at_least(Bps::new(8_000)) && !empty.ltv_above(Bps::new(8_000)));
        let under = Valuation {
            assets: 0,
            debt: u128::MAX,
        };
        assert_eq!(
            (under.equity(), under.ltv_bps_up(), under.leverage_bps_up()),
            (i128::MIN, u32::MAX, u64::MAX)
        );
        assert!(under.ltv_at_least(Bps::new(u32::MAX)));
        let rich = Valuation {
            assets: u128::MAX,
            debt: 0,
        };
        assert_eq!(
            (rich.equity(), rich.ltv_bps_up(), rich.leverage_bps_up()),
            (i128::MAX, 0, 10_000)
        );
        let even = Valuation {
            assets: 10_000,
            debt: 8_000,
        };
        assert!(even.ltv_at_least(Bps::new(8_000)) && !even.ltv_above(Bps::new(8_000)));
        assert_eq!((even.ltv_bps_up(), even.leverage_bps_up()), (8_000, 50_000));
    }

    #[test]
    fn base_for_a_value_is_the_least_that_is_worth_it() {
        for at in [
            SqrtPrice::ONE,
            SqrtPrice::new(1 << 60).unwrap(),
            SqrtPrice::new(8_249_634_742_471_189_717).unwrap(),
            SqrtPrice::new((1 << 68) + 12_345).unwrap(),
        ] {
            for value in [0, 1, 2, 999, 1_000_000_007, 1 << 50] {
                let base = base_for_value_up(value, at).unwrap();
                assert!(value_down(base, at).unwrap() >= value, "{value}");
                // One unit less is worth less, unrounded.
                let exact = wide::mul_full(at.x64(), at.x64());
                if let Some(less) = base.checked_sub(1) {
                    assert!(exact * wide::U256::from(less) < wide::U256::from(value) << 128usize);
                }
            }
        }
        assert!(base_for_value_up(u128::MAX, SqrtPrice::MIN).is_err());
        assert!(base_for_value_up(1 << 65, SqrtPrice::ONE).is_err());
    }
}
