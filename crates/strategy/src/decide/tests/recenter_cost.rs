//! What a recentering costs beside its swap.

use ballast::state::Position;
use ballast_abi::clusters::WRAPPED_SOL_MINT;
use ballast_snapshot::MarketSnapshot;

use super::{automation::*, recenter::is_not_worth_it};
use crate::decide::*;
use crate::fixtures::{self, NOW, OWNER};

/// Above the band the pool holds no base: a hedge that is exact owes none, and a new band takes base debt, but no swap.
fn hedged_above(change: impl FnOnce(&mut MarketSnapshot, &mut Position, &mut Options)) -> Decision {
    decision(216, |m, p, o| {
        p.base_debt_shares = 0.into();
        p.quote_debt_shares = fixtures::shares(205_000_000).into();
        fixtures::book_debts(m, p);
        change(m, p, o);
    })
}

/// What the pay-back of a recentering without a swap has to cover.
#[track_caller]
fn paid(change: impl FnOnce(&mut MarketSnapshot, &mut Position, &mut Options)) -> (u128, u128) {
    let blocked = hedged_above(|m, p, o| {
        o.outlook.economics.fee_day_bps = 0;
        change(m, p, o);
    });
    let first = blocked.blocks().next();
    let Some((_, Obstacle::NotWorthIt { cost, earned, .. })) = first else {
        panic!("{blocked:?}");
    };
    (cost, earned)
}

#[test]
fn a_recentering_without_a_swap_costs_what_is_paid_for_it() {
    let plan = recenters(hedged_above(|_, _, _| ()));
    assert_eq!((plan.swap, plan.cost), (None, 0));
    // What earns nothing is not worth it, even where nobody knows what SOL is worth, or that it is worth anything.
    assert_eq!(paid(|_, _, _| ()), (1, 0));
    assert_eq!(paid(|_, _, o| o.outlook.action_cost = Some(0)), (0, 0));
    assert_eq!(paid(|_, _, o| o.outlook.action_cost = Some(77)), (77, 0));
    // A transaction, or the reward if that is more: in base, 216 dollars a thousand million lamports.
    let reward = |m: &mut MarketSnapshot, p: &mut Position, lamports| {
        p.automation.reward_lamports = lamports;
        m.market.keepers.max_reward_lamports = lamports;
    };
    let in_base = |lamports| {
        paid(|m, p, _| {
            m.market.base_mint = WRAPPED_SOL_MINT;
            reward(m, p, lamports);
        })
    };
    let costs = [0, 5_000, 5_001, 100_000].map(in_base);
    assert_eq!(costs, [1_080, 1_080, 1_081, 21_600].map(|cost| (cost, 0)));
    let in_quote = paid(|m, p, _| {
        m.market.quote_mint = WRAPPED_SOL_MINT;
        reward(m, p, 100_000);
    });
    assert_eq!(in_quote, (100_000, 0));
    // The owner is paid nothing.
    let owner = paid(|m, p, o| {
        m.market.base_mint = WRAPPED_SOL_MINT;
        reward(m, p, 100_000);
        o.keeper = OWNER;
    });
    assert_eq!(owner, (1_080, 0));
}

/// What earns exactly what it costs is not worth it; a unit more is.
#[test]
fn it_has_to_earn_more_than_it_costs() {
    let with = |action_cost, fee_day_bps| {
        hedged_above(|_, _, o| {
            o.outlook.economics.fee_day_bps = fee_day_bps;
            o.outlook.action_cost = Some(action_cost);
        })
    };
    let (_, earned) = paid(|_, _, o| {
        o.outlook.economics.fee_day_bps = 2;
        o.outlook.action_cost = Some(u64::MAX);
    });
    let earned = u64::try_from(earned).unwrap();
    // Three days of two basis points of some 300 dollars.
    assert!((150_000..200_000).contains(&earned), "{earned}");
    is_not_worth_it(with(earned, 2));
    recenters(with(earned - 1, 2));
    // With a swap both count.
    let swapping = |action_cost| {
        decision(216, |_, p, o| {
            p.last_rebalance_secs = NOW;
            o.outlook.economics.fee_day_bps = 2;
            o.outlook.action_cost = Some(action_cost);
        })
    };
    let plan = recenters(swapping(0));
    let first = swapping(u64::MAX / 2);
    let Some((_, Obstacle::NotWorthIt { earned, .. })) = first.blocks().next() else {
        panic!("{first:?}");
    };
    let left = u64::try_from(earned - plan.cost).unwrap();
    is_not_worth_it(swapping(left));
    recenters(swapping(left - 1));
}
