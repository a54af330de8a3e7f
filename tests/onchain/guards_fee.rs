//! What a pool's fee asks of a market's caps.

use ballast_abi::whirlpool::layout;
use ballast_client::{BallastError, Market, Pubkey, instruction};
use ballast_localnet::Localnet;

use crate::support::{Scene, accepted, refused};

/// Where the pool rests by itself it is near enough for a swap, and where it is, its fee (here 4 bps) is within the swap's cap.
#[tokio::test]
async fn caps_leave_room_for_the_pools_fee() {
    let scene = Scene::new().await;
    let bob = scene.world.trader("bob", Default::default()).await.unwrap();
    let pool = scene.pool_addresses();
    let with = |deviation, loss| {
        let mut args = scene.market_args(Pubkey::default());
        args.params.limits.max_pool_deviation_bps = deviation;
        args.params.limits.max_swap_loss_bps = loss;
        args
    };
    let init = |deviation, loss| instruction::init_market(&bob.key(), &pool, with(deviation, loss));
    for (deviation, loss) in [(95, 100), (100, 100), (1, 5), (17, 100)] {
        refused(
            scene.send(&bob, init(deviation, loss)).await,
            BallastError::BadParameters,
        );
    }
    accepted(scene.send(&bob, init(94, 100)).await);

    let (at, by) = (
        ballast_client::pda::market(&bob.key(), &pool.whirlpool),
        bob.key(),
    );
    let update = async |deviation, loss| {
        let params = with(deviation, loss).params;
        let update = instruction::update_market(&at, &pool.whirlpool, &by, params);
        scene.send(&bob, update).await
    };
    for (deviation, loss) in [(94, 101), (80, 90), (50, 56), (18, 24), (94, 100)] {
        accepted(update(deviation, loss).await);
    }
    for (deviation, loss) in [(95, 100), (94, 99), (100, 100), (17, 100)] {
        refused(update(deviation, loss).await, BallastError::BadParameters);
    }
    let other = instruction::update_market(&at, &pool.base_mint, &by, with(94, 100).params);
    refused(scene.send(&bob, other).await, BallastError::WrongPool);

    // Caps from before the rule may stay, and become no worse.
    scene
        .change_limits(|params| {
            params.limits.max_pool_deviation_bps = 100;
            params.limits.max_swap_loss_bps = 100;
        })
        .await;
    let market = &scene.world.market;
    let update = async |deviation, loss| {
        let params = with(deviation, loss).params;
        let (pool, by) = (&market.market.whirlpool, &market.market.authority);
        let update = instruction::update_market(&market.address, pool, by, params);
        scene.send_as_authority(update).await
    };
    for (deviation, loss) in [(100, 100), (98, 99), (94, 100)] {
        accepted(update(deviation, loss).await);
    }
    refused(update(100, 99).await, BallastError::BadParameters);
}

/// Two days are long enough for a pool's fee to rise.
#[tokio::test]
async fn what_was_announced_has_to_leave_room_for_the_fee_of_today() {
    let scene = Scene::new().await;
    scene
        .change_limits(|params| {
            params.limits.max_pool_deviation_bps = 94;
            params.limits.max_swap_loss_bps = 140;
        })
        .await;
    let in_force = || scene.market();
    let before = in_force().await.params();
    let mut announced = before;
    announced.limits.max_swap_loss_bps = 100;
    let market = &scene.world.market;
    let (at, pool, by) = (
        &market.address,
        &market.market.whirlpool,
        &market.market.authority,
    );
    let update = instruction::update_market(at, pool, by, announced);
    accepted(scene.send_as_authority(update).await);
    let notice_secs = Market::NOTICE_SECS.unsigned_abs();
    scene.svm.pass_time(notice_secs).await.unwrap();
    let apply = async |pool: &Pubkey| {
        let apply = instruction::apply_market_change(at, pool);
        scene.send(&scene.keeper, apply).await
    };
    let fee = async |rate_ppm: u16| {
        let at = layout::pool::FEE_RATE;
        let write = |data: &mut Vec<u8>| data[at..at + 2].copy_from_slice(&rate_ppm.to_le_bytes());
        scene.patch(pool, write).await;
    };
    fee(3_000).await;
    refused(apply(pool).await, BallastError::BadParameters);
    assert_eq!(in_force().await.params(), before);

    fee(400).await;
    let other = scene.pool_addresses().base_mint;
    refused(apply(&other).await, BallastError::WrongPool);
    accepted(apply(pool).await);
    assert_eq!(in_force().await.params(), announced);
}
