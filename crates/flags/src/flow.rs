//! What was swapped in a pool between two looks, by the fees that its liquidity has earned: nobody has to watch every swap.

use ballast_model::{SqrtPrice, value_down};

/// What a look at a pool shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolMark {
    /// Fees per unit of liquidity since ever, base and quote, Q64.64, wrapping.
    pub fee_growth_x64: [u128; 2],
    /// Liquidity at the price.
    pub liquidity: u128,
    /// Price.
    pub at: SqrtPrice,
    /// Fee of a swap, 1e-6 of the input.
    pub fee_rate_ppm: u16,
}

impl PoolMark {
    /// Value that was swapped since an earlier look, in quote units, as far as fees tell: exact to the liquidity's changes in between.
    /// Pools without a fee tell nothing: 0.
    #[must_use]
    pub fn swapped_since(&self, before: &Self) -> u128 {
        // What came and went in between earned little.
        let liquidity = self.liquidity.min(before.liquidity);
        let [base, quote] = [0, 1].map(|side| {
            let growth = self.fee_growth_x64[side].wrapping_sub(before.fee_growth_x64[side]);
            fees_down(growth, liquidity)
        });
        let base = value_down(base, self.at).unwrap_or(u128::MAX);
        let fees = base.saturating_add(quote.into());
        let rate = u128::from(self.fee_rate_ppm);
        fees.saturating_mul(1_000_000)
            .checked_div(rate)
            .unwrap_or(0)
    }
}

/// Growth times liquidity in whole units, at most all that there can be.
fn fees_down(growth_x64: u128, liquidity: u128) -> u64 {
    // In two halves, because the product has up to 256 bits.
    let (high, low) = (growth_x64 >> 64, growth_x64 & u128::from(u64::MAX));
    let high = high.saturating_mul(liquidity);
    let (above, below) = (liquidity >> 64, liquidity & u128::from(u64::MAX));
    let low = (low * above).saturating_add((low * below) >> 64);
    u64::try_from(high.saturating_add(low)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: u128 = 1 << 64;

    fn mark(base: u128, quote: u128) -> PoolMark {
        PoolMark {
            fee_growth_x64: [base, quote],
            liquidity: 1_000_000,
            // One base is four quote.
            at: SqrtPrice::new(2 * ONE).unwrap(),
            fee_rate_ppm: 400,
        }
    }

    #[test]
    fn fees_of_both_tokens_over_the_rate_are_what_was_swapped() {
        // 4 base and 40 quote of fees: worth 56 quote, of 140 000.
        let after = mark(ONE / 250_000, ONE / 25_000);
        let swapped = after.swapped_since(&mark(0, 0));
        assert!((127_500..=140_000).contains(&swapped), "{swapped}");
        assert_eq!(after.swapped_since(&after), 0);
        let free = PoolMark {
            fee_rate_ppm: 0,
            ..after
        };
        assert_eq!(free.swapped_since(&mark(0, 0)), 0);
    }

    #[test]
    fn growth_wraps_and_extremes_saturate() {
        let before = mark(u128::MAX - ONE + 1, 0);
        let after = mark(ONE, 0);
        assert_eq!(after.swapped_since(&before), 2_000_000 * 4 * 2_500);
        let wild = PoolMark {
            liquidity: u128::MAX,
            ..mark(0, u128::MAX)
        };
        let from = PoolMark {
            liquidity: u128::MAX,
            ..mark(0, 0)
        };
        assert_eq!(wild.swapped_since(&from), u128::from(u64::MAX) * 2_500);
        assert_eq!(fees_down(u128::MAX, u128::MAX), u64::MAX);
        assert_eq!(fees_down(ONE / 2, 5), 2);
    }
}
