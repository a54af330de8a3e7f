//! Losses of lenders that are shown before they are booked, so that nobody gains by leaving first.

use ballast_client::{
    Amounts, BallastError, BallastEvent, PositionContext, Side, Signer, instruction,
};
use ballast_keeper::execute::Verdict;
use ballast_localnet::{Localnet, PricePost, Trader, UsdPrice, WorldConfig};
use ballast_model::lending::uncovered_up;
use ballast_strategy::decide::ActionKind;

use crate::{
    keeper::Hand,
    losses::SIDES,
    support::{Scene, accepted, refused, substitute},
};

impl Scene {
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
