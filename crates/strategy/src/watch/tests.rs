//! What a watch says, against what is decided there.

use ballast::state::Position;
use ballast_model::{SqrtPrice, price::distance_bps};
use ballast_snapshot::MarketSnapshot;
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]
    #[test]
    fn it_is_what_is_quiet_for_the_present_debts_and_for_the_grown_ones(
        (low, width) in (-20_000i32..-12_000, 1i32..4_000),
        liquidity_bits in 0u32..50,
        idle in (0u64..3_000_000_000, 0u64..300_000_000),
        debt in (0u64..3_000_000_000, 0u64..300_000_000),
        growth in (0u64..3_000_000, 0u64..300_000),
        (hedge_bps, band_bps, ltv_bps) in (1u32..=10_000, 0u32..10_000, 5_000u32..9_000),
        floor in proptest::option::of(-1_000_000i128..200_000_000),
        cents in 10_000i64..40_000,
    ) {
        let tick = |tick| Tick::new(tick).unwrap();
        let now = PositionModel {
            band: ballast_model::Band::new(tick(low), tick(low + width)).unwrap(),
            liquidity: 1 << liquidity_bits,
            idle: ballast_model::Amounts::new(idle.0, idle.1),
            debt: ballast_model::Amounts::new(debt.0, debt.1),
        };
        let mut grown = now;
        grown.debt.base += growth.0.min(now.debt.base);
        grown.debt.quote += growth.1.min(now.debt.quote);
        let band = HedgeBand { hedge: Bps::new(hedge_bps), band: Bps::new(band_bps) };
        let triggers = Triggers {
            ltv: Some(Bps::new(ltv_bps)),
            hedge: Some(band),
            equity_floor: floor,
            ..Triggers::default()
        };
        let (market, stored) = (at(20_000, 0), fixtures::position());
        let situation = fixtures::situation(&market, &stored);
        let both = quiet(&situation, &now, &triggers).unwrap()
            .intersection(quiet(&situation, &grown, &triggers).unwrap());
        let oracle = fixtures::sqrt_price_cents(cents);
        let once = quiet_until(&situation, &now, &grown, &triggers, oracle).unwrap();
        // Wherever the two differ, LTV is next to its trigger, equity next to its floor, or the hedge error a unit from the end of its band.
        let near = |price: SqrtPrice| {
            let tolerance = i128::from(band.tolerance_down(&now).unwrap());
            let long = now.hedge_error(price, band.hedge).unwrap();
            let short = grown.hedge_error(price, band.hedge).unwrap();
            let value = grown.value(price).unwrap();
            let whole = (price.x64() as f64 / 2f64.powi(64)).powi(2).ceil();
            let part = f64::from(ltv_bps) / 10_000.0;
            let margin = part * value.assets as f64 - value.debt as f64;
            let value_all = (value.assets + value.debt) as f64;
            let above = floor.map(|floor| value.equity() - floor);
            (long - tolerance).abs() <= 1
                || (short + tolerance).abs() <= 1
                || margin.abs() <= 2.0 * (whole + 3.0) + 2e-6 * value_all
                || above.is_some_and(|above| (above as f64).abs() <= whole + 4.0)
        };
        let ends = |quiet: Boundaries| match quiet {
            Boundaries::Empty => [None; 2],
            Boundaries::Interval { lower, upper } => [lower, upper],
        };
        for price in [ends(both), ends(once)].concat().into_iter().flatten() {
            for x64 in [price.x64() - 1, price.x64(), price.x64() + 1] {
                let Ok(price) = SqrtPrice::new(x64) else { continue };
                prop_assert!(
                    both.contains(price) == once.contains(price) || near(price),
                    "{both:?} {once:?} {price:?} {now:?} {grown:?}"
                );
            }
        }
        let [lower, upper] = ends(both);
        let blurred = lower.is_some_and(near) && upper.is_some_and(near);
        prop_assert!(once != Boundaries::Empty || both == Boundaries::Empty || blurred);
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
        let near = |end: Option<SqrtPrice>| end.is_some_and(|end| distance_bps(end, price) <= 3);
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
