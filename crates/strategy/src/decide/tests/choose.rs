//! Which of the possible actions is taken.

use ballast_model::{Trade, quiet::quiet_interval};

use super::*;
use crate::{
    fixtures::{TOKENS, sqrt_price_cents},
    watch::triggers,
};

/// The worked example far above its band, at an LTV above the trigger: all base is sold and 0.73 of it are owed.
fn above(change: impl FnOnce(&mut MarketSnapshot, &mut Position, &mut Options)) -> Assessment {
    assessment(245, change)
}

fn kind(at: &Assessment) -> ActionKind {
    match at.decision {
        Decision::Act(action, _) => action.kind(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_swap_that_settles_hedge_and_ltv_is_taken_for_both() {
    let at = above(|_, _, _| ());
    let Decision::Act(Action::DeleverageSwap { target, plan }, reason) = at.decision else {
        panic!("{:?}", at.decision)
    };
    assert_eq!(target.get(), 7_000);
    assert!(
        matches!(
            reason,
            Reason::Leverage {
                by_market: false,
                ..
            }
        ),
        "{reason:?}"
    );
    assert!(plan.liquidity > 0);
    assert_eq!(plan.trade.unwrap().trade, Trade::BuyBase);
    let expected = at.expected.unwrap();
    let value = expected.after.value(at.oracle).unwrap();
    assert!((6_900..=7_000).contains(&value.ltv_bps_up()), "{value:?}");
    assert!(expected.after.delta(at.oracle).unwrap().unsigned_abs() < 10);
    // Exactly what the swap loses: the fee on some 180 dollars.
    let lost = at.value.equity() - value.equity();
    assert!(
        lost.abs_diff(expected.cost.cast_signed()) <= 100,
        "{lost} {expected:?}"
    );
    assert!((70_000..75_000).contains(&expected.cost), "{expected:?}");
}

#[test]
fn where_the_tokens_match_the_debts_no_swap_is_paid_for() {
    let at = assessment(200, |_, p, _| {
        p.policy.deleverage_trigger_ltv_bps = 6_600;
        p.policy.deleverage_target_ltv_bps = 6_000;
    });
    assert_eq!(kind(&at), ActionKind::Deleverage);
    assert_eq!(at.expected.unwrap().cost, 0);
}

#[test]
fn the_cheapest_is_taken_that_lasts_over_a_days_move() {
    // With a hedge that never is due: repaying the quote debt alone leaves LTV at 71.7 %, and the trigger is 6 % away.
    let with = |volatility| {
        above(|_, p, o| {
            p.policy.delta_band_bps = 10_000;
            o.outlook.volatility = volatility;
        })
    };
    for (volatility, expected) in [
        (Some(10), ActionKind::Deleverage),
        (Some(500), ActionKind::Deleverage),
        // Nothing is known: a day's move is taken for 5 %.
        (None, ActionKind::Deleverage),
        (Some(700), ActionKind::DeleverageSwap),
        (Some(u32::MAX), ActionKind::DeleverageSwap),
    ] {
        let at = with(volatility);
        assert_eq!(kind(&at), expected, "{volatility:?}");
        let after = at.expected.unwrap().after;
        let (market, position) = (fixtures::snapshot(245), {
            let mut position = fixtures::position();
            position.policy.delta_band_bps = 10_000;
            position
        });
        let situation = fixtures::situation(&market, &position);
        let triggers = triggers(&situation, &after, at.oracle, &[]);
        let quiet = quiet_interval(&after, &triggers).unwrap();
        // As far as there is one that lasts so long.
        let volatility = i64::from(volatility.unwrap_or(500).min(2_000));
        for cents in [24_500 - 2 * volatility, 24_500 + 2 * volatility] {
            assert!(
                quiet.contains(sqrt_price_cents(cents)),
                "{volatility} {cents}"
            );
        }
    }
}

#[test]
fn what_a_swap_needs_and_lacks_is_done_without_as_far_as_that_goes() {
    // Price and pool are good enough for a withdrawal, not for a swap.
    let at = above(|m, _, _| m.base_price.publish_time = NOW - 16);
    assert_eq!(kind(&at), ActionKind::Deleverage);
    let after = at.expected.unwrap().after;
    assert_eq!(after.debt.quote, 0);
    assert!(after.value(at.oracle).unwrap().ltv_bps_up() < 7_200);
    let dear = above(|m, _, _| m.pool.fee_rate_ppm = 11_000);
    assert_eq!(kind(&dear), ActionKind::Deleverage);
    let refused = Kinds::NONE.with(ActionKind::DeleverageSwap);
    let at = above(|_, _, o| o.outlook.refused = refused.with(ActionKind::Rehedge));
    assert_eq!(kind(&at), ActionKind::Deleverage);
    // Nothing else is left: it is tried again.
    let at = above(|m, p, o| {
        p.quote_debt_shares = 0.into();
        p.base_debt_shares = fixtures::shares(950_000_000).into();
        fixtures::book_debts(m, p);
        o.outlook.refused = refused.with(ActionKind::Rehedge);
    });
    assert_eq!(kind(&at), ActionKind::DeleverageSwap);
}

#[test]
fn a_keeper_liquidates_nothing_that_it_can_cure() {
    // From maintenance to where no equity is left.
    for dollars in [275, 290, 300, 310, 330] {
        let at = assessment(dollars, |_, _, o| o.funds = MUCH);
        assert!(at.value.ltv_at_least(Bps::new(8_300)), "{dollars}");
        assert_eq!(kind(&at), ActionKind::DeleverageSwap, "{dollars}");
        let after = at.expected.unwrap().after.value(at.oracle).unwrap();
        assert!(!after.ltv_above(Bps::new(7_000)), "{dollars} {after:?}");
    }
    // A part that does not cure comes before the liquidation too: it costs the owner nothing.
    let dear = |m: &mut MarketSnapshot| m.pool.fee_rate_ppm = 60_000;
    let at = assessment(310, |m, _, o| {
        dear(m);
        o.funds = MUCH;
    });
    assert_eq!(kind(&at), ActionKind::Deleverage);
    let after = at.expected.unwrap().after;
    assert!(
        after
            .value(at.oracle)
            .unwrap()
            .ltv_at_least(Bps::new(8_300))
    );
    let at = assessment(310, |m, p, o| {
        dear(m);
        p.liquidity = after.liquidity.into();
        (p.idle_base, p.idle_quote) = (after.idle.base, after.idle.quote);
        p.quote_debt_shares = 0.into();
        fixtures::book_debts(m, p);
        o.funds = MUCH;
    });
    assert_eq!(kind(&at), ActionKind::Liquidate);
    // What has just been refused cures nothing.
    let tried = Kinds::NONE
        .with(ActionKind::DeleverageSwap)
        .with(ActionKind::Deleverage)
        .with(ActionKind::Rehedge);
    let at = assessment(290, |_, _, o| {
        o.funds = MUCH;
        o.outlook.refused = tried;
    });
    assert_eq!(kind(&at), ActionKind::Liquidate);
    // Unless it was refused just now for the first time: then it is tried again.
    for retried in [ActionKind::DeleverageSwap, ActionKind::Rehedge] {
        let at = assessment(290, |_, _, o| {
            o.funds = MUCH;
            (o.outlook.refused, o.outlook.retried) = (tried, Kinds::NONE.with(retried));
        });
        assert_eq!(kind(&at), ActionKind::DeleverageSwap);
    }
    let at = assessment(290, |_, _, o| {
        o.funds = MUCH;
        (o.outlook.refused, o.outlook.retried) = (tried, Kinds::NONE.with(ActionKind::Deleverage));
    });
    assert_eq!(kind(&at), ActionKind::Liquidate, "it cures nothing");
    let at = assessment(290, |_, _, o| o.outlook.refused = tried);
    assert_eq!(kind(&at), ActionKind::DeleverageSwap);
}

#[test]
fn a_pool_that_is_away_or_a_price_too_old_for_a_swap_is_waited_for_a_minute_before_a_liquidation() {
    // What is left of it cannot be deleveraged without a swap: it owes base only.
    let after = assessment(310, |m, _, _| m.pool.fee_rate_ppm = 60_000);
    let after = after.expected.unwrap().after;
    let automated = std::cell::Cell::new(false);
    let at = |dollars, since_secs, change: &dyn Fn(&mut MarketSnapshot)| {
        assessment(dollars, |m, p, o| {
            if automated.get() {
                p.automation = fixtures::automation();
            }
            p.liquidity = after.liquidity.into();
            (p.idle_base, p.idle_quote) = (after.idle.base, after.idle.quote);
            p.base_debt_shares = fixtures::shares(after.debt.base).into();
            p.quote_debt_shares = fixtures::shares(after.debt.quote).into();
            fixtures::book_debts(m, p);
            change(m);
            o.funds = MUCH;
            o.outlook.unhealthy_since_secs = since_secs;
        })
    };
    let away = |m: &mut MarketSnapshot| m.pool.sqrt_price = sqrt_price_cents(33_000);
    let old = |m: &mut MarketSnapshot| m.base_price.publish_time = NOW - 16;
    let dear = |m: &mut MarketSnapshot| m.pool.fee_rate_ppm = 60_000;
    // Near enough for a swap, but with its fee too dear.
    let off = |m: &mut MarketSnapshot| {
        m.pool.sqrt_price = SqrtPrice::new(m.pool.sqrt_price.x64() * 10_043 / 10_000).unwrap();
        m.pool.fee_rate_ppm = 4_000;
    };
    for passes in [&away as &dyn Fn(&mut MarketSnapshot), &old, &off] {
        for (since_secs, until_secs) in [
            (None, NOW + PATIENCE_SECS),
            (Some(NOW), NOW + PATIENCE_SECS),
            (Some(NOW - PATIENCE_SECS + 1), NOW + 1),
        ] {
            let waits = at(310, since_secs, passes);
            assert!(waits.value.ltv_at_least(Bps::new(8_300)));
            let obstacle = blocked(waits.decision, ActionKind::Liquidate);
            assert_eq!(obstacle, Obstacle::CureAwaited { until_secs });
            assert_eq!(obstacle.retry(), Retry::At(until_secs));
        }
        let over = at(310, Some(NOW - PATIENCE_SECS), passes);
        assert_eq!(kind(&over), ActionKind::Liquidate);
        // From halfway to insolvency on lenders would pay for it.
        let halfway = |at: &Assessment| at.value.ltv_at_least(Bps::new(9_150));
        let mut more = (310..400).map(|dollars| at(dollars, None, passes));
        let pressing = more.find(halfway).unwrap();
        assert!(pressing.value.equity() > 0);
        assert_eq!(kind(&pressing), ActionKind::Liquidate);
    }
    // So does the newest price that the market knows, within the grace.
    let known = at(310, None, &|m| {
        away(m);
        m.market.newest_sqrt_price_x64 = sqrt_price_cents(34_500).x64().into();
        m.market.newest_feed_prices = fixtures::known_prices();
        (
            m.market.last_base_publish_secs,
            m.market.last_quote_publish_secs,
        ) = (NOW, NOW);
    });
    assert_eq!(kind(&known), ActionKind::Liquidate);
    // A pool's fee stays what it is.
    assert_eq!(kind(&at(310, None, &dear)), ActionKind::Liquidate);
    let cap = |m: &mut MarketSnapshot| {
        let cap_bps = m.market.limits.max_swap_loss_bps;
        m.pool.fee_rate_ppm = u16::try_from(cap_bps * 100).unwrap();
    };
    assert_eq!(kind(&at(310, None, &cap)), ActionKind::Liquidate);
    // Nor is a new band waited for, which a narrower price would allow.
    let unsure = |m: &mut MarketSnapshot| {
        dear(m);
        m.base_price.conf = m.base_price.price.unsigned_abs() / 150;
    };
    automated.set(true);
    assert_eq!(kind(&at(310, None, &unsure)), ActionKind::Liquidate);
    automated.set(false);
    // With pool and price as they should be it is cured.
    assert_eq!(kind(&at(310, None, &|_| ())), ActionKind::DeleverageSwap);
}

#[test]
fn at_maintenance_what_does_not_lower_ltv_is_no_cure() {
    let Decision::Act(action, reason) = above(|_, _, _| ()).decision else {
        panic!("nothing is done");
    };
    // Below maintenance it is as good as anything.
    for (dollars, cured) in [(245, true), (310, false)] {
        let (mut market, position) = (fixtures::snapshot(dollars), fixtures::position());
        fixtures::book_debts(&mut market, &position);
        let situation = fixtures::situation(&market, &position);
        let at = assess(&situation).unwrap();
        assert_eq!(at.value.ltv_at_least(maintenance(&situation)), !cured);
        let unchanged = Candidate {
            action,
            reason,
            after: at.model,
            cost: 0,
        };
        let found = cure(&situation, &at, &[unchanged]).unwrap();
        assert_eq!(found, cured.then_some(unchanged));
        // Of equals the first, as they are listed: the most pressing first.
        let other = Candidate {
            reason: Reason::Shown { secs: 1 },
            ..unchanged
        };
        let both = [unchanged, other].into_iter();
        let best = crate::decide::choose::best(&situation, &at, both).unwrap();
        assert_eq!(best, Some(unchanged));
    }
}

#[test]
fn an_owner_who_lets_no_keeper_act_is_deleveraged_above_the_markets_trigger_only() {
    let forbidden = |dollars| assessment(dollars, |_, p, _| p.policy.keeper_enabled = 0);
    assert_eq!(
        blocked(forbidden(245).decision, ActionKind::Deleverage),
        Obstacle::KeeperDisabled
    );
    let at = forbidden(255);
    assert_eq!(kind(&at), ActionKind::DeleverageSwap);
    assert!(matches!(
        at.decision,
        Decision::Act(
            _,
            Reason::Leverage {
                by_market: true,
                ..
            }
        )
    ));
}

#[test]
fn all_that_stands_in_the_way_is_said_the_most_pressing_first() {
    let block = |kind, obstacle| crate::decide::choose::Block {
        kind,
        reason: Reason::Shown { secs: 30 },
        obstacle,
    };
    let blocks = [
        (ActionKind::Recenter, Obstacle::Refused),
        (ActionKind::Rehedge, Obstacle::TooSoon { due_secs: 7 }),
        (ActionKind::Compound, Obstacle::KeeperDisabled),
    ];
    let decision = Decision::blocked(&blocks.map(|(kind, obstacle)| block(kind, obstacle)));
    assert_eq!(decision.blocks().collect::<Vec<_>>(), blocks);
    assert_eq!(
        decision.obstacles(TOKENS, 3),
        [
            "it has just failed; it is tried again after a pause",
            "nor is a rehedge possible: too soon after the last one: possible from 1970-01-01 00:00:07 UTC (in 4s)",
            "nor is a compound possible: the owner has switched keepers off for this position",
        ]
    );
    let Decision::Blocked { otherwise, .. } = decision else {
        panic!("{decision:?}")
    };
    assert_eq!(otherwise.iter().collect::<Vec<_>>(), blocks[1..]);
    assert_eq!(Decision::Nothing.blocks().count(), 0);
    assert!(Decision::Nothing.obstacles(TOKENS, 3).is_empty());
}

#[test]
fn a_loss_that_fades_says_when() {
    let loss = |due_secs| {
        let obstacle = Obstacle::DailyLoss {
            loss: 9,
            left: 8,
            due_secs,
        };
        obstacle.told(TOKENS, 1_200)
    };
    const TEXT: &str = "it would lose 0.000009 USDC, 0.000008 are left of what keepers may lose";
    assert_eq!(loss(None), TEXT);
    assert_eq!(
        loss(Some(1_234)),
        format!("{TEXT}: possible from 1970-01-01 00:20:34 UTC (in 34s)")
    );
}

#[test]
fn every_reason_is_said_in_words() {
    use ballast::{events::ExitReason, state::Reaction};

    let leverage = |by_market| Reason::Leverage {
        ltv_bps: 7_500,
        trigger: Bps::new(7_000),
        by_market,
    };
    let maintenance = Reason::Maintenance {
        ltv_bps: 8_600,
        maintenance: Bps::new(8_500),
    };
    let exit = |by, reaction| Reason::Exit { by, reaction };
    let hedge = |error| Reason::Hedge {
        error,
        tolerance: 5,
    };
    let out = Reason::OutOfBand {
        ticks: [-16_127, -16_064],
        tick: -16_063,
    };
    for (reason, words) in [
        (
            leverage(true),
            "LTV 75.00% at or above the market's trigger 70.00%",
        ),
        (
            leverage(false),
            "LTV 75.00% at or above the policy's trigger 70.00%",
        ),
        (maintenance, "LTV 86.00% at or above maintenance 85.00%"),
        (
            exit(ExitReason::Floor, Reaction::Hold),
            "equity is at or below the owner's floor: hold",
        ),
        (
            exit(ExitReason::Low, Reaction::ExitAsIs),
            "the price is at or below the owner's window: exit as is",
        ),
        (
            exit(ExitReason::High, Reaction::ExitIntoBase),
            "the price is at or above the owner's window: exit into SOL",
        ),
        (
            exit(ExitReason::High, Reaction::ExitIntoQuote),
            "the price is at or above the owner's window: exit into USDC",
        ),
        (
            out,
            "the price 200.645 is outside or at the edge of the band 199.365 to 200.625 USDC per SOL",
        ),
        (
            Reason::Fees { worth: 7, least: 6 },
            "fees worth 0.000007 USDC wait, 0.000006 are to be compounded",
        ),
        (
            Reason::Shown { secs: 30 },
            "a trigger is near, and prices are 30 s newer than the market was shown",
        ),
        (
            Reason::Uncovered(Amounts::new(7, 5)),
            "0.000000007 SOL and 0.000005 USDC of the debts are not covered, and lenders were shown something else",
        ),
        (
            Reason::Stage { from: 1, to: 1 },
            "evidence for risk stage 1 is to be noted",
        ),
        (Reason::Stage { from: 1, to: 2 }, "risk stage 1 is to be 2"),
        (hedge(9), "long by 9.00e-9 SOL, 5.00e-9 are tolerated"),
        (
            hedge(-108_518_791),
            "short by 0.108519 SOL, 5.00e-9 are tolerated",
        ),
    ] {
        assert_eq!(reason.told(TOKENS), words);
    }
}
