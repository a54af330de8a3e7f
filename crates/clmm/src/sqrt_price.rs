//! The price of a pool as the square root of quote per base.

mod by_table;

use crate::{
    ClmmError, ON_CHAIN, Tick,
    wide::digits::{leading_zeros, shl_into, split},
};

/// Square root of the price (raw quote per raw base) in Q64.64, within [`SqrtPrice::MIN`]..=[`SqrtPrice::MAX`].
///
/// The bounds make every product of two of them fit 192 bits, and a difference 96 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SqrtPrice(u128);

impl SqrtPrice {
    /// Price of [`Tick::MIN`].
    pub const MIN: SqrtPrice = SqrtPrice(4_295_048_016);
    /// Price of [`Tick::MAX`].
    pub const MAX: SqrtPrice = SqrtPrice(79_226_673_515_401_279_992_447_579_055);
    /// Price 1: one raw quote unit per raw base unit.
    pub const ONE: SqrtPrice = SqrtPrice(1 << 64);

    /// A price from its Q64.64 value.
    ///
    /// # Errors
    /// [`ClmmError::SqrtPriceOutOfRange`] outside `MIN..=MAX`.
    pub const fn new(x64: u128) -> Result<SqrtPrice, ClmmError> {
        if x64 < SqrtPrice::MIN.0 || x64 > SqrtPrice::MAX.0 {
            return Err(ClmmError::SqrtPriceOutOfRange(x64));
        }
        Ok(SqrtPrice(x64))
    }

    /// For values that come out of the tick tables, which end exactly at the bounds.
    pub(crate) const fn from_tick_value(x64: u128) -> SqrtPrice {
        SqrtPrice(x64)
    }

    /// The Q64.64 value.
    pub const fn x64(self) -> u128 {
        self.0
    }

    /// The largest tick whose price is at or below this one (Whirlpool's `tick_index_from_sqrt_price`).
    ///
    /// Source: binary logarithm by repeated squaring (Uniswap v3 `TickMath.getTickAtSqrtRatio`), divided by
    /// `log2(sqrt(1.0001))`; off chain by a table. The estimate nearly always leaves one tick, and two neighbours otherwise; the
    /// price of the upper one then decides. The result is the exact floor.
    #[cfg_attr(not(target_os = "solana"), inline)]
    pub const fn tick(self) -> Tick {
        if ON_CHAIN {
            self.tick_by_squaring()
        } else {
            let estimate = by_table::log_sqrt_1_0001_x40(self.0);
            self.tick_between(
                estimate.wrapping_sub(by_table::SLACK_X40),
                estimate.wrapping_add(by_table::SLACK_X40),
            )
        }
    }

    /// The logarithm is short by at most 0.014 ticks.
    const fn tick_by_squaring(self) -> Tick {
        let estimate = log_sqrt_1_0001_x40(self.0);
        self.tick_between(
            estimate.wrapping_sub(SLACK_X40),
            estimate.wrapping_add(SHORT_BY_X40).wrapping_add(SLACK_X40),
        )
    }

    /// The tick, by bounds of the logarithm that are less than a tick apart.
    #[inline(always)]
    const fn tick_between(self, low_x40: i64, high_x40: i64) -> Tick {
        let low = Tick::saturating((low_x40 >> 40) as i32);
        let high = Tick::saturating((high_x40 >> 40) as i32);
        if low.get() == high.get() || high.sqrt_price().0 > self.0 {
            low
        } else {
            high
        }
    }
}

impl core::fmt::Display for SqrtPrice {
    /// The raw Q64.64 value.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<u128> for SqrtPrice {
    type Error = ClmmError;

    fn try_from(x64: u128) -> Result<SqrtPrice, ClmmError> {
        SqrtPrice::new(x64)
    }
}

/// Fractional bits of the binary logarithm. Each costs one squaring of 32 bits and halves how often the costlier second
/// step, the price of a tick, is needed; 20 leave it to one price in 65.
const LOG2_BITS: u32 = 20;
/// `1 / log2(sqrt(1.0001))`, ticks per doubling of the square root, in Q20.
const TICKS_PER_LOG2_X20: i64 = 14_537_076_765;
/// `2^-20` of a doubling in ticks (0.0132), in Q40: what the bits of the logarithm that are not computed are worth.
const SHORT_BY_X40: i64 = TICKS_PER_LOG2_X20;
/// 0.001 ticks in Q40, for the rest: the factor is exact to `2^-21` ticks per doubling, of which there are at most 32, and
/// the mantissas, truncated to 31 bits, make the logarithm too small by less than `2^-29`; together below 0.0001 ticks.
const SLACK_X40: i64 = 1_099_511_628;

/// Logarithm to base `sqrt(1.0001)` of a Q64.64 number within the price bounds, in Q40.
const fn log_sqrt_1_0001_x40(x64: u128) -> i64 {
    // Mantissa in [1, 2) with 31 fractional bits, and the integer part of the logarithm.
    let (high, low) = split(x64);
    let (mantissa, integer) = if high != 0 {
        let zeros = leading_zeros(high);
        (shl_into(high, low, zeros) >> 32, 63 - zeros as i64)
    } else {
        let zeros = leading_zeros(low);
        (low.wrapping_shl(zeros) >> 32, -1 - zeros as i64)
    };
    let mut mantissa = mantissa;
    let mut log2 = integer;
    let mut bit = 0;
    while bit < LOG2_BITS {
        // Squaring doubles the logarithm: the integer bit that appears is its next fractional bit.
        let square = mantissa.wrapping_mul(mantissa);
        let carry = square >> 63;
        mantissa = square >> (31 + carry);
        log2 = (log2 << 1) + carry as i64;
        bit += 1;
    }
    // |log2| <= 2^25 and the factor below 2^34.
    log2.wrapping_mul(TICKS_PER_LOG2_X20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_logarithms_find_the_tick_of_every_price_around_ticks() {
        for index in Tick::MIN.get()..=Tick::MAX.get() {
            let price = Tick::saturating(index).sqrt_price().0;
            for x64 in [price - 1, price, price + price / 30_000] {
                let price = SqrtPrice(x64.clamp(SqrtPrice::MIN.0, SqrtPrice::MAX.0));
                assert_eq!(price.tick(), price.tick_by_squaring(), "{price}");
            }
        }
    }

    #[test]
    fn only_prices_within_the_bounds_exist() {
        assert_eq!(SqrtPrice::new(4_295_048_016), Ok(SqrtPrice::MIN));
        assert_eq!(
            SqrtPrice::new(79_226_673_515_401_279_992_447_579_055),
            Ok(SqrtPrice::MAX)
        );
        for x64 in [0, SqrtPrice::MIN.0 - 1, SqrtPrice::MAX.0 + 1, u128::MAX] {
            assert_eq!(
                SqrtPrice::new(x64),
                Err(ClmmError::SqrtPriceOutOfRange(x64))
            );
        }
    }

    #[test]
    fn bounds_are_the_prices_of_the_outermost_ticks() {
        assert_eq!(Tick::MIN.sqrt_price(), SqrtPrice::MIN);
        assert_eq!(Tick::MAX.sqrt_price(), SqrtPrice::MAX);
        assert_eq!(SqrtPrice::MIN.tick(), Tick::MIN);
        assert_eq!(SqrtPrice::MAX.tick(), Tick::MAX);
    }

    #[test]
    fn tick_is_a_floor() {
        assert_eq!(SqrtPrice::ONE.tick().get(), 0);
        assert_eq!(SqrtPrice(SqrtPrice::ONE.0 - 1).tick().get(), -1);
        let next = SqrtPrice(18_447_666_387_855_959_850);
        assert_eq!(next.tick().get(), 1);
        assert_eq!(SqrtPrice(next.0 - 1).tick().get(), 0);
    }

    #[test]
    fn a_price_is_shown_as_its_raw_value() {
        extern crate std;
        assert_eq!(std::format!("{}", SqrtPrice::ONE), "18446744073709551616");
        assert_eq!(std::format!("{:>12}", SqrtPrice::MIN), "  4295048016");
    }
}
