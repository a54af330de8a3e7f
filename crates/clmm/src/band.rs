//! The price range of a position.

use crate::{
    Amounts, ClmmError, SqrtPrice, Tick, base_amount_down, base_amount_up, quote_amount_down,
    quote_amount_up,
};

/// A price range `[lower, upper]`, not empty. It is kept as two square-root prices, computed from ticks once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Band {
    lower: SqrtPrice,
    upper: SqrtPrice,
}

impl Band {
    /// The band between two ticks.
    ///
    /// # Errors
    /// [`ClmmError::EmptyBand`] unless `lower < upper`.
    pub const fn new(lower: Tick, upper: Tick) -> Result<Band, ClmmError> {
        Band::from_sqrt_prices(lower.sqrt_price(), upper.sqrt_price())
    }

    /// The band between two square-root prices, which need not be prices of ticks.
    ///
    /// # Errors
    /// [`ClmmError::EmptyBand`] unless `lower < upper`.
    pub const fn from_sqrt_prices(lower: SqrtPrice, upper: SqrtPrice) -> Result<Band, ClmmError> {
        if lower.x64() >= upper.x64() {
            return Err(ClmmError::EmptyBand {
                lower: lower.x64(),
                upper: upper.x64(),
            });
        }
        Ok(Band { lower, upper })
    }

    /// Square-root price at the lower end.
    pub const fn sqrt_lower(&self) -> SqrtPrice {
        self.lower
    }

    /// Square-root price at the upper end.
    pub const fn sqrt_upper(&self) -> SqrtPrice {
        self.upper
    }

    /// The price in the band nearest to `at`.
    pub const fn clamp(&self, at: SqrtPrice) -> SqrtPrice {
        if at.x64() < self.lower.x64() {
            self.lower
        } else if at.x64() > self.upper.x64() {
            self.upper
        } else {
            at
        }
    }

    /// Whether liquidity in this band is active at a price: `lower <= at < upper`, as Whirlpool counts it.
    pub const fn contains(&self, at: SqrtPrice) -> bool {
        self.lower.x64() <= at.x64() && at.x64() < self.upper.x64()
    }

    /// What `liquidity` in this band holds at a price, each amount rounded down: what withdrawing it pays.
    ///
    /// Base between the price and the upper end, quote between the lower end and the price, the price clamped to the band.
    ///
    /// # Errors
    /// As [`base_amount_down`] and [`quote_amount_down`].
    pub const fn amounts_down(&self, liquidity: u128, at: SqrtPrice) -> Result<Amounts, ClmmError> {
        let at = self.clamp(at);
        match (
            base_amount_down(liquidity, at, self.upper),
            quote_amount_down(liquidity, self.lower, at),
        ) {
            (Ok(base), Ok(quote)) => Ok(Amounts { base, quote }),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }

    /// What `liquidity` in this band takes at a price, each amount rounded up: what providing it costs.
    ///
    /// # Errors
    /// As [`base_amount_up`] and [`quote_amount_up`].
    pub const fn amounts_up(&self, liquidity: u128, at: SqrtPrice) -> Result<Amounts, ClmmError> {
        let at = self.clamp(at);
        match (
            base_amount_up(liquidity, at, self.upper),
            quote_amount_up(liquidity, self.lower, at),
        ) {
            (Ok(base), Ok(quote)) => Ok(Amounts { base, quote }),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wide::{U256, isqrt_down};

    fn tick(index: i32) -> Tick {
        Tick::new(index).unwrap()
    }

    /// Square-root price of a price in whole tokens of 9 (base) and 6 (quote) decimals.
    fn price(milli_quote_per_base: u64) -> SqrtPrice {
        let x128 = (U256::from(milli_quote_per_base) << 128) / U256::from(1_000_000);
        SqrtPrice::new(isqrt_down(x128)).unwrap()
    }

    #[test]
    fn a_band_is_not_empty() {
        assert!(Band::new(tick(-1), tick(0)).is_ok());
        for (lower, upper) in [(0, 0), (1, 0)] {
            let (lower, upper) = (tick(lower), tick(upper));
            let expected = ClmmError::EmptyBand {
                lower: lower.sqrt_price().x64(),
                upper: upper.sqrt_price().x64(),
            };
            assert_eq!(Band::new(lower, upper), Err(expected));
        }
    }

    #[test]
    fn ends_belong_to_it_as_in_a_whirlpool() {
        let band = Band::new(tick(-10), tick(10)).unwrap();
        let (lower, upper) = (band.sqrt_lower(), band.sqrt_upper());
        let outside = (tick(-11).sqrt_price(), tick(11).sqrt_price());
        assert!(band.contains(lower) && band.contains(SqrtPrice::ONE));
        assert!(!band.contains(upper) && !band.contains(outside.0) && !band.contains(outside.1));
        assert_eq!(band.clamp(outside.0), lower);
        assert_eq!(band.clamp(outside.1), upper);
        assert_eq!(band.clamp(SqrtPrice::ONE), SqrtPrice::ONE);
    }

    #[test]
    fn one_token_outside_both_inside() {
        let band = Band::new(tick(-10), tick(10)).unwrap();
        let below = band.amounts_down(1_000_000, SqrtPrice::MIN).unwrap();
        assert_eq!(below, Amounts::new(999, 0));
        assert_eq!(band.amounts_down(1_000_000, band.sqrt_lower()), Ok(below));
        assert_eq!(
            band.amounts_down(1_000_000, SqrtPrice::ONE),
            Ok(Amounts::new(499, 499))
        );
        assert_eq!(
            band.amounts_up(1_000_000, SqrtPrice::ONE),
            Ok(Amounts::new(500, 500))
        );
        let above = band.amounts_up(1_000_000, SqrtPrice::MAX).unwrap();
        assert_eq!(above, Amounts::new(0, 1_000));
        assert_eq!(band.amounts_up(1_000_000, band.sqrt_upper()), Ok(above));
    }

    #[test]
    fn the_worked_example_of_a_leveraged_position() {
        // Price 200, band 190..210, 300 of liquidity value: L 429.239012648545 in whole tokens, hence 10^7.5 times as many
        // raw units, holds 0.731475723873 base and 153.704855225473 quote.
        let band = Band::from_sqrt_prices(price(190_000), price(210_000)).unwrap();
        let liquidity = 13_573_729_396;
        let amounts = band.amounts_down(liquidity, price(200_000)).unwrap();
        assert_eq!(amounts, Amounts::new(731_475_723, 153_704_855));
    }
}
