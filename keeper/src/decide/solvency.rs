//! The margin side of the waterfall: deleverage without a swap, with one, and liquidate where nothing else cures.

use ballast::{
    oracle::Grade,
    risk,
    targets::{Due, MarketRule, NotDue, TriggeredBy, deleverage_due},
};
use ballast_model::{
    Amounts, Bps, DeleverageError, DeleveragePlan, LiquidationError, LiquidationPlan, ModelError,
    Position as PositionModel, Side, SqrtPrice, plan_deleverage_part, plan_liquidation,
    price::within, value_down,
};

use super::{
    Action, ActionKind, Assessment, Obstacle, Reason,
    choose::{Block, Candidate, Way},
    hedged::{Hedged, Wanted, hedged, room},
    usable_price,
};
use crate::situation::{Situation, SituationError};

/// What the position's LTV asks for: without a swap, and with one where that does not reach the target.
pub(super) fn ways(situation: &Situation, at: &Assessment) -> Result<Vec<Way>, SituationError> {
    let market = &situation.market.market;
    let policy = &situation.position.policy;
    let reason = |by, trigger| Reason::Leverage {
        ltv_bps: at.value.ltv_bps_up(),
        trigger,
        by_market: by == TriggeredBy::Market,
    };
    let allowed = situation.allowed_by_owner();
    let due = match deleverage_due(MarketRule::of(market), policy, allowed, &at.value) {
        Ok(due) => due,
        Err(NotDue::BelowTriggers) => return Ok(Vec::new()),
        Err(NotDue::KeeperDisabled) => {
            let trigger = Bps::new(policy.deleverage_trigger_ltv_bps);
            return Ok(vec![Err(Block {
                kind: ActionKind::Deleverage,
                reason: reason(TriggeredBy::Policy, trigger),
                obstacle: Obstacle::KeeperDisabled,
            })]);
        }
    };
    let reason = reason(due.by, due.trigger);
    let way = |kind, found: Result<(Action, PositionModel, u128), Obstacle>| match found {
        Ok((action, after, cost)) => Ok(Candidate {
            action,
            reason,
            after,
            cost,
        }),
        Err(obstacle) => Err(Block {
            kind,
            reason,
            obstacle,
        }),
    };
    let (swap_free, reaches) = match swap_free(situation, at, &due) {
        // Above the trigger LTV is above every target that the program accepts: nothing to do all the same.
        Ok(None) => return Ok(Vec::new()),
        Ok(Some(Free {
            target,
            plan,
            after,
            reaches,
        })) => (Ok((Action::Deleverage { target, plan }, after, 0)), reaches),
        Err(obstacle) => (Err(obstacle), false),
    };
    let mut ways = vec![way(ActionKind::Deleverage, swap_free)];
    // Where no swap is needed the program does none.
    if !reaches {
        let found = with_swap(situation, at, &due)?.map(|hedged| {
            let action = Action::DeleverageSwap {
                target: due.target,
                plan: hedged.plan,
            };
            (action, hedged.after, hedged.cost)
        });
        ways.push(way(ActionKind::DeleverageSwap, found));
    }
    Ok(ways)
}

/// A deleverage without a swap.
struct Free {
    target: Bps,
    plan: DeleveragePlan,
    after: PositionModel,
    /// Whether it reaches its target.
    reaches: bool,
}

/// The preconditions of `ballast::instructions::deleverage`; `None` if LTV is not above the target.
fn swap_free(situation: &Situation, at: &Assessment, due: &Due) -> Result<Option<Free>, Obstacle> {
    let market = &situation.market.market;
    let grade = if market.stage.stage >= 2 {
        Grade::Stalled
    } else {
        Grade::Loose
    };
    let oracle = usable_price(situation, grade)?;
    let max_bps = market.limits.max_pool_deviation_bps;
    if due.by == TriggeredBy::Policy && !within(at.pool, oracle, Bps::new(max_bps)) {
        return Err(Obstacle::PoolDiverged { max_bps });
    }
    let after = |plan: &DeleveragePlan| plan.apply(&at.model).map_err(Obstacle::Arithmetic);
    match due.plan(&at.model, oracle, at.pool) {
        Ok((target, plan)) => Ok(Some(Free {
            target,
            plan,
            after: after(&plan)?,
            reaches: true,
        })),
        Err(DeleverageError::NotNeeded { .. }) => Ok(None),
        Err(DeleverageError::NeedsSwap { target }) => {
            let plan = plan_deleverage_part(&at.model, at.pool).map_err(Obstacle::Arithmetic)?;
            let after = after(&plan)?;
            risk::require_ltv_lowered(&market.limits, &at.model, &after, oracle)
                .map_err(|_| Obstacle::NeedsSwap { target })?;
            Ok(Some(Free {
                target,
                plan,
                after,
                reaches: false,
            }))
        }
        Err(DeleverageError::BadTarget(target)) => Err(Obstacle::NeedsSwap { target }),
        Err(DeleverageError::Model(error)) => Err(Obstacle::Arithmetic(error)),
    }
}

/// The preconditions of `ballast::instructions::deleverage_swap`.
fn with_swap(
    situation: &Situation,
    at: &Assessment,
    due: &Due,
) -> Result<Result<Hedged, Obstacle>, SituationError> {
    let limits = &situation.market.market.limits;
    let oracle = match usable_price(situation, Grade::Swap) {
        Ok(oracle) => oracle,
        Err(obstacle) => return Ok(Err(obstacle)),
    };
    let max_bps = limits.max_pool_deviation_bps;
    if !within(at.pool, oracle, Bps::new(max_bps)) {
        return Ok(Err(Obstacle::PoolDiverged { max_bps }));
    }
    let max_loss = due.max_swap_loss(limits, &situation.position.policy);
    let wanted = Wanted {
        target: due.target,
        loss: max_loss,
        max_loss,
    };
    let lowered = |hedged: Hedged| {
        let value = hedged.after.value(oracle).map_err(Obstacle::Arithmetic)?;
        if value.ltv_above(due.target) {
            risk::require_ltv_lowered(limits, &at.model, &hedged.after, oracle)
                .map_err(|_| Obstacle::LtvNotLowered)?;
        }
        Ok(hedged)
    };
    Ok(room(situation)?
        .and_then(|room| hedged(situation, at, oracle, wanted, room))
        .and_then(lowered))
}

/// What is left where nothing cures the position: `None` below maintenance.
pub(super) fn liquidation(
    situation: &Situation,
    at: &Assessment,
) -> Result<Option<Way>, SituationError> {
    let market = &situation.market.market;
    let limits = &market.limits;
    let reason = Reason::Maintenance {
        ltv_bps: at.value.ltv_bps_up(),
        maintenance: Bps::new(limits.maintenance_ltv_bps),
    };
    let blocked = |obstacle| {
        Ok(Some(Err(Block {
            kind: ActionKind::Liquidate,
            reason,
            obstacle,
        })))
    };
    let Some(funds) = situation.funds else {
        return blocked(Obstacle::LiquidationOff);
    };
    let oracle = match usable_price(situation, Grade::Liquidation) {
        Ok(oracle) => oracle,
        Err(obstacle) => return blocked(obstacle),
    };
    let (target, bonus) = (
        Bps::new(limits.target_ltv_bps),
        Bps::new(limits.liquidation_bonus_bps),
    );
    let plan = match plan_liquidation(&at.model, oracle, target, bonus) {
        Ok(plan) => plan,
        Err(LiquidationError::Model(error)) => return blocked(Obstacle::Arithmetic(error)),
        Err(LiquidationError::NotNeeded { .. } | LiquidationError::BadTarget { .. }) => {
            return Ok(None);
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
    let after = match plan.apply(&at.model) {
        Ok(after) => after,
        Err(error) => return blocked(Obstacle::Arithmetic(error)),
    };
    Ok(Some(Ok(Candidate {
        action: Action::Liquidate {
            plan,
            max_pay: funds,
        },
        reason,
        after,
        cost: 0,
    })))
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
