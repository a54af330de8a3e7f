//! The margin side of the waterfall: deleverage, and liquidate where that is not possible.

use ballast::{
    oracle::Grade,
    targets::{MarketRule, NotDue, TriggeredBy, deleverage_due},
};
use ballast_model::{
    Amounts, Bps, DeleverageError, LiquidationError, LiquidationPlan, ModelError,
    Position as PositionModel, Side, SqrtPrice, plan_liquidation, price::within, value_down,
};

use super::{Action, ActionKind, Assessment, Decision, Obstacle, Others, Reason, usable_price};
use crate::situation::{Situation, SituationError};

/// What the position's LTV asks for.
pub(super) fn decide(situation: &Situation, at: &Assessment) -> Result<Decision, SituationError> {
    let market = &situation.market.market;
    let (limits, rule) = (&market.limits, MarketRule::of(market));
    let reason = |by, trigger| Reason::Leverage {
        ltv_bps: at.value.ltv_bps_up(),
        trigger,
        by_market: by == TriggeredBy::Market,
    };
    let policy = &situation.position.policy;
    let allowed = situation.allowed_by_owner();
    let due = match deleverage_due(rule, policy, allowed, &at.value) {
        Ok(due) => due,
        Err(NotDue::BelowTriggers) => return Ok(Decision::Nothing),
        Err(NotDue::KeeperDisabled) => {
            return Ok(blocked(
                ActionKind::Deleverage,
                reason(
                    TriggeredBy::Policy,
                    Bps::new(policy.deleverage_trigger_ltv_bps),
                ),
                Obstacle::KeeperDisabled,
            ));
        }
    };
    let reason = reason(due.by, due.trigger);
    let grade = if market.stage.stage >= 2 {
        Grade::Stalled
    } else {
        Grade::Loose
    };
    let oracle = match usable_price(situation, grade) {
        Ok(oracle) => oracle,
        Err(obstacle) => return Ok(blocked(ActionKind::Deleverage, reason, obstacle)),
    };
    let max_bps = limits.max_pool_deviation_bps;
    let pool_is_near = within(at.pool, oracle, Bps::new(max_bps));
    let obstacle = match due.plan(&at.model, oracle, at.pool) {
        Ok(_) if due.by == TriggeredBy::Policy && !pool_is_near => {
            Obstacle::PoolDiverged { max_bps }
        }
        Ok((target, plan)) => {
            return Ok(Decision::Act(Action::Deleverage { target, plan }, reason));
        }
        // Above the trigger LTV is above every target that the program accepts: nothing to do all the same.
        Err(DeleverageError::NotNeeded { .. }) => return Ok(Decision::Nothing),
        Err(DeleverageError::NeedsSwap { target } | DeleverageError::BadTarget(target)) => {
            Obstacle::NeedsSwap { target }
        }
        Err(DeleverageError::Model(error)) => Obstacle::Arithmetic(error),
    };
    let reached = |bps| at.value.ltv_at_least(Bps::new(bps));
    if reached(limits.maintenance_ltv_bps) {
        return liquidation(situation, at, oracle);
    }
    Ok(blocked(ActionKind::Deleverage, reason, obstacle))
}

fn blocked(wanted: ActionKind, reason: Reason, obstacle: Obstacle) -> Decision {
    Decision::Blocked {
        wanted,
        reason,
        obstacle,
        otherwise: Others::NONE,
    }
}

fn liquidation(
    situation: &Situation,
    at: &Assessment,
    oracle: SqrtPrice,
) -> Result<Decision, SituationError> {
    let market = &situation.market.market;
    let limits = &market.limits;
    let reason = Reason::Maintenance {
        ltv_bps: at.value.ltv_bps_up(),
        maintenance: Bps::new(limits.maintenance_ltv_bps),
    };
    let blocked = |obstacle| Ok(blocked(ActionKind::Liquidate, reason, obstacle));
    let Some(funds) = situation.funds else {
        return blocked(Obstacle::LiquidationOff);
    };
    let (target, bonus) = (
        Bps::new(limits.target_ltv_bps),
        Bps::new(limits.liquidation_bonus_bps),
    );
    let plan = match plan_liquidation(&at.model, oracle, target, bonus) {
        Ok(plan) => plan,
        Err(LiquidationError::Model(error)) => return blocked(Obstacle::Arithmetic(error)),
        Err(LiquidationError::NotNeeded { .. } | LiquidationError::BadTarget { .. }) => {
            return Ok(Decision::Nothing);
        }
    };
    if plan.before.debt > plan.before.assets
        && let Err(obstacle) = usable_price(situation, Grade::Final)
    {
        return blocked(obstacle);
    }
    let needed = match needed_up(&at.model, &plan, at.pool, oracle, bonus) {
        Ok(needed) => needed,
        Err(error) => return blocked(Obstacle::Arithmetic(error)),
    };
    if needed.base > funds.base || needed.quote > funds.quote {
        return blocked(Obstacle::LiquidationFunds { needed, funds });
    }
    Ok(Decision::Act(
        Action::Liquidate {
            plan,
            max_pay: funds,
        },
        reason,
    ))
}

/// What a liquidator has to bring beyond the collateral it is given, as `ballast::instructions::liquidate` nets it.
/// Fees that the program collects from insolvent positions are left out, so it may need a little less.
fn needed_up(
    model: &PositionModel,
    plan: &LiquidationPlan,
    pool: SqrtPrice,
    oracle: SqrtPrice,
    bonus: Bps,
) -> Result<Amounts, ModelError> {
    let worth = |amounts: Amounts| -> Result<u128, ModelError> {
        Ok(value_down(amounts.base, oracle)?.saturating_add(u128::from(amounts.quote)))
    };
    let withdrawn = model.band.amounts_down(plan.withdraw_liquidity, pool)?;
    let pot = plan.seize_idle.checked_add(withdrawn)?;
    let repay = if plan.before.debt > plan.before.assets {
        part_down(model.debt, worth(pot)?, plan.before.debt)
    } else {
        plan.repay
    };
    let with_bonus = Bps::new(Bps::ONE.get().saturating_add(bonus.get()));
    let allowed = with_bonus
        .of_down(worth(repay)?)
        .ok_or(ModelError::Overflow("collateral given"))?;
    let given = part_down(pot, allowed, worth(pot)?);
    let missing = |side| repay.get(side).saturating_sub(given.get(side));
    Ok(Amounts {
        base: missing(Side::Base),
        quote: missing(Side::Quote),
    })
}

/// `amounts * numerator / denominator`, at most `amounts`.
fn part_down(amounts: Amounts, numerator: u128, denominator: u128) -> Amounts {
    if numerator >= denominator {
        return amounts;
    }
    let part = |amount: u64| {
        ballast_clmm::wide::mul_div_down(u128::from(amount), numerator, denominator)
            .and_then(|part| u64::try_from(part).ok())
            .unwrap_or(amount)
    };
    Amounts {
        base: part(amounts.base),
        quote: part(amounts.quote),
    }
}
