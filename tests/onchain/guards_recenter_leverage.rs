//! What a position may owe after a recentering, and what it keeps.

use ballast_client::{Automation, BallastError, BallastEvent, Side};

use crate::{
    guards_recenter::{equity, left_its_band},
    lifecycle::automation,
    support::{Scene, accepted, refused, shallow},
};

#[tokio::test]
async fn leverage_ends_at_the_largest_position() {
    let (scene, position, args) = left_its_band().await;
    let (model, oracle) = scene.model(&position).await;
    let assets = model.value(oracle).unwrap().assets;
    // As large as it is it may stay, but not grow.
    scene
        .change_limits(|params| {
            params.limits.max_position_value = u64::try_from(assets).unwrap() * 3 / 4;
        })
        .await;
    let more = Automation {
        leverage_bps: 39_000,
        ..automation()
    };
    scene.automate(&position, more).await;
    accepted(scene.recenter(&position, &scene.keeper, args).await);
    let (model, oracle) = scene.model(&position).await;
    let moved = model.value(oracle).unwrap();
    assert!(
        moved.assets <= assets + assets / 1_000,
        "{moved:?} of {assets}"
    );
    assert!(moved.leverage_bps_up() < 39_000);
    assert!(moved.assets >= assets * 98 / 100, "{moved:?} of {assets}");
}

#[tokio::test]
async fn an_equity_beyond_the_largest_position_is_moved_without_leverage() {
    let scene = Scene::new().await;
    let mut args = scene.example(1);
    (args.leverage_bps, args.policy.hedge_bps) = (10_000, 0);
    let position = scene.world.open(&scene.alice, args).await.unwrap();
    scene
        .change_limits(|params| params.limits.max_position_value = 10_000_000)
        .await;
    // At the pool's price it is worth more than at the oracle's, by which it is held to be as large as it may be.
    scene.pool(201.5).await;
    let to = scene.ticks_around(200, 512);
    accepted(scene.recenter(&position, &scene.alice, to).await);
    let (model, oracle) = scene.model(&position).await;
    let leverage = model.value(oracle).unwrap().leverage_bps_up();
    assert!(leverage <= 10_001, "{leverage}");
}

#[tokio::test]
async fn in_a_shallow_pool_the_largest_position_is_moved_as_well() {
    // The swap moves the price at which leverage is measured.
    for hedge_bps in [0, 10_000] {
        let scene = Scene::with(shallow()).await;
        let mut args = scene.example(1);
        args.policy.hedge_bps = hedge_bps;
        (args.policy.delta_target_bps, args.policy.delta_band_bps) = (500, 1_000);
        args.leverage_bps = if hedge_bps == 0 { 10_000 } else { 30_000 };
        let position = scene.world.open(&scene.alice, args).await.unwrap();
        scene.automate(&position, automation()).await;
        scene.price(216).await;
        let (model, oracle) = scene.model(&position).await;
        let assets = u64::try_from(model.value(oracle).unwrap().assets).unwrap();
        scene
            .change_limits(|params| params.limits.max_position_value = assets)
            .await;
        let to = scene.ticks_around(216, 512);
        accepted(scene.recenter(&position, &scene.alice, to).await);
        let (model, _) = scene.model(&position).await;
        let pool = scene.world.pool().await.unwrap().sqrt_price;
        let moved = model.value(pool).unwrap();
        let most = u128::from(assets);
        // But for what the hedge leaves alone.
        assert!(moved.assets <= most + most / 200, "{moved:?} of {most}");
    }
}

#[tokio::test]
async fn a_hedge_that_the_largest_position_leaves_no_room_for_is_refused() {
    let scene = Scene::new().await;
    let mut args = scene.example(1);
    (args.leverage_bps, args.policy.hedge_bps) = (10_000, 0);
    let position = scene.world.open(&scene.alice, args).await.unwrap();
    scene.automate(&position, automation()).await;
    scene
        .change_policy(&position, |policy| policy.hedge_bps = 10_000)
        .await;
    let to = scene.ticks_around(200, 512);
    let at_most = async |max_position_value| {
        scene
            .change_limits(|params| params.limits.max_position_value = max_position_value)
            .await;
        scene.recenter(&position, &scene.alice, to).await
    };
    // Its equity alone is more than that; what it would borrow for the hedge would come on top.
    refused(at_most(10_000_000).await, BallastError::HedgeNotAffordable);
    accepted(at_most(1_000_000_000_000).await);
}

#[tokio::test]
async fn what_is_too_small_to_be_liquidated_does_not_come_to_owe_more() {
    let (scene, position, args) = left_its_band().await;
    let (model, oracle) = scene.model(&position).await;
    let assets = model.value(oracle).unwrap().assets;
    scene
        .change_limits(|params| {
            params.limits.min_position_value = u64::try_from(assets).unwrap() * 4;
        })
        .await;
    let with_leverage = async |leverage_bps| {
        let automation = Automation {
            leverage_bps,
            ..automation()
        };
        scene.automate(&position, automation).await;
        scene.recenter(&position, &scene.keeper, args).await
    };
    refused(with_leverage(39_000).await, BallastError::PositionSize);
    // With less debt than before it may be as small as it is.
    accepted(with_leverage(25_000).await);
}

#[tokio::test]
async fn a_recentering_ends_hedged_at_the_oracles_price() {
    // Of a shallow pool, what the swap moves it by is more than a strict target leaves room for.
    let scene = Scene::with(shallow()).await;
    let position = scene.open(1).await;
    scene.automate(&position, automation()).await;
    scene.price(216).await;
    let args = scene.ticks_around(216, 512);
    let strict = async |target, band| {
        scene
            .change_policy(&position, |policy| {
                (policy.delta_target_bps, policy.delta_band_bps) = (target, band);
            })
            .await;
    };
    strict(1, 2).await;
    refused(
        scene.recenter(&position, &scene.alice, args).await,
        BallastError::DeltaOutsideTarget,
    );
    strict(500, 1_000).await;
    accepted(scene.recenter(&position, &scene.alice, args).await);
}

#[tokio::test]
async fn a_changed_policy_borrows_nothing_beyond_a_cap_by_recentering() {
    let (scene, position, args) = left_its_band().await;
    // Everything that may be lent is.
    for side in [Side::Base, Side::Quote] {
        let borrow_cap = scene.reserve(side).await.total_debt_up().unwrap();
        let reserve = scene.world.market.reserve(side);
        scene
            .change_reserve(&reserve, |reserve| reserve.borrow_cap = borrow_cap)
            .await;
    }
    let tried = async |hedge_bps, leverage_bps| {
        let automation = Automation {
            leverage_bps,
            ..automation()
        };
        scene.automate(&position, automation).await;
        scene
            .change_policy(&position, |policy| policy.hedge_bps = hedge_bps)
            .await;
        [
            scene.recenter(&position, &scene.keeper, args).await,
            scene.recenter(&position, &scene.alice, args).await,
        ]
    };
    // One debt for the other, or more of both.
    for (hedge_bps, leverage_bps) in [(5_000, 30_000), (10_000, 39_000)] {
        for sent in tried(hedge_bps, leverage_bps).await {
            refused(sent, BallastError::BorrowCapExceeded);
        }
    }
    // No more than before of either.
    let [by_keeper, by_owner] = tried(10_000, 30_000).await;
    accepted(by_keeper);
    accepted(by_owner);
}

#[tokio::test]
async fn fees_are_kept_as_equity() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.automate(&position, automation()).await;
    scene.earn().await;
    scene.price(216).await;
    let before = equity(&scene, &position).await;
    let args = scene.ticks_around(216, 512);
    let receipt = accepted(scene.recenter(&position, &scene.keeper, args).await);
    let (fees, loss) = receipt
        .events
        .iter()
        .find_map(|event| match event {
            BallastEvent::Recentered(event) => Some((
                i128::from(event.fees_base) * 216 / 1_000 + i128::from(event.fees_quote),
                i128::from(event.swap_loss),
            )),
            _ => None,
        })
        .unwrap();
    assert!(fees > 0);
    let after = equity(&scene, &position).await;
    let gained = after - before;
    assert!(
        gained >= fees - loss - 30_000,
        "{gained} of {fees} less {loss}"
    );
    assert!(gained <= fees + 10, "{gained} of {fees}");
}
