use ballast_clmm::{Amounts, SqrtPrice, wide};
use thiserror::Error;

use super::exchange::{Exchange, Part, affordable_down, worth_down};
use crate::{Bps, ModelError, Position, Valuation};

/// What a liquidator repays and receives: `repay` of each debt against the fraction `seize_num / seize_den` of all
/// collateral, liquidity and idle amounts alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiquidationPlan {
    /// Everything is seized. Debt that remains is bad debt.
    pub full: bool,
    /// Which part it is of the plan that restores the target, see [`LiquidationPlan::paid_by`].
    pub part: Part,
    /// What the liquidator pays in, per side.
    pub repay: Amounts,
    /// Numerator of the fraction of the collateral that is seized.
    pub seize_num: u128,
    /// Its denominator, never 0.
    pub seize_den: u128,
    /// That fraction of the liquidity, rounded down.
    pub withdraw_liquidity: u128,
    /// That fraction of the idle amounts, rounded down.
    pub seize_idle: Amounts,
    /// Assets and debt before, at the oracle's price.
    pub before: Valuation,
}

/// Why there is no liquidation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LiquidationError {
    /// LTV is at or below the target.
    #[error("LTV is {ltv_bps} bps, at or below the target {target}: nothing to liquidate")]
    NotNeeded {
        /// LTV at the oracle's price, rounded up.
        ltv_bps: u32,
        /// The target asked for.
        target: Bps,
    },
    /// The target leaves no room for the bonus.
    #[error("target LTV {target} and bonus {bonus} must satisfy target * (1 + bonus) < 100%")]
    BadTarget {
        /// The target asked for.
        target: Bps,
        /// The bonus asked for.
        bonus: Bps,
    },
    /// See [`ModelError`].
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// Closes as much as brings LTV to `target`, or everything.
///
/// With f the fraction of the debt repaid and the collateral given for it worth `(1 + b) f D`, LTV' = t needs
/// `f = (D - t A) / (D (1 - t (1 + b)))`. It reaches 1 where `(1 + b) D = A`: from there on everything is closed, so that
///
/// - `(1 + b) D < A`: partial. Repays f of each debt, rounded up (a debt that exists is never repaid by 0), and seizes
///   `g = (1 + b) f D / A` of the collateral, rounded down. LTV' <= t but for the units that rounding costs.
/// - `A >= D >= A / (1 + b)`: full. Repays both debts and seizes everything; the bonus shrinks to what is left, `A/D - 1`.
/// - `D > A`: full, without bonus. Repays the fraction A/D of each debt, rounded down; the rest is bad debt that was
///   there before.
///
/// Collateral given never exceeds `(1 + b)` times the debt repaid, so a liquidation creates no bad debt of its own.
///
/// # Errors
/// [`LiquidationError::NotNeeded`], [`LiquidationError::BadTarget`], [`ModelError`].
pub fn plan_liquidation(
    position: &Position,
    oracle: SqrtPrice,
    target: Bps,
    bonus: Bps,
) -> Result<LiquidationPlan, LiquidationError> {
    let one = u128::from(Bps::ONE.get());
    let with_bonus = one + u128::from(bonus.get());
    let of_assets = u128::from(target.get());
    let room = (one * one)
        .checked_sub(of_assets * with_bonus)
        .filter(|room| *room > 0)
        .ok_or(LiquidationError::BadTarget { target, bonus })?;
    let before = position.value(oracle)?;
    if !before.ltv_above(target) {
        return Err(LiquidationError::NotNeeded {
            ltv_bps: before.ltv_bps_up(),
            target,
        });
    }
    // 80 bits keep every product below in 128 bits; what the shift drops of larger values is below 2^-79 of them.
    let excess = 128 - before.assets.max(before.debt).leading_zeros();
    let shift = excess.saturating_sub(80);
    let (assets, debt) = (before.assets >> shift, before.debt >> shift);

    if debt * with_bonus >= assets * one {
        return Ok(full(position, before));
    }
    // N D - T A > 0, because LTV is above the target.
    let over = (debt * one).saturating_sub(assets * of_assets).max(1);
    let repay = |owed: u64| portion_up(owed, over * one, debt * room);
    let (seize_num, seize_den) = (over * with_bonus, assets * room);
    let seize = |amount: u64| wide::mul_div_down(u128::from(amount), seize_num, seize_den);
    let overflow = ModelError::Overflow("seized collateral");
    let idle = |amount: u64| {
        let seized = seize(amount).ok_or(overflow)?;
        Ok::<u64, ModelError>(u64::try_from(seized).map_or(amount, |seized| seized.min(amount)))
    };
    let liquidity = position.liquidity;
    Ok(LiquidationPlan {
        full: false,
        part: Part::ALL,
        repay: Amounts {
            base: repay(position.debt.base)?,
            quote: repay(position.debt.quote)?,
        },
        seize_num,
        seize_den,
        withdraw_liquidity: wide::mul_div_down(liquidity, seize_num, seize_den)
            .ok_or(overflow)?
            .min(liquidity),
        seize_idle: Amounts {
            base: idle(position.idle.base)?,
            quote: idle(position.idle.quote)?,
        },
        before,
    })
}

fn full(position: &Position, before: Valuation) -> LiquidationPlan {
    let debt = position.debt;
    let repay = affordable_down(debt, before.assets, before.debt);
    LiquidationPlan {
        full: true,
        part: Part::ALL,
        repay,
        seize_num: 1,
        seize_den: 1,
        withdraw_liquidity: position.liquidity,
        seize_idle: position.idle,
        before,
    }
}

/// `amount * num / den`, rounded up, at most `amount`.
fn portion_up(amount: u64, num: u128, den: u128) -> Result<u64, ModelError> {
    let part = wide::mul_div_up(u128::from(amount), num, den)
        .ok_or(ModelError::Overflow("debt repaid"))?;
    Ok(u64::try_from(part).map_or(amount, |part| part.min(amount)))
}

impl LiquidationPlan {
    /// Whether the debts are worth more than everything owned: then the lenders lose.
    pub fn insolvent(&self) -> bool {
        self.before.debt > self.before.assets
    }

    /// Whether `payable` is enough wherever the pool's price is: no more than what is repaid can be missing.
    pub fn is_paid_by(&self, debt: Amounts, payable: Amounts) -> bool {
        let most = if self.insolvent() { debt } else { self.repay };
        most.base <= payable.base && most.quote <= payable.quote
    }

    /// What is repaid and given when the liquidity that is withdrawn and the idle amounts have become `pot`. Of an insolvent
    /// position that is all that the pot pays for.
    ///
    /// # Errors
    /// [`ModelError::Overflow`].
    pub fn exchange(
        &self,
        debt: Amounts,
        pot: Amounts,
        bonus: Bps,
        oracle: SqrtPrice,
    ) -> Result<Exchange, ModelError> {
        let repay = if self.insolvent() && self.part.is_all() {
            affordable_down(debt, worth_down(pot, oracle)?, self.before.debt)
        } else {
            self.repay
        };
        Exchange::capped(repay, pot, bonus, oracle)
    }

    /// The largest part of the plan that `payable` pays for with the pool at `pool`: a pool that was pushed pays out one token
    /// only, and the other has to be brought. The same part of everything, so that LTV moves the same way:
    ///
    /// - of a plan that restores the target: towards it;
    /// - of one that closes everything, and of an insolvent position: LTV stays, or what is not covered stays, but for the
    ///   units that rounding costs. Debt is written off only with the whole.
    ///
    /// # Errors
    /// [`ModelError::Overflow`].
    pub fn paid_by(
        self,
        position: &Position,
        oracle: SqrtPrice,
        pool: SqrtPrice,
        bonus: Bps,
        payable: Amounts,
    ) -> Result<Self, ModelError> {
        if self.is_paid_by(position.debt, payable) {
            return Ok(self);
        }
        let withdrawn = position.band.amounts_down(self.withdraw_liquidity, pool)?;
        let pot = self.seize_idle.checked_add(withdrawn)?;
        let exchange = self.exchange(position.debt, pot, bonus, oracle)?;
        let part = exchange.part_paid_by(payable);
        if part.is_all() {
            return Ok(self);
        }
        Ok(Self {
            full: false,
            part,
            repay: part.of_down(exchange.repay),
            withdraw_liquidity: part.of_liquidity_down(self.withdraw_liquidity),
            seize_idle: part.of_down(self.seize_idle),
            ..self
        })
    }

    /// The position after the plan, if withdrawing the liquidity pays exactly its amounts.
    ///
    /// # Errors
    /// [`ModelError`] if the plan was made for another position.
    pub fn apply(&self, position: &Position) -> Result<Position, ModelError> {
        Ok(Position {
            liquidity: position
                .liquidity
                .checked_sub(self.withdraw_liquidity)
                .ok_or(ModelError::Overflow("withdrawn liquidity"))?,
            idle: position.idle.checked_sub(self.seize_idle)?,
            debt: position.debt.checked_sub(self.repay)?,
            ..*position
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_liquidation_is_paid_by_what_it_repays_and_an_insolvent_one_by_every_debt() {
        let plan = |assets, debt| LiquidationPlan {
            full: false,
            part: Part::ALL,
            repay: Amounts::new(5, 6),
            seize_num: 1,
            seize_den: 2,
            withdraw_liquidity: 0,
            seize_idle: Amounts::ZERO,
            before: Valuation { assets, debt },
        };
        let debt = Amounts::new(7, 8);
        let (solvent, insolvent) = (plan(100, 100), plan(99, 100));
        assert!(!solvent.insolvent() && insolvent.insolvent());
        let paid =
            |plan: &LiquidationPlan, base, quote| plan.is_paid_by(debt, Amounts::new(base, quote));
        assert!(paid(&solvent, 5, 6) && paid(&solvent, 9, 9));
        assert!(!paid(&solvent, 4, 9) && !paid(&solvent, 9, 5));
        assert!(paid(&insolvent, 7, 8));
        assert!(!paid(&insolvent, 6, 8) && !paid(&insolvent, 7, 7));
    }

    #[test]
    fn a_bonus_that_leaves_no_room_above_the_target_is_refused() {
        let tick = |tick| ballast_clmm::Tick::new(tick).unwrap();
        let position = Position {
            band: ballast_clmm::Band::new(tick(-1_000), tick(1_000)).unwrap(),
            liquidity: 0,
            idle: Amounts::new(0, 100),
            debt: Amounts::new(0, 90),
        };
        // 80 % times 125 % is all there is.
        let (target, bonus) = (Bps::new(8_000), Bps::new(2_500));
        let plan = |bonus| plan_liquidation(&position, SqrtPrice::ONE, target, bonus);
        assert_eq!(
            plan(bonus),
            Err(LiquidationError::BadTarget { target, bonus })
        );
        assert!(plan(Bps::new(1_000)).is_ok());
    }
}
