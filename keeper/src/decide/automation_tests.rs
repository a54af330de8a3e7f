//! Recenters, exits and compounds.

use ballast::events::ExitReason;
use ballast_client::{Automation, MarketMode, MarketSnapshot, Position, Reaction};
use ballast_model::{Boundaries, Side, Tick, Trade};
use solana_sdk::pubkey::Pubkey;

use super::*;
use crate::{
    fixtures::{self, KEEPER, NOW, OWNER, TICKS},
    prices::PriceFault,
    situation::{Economics, Outlook},
};

struct Options {
    keeper: Pubkey,
    outlook: Outlook,
}

/// The automated worked example at a price, with changes.
fn decision(
    dollars: i64,
    change: impl FnOnce(&mut MarketSnapshot, &mut Position, &mut Options),
) -> Decision {
    let (mut market, mut position) = (fixtures::snapshot(dollars), fixtures::position());
    position.automation = fixtures::automation();
    position.policy.deleverage_trigger_ltv_bps = 7_800;
    fixtures::book_debts(&mut market, &position);
    let mut options = Options {
        keeper: KEEPER,
        outlook: Outlook::default(),
    };
    change(&mut market, &mut position, &mut options);
    let situation = Situation {
        keeper: options.keeper,
        outlook: options.outlook,
        ..fixtures::situation(&market, &position)
    };
    assess(&situation).unwrap().decision
}

#[track_caller]
fn recenters(decision: Decision) -> RecenterPlan {
    match decision {
        Decision::Act(Action::Recenter(plan), Reason::OutOfBand { .. }) => plan,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn exits(decision: Decision) -> (ExitReason, ExitPlan) {
    match decision {
        Decision::Act(Action::Exit(plan), Reason::Exit { by, reaction }) => {
            assert_eq!(plan.reaction, reaction);
            (by, plan)
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn is(decision: Decision, kind: ActionKind) {
    assert!(
        matches!(decision, Decision::Act(action, _) if action.kind() == kind),
        "{kind}: {decision:?}"
    );
}

fn tick(dollars: i64) -> i32 {
    fixtures::sqrt_price_cents(dollars * 100).tick().get()
}

/// Exits with a reaction outside 192 to 208 dollars.
fn window(reaction: Reaction) -> Automation {
    Automation {
        window_low_tick: tick(192),
        window_high_tick: tick(208),
        at_low: reaction as u8,
        at_high: reaction as u8,
        ..fixtures::automation()
    }
}

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
fn the_days_losses_are_kept_to_and_waited_for() {
    let with = |max_daily_loss_bps, recent_loss, ago| {
        move |_: &mut MarketSnapshot, p: &mut Position, _: &mut Options| {
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
    assert!((NOW + 1..NOW + 43_200).contains(&due_secs), "{due_secs}");
    // At that time it is possible, a moment before it is not.
    let elapsed = due_secs - NOW;
    recenters(decision(216, with(100, 930_000, elapsed)));
    obstacle(with(100, 930_000, elapsed - 2));
    // By itself too much: no time helps.
    assert!(matches!(
        obstacle(with(1, 0, 0)),
        Obstacle::DailyLoss { due_secs: None, .. }
    ));
    // The market's own limit, and a rehedge's losses, count as well; the owner's own do not.
    let strict = decision(216, |m, p, _| {
        m.market.keepers.max_daily_loss_bps = 1;
        p.automation.max_daily_loss_bps = 0;
    });
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
    recenters(decision(216, |m, _, o| {
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

#[test]
fn each_edge_and_the_floor_lead_out_of_the_pool() {
    for (dollars, by) in [(190, ExitReason::Low), (210, ExitReason::High)] {
        for reaction in [
            Reaction::ExitAsIs,
            Reaction::ExitIntoBase,
            Reaction::ExitIntoQuote,
        ] {
            let (why, plan) = exits(decision(dollars, |_, p, _| p.automation = window(reaction)));
            assert_eq!(why, by);
            match reaction {
                Reaction::ExitIntoQuote => assert_eq!(plan.idle.base, 0),
                Reaction::ExitIntoBase => assert!(plan.idle.quote < 1_000, "{plan:?}"),
                _ => {}
            }
            let at = fixtures::sqrt_price_cents(dollars * 100);
            let worth = ballast_model::value_down(plan.idle.base, at).unwrap()
                + u128::from(plan.idle.quote);
            assert!((93_000_000..101_000_000).contains(&worth), "{worth}");
        }
    }
    let floor = |min_equity| {
        decision(200, |_, p, _| {
            p.automation.min_equity = min_equity;
            p.automation.at_floor = Reaction::ExitAsIs as u8;
        })
    };
    assert_eq!(exits(floor(100_000_001)).0, ExitReason::Floor);
    assert_eq!(floor(99_000_000), Decision::Nothing);
}

#[test]
fn every_obstacle_of_an_exit_is_seen_and_nothing_is_built_up_meanwhile() {
    let blocked = |change: fn(&mut MarketSnapshot, &mut Position)| {
        let decision = decision(212, |m, p, o| {
            p.automation = window(Reaction::ExitIntoQuote);
            p.last_rebalance_secs = NOW;
            o.outlook.fees = Some(Amounts::new(0, 5_000_000));
            change(m, p);
        });
        let blocks: Vec<_> = decision.blocks().collect();
        let kinds: Vec<_> = blocks.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, [ActionKind::Exit, ActionKind::Rehedge], "{decision:?}");
        blocks[0].1
    };
    assert!(matches!(
        blocked(|m, _| m.base_price.publish_time = NOW - 121),
        Obstacle::Price(PriceFault::Stale { .. })
    ));
    assert_eq!(
        blocked(|m, _| m.pool.sqrt_price = fixtures::sqrt_price_cents(21_700)),
        Obstacle::PoolDiverged { max_bps: 200 }
    );
    // An owner who lets exits lose nothing lets them not swap.
    assert!(matches!(
        blocked(|_, p| p.automation.max_exit_loss_bps = 0),
        Obstacle::SwapLoss { max_bps: 0, .. }
    ));
    // Neither mode nor risk stage stands in the way.
    exits(decision(212, |m, p, _| {
        p.automation = window(Reaction::ExitIntoQuote);
        m.market.mode = MarketMode::ReduceOnly as u8;
        m.market.stage.stage = 3;
        p.policy.deleverage_trigger_ltv_bps = 7_800;
        m.market.stages.target_ltv_bps = 7_500;
    }));
}

#[test]
fn what_cannot_be_repaid_is_not_exited() {
    let decision = decision(212, |m, p, _| {
        p.automation = window(Reaction::ExitIntoQuote);
        p.quote_debt_shares = fixtures::shares(400_000_000).into();
        fixtures::book_debts(m, p);
    });
    let exit = decision.blocks().find(|(kind, _)| *kind == ActionKind::Exit);
    assert!(
        matches!(exit, Some((_, Obstacle::DebtRemains { .. }))),
        "{decision:?}"
    );
}

#[test]
fn fees_are_compounded_when_they_are_worth_it_and_nothing_else_is_due() {
    let with = |dollars, fees, change: fn(&mut MarketSnapshot, &mut Position)| {
        decision(dollars, |m, p, o| {
            o.outlook.fees = fees;
            change(m, p);
        })
    };
    let unchanged = |_: &mut MarketSnapshot, _: &mut Position| ();
    let fees = Some(Amounts::new(2_000_000, 600_100));
    let Decision::Act(Action::Compound(plan), reason) = with(200, fees, unchanged) else {
        panic!("{:?}", with(200, fees, unchanged));
    };
    assert_eq!(Some(plan.fees), fees);
    assert!(plan.liquidity > 0);
    let Reason::Fees { worth, least } = reason else {
        panic!("{reason}");
    };
    assert_eq!(least, 1_000_000);
    assert!((1_000_000..=1_000_100).contains(&worth), "{worth}");
    for less in [None, Some(Amounts::ZERO), Some(Amounts::new(2_000_000, 599_000))] {
        assert_eq!(with(200, less, unchanged), Decision::Nothing);
    }
    let off = with(200, fees, |_, p| p.automation.compound_min_value = 0);
    assert_eq!(off, Decision::Nothing);
    is(with(205, fees, unchanged), ActionKind::Rehedge);
    is(with(216, fees, unchanged), ActionKind::Recenter);
    // Where no new risk is allowed, debts are repaid.
    let Decision::Act(Action::Compound(plan), _) =
        with(200, fees, |m, _| m.market.stage.stage = 1)
    else {
        panic!("not compounded");
    };
    assert_eq!(plan.liquidity, 0);
}

#[test]
fn every_obstacle_of_compounding_is_seen() {
    let blocked = |change: fn(&mut MarketSnapshot, &mut Options)| {
        let decision = decision(200, |m, _, o| {
            o.outlook.fees = Some(Amounts::new(0, 2_000_000));
            change(m, o);
        });
        match decision {
            Decision::Blocked {
                wanted: ActionKind::Compound,
                obstacle,
                ..
            } => obstacle,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(
        blocked(|m, _| m.base_price.publish_time = NOW - 31),
        Obstacle::Price(_)
    ));
    assert_eq!(
        blocked(|m, _| m.pool.sqrt_price = fixtures::sqrt_price_cents(20_700)),
        Obstacle::PoolDiverged { max_bps: 200 }
    );
    assert!(matches!(
        blocked(|m, _| m.quote_reserve.borrow_cap = 1),
        Obstacle::ReserveShort { .. }
    ));
    assert_eq!(
        blocked(|m, _| m.market.limits.initial_ltv_bps = 6_600),
        Obstacle::InitialHealth
    );
    assert_eq!(
        blocked(|_, o| o.outlook.economics.min_reward_lamports = 1),
        Obstacle::Unpaid {
            reward: 0,
            wanted: 1
        }
    );
}

#[test]
fn margin_comes_before_everything() {
    let ltv = |dollars: i64| {
        decision(dollars, |_, p, _| {
            p.policy.deleverage_trigger_ltv_bps = 6_680;
            p.policy.deleverage_target_ltv_bps = 6_600;
            p.automation = window(Reaction::ExitIntoQuote);
        })
    };
    is(ltv(188), ActionKind::Deleverage);
}

#[test]
fn explanations_name_band_window_and_floor() {
    let (mut market, mut position) = (fixtures::snapshot(200), fixtures::position());
    fixtures::book_debts(&mut market, &position);
    let explained = |position: &Position| {
        let situation = fixtures::situation(&market, position);
        explain(&situation).unwrap()
    };
    assert_eq!(explained(&position).boundaries.len(), 4);
    position.automation = Automation {
        min_equity: 90_000_000,
        at_floor: Reaction::ExitAsIs as u8,
        ..window(Reaction::ExitIntoQuote)
    };
    let explanation = explained(&position);
    let at = |tick| Some(Tick::new(tick).unwrap().sqrt_price());
    let ends = |lower, upper| Boundaries::Interval { lower, upper };
    assert_eq!(
        explanation.boundaries_of(Threshold::Window),
        ends(at(tick(192)), at(tick(208)))
    );
    assert_eq!(
        explanation.boundaries_of(Threshold::Band),
        ends(at(TICKS[0]), at(TICKS[1]))
    );
    let floor = explanation.boundaries_of(Threshold::Floor);
    assert!(floor.contains(fixtures::sqrt_price_cents(20_000)));
    assert!(!floor.contains(fixtures::sqrt_price_cents(16_000)));
}
