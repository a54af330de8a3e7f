//! Exits and compounds.

use ballast::events::ExitReason;
use ballast::state::{Automation, MarketMode, Position, Reaction};
use ballast_model::{Amounts, Boundaries, Tick};
use ballast_snapshot::MarketSnapshot;
use ballast_snapshot::Pubkey;

use crate::decide::*;
use crate::{
    fixtures::{self, KEEPER, NOW, TICKS},
    prices::PriceFault,
    situation::Outlook,
};

pub(super) struct Options {
    pub keeper: Pubkey,
    pub outlook: Outlook,
}

/// The automated worked example at a price, with changes.
pub(super) fn decision(
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
pub(super) fn recenters(decision: Decision) -> RecenterPlan {
    match decision {
        Decision::Act(Action::Recenter(plan), Reason::OutOfBand { .. }) => plan,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(super) fn exits(decision: Decision) -> (ExitReason, ExitPlan) {
    match decision {
        Decision::Act(Action::Exit(plan), Reason::Exit { by, reaction }) => {
            assert_eq!(plan.reaction, reaction);
            (by, plan)
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(super) fn is(decision: Decision, kind: ActionKind) {
    assert!(
        matches!(decision, Decision::Act(action, _) if action.kind() == kind),
        "{kind}: {decision:?}"
    );
}

pub(super) fn tick(dollars: i64) -> i32 {
    fixtures::sqrt_price_cents(dollars * 100).tick().get()
}

/// Exits with a reaction outside 192 to 208 dollars.
pub(super) fn window(reaction: Reaction) -> Automation {
    Automation {
        window_low_tick: tick(192),
        window_high_tick: tick(208),
        at_low: reaction as u8,
        at_high: reaction as u8,
        ..fixtures::automation()
    }
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
        assert_eq!(
            kinds,
            [ActionKind::Exit, ActionKind::Rehedge],
            "{decision:?}"
        );
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
    let exit = decision
        .blocks()
        .find(|(kind, _)| *kind == ActionKind::Exit);
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
        panic!("{reason:?}");
    };
    assert_eq!(least, 1_000_000);
    assert!((1_000_000..=1_000_100).contains(&worth), "{worth}");
    for less in [
        None,
        Some(Amounts::ZERO),
        Some(Amounts::new(2_000_000, 599_000)),
    ] {
        assert_eq!(with(200, less, unchanged), Decision::Nothing);
    }
    let off = with(200, fees, |_, p| p.automation.compound_min_value = 0);
    assert_eq!(off, Decision::Nothing);
    is(with(205, fees, unchanged), ActionKind::Rehedge);
    is(with(216, fees, unchanged), ActionKind::Recenter);
    // Where no new risk is allowed, debts are repaid.
    let Decision::Act(Action::Compound(plan), _) = with(200, fees, |m, _| m.market.stage.stage = 1)
    else {
        panic!("not compounded");
    };
    assert_eq!(plan.liquidity, 0);
    // That needs no health of a new position.
    let repays = with(200, fees, |m, _| {
        m.market.stage.stage = 1;
        m.market.limits.initial_ltv_bps = 6_600;
    });
    is(repays, ActionKind::Compound);
}

/// Of what is insolvent a repayment in one token makes its lenders whole at the expense of the other's. The owner may; a keeper may not.
#[test]
fn a_keeper_repays_nothing_of_what_is_insolvent_with_its_fees() {
    let compounds = |dollars, keeper| {
        decision(dollars, |m, _, o| {
            m.market.stage.stage = 1;
            m.pool.fee_rate_ppm = 60_000;
            o.keeper = keeper;
            o.outlook.fees = Some(Amounts::new(0, 2_000_000));
        })
    };
    for dollars in [360, 500] {
        let blocks = compounds(dollars, KEEPER);
        let mut blocks = blocks.blocks();
        assert!(blocks.any(|block| block == (ActionKind::Compound, Obstacle::LtvNotLowered)));
        is(compounds(dollars, fixtures::OWNER), ActionKind::Compound);
    }
}

#[test]
fn what_owes_nothing_leaves_the_pool_at_its_window_too() {
    let at = |liquidity: bool| {
        decision(212, |m, p, _| {
            p.automation = window(Reaction::ExitAsIs);
            p.base_debt_shares = 0.into();
            p.quote_debt_shares = 0.into();
            if !liquidity {
                p.liquidity = 0.into();
            }
            fixtures::book_debts(m, p);
        })
    };
    exits(at(true));
    // Without liquidity and debts it has left already.
    assert_ne!(at(false).kind(), Some(ActionKind::Exit));
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
fn an_exit_makes_a_deleverage_needless_and_while_it_is_refused_the_margin_is_kept() {
    let with = |refused| {
        decision(188, |_, p, o| {
            p.policy.deleverage_trigger_ltv_bps = 6_680;
            p.policy.deleverage_target_ltv_bps = 6_600;
            p.automation = window(Reaction::ExitIntoQuote);
            o.outlook.refused = refused;
        })
    };
    is(with(Kinds::NONE), ActionKind::Exit);
    // Which hedges on the way down to the target.
    let refused = Kinds::NONE.with(ActionKind::Exit);
    is(with(refused), ActionKind::Rehedge);
    is(
        with(refused.with(ActionKind::Rehedge)),
        ActionKind::Deleverage,
    );
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

#[test]
fn fees_at_the_owners_least_are_compounded_and_their_refusal_is_told() {
    use crate::{Kinds, decide::compound::is_wanted};

    let with = |quote, refused| {
        decision(200, |_, _, o| {
            o.outlook.fees = Some(Amounts::new(0, quote));
            o.outlook.refused = refused;
        })
    };
    is(with(1_000_000, Kinds::NONE), ActionKind::Compound);
    assert_eq!(with(999_999, Kinds::NONE), Decision::Nothing);
    let refused = with(1_000_000, Kinds::NONE.with(ActionKind::Compound));
    assert_eq!(
        refused.blocks().collect::<Vec<_>>(),
        [(ActionKind::Compound, Obstacle::Refused)]
    );

    let market = fixtures::snapshot(200);
    let mut position = fixtures::position();
    position.automation = fixtures::automation();
    assert!(is_wanted(&fixtures::situation(&market, &position)));
    position.liquidity = 0.into();
    assert!(!is_wanted(&fixtures::situation(&market, &position)));
}

#[test]
fn next_is_what_has_not_been_reached_yet() {
    let (mut market, position) = (fixtures::snapshot(200), fixtures::position());
    fixtures::book_debts(&mut market, &position);
    let mut explanation = explain(&fixtures::situation(&market, &position)).unwrap();
    let at = |dollars: i64| fixtures::sqrt_price_cents(dollars * 100);
    let between = |lower, upper| Boundaries::Interval {
        lower: Some(at(lower)),
        upper: Some(at(upper)),
    };
    // The band has been left: what is next is the window.
    explanation.boundaries = vec![
        (Threshold::Band, between(205, 209)),
        (Threshold::Window, between(190, 215)),
    ];
    assert_eq!(explanation.next(true), Some((Threshold::Window, at(190))));
    assert_eq!(explanation.next(false), Some((Threshold::Window, at(215))));
}

#[test]
fn explanations_name_what_there_is_and_nothing_else() {
    let (mut market, mut position) = (fixtures::snapshot(200), fixtures::position());
    fixtures::book_debts(&mut market, &position);
    let named = |position: &Position| {
        let explanation = explain(&fixtures::situation(&market, position)).unwrap();
        let named = explanation.boundaries.into_iter();
        named.map(|(threshold, _)| threshold).collect::<Vec<_>>()
    };
    // One edge of the window is enough for it to be named.
    for (low, high) in [
        (tick(192), Automation::NO_HIGH),
        (Automation::NO_LOW, tick(208)),
    ] {
        position.automation = Automation {
            window_low_tick: low,
            window_high_tick: high,
            at_low: Reaction::ExitAsIs as u8,
            at_high: Reaction::ExitAsIs as u8,
            ..Automation::OFF
        };
        let of_window = named(&position);
        assert!(of_window.contains(&Threshold::Window), "{of_window:?}");
    }
    // Without liquidity nothing leaves a band or a window.
    position.liquidity = 0.into();
    assert_eq!(named(&position).len(), 4);
}
