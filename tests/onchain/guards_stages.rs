//! Risk stages: what raises them, what does not, how they fall, and what each forbids and permits.

use ballast_abi::whirlpool::layout;
use ballast_client::{
    BallastError, BallastEvent, DecreaseArgs, Market, PositionContext, Side, decode_at, instruction,
};
use ballast_localnet::{Localnet, PricePost, UsdPrice};

use crate::{
    lifecycle::automation,
    support::{NOTHING, Scene, Sent, accepted, refused},
    two::MORE,
};

impl Scene {
    /// Anybody shows the evidence there is.
    pub async fn look(&self) -> Sent {
        let refresh = instruction::refresh_stage(&self.world.market);
        self.send(&self.keeper, refresh).await
    }

    /// The stage after a look.
    pub async fn stage(&self) -> u8 {
        accepted(self.look().await);
        self.market().await.stage.stage
    }

    /// The market's account.
    pub async fn market(&self) -> Market {
        let address = self.world.market.address;
        let account = self.svm.chain().account(&address).await.unwrap();
        decode_at(&address, account.as_ref()).unwrap()
    }

    /// Posts good prices with a change of one of them.
    pub async fn post_with(&self, side: Side, change: impl Fn(&mut PricePost)) {
        let now = self.svm.now_secs();
        let good = |of| match of {
            Side::Base => PricePost::good(of, UsdPrice::dollars(200), now),
            Side::Quote => PricePost::good(of, UsdPrice::ONE, now),
        };
        let posts = [Side::Base, Side::Quote].map(|of| {
            let mut post = good(of);
            if of == side {
                change(&mut post);
            }
            post
        });
        accepted(self.world.post(&posts).await);
    }

    /// Passes time with good prices and looks every twenty seconds; the stage afterwards.
    pub async fn calm(&self, secs: u64) -> u8 {
        let mut stage = u8::MAX;
        for _ in 0..secs / 20 {
            self.wait(20, 200).await;
            stage = self.stage().await;
        }
        stage
    }

    /// Passes time with good prices and looks every ten seconds; the stage afterwards.
    pub async fn keep_looking(&self, secs: u64) -> u8 {
        let mut stage = u8::MAX;
        for _ in 0..secs / 10 {
            self.wait(10, 200).await;
            stage = self.stage().await;
        }
        stage
    }

    /// As only a test can.
    pub async fn force_stage(&self, stage: u8) {
        let now = self.svm.now_secs();
        self.change_market(|market| {
            market.stage.stage = stage;
            market.stage.confirmed_at_secs = now;
        })
        .await;
    }
}

#[tokio::test]
async fn silence_of_the_markets_own_accounts_raises_by_its_length() {
    // Refreshed at 0: silent for so long.
    for (secs, stage) in [(89, 0), (90, 1), (299, 1), (300, 2), (100_000, 2)] {
        let scene = Scene::new().await;
        assert_eq!(scene.stage().await, 0);
        scene.svm.pass_time(secs).await.unwrap();
        assert_eq!(scene.stage().await, stage, "after {secs} s");
    }
}

#[tokio::test]
async fn the_silence_of_one_feed_is_enough() {
    for side in [Side::Base, Side::Quote] {
        let scene = Scene::new().await;
        scene.svm.pass_time(300).await.unwrap();
        let then = scene.svm.now_secs() - 300;
        scene.post_with(side, |post| post.publish_time = then).await;
        assert_eq!(scene.stage().await, 2, "{side:?}");
    }
}

#[tokio::test]
async fn an_old_price_in_another_account_proves_nothing() {
    let scene = Scene::new().await;
    let old = PricePost {
        index: 1,
        ..PricePost::good(Side::Base, UsdPrice::dollars(200), scene.svm.now_secs())
    };
    accepted(scene.world.post(&[old]).await);
    scene.wait(500, 200).await;
    let program = scene.svm.programs().pyth.id;
    let (other, _) = ballast_abi::pyth::stand_in::price_account(&program, &old.feed, 1);
    let mut market = scene.world.market.clone();
    market.prices.base = other;
    let refresh = instruction::refresh_stage(&market);
    refused(
        scene.send(&scene.keeper, refresh).await,
        BallastError::PriceStale,
    );
    assert_eq!(scene.stage().await, 0);
    // A newer price that somebody has shown ends the silence of the market's own.
    scene.svm.pass_time(400).await.unwrap();
    let fresh = PricePost {
        publish_time: scene.svm.now_secs(),
        ..old
    };
    let quote = PricePost::good(Side::Quote, UsdPrice::ONE, scene.svm.now_secs());
    accepted(scene.world.post(&[fresh, quote]).await);
    let refresh = instruction::refresh_stage(&market);
    accepted(scene.send(&scene.keeper, refresh).await);
    assert_eq!(scene.stage().await, 0);
}

#[tokio::test]
async fn uncertain_prices_raise_at_their_thresholds() {
    // Both feeds are counted together: the other has two basis points.
    for (conf_bps, stage) in [(97, 0), (98, 1), (297, 1), (298, 2)] {
        for side in [Side::Base, Side::Quote] {
            let scene = Scene::new().await;
            scene
                .post_with(side, |post| {
                    post.conf = post.price.unsigned_abs() * conf_bps / 10_000;
                })
                .await;
            assert_eq!(scene.stage().await, stage, "{conf_bps} bps, {side:?}");
        }
    }
}

#[tokio::test]
async fn prices_away_from_their_average_raise_at_their_thresholds() {
    for (ema_bps, stage) in [
        (9_999, 0),
        (9_525, 0),
        (9_523, 1),
        (10_526, 0),
        (10_528, 1),
        (9_090, 2),
        (11_112, 2),
    ] {
        for side in [Side::Base, Side::Quote] {
            let scene = Scene::new().await;
            scene
                .post_with(side, |post| post.ema_price = post.price * ema_bps / 10_000)
                .await;
            let seen = scene.stage().await;
            assert_eq!(seen, stage, "average at {ema_bps} bps, {side:?}");
        }
    }
}

#[tokio::test]
async fn a_pool_that_stays_away_raises_to_one_and_no_further() {
    let scene = Scene::new().await;
    scene.pool(205.0).await;
    for _ in 0..5 {
        assert_eq!(scene.stage().await, 0, "any number of looks at one moment");
    }
    // Each look stands for ten seconds, however long nobody has looked.
    scene.wait(500, 200).await;
    assert_eq!(scene.stage().await, 0);
    scene.wait(10, 200).await;
    assert_eq!(scene.stage().await, 0);
    scene.wait(9, 200).await;
    assert_eq!(scene.stage().await, 0);
    scene.wait(1, 200).await;
    assert_eq!(scene.stage().await, 1);
    for _ in 0..20 {
        scene.wait(30, 200).await;
        assert_eq!(scene.stage().await, 1);
    }
}

#[tokio::test]
async fn depth_that_has_gone_raises_when_it_stays_away() {
    let scene = Scene::new().await;
    let pool = scene.world.market.market.whirlpool;
    let set_depth = async |part: u128| {
        scene
            .patch(&pool, |data| {
                let at = layout::pool::LIQUIDITY;
                let now = u128::from_le_bytes(data[at..at + 16].try_into().unwrap());
                data[at..at + 16].copy_from_slice(&(now * part / 1_000).to_le_bytes());
            })
            .await;
    };
    // In the first hour of looks nobody knows the average.
    scene.wait(10, 200).await;
    assert_eq!(scene.stage().await, 0);
    set_depth(100).await;
    assert_eq!(scene.keep_looking(40).await, 0);
    set_depth(10_000).await;
    for _ in 0..6 {
        scene.wait(600, 200).await;
        assert_eq!(scene.stage().await, 0);
    }
    let average = scene.market().await.stage.average_depth.get();
    set_depth(1_000).await;
    let depth = scene.world.pool().await.unwrap().liquidity;
    assert!(average > depth * 98 / 100 && average <= depth, "{average}");
    // A fall by 70 % of that is none yet.
    set_depth(301).await;
    assert_eq!(scene.keep_looking(40).await, 0);
    set_depth(900).await;
    assert_eq!(scene.keep_looking(30).await, 0);
    assert_eq!(scene.keep_looking(10).await, 1);
}

#[tokio::test]
async fn a_reserve_that_is_lent_out_raises_when_it_stays_so() {
    for side in [Side::Base, Side::Quote] {
        let scene = Scene::new().await;
        scene.open(1).await;
        let address = scene.world.market.reserve(side);
        let lent = |part: u64| {
            move |reserve: &mut ballast_client::Reserve| {
                let debt = reserve.state().total_debt_up().unwrap();
                reserve.liquidity = debt * (10_000 - part) / part;
            }
        };
        // Just below 98 % is none.
        scene.change_reserve(&address, lent(9_795)).await;
        assert_eq!(scene.keep_looking(40).await, 0);
        scene.change_reserve(&address, lent(9_800)).await;
        assert_eq!(scene.stage().await, 0);
        assert_eq!(scene.keep_looking(20).await, 0, "{side:?}");
        assert_eq!(scene.keep_looking(10).await, 1, "{side:?}");
    }
}

#[tokio::test]
async fn both_kinds_together_bring_the_highest_stage_and_it_falls_step_by_step() {
    let scene = Scene::new().await;
    scene.pool(205.0).await;
    assert_eq!(scene.keep_looking(30).await, 0);
    scene.svm.pass_time(10).await.unwrap();
    let wide = |post: &mut PricePost| post.conf = post.price.unsigned_abs() * 4 / 100;
    scene.post_with(Side::Base, wide).await;
    let receipt = accepted(scene.look().await);
    let told = receipt.events.iter().any(
        |event| matches!(event, BallastEvent::StageChanged(event) if (event.from, event.to) == (0, 3)),
    );
    assert!(told);
    scene.pool(200.0).await;
    for stage in [2, 1, 0] {
        assert_eq!(scene.calm(580).await, stage + 1);
        assert_eq!(scene.calm(20).await, stage);
    }
    // One look after a long time is one step.
    scene.force_stage(3).await;
    scene.wait(100_000, 200).await;
    assert_eq!(scene.stage().await, 2);
    assert_eq!(scene.stage().await, 2);
}

#[tokio::test]
async fn a_threshold_of_zero_is_none() {
    let scene = Scene::new().await;
    scene
        .change_limits(|params| {
            let stages = &mut params.stages;
            (stages.silence_secs, stages.long_silence_secs) = (0, 0);
            (stages.confidence_bps, stages.wide_confidence_bps) = (0, 0);
            (stages.ema_divergence_bps, stages.wide_ema_divergence_bps) = (0, 0);
            (stages.pool_divergence_bps, stages.depth_drop_bps) = (0, 0);
            stages.utilisation_bps = 0;
        })
        .await;
    scene.pool(230.0).await;
    assert_eq!(scene.stage().await, 0);
    scene.svm.pass_time(10_000).await.unwrap();
    assert_eq!(scene.stage().await, 0);
    for bad in [
        (|post: &mut PricePost| post.conf = post.price.unsigned_abs() / 3) as fn(&mut PricePost),
        |post| post.ema_price = post.price / 2,
    ] {
        scene.post_with(Side::Base, bad).await;
        assert_eq!(scene.stage().await, 0);
    }
}

/// What is tried at each stage; whether it is allowed.
async fn tries(scene: &Scene, position: &PositionContext, stage: u8, forbidden: [bool; 3]) {
    let [open, increase, recenter] = forbidden;
    scene.force_stage(stage).await;
    let check = |what: &str, sent: Sent, forbidden: bool| match forbidden {
        true => refused(sent, BallastError::ModeForbids),
        false => assert!(sent.is_ok(), "{what} at stage {stage}: {sent:?}"),
    };
    let id = 100 + u64::from(stage);
    check("open", scene.try_open(scene.example(id)).await, open);
    check("increase", scene.increase(position, MORE).await, increase);
    let pay = DecreaseArgs {
        liquidity: 1_000_000,
        pay_quote: 1,
        ..NOTHING
    };
    check("pay out", scene.decrease(position, pay).await, increase);
    let args = scene.ticks_around(200, 512);
    let moved = scene.recenter(position, &scene.alice, args).await;
    check("recenter", moved, recenter);
    scene.price(196).await;
    scene.wait(10, 196).await;
    // What only reduces risk always works.
    accepted(scene.rehedge(position, &scene.keeper).await);
    scene.price(200).await;
    let position = scene.world.reload(position).await.unwrap();
    let less = DecreaseArgs {
        liquidity: 1_000_000,
        repay_base: u64::MAX,
        repay_quote: u64::MAX,
        ..NOTHING
    };
    accepted(scene.decrease(&position, less).await);
    let market = &scene.world.market;
    let repay = instruction::repay(market, &position, &scene.alice.wallet, 1_000, 1_000);
    accepted(scene.send(&scene.alice, repay).await);
    accepted(scene.compound(&position, &scene.alice).await);
    let set = instruction::set_automation(
        &market.address,
        &scene.alice.key(),
        &position.address,
        automation(),
    );
    accepted(scene.send(&scene.alice, set).await);
    accepted(
        scene
            .world
            .lend(&scene.liquidator.keypair, Side::Base, 1_000_000)
            .await,
    );
    let withdraw = instruction::withdraw(market, &scene.liquidator.key(), Side::Base, 1_000, 0);
    accepted(scene.send(&scene.liquidator, withdraw).await);
    accepted(scene.close(&position).await);
}

#[tokio::test]
async fn each_stage_forbids_what_adds_risk_and_permits_what_reduces_it() {
    for (stage, forbidden) in [
        (0, [false; 3]),
        (1, [true; 3]),
        (2, [true; 3]),
        (3, [true; 3]),
        (255, [true; 3]),
    ] {
        let scene = Scene::new().await;
        let position = scene.open(1).await;
        scene.earn().await;
        tries(&scene, &position, stage, forbidden).await;
    }
}
