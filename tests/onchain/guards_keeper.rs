//! When keepers and liquidators may act, and how far.

use ballast_client::{BallastError, BallastEvent, Bps, PositionContext, Trade};
use ballast_model::Position;

use crate::support::{Scene, accepted, refused};

/// LTV at the oracle's price, rounded up.
async fn ltv_bps(scene: &Scene, position: &PositionContext) -> u32 {
    let (model, oracle) = scene.model(position).await;
    model.value(oracle).unwrap().ltv_bps_up()
}

#[tokio::test]
async fn a_rehedge_needs_a_hedge_error_outside_the_band() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let due = |model: &Position, oracle| {
        let error = model.hedge_error(oracle, Bps::ONE).unwrap().unsigned_abs();
        error * 10_000 > u128::from(model.full_base_up().unwrap()) * 500
    };
    for dollars in [200, 201, 198] {
        scene.price(dollars).await;
        let (model, oracle) = scene.model(&position).await;
        let sent = scene.rehedge(&position, &scene.keeper).await;
        if due(&model, oracle) {
            accepted(sent);
            return;
        }
        assert_ne!(dollars, 198, "the test never came to the band's edge");
        refused(sent, BallastError::RehedgeNotDue);
    }
}

#[tokio::test]
async fn a_second_rehedge_waits_for_the_interval() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(197).await;
    accepted(scene.rehedge(&position, &scene.keeper).await);
    // The same again in the same moment, by anybody.
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::TooSoon,
    );
    refused(
        scene.rehedge(&position, &scene.alice).await,
        BallastError::TooSoon,
    );

    scene.price(194).await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::TooSoon,
    );
    // The market's own minimum.
    scene.wait(1, 194).await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::TooSoon,
    );
    scene.wait(1, 194).await;
    accepted(scene.rehedge(&position, &scene.keeper).await);

    // The policy's, which is longer.
    scene
        .change_policy(&position, |policy| policy.min_rebalance_interval_secs = 60)
        .await;
    scene.price(197).await;
    scene.wait(59, 197).await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::TooSoon,
    );
    scene.wait(1, 197).await;
    accepted(scene.rehedge(&position, &scene.keeper).await);
    // Long enough ago, but nothing to do any more.
    scene.wait(60, 197).await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::RehedgeNotDue,
    );
    let stored = scene.world.reload(&position).await.unwrap().position;
    assert_eq!(stored.rehedges, 3);
}

#[tokio::test]
async fn an_owner_can_switch_keepers_off() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene
        .change_policy(&position, |policy| policy.keeper_enabled = 0)
        .await;
    scene.price(197).await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::KeeperDisabled,
    );
    accepted(scene.rehedge(&position, &scene.alice).await);
    scene
        .change_policy(&position, |policy| policy.keeper_enabled = 1)
        .await;
    scene.price(194).await;
    scene.wait(2, 194).await;
    accepted(scene.rehedge(&position, &scene.keeper).await);
}

#[tokio::test]
async fn a_rehedge_may_not_lose_more_than_the_cap() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(197).await;
    // The pool's fee alone is 4 bps.
    scene
        .change_policy(&position, |policy| policy.max_swap_loss_bps = 4)
        .await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::SwapLossTooHigh,
    );
    scene
        .change_policy(&position, |policy| policy.max_swap_loss_bps = 5)
        .await;
    accepted(scene.rehedge(&position, &scene.keeper).await);

    // The market's cap binds too, and a pool that stands worse counts as loss.
    scene
        .change_policy(&position, |policy| policy.max_swap_loss_bps = 100)
        .await;
    scene
        .change_limits(|params| params.limits.max_swap_loss_bps = 50)
        .await;
    scene.price(194).await;
    scene.wait(2, 194).await;
    scene.pool(193.0).await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::SwapLossTooHigh,
    );
    scene.pool(193.5).await;
    accepted(scene.rehedge(&position, &scene.keeper).await);
}

#[tokio::test]
async fn a_rehedge_may_not_raise_ltv_over_the_trigger() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(196).await;
    // More is sold than quote is owed: borrowed, some of it would lie idle against new base debt.
    let before = ltv_bps(&scene, &position).await;
    assert!(before < 6_700);
    scene
        .change_policy(&position, |policy| {
            policy.deleverage_trigger_ltv_bps = 6_700;
            policy.deleverage_target_ltv_bps = 6_000;
        })
        .await;
    let (held, _) = scene.model(&position).await;
    accepted(scene.rehedge(&position, &scene.keeper).await);
    let (kept, _) = scene.model(&position).await;
    assert!(kept.liquidity < held.liquidity);
    assert!(ltv_bps(&scene, &position).await <= before + 1);
}

#[tokio::test]
async fn another_hedge_ratio_cannot_bring_a_position_nearer_to_liquidation() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(126).await;
    scene
        .change_policy(&position, |policy| {
            policy.hedge_bps = 0;
            policy.deleverage_trigger_ltv_bps = 7_999;
            policy.deleverage_target_ltv_bps = 7_998;
        })
        .await;
    // It would borrow quote to buy back the base that is owed: LTV stays, but the next 5 % down would be too much.
    refused(
        scene.rehedge(&position, &scene.alice).await,
        BallastError::StressLtvExceeded,
    );
}

#[tokio::test]
async fn a_deleverage_needs_ltv_over_the_trigger_and_stops_at_the_target() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    for dollars in [200, 130, 128] {
        scene.price(dollars).await;
        assert!(ltv_bps(&scene, &position).await < 7_600);
        refused(
            scene.deleverage(&position, &scene.keeper).await,
            BallastError::DeleverageNotDue,
        );
    }
    scene.price(124).await;
    assert!((7_600..7_700).contains(&ltv_bps(&scene, &position).await));
    let receipt = accepted(scene.deleverage(&position, &scene.keeper).await);
    let Some(BallastEvent::Deleveraged(event)) = receipt.events.last() else {
        panic!("no event: {:?}", receipt.events);
    };
    // To the target, and not a basis point past it.
    assert!(
        (6_799..=6_800).contains(&event.ltv_after_bps),
        "{}",
        event.ltv_after_bps
    );
    assert_eq!(ltv_bps(&scene, &position).await, event.ltv_after_bps);
    // Once done it is done.
    refused(
        scene.deleverage(&position, &scene.keeper).await,
        BallastError::DeleverageNotDue,
    );
    refused(
        scene.deleverage(&position, &scene.alice).await,
        BallastError::DeleverageNotDue,
    );
}

#[tokio::test]
async fn without_keepers_only_the_markets_trigger_deleverages() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene
        .change_policy(&position, |policy| policy.keeper_enabled = 0)
        .await;
    scene.price(124).await;
    refused(
        scene.deleverage(&position, &scene.keeper).await,
        BallastError::KeeperDisabled,
    );
    scene.price(120).await;
    assert!((7_700..8_000).contains(&ltv_bps(&scene, &position).await));
    accepted(scene.deleverage(&position, &scene.keeper).await);
    // The market's target, not the owner's.
    assert!((6_499..=6_500).contains(&ltv_bps(&scene, &position).await));
}

#[tokio::test]
async fn where_both_triggers_are_reached_the_lower_target_within_reach_counts() {
    // A policy's target that no deleverage reaches does not keep anybody from the market's.
    for (policys, expected) in [(1, 6_500), (6_000, 6_000), (7_000, 6_500)] {
        let scene = Scene::new().await;
        let position = scene.open(1).await;
        scene
            .change_policy(&position, |policy| {
                policy.deleverage_target_ltv_bps = policys
            })
            .await;
        scene.price(120).await;
        accepted(scene.deleverage(&position, &scene.keeper).await);
        let ltv = ltv_bps(&scene, &position).await;
        assert!((expected - 1..=expected).contains(&ltv), "{policys}: {ltv}");
    }
}

#[tokio::test]
async fn the_owner_deleverages_with_keepers_switched_off() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene
        .change_policy(&position, |policy| policy.keeper_enabled = 0)
        .await;
    scene.price(124).await;
    accepted(scene.deleverage(&position, &scene.alice).await);
    assert!((6_799..=6_800).contains(&ltv_bps(&scene, &position).await));
}

#[tokio::test]
async fn a_deleverage_repays_what_it_can_where_the_target_needs_a_swap() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(255).await;
    let saved = scene.svm.save();
    // Above the band the pool holds quote only: repaying all quote debt leaves an LTV of 74.6 %.
    accepted(scene.deleverage(&position, &scene.keeper).await);
    let (model, _) = scene.model(&position).await;
    assert_eq!((model.debt.quote, model.idle.base), (0, 0));
    assert!(model.idle.quote <= 1, "more was withdrawn than repays");
    let ltv = ltv_bps(&scene, &position).await;
    assert!((7_400..7_500).contains(&ltv), "{ltv}");
    // A target that is in reach is where it ends.
    scene.svm.restore(&saved);
    scene
        .change_policy(&position, |policy| policy.deleverage_target_ltv_bps = 7_500)
        .await;
    accepted(scene.deleverage(&position, &scene.keeper).await);
    assert!((7_499..=7_500).contains(&ltv_bps(&scene, &position).await));
}

#[tokio::test]
async fn a_healthy_position_is_not_liquidated() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    // The liquidation prices are 110.8 and 258.6.
    for dollars in [200, 112, 257] {
        scene.price(dollars).await;
        assert!(ltv_bps(&scene, &position).await < 8_000);
        refused(
            scene.liquidate(&position).await,
            BallastError::NotLiquidatable,
        );
    }
    scene.price(260).await;
    accepted(scene.liquidate(&position).await);
    // Back at the target it is healthy again.
    refused(
        scene.liquidate(&position).await,
        BallastError::NotLiquidatable,
    );
}

#[tokio::test]
async fn a_rehedge_works_in_both_directions() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    for (dollars, trade) in [(204, Trade::BuyBase), (197, Trade::SellBase)] {
        scene.price(dollars).await;
        scene.wait(2, dollars).await;
        let (before, oracle) = scene.model(&position).await;
        let error = before.hedge_error(oracle, Bps::ONE).unwrap();
        assert_eq!(error > 0, trade == Trade::SellBase);
        accepted(scene.rehedge(&position, &scene.keeper).await);
        let (after, oracle) = scene.model(&position).await;
        assert!(after.hedge_error(oracle, Bps::ONE).unwrap().abs() <= 1);
    }
}
