use ballast_clmm::{Band, SqrtPrice};
use thiserror::Error;

use super::open::liquidity_for_value_down;
use crate::{Bps, ModelError, Position, Price};

/// What a position is to become: as much leverage, hedged like that, in this band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Assets over equity, at least 1.
    pub leverage: Bps,
    /// Base debt over the pool's base; [`Bps::ONE`] is delta-neutral.
    pub hedge: Bps,
    /// Price range of the liquidity afterwards.
    pub band: Band,
}

/// How it gets there: trade the surplus, borrow what is missing, provide the liquidity, repay with what is left over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetPlan {
    /// Liquidity afterwards, if the trade cost nothing; never less than what is in the same band already.
    pub liquidity: u128,
    /// Base to sell if positive, to buy if negative: what is held net of debt beyond the unhedged part of the pool's base.
    /// With a full hedge it is the position's delta, whatever the new band is (MATH section 4).
    pub base_surplus: i128,
}

/// Why it cannot become that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TargetError {
    /// Leverage below one.
    #[error("leverage {0} must be at least 100%")]
    LeverageBelowOne(Bps),
    /// Nothing is left of the position.
    #[error("equity {0} is not positive: nothing to provide liquidity with")]
    NoEquity(i128),
    /// The equity does not buy one unit of liquidity.
    #[error("equity worth {0} quote units is too small for this band: add funds")]
    TooSmall(u128),
    /// Borrowing the hedge alone costs more debt than the leverage allows.
    #[error(
        "hedge not affordable: the base to borrow is worth {hedge_value} quote units, but leverage {leverage} allows debt of \
         only {debt_allowed}: raise leverage, lower the hedge ratio or move the band down"
    )]
    NotAffordable {
        /// Value of the base that the hedge needs borrowed.
        hedge_value: u128,
        /// Debt that the leverage allows.
        debt_allowed: u128,
        /// The leverage asked for.
        leverage: Bps,
    },
    /// See [`ModelError`].
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// Plans the way from any position to a target. Liquidity is sized at `at`, the pool's price, where it is carried out; the hedge
/// at `oracle`, where it is judged: what lies between the two is bought or sold, in the pool and to its loss. Liquidity in another
/// band than the target's has to be withdrawn first.
///
/// For an empty position with own funds idle this is how a position is opened; with liquidity in the same band how it
/// grows; after withdrawing everything how it is recentered.
///
/// # Errors
/// [`TargetError`].
pub fn plan_target(
    position: &Position,
    target: &Target,
    at: SqrtPrice,
    oracle: SqrtPrice,
) -> Result<TargetPlan, TargetError> {
    let Target {
        leverage,
        hedge,
        band,
    } = *target;
    if leverage < Bps::ONE {
        return Err(TargetError::LeverageBelowOne(leverage));
    }
    let equity = position.equity_down(at)?;
    let equity = u128::try_from(equity)
        .ok()
        .filter(|equity| *equity > 0)
        .ok_or(TargetError::NoEquity(equity))?;
    let assets = leverage
        .of_down(equity)
        .ok_or(ModelError::Overflow("leveraged equity"))?;
    let wanted = liquidity_for_value_down(&band, assets, at)?;
    if wanted == 0 {
        return Err(TargetError::TooSmall(equity));
    }
    let liquidity = wanted.max(position.liquidity);
    let afterwards = Position {
        band,
        liquidity,
        ..*position
    };
    // Every later valuation and the delta band need them.
    afterwards.full_base_up()?;
    afterwards.full_quote_up()?;

    let pooled = band.amounts_up(liquidity, at).map_err(ModelError::from)?;
    let at_oracle = band
        .amounts_up(liquidity, oracle)
        .map_err(ModelError::from)?;
    let hedged = hedge
        .of_up(u128::from(at_oracle.base))
        .and_then(|base| u64::try_from(base).ok())
        .ok_or(ModelError::Overflow("base to borrow"))?;
    let price = Price::from(at);
    let hedge_value = price.value_up(hedged);
    let debt_allowed = assets - equity;
    if liquidity == wanted && hedge_value > debt_allowed {
        // What rounding the liquidity down may leave over.
        let one = band.amounts_up(1, at).map_err(ModelError::from)?;
        let rounding = price
            .value_up(one.base)
            .saturating_add(u128::from(one.quote))
            .saturating_add(price.ceil().saturating_mul(2))
            .saturating_add(8);
        if hedge_value > debt_allowed.saturating_add(rounding) {
            return Err(TargetError::NotAffordable {
                hedge_value,
                debt_allowed,
                leverage,
            });
        }
    }
    let held = if position.liquidity == 0 {
        0
    } else {
        // What is in the pool already is counted as it will be, rounded alike.
        position
            .band
            .amounts_up(position.liquidity, at)
            .map_err(ModelError::from)?
            .base
    };
    let net = i128::from(held) + i128::from(position.idle.base) - i128::from(position.debt.base);
    Ok(TargetPlan {
        liquidity,
        base_surplus: net - (i128::from(pooled.base) - i128::from(hedged)),
    })
}

#[cfg(test)]
mod tests {
    use ballast_clmm::{Amounts, Tick};

    use super::*;
    use crate::{OpenRequest, plan_open};

    fn band(lower: i32, upper: i32) -> Band {
        Band::new(Tick::new(lower).unwrap(), Tick::new(upper).unwrap()).unwrap()
    }

    fn position(liquidity: u128, idle: Amounts, debt: Amounts) -> Position {
        Position {
            band: band(-1_000, 1_000),
            liquidity,
            idle,
            debt,
        }
    }

    fn target(leverage: u32, hedge: Bps) -> Target {
        Target {
            leverage: Bps::new(leverage),
            hedge,
            band: band(-1_000, 1_000),
        }
    }

    fn planned(position: &Position, target: &Target) -> Result<TargetPlan, TargetError> {
        plan_target(position, target, SqrtPrice::ONE, SqrtPrice::ONE)
    }

    #[test]
    fn own_funds_become_what_opening_makes_of_them() {
        for own in [Amounts::new(0, 1_000_000), Amounts::new(700_000, 300_000)] {
            let target = target(30_000, Bps::ONE);
            let plan = planned(&position(0, own, Amounts::ZERO), &target).unwrap();
            let opened = plan_open(OpenRequest {
                own,
                leverage: target.leverage,
                hedge: target.hedge,
                band: target.band,
                at: SqrtPrice::ONE,
            });
            let opened = opened.unwrap();
            assert_eq!(plan.liquidity, opened.liquidity);
            assert_eq!(plan.base_surplus, opened.base_surplus);
        }
    }

    #[test]
    fn what_is_held_beyond_the_unhedged_part_is_sold() {
        let (idle, debt) = (Amounts::new(5_000, 900_000), Amounts::new(40_000, 1));
        let before = position(1_000_000, idle, debt);
        let base = |liquidity| {
            let amounts = before.band.amounts_up(liquidity, SqrtPrice::ONE);
            i128::from(amounts.unwrap().base)
        };
        let net = base(1_000_000) + 5_000 - 40_000;
        let hedged = planned(&before, &target(20_000, Bps::ONE)).unwrap();
        assert!(hedged.liquidity > before.liquidity);
        assert_eq!(hedged.base_surplus, net);
        let unhedged = planned(&before, &target(20_000, Bps::ZERO)).unwrap();
        assert_eq!(unhedged.base_surplus, net - base(unhedged.liquidity));
        // Nothing is taken out of the band, and more debt than the leverage allows is no reason to refuse then.
        let large = position(50_000_000, Amounts::ZERO, Amounts::new(1_000_000, 0));
        let plan = planned(&large, &target(10_000, Bps::ONE)).unwrap();
        assert_eq!(plan.liquidity, 50_000_000);
    }

    #[test]
    fn only_what_rounding_may_leave_over_is_borrowed_beyond_the_leverage() {
        // At a price of one: a unit of either for one of liquidity, two of base, and eight.
        const ROUNDING: u128 = 12;
        let (mut allowed, mut refused) = (0, u128::MAX);
        for equity in 200_000..300_000u64 {
            let funded = position(0, Amounts::new(0, equity), Amounts::ZERO);
            match planned(&funded, &target(19_999, Bps::ONE)) {
                Ok(plan) => {
                    let pooled = funded.band.amounts_up(plan.liquidity, SqrtPrice::ONE);
                    let debt = u128::from(equity) * 9_999 / 10_000;
                    let beyond = u128::from(pooled.unwrap().base).saturating_sub(debt);
                    allowed = allowed.max(beyond);
                }
                Err(TargetError::NotAffordable {
                    hedge_value,
                    debt_allowed,
                    ..
                }) => refused = refused.min(hedge_value - debt_allowed),
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!((allowed, refused), (ROUNDING, ROUNDING + 1));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let funded = position(0, Amounts::new(0, 1_000_000), Amounts::ZERO);
        assert!(planned(&funded, &target(10_000, Bps::ZERO)).is_ok());
        assert_eq!(
            planned(&funded, &target(9_999, Bps::ZERO)),
            Err(TargetError::LeverageBelowOne(Bps::new(9_999)))
        );
        let broke = position(0, Amounts::new(0, 100), Amounts::new(0, 100));
        assert_eq!(
            planned(&broke, &target(10_000, Bps::ZERO)),
            Err(TargetError::NoEquity(0))
        );
        // About half of 1.1 times the equity is base.
        let short = planned(&funded, &target(11_000, Bps::ONE));
        let Err(TargetError::NotAffordable {
            hedge_value,
            debt_allowed,
            ..
        }) = short
        else {
            panic!("{short:?}")
        };
        assert_eq!(debt_allowed, 100_000);
        assert!((540_000..560_000).contains(&hedge_value), "{hedge_value}");
        // All of it in base, far below, would be more than 64 bits hold.
        let rich = position(0, Amounts::new(0, 1_000_000_000_000), Amounts::ZERO);
        let wide = Target {
            band: band(-400_000, 0),
            ..target(10_000, Bps::ZERO)
        };
        assert!(matches!(planned(&rich, &wide), Err(TargetError::Model(_))));
    }
}
