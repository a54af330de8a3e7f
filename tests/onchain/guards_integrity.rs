//! Signatures, kinds of accounts, and what happens when the books and the tokens part.

use ballast_abi::{spl, whirlpool::layout};
use ballast_client::{
    BallastError, DecreaseArgs, Instruction, MarketMode, Pubkey, SendError, Side, Trade,
    instruction,
};

use crate::{
    support::{ANY, NOTHING, Scene, Sent, accepted, code, refused, refused_elsewhere, substitute},
    two::two,
};

/// Number of Anchor's error for an account that should have signed.
const NOT_SIGNED: u32 = 3_010;
/// Number of Anchor's error for an account of another kind.
const OTHER_KIND: u32 = 3_002;

/// The transaction failed with this error number, of whatever program.
#[track_caller]
fn failed_with(sent: Sent, code: u32) {
    let error = sent
        .err()
        .unwrap_or_else(|| panic!("accepted, expected error {code}"));
    let found = error.failure().and_then(|failure| failure.code());
    assert_eq!(found, Some(code), "{error}");
}

/// The same without `signer`'s signature.
fn unsigned(mut instruction: Instruction, signer: Pubkey) -> Instruction {
    let mut found = false;
    for meta in &mut instruction.accounts {
        if meta.pubkey == signer && meta.is_signer {
            (meta.is_signer, found) = (false, true);
        }
    }
    assert!(found, "{signer} does not sign");
    instruction
}

#[tokio::test]
async fn nobody_acts_for_others_without_their_signature() {
    let two = two().await;
    let (scene, market) = (&two.scene, &two.scene.world.market);
    let (alice, lender) = (&scene.alice, &scene.liquidator);
    accepted(
        scene
            .world
            .lend(&lender.keypair, Side::Base, 1_000_000)
            .await,
    );
    let mut all: Vec<(Pubkey, Instruction)> = two
        .actions()
        .await
        .into_iter()
        .map(|(by, action)| (by.key(), action))
        .collect();
    let tick = scene.world.pool().await.unwrap().tick_current;
    let path = market.swap_path(tick, Trade::BuyBase);
    let (key, authority) = (alice.key(), market.market.authority);
    let params = scene.world.config.desired.market_params();
    let reserve = scene.reserve_params(Side::Base);
    let policy = scene.world.policy();
    all.extend([
        (
            key,
            instruction::open(market, &key, &alice.wallet, scene.example(2), &path),
        ),
        (
            key,
            instruction::set_policy(&market.address, &key, &two.position.address, policy),
        ),
        (
            lender.key(),
            instruction::deposit(market, &lender.key(), Side::Base, 1_000, 0),
        ),
        (
            lender.key(),
            instruction::withdraw(market, &lender.key(), Side::Base, 1_000_000, 0),
        ),
        (
            authority,
            instruction::update_market(
                &market.address,
                &market.market.whirlpool,
                &authority,
                params,
            ),
        ),
        (
            authority,
            instruction::update_reserve(market, &authority, Side::Base, reserve),
        ),
        (
            authority,
            instruction::set_mode(&market.address, &authority, MarketMode::ReduceOnly, 60),
        ),
    ]);
    for (signer, action) in all {
        failed_with(
            scene.send(&two.bob, unsigned(action, signer)).await,
            NOT_SIGNED,
        );
    }
    two.all_work().await;
}

#[tokio::test]
async fn accounts_of_another_kind_are_refused() {
    let two = two().await;
    let (scene, own) = (&two.scene, &two.scene.world.market);
    let position = two.position.address;
    for (by, action) in two.actions().await {
        for (from, to, code) in [
            (position, own.reserve(Side::Base), OTHER_KIND),
            (own.address, two.other.address, OTHER_KIND),
            (own.reserve(Side::Quote), two.other.address, OTHER_KIND),
            (
                position,
                two.position.position.whirlpool_position,
                code::OTHER_PROGRAM,
            ),
            (own.address, own.market.whirlpool, code::OTHER_PROGRAM),
            (
                own.reserve(Side::Base),
                own.vault(Side::Base),
                code::OTHER_PROGRAM,
            ),
        ] {
            failed_with(
                scene.send(by, substitute(action.clone(), from, to)).await,
                code,
            );
        }
    }
    two.all_work().await;
}

#[tokio::test]
async fn accounts_of_another_version_are_refused() {
    let two = two().await;
    let scene = &two.scene;
    // Behind the discriminator.
    const VERSION: usize = 8;
    let set = async |address: &Pubkey, version: u8| {
        scene.patch(address, |data| data[VERSION] = version).await;
    };
    let market = &scene.world.market;
    let actions = two.actions().await;
    for address in [
        market.address,
        two.position.address,
        market.reserve(Side::Base),
        market.reserve(Side::Quote),
    ] {
        for version in [0, 1, 3] {
            set(&address, version).await;
            for (by, action) in &actions {
                let sent = scene.send(by, action.clone()).await;
                refused(sent, BallastError::WrongVersion);
            }
        }
        set(&address, 2).await;
    }
    for side in [Side::Base, Side::Quote] {
        set(&market.reserve(side), 1).await;
        let lend = scene.world.lend(&scene.liquidator.keypair, side, 1_000);
        refused(lend.await, BallastError::WrongVersion);
        let accrue = instruction::accrue(market, side);
        refused(
            scene.send(&scene.keeper, accrue).await,
            BallastError::WrongVersion,
        );
        set(&market.reserve(side), 2).await;
    }
    two.all_work().await;
}

#[tokio::test]
async fn foreign_tick_arrays_are_the_pools_to_refuse() {
    let two = two().await;
    let (scene, market) = (&two.scene, &two.scene.world.market);
    let ticks = two.position.ticks();
    let [lower, upper] = market
        .band_array_starts(ticks)
        .map(|start| market.tick_array(start));
    assert_ne!(lower, upper);
    let args = DecreaseArgs {
        liquidity: 1_000_000,
        ..NOTHING
    };
    let alice = &scene.alice;
    let decrease = || instruction::decrease(market, &two.position, &alice.wallet, args);
    for (from, to) in [(lower, upper), (upper, lower), (lower, two.other.address)] {
        let sent = scene.send(alice, substitute(decrease(), from, to)).await;
        let error = sent.expect_err("a foreign tick array was accepted");
        let program = error.failure().and_then(|failure| failure.program);
        assert_eq!(program, Some(market.market.whirlpool_program), "{error}");
    }
    accepted(scene.send(alice, decrease()).await);
}

/// The token program refused the transaction.
#[track_caller]
fn refused_by_tokens(sent: Sent) {
    let error: SendError = sent.expect_err("accepted");
    let program = error.failure().and_then(|failure| failure.program);
    assert_eq!(program, Some(ballast_abi::spl::TOKEN_PROGRAM), "{error}");
}

#[tokio::test]
async fn nobody_pays_with_anothers_tokens() {
    let two = two().await;
    let (scene, market) = (&two.scene, &two.scene.world.market);
    let (alice, thief) = (&scene.alice, &two.bob);
    for side in [Side::Base, Side::Quote] {
        accepted(scene.world.lend(&alice.keypair, side, 1_000_000).await);
        let create = instruction::create_share_wallet(market, &thief.key(), &thief.key(), side);
        accepted(scene.send(thief, create).await);
        let own = market.wallet(&thief.key()).tokens(side);
        let deposit = || instruction::deposit(market, &thief.key(), side, 1_000, 0);
        // The reserve's own tokens are nobody's, too.
        for from in [alice.wallet.tokens(side), market.vault(side)] {
            refused_by_tokens(scene.send(thief, substitute(deposit(), own, from)).await);
        }
        let own = market.share_wallet(&thief.key(), side);
        let alices = market.share_wallet(&alice.key(), side);
        let withdraw = instruction::withdraw(market, &thief.key(), side, 1_000_000, 0);
        refused_by_tokens(scene.send(thief, substitute(withdraw, own, alices)).await);
    }
    let tick = scene.world.pool().await.unwrap().tick_current;
    let path = market.swap_path(tick, Trade::BuyBase);
    let args = scene.example(2);
    let open = instruction::open(market, &thief.key(), &alice.wallet, args, &path);
    refused_by_tokens(scene.send(thief, open).await);
    let open = instruction::open(market, &thief.key(), &thief.wallet, args, &path);
    accepted(scene.send(thief, open).await);

    // Above the band a liquidator has to bring base.
    scene.price(260).await;
    let liquidate = |by: &ballast_localnet::Trader, wallet| {
        instruction::liquidate(market, &two.position, &by.key(), wallet, ANY, 0)
    };
    refused_by_tokens(scene.send(thief, liquidate(thief, &alice.wallet)).await);
    let vaults = ballast_client::Wallet {
        base: market.vault(Side::Base),
        quote: market.vault(Side::Quote),
    };
    refused_by_tokens(scene.send(thief, liquidate(thief, &vaults)).await);
    let by = &scene.liquidator;
    accepted(scene.send(by, liquidate(by, &by.wallet)).await);
}

#[tokio::test]
async fn a_positions_number_is_used_once_at_a_time() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let again = scene.try_open(scene.example(1)).await;
    refused_elsewhere(again, spl::SYSTEM_PROGRAM, code::ALREADY_IN_USE);
    accepted(scene.close(&position).await);
    accepted(scene.try_open(scene.example(1)).await);
}

#[tokio::test]
async fn nothing_goes_on_once_tokens_are_missing() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let args = DecreaseArgs {
        liquidity: scene.model(&position).await.0.liquidity / 10,
        ..NOTHING
    };
    accepted(scene.decrease(&position, args).await);
    const AMOUNT: usize = 64;
    let market = &scene.world.market;
    let take = |data: &mut Vec<u8>, offset: usize, back: bool| {
        let bytes = data[offset..offset + 8].try_into().unwrap();
        let amount = u64::from_le_bytes(bytes);
        let amount = if back { amount + 1 } else { amount - 1 };
        data[offset..offset + 8].copy_from_slice(&amount.to_le_bytes());
    };
    let stored = &position.position;
    for (address, offset) in [
        (market.vault(Side::Base), AMOUNT),
        (market.vault(Side::Quote), AMOUNT),
        (stored.base_account, AMOUNT),
        (stored.quote_account, AMOUNT),
        (stored.whirlpool_position, layout::position::LIQUIDITY),
    ] {
        scene
            .patch(&address, |data| take(data, offset, false))
            .await;
        refused(
            scene.decrease(&position, args).await,
            BallastError::InvariantBroken,
        );
        scene.patch(&address, |data| take(data, offset, true)).await;
    }
    for side in [Side::Base, Side::Quote] {
        let vault = market.vault(side);
        let lend = async || {
            scene
                .world
                .lend(&scene.liquidator.keypair, side, 1_000)
                .await
        };
        let payer = &scene.liquidator;
        let insure = || instruction::fund_insurance(market, &payer.key(), side, 1_000);
        scene.patch(&vault, |data| take(data, AMOUNT, false)).await;
        refused(lend().await, BallastError::InvariantBroken);
        refused(
            scene.send(payer, insure()).await,
            BallastError::InvariantBroken,
        );
        scene.patch(&vault, |data| take(data, AMOUNT, true)).await;
        accepted(lend().await);
        accepted(scene.send(payer, insure()).await);
    }
    accepted(scene.decrease(&position, args).await);
}
