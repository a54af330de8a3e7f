//! What an owner may not do by adding to a position: more than may be opened, at a worse price, or to somebody else's.

use ballast_client::{Amounts, BallastError, IncreaseArgs, instruction};

use crate::{
    support::{NOTHING, Scene, accepted, refused, shallow},
    two::MORE,
};

#[tokio::test]
async fn leverage_lies_between_one_and_the_markets() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let ask = |leverage_bps| IncreaseArgs {
        leverage_bps,
        ..MORE
    };
    for leverage_bps in [40_001, 1_000_000] {
        refused(
            scene.increase(&position, ask(leverage_bps)).await,
            BallastError::LeverageTooHigh,
        );
    }
    for leverage_bps in [0, 9_999] {
        refused(
            scene.increase(&position, ask(leverage_bps)).await,
            BallastError::BadParameters,
        );
    }
    accepted(scene.increase(&position, ask(10_000)).await);
}

#[tokio::test]
async fn only_the_owner_adds_and_repays() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let some = Amounts::new(1_000_000_000, 1_000_000_000);
    let bob = scene.world.trader("bob", some).await.unwrap();
    let mut as_bobs = position.clone();
    as_bobs.position.owner = bob.key();
    let market = &scene.world.market;
    let repay = instruction::repay(market, &as_bobs, &bob.wallet, 1_000, 1_000);
    refused(scene.send(&bob, repay).await, BallastError::NotOwner);
    let tick = scene.world.pool().await.unwrap().tick_current;
    let path = market.swap_path(tick, ballast_client::Trade::SellBase);
    let add = instruction::increase(market, &as_bobs, &bob.wallet, MORE, &path);
    refused(scene.send(&bob, add).await, BallastError::NotOwner);
    let collect = instruction::collect(market, &as_bobs, &bob.wallet);
    refused(scene.send(&bob, collect).await, BallastError::NotOwner);
}

#[tokio::test]
async fn an_increase_adds_something_within_what_the_owner_bargains_for() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let less = IncreaseArgs {
        own_quote: 0,
        leverage_bps: 20_000,
        ..MORE
    };
    refused(
        scene.increase(&position, less).await,
        BallastError::ZeroAmount,
    );
    let bargains = [
        IncreaseArgs {
            min_liquidity: u128::MAX,
            ..MORE
        },
        IncreaseArgs {
            max_base_debt: 1,
            ..MORE
        },
        IncreaseArgs {
            max_quote_debt: 1,
            ..MORE
        },
    ];
    for args in bargains {
        refused(
            scene.increase(&position, args).await,
            BallastError::SlippageExceeded,
        );
    }
    accepted(scene.increase(&position, MORE).await);
}

#[tokio::test]
async fn an_increase_ends_at_the_largest_position_and_at_the_swaps_limit() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let (model, oracle) = scene.model(&position).await;
    let assets = model.value(oracle).unwrap().assets as u64;
    scene
        .change_limits(|params| params.limits.max_position_value = assets + 1_000)
        .await;
    refused(
        scene.increase(&position, MORE).await,
        BallastError::PositionSize,
    );
    scene
        .change_limits(|params| params.limits.max_swap_loss_bps = 1)
        .await;
    // Base brought is sold for the half of the band that is quote: for more than a basis point, with the pool's fee.
    let base = IncreaseArgs {
        own_base: 100_000_000,
        own_quote: 0,
        ..MORE
    };
    refused(
        scene.increase(&position, base).await,
        BallastError::SwapLossTooHigh,
    );
    scene.change_limits(|_| ()).await;
    accepted(scene.increase(&position, base).await);
    accepted(scene.increase(&position, MORE).await);
}

#[tokio::test]
async fn a_pool_pushed_away_gets_nothing_more() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    for away in [197.9, 202.1] {
        scene.pool(away).await;
        refused(
            scene.increase(&position, MORE).await,
            BallastError::PoolDiverged,
        );
    }
    scene.pool(200.0).await;
    accepted(scene.increase(&position, MORE).await);
}

#[tokio::test]
async fn nothing_is_repaid_where_nothing_is_owed() {
    use ballast_client::DecreaseArgs;
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let market = &scene.world.market;
    let repay =
        |base, quote| instruction::repay(market, &position, &scene.alice.wallet, base, quote);
    refused(
        scene.send(&scene.alice, repay(0, 0)).await,
        BallastError::ZeroAmount,
    );
    let (before, _) = scene.model(&position).await;
    accepted(scene.send(&scene.alice, repay(1_000, 2_000)).await);
    let (after, _) = scene.model(&position).await;
    assert!((999..=1_001).contains(&(before.debt.base - after.debt.base)));
    assert!((1_999..=2_001).contains(&(before.debt.quote - after.debt.quote)));
    let liquidity = after.liquidity;
    let out = DecreaseArgs {
        liquidity,
        repay_base: u64::MAX,
        repay_quote: u64::MAX,
        ..NOTHING
    };
    accepted(scene.decrease(&position, out).await);
    let (model, _) = scene.model(&position).await;
    // What is left of the debts is repaid, once.
    if model.debt != Amounts::ZERO {
        accepted(scene.send(&scene.alice, repay(u64::MAX, u64::MAX)).await);
    }
    refused(
        scene.send(&scene.alice, repay(u64::MAX, u64::MAX)).await,
        BallastError::ZeroAmount,
    );
}

/// The hedge is sized before the swap, whose trade moves the price at which liquidity is provided.
#[tokio::test]
async fn what_a_swap_moves_the_pool_by_stays_within_the_hedges_target() {
    let scene = Scene::with(shallow()).await;
    let strict = |target, band| {
        let mut policy = scene.world.policy();
        (policy.delta_target_bps, policy.delta_band_bps) = (target, band);
        policy
    };
    let mut args = scene.example(1);
    (args.own_base, args.own_quote) = (500_000_000, 0);
    args.policy = strict(1, 2);
    refused(scene.try_open(args).await, BallastError::DeltaOutsideTarget);
    args.policy = scene.world.policy();
    let position = scene.world.open(&scene.alice, args).await.unwrap();
    scene.pool(200.0).await;
    let base = IncreaseArgs {
        own_base: 100_000_000,
        own_quote: 0,
        ..MORE
    };
    accepted(scene.set_policy(&position, strict(1, 2)).await);
    refused(
        scene.increase(&position, base).await,
        BallastError::DeltaOutsideTarget,
    );
    accepted(scene.set_policy(&position, scene.world.policy()).await);
    accepted(scene.increase(&position, base).await);
}
