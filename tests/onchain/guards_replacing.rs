//! `recenter_replacing`: another Whirlpool position in place of the old one, at nobody's cost, once, and no other.

use ballast_abi::whirlpool::layout;
use ballast_client::{BallastError, Instruction, PositionContext, RecenterArgs, pda};

use crate::{
    lifecycle::automation,
    support::{Scene, accepted, refused, substitute},
};

async fn left_its_band() -> (Scene, PositionContext, RecenterArgs) {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.automate(&position, automation()).await;
    scene.price(216).await;
    let args = scene.ticks_around(216, 512);
    let ticks = [args.tick_lower, args.tick_upper];
    scene.world.create_tick_arrays(ticks).await.unwrap();
    (scene, position, args)
}

/// The instruction, with the addresses that `generation` would have.
async fn with_generation(
    scene: &Scene,
    position: &PositionContext,
    args: RecenterArgs,
    generation: u32,
) -> Instruction {
    let good = scene
        .replacing_instruction(position, &scene.keeper, args)
        .await;
    let program = &scene.world.market.market.whirlpool_program;
    let stored = scene.world.reload(position).await.unwrap().position;
    let mint = pda::next_nft_mint(&position.address, stored.nft_generation + 1);
    let other = pda::next_nft_mint(&position.address, generation);
    let mut wrong = substitute(good, mint, other);
    for (from, to) in [
        (
            pda::whirlpool_position(program, &mint),
            pda::whirlpool_position(program, &other),
        ),
        (
            pda::nft_account(&position.address, &mint),
            pda::nft_account(&position.address, &other),
        ),
    ] {
        wrong = substitute(wrong, from, to);
    }
    wrong
}

#[tokio::test]
async fn the_old_position_is_gone_and_the_keeper_neither_richer_nor_poorer() {
    let (scene, position, args) = left_its_band().await;
    let keeper = scene.keeper.key();
    let before = scene.lamports(&keeper).await;
    accepted(
        scene
            .recenter_replacing(&position, &scene.keeper, args)
            .await,
    );
    const FEE_LAMPORTS: u64 = 5_000;
    assert_eq!(scene.lamports(&keeper).await, before - FEE_LAMPORTS);
    let old = &position.position;
    for gone in [old.whirlpool_position, old.nft_account] {
        assert_eq!(scene.lamports(&gone).await, 0, "{gone}");
    }
    let new = scene.world.reload(&position).await.unwrap();
    let stored = &new.position;
    assert_eq!(stored.nft_generation, 1);
    assert_eq!(stored.nft_mint, pda::next_nft_mint(&position.address, 1));
    assert_eq!(
        [stored.tick_lower, stored.tick_upper],
        [args.tick_lower, args.tick_upper]
    );
    // All of its liquidity is in the new one.
    let data = scene.bytes(&stored.whirlpool_position).await;
    let at = layout::position::LIQUIDITY;
    let liquidity = u128::from_le_bytes(data[at..at + 16].try_into().unwrap());
    assert_eq!(liquidity, stored.liquidity.get());
    // What knows the old addresses only is refused, by the owner as well.
    refused(
        scene.close(&position).await,
        BallastError::WrongPositionAccount,
    );
    accepted(scene.close(&new).await);
}

#[tokio::test]
async fn no_other_mint_takes_its_place() {
    let (scene, position, args) = left_its_band().await;
    for generation in [2, 7, u32::MAX] {
        let wrong = with_generation(&scene, &position, args, generation).await;
        refused(
            scene.send(&scene.keeper, wrong).await,
            BallastError::WrongPositionAccount,
        );
    }
    let good = || scene.replacing_instruction(&position, &scene.keeper, args);
    let mint = pda::next_nft_mint(&position.address, 1);
    let program = &scene.world.market.market.whirlpool_program;
    for to in [
        position.position.nft_mint,
        scene.keeper.key(),
        Scene::fresh_address("mint"),
    ] {
        let wrong = substitute(good().await, mint, to);
        refused(
            scene.send(&scene.keeper, wrong).await,
            BallastError::WrongPositionAccount,
        );
    }
    let wrong = substitute(
        good().await,
        position.position.nft_mint,
        Scene::fresh_address("old"),
    );
    refused(
        scene.send(&scene.keeper, wrong).await,
        BallastError::WrongPositionAccount,
    );
    // The accounts that go with the mint are derived by the pool program and the token program.
    for from in [
        pda::whirlpool_position(program, &mint),
        pda::nft_account(&position.address, &mint),
    ] {
        for to in [
            Scene::fresh_address("other"),
            position.position.base_account,
        ] {
            let wrong = substitute(good().await, from, to);
            scene
                .send(&scene.keeper, wrong)
                .await
                .expect_err("accepted");
        }
    }
    let stored = scene.world.reload(&position).await.unwrap().position;
    assert_eq!(stored.nft_generation, 0);
    accepted(
        scene
            .recenter_replacing(&position, &scene.keeper, args)
            .await,
    );
}

#[tokio::test]
async fn a_replay_finds_other_accounts() {
    let (scene, position, args) = left_its_band().await;
    let again = scene
        .replacing_instruction(&position, &scene.keeper, args)
        .await;
    accepted(scene.send(&scene.keeper, again.clone()).await);
    scene.wait(600, 216).await;
    refused(
        scene.send(&scene.keeper, again).await,
        BallastError::WrongPositionAccount,
    );
    // In turns with the other kind, and to the same band: the owner may.
    accepted(
        scene
            .recenter_replacing(&position, &scene.alice, args)
            .await,
    );
    accepted(scene.recenter(&position, &scene.alice, args).await);
    let wider = RecenterArgs {
        tick_lower: args.tick_lower - 512,
        ..args
    };
    accepted(scene.recenter(&position, &scene.alice, wider).await);
    accepted(
        scene
            .recenter_replacing(&position, &scene.alice, args)
            .await,
    );
    let stored = scene.world.reload(&position).await.unwrap();
    assert_eq!(stored.position.nft_generation, 3);
    assert_eq!(stored.position.recenters, 5);
    accepted(scene.close(&stored).await);
}

#[tokio::test]
async fn lamports_sent_to_a_next_position_do_not_block_it() {
    // Anyone can derive the addresses that come next and send a lamport there, so that they cannot be created plainly.
    let (scene, position, args) = left_its_band().await;
    let mint = pda::next_nft_mint(&position.address, 1);
    let program = &scene.world.market.market.whirlpool_program;
    for next in [
        mint,
        pda::whirlpool_position(program, &mint),
        pda::nft_account(&position.address, &mint),
    ] {
        scene.fund(&next, 1_000_000).await;
    }
    accepted(
        scene
            .recenter_replacing(&position, &scene.keeper, args)
            .await,
    );
}
