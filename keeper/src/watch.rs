//! When to look at a position again after it has been assessed.

use ballast::{due, targets::MarketRule};
use ballast_client::Automation;
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
/// whatever utilisation does meanwhile. LTV and hedge error are monotone in them, so that a price which is quiet for
/// both ends is quiet for all. A change of a curve, of limits or of the policy needs a new watch.
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
    let now = quiet(situation, &at.model, &triggers)?;
    Ok(Watch {
        quiet: now.intersection(quiet(situation, &grown, &triggers)?),
        until_secs,
    })
}

/// The prices at which none of the triggers is reached. To the equity floor the fees count that the pool has booked.
fn quiet(
    situation: &Situation,
    model: &PositionModel,
    triggers: &Triggers,
) -> Result<Boundaries, SituationError> {
    let booked = situation.booked_fees();
    if triggers.equity_floor.is_none() || booked.is_zero() {
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
    let owned = model.with_idle(booked)?;
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
    let automated = if allowed && model.liquidity > 0 {
        automation_triggers(&situation.position.automation, oracle)
    } else {
        Triggers::default()
    };
    let hedge = HedgeBand {
        hedge: policy.hedge(),
        band: Bps::new(policy.delta_band_bps),
    };
    let hedges = allowed && has_hedge(model, oracle) && !waits(ActionKind::Rehedge);
    Triggers {
        ltv: Some(ltv),
        hedge: hedges.then_some(hedge),
        edge: automated.edge.filter(|_| !waits(ActionKind::Recenter)),
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
mod tests {
    use ballast_client::{MarketSnapshot, Position};
    use ballast_model::SqrtPrice;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        decide::{Obstacle, assess},
        fixtures::{self, NOW},
    };

    const HORIZON_SECS: u32 = 600;

    /// The fixture at a price of so many cents, with interest running fast.
    fn at(cents: i64, seconds_later: i64) -> MarketSnapshot {
        let mut market = fixtures::snapshot(200);
        market.base_price = fixtures::price_update(cents * 1_000_000, 1);
        market.pool.sqrt_price = fixtures::sqrt_price_cents(cents);
        market.now_secs = NOW + seconds_later;
        market.base_price.publish_time = market.now_secs;
        market.quote_price.publish_time = market.now_secs;
        for reserve in [&mut market.base_reserve, &mut market.quote_reserve] {
            reserve.rate_at_zero_bps = 50_000;
            reserve.rate_at_kink_bps = 60_000;
            reserve.rate_at_full_bps = 100_000;
            reserve.debt_shares = fixtures::shares(1_000_000_000).into();
        }
        market
    }

    fn assessed(market: &MarketSnapshot, position: &Position) -> Assessment {
        let situation = Situation {
            now_secs: market.now_secs,
            ..fixtures::situation(market, position)
        };
        assess(&situation).unwrap()
    }

    fn watched(market: &MarketSnapshot, position: &Position) -> Watch {
        let situation = fixtures::situation(market, position);
        watch(&situation, &assessed(market, position), HORIZON_SECS).unwrap()
    }

    fn ends(watch: Watch) -> (Option<SqrtPrice>, Option<SqrtPrice>) {
        match watch.quiet {
            Boundaries::Interval { lower, upper } => (lower, upper),
            Boundaries::Empty => panic!("restless"),
        }
    }

    proptest! {
        #[test]
        fn nothing_becomes_due_inside_until_the_horizon(
            cents in 15_000i64..30_000,
            later in 0i64..=i64::from(HORIZON_SECS),
            band_bps in 10u32..10_000,
            trigger_bps in 6_670u32..8_300,
            hedge_bps in 5_000u32..=10_000,
            enabled in 0u32..=1,
            automated: bool,
            edge_bps in 0u32..2_000,
            (low, high) in (15_000i64..20_500, 20_501i64..28_000),
            reactions in (0u8..=3, 0u8..=3, 0u8..=3),
            floor in 0u64..120_000_000,
        ) {
            let mut position = fixtures::position();
            if automated {
                position.automation = Automation {
                    edge_bps,
                    window_low_tick: fixtures::sqrt_price_cents(low).tick().get(),
                    window_high_tick: fixtures::sqrt_price_cents(high).tick().get(),
                    at_low: reactions.0,
                    at_high: reactions.1,
                    at_floor: reactions.2,
                    min_equity: floor,
                    ..fixtures::automation()
                };
            }
            position.policy.delta_band_bps = band_bps;
            position.policy.deleverage_trigger_ltv_bps = trigger_bps;
            position.policy.hedge_bps = hedge_bps;
            position.policy.keeper_enabled = enabled;
            let now = at(20_000, 0);
            let first = assessed(&now, &position).decision;
            let watch = watched(&now, &position);
            let moved = at(cents, later);
            if watch.quiet.contains(moved.oracle_sqrt_price().unwrap()) && later < watch.until_secs - NOW {
                // What is due in there is only what cannot be done until the watch ends anyway.
                let waits = |decision: Decision| match decision {
                    Decision::Nothing => true,
                    Decision::Act(..) => false,
                    Decision::Blocked { .. } => decision
                        .blocks()
                        .all(|(_, obstacle)| obstacle.retry() != Retry::Market),
                };
                prop_assert!(waits(first), "{:?}", first);
                let decision = assessed(&moved, &position).decision;
                prop_assert!(waits(decision), "{:?}", decision);
                prop_assert!(enabled == 0 || decision == Decision::Nothing, "{:?}", decision);
            }
        }
    }

    #[test]
    fn outside_something_is_due_so_that_the_interval_is_not_needlessly_small() {
        let position = fixtures::position();
        let (lower, upper) = ends(watched(&at(20_000, 0), &position));
        for cents in 15_000..30_000 {
            let market = at(cents, 0);
            let price = market.oracle_sqrt_price().unwrap();
            let due = assessed(&market, &position).decision != Decision::Nothing;
            // Debts grown by ten minutes at 1000 % a year are 0.02 % larger: some cents at most.
            let near = |end: Option<SqrtPrice>| {
                end.is_some_and(|end| crate::execute::fee::price_distance_bps(end, price) <= 3)
            };
            let inside = lower < Some(price) && upper.is_none_or(|upper| price < upper);
            assert!(due != inside || near(lower) || near(upper), "{cents}");
        }
    }

    #[test]
    fn the_ends_are_those_of_band_window_and_floor_too() {
        let tick = |dollars: i64| fixtures::sqrt_price_cents(dollars * 100).tick();
        let with = |change: fn(&mut Automation)| {
            let mut position = fixtures::position();
            position.policy.delta_band_bps = 10_000;
            change(&mut position.automation);
            ends(watched(&at(20_000, 0), &position))
        };
        let (low, high) = with(|_| ());
        let price = |dollars| Some(tick(dollars).sqrt_price());
        assert!(low < price(185) && high > price(215));
        let band = with(|a| (a.min_width_ticks, a.max_width_ticks) = (400, 4_000));
        let model = assessed(&at(20_000, 0), &fixtures::position()).model;
        let (lower, upper) = (model.band.sqrt_lower(), model.band.sqrt_upper());
        assert_eq!(band, (Some(lower), Some(upper)));
        let edge = with(|a| {
            (a.min_width_ticks, a.max_width_ticks, a.edge_bps) = (400, 4_000, 1_000);
        });
        assert!(edge.0 > band.0 && edge.1 < band.1);
        // An edge without a reaction and without recentering is none.
        let window = |reaction: u8| {
            let mut position = fixtures::position();
            position.policy.delta_band_bps = 10_000;
            let automation = &mut position.automation;
            (automation.window_low_tick, automation.window_high_tick) =
                (tick(195).get(), tick(205).get());
            (automation.at_low, automation.at_high) = (reaction, reaction);
            ends(watched(&at(20_000, 0), &position))
        };
        assert_eq!(window(0), (low, high));
        assert_eq!(window(1), (price(195), price(205)));
        let floor = with(|a| (a.min_equity, a.at_floor) = (98_000_000, 1));
        assert!(floor.0 > low && floor.1 < high, "{floor:?}");
    }

    #[test]
    fn what_is_held_beyond_the_window_is_quiet_until_the_price_comes_back() {
        let mut position = fixtures::position();
        position.policy.delta_band_bps = 10_000;
        position.automation = Automation {
            window_high_tick: fixtures::sqrt_price_cents(20_800).tick().get(),
            ..fixtures::automation()
        };
        let market = at(21_200, 0);
        assert_eq!(assessed(&market, &position).decision, Decision::Nothing);
        let quiet = watched(&market, &position).quiet;
        assert!(quiet.contains(fixtures::sqrt_price_cents(21_200)));
        assert!(!quiet.contains(fixtures::sqrt_price_cents(20_799)));
    }

    #[test]
    fn during_the_cool_down_only_the_band_is_not_watched() {
        let mut position = fixtures::position();
        position.automation = fixtures::automation();
        position.policy.delta_band_bps = 10_000;
        position.last_recenter_secs = NOW - 100;
        let market = at(21_200, 0);
        let watch = watched(&market, &position);
        assert_eq!(watch.until_secs, NOW + 200);
        let (lower, upper) = ends(watch);
        assert!(watch.quiet.contains(fixtures::sqrt_price_cents(21_200)));
        assert!(lower.is_some() && upper.is_some());
    }

    #[test]
    fn what_the_owner_forbids_is_not_waited_for() {
        let mut position = fixtures::position();
        let allowed = ends(watched(&at(20_000, 0), &position));
        position.policy.keeper_enabled = 0;
        let forbidden = ends(watched(&at(20_000, 0), &position));
        assert!(
            forbidden.0 < allowed.0 && forbidden.1 > allowed.1,
            "{forbidden:?} {allowed:?}"
        );
        // Where a rehedge would be due it is quiet, until the market's trigger.
        let blocked = at(20_500, 0);
        assert!(
            watched(&blocked, &position)
                .quiet
                .contains(blocked.oracle_sqrt_price().unwrap())
        );
    }

    #[test]
    fn what_is_too_soon_is_looked_at_again_in_time_and_margin_is_watched_meanwhile() {
        let mut position = fixtures::position();
        position.last_rebalance_secs = NOW - 20;
        let market = at(20_500, 0);
        let watch = watched(&market, &position);
        assert_eq!(watch.until_secs, NOW + 40);
        let (lower, upper) = ends(watch);
        assert!(watch.quiet.contains(market.oracle_sqrt_price().unwrap()));
        assert!(lower.is_some() && upper < Some(fixtures::sqrt_price_cents(25_000)));
    }

    #[test]
    fn what_waits_for_the_market_and_for_its_time_is_looked_at_with_every_change_until_then() {
        let mut position = fixtures::position();
        position.last_rebalance_secs = NOW - 20;
        // Above the band, with nothing owed that the pool could repay, and a swap that is too dear.
        position.quote_debt_shares = 0.into();
        position.base_debt_shares = fixtures::shares(950_000_000).into();
        let mut market = at(24_900, 0);
        market.pool.fee_rate_ppm = 60_000;
        let blocks: Vec<_> = assessed(&market, &position).decision.blocks().collect();
        let [
            (ActionKind::Deleverage, Obstacle::NeedsSwap { .. }),
            (ActionKind::DeleverageSwap, Obstacle::SwapLoss { .. }),
            (ActionKind::Rehedge, Obstacle::TooSoon { .. }),
        ] = blocks[..]
        else {
            panic!("{blocks:?}")
        };
        let watch = watched(&market, &position);
        assert_eq!(
            (watch.quiet, watch.until_secs),
            (Boundaries::Empty, NOW + 40)
        );
    }

    #[test]
    fn what_the_market_blocks_or_is_being_done_is_restless() {
        let position = fixtures::position();
        let mut market = at(20_500, 0);
        assert_eq!(watched(&market, &position).quiet, Boundaries::Empty);
        market.base_price.publish_time -= 40;
        assert!(matches!(
            assessed(&market, &position).decision,
            Decision::Blocked { .. }
        ));
        assert_eq!(watched(&market, &position).quiet, Boundaries::Empty);
    }
}
