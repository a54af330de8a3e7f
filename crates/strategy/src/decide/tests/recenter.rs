//! New bands.

use ballast::state::{MarketMode, Position, Reaction};
use ballast_model::{Side, Trade};
use ballast_snapshot::MarketSnapshot;

use super::automation::*;
use crate::decide::*;
use crate::{
    fee_yield::{FeeYield, GrowthMark, MeasuredYield},
    fixtures::{self, NOW, OWNER, TICKS},
    prices::PriceFault,
    situation::Economics,
};

#[test]
fn outside_the_band_a_new_one_is_laid_around_the_price() {
    for (dollars, trade) in [(185, Trade::SellBase), (216, Trade::BuyBase)] {
        let plan = recenters(decision(dollars, |_, _, _| ()));
        let [lower, upper] = plan.ticks;
        assert_eq!(upper - lower, TICKS[1] - TICKS[0]);
        assert!((lower + upper).abs_diff(2 * tick(dollars)) <= 8);
        assert_eq!((lower % 4, upper % 4), (0, 0));
        // All of the delta is traded: what the pool held, or lacked, against the debt.
        let (traded, base) = plan.swap.unwrap();
        assert_eq!(traded, trade);
        assert!((500_000_000..900_000_000).contains(&base), "{base}");
        // At least the pool's fee of 4 basis points on some 140 dollars.
        assert!((50_000..100_000).contains(&plan.cost), "{}", plan.cost);
    }
    assert_eq!(decision(200, |_, _, _| ()), Decision::Nothing);
}

#[test]
fn at_the_edge_it_recenters_in_place_of_a_rehedge() {
    let edge = |edge_bps| {
        decision(208, |_, p, _| {
            p.automation.edge_bps = edge_bps;
        })
    };
    is(edge(0), ActionKind::Rehedge);
    is(edge(900), ActionKind::Rehedge);
    recenters(edge(1_100));
}

#[test]
fn what_the_owner_does_not_allow_is_not_done() {
    let rehedged = |change: fn(&mut Position)| {
        is(decision(216, |_, p, _| change(p)), ActionKind::Rehedge);
    };
    rehedged(|p| {
        p.automation.min_width_ticks = 0;
        p.automation.max_width_ticks = 0;
    });
    // Beyond the window at whose edges it is held, nothing is recentered, but it stays hedged.
    rehedged(|p| p.automation = window(Reaction::Hold));
    let disabled = decision(216, |_, p, _| p.policy.keeper_enabled = 0);
    let blocks: Vec<_> = disabled.blocks().collect();
    assert_eq!(
        blocks,
        [
            (ActionKind::Recenter, Obstacle::KeeperDisabled),
            (ActionKind::Rehedge, Obstacle::KeeperDisabled)
        ]
    );
    recenters(decision(216, |_, p, o| {
        (p.policy.keeper_enabled, o.keeper) = (0, OWNER);
    }));
    let empty = decision(216, |_, p, _| {
        p.liquidity = 0.into();
        p.base_debt_shares = 0.into();
        p.quote_debt_shares = 0.into();
        p.idle_base = 5;
    });
    assert_eq!(empty, Decision::Nothing);
}

/// What stands in the way of a recentering; a rehedge is done instead, or is not possible either.
#[track_caller]
fn obstacle(change: impl FnOnce(&mut MarketSnapshot, &mut Position, &mut Options)) -> Obstacle {
    // Rehedged a moment ago, so that nothing else can be done.
    let decision = decision(216, |m, p, o| {
        p.last_rebalance_secs = NOW;
        change(m, p, o);
    });
    let mut blocks = decision.blocks();
    let found = blocks.find(|(kind, _)| *kind == ActionKind::Recenter);
    found.unwrap_or_else(|| panic!("{decision:?}")).1
}

#[test]
fn every_obstacle_of_a_recentering_is_seen() {
    // The longer of the owner's and the market's cool-down.
    assert_eq!(
        obstacle(|_, p, _| p.last_recenter_secs = NOW - 299),
        Obstacle::TooSoon { due_secs: NOW + 1 }
    );
    let shorter = obstacle(|_, p, _| {
        (p.last_recenter_secs, p.automation.recenter_cooldown_secs) = (NOW - 59, 0)
    });
    assert_eq!(shorter, Obstacle::TooSoon { due_secs: NOW + 1 });
    recenters(decision(216, |_, p, _| p.last_recenter_secs = NOW - 300));

    let mode = MarketMode::NoNewRisk;
    assert_eq!(
        obstacle(|m, _, _| m.market.mode = mode as u8),
        Obstacle::ModeForbids { mode, stage: 0 }
    );
    assert_eq!(
        obstacle(|m, _, _| m.market.stage.stage = 1),
        Obstacle::ModeForbids {
            mode: MarketMode::Normal,
            stage: 1
        }
    );
    assert!(matches!(
        obstacle(|m, _, _| m.base_price.publish_time = NOW - 31),
        Obstacle::Price(PriceFault::Stale { .. })
    ));
    assert_eq!(
        obstacle(|m, _, _| m.pool.sqrt_price = fixtures::sqrt_price_cents(22_200)),
        Obstacle::PoolDiverged { max_bps: 200 }
    );
    assert_eq!(
        obstacle(|_, p, _| {
            (p.automation.min_width_ticks, p.automation.max_width_ticks) = (401, 403);
        }),
        Obstacle::NoBand { min: 401, max: 403 }
    );
    assert!(matches!(
        obstacle(|m, _, _| m.pool.fee_rate_ppm = 6_000),
        Obstacle::SwapLoss { max_bps: 50, .. }
    ));
    assert_eq!(
        obstacle(|m, _, _| m.market.limits.initial_ltv_bps = 6_600),
        Obstacle::InitialHealth
    );
    // Near an edge of any band again at once.
    assert!(matches!(
        obstacle(|_, p, _| p.automation.edge_bps = 5_000),
        Obstacle::NoBand { .. }
    ));
    // At the newest price that the market knows the band has not been left; the owner may go ahead.
    let came_back = |m: &mut MarketSnapshot| {
        m.market.newest_sqrt_price_x64 = fixtures::sqrt_price_cents(20_000).x64().into();
        m.market.newest_feed_prices = fixtures::known_prices();
        m.market.last_base_publish_secs = NOW;
        m.market.last_quote_publish_secs = NOW;
    };
    assert_eq!(obstacle(|m, _, _| came_back(m)), Obstacle::NewerPrice);
    recenters(decision(216, |m, p, o| {
        p.last_rebalance_secs = NOW;
        came_back(m);
        o.keeper = OWNER;
    }));
    // Below the band it takes more base debt than there was.
    let short = decision(185, |m, p, _| {
        p.last_rebalance_secs = NOW;
        m.base_reserve.liquidity = 1;
    });
    let side = Side::Base;
    assert!(
        matches!(short.blocks().next(), Some((_, Obstacle::ReserveShort { side: found, .. })) if found == side),
        "{short:?}"
    );
    let refused = obstacle(|_, _, o| o.outlook.refused = Kinds::NONE.with(ActionKind::Recenter));
    assert_eq!(refused, Obstacle::Refused);
    assert_eq!(refused.retry(), Retry::Position);
}

#[test]
fn what_a_simulation_has_refused_is_rehedged_instead() {
    let refused = |kind| decision(216, |_, _, o| o.outlook.refused = Kinds::NONE.with(kind));
    is(refused(ActionKind::Recenter), ActionKind::Rehedge);
    recenters(refused(ActionKind::Rehedge));
}

#[test]
fn it_has_to_earn_what_it_costs_in_time() {
    let economics = |fee_day_bps, payback_days| {
        decision(216, |_, _, o| {
            o.outlook.economics = Economics {
                fee_day_bps,
                payback_days,
                ..Economics::default()
            }
        })
    };
    // The swap costs some 6 cents; the assets are some 300 dollars.
    recenters(economics(1, 3));
    is(economics(1, 1), ActionKind::Rehedge);
    is(economics(0, 365), ActionKind::Rehedge);
    recenters(economics(3, 1));
    let impact = decision(216, |m, _, _| m.pool.liquidity = 20_000_000_000);
    is(impact, ActionKind::Rehedge);
    let Obstacle::NotWorthIt { cost, earned, days } =
        obstacle(|_, _, o| o.outlook.economics.fee_day_bps = 0)
    else {
        panic!("it pays");
    };
    assert!(cost > 0);
    assert_eq!((earned, days), (0, 3));
}

/// A yield of the whole range in parts of a basis point a day, measured over so many hours.
fn measured(parts_of_bp: u64, parts: u64, hours: u32) -> Option<MeasuredYield> {
    let bp = u64::MAX / 10_000;
    Some(MeasuredYield {
        day_x64: bp / parts * parts_of_bp,
        secs: hours * 3_600,
    })
}

#[test]
fn what_was_measured_outweighs_what_is_configured() {
    let with = |fee_day_bps, fee_yield: Option<MeasuredYield>| {
        decision(216, |_, p, o| {
            p.last_rebalance_secs = NOW;
            o.outlook.economics.fee_day_bps = fee_day_bps;
            o.outlook.fee_yield = fee_yield;
        })
    };
    // The swap costs some 2 basis points of assets, whose band is concentrated forty times.
    recenters(with(0, measured(1, 10, 72)));
    let Some((_, Obstacle::NotWorthIt { cost, earned, .. })) =
        with(0, measured(1, 1_000, 72)).blocks().next()
    else {
        panic!("it pays");
    };
    // Three days of 0.04 basis points of some 300 dollars.
    assert!((2_000..5_000).contains(&earned), "{earned} {cost}");
    // A pool that pays nothing is known to after a day; after six hours three quarters of the other are still believed.
    is_not_worth_it(with(1_000, measured(0, 1, 24)));
    is_not_worth_it(with(5, measured(0, 1, 72)));
    recenters(with(5, measured(0, 1, 6)));
    recenters(with(5, None));
}

#[track_caller]
pub(super) fn is_not_worth_it(decision: Decision) {
    let first = decision.blocks().next();
    assert!(
        matches!(
            first,
            Some((ActionKind::Recenter, Obstacle::NotWorthIt { .. }))
        ),
        "{decision:?}"
    );
}

/// The fees of a pool are shared with the liquidity that is put into it.
#[test]
fn a_position_as_large_as_the_pool_expects_half_of_what_was_paid() {
    let earned = |liquidity| {
        let blocked = decision(216, |m, p, o| {
            p.last_rebalance_secs = NOW;
            m.pool.liquidity = liquidity;
            // Impact is no matter here.
            m.pool.fee_rate_ppm = 0;
            o.outlook.economics = Economics {
                fee_day_bps: 0,
                payback_days: 1,
                ..Economics::default()
            };
            o.outlook.fee_yield = measured(1, 100_000, 72);
        });
        let first = blocked.blocks().next();
        let Some((_, Obstacle::NotWorthIt { earned, .. })) = first else {
            panic!("{blocked:?}");
        };
        earned
    };
    let own = fixtures::position().liquidity.get();
    let (shallow, deep) = (earned(own / 1_000), earned(own * 10));
    assert!(shallow * 500 < deep, "{shallow} {deep}");
    let even = earned(own);
    assert!(
        (deep * 45 / 100..deep * 62 / 100).contains(&even),
        "{even} {deep}"
    );
}

/// Somebody trades with himself for an hour: no new band is laid that would not have been.
#[test]
fn a_flash_of_fees_brings_no_recentering_about() {
    let mut pool = FeeYield::default();
    let mut growth = 0u128;
    let at = fixtures::sqrt_price_cents(21_600);
    let mut hour = |growth_quote: u128, pool: &mut FeeYield, secs: i64| {
        growth += growth_quote;
        pool.observe(&GrowthMark {
            growth_x64: [0, growth],
            at,
            secs,
        });
    };
    // A hundredth of a basis point of `2 s` a day, in quote.
    let fair = at.x64() / 10_000 / 100 / 24 * 2;
    let decided = |pool: &FeeYield| {
        decision(216, |_, p, o| {
            p.last_rebalance_secs = NOW;
            o.outlook.economics.fee_day_bps = 0;
            o.outlook.fee_yield = pool.measured();
        })
    };
    for block in 0..24 {
        hour(fair, &mut pool, block * 3_600);
    }
    is_not_worth_it(decided(&pool));
    hour(fair * 1_000_000, &mut pool, 24 * 3_600);
    is_not_worth_it(decided(&pool));
    // What lasts is believed.
    for block in 25..60 {
        hour(fair * 100, &mut pool, block * 3_600);
    }
    recenters(decided(&pool));
}

/// A band that earns what moves cost gets the width of four deviations; one that earns more a narrower one.
#[test]
fn the_width_follows_what_was_measured() {
    let width = |fee_yield| {
        let plan = recenters(decision(216, |_, _, o| {
            o.outlook.volatility = Some(400);
            o.outlook.economics.fee_day_bps = 80;
            o.outlook.fee_yield = fee_yield;
        }));
        plan.ticks[1] - plan.ticks[0]
    };
    // Moves of 400 ticks cost 80 basis points a day in a band of 1000, two of the whole range.
    assert_eq!(width(None), 1_600);
    let as_much = width(measured(2, 1, 72));
    assert!((1_560..1_680).contains(&as_much), "{as_much}");
    let narrow = width(measured(20, 1, 72));
    assert!((790..1_010).contains(&narrow), "{narrow}");
    let half = width(measured(1, 1, 72));
    assert!((2_900..3_240).contains(&half), "{half}");
}

/// Whatever is measured, what protects is decided as if nothing were.
#[test]
fn protection_does_not_wait_for_a_yield() {
    for cents in (12_000..32_000).step_by(250) {
        let with = |fee_yield: Option<MeasuredYield>| {
            decision(cents / 100, |_, p, o| {
                p.automation.max_width_ticks = 0;
                o.outlook.fee_yield = fee_yield;
            })
        };
        let none = with(None);
        for other in [measured(0, 1, 72), measured(10_000, 1, 72)] {
            assert_eq!(with(other), none, "{cents}");
        }
    }
}

#[test]
fn what_is_not_paid_enough_is_left_to_others() {
    let wants = |reward: u64, market_allows: u64, there_is: Option<u64>| {
        decision(216, |m, p, o| {
            p.last_rebalance_secs = NOW;
            p.automation.reward_lamports = reward;
            m.market.keepers.max_reward_lamports = market_allows;
            o.outlook.reward_lamports = there_is;
            o.outlook.economics.min_reward_lamports = 10_000;
        })
    };
    recenters(wants(10_000, 10_000, None));
    recenters(wants(20_000, 10_000, Some(10_000)));
    for (reward, market_allows, there_is) in [
        (9_999, 10_000, None),
        (10_000, 9_999, None),
        (10_000, 10_000, Some(9_999)),
    ] {
        let blocked = wants(reward, market_allows, there_is);
        let first = blocked.blocks().next().unwrap();
        let (reward, wanted) = (9_999, 10_000);
        assert_eq!(
            first,
            (ActionKind::Recenter, Obstacle::Unpaid { reward, wanted })
        );
    }
}

#[test]
fn the_allowed_losses_are_kept_to_and_waited_for() {
    // Base costs eight basis points more in the pool, of a fee of four: what exceeds twice the fee is charged.
    let dear = |m: &mut MarketSnapshot| m.pool.sqrt_price = fixtures::sqrt_price_cents(21_617);
    let with = |max_daily_loss_bps, recent_loss, ago| {
        move |m: &mut MarketSnapshot, p: &mut Position, _: &mut Options| {
            dear(m);
            p.automation.max_daily_loss_bps = max_daily_loss_bps;
            (p.recent_loss, p.recent_loss_at_secs) = (recent_loss, NOW - ago);
        }
    };
    // Of some 95 dollars one percent; the swap loses some 6 cents.
    recenters(decision(216, with(100, 0, 0)));
    recenters(decision(216, with(100, 800_000, 0)));
    let Obstacle::DailyLoss {
        loss,
        left,
        due_secs: Some(due_secs),
    } = obstacle(with(100, 930_000, 0))
    else {
        panic!("no loss");
    };
    assert!(left < loss, "{left} {loss}");
    assert!(
        (NOW + 1..NOW + 7 * 43_200).contains(&due_secs),
        "{due_secs}"
    );
    // At that time it is possible, a moment before it is not.
    let elapsed = due_secs - NOW;
    recenters(decision(216, with(100, 930_000, elapsed)));
    obstacle(with(100, 930_000, elapsed - 2));
    // By itself too much: no time helps.
    assert!(matches!(
        obstacle(with(1, 0, 0)),
        Obstacle::DailyLoss { due_secs: None, .. }
    ));
    // The market's own limit counts as well. A rehedge has its own allowance here, outside twice the band.
    let strict = |max_defensive_loss_bps| {
        decision(216, move |m, p, _| {
            dear(m);
            m.market.safety.max_defensive_loss_bps = max_defensive_loss_bps;
            m.market.keepers.max_daily_loss_bps = 1;
            p.automation.max_daily_loss_bps = 0;
        })
    };
    assert_eq!(strict(100).kind(), Some(ActionKind::Rehedge));
    let strict = strict(1);
    let obstacles: Vec<_> = strict.blocks().collect();
    assert!(
        matches!(
            obstacles[..],
            [
                (ActionKind::Recenter, Obstacle::DailyLoss { .. }),
                (ActionKind::Rehedge, Obstacle::DailyLoss { .. })
            ]
        ),
        "{obstacles:?}"
    );
    // The owner is not bound by it.
    recenters(decision(216, |m, _, o| {
        dear(m);
        (m.market.keepers.max_daily_loss_bps, o.keeper) = (1, OWNER);
    }));
}

#[test]
fn the_width_follows_volatility_within_the_owners_bounds() {
    let width = |volatility| {
        let plan = recenters(decision(216, |_, _, o| {
            o.outlook.volatility = volatility;
            o.outlook.economics.fee_day_bps = 80;
        }));
        plan.ticks[1] - plan.ticks[0]
    };
    assert_eq!(width(None), 1_000);
    assert_eq!(width(Some(400)), 1_600);
    assert_eq!(width(Some(2_000)), 4_000);
    assert_eq!(width(Some(0)), 400);
}
