//! When to look at a position again after it has been assessed.

mod margin;

use ballast::state::Automation;
use ballast::{due, targets::MarketRule};
use ballast_model::{
    Boundaries, Bps, Position as PositionModel, Side, SqrtPrice, Tick,
    lending::growth_x64_up,
    quiet::{HedgeBand, Triggers, quiet_interval},
    value_up,
};

use crate::{
    decide::{ActionKind, Assessment, Decision, Retry},
    situation::{Situation, SituationError},
    trigger::Watch,
};

/// Time by which debts are grown beyond the horizon: covers the delay between the end of the horizon and the moment at
/// which it is noticed.
const MARGIN_SECS: u32 = 60;

/// The prices in which nothing has to be done for the position until the horizon, and that time.
///
/// Debts between now and the horizon lie between today's and those grown at the highest rate of the reserves' curves,
/// whatever utilisation does meanwhile. A change of a curve, of limits or of the policy needs a new watch.
///
/// # Errors
/// [`SituationError`].
pub fn watch(
    situation: &Situation,
    at: &Assessment,
    horizon_secs: u32,
) -> Result<Watch, SituationError> {
    let horizon = at.now_secs.saturating_add(i64::from(horizon_secs));
    let restless = |until_secs| {
        Ok(Watch {
            quiet: Boundaries::Empty,
            until_secs,
        })
    };
    if matches!(at.decision, Decision::Act(..)) {
        return restless(horizon);
    }
    let mut until_secs = horizon;
    let (mut waiting, mut by_market) = (Vec::new(), false);
    for (kind, obstacle) in at.decision.blocks() {
        match obstacle.retry() {
            Retry::Market => by_market = true,
            Retry::At(due_secs) => until_secs = until_secs.min(due_secs),
            Retry::Position => {}
        }
        waiting.push(kind);
    }
    if by_market {
        return restless(until_secs);
    }
    let triggers = triggers(situation, &at.model, at.oracle, &waiting);
    let growth = |side| {
        let rate = situation.reserve(side).curve().rate_x64_up(1 << 64);
        growth_x64_up(rate, u64::from(horizon_secs) + u64::from(MARGIN_SECS))
    };
    let grown = at.model.grown(growth(Side::Base), growth(Side::Quote))?;
    Ok(Watch {
        quiet: quiet_until(situation, &at.model, &grown, &triggers, at.oracle)?,
        until_secs,
    })
}

/// The prices at which none of the triggers is reached now, nor while debts grow to what they are in `grown`; `oracle` among them if it is
/// one. Some that are next to an end may be missing: there one looks too soon.
///
/// At every price LTV only rises with the debts and equity only falls: where the grown position has not reached a trigger, the present
/// one has not either.
fn quiet_until(
    situation: &Situation,
    model: &PositionModel,
    grown: &PositionModel,
    triggers: &Triggers,
    oracle: SqrtPrice,
) -> Result<Boundaries, SituationError> {
    let others = Triggers {
        ltv: None,
        hedge: None,
        ..*triggers
    };
    let mut quiet = quiet(situation, grown, &others)?;
    if let Some(trigger) = triggers.ltv {
        quiet = quiet.intersection(margin::below(grown, trigger, oracle)?);
    }
    if let Some(band) = triggers.hedge {
        quiet = quiet.intersection(hedged_until(model, grown.debt.base, band)?);
    }
    Ok(quiet)
}

/// The prices at which the hedge error `e` stays within its band, `|e| <= t`, while the base owed grows by `g`. It falls by as much, so
/// that `e <= t` now and `e - g >= -t` then are what has to hold. With `g` rounded up to an even number that is `|e - g/2| <= t - g/2`:
/// one position's boundaries in place of two.
fn hedged_until(
    model: &PositionModel,
    grown_base: u64,
    band: HedgeBand,
) -> Result<Boundaries, SituationError> {
    let half = grown_base.saturating_sub(model.debt.base).div_ceil(2);
    let Some(tolerance) = band.tolerance_down(model)?.checked_sub(half) else {
        return Ok(Boundaries::Empty);
    };
    let mut halfway = *model;
    // Not more than the grown debt.
    halfway.debt.base += half;
    Ok(halfway.hedge_boundaries(band.hedge, tolerance)?)
}

/// The prices at which none of the triggers is reached. To the equity floor fees count.
pub(crate) fn quiet(
    situation: &Situation,
    model: &PositionModel,
    triggers: &Triggers,
) -> Result<Boundaries, SituationError> {
    let fees = situation.fees_for_floor();
    if triggers.equity_floor.is_none() || fees.is_zero() {
        return Ok(quiet_interval(model, triggers)?);
    }
    let others = Triggers {
        equity_floor: None,
        ..*triggers
    };
    let floor = Triggers {
        equity_floor: triggers.equity_floor,
        ..Triggers::default()
    };
    let owned = model.with_idle(fees)?;
    Ok(quiet_interval(model, &others)?.intersection(quiet_interval(&owned, &floor)?))
}

/// What could make work due for this keeper, seen from a price, but for what is due already and waits for its time.
pub(crate) fn triggers(
    situation: &Situation,
    model: &PositionModel,
    oracle: SqrtPrice,
    waiting: &[ActionKind],
) -> Triggers {
    let (market, policy) = (&situation.market.market, &situation.position.policy);
    let allowed = situation.allowed_by_owner();
    let maintenance = Bps::new(market.limits.maintenance_ltv_bps);
    let markets = MarketRule::of(market).trigger.min(maintenance);
    let ltv = if allowed {
        markets.min(Bps::new(policy.deleverage_trigger_ltv_bps))
    } else {
        markets
    };
    let waits = |kind| waiting.contains(&kind);
    // With debt and no liquidity there is an exit to come, and nothing to recenter.
    let automated = if allowed && (model.liquidity > 0 || !model.debt.is_zero()) {
        automation_triggers(&situation.position.automation, oracle)
    } else {
        Triggers::default()
    };
    let recenters = model.liquidity > 0 && !waits(ActionKind::Recenter);
    let hedge = HedgeBand {
        hedge: policy.hedge(),
        band: Bps::new(policy.delta_band_bps),
    };
    let hedges = allowed && has_hedge(model, oracle) && !waits(ActionKind::Rehedge);
    Triggers {
        ltv: Some(ltv),
        hedge: hedges.then_some(hedge),
        edge: automated.edge.filter(|_| recenters),
        ..automated
    }
}

/// Whether there is anything to hedge: liquidity, or base owed by a position that has none any more, if that is worth a hundredth
/// of its equity.
pub(crate) fn has_hedge(model: &PositionModel, oracle: SqrtPrice) -> bool {
    let owed = model.debt.base.saturating_sub(model.idle.base);
    let naked = value_up(owed, oracle).unwrap_or(u128::MAX);
    let equity = model.equity_down(oracle).unwrap_or(0);
    let least = u128::try_from(equity).unwrap_or(0) / 100;
    model.liquidity > 0 || (owed > 0 && naked >= least)
}

/// What the owner's automation makes due, seen from a price: the band's edge (inside the window only), the nearer side of
/// the window's edges, the equity floor.
pub(crate) fn automation_triggers(automation: &Automation, price: SqrtPrice) -> Triggers {
    let edge_at = |tick| Tick::new(tick).ok().map(Tick::sqrt_price);
    let (low, high) = (
        edge_at(automation.window_low_tick),
        edge_at(automation.window_high_tick),
    );
    let recenters = automation.max_width_ticks > 0;
    // Beyond an edge at which the position is held nothing changes before the price comes back over it.
    let (stop_loss, take_profit) = if low.is_some_and(|low| price <= low) {
        (None, low.and_then(|low| next(low, 1)))
    } else if high.is_some_and(|high| price >= high) {
        (high.and_then(|high| next(high, -1)), None)
    } else {
        let matters = |reaction| recenters || reaction != 0;
        (
            low.filter(|_| matters(automation.at_low)),
            high.filter(|_| matters(automation.at_high)),
        )
    };
    Triggers {
        edge: (recenters && due::inside_window(automation, price))
            .then_some(Bps::new(automation.edge_bps)),
        stop_loss,
        take_profit,
        equity_floor: (automation.at_floor != 0 && automation.min_equity > 0)
            .then_some(i128::from(automation.min_equity)),
        ..Triggers::default()
    }
}

fn next(price: SqrtPrice, by: i128) -> Option<SqrtPrice> {
    SqrtPrice::new(price.x64().checked_add_signed(by)?).ok()
}

#[cfg(test)]
mod tests;
