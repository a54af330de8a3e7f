//! The margin, liquidations and explanations.

use ballast_model::Trade;

use super::*;

#[test]
fn ltv_at_the_trigger_is_deleveraged_to_the_target_of_whoever_allows_it() {
    // LTV is 66.67 % at 200.
    let policy = |position: &mut Position, trigger| {
        position.policy.deleverage_trigger_ltv_bps = trigger;
        position.policy.deleverage_target_ltv_bps = 6_000;
    };
    assert_eq!(decision(200, |_, p, _| policy(p, 6_667)), Decision::Nothing);
    let (target, reason) = deleverages(decision(200, |_, p, _| policy(p, 6_666)));
    assert_eq!(target.get(), 6_000);
    assert!(matches!(
        reason,
        Reason::Leverage {
            ltv_bps: 6_667,
            by_market: false,
            ..
        }
    ));

    // The owner forbids keepers, but not himself, and nobody can forbid above the market's trigger.
    let forbid = |position: &mut Position| {
        policy(position, 6_600);
        position.policy.keeper_enabled = 0;
    };
    assert_eq!(
        blocked(decision(200, |_, p, _| forbid(p)), ActionKind::Deleverage),
        Obstacle::KeeperDisabled
    );
    let (target, _) = deleverages(decision(200, |_, p, o| {
        forbid(p);
        o.keeper = OWNER;
    }));
    assert_eq!(target.get(), 6_000);
    let (target, reason) = deleverages(decision(200, |m, p, _| {
        forbid(p);
        (
            m.market.limits.deleverage_ltv_bps,
            m.market.limits.target_ltv_bps,
        ) = (6_650, 6_100);
    }));
    assert_eq!(target.get(), 6_100);
    assert!(matches!(
        reason,
        Reason::Leverage {
            by_market: true,
            ..
        }
    ));
    // Where both allow it, the lower target counts, whosever it is.
    for (markets, expected) in [(7_000, 6_000), (5_900, 5_900)] {
        let (target, reason) = deleverages(decision(200, |m, p, _| {
            policy(p, 6_600);
            m.market.limits.deleverage_ltv_bps = 6_650;
            m.market.limits.target_ltv_bps = markets;
        }));
        assert_eq!(target.get(), expected);
        assert!(matches!(
            reason,
            Reason::Leverage {
                by_market: true,
                ..
            }
        ));
    }
}

#[test]
fn deleverage_needs_only_a_loose_price_and_no_market_mode() {
    let due = |position: &mut Position| {
        position.policy.deleverage_trigger_ltv_bps = 6_600;
        position.policy.deleverage_target_ltv_bps = 6_000;
    };
    deleverages(decision(200, |m, p, _| {
        due(p);
        m.market.mode = MarketMode::ReduceOnly as u8;
        m.base_price.publish_time = NOW - 120;
    }));
    let stale = decision(200, |m, p, _| {
        due(p);
        m.quote_price.publish_time = NOW - 121;
    });
    let obstacle = blocked(stale, ActionKind::Deleverage);
    assert!(matches!(
        obstacle,
        Obstacle::Price(PriceFault::Stale {
            side: Side::Quote,
            ..
        })
    ));
}

#[test]
fn both_due_one_rehedge_settles_them() {
    // In range and away from the opening price, with a trigger that is reached.
    let at = assessment(205, |_, p, _| {
        p.policy.deleverage_trigger_ltv_bps = 6_600;
        p.policy.deleverage_target_ltv_bps = 6_000;
    });
    rehedges(at.decision);
    let after = at.expected.unwrap().after.value(at.oracle).unwrap();
    assert!((5_990..=6_010).contains(&after.ltv_bps_up()), "{after:?}");
}

#[test]
fn hedged_at_the_lower_edge_a_jump_back_up_is_cured() {
    // At 190 the base debt was raised to all that the pool held, and what the sale left over lies idle.
    let jumped = |trigger| {
        assessment(203, |m, p, _| {
            p.base_debt_shares = fixtures::shares(1_520_400_000).into();
            p.quote_debt_shares = 0.into();
            p.idle_quote = 98_500_000;
            fixtures::book_debts(m, p);
            p.policy.deleverage_trigger_ltv_bps = trigger;
            p.policy.deleverage_target_ltv_bps = trigger - 800;
        })
    };
    // Below the trigger the hedge is all there is to do, and LTV is no higher than it was but for the swap's fee.
    let at = jumped(7_790);
    rehedges(at.decision);
    let after = at.expected.unwrap().after.value(at.oracle).unwrap();
    assert!(after.ltv_bps_up() <= at.value.ltv_bps_up() + 4, "{after:?}");
    // Above it the same swap goes with a withdrawal. Without it all liquidity would go, and a naked short be left.
    let at = jumped(7_600);
    assert_eq!(at.decision.kind(), Some(ActionKind::DeleverageSwap));
    let after = at.expected.unwrap().after;
    assert!(after.liquidity > 0 && after.value(at.oracle).unwrap().ltv_bps_up() <= 6_800);
}

#[test]
fn a_short_that_is_left_when_all_liquidity_has_gone_is_bought_back() {
    let left = |base_debt| {
        decision(203, |m, p, _| {
            p.liquidity = 0.into();
            p.base_debt_shares = fixtures::shares(base_debt).into();
            p.quote_debt_shares = 0.into();
            p.idle_quote = 300_000_000;
            fixtures::book_debts(m, p);
        })
    };
    let plan = rehedges(left(1_000_000_000));
    assert_eq!((plan.trade, plan.base), (Trade::BuyBase, 1_000_000_000));
    // But not what is not worth a swap.
    assert_eq!(left(1_000), Decision::Nothing);
    assert_eq!(left(0), Decision::Nothing);
}

/// A position above the band, owed nothing but base, so that nothing of it repays without a swap; the swap is too dear.
pub(super) fn only_liquidation_is_left(market: &mut MarketSnapshot, position: &mut Position) {
    position.quote_debt_shares = 0.into();
    position.base_debt_shares = fixtures::shares(950_000_000).into();
    fixtures::book_debts(market, position);
    market.pool.fee_rate_ppm = 60_000;
}

#[test]
fn at_maintenance_a_position_that_cannot_be_cured_is_liquidated() {
    let at = assessment(270, |m, p, o| {
        only_liquidation_is_left(m, p);
        o.funds = MUCH;
    });
    let Decision::Act(Action::Liquidate { plan, max_pay }, Reason::Maintenance { ltv_bps, .. }) =
        at.decision
    else {
        panic!("{:?}", at.decision);
    };
    assert!(!plan.full && ltv_bps > 8_300 && Some(max_pay) == MUCH);

    let with = |funds| {
        decision(270, |m, p, o| {
            only_liquidation_is_left(m, p);
            o.funds = funds;
        })
    };
    let off = with(None);
    assert_eq!(
        blocked(off, ActionKind::Liquidate),
        Obstacle::LiquidationOff
    );
    // What else was tried is told too.
    let kinds: Vec<_> = off.blocks().map(|(kind, _)| kind).collect();
    assert_eq!(
        kinds,
        [
            ActionKind::Liquidate,
            ActionKind::Deleverage,
            ActionKind::DeleverageSwap,
            ActionKind::Rehedge
        ]
    );
    let obstacle = blocked(with(Some(Amounts::ZERO)), ActionKind::Liquidate);
    let Obstacle::LiquidationFunds {
        needed,
        funds: Amounts::ZERO,
    } = obstacle
    else {
        panic!("{obstacle:?}")
    };
    // Above the band the collateral is all quote, so that base has to be brought. Exactly that is enough for the whole, and less
    // for a part.
    assert!(needed.base > 0 && needed.quote == 0, "{needed:?}");
    let repaid = |base| match with(Some(Amounts { base, ..needed })) {
        Decision::Act(Action::Liquidate { plan, .. }, _) => {
            assert_eq!(plan.part.is_all(), base == needed.base);
            plan.repay.base
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(repaid(needed.base), needed.base);
    assert!(repaid(needed.base / 2).abs_diff(needed.base / 2) <= 1);
    // But not for one that does not pay for its transaction.
    let poor = assessment(270, |m, p, o| {
        only_liquidation_is_left(m, p);
        o.funds = Some(Amounts::new(needed.base / 100, 0));
        o.min_gain = 1_000_000;
    });
    assert!(matches!(
        blocked(poor.decision, ActionKind::Liquidate),
        Obstacle::GainTooSmall {
            least: 1_000_000,
            ..
        }
    ));
    // Exactly what it is to gain at least is enough.
    let part = |least| {
        decision(270, |m, p, o| {
            only_liquidation_is_left(m, p);
            o.funds = Some(Amounts::new(needed.base / 100, 0));
            o.min_gain = least;
        })
    };
    let Obstacle::GainTooSmall { gain, .. } = blocked(part(u64::MAX), ActionKind::Liquidate) else {
        panic!("it gains enough");
    };
    let gain = u64::try_from(gain).unwrap();
    blocked(part(gain + 1), ActionKind::Liquidate);
    assert_eq!(part(gain).kind(), Some(ActionKind::Liquidate));
    assert!(matches!(part(gain), Decision::Act(..)));
    // Nor at a wick that the average does not confirm.
    let wick = decision(270, |m, p, o| {
        only_liquidation_is_left(m, p);
        o.funds = MUCH;
        m.base_price.ema_price = 20_000_000_000;
    });
    assert!(matches!(
        blocked(wick, ActionKind::Liquidate),
        Obstacle::NoSecondWitness { ltv_bps, needed } if ltv_bps < needed.get()
    ));

    let stale = decision(270, |m, p, o| {
        only_liquidation_is_left(m, p);
        o.funds = MUCH;
        m.base_price.publish_time = NOW - 31;
    });
    assert!(matches!(
        blocked(stale, ActionKind::Liquidate),
        Obstacle::Price(_)
    ));
}

#[test]
fn the_whole_of_a_solvent_position_has_to_gain_enough_too() {
    let at = |dollars, min_gain| {
        assessment(dollars, |_, _, o| {
            o.funds = MUCH;
            o.min_gain = min_gain;
        })
    };
    let whole = |dollars: &i64| {
        let at = at(*dollars, 0);
        let solvent = at.value.debt <= at.value.assets;
        matches!(at.decision, Decision::Act(Action::Liquidate { plan, .. }, _) if plan.full && solvent)
    };
    let dollars = (260..380).find(whole).expect("a price");
    assert!(matches!(
        blocked(at(dollars, u64::MAX).decision, ActionKind::Liquidate),
        Obstacle::GainTooSmall { .. }
    ));
}

#[test]
fn an_insolvent_position_is_closed_for_what_it_is_worth() {
    let at = assessment(380, |_, _, o| o.funds = MUCH);
    let Decision::Act(Action::Liquidate { plan, .. }, _) = at.decision else {
        panic!("{:?}", at.decision)
    };
    assert!(plan.full && at.value.debt > at.value.assets);
    let obstacle = blocked(
        decision(380, |_, _, o| o.funds = Some(Amounts::ZERO)),
        ActionKind::Liquidate,
    );
    let Obstacle::LiquidationFunds { needed, .. } = obstacle else {
        panic!("{obstacle:?}")
    };
    // The base debt, scaled to what the collateral pays for.
    assert!(
        needed.base > 600_000_000 && needed.base < 731_475_723,
        "{needed:?}"
    );
}

#[test]
fn interest_counts_up_to_now() {
    let (mut market, position) = (fixtures::snapshot(200), fixtures::position());
    fixtures::book_debts(&mut market, &position);
    let fresh = fixtures::situation(&market, &position).model().unwrap();
    // Everything lent out for half a year.
    market.quote_reserve.liquidity = 0;
    market.quote_reserve.last_accrual_secs = NOW - 180 * 86_400;
    let later = fixtures::situation(&market, &position).model().unwrap();
    assert!(later.debt.quote > fresh.debt.quote * 2 && later.debt.base == fresh.debt.base);
}

#[test]
fn data_that_make_no_sense_are_errors() {
    let (market, mut position) = (fixtures::snapshot(200), fixtures::position());
    position.tick_lower = i32::MIN;
    assert!(assess(&fixtures::situation(&market, &position)).is_err());
    let (mut market, position) = (fixtures::snapshot(200), fixtures::position());
    market.base_price.price = -1;
    assert!(assess(&fixtures::situation(&market, &position)).is_err());
}

#[test]
fn explanations_name_what_comes_next() {
    let (mut market, position) = (fixtures::snapshot(200), fixtures::position());
    fixtures::book_debts(&mut market, &position);
    let explained = explain(&fixtures::situation(&market, &position)).unwrap();
    for falling in [true, false] {
        let (threshold, _) = explained.next(falling).unwrap();
        assert_eq!(threshold, Threshold::HedgeBand);
    }
    // Liquidation above at (0.83 * 303.6 - 53.7) / 0.7315 = 271 dollars.
    let Boundaries::Interval {
        upper: Some(upper), ..
    } = explained.boundaries_of(Threshold::Maintenance)
    else {
        panic!("no upper boundary");
    };
    assert!(
        fixtures::sqrt_price_cents(27_050) < upper && upper < fixtures::sqrt_price_cents(27_150),
        "{upper}"
    );
}

#[test]
fn a_pool_pushed_away_stops_a_deleverage_that_only_the_policy_asks_for() {
    let pushed = |by_market: bool| {
        decision(200, |m, p, _| {
            m.pool.sqrt_price = fixtures::sqrt_price_cents(20_500);
            p.policy.deleverage_trigger_ltv_bps = 6_600;
            p.policy.deleverage_target_ltv_bps = 6_000;
            if by_market {
                m.market.limits.deleverage_ltv_bps = 6_650;
            }
        })
    };
    let obstacle = blocked(pushed(false), ActionKind::Deleverage);
    assert_eq!(obstacle, Obstacle::PoolDiverged { max_bps: 200 });
    deleverages(pushed(true));
}

#[test]
fn a_changed_hedge_ratio_is_not_followed_into_liquidation() {
    let with_hedge = |hedge_bps| {
        decision(126, |m, p, _| {
            m.market.limits.maintenance_ltv_bps = 8_000;
            p.policy.hedge_bps = hedge_bps;
            p.policy.deleverage_trigger_ltv_bps = 7_999;
            p.policy.deleverage_target_ltv_bps = 7_998;
            m.pool.fee_rate_ppm = 0;
        })
    };
    let obstacle = blocked(with_hedge(0), ActionKind::Rehedge);
    assert_eq!(obstacle, Obstacle::Stress { distance_bps: 500 });
}

#[test]
fn debt_is_written_off_at_a_fresh_price_only() {
    let aged = |age_secs| {
        decision(380, |m, _, o| {
            o.funds = MUCH;
            m.base_price.publish_time = NOW - age_secs;
        })
    };
    assert!(matches!(
        aged(15),
        Decision::Act(Action::Liquidate { .. }, _)
    ));
    let obstacle = blocked(aged(16), ActionKind::Liquidate);
    assert!(matches!(
        obstacle,
        Obstacle::Price(PriceFault::Stale { .. })
    ));
}
