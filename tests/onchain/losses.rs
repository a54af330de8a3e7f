//! Losses of lenders: booked for a bonus out of the insurance, and shown before that, so that nobody gains by leaving first.

use ballast_client::{
    Amounts, BallastError, BallastEvent, OpenArgs, PositionContext, Receipt, Side, Signer,
    ballast::events::WriteOffRewarded, instruction,
};
use ballast_keeper::execute::Verdict;
use ballast_localnet::{Localnet, PricePost, Trader, UsdPrice, WorldConfig};
use ballast_model::{lending::uncovered_up, worth_down};
use ballast_strategy::decide::ActionKind;

use crate::{
    keeper::Hand,
    support::{ANY, Scene, Sent, accepted, refused, substitute},
};

const SIDES: [Side; 2] = [Side::Base, Side::Quote];

fn rewards(receipt: &Receipt) -> Vec<&WriteOffRewarded> {
    let paid = receipt.events.iter().filter_map(|event| match event {
        BallastEvent::WriteOffRewarded(event) => Some(event),
        _ => None,
    });
    paid.collect()
}

impl Scene {
    /// Anyone shows what a position's collateral does not cover.
    pub async fn show_loss(&self, position: &PositionContext) -> Sent {
        let show = instruction::show_loss(&self.world.market, &position.address);
        self.send(&self.keeper, show).await
    }

    /// Posts a price that is uncertain by a twentieth.
    async fn post_uncertain(&self, dollars: i64) {
        let now = self.svm.now_secs();
        let base = PricePost::good(Side::Base, UsdPrice::dollars(dollars), now);
        let base = PricePost {
            conf: base.price.unsigned_abs() / 20,
            ..base
        };
        let quote = PricePost::good(Side::Quote, UsdPrice::ONE, now);
        accepted(self.world.post(&[base, quote]).await);
    }

    /// Puts so much of both tokens into the insurances.
    async fn insure(&self, amounts: Amounts) {
        for side in SIDES {
            let (market, by) = (&self.world.market, &self.liquidator);
            let fund = instruction::fund_insurance(market, &by.key(), side, amounts.get(side));
            accepted(self.send(by, fund).await);
        }
    }

    /// What a position has shown, and the reserves' sums.
    async fn shown(&self, position: &PositionContext) -> ([u64; 2], [u64; 2]) {
        let stored = self.world.reload(position).await.unwrap().position;
        let snapshot = self.world.snapshot().await.unwrap();
        (
            SIDES.map(|side| stored.shown_loss(side)),
            SIDES.map(|side| snapshot.reserve(side).shown_loss),
        )
    }

    /// A scene with few lenders, so that a position's loss is much of what there is; one more lender, with as much.
    async fn with_two_lenders() -> (Self, Trader) {
        let lent = Amounts::new(1_000_000_000, 100_000_000);
        let scene = Self::with(WorldConfig {
            lent,
            ..WorldConfig::standard().unwrap()
        })
        .await;
        let bob = scene.world.trader("bob", lent).await.unwrap();
        for side in SIDES {
            let lending = scene.world.lend(&bob.keypair, side, lent.get(side));
            accepted(lending.await);
        }
        (scene, bob)
    }

    async fn shares(&self, lender: &ballast_client::Keypair, side: Side) -> u64 {
        let wallet = self.world.market.share_wallet(&lender.pubkey(), side);
        self.world.balance(&wallet).await.unwrap()
    }

    async fn withdraw(&self, lender: &ballast_client::Keypair, side: Side, shares: u64) -> u64 {
        let market = &self.world.market;
        let withdraw = instruction::withdraw(market, &lender.pubkey(), side, shares, 0);
        let receipt = accepted(self.world.send(lender, vec![withdraw]).await);
        match receipt.events.last() {
            Some(BallastEvent::Withdrawn(event)) => event.amount,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn booking_a_loss_is_paid_out_of_the_insurance() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.insure(Amounts::new(1_000_000_000, 1_000_000)).await;
    scene.price(400).await;
    let by = scene.liquidator.key();
    let had = scene.world.wallet_balances(&by).await.unwrap();
    let before = [
        scene.reserve(Side::Base).await,
        scene.reserve(Side::Quote).await,
    ];
    let (model, oracle) = scene.model(&position).await;
    let saved = scene.svm.save();
    let receipt = accepted(scene.liquidate(&position).await);
    let Some(BallastEvent::Liquidated(event)) = receipt.events.last() else {
        panic!("{:?}", receipt.events);
    };
    let ended = [model.debt.base, model.debt.quote];
    let paid = rewards(&receipt);
    let mut total = Amounts::ZERO;
    for (index, side) in SIDES.into_iter().enumerate() {
        let reserve = scene.world.market.reserve(side);
        let found = paid.iter().find(|paid| paid.reserve == reserve);
        let amount = found.expect("both reserves pay").amount;
        // One percent of the debt that ends, or a tenth of the insurance: here once the one, once the other.
        let (earned, most) = (ended[index] / 100, before[index].insurance / 10);
        assert_eq!(amount, earned.min(most), "{side:?}");
        assert_eq!(earned < most, side == Side::Base);
        let after = scene.reserve(side).await;
        let booked = receipt.events.iter().find_map(|event| match event {
            BallastEvent::BadDebtBooked(booked) if booked.reserve == reserve => Some(booked),
            _ => None,
        });
        let booked = booked.unwrap();
        assert_eq!(
            after.insurance + amount + booked.from_insurance,
            before[index].insurance
        );
        assert_eq!(
            after.total_assets_down().unwrap() + booked.from_lenders,
            before[index].total_assets_down().unwrap()
        );
        let vault = scene.world.market.vault(side);
        assert_eq!(scene.world.balance(&vault).await.unwrap(), after.liquidity);
        total = total.with(side, amount);
    }
    let has = scene.world.wallet_balances(&by).await.unwrap();
    let gain = worth_down(has, oracle).unwrap() - worth_down(had, oracle).unwrap();
    let reward = worth_down(total, oracle).unwrap();
    assert!(gain.abs_diff(reward) <= 4, "{gain}, {reward} for booking");
    assert!(event.bonus <= 4, "{}", event.bonus);
    assert!(model.value(oracle).unwrap().equity() < 0);
    // It counts as gain.
    scene.svm.restore(&saved);
    let market = &scene.world.market;
    let wanting = |gain| {
        let wallet = &scene.liquidator.wallet;
        instruction::liquidate(market, &position, &by, wallet, ANY, gain)
    };
    let gain = u64::try_from(reward).unwrap() + event.bonus;
    let by = &scene.liquidator;
    refused(
        scene.send(by, wanting(gain + 1)).await,
        BallastError::GainTooSmall,
    );
    accepted(scene.send(by, wanting(gain)).await);
    // Once.
    refused(
        scene.liquidate(&position).await,
        BallastError::NotLiquidatable,
    );
}

#[tokio::test]
async fn without_insurance_booking_pays_nothing_and_goes_on() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(400).await;
    let receipt = accepted(scene.liquidate(&position).await);
    assert!(rewards(&receipt).is_empty());
}

/// What is barely insolvent pays no more for booking than what is lost: who can liquidate does not wait for it.
#[tokio::test]
async fn at_the_first_unit_of_insolvency_booking_pays_no_more_than_the_loss() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let rich = Amounts::new(100_000_000_000, 1_000_000_000);
    let funding = scene.world.trader("liquidator", rich).await;
    funding.unwrap();
    scene.insure(rich).await;
    // Solvent at 341, insolvent at 342.
    scene.price(341).await;
    let (model, oracle) = scene.model(&position).await;
    assert!(model.value(oracle).unwrap().equity() > 0);
    scene.price(342).await;
    let (model, oracle) = scene.model(&position).await;
    let value = model.value(oracle).unwrap();
    let missing = (-value.equity()).unsigned_abs();
    assert!(missing > 0 && missing * 200 < value.debt, "{missing}");
    let receipt = accepted(scene.liquidate(&position).await);
    let mut paid = Amounts::ZERO;
    for reward in rewards(&receipt) {
        let side = usize::from(reward.reserve == scene.world.market.reserve(Side::Quote));
        paid = paid.with(SIDES[side], reward.amount);
    }
    let paid = worth_down(paid, oracle).unwrap();
    assert!(paid > 0 && paid <= missing + 2, "{paid} for {missing}");
}

/// Who repays all but the last of it first leaves a loss for which booking pays still.
#[tokio::test]
async fn what_is_left_of_a_position_liquidated_in_part_pays_for_booking_its_loss() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let rich = Amounts::new(100_000_000_000, 1_000_000_000);
    scene.world.trader("liquidator", rich).await.unwrap();
    scene.insure(rich).await;
    scene.price(400).await;
    let (model, oracle) = scene.model(&position).await;
    let missing = (-model.value(oracle).unwrap().equity()).unsigned_abs();
    let most = model.debt.base * 85 / 100;
    let receipt = accepted(scene.liquidate_for(&position, most, u64::MAX).await);
    assert!(rewards(&receipt).is_empty());
    let (left, _) = scene.model(&position).await;
    assert!(left.debt.base > 0 && left.debt.base < model.debt.base / 4);
    let receipt = accepted(scene.liquidate(&position).await);
    let paid: u64 = rewards(&receipt).iter().map(|paid| paid.amount).sum();
    assert!(paid > 0, "nobody is paid for booking {missing}");
    for reward in rewards(&receipt) {
        let side = usize::from(reward.reserve == scene.world.market.reserve(Side::Quote));
        let owed = left.debt.get(SIDES[side]);
        assert_eq!(reward.amount, owed / 100, "{side}");
    }
}

/// Who opens positions to write them off pays for each with all of its equity, and gets a percent of the debt that ends.
#[tokio::test]
async fn nobody_drains_the_insurance_by_splitting_or_repeating() {
    let scene = Scene::new().await;
    let least = scene.market().await.limits.min_position_value;
    let args = |id| OpenArgs {
        own_quote: least / 3 + 200,
        ..scene.example(id)
    };
    const POSITIONS: u64 = 5;
    let mut positions = Vec::new();
    let mut equity = 0;
    for id in 1..=POSITIONS {
        let position = scene.world.open(&scene.alice, args(id)).await.unwrap();
        let (model, oracle) = scene.model(&position).await;
        equity += model.value(oracle).unwrap().equity();
        positions.push(position);
    }
    scene.insure(Amounts::new(100_000_000, 20_000_000)).await;
    let insured = SIDES.map(async |side| scene.reserve(side).await.insurance);
    let [base, quote] = insured;
    let before = [base.await, quote.await];
    scene.price(400).await;
    let (mut paid, mut owed, mut lost) = (Amounts::ZERO, Amounts::ZERO, Amounts::ZERO);
    for position in &positions {
        let debt = scene.model(position).await.0.debt;
        owed = owed.checked_add(debt).unwrap();
        // In parts first: a part books nothing and is paid nothing.
        let receipt = accepted(scene.liquidate_for(position, 5_000_000, u64::MAX).await);
        assert!(rewards(&receipt).is_empty());
        let receipt = accepted(scene.liquidate(position).await);
        for event in &receipt.events {
            match event {
                BallastEvent::WriteOffRewarded(event) => {
                    let side =
                        usize::from(event.reserve == scene.world.market.reserve(Side::Quote));
                    let amount = Amounts::only(SIDES[side], event.amount);
                    paid = paid.checked_add(amount).unwrap();
                }
                BallastEvent::BadDebtBooked(event) => {
                    let side =
                        usize::from(event.reserve == scene.world.market.reserve(Side::Quote));
                    let amount = Amounts::only(SIDES[side], event.from_insurance);
                    lost = lost.checked_add(amount).unwrap();
                }
                _ => {}
            }
        }
        refused(
            scene.liquidate(position).await,
            BallastError::NotLiquidatable,
        );
    }
    let (_, oracle) = scene.model(&positions[0]).await;
    for (index, side) in SIDES.into_iter().enumerate() {
        assert!(paid.get(side) <= owed.get(side) / 100, "{side:?}");
        let after = scene.reserve(side).await.insurance;
        assert_eq!(after + paid.get(side) + lost.get(side), before[index]);
    }
    let (got, own) = (worth_down(paid, oracle).unwrap(), equity.unsigned_abs());
    assert!(got > 0 && got * 20 < own, "{got} for positions worth {own}");
    println!("{got} raw quote units paid for booking losses of positions of {own}");
}

#[tokio::test]
async fn a_lender_who_sees_a_loss_first_gains_nothing_by_leaving_first() {
    for insured in [Amounts::new(1, 1), Amounts::new(20_000_000, 2_000_000)] {
        let (scene, bob) = Scene::with_two_lenders().await;
        let position = scene.open(1).await;
        scene.insure(insured).await;
        refused(scene.show_loss(&position).await, BallastError::NoLossToShow);
        scene.price(400).await;
        let (model, oracle) = scene.model(&position).await;
        let loss = uncovered_up(model.debt, &model.value(oracle).unwrap());
        assert!(loss.base > 0 && loss.quote > 0);
        accepted(scene.show_loss(&position).await);
        let (own, all) = scene.shown(&position).await;
        assert_eq!(
            (own, all),
            ([loss.base, loss.quote], [loss.base, loss.quote])
        );

        // Who comes now pays the old price.
        let saved = scene.svm.save();
        for side in SIDES {
            let half = scene.shares(&bob.keypair, side).await / 2;
            // At once, before anybody books it.
            let first = scene.withdraw(&bob.keypair, side, half).await;
            scene.svm.restore(&saved);
            accepted(scene.liquidate(&position).await);
            assert_eq!(scene.shown(&position).await, ([0, 0], [0, 0]));
            let later = scene.withdraw(&bob.keypair, side, half).await;
            assert!(first <= later, "{side:?}: {first} at once, {later} later");
            scene.svm.restore(&saved);
            // The one who stays has no less for it.
            let lender = &scene.world.lender;
            let shares = scene.shares(lender, side).await / 10;
            accepted(scene.liquidate(&position).await);
            let alone = scene.withdraw(lender, side, shares).await;
            scene.svm.restore(&saved);
            scene.withdraw(&bob.keypair, side, half).await;
            accepted(scene.liquidate(&position).await);
            let left = scene.withdraw(lender, side, shares).await;
            assert!(left + 1 >= alone, "{side:?}: {left} instead of {alone}");
            scene.svm.restore(&saved);
        }
    }
}

#[tokio::test]
async fn a_keeper_shows_a_gaps_loss_before_anybody_may_book_it() {
    let (scene, bob) = Scene::with_two_lenders().await;
    let position = scene.open(1).await;
    let hand = Hand::new(&scene, "");
    let half = scene.shares(&bob.keypair, Side::Base).await / 2;
    let report = hand.act(&position, ActionKind::RefreshPrice).await;
    assert!(matches!(report.verdict, Verdict::NotDue), "{report:?}");
    scene.price_with_average(400, 200).await;
    // Who knows of it would leave at par.
    let saved = scene.svm.save();
    let par = scene.withdraw(&bob.keypair, Side::Base, half).await;
    scene.svm.restore(&saved);
    refused(
        scene.liquidate(&position).await,
        BallastError::NoSecondWitness,
    );
    Hand::landed(&hand.act(&position, ActionKind::RefreshPrice).await);
    let (model, oracle) = scene.model(&position).await;
    let loss = uncovered_up(model.debt, &model.value(oracle).unwrap());
    assert_eq!(scene.shown(&position).await.0, [loss.base, loss.quote]);
    let less = scene.withdraw(&bob.keypair, Side::Base, half).await;
    assert!(less < par, "{less} {par}");
    // Once is enough.
    let report = hand.act(&position, ActionKind::RefreshPrice).await;
    assert!(matches!(report.verdict, Verdict::NotDue), "{report:?}");
    assert_eq!(hand.journaled(), [ActionKind::RefreshPrice]);
}

#[tokio::test]
async fn a_loss_that_is_gone_is_shown_away_with_the_newest_price() {
    let (scene, bob) = Scene::with_two_lenders().await;
    let position = scene.open(1).await;
    let half = scene.shares(&bob.keypair, Side::Base).await / 2;
    let saved = scene.svm.save();
    let par = scene.withdraw(&bob.keypair, Side::Base, half).await;
    scene.svm.restore(&saved);
    scene.price(400).await;
    accepted(scene.show_loss(&position).await);
    let saved = scene.svm.save();
    let less = scene.withdraw(&bob.keypair, Side::Base, half).await;
    assert!(less < par, "{less} {par}");
    scene.svm.restore(&saved);
    // A smaller one needs no second witness, nor does none.
    scene.price_with_average(380, 200).await;
    let (before, _) = scene.shown(&position).await;
    accepted(scene.show_loss(&position).await);
    let (after, all) = scene.shown(&position).await;
    assert!(after[0] < before[0] && after[1] < before[1] && after == all);
    scene.price_with_average(300, 200).await;
    accepted(scene.show_loss(&position).await);
    assert_eq!(scene.shown(&position).await, ([0, 0], [0, 0]));
    refused(scene.show_loss(&position).await, BallastError::NoLossToShow);
    assert_eq!(scene.withdraw(&bob.keypair, Side::Base, half).await, par);
}

/// Between a gap and the end of the grace a price of before it can still be used.
#[tokio::test]
async fn nobody_shows_a_loss_away_with_a_price_of_before_the_gap() {
    let (scene, bob) = Scene::with_two_lenders().await;
    let position = scene.open(1).await;
    scene.svm.pass_time(60).await.unwrap();
    scene.post_with_average(400, 400, 0).await;
    let (model, oracle) = scene.model(&position).await;
    let loss = uncovered_up(model.debt, &model.value(oracle).unwrap());
    accepted(scene.show_loss(&position).await);
    let (own, _) = scene.shown(&position).await;
    assert_eq!(own, [loss.base, loss.quote]);
    let half = scene.shares(&bob.keypair, Side::Base).await / 2;
    let saved = scene.svm.save();
    let less = scene.withdraw(&bob.keypair, Side::Base, half).await;
    scene.svm.restore(&saved);
    // Solvent, or insolvent by less.
    for before_the_gap in [300, 360] {
        scene
            .post_with_average(before_the_gap, before_the_gap, 5)
            .await;
        let (model, then) = scene.model(&position).await;
        let at_used = uncovered_up(model.debt, &model.value(then).unwrap());
        assert!(at_used.base < loss.base);
        accepted(scene.show_loss(&position).await);
        assert_eq!(scene.shown(&position).await.0, own);
    }
    assert_eq!(scene.withdraw(&bob.keypair, Side::Base, half).await, less);
    // Nor after a look at a newest one that is uncertain, as prices are right after a gap.
    let saved = scene.svm.save();
    scene.post_uncertain(400).await;
    let look = instruction::refresh_stage(&scene.world.market);
    accepted(scene.send(&scene.keeper, look).await);
    scene.post_with_average(300, 300, 5).await;
    accepted(scene.show_loss(&position).await);
    assert_eq!(scene.shown(&position).await.0, own);
    scene.post_with_average(300, 300, 0).await;
    accepted(scene.show_loss(&position).await);
    assert_eq!(scene.shown(&position).await.0, [0; 2]);
    scene.svm.restore(&saved);
    // A larger one of before it counts until the newest is shown.
    scene.post_with_average(430, 430, 5).await;
    accepted(scene.show_loss(&position).await);
    assert!(scene.shown(&position).await.0[0] > own[0]);
    scene.post_with_average(400, 400, 0).await;
    accepted(scene.show_loss(&position).await);
    assert_eq!(scene.shown(&position).await.0, own);
}

/// Nothing can be booked meanwhile, and who knows of the gap would leave at par.
#[tokio::test]
async fn at_an_uncertain_price_what_is_lost_for_certain_is_shown_and_nothing_is_shown_away() {
    let (scene, bob) = Scene::with_two_lenders().await;
    let position = scene.open(1).await;
    let half = scene.shares(&bob.keypair, Side::Base).await / 2;
    let saved = scene.svm.save();
    let par = scene.withdraw(&bob.keypair, Side::Base, half).await;
    scene.svm.restore(&saved);
    scene.svm.pass_time(60).await.unwrap();
    // Solvent at its lower end, insolvent at its upper one.
    scene.post_uncertain(345).await;
    refused(scene.show_loss(&position).await, BallastError::NoLossToShow);
    scene.post_uncertain(400).await;
    refused(scene.liquidate(&position).await, BallastError::PriceTooWide);
    accepted(scene.show_loss(&position).await);
    let (own, all) = scene.shown(&position).await;
    let (model, _) = scene.model(&position).await;
    // 5 % less than 400, of which no more is taken than a rounding.
    let at = |dollars| {
        scene
            .world
            .sqrt_price_at(UsdPrice::dollars(dollars))
            .unwrap()
    };
    let loss = |dollars| uncovered_up(model.debt, &model.value(at(dollars)).unwrap());
    let (least, most) = (loss(379), loss(380));
    for (index, side) in SIDES.into_iter().enumerate() {
        let shown = own[index];
        assert!(
            (least.get(side)..=most.get(side)).contains(&shown),
            "{shown}"
        );
    }
    assert_eq!(own, all);
    let less = scene.withdraw(&bob.keypair, Side::Base, half).await;
    assert!(less < par, "{less} {par}");
    // What it says less, it does not know.
    scene.post_uncertain(345).await;
    accepted(scene.show_loss(&position).await);
    assert_eq!(scene.shown(&position).await.0, own);
    scene.post_with_average(345, 345, 0).await;
    accepted(scene.show_loss(&position).await);
    let (now, _) = scene.shown(&position).await;
    assert!(now[0] > 0 && now[0] < own[0], "{now:?}");
}

#[tokio::test]
async fn a_shown_loss_is_never_more_than_the_debt_and_goes_with_it() {
    let scene = Scene::new().await;
    let (position, other) = (scene.open(1).await, scene.open(2).await);
    scene.price(400).await;
    accepted(scene.show_loss(&position).await);
    accepted(scene.show_loss(&other).await);
    let (one, all) = scene.shown(&position).await;
    let (two, _) = scene.shown(&other).await;
    assert_eq!(all, [one[0] + two[0], one[1] + two[1]]);
    // Repaid but for less than the loss.
    let (model, _) = scene.model(&position).await;
    let market = &scene.world.market;
    let left = one[0] / 3;
    let most = model.debt.base - left;
    let funding = scene.world.trader("alice", Amounts::new(most, 0)).await;
    funding.unwrap();
    let repay = instruction::repay(market, &position, &scene.alice.wallet, most, 0);
    accepted(scene.send(&scene.alice, repay).await);
    let (now, all) = scene.shown(&position).await;
    assert!(now[0].abs_diff(left) <= 1 && now[1] == one[1], "{now:?}");
    assert_eq!(all, [now[0] + two[0], now[1] + two[1]]);
    // Closed by its owner; written off.
    accepted(scene.close(&position).await);
    let (_, all) = scene.shown(&other).await;
    assert_eq!(all, two);
    accepted(scene.liquidate(&other).await);
    assert_eq!(scene.shown(&other).await, ([0, 0], [0, 0]));
}

#[tokio::test]
async fn a_loss_is_shown_to_the_positions_own_reserves() {
    let scene = Scene::new().await;
    let bob = scene.world.trader("bob", Amounts::ZERO).await.unwrap();
    let second = scene.second_market(&bob, Default::default()).await;
    let position = scene.open(1).await;
    scene.price(400).await;
    let market = &scene.world.market;
    let show = || instruction::show_loss(market, &position.address);
    for side in SIDES {
        let forged = substitute(show(), market.reserve(side), second.reserve(side));
        refused(
            scene.send(&scene.keeper, forged).await,
            BallastError::WrongReserve,
        );
    }
    let forged = instruction::show_loss(&second, &position.address);
    refused(
        scene.send(&scene.keeper, forged).await,
        BallastError::WrongPositionAccount,
    );
    scene
        .change_position(&position, |position| position.version = 1)
        .await;
    refused(
        scene.send(&scene.keeper, show()).await,
        BallastError::WrongVersion,
    );
}
