use ballast_clmm::{
    Amounts, Band, ClmmError, SqrtPrice, base_amount_down, base_amount_up, quote_amount_down,
    quote_amount_up, wide,
};

use crate::{Bps, ModelError, Price, Valuation};

/// A leveraged position: liquidity in a band, idle tokens beside it, and what is owed.
///
/// Assets `A = (x + lx) P + y + ly`, debt `D = dx P + dy`, equity `A - D`, where x and y are what the liquidity holds
/// at P, (lx, ly) = `idle` and (dx, dy) = `debt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Price range of the liquidity.
    pub band: Band,
    /// Liquidity in the pool's own unit.
    pub liquidity: u128,
    /// Tokens that belong to the position but are not in the pool.
    pub idle: Amounts,
    /// Tokens owed, interest included, rounded up.
    pub debt: Amounts,
}

impl Position {
    /// The same with more tokens beside the liquidity: fees that were collected, or could be.
    ///
    /// # Errors
    /// [`ModelError::Clmm`] if an amount exceeds 64 bits.
    pub fn with_idle(&self, more: Amounts) -> Result<Self, ModelError> {
        Ok(Self {
            idle: self.idle.checked_add(more)?,
            ..*self
        })
    }

    /// What withdrawing all liquidity pays at a price.
    ///
    /// # Errors
    /// [`ModelError::Clmm`] if an amount exceeds 64 bits.
    pub fn pool_amounts_down(&self, at: SqrtPrice) -> Result<Amounts, ModelError> {
        Ok(self.band.amounts_down(self.liquidity, at)?)
    }

    /// Assets and debt at a price: the pool's amounts at that price, rounded down; debts valued up.
    ///
    /// A pool amount beyond 64 bits (a wide band at a price that no token supply reaches) counts as `u64::MAX`: no
    /// oversized position can escape a health check by making its valuation fail.
    ///
    /// # Errors
    /// [`ModelError::Overflow`] if the debt's value exceeds 128 bits: only debts near 2^64 at the highest prices.
    pub fn value(&self, at: SqrtPrice) -> Result<Valuation, ModelError> {
        self.valuation(Price::from(at), self.pooled(at))
    }

    /// [`Position::value`] and [`Position::delta`] in one go; a pool amount beyond 64 bits counts as `u64::MAX` in both.
    ///
    /// # Errors
    /// As [`Position::value`].
    pub fn value_and_delta(&self, at: SqrtPrice) -> Result<(Valuation, i128), ModelError> {
        let pooled = self.pooled(at);
        let held = i128::from(pooled.base) + i128::from(self.idle.base);
        let delta = held - i128::from(self.debt.base);
        Ok((self.valuation(Price::from(at), pooled)?, delta))
    }

    /// The position at a price, for whoever asks for more than one figure of it.
    pub fn at(&self, at: SqrtPrice) -> AtPrice {
        AtPrice {
            position: *self,
            at,
            price: Price::from(at),
            pooled: self.pooled(at),
        }
    }

    /// What the liquidity is at a price, each amount at most `u64::MAX`.
    fn pooled(&self, at: SqrtPrice) -> Amounts {
        let (lower, upper) = (self.band.sqrt_lower(), self.band.sqrt_upper());
        let inside = self.band.clamp(at);
        Amounts {
            base: saturating(base_amount_down(self.liquidity, inside, upper)),
            quote: saturating(quote_amount_down(self.liquidity, lower, inside)),
        }
    }

    pub(crate) fn valuation(&self, price: Price, pooled: Amounts) -> Result<Valuation, ModelError> {
        let quote = u128::from(pooled.quote) + u128::from(self.idle.quote);
        let base = match pooled.base.checked_add(self.idle.base) {
            Some(base) => price.value_down(base),
            None => price
                .value_down(pooled.base)
                .saturating_add(price.value_down(self.idle.base)),
        };
        Ok(Valuation {
            assets: base.saturating_add(quote),
            debt: debt_value_up(self.debt, price)?,
        })
    }

    /// Value of everything owned, rounded down.
    ///
    /// # Errors
    /// As [`Position::value`].
    pub fn assets_down(&self, at: SqrtPrice) -> Result<u128, ModelError> {
        Ok(self.value(at)?.assets)
    }

    /// Value of everything owed, rounded up.
    ///
    /// # Errors
    /// As [`Position::value`].
    pub fn debt_up(&self, at: SqrtPrice) -> Result<u128, ModelError> {
        debt_value_up(self.debt, Price::from(at))
    }

    /// Assets less debt, rounded down; negative when the debt is not covered.
    ///
    /// # Errors
    /// As [`Position::value`].
    pub fn equity_down(&self, at: SqrtPrice) -> Result<i128, ModelError> {
        Ok(self.value(at)?.equity())
    }

    /// Exposure to the base token, dE/dP: base held less base owed, rounded down.
    ///
    /// # Errors
    /// [`ModelError::Clmm`] if the pool's base exceeds 64 bits.
    pub fn delta(&self, at: SqrtPrice) -> Result<i128, ModelError> {
        self.hedge_error(at, Bps::ONE)
    }

    /// How far the base debt is from its target, `h x + lx - dx` with `h x` rounded down: sell this much base if
    /// positive, buy if negative, and it is zero. For `h` = 1 it is [`Position::delta`].
    ///
    /// # Errors
    /// [`ModelError::Clmm`] if the pool's base exceeds 64 bits.
    pub fn hedge_error(&self, at: SqrtPrice, hedge: Bps) -> Result<i128, ModelError> {
        let upper = self.band.sqrt_upper();
        let base = base_amount_down(self.liquidity, self.band.clamp(at), upper)?;
        Ok(hedged_down(base, hedge) + i128::from(self.idle.base) - i128::from(self.debt.base))
    }

    /// All base that the liquidity ever holds: X = L(1/sa - 1/sb), at and below the band, rounded up.
    ///
    /// # Errors
    /// [`ModelError::Clmm`] if it exceeds 64 bits.
    pub fn full_base_up(&self) -> Result<u64, ModelError> {
        Ok(base_amount_up(
            self.liquidity,
            self.band.sqrt_lower(),
            self.band.sqrt_upper(),
        )?)
    }

    /// All quote that the liquidity ever holds: Y = L(sb - sa), at and above the band, rounded up.
    ///
    /// # Errors
    /// [`ModelError::Clmm`] if it exceeds 64 bits.
    pub fn full_quote_up(&self) -> Result<u64, ModelError> {
        Ok(quote_amount_up(
            self.liquidity,
            self.band.sqrt_lower(),
            self.band.sqrt_upper(),
        )?)
    }

    /// Base by which delta falls when the price rises by one percent: `-gamma P / 100 = L / (200 s)` inside the band
    /// (its lower end included, as the pool counts), 0 outside. Rounded up: what rehedging has to expect.
    ///
    /// # Errors
    /// [`ModelError::Overflow`] if it exceeds 128 bits.
    pub fn gamma_per_percent_up(&self, at: SqrtPrice) -> Result<u128, ModelError> {
        if !self.band.contains(at) {
            return Ok(0);
        }
        // s < 2^96, so that 200 s fits.
        wide::shl64_div_up(self.liquidity, 200 * at.x64()).ok_or(ModelError::Overflow("gamma"))
    }

    /// The same position after its debts have grown by these factors (Q64.64, at least 1), rounded up: use it for
    /// boundaries that are relied on until then. See [`crate::lending::growth_x64_up`].
    ///
    /// # Errors
    /// [`ModelError::Overflow`] if a debt exceeds 64 bits.
    pub fn grown(
        &self,
        base_growth_x64: u128,
        quote_growth_x64: u128,
    ) -> Result<Position, ModelError> {
        Ok(Position {
            debt: Amounts {
                base: grow_up(self.debt.base, base_growth_x64)?,
                quote: grow_up(self.debt.quote, quote_growth_x64)?,
            },
            ..*self
        })
    }
}

/// A position at one price. What its liquidity is there is computed once, the most expensive part of every figure.
#[derive(Clone, Copy, Debug)]
pub struct AtPrice {
    position: Position,
    at: SqrtPrice,
    price: Price,
    pooled: Amounts,
}

impl AtPrice {
    /// The position.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// The same position later, at the same price.
    #[must_use]
    pub fn then(&self, later: &Position) -> Self {
        let same = later.liquidity == self.position.liquidity && later.band == self.position.band;
        if !same {
            return Self {
                position: *later,
                pooled: later.pooled(self.at),
                ..*self
            };
        }
        Self {
            position: *later,
            ..*self
        }
    }

    /// See [`Position::value`].
    ///
    /// # Errors
    /// As [`Position::value`].
    pub fn value(&self) -> Result<Valuation, ModelError> {
        self.position.valuation(self.price, self.pooled)
    }

    /// See [`Position::hedge_error`].
    ///
    /// # Errors
    /// [`ModelError::Overflow`] if the pool's base exceeds 64 bits.
    pub fn hedge_error(&self, hedge: Bps) -> Result<i128, ModelError> {
        let Position { idle, debt, .. } = &self.position;
        if self.pooled.base == u64::MAX {
            return Err(ModelError::Overflow("the pool's base"));
        }
        let hedged = hedged_down(self.pooled.base, hedge);
        Ok(hedged + i128::from(idle.base) - i128::from(debt.base))
    }
}

/// `h x`, rounded down.
pub(crate) fn hedged_down(base: u64, hedge: Bps) -> i128 {
    // A 64-bit amount times a 32-bit ratio.
    i128::from(base) * i128::from(hedge.get()) / i128::from(Bps::ONE.get())
}

fn grow_up(debt: u64, growth_x64: u128) -> Result<u64, ModelError> {
    wide::mul_shr64_up(u128::from(debt), growth_x64)
        .and_then(|grown| u64::try_from(grown).ok())
        .ok_or(ModelError::Overflow("grown debt"))
}

fn debt_value_up(debt: Amounts, price: Price) -> Result<u128, ModelError> {
    price
        .value_up(debt.base)
        .checked_add(u128::from(debt.quote))
        .ok_or(ModelError::Overflow("debt value"))
}

/// The pool's functions fail only for amounts above 64 bits, so that `u64::MAX` is still a rounding down.
pub(crate) fn saturating(amount: Result<u64, ClmmError>) -> u64 {
    amount.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use ballast_clmm::Tick;

    use super::*;

    #[test]
    fn a_position_at_one_price_says_what_it_says_there() {
        let tick = |tick| Tick::new(tick).unwrap();
        let position = |liquidity, idle, debt| Position {
            band: Band::new(tick(-1_000), tick(1_000)).unwrap(),
            liquidity,
            idle,
            debt,
        };
        let before = position(
            1_000_000_000,
            Amounts::new(500, 7),
            Amounts::new(40_000_000, 9),
        );
        // Debts change, and with another liquidity what the pool holds.
        let later = [
            position(1_000_000_000, Amounts::ZERO, Amounts::new(30_000_000, 1)),
            position(700_000_000, Amounts::new(1, 2), Amounts::new(3, 4)),
        ];
        for at in [-2_000, -500, 0, 999, 2_000].map(|at| tick(at).sqrt_price()) {
            let there = before.at(at);
            for (there, position) in [
                (there, before),
                (there.then(&later[0]), later[0]),
                (there.then(&later[1]), later[1]),
            ] {
                assert_eq!(there.value(), position.value(at));
                for hedge in [Bps::ZERO, Bps::new(5_000), Bps::ONE] {
                    assert_eq!(there.hedge_error(hedge), position.hedge_error(at, hedge));
                }
            }
        }
    }

    #[test]
    fn value_and_delta_are_those_of_one_price() {
        let tick = |tick| Tick::new(tick).unwrap();
        let position = Position {
            band: Band::new(tick(-1_000), tick(1_000)).unwrap(),
            liquidity: 1_000_000_000,
            idle: Amounts::new(500, 7),
            debt: Amounts::new(40_000_000, 9),
        };
        for at in [-2_000, -500, 0, 999, 2_000].map(|at| tick(at).sqrt_price()) {
            assert_eq!(
                position.value_and_delta(at),
                Ok((position.value(at).unwrap(), position.delta(at).unwrap()))
            );
        }
        // Above the band no base is in the pool.
        let (_, delta) = position.value_and_delta(tick(1_000).sqrt_price()).unwrap();
        assert_eq!(delta, 500 - 40_000_000);
    }

    #[test]
    fn what_comes_or_grows_is_added_and_all_else_stays() {
        let tick = |tick| Tick::new(tick).unwrap();
        let position = Position {
            band: Band::new(tick(-1_000), tick(1_000)).unwrap(),
            liquidity: 1_000,
            idle: Amounts::new(500, 7),
            debt: Amounts::new(40, 9),
        };
        let with_idle = position.with_idle(Amounts::new(1, 2)).unwrap();
        let idle = Amounts::new(501, 9);
        assert_eq!(with_idle, Position { idle, ..position });
        // By a half and to the double; half a unit counts as one.
        let grown = position.grown(3 << 63, 2 << 64).unwrap();
        let debt = Amounts::new(60, 18);
        assert_eq!(grown, Position { debt, ..position });
        assert_eq!(position.grown(1 << 64, 3 << 63).unwrap().debt.quote, 14);
    }

    #[test]
    fn a_position_in_another_band_is_looked_at_anew() {
        let tick = |tick| Tick::new(tick).unwrap();
        let position = |lower, upper| Position {
            band: Band::new(tick(lower), tick(upper)).unwrap(),
            liquidity: 1_000_000_000,
            idle: Amounts::new(500, 7),
            debt: Amounts::new(40_000_000, 9),
        };
        let (before, later) = (position(-1_000, 1_000), position(-3_000, 500));
        let at = tick(100).sqrt_price();
        assert_ne!(before.value(at), later.value(at));
        assert_eq!(before.at(at).then(&later).value(), later.value(at));
    }
}
