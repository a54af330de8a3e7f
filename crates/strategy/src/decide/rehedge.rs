//! The delta side: one swap when the hedge error leaves the policy's band.

use ballast::{
    due,
    oracle::Grade,
    risk,
    state::{Allowance, Change, MarketMode},
    targets::rehedge_trigger,
    terms,
};
use ballast_model::{Bps, ModelError, price::within};

use super::{
    Action, ActionKind, Assessment, Obstacle, Reason,
    choose::{Block, Candidate, Way},
    forecast::{require_loss_allowed, require_turn},
    hedged::{Hedged, hedged},
    mode_allows, usable_price,
};
use crate::{
    prices::newest,
    situation::{Situation, SituationError},
    watch::has_hedge,
};

/// What the position's hedge error asks for.
pub(super) fn way(situation: &Situation, at: &Assessment) -> Result<Option<Way>, SituationError> {
    if !has_hedge(&at.model, at.oracle)
        || at.hedge_error.unsigned_abs() <= u128::from(at.hedge_tolerance)
    {
        return Ok(None);
    }
    let reason = Reason::Hedge {
        error: at.hedge_error,
        tolerance: at.hedge_tolerance,
    };
    Ok(Some(match check(situation, at)? {
        Ok(Hedged { plan, after, cost }) => Ok(Candidate {
            action: Action::Rehedge(plan),
            reason,
            after,
            cost,
        }),
        Err(obstacle) => Err(Block {
            kind: ActionKind::Rehedge,
            reason,
            obstacle,
        }),
    }))
}

/// The preconditions of `ballast::instructions::rehedge`. Those that do not depend on the market come first, so that a
/// position that cannot act anyway is not looked at with every change of the market.
fn check(
    situation: &Situation,
    at: &Assessment,
) -> Result<Result<Hedged, Obstacle>, SituationError> {
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
    let oracle = match usable_price(situation, Grade::Swap) {
        Ok(oracle) => oracle,
        Err(obstacle) => return Ok(Err(obstacle)),
    };
    let max_bps = market.limits.max_pool_deviation_bps;
    if !within(at.pool, oracle, Bps::new(max_bps)) {
        return Ok(Err(Obstacle::PoolDiverged { max_bps }));
    }
    let newest = newest(situation.market, oracle);
    let Some(need) = due::rehedge_due(policy, &at.model, oracle, newest)? else {
        return Ok(Err(Obstacle::NewerPrice));
    };
    if let Err(obstacle) = require_turn(situation, need.trade.into()) {
        return Ok(Err(obstacle));
    }
    let terms = terms::rehedge(market, policy, &at.value);
    Ok(hedged(situation, at, oracle, &terms)?
        .and_then(|hedged| accepted(situation, at, &hedged, &need).map(|()| hedged)))
}

/// What must hold afterwards.
fn accepted(
    situation: &Situation,
    at: &Assessment,
    hedged: &Hedged,
    need: &due::HedgeNeed,
) -> Result<(), Obstacle> {
    let after = &hedged.after;
    let (limits, policy) = (&situation.market.market.limits, &situation.position.policy);
    let value = after.value(at.oracle).map_err(Obstacle::Arithmetic)?;
    let trigger = rehedge_trigger(limits, policy);
    if value.ltv_at_least(trigger) {
        let stressed = |model| {
            risk::stressed_ltv_bps_up(limits, model, at.oracle)
                .map_err(|_| Obstacle::Arithmetic(ModelError::Overflow("stressed LTV")))
        };
        if stressed(after)? > stressed(&at.model)? {
            return Err(Obstacle::RaisesLtv {
                ltv_bps: value.ltv_bps_up(),
                trigger,
            });
        }
    }
    risk::require_stress_not_worsened(limits, &at.model, after, at.oracle).map_err(|_| {
        Obstacle::Stress {
            distance_bps: limits.stress_distance_bps,
        }
    })?;
    if mode_allows(situation, MarketMode::Normal).is_err() {
        risk::require_no_new_risk(limits, &at.model, after, at.oracle)
            .or_else(|_| mode_allows(situation, MarketMode::Normal))?;
    }
    let allowance = if need.defensive {
        Allowance::Defensive
    } else {
        Allowance::Daily
    };
    let change = Change {
        before: &at.model,
        after,
        needed_base: need
            .base
            .min(hedged.plan.trade.map_or(0, |trade| trade.base)),
        fee_rate_ppm: situation.market.pool.fee_rate_ppm,
    };
    require_loss_allowed(situation, allowance, &change, at.oracle)
}

#[cfg(test)]
mod tests {
    use ballast_model::{Amounts, HedgedPlan, Trade};

    use super::*;
    use crate::{decide::assess, fixtures};

    #[test]
    fn above_the_trigger_no_stressed_ltv_may_rise() {
        let (mut market, position) = (fixtures::snapshot(245), fixtures::position());
        fixtures::book_debts(&mut market, &position);
        let situation = fixtures::situation(&market, &position);
        let at = assess(&situation).unwrap();
        let trigger = rehedge_trigger(&market.market.limits, &position.policy);
        assert!(at.value.ltv_at_least(trigger));
        let need = due::HedgeNeed {
            trade: Trade::BuyBase,
            base: 0,
            defensive: true,
        };
        let ends_with = |more: u64| {
            let plan = HedgedPlan {
                liquidity: 0,
                withdraw: Amounts::ZERO,
                trade: None,
            };
            let (after, cost) = (at.model, 0);
            let mut hedged = Hedged { plan, after, cost };
            hedged.after.debt.base += more;
            accepted(&situation, &at, &hedged, &need)
        };
        assert_eq!(ends_with(0), Ok(()));
        let raised = ends_with(1_000_000);
        assert!(
            matches!(raised, Err(Obstacle::RaisesLtv { trigger: over, .. }) if over == trigger),
            "{raised:?}"
        );
    }
}
