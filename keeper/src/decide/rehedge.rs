//! The delta side: one swap when the hedge error leaves the policy's band.

use ballast::{
    oracle::{Grade, OraclePrice},
    risk,
    session::quote_bound,
    state::MarketMode,
};
use ballast_model::{
    Amounts, Bps, ModelError, Position as PositionModel, RehedgePlan, Side, SqrtPrice, Trade,
    plan_rehedge, price::within, value_down, value_up,
};

use super::{Action, ActionKind, Assessment, Decision, Obstacle, Reason, usable_price};
use crate::situation::{Situation, SituationError};

/// What the position's hedge error asks for.
pub(super) fn decide(situation: &Situation, at: &Assessment) -> Result<Decision, SituationError> {
    if at.hedge_error.unsigned_abs() <= u128::from(at.hedge_tolerance) {
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
            otherwise: None,
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
    if market.mode_at(situation.now_secs) > MarketMode::NoNewRisk {
        return Ok(Err(Obstacle::ModeForbids));
    }
    let oracle = match usable_price(situation, Grade::Tight) {
        Ok(oracle) => oracle,
        Err(obstacle) => return Ok(Err(obstacle)),
    };
    let max_bps = market.limits.max_pool_deviation_bps;
    if !within(at.pool, oracle, Bps::new(max_bps)) {
        return Ok(Err(Obstacle::PoolDiverged { max_bps }));
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
    let swap = match best_swap(situation, plan, oracle) {
        Ok(swap) => swap,
        Err(obstacle) => return Ok(Err(obstacle)),
    };
    if let Err(obstacle) = lend(situation, swap.borrow)? {
        return Ok(Err(obstacle));
    }
    Ok(after(&at.model, &swap)
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
            Ok(plan)
        }))
}

/// A swap at the best price there can be: the pool's, less its fee, with no price impact. What fails even then cannot
/// succeed; what passes is settled by simulating the transaction.
struct BestSwap {
    plan: RehedgePlan,
    /// Received or paid.
    quote: u64,
    /// What has to be borrowed for it.
    borrow: (Side, u64),
}

fn best_swap(
    situation: &Situation,
    plan: RehedgePlan,
    oracle: SqrtPrice,
) -> Result<BestSwap, Obstacle> {
    let (market, position) = (&situation.market.market, situation.position);
    let max_bps = position
        .policy
        .max_swap_loss_bps
        .min(market.limits.max_swap_loss_bps);
    let overflow = Obstacle::Arithmetic(ModelError::Overflow("swap"));
    let price = OraclePrice {
        low: oracle,
        mid: oracle,
        high: oracle,
    };
    let bound = quote_bound(plan.trade, plan.base, &price, max_bps).map_err(|_| overflow)?;

    const MILLION: u128 = 1_000_000;
    let kept_ppm = MILLION
        .saturating_sub(u128::from(situation.market.pool.fee_rate_ppm))
        .max(1);
    let pool = situation.market.pool.sqrt_price;
    let arithmetic = Obstacle::Arithmetic;
    let fair = value_down(plan.base, oracle).map_err(arithmetic)?.max(1);
    let (quote, loss) = match plan.trade {
        Trade::SellBase => {
            let quote = value_up(plan.base, pool).map_err(arithmetic)? * kept_ppm / MILLION;
            (quote, fair.saturating_sub(quote))
        }
        Trade::BuyBase => {
            let quote = value_down(plan.base, pool).map_err(arithmetic)? * MILLION / kept_ppm;
            (quote, quote.saturating_sub(fair))
        }
    };
    let quote = u64::try_from(quote).map_err(|_| overflow)?;
    let too_dear = match plan.trade {
        Trade::SellBase => quote < bound,
        Trade::BuyBase => quote > bound,
    };
    if too_dear {
        let loss_bps = u64::try_from(loss * u128::from(Bps::ONE.get()) / fair).unwrap_or(u64::MAX);
        return Err(Obstacle::SwapLoss { loss_bps, max_bps });
    }
    let borrow = match plan.trade {
        Trade::SellBase => (Side::Base, plan.base.saturating_sub(position.idle_base)),
        Trade::BuyBase => (Side::Quote, bound.saturating_sub(position.idle_quote)),
    };
    Ok(BestSwap {
        plan,
        quote,
        borrow,
    })
}

/// Whether the reserve would lend: liquidity, borrow cap and utilisation limit.
fn lend(
    situation: &Situation,
    (side, needed): (Side, u64),
) -> Result<Result<(), Obstacle>, SituationError> {
    if needed == 0 {
        return Ok(Ok(()));
    }
    let reserve = situation.reserve(side);
    let before = situation.accrued(side)?;
    let mut state = before;
    let lends = state.borrow(needed).is_ok()
        && state
            .total_debt_up()
            .is_ok_and(|debt| debt <= reserve.borrow_cap)
        && state
            .utilisation_bps_up()
            .is_ok_and(|bps| bps.get() <= reserve.max_utilisation_bps);
    Ok(if lends {
        Ok(())
    } else {
        Err(Obstacle::ReserveShort {
            side,
            needed,
            liquidity: before.liquidity,
        })
    })
}

/// The position after borrowing, that swap, and repaying both debts out of what lies idle.
fn after(model: &PositionModel, swap: &BestSwap) -> Result<PositionModel, ModelError> {
    let (side, borrowed) = swap.borrow;
    let borrowed = Amounts::only(side, borrowed);
    let base = Amounts::only(Side::Base, swap.plan.base);
    let quote = Amounts::only(Side::Quote, swap.quote);
    let (paid, received) = match swap.plan.trade {
        Trade::SellBase => (base, quote),
        Trade::BuyBase => (quote, base),
    };
    let debt = model.debt.checked_add(borrowed)?;
    let idle = model
        .idle
        .checked_add(borrowed)?
        .checked_sub(paid)?
        .checked_add(received)?;
    let repaid = idle.min(debt);
    Ok(PositionModel {
        idle: idle.checked_sub(repaid)?,
        debt: debt.checked_sub(repaid)?,
        ..*model
    })
}
