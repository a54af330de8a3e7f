//! What the program would make of a position, computed on values with the snapshot's prices: swaps at the pool's price less
//! its fee. What passes here is settled by simulating the transaction.

use ballast::state::Reaction;
use ballast::{
    instructions::exit::{Order, next_order},
    oracle::{OraclePrice, confidence_ppm_up},
    risk,
    state::{Allowance, Change, Charge, Need, Turn},
};
use ballast_model::{
    Amounts, Band, Bps, ModelError, Position as PositionModel, SqrtPrice, Target, TargetError,
    Trade, liquidity_for_value_down, plan_target,
    price::{scale_down, scale_up, within},
    value_down,
};
use ballast_snapshot::PoolState;

use super::{
    Obstacle,
    swap::{BestSwap, best_swap, settled},
};
use crate::{prices::newest, situation::Situation};

/// A position afterwards, and the swap on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Forecast {
    pub after: PositionModel,
    pub swap: Option<BestSwap>,
}

fn arithmetic(error: impl Into<ModelError>) -> Obstacle {
    Obstacle::Arithmetic(error.into())
}

/// All liquidity and the fees withdrawn, and debts repaid as far as that goes.
fn withdrawn(
    model: &PositionModel,
    fees: Amounts,
    pool: SqrtPrice,
) -> Result<PositionModel, Obstacle> {
    let amounts = model
        .band
        .amounts_down(model.liquidity, pool)
        .map_err(arithmetic)?;
    let idle = model.idle.checked_add(amounts).map_err(arithmetic)?;
    settled(&PositionModel {
        liquidity: 0,
        idle: idle.checked_add(fees).map_err(arithmetic)?,
        ..*model
    })
    .map_err(arithmetic)
}

/// As `ballast::session::Session::grow`: liquidity up to the leverage, at most `most`, debts taken for what is missing and
/// repaid with what is left.
fn grown(
    model: &PositionModel,
    leverage: Bps,
    most: u128,
    pool: SqrtPrice,
) -> Result<(PositionModel, u128), Obstacle> {
    let equity = u128::try_from(model.equity_down(pool).map_err(arithmetic)?)
        .map_err(|_| arithmetic(ModelError::Overflow("equity")))?;
    let value = leverage
        .of_down(equity)
        .ok_or(arithmetic(ModelError::Overflow("leveraged equity")))?;
    let wanted = liquidity_for_value_down(&model.band, value, pool).map_err(arithmetic)?;
    let added = wanted.saturating_sub(model.liquidity).min(most);
    let deposit = model.band.amounts_up(added, pool).map_err(arithmetic)?;
    let borrowed = deposit.saturating_sub(model.idle);
    let with_loans = model.idle.checked_add(borrowed).map_err(arithmetic)?;
    let after = settled(&PositionModel {
        liquidity: model.liquidity.saturating_add(added),
        idle: with_loans.checked_sub(deposit).map_err(arithmetic)?,
        debt: model.debt.checked_add(borrowed).map_err(arithmetic)?,
        ..*model
    });
    Ok((after.map_err(arithmetic)?, added))
}

/// What `recenter` makes of the position.
pub(super) fn recentered(
    situation: &Situation,
    model: &PositionModel,
    band: Band,
    oracle: SqrtPrice,
) -> Result<Forecast, Obstacle> {
    let (policy, limits) = (&situation.position.policy, &situation.market.market.limits);
    let pool = &situation.market.pool;
    let empty = PositionModel {
        band,
        ..withdrawn(model, situation.fees(), pool.sqrt_price)?
    };
    let assets = model.value(oracle).map_err(arithmetic)?.assets;
    let fees = worth(situation.fees(), oracle).map_err(arithmetic)?;
    let most = u128::from(limits.max_position_value).max(assets.saturating_add(fees));
    let equity = empty.value(pool.sqrt_price).map_err(arithmetic)?.equity();
    let leverage = risk::leverage_within(
        situation.position.automation.leverage(limits),
        u128::try_from(equity).unwrap_or(0),
        most,
    );
    let target = Target {
        leverage,
        hedge: policy.hedge(),
        band,
    };
    let planned = plan_target(&empty, &target, pool.sqrt_price, oracle);
    let plan = planned.map_err(|error| match error {
        TargetError::NotAffordable { .. } => Obstacle::HedgeNotAffordable { leverage },
        TargetError::Model(error) => Obstacle::Arithmetic(error),
        _ => arithmetic(ModelError::Overflow("equity")),
    })?;
    let sized = PositionModel {
        liquidity: plan.liquidity,
        ..empty
    };
    let near = risk::within_band(&sized, plan.base_surplus, policy.delta_target_bps / 2);
    let near = near.map_err(|_| arithmetic(ModelError::Overflow("delta band")))?;
    let (mixed, swap) = if near {
        (empty, None)
    } else {
        let trade = if plan.base_surplus > 0 {
            Trade::SellBase
        } else {
            Trade::BuyBase
        };
        let base = u64::try_from(plan.base_surplus.unsigned_abs())
            .map_err(|_| arithmetic(ModelError::Overflow("swap")))?;
        let max_bps = policy.max_swap_loss_bps.min(limits.max_swap_loss_bps);
        let swap = best_swap(pool, (trade, base), oracle, max_bps)?;
        (swap.after(&empty).map_err(arithmetic)?, Some(swap))
    };
    let (after, _) = grown(&mixed, leverage, u128::MAX, pool.sqrt_price)?;
    Ok(Forecast { after, swap })
}

/// What `compound` makes of the position, and the liquidity that it adds. `grows`: the market allows new risk.
pub(super) fn compounded(
    situation: &Situation,
    model: &PositionModel,
    (fees, worth): (Amounts, u128),
    grows_at: Option<SqrtPrice>,
) -> Result<(PositionModel, u128), Obstacle> {
    let idle = model.idle.checked_add(fees).map_err(arithmetic)?;
    let repaid = settled(&PositionModel { idle, ..*model }).map_err(arithmetic)?;
    let Some(oracle) = grows_at else {
        return Ok((repaid, 0));
    };
    let room = growth_room(situation, model, fees, oracle)?;
    let pool = situation.market.pool.sqrt_price;
    let limits = &situation.market.market.limits;
    let leverage = situation.position.automation.leverage(limits);
    let value = leverage
        .of_down(worth)
        .ok_or(arithmetic(ModelError::Overflow("leveraged fees")))?
        .min(room);
    let most = liquidity_for_value_down(&model.band, value, pool).map_err(arithmetic)?;
    grown(&repaid, leverage, most, pool)
}

/// Value by which the program would let liquidity grow once the fees have repaid what they can.
pub(super) fn growth_room(
    situation: &Situation,
    model: &PositionModel,
    fees: Amounts,
    oracle: SqrtPrice,
) -> Result<u128, Obstacle> {
    let idle = model.idle.checked_add(fees).map_err(arithmetic)?;
    let repaid = settled(&PositionModel { idle, ..*model }).map_err(arithmetic)?;
    let limits = &situation.market.market.limits;
    risk::room_to_grow(limits, &situation.position.policy, &repaid, oracle)
        .map_err(|_| arithmetic(ModelError::Overflow("compounded position")))
}

/// What `exit` makes of the position. The swap is the larger one, if it takes two.
pub(super) fn exited(
    situation: &Situation,
    model: &PositionModel,
    reaction: Reaction,
    oracle: SqrtPrice,
) -> Result<Forecast, Obstacle> {
    let limits = &situation.market.market.limits;
    let pool = &situation.market.pool;
    let max_bps = situation
        .position
        .automation
        .max_exit_loss_bps
        .min(limits.max_swap_loss_bps);
    let overflow = || arithmetic(ModelError::Overflow("exit"));
    let mut after = withdrawn(model, situation.fees(), pool.sqrt_price)?;
    let mut largest: Option<BestSwap> = None;
    for _ in 0..2 {
        let owed = [after.debt.base, after.debt.quote];
        let order = next_order(reaction, after.idle, owed, oracle, max_bps);
        let Some(order) = order.map_err(|_| overflow())? else {
            break;
        };
        let max_pool_bps = limits.max_pool_deviation_bps;
        if !within(pool.sqrt_price, oracle, Bps::new(max_pool_bps)) {
            return Err(Obstacle::PoolDiverged {
                max_bps: max_pool_bps,
            });
        }
        let swap = match order {
            Order::Sell(base) => best_swap(pool, (Trade::SellBase, base), oracle, max_bps)?,
            Order::Buy(base) => best_swap(pool, (Trade::BuyBase, base), oracle, max_bps)?,
            Order::Spend(quote) => spent(pool, quote, oracle, max_bps)?,
        };
        let idle = after.idle.checked_sub(swap.paid()).map_err(|_| {
            // The program borrows nothing for it.
            Obstacle::DebtRemains { owed: after.debt }
        })?;
        let idle = idle.checked_add(swap.received()).map_err(arithmetic)?;
        after = settled(&PositionModel { idle, ..after }).map_err(arithmetic)?;
        if largest.is_none_or(|largest| swap.base > largest.base) {
            largest = Some(swap);
        }
    }
    if after.debt != Amounts::ZERO {
        return Err(Obstacle::DebtRemains { owed: after.debt });
    }
    Ok(Forecast {
        after,
        swap: largest,
    })
}

/// Base bought for exactly so much quote, no more than the bound on its loss allows.
fn spent(
    pool: &PoolState,
    quote: u64,
    oracle: SqrtPrice,
    max_bps: u32,
) -> Result<BestSwap, Obstacle> {
    const MILLION: u128 = 1_000_000;
    let into = u128::from(quote) * (MILLION - u128::from(pool.fee_rate_ppm)) / MILLION;
    // A unit less than its value would buy, against rounding.
    let base = ballast_model::base_for_value_up(into, pool.sqrt_price)
        .map_err(arithmetic)?
        .saturating_sub(1);
    let swap = best_swap(pool, (Trade::BuyBase, base), oracle, max_bps)?;
    Ok(BestSwap {
        quote,
        bound: quote,
        ..swap
    })
}

/// The oracle's price with its confidence interval, as `ballast::oracle` computes it.
pub(super) fn interval(situation: &Situation, mid: SqrtPrice) -> Result<OraclePrice, Obstacle> {
    let market = situation.market;
    let overflow = || arithmetic(ModelError::Overflow("confidence"));
    let ppm = |update| confidence_ppm_up(update).map_err(|_| overflow());
    let ppm = ppm(&market.base_price)?.saturating_add(ppm(&market.quote_price)?);
    let bps = u32::try_from(ppm.div_ceil(100)).map_err(|_| overflow())?;
    let one = Bps::ONE.get();
    Ok(OraclePrice {
        low: scale_down(mid, Bps::new(one.saturating_sub(bps))).map_err(arithmetic)?,
        mid,
        high: scale_up(mid, Bps::new(one.saturating_add(bps))).map_err(arithmetic)?,
    })
}

/// What must hold after everything that adds risk.
pub(super) fn require_health(
    situation: &Situation,
    after: &PositionModel,
    oracle: SqrtPrice,
    hedge_band_bps: u32,
) -> Result<(), Obstacle> {
    let limits = &situation.market.market.limits;
    let policy = &situation.position.policy;
    let price = interval(situation, oracle)?;
    let pool = situation.market.pool.sqrt_price;
    risk::require_initial_health(limits, after, &price, pool)
        .map_err(|_| Obstacle::InitialHealth)?;
    risk::require_hedged(policy, after, oracle, hedge_band_bps).map_err(|_| {
        Obstacle::DeltaOutsideTarget {
            band_bps: hedge_band_bps,
        }
    })?;
    Ok(())
}

/// Whether the allowance for losses covers what an action makes of the position.
pub(super) fn require_loss_allowed(
    situation: &Situation,
    allowance: Allowance,
    change: &Change,
    oracle: SqrtPrice,
) -> Result<(), Obstacle> {
    let (market, position) = (&situation.market.market, situation.position);
    if situation.keeper == position.owner {
        return Ok(());
    }
    let Charge { loss, equity } = change
        .charge(oracle, newest(situation.market, oracle))
        .map_err(arithmetic)?;
    let (recent, max_bps) = (
        allowance.recent(position),
        allowance.max_bps(market, position),
    );
    let now_secs = situation.now_secs;
    if recent.charged(loss, equity, max_bps, now_secs).is_some() {
        return Ok(());
    }
    let allowed = Bps::new(max_bps).of_down(equity).unwrap_or(0);
    let allowed = u64::try_from(allowed).unwrap_or(u64::MAX);
    Err(Obstacle::DailyLoss {
        loss,
        left: allowed.saturating_sub(recent.left_up(now_secs)),
        due_secs: recent
            .charged_from_secs(loss, allowed)
            .map(|due_secs| due_secs.max(now_secs.saturating_add(1))),
    })
}

/// Whether the owner's first keepers have had their time for a need that is due: who is told so notes it, if nobody has yet.
pub(super) fn require_turn(situation: &Situation, need: Need) -> Result<(), Obstacle> {
    let position = situation.position;
    match position.turn(&situation.keeper, need, situation.now_secs) {
        Turn::Wait { until_secs } => Err(Obstacle::FirstKeepers { until_secs }),
        Turn::Act | Turn::Note => Ok(()),
    }
}

/// Value of amounts at a price, rounded down.
pub(super) fn worth(amounts: Amounts, at: SqrtPrice) -> Result<u128, ModelError> {
    Ok(value_down(amounts.base, at)?.saturating_add(u128::from(amounts.quote)))
}
