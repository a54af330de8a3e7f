//! What a move of the price does to a position: delta times the move, and the rest.

use ballast_clmm::SqrtPrice;

use crate::{ModelError, Position, value_down};

/// A change of equity by a move of the price alone, raw quote units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Delta before the move times the move.
    pub drift: i128,
    /// The rest: what the liquidity lost against the tokens that it held before.
    pub curvature: i128,
}

impl Position {
    /// What a move of the price does to it. The two add up to the difference of [`Position::equity_down`], to the unit.
    ///
    /// # Errors
    /// [`ModelError`] if an amount or a value cannot be represented.
    pub fn moved(&self, from: SqrtPrice, to: SqrtPrice) -> Result<Moved, ModelError> {
        let overflow = ModelError::Overflow("a move's value");
        let (before, after) = (self.equity_down(from)?, self.equity_down(to)?);
        let delta = self.delta(from)?;
        let size = u64::try_from(delta.unsigned_abs()).map_err(|_| overflow)?;
        let value = |at| i128::try_from(value_down(size, at)?).map_err(|_| overflow);
        let long = value(to)? - value(from)?;
        let drift = if delta < 0 { -long } else { long };
        let curvature = after
            .checked_sub(before)
            .and_then(|change| change.checked_sub(drift));
        Ok(Moved {
            drift,
            curvature: curvature.ok_or(overflow)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use ballast_clmm::{Amounts, Band, Tick};
    use proptest::prelude::*;

    use super::*;

    fn at(tick: i32) -> SqrtPrice {
        Tick::new(tick).unwrap().sqrt_price()
    }

    fn position(idle: Amounts, debt: Amounts) -> Position {
        Position {
            band: Band::new(Tick::new(-16_648).unwrap(), Tick::new(-15_648).unwrap()).unwrap(),
            liquidity: 27_000_000_000,
            idle,
            debt,
        }
    }

    proptest! {
        #[test]
        fn drift_and_curvature_are_the_change_of_equity(
            from in -30_000i32..30_000,
            to in -30_000i32..30_000,
            idle in (0u64..1 << 40, 0u64..1 << 40),
            debt in (0u64..1 << 40, 0u64..1 << 40),
        ) {
            let held = position(Amounts::new(idle.0, idle.1), Amounts::new(debt.0, debt.1));
            let moved = held.moved(at(from), at(to)).unwrap();
            let change = held.equity_down(at(to)).unwrap() - held.equity_down(at(from)).unwrap();
            prop_assert_eq!(moved.drift + moved.curvature, change);
            // Liquidity is short gamma: but for the cut fractions of a handful of values it never gains.
            prop_assert!(moved.curvature <= 6, "{:?}", moved);
        }
    }

    #[test]
    fn drift_has_the_sign_of_delta_times_the_move() {
        let long = position(Amounts::new(500_000_000, 0), Amounts::ZERO);
        let short = position(Amounts::ZERO, Amounts::new(5_000_000_000, 0));
        let (low, high) = (at(-16_400), at(-15_900));
        assert!(long.moved(low, high).unwrap().drift > 0);
        assert!(long.moved(high, low).unwrap().drift < 0);
        assert!(short.moved(low, high).unwrap().drift < 0);
        assert!(long.moved(low, high).unwrap().curvature < 0);
        // Without liquidity at work there is no curvature.
        let out = long.moved(at(-15_600), at(-15_000)).unwrap();
        assert!(out.curvature.abs() <= 3, "{out:?}");
        assert_eq!(long.moved(low, low).unwrap(), Moved::default());
    }
}
