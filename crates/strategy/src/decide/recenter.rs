//! The band: a new one around the price when the present one has been left and that is worth it.
//!
//! Worth it is what is expected to earn more within the pay-back than it costs: `days * fees_day > swap + action`, where the action is paid
//! for whether it swaps or not. So nothing is recentered that earns nothing. What price moves cost meanwhile is not taken off: that was
//! compared and not adopted (docs/PARAMETERS.md). What the present band would earn if the price came back is not
//! counted: the owner says with `edge_bps` when the band counts as left.

use ballast::{
    due,
    oracle::Grade,
    state::{Allowance, Change, MarketMode},
};
use ballast_clmm::wide::mul_div_down;
use ballast_model::{
    Band, Bps, ModelError, Position as PositionModel, Side, SqrtPrice, Tick, Trade, price::within,
    value_up,
};

use super::{
    Action, ActionKind, Assessment, Obstacle, Reason,
    choose::{Block, Candidate, Way},
    forecast::{Forecast, recentered, require_health, require_loss_allowed, require_turn},
    mode_allows, paid_enough,
    swap::swap_cost,
    usable_price,
    width::{WidthInput, band_around, bounds, width_ticks},
};
use crate::{
    fee_yield::weighed_down,
    prices::newest,
    situation::{Situation, SituationError},
    urgency::sol_side,
};

/// What a transaction costs at least.
const SIGNATURE_LAMPORTS: u64 = 5_000;

/// A new band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecenterPlan {
    /// Its ends.
    pub ticks: [i32; 2],
    /// Liquidity expected in it.
    pub liquidity: u128,
    /// The swap on the way; `None`: none is expected.
    pub swap: Option<(Trade, u64)>,
    /// What that swap is expected to cost, quote units.
    pub cost: u128,
}

/// Whether recentering is due at a price, whoever may do it.
pub(super) fn is_due(situation: &Situation, at: &Assessment) -> bool {
    let automation = &situation.position.automation;
    at.model.liquidity > 0
        && automation.max_width_ticks > 0
        && due::at_edge(&at.model.band, automation.edge_bps, at.oracle)
        && due::inside_window(automation, at.oracle)
}

/// What the price asks for.
pub(super) fn way(situation: &Situation, at: &Assessment) -> Result<Option<Way>, SituationError> {
    if !is_due(situation, at) {
        return Ok(None);
    }
    let position = situation.position;
    let reason = Reason::OutOfBand {
        ticks: [position.tick_lower, position.tick_upper],
        tick: at.oracle.tick().get(),
    };
    Ok(Some(match check(situation, at)? {
        Ok((plan, after)) => Ok(Candidate {
            action: Action::Recenter(plan),
            reason,
            after,
            cost: plan.cost,
        }),
        Err(obstacle) => Err(Block {
            kind: ActionKind::Recenter,
            reason,
            obstacle,
        }),
    }))
}

/// The preconditions of `ballast::instructions::recenter`, and whether it pays. What does not depend on the market first.
fn check(
    situation: &Situation,
    at: &Assessment,
) -> Result<Result<(RecenterPlan, PositionModel), Obstacle>, SituationError> {
    match timely(situation, at) {
        Ok(oracle) => plan(situation, at, oracle),
        Err(obstacle) => Ok(Err(obstacle)),
    }
}

/// Everything but the new band.
fn timely(situation: &Situation, at: &Assessment) -> Result<SqrtPrice, Obstacle> {
    let (market, position) = (&situation.market.market, situation.position);
    if !situation.allowed_by_owner() {
        return Err(Obstacle::KeeperDisabled);
    }
    let cooldown_secs = position
        .automation
        .recenter_cooldown_secs
        .max(market.keepers.min_recenter_interval_secs);
    let due_secs = position
        .last_recenter_secs
        .saturating_add(i64::from(cooldown_secs));
    if situation.now_secs < due_secs {
        return Err(Obstacle::TooSoon { due_secs });
    }
    paid_enough(situation)?;
    mode_allows(situation, MarketMode::Normal)?;
    let oracle = usable_price(situation, Grade::Tight)?;
    let max_bps = market.limits.max_pool_deviation_bps;
    if !within(at.pool, oracle, Bps::new(max_bps)) {
        return Err(Obstacle::PoolDiverged { max_bps });
    }
    if situation.keeper != position.owner {
        let (automation, newest) = (&position.automation, newest(situation.market, oracle));
        let edge = due::recenter_due(automation, &at.model.band, oracle, newest)
            .ok_or(Obstacle::NewerPrice)?;
        require_turn(situation, edge.into())?;
    }
    Ok(oracle)
}

/// The new band and the position in it.
fn plan(
    situation: &Situation,
    at: &Assessment,
    oracle: SqrtPrice,
) -> Result<Result<(RecenterPlan, PositionModel), Obstacle>, SituationError> {
    let (ticks, band) = match new_band(situation, oracle) {
        Ok(found) => found,
        Err(obstacle) => return Ok(Err(obstacle)),
    };
    Ok(recentered(situation, at, band, oracle)?
        .and_then(|forecast| worth_it(situation, at, oracle, ticks, &forecast)))
}

/// What must hold in the new band, and whether it pays.
fn worth_it(
    situation: &Situation,
    at: &Assessment,
    oracle: SqrtPrice,
    ticks: [i32; 2],
    forecast: &Forecast,
) -> Result<(RecenterPlan, PositionModel), Obstacle> {
    let (market, position) = (situation.market, situation.position);
    let economics = &situation.outlook.economics;
    let overflow = |error: ModelError| Obstacle::Arithmetic(error);
    require_health(
        situation,
        &forecast.after,
        oracle,
        position.policy.delta_target_bps,
    )?;
    let value = forecast.after.value(oracle).map_err(overflow)?;
    let change = Change {
        before: &at.model.with_idle(situation.fees()).map_err(overflow)?,
        after: &forecast.after,
        needed_base: forecast.swap.map_or(0, |swap| swap.base),
        fee_rate_ppm: market.pool.fee_rate_ppm,
    };
    require_loss_allowed(situation, Allowance::Daily, &change, oracle)?;

    let cost = forecast
        .swap
        .map_or(0, |swap| swap_cost(&market.pool, &swap, oracle));
    let paid = cost.saturating_add(action_cost(situation, oracle));
    let days = economics.payback_days;
    let earned = fees_day_down(situation, at, &forecast.after, oracle, value.assets)
        .saturating_mul(u128::from(days));
    if paid >= earned {
        return Err(Obstacle::NotWorthIt {
            cost: paid,
            earned,
            days,
        });
    }
    let plan = RecenterPlan {
        ticks,
        liquidity: forecast.after.liquidity,
        swap: forecast.swap.map(|swap| (swap.trade, swap.base)),
        cost,
    };
    Ok((plan, forecast.after))
}

/// What owner and keeper together pay for the action beside its swap, quote units: the owner the reward, of which the keeper pays the
/// transaction, or whoever acts the transaction alone. Where nobody knows what SOL is worth it is the least that is something.
fn action_cost(situation: &Situation, oracle: SqrtPrice) -> u128 {
    if let Some(cost) = situation.outlook.action_cost {
        return cost.into();
    }
    let lamports = situation.reward_lamports().max(SIGNATURE_LAMPORTS);
    match sol_side(&situation.market.market) {
        Some(Side::Base) => value_up(lamports, oracle).unwrap_or(u128::MAX),
        Some(Side::Quote) => lamports.into(),
        None => 1,
    }
}

/// Fees that the position is expected to earn a day in its new band, quote units.
///
/// What the pool has paid a unit of liquidity is shared with the position's own: a position of liquidity L counts for
/// `L A / (A' + L)` units, of A that are active now and A' of them without the position, and for L at most.
fn fees_day_down(
    situation: &Situation,
    at: &Assessment,
    after: &PositionModel,
    oracle: SqrtPrice,
    assets: u128,
) -> u128 {
    let (pool, outlook) = (&situation.market.pool, &situation.outlook);
    let configured = Bps::new(outlook.economics.fee_day_bps)
        .of_down(assets)
        .unwrap_or(u128::MAX);
    let measured = outlook.fee_yield.map(|measured| {
        let alone = measured.of_liquidity_down(after.liquidity, oracle);
        let active = pool.liquidity;
        let own = if at.model.band.contains(pool.sqrt_price) {
            at.model.liquidity
        } else {
            0
        };
        let together = active.saturating_sub(own).saturating_add(after.liquidity);
        let shared = mul_div_down(alone, active, together.max(active).max(1));
        (shared.unwrap_or(0), measured)
    });
    weighed_down(configured, measured)
}

/// Fees a day that a band so wide around the price is expected to earn, in basis points of its value.
fn band_fees_bps(situation: &Situation, width_ticks: u32) -> u32 {
    let outlook = &situation.outlook;
    let measured = outlook
        .fee_yield
        .map(|measured| (measured.of_band_bps_down(width_ticks).into(), measured));
    let weighed = weighed_down(outlook.economics.fee_day_bps.into(), measured);
    u32::try_from(weighed).unwrap_or(u32::MAX)
}

/// The new band, and its ends.
fn new_band(situation: &Situation, oracle: SqrtPrice) -> Result<([i32; 2], Band), Obstacle> {
    let (market, position) = (&situation.market.market, situation.position);
    let [min, max] = bounds(&position.automation);
    let none = Obstacle::NoBand { min, max };
    let current = position.tick_lower.abs_diff(position.tick_upper);
    let width = width_ticks(&WidthInput {
        volatility: situation.outlook.volatility,
        fee_day_bps: Some(band_fees_bps(situation, current)),
        current,
        bounds: [min, max],
        tick_spacing: market.tick_spacing,
    });
    let ticks = band_around(oracle, width.ok_or(none)?, market.tick_spacing).ok_or(none)?;
    // The program refuses a band in which it would be due again at once.
    let [lower, upper] = ticks.map(Tick::new);
    let band = Band::new(lower.map_err(|_| none)?, upper.map_err(|_| none)?).map_err(|_| none)?;
    let settles = !due::at_edge(&band, position.automation.edge_bps, oracle);
    if settles && due::width_allowed(&position.automation, ticks) {
        Ok((ticks, band))
    } else {
        Err(none)
    }
}
