//! What the risk stages do to deleveraging, and what works when the oracle does not.

use ballast_client::{BallastError, DecreaseArgs, MarketMode, PositionContext, instruction};
use ballast_localnet::{Localnet, PricePost, Trader};
use ballast_model::Side;

use crate::support::{NOTHING, Scene, accepted, refused};

/// A price at which the market asks for a deleverage of the worked example.
const LOW: i64 = 108;

async fn ltv_bps(scene: &Scene, position: &PositionContext) -> u32 {
    let (model, oracle) = scene.model(position).await;
    model.value(oracle).unwrap().ltv_bps_up()
}

/// A position whose owner lets no keeper act.
async fn unattended(scene: &Scene) -> PositionContext {
    let position = scene.open(1).await;
    let off = |policy: &mut ballast_client::Policy| policy.keeper_enabled = 0;
    scene.change_policy(&position, off).await;
    position
}

#[tokio::test]
async fn anyone_shrinks_sooner_the_higher_the_stage() {
    // LTV at 145 is between the second stage's trigger of 72 % and the market's of 77 %.
    for (stage, dollars, due) in [
        (0, 145, false),
        (1, 145, false),
        (2, 145, true),
        (2, 200, false),
        (3, 200, true),
    ] {
        let scene = Scene::new().await;
        let position = unattended(&scene).await;
        scene.price(dollars).await;
        scene.force_stage(stage).await;
        let before = ltv_bps(&scene, &position).await;
        let trigger = [7_700, 7_700, 7_200, 6_001][usize::from(stage)];
        assert_eq!(before >= trigger, due, "LTV {before} at stage {stage}");
        let sent = scene.deleverage(&position, &scene.keeper).await;
        if !due {
            refused(sent, BallastError::DeleverageNotDue);
            continue;
        }
        accepted(sent);
        let target = [6_500, 6_500, 6_500, 6_000][usize::from(stage)];
        let after = ltv_bps(&scene, &position).await;
        assert!(after <= target && after + 10 >= target, "{after}");
        refused(
            scene.deleverage(&position, &scene.keeper).await,
            BallastError::DeleverageNotDue,
        );
    }
}

#[tokio::test]
async fn an_old_price_deleverages_from_the_first_stage_on_only() {
    for (stage, secs, expected) in [
        (0, 121, Some(BallastError::PriceStale)),
        (1, 121, None),
        (2, 121, None),
        (3, 3_600, None),
        (1, 3_601, Some(BallastError::PriceStale)),
        (2, 3_601, Some(BallastError::PriceStale)),
        (3, 3_601, Some(BallastError::PriceStale)),
    ] {
        let scene = Scene::new().await;
        let position = unattended(&scene).await;
        scene.price(LOW).await;
        scene.svm.pass_time(secs).await.unwrap();
        scene.force_stage(stage).await;
        let sent = scene.deleverage(&position, &scene.keeper).await;
        match expected {
            Some(error) => refused(sent, error),
            None => drop(accepted(sent)),
        }
        // Nobody is liquidated at such a price, whatever the stage.
        scene.svm.pass_time(121).await.unwrap();
        refused(scene.liquidate(&position).await, BallastError::PriceStale);
    }
}

/// Between what is too uncertain for all else and what the second stage begins with, and beyond, a look is enough for anyone to
/// deleverage.
#[tokio::test]
async fn a_price_too_uncertain_for_all_else_deleverages() {
    for (conf_bps, stage) in [(201, 1), (250, 1), (310, 2), (4_900, 2)] {
        let scene = Scene::new().await;
        let position = unattended(&scene).await;
        scene.price(LOW).await;
        let now_secs = scene.svm.now_secs();
        let price = ballast_localnet::UsdPrice::dollars(LOW);
        let mut base = PricePost::good(Side::Base, price, now_secs);
        base.conf = base.price.unsigned_abs() * conf_bps / 10_000;
        let quote = PricePost::good(Side::Quote, ballast_localnet::UsdPrice::ONE, now_secs);
        accepted(scene.world.post(&[base, quote]).await);
        let saved = scene.svm.save();
        for sent in [
            scene.deleverage(&position, &scene.keeper).await,
            scene.deleverage_swap(&position, &scene.keeper).await,
            scene.rehedge(&position, &scene.alice).await,
            scene.liquidate(&position).await,
        ] {
            refused(sent, BallastError::PriceTooWide);
        }
        scene.svm.restore(&saved);
        assert_eq!(scene.stage().await, stage);
        let before = ltv_bps(&scene, &position).await;
        accepted(scene.deleverage(&position, &scene.keeper).await);
        let after = ltv_bps(&scene, &position).await;
        assert!(before >= 7_700 && after <= 6_500, "{before} {after}");
    }
}

#[tokio::test]
async fn a_stalled_price_is_still_none_older_than_one_shown() {
    let scene = Scene::new().await;
    let position = unattended(&scene).await;
    scene.price(135).await;
    let low = [Side::Base, Side::Quote].map(|side| {
        let price = match side {
            Side::Base => ballast_localnet::UsdPrice::dollars(135),
            Side::Quote => ballast_localnet::UsdPrice::ONE,
        };
        PricePost::good(side, price, scene.svm.now_secs())
    });
    scene.wait(30, 200).await;
    let refresh = instruction::refresh_price(&scene.world.market);
    accepted(scene.send(&scene.keeper, refresh).await);
    accepted(scene.world.post(&low).await);
    scene.force_stage(3).await;
    refused(
        scene.deleverage(&position, &scene.keeper).await,
        BallastError::PriceReplayed,
    );
}

#[tokio::test]
async fn an_owner_leaves_with_no_usable_price_at_all() {
    for stage in [0, 3] {
        for whole in [true, false] {
            let scene = Scene::new().await;
            let position = unattended(&scene).await;
            scene.svm.pass_time(1_000_000).await.unwrap();
            scene.force_stage(stage).await;
            // Not even price accounts that can be read.
            for account in [
                scene.world.market.prices.base,
                scene.world.market.prices.quote,
            ] {
                scene.patch(&account, |data| data.fill(0)).await;
            }
            let liquidity = scene
                .world
                .reload(&position)
                .await
                .unwrap()
                .position
                .liquidity
                .get();
            let args = DecreaseArgs {
                liquidity: if whole { liquidity } else { liquidity / 2 },
                repay_base: u64::MAX,
                repay_quote: u64::MAX,
                ..NOTHING
            };
            accepted(scene.decrease(&position, args).await);
            let market = &scene.world.market;
            let wallet = &scene.alice.wallet;
            let repay = instruction::repay(market, &position, wallet, u64::MAX, u64::MAX);
            accepted(scene.send(&scene.alice, repay).await);
            if whole {
                // Debt-free: paying out needs none either.
                let pay = DecreaseArgs {
                    pay_base: u64::MAX,
                    pay_quote: u64::MAX,
                    ..NOTHING
                };
                accepted(scene.decrease(&position, pay).await);
            }
            accepted(scene.close(&position).await);
        }
    }
}

#[tokio::test]
async fn prices_as_uncertain_as_half_of_them_still_deleverage_from_the_first_stage_on() {
    for (conf_bps, stage, expected) in [
        (201, 0, Some(BallastError::PriceTooWide)),
        (201, 1, None),
        (5_000, 1, None),
        (5_000, 2, None),
        (5_001, 3, Some(BallastError::PriceTooWide)),
    ] {
        let scene = Scene::new().await;
        let position = unattended(&scene).await;
        scene.price(LOW).await;
        let posts = [Side::Base, Side::Quote].map(|side| {
            let price = match side {
                Side::Base => ballast_localnet::UsdPrice::dollars(LOW),
                Side::Quote => ballast_localnet::UsdPrice::ONE,
            };
            let mut post = PricePost::good(side, price, scene.svm.now_secs());
            post.conf = post.price.unsigned_abs() * conf_bps / 10_000;
            post
        });
        accepted(scene.world.post(&posts).await);
        scene.force_stage(stage).await;
        let sent = scene.deleverage(&position, &scene.keeper).await;
        match expected {
            Some(error) => refused(sent, error),
            None => drop(accepted(sent)),
        }
    }
}

async fn guarded(scene: &Scene) -> Trader {
    let guardian = scene
        .world
        .trader("guardian", Default::default())
        .await
        .unwrap();
    let market = &scene.world.market;
    let set = instruction::set_guardian(&market.address, &market.market.authority, guardian.key());
    accepted(scene.send_as_authority(set).await);
    guardian
}

const DAY: u32 = 86_400;

impl Scene {
    async fn guard(&self, by: &Trader, mode: MarketMode, secs: u32) -> crate::support::Sent {
        let set = instruction::set_mode(&self.world.market.address, &by.key(), mode, secs);
        self.send(by, set).await
    }

    async fn rule(&self, mode: MarketMode, secs: u32) -> crate::support::Sent {
        let market = &self.world.market;
        let set = instruction::set_mode(&market.address, &market.market.authority, mode, secs);
        self.send_as_authority(set).await
    }

    async fn mode(&self) -> MarketMode {
        self.market().await.mode_at(self.svm.now_secs())
    }
}

use MarketMode::{NoNewRisk, Normal, ReduceOnly};

#[tokio::test]
async fn pauses_expire_and_have_a_longest_time() {
    let scene = Scene::new().await;
    let guardian = guarded(&scene).await;
    for secs in [0, 7 * DAY + 1, u32::MAX] {
        refused(
            scene.rule(ReduceOnly, secs).await,
            BallastError::BadParameters,
        );
    }
    for secs in [0, DAY + 1, u32::MAX] {
        refused(
            scene.guard(&guardian, ReduceOnly, secs).await,
            BallastError::BadParameters,
        );
    }
    accepted(scene.rule(ReduceOnly, 7 * DAY).await);
    scene.svm.pass_time(7 * u64::from(DAY) - 1).await.unwrap();
    assert_eq!(scene.mode().await, ReduceOnly);
    scene.svm.pass_time(1).await.unwrap();
    assert_eq!(scene.mode().await, Normal);
    scene.oracle(200).await;
    accepted(scene.try_open(scene.example(1)).await);
}

#[tokio::test]
async fn a_guardian_pauses_for_a_day_and_rests_for_a_day() {
    let scene = Scene::new().await;
    let guardian = guarded(&scene).await;
    let pass = async |secs: u32| scene.svm.pass_time(u64::from(secs)).await.unwrap();
    accepted(scene.guard(&guardian, NoNewRisk, 60).await);
    pass(30).await;
    // Stricter, but not longer.
    accepted(scene.guard(&guardian, ReduceOnly, DAY).await);
    pass(29).await;
    assert_eq!(scene.mode().await, ReduceOnly);
    pass(1).await;
    assert_eq!(scene.mode().await, Normal);
    refused(
        scene.guard(&guardian, NoNewRisk, 60).await,
        BallastError::GuardianRests,
    );
    pass(DAY - 1).await;
    refused(
        scene.guard(&guardian, NoNewRisk, 60).await,
        BallastError::GuardianRests,
    );
    pass(1).await;
    accepted(scene.guard(&guardian, ReduceOnly, DAY).await);
    // The authority lifts it; it may be set again, but ends when it would have ended.
    accepted(scene.rule(Normal, 0).await);
    assert_eq!(scene.mode().await, Normal);
    pass(DAY / 2).await;
    accepted(scene.guard(&guardian, NoNewRisk, DAY).await);
    pass(DAY / 2).await;
    assert_eq!(scene.mode().await, Normal);
    // Whoever is named guardian next does not start rested.
    let other = scene
        .world
        .trader("other", Default::default())
        .await
        .unwrap();
    let market = &scene.world.market;
    let set = instruction::set_guardian(&market.address, &market.market.authority, other.key());
    accepted(scene.send_as_authority(set).await);
    refused(
        scene.guard(&other, NoNewRisk, 60).await,
        BallastError::GuardianRests,
    );
    refused(
        scene.guard(&guardian, NoNewRisk, 60).await,
        BallastError::NotAuthority,
    );
}

#[tokio::test]
async fn a_guardians_stricter_mode_ends_before_the_authoritys_longer_one() {
    let scene = Scene::new().await;
    let guardian = guarded(&scene).await;
    accepted(scene.rule(NoNewRisk, 7 * DAY).await);
    refused(
        scene.guard(&guardian, NoNewRisk, DAY).await,
        BallastError::NotAuthority,
    );
    accepted(scene.guard(&guardian, ReduceOnly, DAY).await);
    assert_eq!(scene.mode().await, ReduceOnly);
    scene.svm.pass_time(u64::from(DAY)).await.unwrap();
    assert_eq!(scene.mode().await, NoNewRisk);
    scene.svm.pass_time(6 * u64::from(DAY)).await.unwrap();
    assert_eq!(scene.mode().await, Normal);
}

#[tokio::test]
async fn a_mode_never_loosens_a_stage() {
    let scene = Scene::new().await;
    scene.force_stage(2).await;
    accepted(scene.rule(Normal, 0).await);
    assert_eq!(scene.mode().await, ReduceOnly);
    refused(
        scene.try_open(scene.example(1)).await,
        BallastError::ModeForbids,
    );
}
