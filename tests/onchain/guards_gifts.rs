//! What others send and what an owner does to be left alone changes nothing.

use ballast_abi::spl;
use ballast_client::{BallastError, DecreaseArgs, PositionContext, Side, instruction};

use crate::support::{NOTHING, Scene, accepted, code, refused, refused_elsewhere};

const SIDES: [Side; 2] = [Side::Base, Side::Quote];
const MAX: u64 = u64::MAX;

/// Everything of the books that a gift could touch.
async fn books(scene: &Scene, position: &PositionContext) -> Vec<Vec<u8>> {
    let market = &scene.world.market;
    let mut books = Vec::new();
    for address in [
        position.address,
        position.position.whirlpool_position,
        market.address,
        market.reserve(Side::Base),
        market.reserve(Side::Quote),
        market.share_mint(Side::Base),
        market.share_mint(Side::Quote),
        market.market.whirlpool,
    ] {
        books.push(scene.bytes(&address).await);
    }
    books
}

#[tokio::test]
async fn gifts_change_nothing() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    // Something idle, so that gifts could be taken for it.
    let liquidity = scene.model(&position).await.0.liquidity / 10;
    accepted(
        scene
            .decrease(
                &position,
                DecreaseArgs {
                    liquidity,
                    ..NOTHING
                },
            )
            .await,
    );
    let market = &scene.world.market;
    let before = books(&scene, &position).await;
    let valued = scene.model(&position).await;
    let prices = [
        scene.reserve(Side::Base).await,
        scene.reserve(Side::Quote).await,
    ];
    let accounts = [
        (
            position.position.base_account,
            position.position.quote_account,
        ),
        (market.vault(Side::Base), market.vault(Side::Quote)),
        (
            market.market.pool_base_vault,
            market.market.pool_quote_vault,
        ),
    ];
    const GIFT: u64 = 7_000_000_001;
    for (base, quote) in accounts {
        scene.donate(Side::Base, base, GIFT).await;
        scene.donate(Side::Quote, quote, GIFT).await;
    }
    assert_eq!(books(&scene, &position).await, before);
    assert_eq!(scene.model(&position).await, valued);
    assert_eq!(
        [
            scene.reserve(Side::Base).await,
            scene.reserve(Side::Quote).await
        ],
        prices
    );

    // Shares cost what they did.
    let lender = &scene.liquidator;
    for (side, reserve) in SIDES.into_iter().zip(&prices) {
        let expected = reserve.to_shares_down(1_000_000).unwrap();
        accepted(scene.world.lend(&lender.keypair, side, 1_000_000).await);
        let shares = market.share_wallet(&lender.key(), side);
        assert_eq!(scene.world.balance(&shares).await.unwrap(), expected);
        let withdraw = instruction::withdraw(market, &lender.key(), side, expected, 1_000_000);
        accepted(scene.send(lender, withdraw).await);
        // The vault holds what is accounted for, and the gift.
        let accounted = scene.reserve(side).await.liquidity;
        let real = scene.world.balance(&market.vault(side)).await.unwrap();
        assert_eq!(real, accounted + GIFT);
    }
    // A gift is not idle: it neither repays nor is it paid out.
    let all = DecreaseArgs {
        liquidity: 0,
        repay_base: MAX,
        repay_quote: MAX,
        ..NOTHING
    };
    accepted(scene.decrease(&position, all).await);
    let (model, _) = scene.model(&position).await;
    for side in SIDES {
        let idle = valued.0.idle.get(side).min(valued.0.debt.get(side));
        assert_eq!(model.debt.get(side), valued.0.debt.get(side) - idle);
    }
    // The keeper's actions work as ever.
    scene.price(88).await;
    accepted(scene.deleverage(&position, &scene.keeper).await);
    scene.price(200).await;
    accepted(scene.rehedge(&position, &scene.keeper).await);
    scene.price(400).await;
    accepted(scene.liquidate(&position).await);
    for (side, account) in SIDES.into_iter().zip([
        position.position.base_account,
        position.position.quote_account,
    ]) {
        let idle = scene.model(&position).await.0.idle.get(side);
        let real = scene.world.balance(&account).await.unwrap();
        assert_eq!(real, idle + GIFT);
    }
    // A gift cannot keep a position from being closed; it goes to the owner.
    let wallet = scene
        .world
        .wallet_balances(&scene.alice.key())
        .await
        .unwrap();
    accepted(scene.close(&position).await);
    let after = scene
        .world
        .wallet_balances(&scene.alice.key())
        .await
        .unwrap();
    assert!(after.base + after.quote > wallet.base + wallet.quote + GIFT);
    for side in SIDES {
        assert_eq!(scene.reserve(side).await.debt_shares, 0);
    }
}

#[tokio::test]
async fn a_gift_makes_nobody_healthy() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(260).await;
    let stored = &position.position;
    scene
        .donate(Side::Base, stored.base_account, 10_000_000_000)
        .await;
    scene
        .donate(Side::Quote, stored.quote_account, 10_000_000_000)
        .await;
    let check = instruction::check_health(&scene.world.market, &position.address, 8_000);
    refused(
        scene.send(&scene.keeper, check).await,
        BallastError::InitialLtvExceeded,
    );
    accepted(scene.liquidate(&position).await);
}

#[tokio::test]
async fn sol_sent_ahead_keeps_nobody_from_opening() {
    let scene = Scene::new().await;
    let key = scene.alice.key();
    let ahead = ballast_client::PositionAddresses::new(&scene.world.market, &key, 1);
    for address in [
        ahead.position,
        ahead.base_account,
        ahead.quote_account,
        ahead.whirlpool_position,
        ahead.nft_mint,
    ] {
        scene.fund(&address, 900_000).await;
    }
    let position = scene.open(1).await;
    accepted(scene.close(&position).await);
    // And the same number can be used again.
    let position = scene.open(1).await;
    accepted(scene.close(&position).await);
}

#[tokio::test]
async fn an_owner_cannot_block_a_liquidation() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene
        .change_policy(&position, |policy| {
            policy.keeper_enabled = 0;
            policy.deleverage_trigger_ltv_bps = 7_999;
            policy.deleverage_target_ltv_bps = 7_998;
            policy.delta_band_bps = 10_000;
            policy.delta_target_bps = 9_999;
            policy.max_swap_loss_bps = 1;
            policy.min_rebalance_interval_secs = u32::MAX;
        })
        .await;
    // Tokens gone, one wallet closed, the other frozen, all SOL that can be sent away sent away.
    let alice = &scene.alice;
    let wallet = scene.world.wallet_balances(&alice.key()).await.unwrap();
    for side in SIDES {
        let token = scene.world.market.token(side);
        let transfer = spl::transfer_checked(
            token.program,
            alice.wallet.tokens(side),
            token.mint,
            scene.keeper.wallet.tokens(side),
            alice.key(),
            wallet.get(side),
            token.decimals,
        );
        accepted(scene.send(alice, transfer).await);
    }
    let close = spl::close_account(
        spl::TOKEN_PROGRAM,
        alice.wallet.base,
        alice.key(),
        alice.key(),
    );
    accepted(scene.send(alice, close).await);
    const STATE: usize = 108;
    const FROZEN: u8 = 2;
    scene
        .patch(&alice.wallet.quote, |data| data[STATE] = FROZEN)
        .await;

    // The owner cannot touch the position's own accounts.
    for account in [
        position.position.base_account,
        position.position.quote_account,
        position.position.nft_account,
    ] {
        let (program, code) = if account == position.position.nft_account {
            (spl::TOKEN_2022_PROGRAM, code::HAS_BALANCE)
        } else {
            (spl::TOKEN_PROGRAM, code::OWNER_MISMATCH)
        };
        let close = spl::close_account(program, account, alice.key(), alice.key());
        refused_elsewhere(scene.send(alice, close).await, program, code);
    }

    scene.price(260).await;
    // In the strictest mode, too.
    scene.set_mode(ballast_client::MarketMode::ReduceOnly).await;
    accepted(scene.liquidate(&position).await);
    let (model, oracle) = scene.model(&position).await;
    assert!(model.value(oracle).unwrap().ltv_bps_up() <= 6_500);
}
