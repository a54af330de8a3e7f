//! The hedge.

use ballast_model::{Bps, Side, Trade};

use super::*;

#[test]
fn nothing_is_due_at_the_opening_price() {
    let at = assessment(200, |_, _, _| ());
    assert_eq!(at.decision, Decision::Nothing);
    // The worked example: LTV 2/3, delta 0, X about 1.5 SOL.
    assert_eq!(at.value.ltv_bps_up(), 6_667);
    assert!(at.hedge_error.unsigned_abs() < 10, "{}", at.hedge_error);
    assert!(
        (290_000_000..320_000_000).contains(&at.hedge_tolerance),
        "{}",
        at.hedge_tolerance
    );
}

#[test]
fn a_position_without_debt_and_liquidity_is_left_alone() {
    let empty = |_: &mut MarketSnapshot, position: &mut Position, _: &mut Options| {
        position.liquidity = 0.into();
        position.base_debt_shares = 0.into();
        position.quote_debt_shares = 0.into();
    };
    assert_eq!(decision(10, empty), Decision::Nothing);
}

#[test]
fn the_hedge_error_is_traded_away_on_either_side() {
    let at = assessment(205, |_, _, _| ());
    let plan = rehedges(at.decision);
    assert_eq!(
        (plan.trade, i128::from(plan.base)),
        (Trade::BuyBase, -at.hedge_error)
    );
    let at = assessment(195, |_, _, _| ());
    let plan = rehedges(at.decision);
    assert_eq!(
        (plan.trade, i128::from(plan.base)),
        (Trade::SellBase, at.hedge_error)
    );
}

#[test]
fn a_hedge_error_at_the_edge_of_the_band_is_tolerated() {
    let at = assessment(205, |_, _, _| ());
    // Idle base shifts the error by single units.
    let missing = u64::try_from(-at.hedge_error).unwrap() - at.hedge_tolerance;
    assert_eq!(
        decision(205, |_, position, _| position.idle_base = missing),
        Decision::Nothing
    );
    rehedges(decision(205, |_, position, _| {
        position.idle_base = missing - 1
    }));
}

#[test]
fn every_obstacle_of_a_rehedge_is_seen() {
    use ActionKind::Rehedge;
    let of = |dollars, change: fn(&mut MarketSnapshot, &mut Position, &mut Options)| {
        blocked(decision(dollars, change), Rehedge)
    };
    assert_eq!(
        of(205, |_, p, _| p.policy.keeper_enabled = 0),
        Obstacle::KeeperDisabled
    );
    rehedges(decision(205, |_, p, o| {
        (p.policy.keeper_enabled, o.keeper) = (0, OWNER)
    }));

    // The longer of the market's and the policy's interval counts.
    assert_eq!(
        of(205, |_, p, _| p.last_rebalance_secs = NOW - 59),
        Obstacle::TooSoon { due_secs: NOW + 1 }
    );
    rehedges(decision(205, |_, p, _| p.last_rebalance_secs = NOW - 60));
    let longer = of(205, |_, p, _| {
        (p.last_rebalance_secs, p.policy.min_rebalance_interval_secs) = (NOW - 60, 90)
    });
    assert_eq!(longer, Obstacle::TooSoon { due_secs: NOW + 30 });

    // It reduces risk, whatever the mode and the stage are.
    for dollars in [195, 205] {
        for stage in 0..=3 {
            rehedges(decision(dollars, |m, _, _| {
                m.market.mode = MarketMode::ReduceOnly as u8;
                m.market.stage.stage = stage;
                // A stage's own trigger is another thing.
                m.market.stages.deleverage_ltv_bps = 7_800;
                m.market.stages.target_ltv_bps = 7_700;
            }));
        }
    }

    let stale = of(205, |m, _, _| m.base_price.publish_time = NOW - 16);
    assert!(matches!(
        stale,
        Obstacle::Price(PriceFault::Stale {
            side: Side::Base,
            ..
        })
    ));

    let far = of(205, |m, _, _| m.pool = fixtures::snapshot(210).pool);
    assert_eq!(far, Obstacle::PoolDiverged { max_bps: 200 });
    // 1 % away in the good direction is no obstacle.
    rehedges(decision(205, |m, _, _| {
        m.pool.sqrt_price = fixtures::sqrt_price_cents(20_300)
    }));

    let dear = of(205, |m, _, _| m.pool.fee_rate_ppm = 6_000);
    assert_eq!(
        dear,
        Obstacle::SwapLoss {
            loss_bps: 60,
            max_bps: 50
        }
    );
    let dear = of(195, |m, _, _| {
        m.pool.sqrt_price = fixtures::sqrt_price_cents(19_402)
    });
    assert!(
        matches!(
            dear,
            Obstacle::SwapLoss {
                loss_bps: 50..=60,
                max_bps: 50
            }
        ),
        "{dear:?}"
    );
}

#[test]
fn what_cannot_be_borrowed_is_done_with_the_positions_own_liquidity() {
    // What may be borrowed, and what is withdrawn then.
    let plan = |dollars, change: fn(&mut MarketSnapshot, &mut Position)| {
        let at = assessment(dollars, |m, p, _| change(m, p));
        let Decision::Act(Action::Rehedge(plan), _) = at.decision else {
            panic!("{:?}", at.decision)
        };
        let after = at.expected.unwrap().after;
        let error = after.hedge_error(at.oracle, Bps::ONE).unwrap();
        assert!(error.unsigned_abs() < 10, "{error}");
        assert!(after.value(at.oracle).unwrap().ltv_bps_up() <= 7_001);
        plan
    };
    assert_eq!(plan(195, |_, _| ()).liquidity, 0);
    assert_eq!(plan(205, |_, _| ()).liquidity, 0);
    // One lender who takes everything out, and caps that others have used up, stop no hedge.
    assert!(plan(195, |m, _| m.base_reserve.liquidity = 0).liquidity > 0);
    assert!(plan(195, |m, _| m.base_reserve.borrow_cap = 1).liquidity > 0);
    assert!(plan(205, |m, _| m.quote_reserve.max_utilisation_bps = 0).liquidity > 0);
    // What lies idle need not be borrowed.
    let idle = plan(205, |m, p| {
        m.quote_reserve.liquidity = 0;
        p.idle_quote = 80_000_000;
    });
    assert_eq!(idle.liquidity, 0);
}

#[test]
fn hedging_by_borrowing_ends_at_the_target_and_the_rest_is_done_with_own_base() {
    // At the lower edge all of the pool is base: to owe as much would raise LTV from 67 to 75 %.
    let at = assessment(190, |_, _, _| ());
    let Decision::Act(Action::Rehedge(plan), _) = at.decision else {
        panic!("{:?}", at.decision)
    };
    assert!(plan.liquidity > 0);
    let after = at.expected.unwrap().after;
    let value = after.value(at.oracle).unwrap();
    assert!((6_990..=7_004).contains(&value.ltv_bps_up()), "{value:?}");
    // Where the owner goes down further it ends there.
    let lower = assessment(190, |_, p, _| {
        p.policy.deleverage_target_ltv_bps = 5_000;
    });
    let after = lower.expected.unwrap().after.value(lower.oracle).unwrap();
    assert!((4_980..=5_010).contains(&after.ltv_bps_up()), "{after:?}");
}

#[test]
fn near_the_trigger_a_rehedge_may_cost_its_fee_but_no_stressed_ltv() {
    let ltv = assessment(205, |_, _, _| ()).value.ltv_bps_up();
    // By its fee alone it ends at the trigger. Hedged, a move of the stress distance hurts less all the same.
    let at = assessment(205, |market, position, _| {
        market.pool.fee_rate_ppm = 3_000;
        position.policy.deleverage_trigger_ltv_bps = ltv + 3;
        position.policy.deleverage_target_ltv_bps = ltv + 2;
    });
    rehedges(at.decision);
    let after = at.expected.unwrap().after.value(at.oracle).unwrap();
    assert!(after.ltv_at_least(Bps::new(ltv + 3)), "{after:?}");
}

#[test]
fn the_owners_first_keepers_are_waited_for() {
    use ballast::state::Need;
    let with = |noted: Option<(Need, i64)>| {
        decision(205, move |_, position, _| {
            position.first_keepers = [fixtures::OWNER; 2];
            position.head_start_secs = 30;
            if let Some((need, ago)) = noted {
                position.note_need(need, NOW - ago);
            }
        })
    };
    // Sending it notes the need.
    rehedges(with(None));
    rehedges(with(Some((Need::SellBase, 10))));
    let blocks: Vec<_> = with(Some((Need::BuyBase, 10))).blocks().collect();
    let until_secs = NOW + 20;
    assert_eq!(
        blocks,
        [(ActionKind::Rehedge, Obstacle::FirstKeepers { until_secs })]
    );
    assert_eq!(blocks[0].1.retry(), Retry::At(until_secs));
    rehedges(with(Some((Need::BuyBase, 30))));
    rehedges(decision(205, |_, position, options| {
        position.first_keepers[1] = options.keeper;
        position.head_start_secs = 30;
        position.note_need(Need::BuyBase, NOW);
    }));
}

#[test]
fn nothing_is_sent_that_is_not_due_at_the_newest_price_that_the_market_knows() {
    let with = |newest_cents| {
        decision(205, move |market, _, _| {
            let newest = fixtures::sqrt_price_cents(newest_cents);
            market.market.newest_sqrt_price_x64 = newest.x64().into();
            market.market.newest_feed_prices = fixtures::known_prices();
            // Newer than the prices that are read, within the grace.
            market.market.last_base_publish_secs = NOW;
            market.market.last_quote_publish_secs = NOW;
        })
    };
    rehedges(with(20_500));
    rehedges(with(20_600));
    let blocks: Vec<_> = with(20_000).blocks().collect();
    assert_eq!(blocks, [(ActionKind::Rehedge, Obstacle::NewerPrice)]);
}
