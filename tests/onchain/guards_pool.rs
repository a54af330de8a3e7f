//! A pool program that takes what is not its own. A market is bound to one program, so that it takes an upgrade of that
//! program, or an authority that chose badly; Ballast compares balances after every call all the same.

use ballast_abi::{spl, whirlpool::layout};
use ballast_client::{Amounts, BallastError, DecreaseArgs, Side};

use crate::{
    support::{NOTHING, Scene, accepted, code, refused, refused_elsewhere},
    two::MORE,
};

/// Lets the stand-in take `units` too much with every transfer from now on, see its `PoolAccount::toll`.
async fn set_toll(scene: &Scene, units: u8) {
    let pool = scene.world.market.market.whirlpool;
    let byte = layout::pool::REWARDS + 2 * layout::pool::REWARD_LENGTH + 64;
    scene.patch(&pool, |data| data[byte] = units).await;
}

#[tokio::test]
async fn a_pool_that_takes_more_or_pays_less_is_refused() {
    let scene = Scene::new().await;
    if scene.world.net.programs().real_whirlpool {
        println!("skipped: the real pool program is honest");
        return;
    }
    let position = scene.open(1).await;
    let some = DecreaseArgs {
        liquidity: 1_000_000,
        ..NOTHING
    };
    accepted(scene.decrease(&position, some).await);
    // Without something to take beyond the books the token program would refuse first.
    let stored = &position.position;
    scene.donate(Side::Base, stored.base_account, 1_000).await;
    scene.donate(Side::Quote, stored.quote_account, 1_000).await;
    for toll in [1, 100] {
        set_toll(&scene, toll).await;
        let unexpected = BallastError::UnexpectedBalance;
        // All that a new position has is meant for the pool: there is no more to take.
        let sent = scene.try_open(scene.example(2)).await;
        refused_elsewhere(sent, spl::TOKEN_PROGRAM, code::INSUFFICIENT_FUNDS);
        refused(scene.decrease(&position, some).await, unexpected);
        refused(scene.increase(&position, MORE).await, unexpected);
        refused(scene.close(&position).await, unexpected);
        // Sells base at the one price, buys it at the other.
        for dollars in [195, 205] {
            scene.price(dollars).await;
            refused(scene.rehedge(&position, &scene.keeper).await, unexpected);
        }
        scene.price(120).await;
        refused(scene.deleverage(&position, &scene.keeper).await, unexpected);
        scene.price(100).await;
        refused(scene.liquidate(&position).await, unexpected);
        scene.price(200).await;
        set_toll(&scene, 0).await;
        accepted(scene.decrease(&position, some).await);
    }
    accepted(scene.close(&position).await);
}

#[tokio::test]
async fn a_pool_that_takes_from_the_position_instead_of_paying_its_fees_is_refused() {
    let scene = Scene::new().await;
    if scene.world.net.programs().real_whirlpool {
        println!("skipped: the real pool program is honest");
        return;
    }
    let position = scene.open(1).await;
    let emptied = DecreaseArgs {
        liquidity: scene.model(&position).await.0.liquidity,
        ..NOTHING
    };
    accepted(scene.decrease(&position, emptied).await);
    assert_ne!(scene.model(&position).await.0.idle, Amounts::ZERO);
    set_toll(&scene, 1).await;
    refused(
        scene.close(&position).await,
        BallastError::UnexpectedBalance,
    );
    set_toll(&scene, 0).await;
    accepted(scene.close(&position).await);
}

#[tokio::test]
async fn a_token_account_that_is_none_is_refused() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene
        .patch(&position.position.base_account, |data| data.truncate(70))
        .await;
    let some = DecreaseArgs {
        liquidity: 1_000_000,
        ..NOTHING
    };
    refused(
        scene.decrease(&position, some).await,
        BallastError::WrongTokenAccount,
    );
}
