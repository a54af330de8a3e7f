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
