//! The oracle's square-root price: two prices in a common currency and the tokens' decimals, combined exactly.

use ballast_clmm::{ClmmError, SqrtPrice, wide};
use ruint::aliases::U256;
use thiserror::Error;

/// A published price: `price * 10^exponent` of the common currency per whole token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedPrice {
    /// Must be positive.
    pub price: i64,
    /// Power of ten.
    pub exponent: i32,
}

impl FeedPrice {
    /// Bits of the exponent in [`FeedPrice::packed`].
    const EXPONENT_BITS: u32 = 4;
    /// Set in every price that is packed, so that what else may stand there, a time for instance, is none.
    const MARK: u64 = 1 << 63;
    /// Set in a price that is known to be uncertain.
    const UNCERTAIN: u64 = 1 << 62;

    /// In 64 bits: two marks, the price, and in the lowest four the exponent's negative. 0 stands for no price: one that is not
    /// positive, or whose exponent is not within -15..=0. Of prices of 2^58 and more the last digits are lost.
    pub fn packed(self) -> u64 {
        let negative = u64::try_from(-i64::from(self.exponent)).ok();
        let (Ok(price), Some(mut negative @ 0..=15)) = (u64::try_from(self.price), negative) else {
            return 0;
        };
        let mut price = price;
        while price >= Self::UNCERTAIN >> Self::EXPONENT_BITS {
            // Without digits to lose it is more than any token costs.
            negative = negative.saturating_sub(1);
            price /= 10;
        }
        if price == 0 {
            return 0;
        }
        Self::MARK | price << Self::EXPONENT_BITS | negative
    }

    /// What [`FeedPrice::packed`] has made, marked as uncertain.
    pub const fn marked_uncertain(packed: u64) -> u64 {
        match packed {
            0 => 0,
            price => price | Self::UNCERTAIN,
        }
    }

    /// Whether what [`FeedPrice::packed`] has made is a price, and has not been marked as uncertain.
    pub const fn is_certain(packed: u64) -> bool {
        packed & (Self::MARK | Self::UNCERTAIN) == Self::MARK
    }

    /// What [`FeedPrice::packed`] has made, marked or not; `None` of anything else.
    pub fn unpacked(packed: u64) -> Option<Self> {
        if packed & Self::MARK == 0 {
            return None;
        }
        let bare = packed & !(Self::MARK | Self::UNCERTAIN);
        let price = i64::try_from(bare >> Self::EXPONENT_BITS).ok()?;
        let exponent = -i32::try_from(packed & ((1 << Self::EXPONENT_BITS) - 1)).ok()?;
        (price > 0).then_some(Self { price, exponent })
    }
}

/// The range of a price that its confidence intervals allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceBand {
    /// (base - its confidence) / (quote + its confidence), rounded down.
    pub low: SqrtPrice,
    /// base / quote, rounded down.
    pub mid: SqrtPrice,
    /// (base + its confidence) / (quote - its confidence), rounded up.
    pub high: SqrtPrice,
}

/// Why two published prices give no square-root price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OracleError {
    /// Zero or negative.
    #[error("published price {0} is not positive: wait for a valid price")]
    NotPositive(i64),
    /// The confidence interval reaches zero, or beyond 64 bits.
    #[error("confidence {confidence} is too wide for price {price}: wait for a better price")]
    ConfidenceTooWide {
        /// The published price.
        price: i64,
        /// Its confidence interval, to each side.
        confidence: u64,
    },
    /// Outside what a pool can represent.
    #[error("price is outside the range of a pool: check both exponents and decimals")]
    OutOfRange,
    /// See [`ClmmError`].
    #[error(transparent)]
    Clmm(#[from] ClmmError),
}

/// Square root of raw quote per raw base in Q64.64, rounded down.
///
/// `P = pb 10^eb 10^dq / (pq 10^eq 10^db)` with prices p, exponents e and decimals d; the result is
/// `floor(sqrt(P 2^128))`, exactly: the root of the floor is the floor of the root.
///
/// # Errors
/// [`OracleError::NotPositive`], [`OracleError::OutOfRange`], [`OracleError::Clmm`].
pub fn sqrt_price_down(
    base: FeedPrice,
    quote: FeedPrice,
    base_decimals: u8,
    quote_decimals: u8,
) -> Result<SqrtPrice, OracleError> {
    let ratio = Ratio::new(base, quote, base_decimals, quote_decimals)?;
    ratio.sqrt_down(positive(base.price)?, positive(quote.price)?)
}

/// As [`sqrt_price_down`], rounded up.
///
/// # Errors
/// As [`sqrt_price_down`].
pub fn sqrt_price_up(
    base: FeedPrice,
    quote: FeedPrice,
    base_decimals: u8,
    quote_decimals: u8,
) -> Result<SqrtPrice, OracleError> {
    let ratio = Ratio::new(base, quote, base_decimals, quote_decimals)?;
    ratio.sqrt_up(positive(base.price)?, positive(quote.price)?)
}

/// The price with both ends of what the confidence intervals (in units of the prices) allow.
///
/// # Errors
/// As [`sqrt_price_down`], and [`OracleError::ConfidenceTooWide`].
pub fn price_band(
    base: FeedPrice,
    base_confidence: u64,
    quote: FeedPrice,
    quote_confidence: u64,
    base_decimals: u8,
    quote_decimals: u8,
) -> Result<PriceBand, OracleError> {
    let ratio = Ratio::new(base, quote, base_decimals, quote_decimals)?;
    let (base_low, base_mid, base_high) = around(base.price, base_confidence)?;
    let (quote_low, quote_mid, quote_high) = around(quote.price, quote_confidence)?;
    Ok(PriceBand {
        low: ratio.sqrt_down(base_low, quote_high)?,
        mid: ratio.sqrt_down(base_mid, quote_mid)?,
        high: ratio.sqrt_up(base_high, quote_low)?,
    })
}

fn positive(price: i64) -> Result<u64, OracleError> {
    u64::try_from(price)
        .ok()
        .filter(|price| *price > 0)
        .ok_or(OracleError::NotPositive(price))
}

/// The price and both ends of its confidence interval.
fn around(price: i64, confidence: u64) -> Result<(u64, u64, u64), OracleError> {
    let mid = positive(price)?;
    let ends = mid
        .checked_sub(confidence)
        .filter(|low| *low > 0)
        .zip(mid.checked_add(confidence));
    let (low, high) = ends.ok_or(OracleError::ConfidenceTooWide { price, confidence })?;
    Ok((low, mid, high))
}

/// The power of ten by which the quotient of two published prices is multiplied.
struct Ratio {
    numerator: u128,
    denominator: u128,
}

impl Ratio {
    fn new(
        base: FeedPrice,
        quote: FeedPrice,
        base_decimals: u8,
        quote_decimals: u8,
    ) -> Result<Self, OracleError> {
        let power = i64::from(base.exponent) - i64::from(quote.exponent)
            + i64::from(quote_decimals)
            - i64::from(base_decimals);
        // A pool's price lies within 2^-64..2^64 and published prices are below 2^63, so that a power that does not fit
        // 128 bits cannot belong to a price in range.
        let size = u32::try_from(power.unsigned_abs()).map_err(|_| OracleError::OutOfRange)?;
        let factor = 10u128.checked_pow(size).ok_or(OracleError::OutOfRange)?;
        Ok(if power >= 0 {
            Self {
                numerator: factor,
                denominator: 1,
            }
        } else {
            Self {
                numerator: 1,
                denominator: factor,
            }
        })
    }

    /// `floor(P 2^128)` and whether something was cut off. A product beyond 128 bits is out of range as well.
    fn price_x128(&self, base: u64, quote: u64) -> Result<(U256, bool), OracleError> {
        let numerator = self
            .numerator
            .checked_mul(u128::from(base))
            .ok_or(OracleError::OutOfRange)?;
        let denominator = self
            .denominator
            .checked_mul(u128::from(quote))
            .ok_or(OracleError::OutOfRange)?;
        // numerator * 2^128
        let shifted = U256::from_limbs([0, 0, numerator as u64, (numerator >> 64) as u64]);
        let (quotient, rest) =
            wide::div_rem_256(shifted, U256::from(denominator)).ok_or(OracleError::OutOfRange)?;
        Ok((quotient, !rest.is_zero()))
    }

    fn sqrt_down(&self, base: u64, quote: u64) -> Result<SqrtPrice, OracleError> {
        let (price, _) = self.price_x128(base, quote)?;
        Ok(SqrtPrice::new(wide::isqrt_down(price))?)
    }

    fn sqrt_up(&self, base: u64, quote: u64) -> Result<SqrtPrice, OracleError> {
        let (price, inexact) = self.price_x128(base, quote)?;
        let root = wide::isqrt_down(price);
        let exact = !inexact && wide::mul_full(root, root) == price;
        Ok(SqrtPrice::new(root.saturating_add(u128::from(!exact)))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ruint::aliases::U512;

    fn feed(price: i64, exponent: i32) -> FeedPrice {
        FeedPrice { price, exponent }
    }

    #[test]
    fn a_price_is_packed_without_loss_below_two_to_the_fifty_eight() {
        for price in [1, 9, 20_000_000_000, (1 << 58) - 1] {
            for exponent in [0, -8, -12, -15] {
                let packed = feed(price, exponent).packed();
                assert_eq!(FeedPrice::unpacked(packed), Some(feed(price, exponent)));
                assert!(FeedPrice::is_certain(packed));
                let marked = FeedPrice::marked_uncertain(packed);
                assert_eq!(FeedPrice::unpacked(marked), Some(feed(price, exponent)));
                assert!(!FeedPrice::is_certain(marked));
            }
        }
        let large = FeedPrice::unpacked(feed(i64::MAX, -8).packed());
        assert_eq!(large, Some(feed(i64::MAX / 100, -6)));
        let digit = FeedPrice::unpacked(feed(1 << 58, -8).packed());
        assert_eq!(digit, Some(feed((1 << 58) / 10, -7)));
        for none in [
            feed(0, -8),
            feed(-1, -8),
            feed(1, 1),
            feed(1, -16),
            feed(i64::MIN, i32::MIN),
        ] {
            assert_eq!(none.packed(), 0, "{none:?}");
        }
        assert_eq!(FeedPrice::unpacked(0), None);
        assert_eq!(FeedPrice::marked_uncertain(0), 0);
        assert!(!FeedPrice::is_certain(0));
        // An exponent alone is no price, nor is a time.
        for none in [8, FeedPrice::MARK | 8, 1_760_000_008] {
            assert_eq!(FeedPrice::unpacked(none), None);
        }
    }

    #[test]
    fn sol_at_200_usdc() {
        // P = 200 * 10^6 / 10^9 = 0.2 raw; sqrt(0.2) * 2^64.
        let s = sqrt_price_down(feed(20_000_000_000, -8), feed(100_000_000, -8), 9, 6).unwrap();
        assert_eq!(s.x64(), 8_249_634_742_471_189_717);
        let up = sqrt_price_up(feed(20_000_000_000, -8), feed(100_000_000, -8), 9, 6).unwrap();
        assert_eq!(up.x64(), s.x64() + 1);
        // A perfect square has no rounding: P = 4.
        let four = |f: fn(FeedPrice, FeedPrice, u8, u8) -> Result<SqrtPrice, OracleError>| {
            f(feed(4, 0), feed(100, -2), 6, 6).unwrap().x64()
        };
        assert_eq!(
            (four(sqrt_price_down), four(sqrt_price_up)),
            (2 << 64, 2 << 64)
        );
    }

    #[test]
    fn the_band_contains_the_price() {
        let band = price_band(feed(20_000, -2), 40, feed(100, -2), 1, 9, 6).unwrap();
        let at = |base, quote| sqrt_price_down(feed(base, -2), feed(quote, -2), 9, 6).unwrap();
        assert_eq!(band.low, at(19_960, 101));
        assert_eq!(band.mid, at(20_000, 100));
        assert_eq!(band.high.x64(), at(20_040, 99).x64() + 1);
        let exact = price_band(feed(20_000, -2), 0, feed(100, -2), 0, 9, 6).unwrap();
        assert_eq!((exact.low, exact.mid), (band.mid, band.mid));
    }

    #[test]
    fn bad_prices_are_errors() {
        let good = feed(100, -2);
        for bad in [0, -1, i64::MIN] {
            assert_eq!(
                sqrt_price_down(feed(bad, -2), good, 9, 6),
                Err(OracleError::NotPositive(bad))
            );
            assert_eq!(
                sqrt_price_up(good, feed(bad, -2), 9, 6),
                Err(OracleError::NotPositive(bad))
            );
        }
        for confidence in [100, 101, u64::MAX] {
            let error = OracleError::ConfidenceTooWide {
                price: 100,
                confidence,
            };
            assert_eq!(price_band(good, confidence, good, 0, 9, 6), Err(error));
            assert_eq!(price_band(good, 0, good, confidence, 9, 6), Err(error));
        }
        assert!(price_band(good, 99, good, 99, 9, 9).is_ok());
        let top = feed(i64::MAX, 0);
        assert!(price_band(top, i64::MAX as u64 - 1, top, 0, 9, 9).is_ok());
    }

    #[test]
    fn extremes_are_out_of_range_not_panics() {
        let one = feed(1, 0);
        for exponent in [i32::MIN, -60, -20, 20, 60, i32::MAX] {
            assert!(
                sqrt_price_down(feed(1, exponent), one, 0, 0).is_err(),
                "{exponent}"
            );
            assert!(
                sqrt_price_down(one, feed(1, exponent), 0, 0).is_err(),
                "{exponent}"
            );
        }
        assert!(sqrt_price_down(feed(i64::MAX, i32::MAX), feed(1, i32::MIN), 0, 255).is_err());
        assert!(sqrt_price_down(feed(1, i32::MIN), feed(i64::MAX, i32::MAX), 255, 0).is_err());
        assert!(sqrt_price_up(one, one, 255, 0).is_err());
        // The ends themselves: 2^64 is just out of range, 10^19 and 10^-19 are in.
        assert!(sqrt_price_down(feed(10, 18), one, 0, 0).is_ok());
        assert!(sqrt_price_down(one, feed(10, 18), 0, 0).is_ok());
    }

    proptest! {
        #![proptest_config(crate::seed::config(2_000))]

        #[test]
        fn the_root_is_exact(
            base in 1i64.., quote in 1i64.., be in -18i32..=2, qe in -18i32..=2, bd in 0u8..=18, qd in 0u8..=18,
        ) {
            let (b, q) = (feed(base, be), feed(quote, qe));
            let power = be - qe + i32::from(qd) - i32::from(bd);
            let ten = |n: i32| U512::from(10).pow(U512::from(n.max(0)));
            let numerator = (U512::from(base) * ten(power)) << 128usize;
            let denominator = U512::from(quote) * ten(-power);
            let square = |s: u128| U512::from(s) * U512::from(s) * denominator;
            match (sqrt_price_down(b, q, bd, qd), sqrt_price_up(b, q, bd, qd)) {
                (Ok(down), Ok(up)) => {
                    prop_assert!(square(down.x64()) <= numerator && numerator < square(down.x64() + 1));
                    prop_assert!(square(up.x64() - 1) < numerator && numerator <= square(up.x64()));
                }
                (Err(_), up) => {
                    let below = numerator < square(SqrtPrice::MIN.x64());
                    prop_assert!(below || numerator >= square(SqrtPrice::MAX.x64() + 1));
                    prop_assert!(up.is_err() || below);
                }
                (Ok(_), Err(_)) => prop_assert!(numerator > square(SqrtPrice::MAX.x64())),
            }
        }
    }

    #[test]
    fn a_root_that_does_not_end_is_rounded_up_though_the_price_is_exact() {
        let feed = |price| feed(price, 0);
        let (one, two, four) = (feed(1), feed(2), feed(4));
        let down = |base| sqrt_price_down(base, one, 0, 0).unwrap();
        let up = |base| sqrt_price_up(base, one, 0, 0).unwrap();
        assert_eq!((down(four).x64(), up(four).x64()), (2 << 64, 2 << 64));
        assert_eq!(up(two).x64(), down(two).x64() + 1);
        // 1 / 3 has no end in binary, nor has its root.
        let third = |root: fn(FeedPrice, FeedPrice, u8, u8) -> Result<SqrtPrice, OracleError>| {
            root(one, feed(3), 0, 0).unwrap().x64()
        };
        assert_eq!(third(sqrt_price_up), third(sqrt_price_down) + 1);
    }
}
