//! The margin side of the waterfall: deleverage without a swap, and with one.

use ballast::{
    oracle::Grade,
    risk,
    targets::{Due, MarketRule, NotDue, TriggeredBy, deleverage_due},
    terms,
};
use ballast_model::{
    Bps, DeleverageError, DeleveragePlan, Position as PositionModel, price::within,
};

use super::{
    Action, ActionKind, Assessment, Obstacle, Reason,
    choose::{Block, Candidate, Way},
    hedged::{Hedged, hedged},
    quoted, usable_price,
};
use crate::{
    prices::newest,
    situation::{Situation, SituationError},
};

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
    let (swap_free, reaches) = match swap_free(situation, at, &due)? {
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
        let found = with_swap(situation, at, due)?.map(|(target, hedged)| {
            let action = Action::DeleverageSwap {
                target,
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
fn swap_free(
    situation: &Situation,
    at: &Assessment,
    due: &Due,
) -> Result<Result<Option<Free>, Obstacle>, SituationError> {
    let market = &situation.market.market;
    let oracle = match usable_price(situation, Grade::to_deleverage(market)) {
        Ok(oracle) => oracle,
        Err(obstacle) => return Ok(Err(obstacle)),
    };
    if !due.at_newest(&at.model, oracle, newest(situation.market, oracle))? {
        return Ok(Err(Obstacle::NewerPrice));
    }
    let max_bps = market.limits.max_pool_deviation_bps;
    if due.by == TriggeredBy::Policy && !within(at.pool, oracle, Bps::new(max_bps)) {
        return Ok(Err(Obstacle::PoolDiverged { max_bps }));
    }
    let planned = due.plan(&at.model, oracle, at.pool);
    if let Err(DeleverageError::NotNeeded { .. }) = planned {
        return Ok(Ok(None));
    }
    let mut ledger = quoted::ledger(situation, oracle, Bps::ZERO)?;
    let done = ballast_ledger::deleverage(&mut ledger, &at.model, at.pool, planned);
    Ok(done
        .map_err(|ends| ends.obstacle(&ledger))
        .and_then(|done| {
            let after = quoted::after(&ledger)?;
            if done.target.is_none() {
                risk::require_ltv_lowered(&market.limits, &at.model, &after, oracle)
                    .map_err(|_| Obstacle::NeedsSwap { target: due.target })?;
            }
            Ok(Some(Free {
                target: done.target.unwrap_or(due.target),
                plan: done.plan,
                after,
                reaches: done.target.is_some(),
            }))
        }))
}

/// The preconditions of `ballast::instructions::deleverage_swap`, and the target that is due at the newest price as well.
fn with_swap(
    situation: &Situation,
    at: &Assessment,
    due: Due,
) -> Result<Result<(Bps, Hedged), Obstacle>, SituationError> {
    let policy = &situation.position.policy;
    let limits = &situation.market.market.limits;
    let oracle = match usable_price(situation, Grade::Swap) {
        Ok(oracle) => oracle,
        Err(obstacle) => return Ok(Err(obstacle)),
    };
    let newest = newest(situation.market, oracle);
    let allowed = situation.allowed_by_owner();
    let Some(due) = due.with_swap_at_newest(policy, allowed, &at.model, oracle, newest)? else {
        return Ok(Err(Obstacle::NewerPrice));
    };
    let max_bps = limits.max_pool_deviation_bps;
    if !within(at.pool, oracle, Bps::new(max_bps)) {
        return Ok(Err(Obstacle::PoolDiverged { max_bps }));
    }
    let terms = terms::deleverage_swap(limits, policy, &due, newest);
    let lowered = |hedged: Hedged| {
        let value = hedged.after.value(oracle).map_err(Obstacle::Arithmetic)?;
        if value.ltv_above(due.target) {
            risk::require_ltv_lowered(limits, &at.model, &hedged.after, oracle)
                .map_err(|_| Obstacle::LtvNotLowered)?;
        }
        Ok((due.target, hedged))
    };
    Ok(hedged(situation, at, oracle, &terms)?.and_then(lowered))
}
