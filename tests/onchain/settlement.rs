//! A market whose oracle is gone for good: after a week everybody can leave, at the last price.

use ballast_client::{
    Amounts, BallastError, BallastEvent, OpenArgs, PositionContext, Receipt, Side, Signer,
    ballast::events::Settled, instruction,
};
use ballast_localnet::{Localnet, Trader, UsdPrice};
use ballast_model::{base_for_value_up, worth_down};

use crate::support::{ANY, Scene, Sent, accepted, refused};

const SIDES: [Side; 2] = [Side::Base, Side::Quote];
pub const DAY_SECS: u64 = 86_400;
pub const WEEK_SECS: u64 = 7 * DAY_SECS;

pub fn settled(receipt: &Receipt) -> &Settled {
    match receipt.events.last() {
        Some(BallastEvent::Settled(event)) => event,
        _ => panic!("not settled: {:?}", receipt.events),
    }
}

impl Scene {
    pub async fn settle(&self, by: &Trader, position: &PositionContext, most: Amounts) -> Sent {
        self.settle_for(by, position, most, Amounts::ZERO).await
    }

    pub async fn settle_for(
        &self,
        by: &Trader,
        position: &PositionContext,
        most: Amounts,
        least: Amounts,
    ) -> Sent {
        let market = &self.world.market;
        let settle = instruction::settle(market, position, &by.key(), &by.wallet, most, least);
        self.send(by, settle).await
    }

    /// Takes it out of the pool, and lets the owner's day pass. Whether that has settled it.
    pub async fn settle_until_anybody_may(&self, position: &PositionContext) -> bool {
        let receipt = accepted(self.settle(&self.keeper, position, Amounts::ZERO).await);
        self.svm.pass_time(DAY_SECS).await.unwrap();
        settled(&receipt).complete
    }

    /// Shows the market the price that it will be settled at, and lets so much time pass without another.
    pub async fn oracle_dies(&self, dollars: i64, secs: u64) {
        self.price(dollars).await;
        let refresh = instruction::refresh_price(&self.world.market);
        accepted(self.send(&self.keeper, refresh).await);
        self.svm.pass_time(secs).await.unwrap();
    }
}

#[tokio::test]
async fn when_the_oracle_dies_owners_and_lenders_leave() {
    let scene = Scene::new().await;
    let bob = scene
        .world
        .trader("bob", Amounts::new(0, 1_000_000_000))
        .await
        .unwrap();
    let wide = OpenArgs {
        leverage_bps: 20_000,
        ..scene
            .world
            .open_args(
                2,
                [UsdPrice::dollars(160), UsdPrice::dollars(250)],
                Amounts::new(0, 100_000_000),
                20_000,
            )
            .unwrap()
    };
    let positions = [
        scene.open(1).await,
        scene.world.open(&bob, wide).await.unwrap(),
        scene.open_twofold(3).await,
    ];
    // Above the first one's band, within the second one's; the third has left its band too.
    scene.oracle_dies(230, WEEK_SECS - 1).await;
    for position in &positions {
        refused(
            scene.settle(&scene.liquidator, position, ANY).await,
            BallastError::NotSilentLongEnough,
        );
    }
    scene.svm.pass_time(1).await.unwrap();
    let at = scene.world.snapshot().await.unwrap().pool.sqrt_price;
    for position in &positions {
        accepted(scene.settle(&scene.keeper, position, Amounts::ZERO).await);
    }
    scene.svm.pass_time(DAY_SECS).await.unwrap();
    for (position, owner) in positions.iter().zip([&scene.alice, &bob, &scene.alice]) {
        let by = scene.liquidator.key();
        let had = scene.world.wallet_balances(&by).await.unwrap();
        let receipt = accepted(scene.settle(&scene.liquidator, position, ANY).await);
        let event = settled(&receipt);
        assert!(event.complete);
        let has = scene.world.wallet_balances(&by).await.unwrap();
        let gain = worth_down(has, at).unwrap() as i128 - worth_down(had, at).unwrap() as i128;
        let brought = Amounts::new(event.brought_base, event.brought_quote);
        let bonus = worth_down(brought, at).unwrap() as i128 * 300 / 10_000;
        assert!(gain <= bonus + 2 && gain >= bonus - 5, "{gain} of {bonus}");
        // Nothing is owed, and the owner takes what is left.
        let stored = scene.world.reload(position).await.unwrap().position;
        assert!(stored.is_debt_free() && stored.liquidity.get() == 0);
        refused(
            scene.settle(&scene.liquidator, position, ANY).await,
            BallastError::NothingOwed,
        );
        let market = &scene.world.market;
        let close = instruction::close(market, position, &owner.wallet, 0, 0);
        let before = scene.world.wallet_balances(&owner.key()).await.unwrap();
        accepted(scene.send(owner, close).await);
        let after = scene.world.wallet_balances(&owner.key()).await.unwrap();
        assert!(worth_down(after, at).unwrap() > worth_down(before, at).unwrap());
    }
    // So do the lenders: everything.
    for side in SIDES {
        let (lender, market) = (&scene.world.lender, &scene.world.market);
        let shares = market.share_wallet(&lender.pubkey(), side);
        let shares = scene.world.balance(&shares).await.unwrap();
        let lent = scene.world.config.lent.get(side);
        let withdraw = instruction::withdraw(market, &lender.pubkey(), side, shares, lent);
        accepted(scene.world.send(lender, vec![withdraw]).await);
        let left = scene.reserve(side).await;
        assert_eq!((left.supply_shares, left.debt_shares), (0, 0));
        assert!(left.liquidity - left.insurance <= 10_000, "{left:?}");
    }
}

#[tokio::test]
async fn who_brings_too_little_settles_what_that_pays_for() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.oracle_dies(230, WEEK_SECS).await;
    let (before, _) = scene.model(&position).await;
    // With nothing: what is held repays what it can, once.
    let receipt = accepted(
        scene
            .settle(&scene.liquidator, &position, Amounts::ZERO)
            .await,
    );
    let event = settled(&receipt);
    assert!(!event.complete && event.repaid_quote > 0);
    assert_eq!((event.brought_base, event.received_quote), (0, 0));
    refused(
        scene
            .settle(&scene.liquidator, &position, Amounts::ZERO)
            .await,
        BallastError::NothingToPayWith,
    );
    let (held, _) = scene.model(&position).await;
    assert_eq!((held.liquidity, held.debt.quote), (0, 0));
    assert!(held.debt.base > 0 && held.debt.base <= before.debt.base);
    scene.svm.pass_time(DAY_SECS).await.unwrap();
    // A third, then the rest, by a wallet that has no more.
    let third = held.debt.base / 3;
    let receipt = accepted(
        scene
            .settle(&scene.liquidator, &position, Amounts::new(third, 0))
            .await,
    );
    assert_eq!(settled(&receipt).brought_base, third);
    let rest = scene.model(&position).await.0.debt.base;
    let poor = scene
        .world
        .trader("poor", Amounts::new(rest, 0))
        .await
        .unwrap();
    let receipt = accepted(scene.settle(&poor, &position, ANY).await);
    assert!(settled(&receipt).complete);
    let stored = scene.world.reload(&position).await.unwrap().position;
    assert!(stored.is_debt_free());
    accepted(scene.close_for(&position, 0, 0).await);
}

#[tokio::test]
async fn what_is_not_covered_is_written_off_of_both_debts() {
    for parts in [1, 3] {
        written_off_of_both(parts).await;
    }
}

/// In so many parts, after somebody who brings nothing has begun.
async fn written_off_of_both(parts: u64) {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.oracle_dies(400, WEEK_SECS).await;
    let (before, _) = scene.model(&position).await;
    let nothing = accepted(scene.settle(&scene.keeper, &position, Amounts::ZERO).await);
    let event = settled(&nothing);
    assert_eq!((event.repaid_base, event.repaid_quote), (0, 0));
    // Once is enough.
    refused(
        scene.settle(&scene.keeper, &position, Amounts::ZERO).await,
        BallastError::NothingToPayWith,
    );
    scene.svm.pass_time(DAY_SECS).await.unwrap();
    for _ in 1..parts {
        let some = Amounts::new(before.debt.base / 5, before.debt.quote / 5);
        let part = accepted(scene.settle(&scene.liquidator, &position, some).await);
        assert!(!settled(&part).complete);
    }
    let receipt = accepted(scene.settle(&scene.liquidator, &position, ANY).await);
    assert!(settled(&receipt).complete);
    let booked = receipt.events.iter().filter_map(|event| match event {
        BallastEvent::BadDebtBooked(booked) => Some(booked.amount),
        _ => None,
    });
    let booked: Vec<u64> = booked.collect();
    let [base, quote] = booked[..] else {
        panic!("{:?}", receipt.events);
    };
    // The same part of both.
    let part = |lost: u64, owed: u64| lost as f64 / owed as f64;
    let (of_base, of_quote) = (part(base, before.debt.base), part(quote, before.debt.quote));
    assert!((of_base - of_quote).abs() < 1e-5, "{of_base} {of_quote}");
    assert!(of_base > 0.1 && of_base < 0.2, "{of_base}");
    let stored = scene.world.reload(&position).await.unwrap().position;
    assert!(stored.is_debt_free());
    accepted(scene.close_for(&position, 0, 0).await);
}

#[tokio::test]
async fn a_market_that_hears_a_price_again_settles_nothing() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.oracle_dies(230, WEEK_SECS).await;
    scene.oracle(230).await;
    let refresh = instruction::refresh_price(&scene.world.market);
    accepted(scene.send(&scene.keeper, refresh).await);
    refused(
        scene.settle(&scene.liquidator, &position, ANY).await,
        BallastError::NotSilentLongEnough,
    );
}

/// For a month the bonus's growth comes out of equity only, also where somebody brings no more than pays him best.
#[tokio::test]
async fn in_the_month_parts_cost_lenders_no_more_than_all_at_once() {
    for days in [0, 10, 20, 30] {
        let scene = Scene::new().await;
        let position = scene.open(1).await;
        scene.oracle_dies(230, WEEK_SECS).await;
        // What is held repays quote; base is missing.
        assert!(!scene.settle_until_anybody_may(&position).await);
        scene.svm.pass_time(days * DAY_SECS).await.unwrap();
        let at = scene.world.snapshot().await.unwrap().pool.sqrt_price;
        let (held, _) = scene.model(&position).await;
        assert!(held.value(at).unwrap().equity() > 0);
        // As much base as all that is left would pay for.
        let bonus_bps = 300 + 500 * days;
        let value = u128::from(held.idle.quote) * 10_000 / u128::from(10_000 + bonus_bps);
        let part = base_for_value_up(value, at).unwrap();
        let mut lost = Vec::new();
        let mut settle = async |most| {
            let receipt = accepted(scene.settle(&scene.liquidator, &position, most).await);
            assert_eq!(u64::from(settled(&receipt).bonus_bps), bonus_bps);
            lost.extend(receipt.events.iter().filter_map(|event| match event {
                BallastEvent::BadDebtBooked(booked) => Some(booked.amount),
                _ => None,
            }));
            settled(&receipt).complete
        };
        let complete = settle(Amounts::new(part, 0)).await;
        assert_eq!(complete, days == 0, "{days} days");
        if !complete {
            assert!(settle(ANY).await);
        }
        assert_eq!(lost, [0u64; 0], "{days} days");
    }
}

/// Below the band quote is missing, and base is received.
#[tokio::test]
async fn the_least_that_is_received_counts_for_either_token() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.oracle_dies(170, WEEK_SECS).await;
    assert!(!scene.settle_until_anybody_may(&position).await);
    let begun = scene.svm.save();
    let receipt = accepted(scene.settle(&scene.liquidator, &position, ANY).await);
    let got = settled(&receipt).received_base;
    assert!(got > 0);
    scene.svm.restore(&begun);
    let settle = |base| {
        let least = Amounts::new(base, 0);
        scene.settle_for(&scene.liquidator, &position, ANY, least)
    };
    refused(settle(got + 1).await, BallastError::GainTooSmall);
    accepted(settle(got).await);
}

/// The token that is held costs a twentieth of what it did: in the end somebody takes it for so little that it pays.
#[tokio::test]
async fn where_what_is_held_is_worth_almost_nothing_it_is_settled_too() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.oracle_dies(200, WEEK_SECS).await;
    scene.pool(10.0).await;
    let pool = scene.world.snapshot().await.unwrap().pool.sqrt_price;
    let worth = |base, quote| worth_down(Amounts::new(base, quote), pool).unwrap();
    assert!(!scene.settle_until_anybody_may(&position).await);
    let saved = scene.svm.save();
    let mut profitable = Vec::new();
    for days in [200, 240, 268, 270, 700] {
        scene.svm.restore(&saved);
        scene.svm.pass_time(days * DAY_SECS).await.unwrap();
        let receipt = accepted(scene.settle(&scene.liquidator, &position, ANY).await);
        let event = settled(&receipt);
        assert!(event.complete);
        let paid = worth(event.brought_base, event.brought_quote);
        let got = worth(event.received_base, event.received_quote);
        profitable.push(got >= paid);
        let stored = scene.world.reload(&position).await.unwrap().position;
        assert!(stored.is_debt_free());
    }
    // A month after it has doubled for the second time, when lenders bear that.
    assert_eq!(profitable, [false, false, false, true, true]);
}

/// The last price was 200, and base costs 400 now: nobody brings base for the price and a bonus of 3 %.
#[tokio::test]
async fn where_the_last_price_is_far_off_the_bonus_grows_until_somebody_settles() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.oracle_dies(200, WEEK_SECS).await;
    scene.pool(400.0).await;
    let pool = scene.world.snapshot().await.unwrap().pool.sqrt_price;
    let worth = |base, quote| worth_down(Amounts::new(base, quote), pool).unwrap();
    // What is held repays quote, and waits.
    assert!(!scene.settle_until_anybody_may(&position).await);
    let saved = scene.svm.save();
    let mut profitable = None;
    for days in [0, 10, 30, 45, 50, 200] {
        scene.svm.restore(&saved);
        scene.svm.pass_time(days * DAY_SECS).await.unwrap();
        let owed = scene.model(&position).await.0.debt;
        let receipt = accepted(scene.settle(&scene.liquidator, &position, ANY).await);
        let event = settled(&receipt);
        assert!(event.complete);
        assert_eq!(u64::from(event.bonus_bps), 300 + (500 * days).min(89_700));
        // Lenders lose nothing for a month, nor as long as equity pays.
        let bears = days > 30;
        let later = 500 * days.saturating_sub(30);
        assert_eq!(u64::from(event.lenders_bonus_bps), 300 + later);
        if !bears {
            assert_eq!((event.repaid_base, owed.quote), (owed.base, 0));
        }
        let paid = worth(event.brought_base, event.brought_quote);
        let got = worth(event.received_base, event.received_quote);
        if got >= paid && profitable.is_none() {
            profitable = Some(days);
        }
        assert!(
            scene
                .world
                .reload(&position)
                .await
                .unwrap()
                .position
                .is_debt_free()
        );
    }
    // Equity does not pay for twice the price, and what lenders add is enough 20 days after the month.
    assert_eq!(profitable, Some(50));
    for side in SIDES {
        assert_eq!(scene.reserve(side).await.debt_shares, 0);
    }
}
