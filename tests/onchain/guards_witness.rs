//! What takes a position from its owner, or money from lenders, needs a young price and its moving average as a second witness.

use ballast_client::{
    Amounts, BallastError, BallastEvent, OpenArgs, PositionContext, Receipt, Side,
    ballast::oracle::newest_price, instruction,
};
use ballast_localnet::{Localnet, PricePost, UsdPrice};
use ballast_model::worth_down;

use crate::support::{Scene, accepted, refused};

impl Scene {
    /// Posts a price of base with another moving average, published so many seconds ago. Leaves the pool alone.
    pub async fn post_with_average(&self, dollars: i64, average: i64, age_secs: i64) {
        let then = self.svm.now_secs() - age_secs;
        let base = PricePost {
            ema_price: UsdPrice::dollars(average).units(),
            ..PricePost::good(Side::Base, UsdPrice::dollars(dollars), then)
        };
        let quote = PricePost::good(Side::Quote, UsdPrice::ONE, then);
        accepted(self.world.post(&[base, quote]).await);
    }

    /// Moves the pool, and posts as [`Self::post_with_average`].
    pub async fn price_with_average(&self, dollars: i64, average: i64) {
        self.pool(dollars as f64).await;
        self.post_with_average(dollars, average, 0).await;
    }

    /// The worked example with leverage 2: LTV 50 % at 200, 65 % at 265, 77 % at 314, 80 % at 327, 90 % at 368, insolvent above 410.
    pub async fn open_twofold(&self, id: u64) -> PositionContext {
        let args = OpenArgs {
            leverage_bps: 20_000,
            ..self.example(id)
        };
        self.world.open(&self.alice, args).await.unwrap()
    }
}

fn books_a_loss(receipt: &Receipt) -> bool {
    let booked = |event: &BallastEvent| matches!(event, BallastEvent::BadDebtBooked(_));
    receipt.events.iter().any(booked)
}

#[tokio::test]
async fn a_healthy_position_is_not_liquidated_at_an_old_price() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.pool(262.0).await;
    for age_secs in [115, 31] {
        scene.post_with_average(262, 262, age_secs).await;
        refused(scene.liquidate(&position).await, BallastError::PriceStale);
    }
    // The newest price says 75.5 %.
    scene.price(240).await;
    let (model, oracle) = scene.model(&position).await;
    let ltv_bps = model.value(oracle).unwrap().ltv_bps_up();
    assert!((7_500..7_600).contains(&ltv_bps), "{ltv_bps}");
    refused(
        scene.liquidate(&position).await,
        BallastError::NotLiquidatable,
    );
    scene.pool(262.0).await;
    scene.svm.pass_time(60).await.unwrap();
    scene.post_with_average(262, 262, 30).await;
    accepted(scene.liquidate(&position).await);
}

#[tokio::test]
async fn nobody_is_liquidated_for_the_choice_of_an_older_price_within_the_grace() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let ltv_bps = async || {
        let (model, oracle) = scene.model(&position).await;
        model.value(oracle).unwrap().ltv_bps_up()
    };
    let publish = async |dollars, age_secs| {
        scene.post_with_average(dollars, dollars, age_secs).await;
    };
    scene.pool(259.0).await;
    scene.svm.pass_time(60).await.unwrap();
    // A younger pair of accounts says 256, and was shown.
    publish(256, 5).await;
    assert!((7_900..8_000).contains(&ltv_bps().await));
    let refresh = || instruction::refresh_price(&scene.world.market);
    accepted(scene.send(&scene.keeper, refresh()).await);
    let seen = scene.svm.save();
    publish(262, 15).await;
    assert!(ltv_bps().await >= 8_000);
    refused(
        scene.liquidate(&position).await,
        BallastError::NotLiquidatable,
    );
    // As unhealthy at the newest price it is liquidated at the older one as well, or at a price newer still.
    scene.svm.restore(&seen);
    publish(261, 4).await;
    accepted(scene.send(&scene.keeper, refresh()).await);
    publish(262, 14).await;
    let saved = scene.svm.save();
    accepted(scene.liquidate(&position).await);
    scene.svm.restore(&saved);
    publish(262, 0).await;
    accepted(scene.liquidate(&position).await);
}

/// What a liquidator takes is planned and paid at the newest price, whichever older one is used: in both directions exactly what the newest
/// one itself gives.
#[tokio::test]
async fn who_liquidates_at_an_older_price_gains_no_more_than_the_bonus_at_the_newest() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let bonus = u128::from(scene.market().await.limits.liquidation_bonus_bps);
    scene.pool(262.0).await;
    scene.svm.pass_time(60).await.unwrap();
    let start = scene.svm.save();
    for (newest, used) in [(261, 262), (261, 264), (262, 270), (270, 262), (264, 261)] {
        let liquidated = async |age_secs, dollars| {
            scene.post_with_average(dollars, dollars, age_secs).await;
            let receipt = accepted(scene.liquidate(&position).await);
            match receipt.events.into_iter().last() {
                Some(BallastEvent::Liquidated(event)) => event,
                other => panic!("{other:?}"),
            }
        };
        scene.svm.restore(&start);
        scene.post_with_average(newest, newest, 4).await;
        let refresh = instruction::refresh_price(&scene.world.market);
        accepted(scene.send(&scene.keeper, refresh).await);
        let price = newest_price(&scene.market().await).unwrap();
        let shown = scene.svm.save();
        let older = liquidated(14, used).await;
        let worth = |base, quote| worth_down(Amounts::new(base, quote), price).unwrap();
        let paid = worth(older.repaid_base, older.repaid_quote);
        let taken = worth(older.seized_base, older.seized_quote);
        assert!(
            taken <= paid + paid * bonus / 10_000 + 1,
            "{taken} for {paid}"
        );
        assert_eq!(older.sqrt_price_x64, price.x64());
        scene.svm.restore(&shown);
        let at_newest = liquidated(4, newest).await;
        assert_eq!(
            (older.liquidity, older.bonus, older.ltv_after_bps),
            (
                at_newest.liquidity,
                at_newest.bonus,
                at_newest.ltv_after_bps
            )
        );
        assert_eq!(
            [older.repaid_base, older.repaid_quote, older.seized_base],
            [
                at_newest.repaid_base,
                at_newest.repaid_quote,
                at_newest.seized_base
            ]
        );
    }
}

/// A newest price that no liquidation would take, because its confidence interval is too wide, pays nothing and books nothing: anyone may
/// show it by a look at the stage.
#[tokio::test]
async fn an_uncertain_newest_price_pays_no_liquidator_and_no_lender_loses_by_it() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let bonus = u128::from(scene.market().await.limits.liquidation_bonus_bps);
    scene.svm.pass_time(60).await.unwrap();
    let show_uncertain = async |dollars| {
        let now = scene.svm.now_secs();
        let mut base = PricePost::good(Side::Base, UsdPrice::dollars(dollars), now);
        base.conf = base.price.unsigned_abs() / 20;
        let quote = PricePost::good(Side::Quote, UsdPrice::ONE, now);
        accepted(scene.world.post(&[base, quote]).await);
        refused(scene.liquidate(&position).await, BallastError::PriceTooWide);
        let look = instruction::refresh_stage(&scene.world.market);
        accepted(scene.send(&scene.keeper, look).await);
        let known = newest_price(&scene.market().await).unwrap();
        scene.post_with_average(dollars, dollars, 0).await;
        let said = scene.model(&position).await.1;
        assert_eq!(known, said);
    };
    let start = scene.svm.save();
    for (used, uncertain) in [(264, 290), (264, 275), (264, 262)] {
        scene.svm.restore(&start);
        scene.pool(f64::from(used)).await;
        show_uncertain(uncertain).await;
        scene
            .post_with_average(i64::from(used), i64::from(used), 4)
            .await;
        let price = scene.model(&position).await.1;
        let receipt = accepted(scene.liquidate(&position).await);
        let Some(BallastEvent::Liquidated(event)) = receipt.events.last() else {
            panic!("{:?}", receipt.events);
        };
        assert_eq!(event.sqrt_price_x64, price.x64());
        let worth = |base, quote| worth_down(Amounts::new(base, quote), price).unwrap();
        let paid = worth(event.repaid_base, event.repaid_quote);
        let taken = worth(event.seized_base, event.seized_quote);
        assert!(
            taken <= paid + paid * bonus / 10_000 + 1,
            "{taken} for {paid}"
        );
        assert!(paid > 0 && !books_a_loss(&receipt));
    }

    // It may only say that nothing is due.
    scene.svm.restore(&start);
    scene.pool(264.0).await;
    show_uncertain(255).await;
    scene.post_with_average(264, 264, 4).await;
    refused(
        scene.liquidate(&position).await,
        BallastError::NotLiquidatable,
    );

    // Solvent at 300, insolvent at 400: nothing is booked or shown at the uncertain one.
    scene.svm.restore(&start);
    scene.pool(300.0).await;
    show_uncertain(400).await;
    scene.post_with_average(300, 300, 4).await;
    refused(scene.show_loss(&position).await, BallastError::NoLossToShow);
    let receipt = accepted(scene.liquidate(&position).await);
    assert!(!books_a_loss(&receipt));
}

#[tokio::test]
async fn lenders_lose_only_at_a_price_of_seconds() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.pool(400.0).await;
    scene.svm.pass_time(100).await.unwrap();
    for age_secs in [55, 30, 16] {
        scene.post_with_average(400, 400, age_secs).await;
        refused(scene.liquidate(&position).await, BallastError::PriceStale);
        let show = instruction::show_loss(&scene.world.market, &position.address);
        refused(
            scene.send(&scene.keeper, show).await,
            BallastError::PriceStale,
        );
        // Nor does a part of it.
        refused(
            scene.liquidate_for(&position, 10_000_000, u64::MAX).await,
            BallastError::PriceStale,
        );
    }
    scene.post_with_average(400, 400, 15).await;
    let show = instruction::show_loss(&scene.world.market, &position.address);
    accepted(scene.send(&scene.keeper, show).await);
    let receipt = accepted(scene.liquidate(&position).await);
    assert!(books_a_loss(&receipt));
}

#[tokio::test]
async fn a_wick_liquidates_nobody_until_the_average_follows() {
    let scene = Scene::new().await;
    let position = scene.open_twofold(1).await;
    scene.price_with_average(340, 200).await;
    refused(
        scene.liquidate(&position).await,
        BallastError::NoSecondWitness,
    );
    // At maintenance the average has to show the market's deleverage trigger, 77 %. Higher up less is enough.
    for (dollars, low, high) in [(328, 308, 316), (340, 292, 306), (360, 270, 285)] {
        for (average, confirms) in [(264, false), (low, false), (high, true)] {
            scene.price_with_average(dollars, average).await;
            let saved = scene.svm.save();
            let liquidated = scene.liquidate(&position).await;
            if confirms {
                accepted(liquidated);
            } else {
                refused(liquidated, BallastError::NoSecondWitness);
            }
            scene.svm.restore(&saved);
        }
    }
}

/// The product's own position stands above the market's target from the start.
#[tokio::test]
async fn a_wick_liquidates_no_threefold_position_and_anyone_deleverages_it_meanwhile() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    for average in [200, 220, 241] {
        scene.price_with_average(262, average).await;
        assert!((8_000..8_200).contains(&scene.ltv_bps(&position).await));
        refused(
            scene.liquidate(&position).await,
            BallastError::NoSecondWitness,
        );
        let saved = scene.svm.save();
        accepted(scene.deleverage_swap(&position, &scene.keeper).await);
        assert!(scene.ltv_bps(&position).await < 7_700);
        scene.svm.restore(&saved);
    }
    scene.price_with_average(262, 248).await;
    accepted(scene.liquidate(&position).await);
}

/// The market knows of each feed the newest price: a newer one of one feed beside an older one of the other is no newer pair.
#[tokio::test]
async fn a_newer_quote_price_hides_no_newer_base_price() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let publish = async |dollars, base_age_secs, quote_age_secs| {
        let now = scene.svm.now_secs();
        let base = PricePost::good(Side::Base, UsdPrice::dollars(dollars), now - base_age_secs);
        let quote = PricePost::good(Side::Quote, UsdPrice::ONE, now - quote_age_secs);
        accepted(scene.world.post(&[base, quote]).await);
    };
    let show = async || {
        let refresh = instruction::refresh_price(&scene.world.market);
        accepted(scene.send(&scene.keeper, refresh).await);
    };
    let newest = async || newest_price(&scene.market().await).unwrap();
    scene.pool(259.0).await;
    scene.svm.pass_time(60).await.unwrap();
    let saved = scene.svm.save();
    // The pair that was shown says 256, 79.4 %; its quote is 28 s old. Somebody brings an older base price of 262 with a quote of 5 s.
    publish(256, 2, 28).await;
    assert!((7_900..8_000).contains(&scene.ltv_bps(&position).await));
    show().await;
    let known = newest().await;
    publish(262, 12, 5).await;
    assert!(scene.ltv_bps(&position).await >= 8_000);
    refused(
        scene.liquidate(&position).await,
        BallastError::NotLiquidatable,
    );
    show().await;
    assert_eq!(newest().await, known);

    // The other way round nobody delays a liquidation by it, nor keeps the newest base price from being shown.
    scene.svm.restore(&saved);
    publish(256, 8, 0).await;
    show().await;
    publish(262, 1, 9).await;
    let before_showing = scene.svm.save();
    accepted(scene.liquidate(&position).await);
    scene.svm.restore(&before_showing);
    publish(262, 1, 60).await;
    show().await;
    assert!(newest().await > known);
}

#[tokio::test]
async fn near_insolvency_nobody_waits_for_the_average() {
    let scene = Scene::new().await;
    let position = scene.open_twofold(1).await;
    let ltv_bps = async || {
        let (model, oracle) = scene.model(&position).await;
        model.value(oracle).unwrap().ltv_bps_up()
    };
    scene.price_with_average(367, 200).await;
    assert!((8_900..9_000).contains(&ltv_bps().await));
    refused(
        scene.liquidate(&position).await,
        BallastError::NoSecondWitness,
    );
    scene.price_with_average(370, 200).await;
    assert!((9_000..9_100).contains(&ltv_bps().await));
    let receipt = accepted(scene.liquidate(&position).await);
    assert!(!books_a_loss(&receipt));
}

#[tokio::test]
async fn lenders_lose_only_what_the_average_confirms() {
    let scene = Scene::new().await;
    let position = scene.open_twofold(1).await;
    let show = || instruction::show_loss(&scene.world.market, &position.address);
    let parts = [
        Amounts::new(u64::MAX, u64::MAX),
        Amounts::new(10_000_000, 0),
    ];
    // Between target and maintenance at the average: a solvent position could be liquidated.
    for average in [200, 300, 326] {
        scene.price_with_average(415, average).await;
        for most in parts {
            refused(
                scene.liquidate_for(&position, most.base, most.quote).await,
                BallastError::NoSecondWitness,
            );
        }
        // It can be shown: who sees it first does not leave at par. That books nothing.
        let saved = scene.svm.save();
        assert!(!books_a_loss(&accepted(
            scene.send(&scene.keeper, show()).await
        )));
        scene.svm.restore(&saved);
    }
    scene.post_with_average(415, 328, 0).await;
    let receipt = accepted(scene.liquidate(&position).await);
    assert!(books_a_loss(&receipt));
}

/// Between a gap and the average that follows it nobody liquidates what is insolvent, and nobody repays the lenders of the token that
/// it holds in full, at the expense of the other token's.
#[tokio::test]
async fn what_a_gap_has_made_insolvent_makes_no_lender_whole_before_the_average_follows() {
    for (gap, average) in [(350, 200), (350, 250), (400, 255)] {
        let scene = Scene::new().await;
        let position = scene.open(1).await;
        scene.price_with_average(gap, average).await;
        let (before, oracle) = scene.model(&position).await;
        assert!(before.value(oracle).unwrap().equity() < 0);
        refused(
            scene.liquidate(&position).await,
            BallastError::NoSecondWitness,
        );
        refused(
            scene.deleverage(&position, &scene.keeper).await,
            BallastError::LtvNotLowered,
        );
        assert_eq!(scene.model(&position).await.0, before);
        scene.post_with_average(gap, gap, 0).await;
        assert!(books_a_loss(&accepted(scene.liquidate(&position).await)));
    }
}

#[tokio::test]
async fn an_average_that_is_none_confirms_nothing() {
    let scene = Scene::new().await;
    let position = scene.open_twofold(1).await;
    scene.price_with_average(340, 0).await;
    refused(
        scene.liquidate(&position).await,
        BallastError::PriceMalformed,
    );
}
