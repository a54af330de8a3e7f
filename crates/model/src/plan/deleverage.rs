use ballast_clmm::{Amounts, SqrtPrice, wide};
use thiserror::Error;

use crate::{Bps, ModelError, Position, Price};

/// Withdraw `liquidity`, then repay `repay` out of what came and what lay idle; the rest stays idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeleveragePlan {
    /// Liquidity to withdraw; 0 if what lies idle is enough.
    pub liquidity: u128,
    /// What the withdrawal pays at the pool's price.
    pub withdraw: Amounts,
    /// What to repay: on each side the smaller of what is there and what is owed.
    pub repay: Amounts,
}

/// Why there is no swap-free deleverage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DeleverageError {
    /// LTV is at or below the target.
    #[error("LTV is {ltv_bps} bps, at or below the target {target}: nothing to deleverage")]
    NotNeeded {
        /// LTV at the oracle's price, rounded up.
        ltv_bps: u32,
        /// The target asked for.
        target: Bps,
    },
    /// Not even withdrawing everything repays enough, because the tokens do not match the debts.
    #[error("repaying both debts without a swap cannot reach LTV {target}: swap first, or close")]
    NeedsSwap {
        /// The target asked for.
        target: Bps,
    },
    /// The target is 100 % or more.
    #[error("target LTV {0} must be below 100%")]
    BadTarget(Bps),
    /// See [`ModelError`].
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl DeleveragePlan {
    /// The position after the plan.
    ///
    /// # Errors
    /// [`ModelError`] if the plan was made for another position.
    pub fn apply(&self, position: &Position) -> Result<Position, ModelError> {
        let idle = position
            .idle
            .checked_add(self.withdraw)?
            .checked_sub(self.repay)?;
        Ok(Position {
            liquidity: position
                .liquidity
                .checked_sub(self.liquidity)
                .ok_or(ModelError::Overflow("withdrawn liquidity"))?,
            idle,
            debt: position.debt.checked_sub(self.repay)?,
            ..*position
        })
    }
}

/// The least liquidity whose withdrawal at the pool's price, repaid as far as it is owed, brings LTV at the oracle's
/// price down to `target`.
///
/// Withdrawing the fraction f of the liquidity changes `N D - T A` (T/N the target) by
/// `-(N - T) (min(f wx + lx, dx) P + min(f wy + ly, dy)) - T f G`, where w is what all liquidity pays and G >= 0 what it
/// pays more, at the oracle's price, than it is valued at: the two differ when pool and oracle do. That is the least of
/// four linear functions of f, each side either flowing or fully repaid, so the answer is the largest of their roots,
/// rounded up, or what repays everything if that is less.
///
/// The result allows for every rounding on the way, one unit of each debt's shares included: never too little, and at
/// most `(6 P + 20) / (1 - t)` quote units more than the least that would do.
///
/// # Errors
/// [`DeleverageError::NotNeeded`], [`DeleverageError::NeedsSwap`] (never a partial success),
/// [`DeleverageError::BadTarget`], [`ModelError`].
pub fn plan_deleverage(
    position: &Position,
    oracle: SqrtPrice,
    pool: SqrtPrice,
    target: Bps,
) -> Result<DeleveragePlan, DeleverageError> {
    if target >= Bps::ONE {
        return Err(DeleverageError::BadTarget(target));
    }
    let value = position.value(oracle)?;
    if !value.ltv_above(target) {
        return Err(DeleverageError::NotNeeded {
            ltv_bps: value.ltv_bps_up(),
            target,
        });
    }
    let price = Price::from(oracle);
    let all = position.pool_amounts_down(pool)?;
    // Asked first: it costs little, and who only wants to know has the answer.
    if with_everything(position, all, price)?.ltv_above(target) {
        return Err(DeleverageError::NeedsSwap { target });
    }
    let from_idle = position.idle.min(position.debt);
    let owed = position.debt.saturating_sub(from_idle);

    let one = u128::from(Bps::ONE.get());
    let of_assets = u128::from(target.get());
    let of_repaid = one - of_assets;
    let worth = |amounts: Amounts| {
        let base = of_repaid.checked_mul(price.value_down(amounts.base));
        let base = base.ok_or(ModelError::Overflow("value repaid"))?;
        Ok::<_, ModelError>((base, of_repaid * u128::from(amounts.quote)))
    };
    let deficit = deficit(value, price, one, of_assets)?;
    let (idle_base, idle_quote) = worth(from_idle)?;
    let deficit = deficit.saturating_sub(idle_base).saturating_sub(idle_quote);
    let (owed_base, owed_quote) = worth(owed)?;
    let (base, quote) = worth(all)?;
    let gain = of_assets
        .checked_mul(gain_down(position, value.assets, all, price))
        .ok_or(ModelError::Overflow("withdrawal gain"))?;

    let root = |covered: u128, slope: u128| match deficit.saturating_sub(covered) {
        0 => 0,
        // No slope, or beyond any liquidity: never.
        missing => wide::mul_div_up(missing, position.liquidity, slope).unwrap_or(u128::MAX),
    };
    let repays_all = covering(position.liquidity, owed.base, all.base).max(covering(
        position.liquidity,
        owed.quote,
        all.quote,
    ));
    let enough = root(0, base.saturating_add(quote).saturating_add(gain))
        .max(root(owed_base, quote.saturating_add(gain)))
        .max(root(owed_quote, base.saturating_add(gain)))
        .max(root(owed_base.saturating_add(owed_quote), gain))
        .min(repays_all);

    // What allows for rounding may ask for more than there is; everything does.
    Ok(plan(position, pool, enough.min(position.liquidity))?)
}

/// Assets and debt once everything is withdrawn and repaid. Debts are a unit higher for the shares that are burned.
fn with_everything(
    position: &Position,
    all: Amounts,
    price: Price,
) -> Result<crate::Valuation, ModelError> {
    let there = position.idle.checked_add(all)?;
    let repaid = there.min(position.debt);
    let (left, owed) = (
        there.saturating_sub(repaid),
        position.debt.saturating_sub(repaid),
    );
    let rounding = u128::from(owed.quote > 0);
    let debt = price
        .value_up(owed.base.saturating_add(u64::from(owed.base > 0)))
        .checked_add(u128::from(owed.quote) + rounding);
    Ok(crate::Valuation {
        assets: price.value_down(left.base) + u128::from(left.quote),
        debt: debt.ok_or(ModelError::Overflow("debt value"))?,
    })
}

/// The most that repays without a swap, where a target is out of reach: the least liquidity after whose withdrawal at the pool's
/// price each debt is repaid, or all of the pool's token of it is used. Nothing more is withdrawn than what repays something.
///
/// Equity is what it was, but for what the pool pays more than the valuation; so LTV falls where anything is repaid and the
/// debt is covered.
///
/// # Errors
/// [`ModelError`].
pub fn plan_deleverage_part(
    position: &Position,
    pool: SqrtPrice,
) -> Result<DeleveragePlan, ModelError> {
    let all = position.pool_amounts_down(pool)?;
    let owed = position.debt.saturating_sub(position.idle);
    let liquidity = [(owed.base, all.base), (owed.quote, all.quote)]
        .into_iter()
        // What the pool does not hold repays nothing, however much is withdrawn.
        .filter(|(_, all)| *all > 0)
        .map(|(owed, all)| covering(position.liquidity, owed, all).min(position.liquidity))
        .max()
        .unwrap_or(0);
    plan(position, pool, liquidity)
}

fn plan(
    position: &Position,
    pool: SqrtPrice,
    liquidity: u128,
) -> Result<DeleveragePlan, ModelError> {
    let withdraw = position.band.amounts_down(liquidity, pool)?;
    let there = position.idle.checked_add(withdraw)?;
    Ok(DeleveragePlan {
        liquidity,
        withdraw,
        repay: there.min(position.debt),
    })
}

/// `N D - T A` and an allowance for rounding of `N (3 P + 5)`: one unit each for what is withdrawn, kept in the pool and
/// owed after burning shares, on both sides.
fn deficit(
    value: crate::Valuation,
    price: Price,
    one: u128,
    of_assets: u128,
) -> Result<u128, ModelError> {
    let overflow = ModelError::Overflow("debt value");
    let allowance = 3 * price.ceil() + 5;
    let debt = value
        .debt
        .checked_add(allowance)
        .and_then(|debt| debt.checked_mul(one))
        .ok_or(overflow)?;
    let assets = value
        .assets
        .checked_mul(of_assets)
        .ok_or(ModelError::Overflow("assets value"))?;
    Ok(debt.saturating_sub(assets))
}

/// How much more everything withdrawn is worth, at the oracle's price, than the pool part of `assets`.
fn gain_down(position: &Position, assets: u128, all: Amounts, price: Price) -> u128 {
    let idle = price
        .value_down(position.idle.base)
        .saturating_add(u128::from(position.idle.quote));
    let rounding = price.ceil() + 2;
    let valued = assets.saturating_sub(idle).saturating_add(rounding);
    let withdrawn = price
        .value_down(all.base)
        .saturating_add(u128::from(all.quote));
    withdrawn.saturating_sub(valued)
}

/// Liquidity whose withdrawal pays `owed` if all of it pays `all`.
fn covering(liquidity: u128, owed: u64, all: u64) -> u128 {
    if owed == 0 {
        return 0;
    }
    wide::mul_div_up(liquidity, u128::from(owed), u128::from(all)).unwrap_or(u128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_still_owed_is_a_unit_more_for_its_shares() {
        let tick = |tick| ballast_clmm::Tick::new(tick).unwrap();
        let position = |debt| Position {
            band: ballast_clmm::Band::new(tick(-1_000), tick(1_000)).unwrap(),
            liquidity: 1_000,
            idle: Amounts::new(10, 20),
            debt,
        };
        let price = Price::from(SqrtPrice::ONE);
        let all = Amounts::new(5, 5);
        let left = |debt| with_everything(&position(debt), all, price).unwrap();
        for (debt, assets, owed) in [
            // Repaid to the unit: nothing is left of either.
            (Amounts::new(15, 25), 0, 0),
            (Amounts::new(15, 20), 5, 0),
            (Amounts::new(18, 25), 0, 4),
            (Amounts::new(15, 27), 0, 3),
            (Amounts::new(18, 27), 0, 7),
            (Amounts::new(1, 27), 14, 3),
        ] {
            let debt_left = left(debt);
            assert_eq!(
                (debt_left.assets, debt_left.debt),
                (assets, owed),
                "{debt:?}"
            );
        }
    }

    #[test]
    fn a_gain_counts_beyond_what_may_be_rounding() {
        let tick = |tick| ballast_clmm::Tick::new(tick).unwrap();
        let position = Position {
            band: ballast_clmm::Band::new(tick(-1_000), tick(1_000)).unwrap(),
            liquidity: 1_000,
            idle: Amounts::new(10, 20),
            debt: Amounts::ZERO,
        };
        let gain = |all| gain_down(&position, 130, all, Price::from(SqrtPrice::ONE));
        // 100 of it are in the pool; a unit of base and two of quote may be rounding.
        assert_eq!(gain(Amounts::new(60, 50)), 7);
        assert_eq!(gain(Amounts::new(53, 50)), 0);
        assert_eq!(gain(Amounts::new(1, 1)), 0);
    }
}
