//! The delta side: one swap when the hedge error leaves the policy's band.

use ballast::{
    due,
    oracle::Grade,
    risk,
    state::{Allowance, Change, MarketMode},
};
use ballast_model::{Bps, ModelError, RehedgePlan, plan_rehedge, price::within};

use super::{
    Action, ActionKind, Assessment, Decision, Obstacle, Others, Reason,
    forecast::{require_loss_allowed, require_turn},
    mode_allows,
    swap::{best_swap, lend},
    usable_price,
};
use crate::situation::{Situation, SituationError};

/// What the position's hedge error asks for.
pub(super) fn decide(situation: &Situation, at: &Assessment) -> Result<Decision, SituationError> {
    // Without liquidity there is nothing to hedge.
    if at.model.liquidity == 0 || at.hedge_error.unsigned_abs() <= u128::from(at.hedge_tolerance) {
        return Ok(Decision::Nothing);
    }
    let reason = Reason::Hedge {
        error: at.hedge_error,
        tolerance: at.hedge_tolerance,
    };
    Ok(match check(situation, at)? {
        Ok(plan) => Decision::Act(Action::Rehedge(plan), reason),
        Err(obstacle) => Decision::Blocked {
            wanted: ActionKind::Rehedge,
            reason,
            obstacle,
            otherwise: Others::NONE,
        },
    })
}

/// The preconditions of `ballast::instructions::rehedge`. Those that do not depend on the market come first, so that a
/// position that cannot act anyway is not looked at with every change of the market.
fn check(
    situation: &Situation,
    at: &Assessment,
) -> Result<Result<RehedgePlan, Obstacle>, SituationError> {
    let (market, policy) = (&situation.market.market, &situation.position.policy);
    if !situation.allowed_by_owner() {
        return Ok(Err(Obstacle::KeeperDisabled));
    }
    let interval_secs = policy
        .min_rebalance_interval_secs
        .max(market.limits.min_rebalance_interval_secs);
    let due_secs = situation
        .position
        .last_rebalance_secs
        .saturating_add(i64::from(interval_secs));
    if situation.now_secs < due_secs {
        return Ok(Err(Obstacle::TooSoon { due_secs }));
    }
    if let Err(obstacle) = mode_allows(situation, MarketMode::NoNewRisk) {
        return Ok(Err(obstacle));
    }
    let oracle = match usable_price(situation, Grade::Tight) {
        Ok(oracle) => oracle,
        Err(obstacle) => return Ok(Err(obstacle)),
    };
    let max_bps = market.limits.max_pool_deviation_bps;
    if !within(at.pool, oracle, Bps::new(max_bps)) {
        return Ok(Err(Obstacle::PoolDiverged { max_bps }));
    }
    let newest = market.newest_sqrt_price();
    let Some(need) = due::rehedge_due(policy, &at.model, oracle, newest)? else {
        return Ok(Err(Obstacle::NewerPrice));
    };
    if let Err(obstacle) = require_turn(situation, need.trade.into()) {
        return Ok(Err(obstacle));
    }
    let plan = match plan_rehedge(&at.model, oracle, policy.hedge()) {
        Ok(plan) => plan,
        // Impossible outside the band; the program would say that nothing is due.
        Err(_) => {
            return Ok(Err(Obstacle::Arithmetic(ModelError::Overflow(
                "hedge error",
            ))));
        }
    };
    let max_loss_bps = policy
        .max_swap_loss_bps
        .min(market.limits.max_swap_loss_bps);
    let pool = &situation.market.pool;
    let swap = match best_swap(pool, (plan.trade, plan.base), oracle, max_loss_bps) {
        Ok(swap) => swap,
        Err(obstacle) => return Ok(Err(obstacle)),
    };
    if let Err(obstacle) = lend(situation, swap.borrow(at.model.idle), false)? {
        return Ok(Err(obstacle));
    }
    Ok(swap
        .after(&at.model)
        .and_then(|after| Ok((after, after.value(oracle)?)))
        .map_err(Obstacle::Arithmetic)
        .and_then(|(after, value)| {
            let trigger = Bps::new(
                policy
                    .deleverage_trigger_ltv_bps
                    .min(market.limits.deleverage_ltv_bps),
            );
            let raised = value.ltv_bps_up() > at.value.ltv_bps_up();
            if raised && value.ltv_at_least(trigger) {
                return Err(Obstacle::RaisesLtv {
                    ltv_bps: value.ltv_bps_up(),
                    trigger,
                });
            }
            risk::require_stress_not_worsened(&market.limits, &at.model, &after, oracle).map_err(
                |_| Obstacle::Stress {
                    distance_bps: market.limits.stress_distance_bps,
                },
            )?;
            let allowance = if need.defensive {
                Allowance::Defensive
            } else {
                Allowance::Daily
            };
            let change = Change {
                before: &at.model,
                after: &after,
                needed_base: need.base.min(swap.base),
                fee_rate_ppm: pool.fee_rate_ppm,
            };
            require_loss_allowed(situation, allowance, &change, oracle)?;
            Ok(plan)
        }))
}
