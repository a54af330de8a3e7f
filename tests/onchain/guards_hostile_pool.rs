//! A pool program that uses the signatures it is given: for the position's idle tokens, for the lamports of who pays rent. And the
//! accounts that it is only passed: none of them is what lenders have lent.

use ballast_abi::{spl, whirlpool::layout};
use ballast_client::{
    BallastError, DecreaseArgs, Instruction, Pubkey, Reaction, Side, Trade, instruction, pda,
};
use ballast_localnet::Trader;

use crate::{
    lifecycle::automation,
    rewards::Rewarded,
    settlement::WEEK_SECS,
    support::{ANY, NOTHING, Scene, Sent, accepted, refused, substitute},
    two::MORE,
};

/// What the stand-in does with a position's token accounts, see its `mischief` module.
const AGAINST_TOKENS: core::ops::RangeInclusive<u8> = 1..=6;
const AGAINST_LAMPORTS: core::ops::RangeInclusive<u8> = 7..=8;

async fn set_mischief(scene: &Scene, mischief: u8) {
    let pool = scene.world.market.market.whirlpool;
    let byte = layout::pool::REWARDS + 2 * layout::pool::REWARD_LENGTH + 65;
    scene.patch(&pool, |data| data[byte] = mischief).await;
}

/// The price moves, by trades of somebody who would be robbed too, before the pool's program turns hostile.
async fn hostile_at(scene: &Scene, mischief: u8, dollars: i64) {
    set_mischief(scene, 0).await;
    scene.price(dollars).await;
    set_mischief(scene, mischief).await;
}

fn is_real(scene: &Scene) -> bool {
    let real = scene.world.net.programs().real_whirlpool;
    if real {
        println!("skipped: the real pool program is honest");
    }
    real
}

#[track_caller]
fn tampered(sent: Sent) {
    refused(sent, BallastError::AccountTampered);
}

#[tokio::test]
async fn a_pool_program_that_takes_a_token_account_over_is_refused() {
    let scene = Scene::new().await;
    if is_real(&scene) {
        return;
    }
    let position = scene.open(1).await;
    scene.automate(&position, automation()).await;
    scene.earn().await;
    let some = DecreaseArgs {
        liquidity: 1_000_000,
        ..NOTHING
    };
    let market = &scene.world.market;
    let collect = || instruction::collect(market, &position, &scene.alice.wallet);
    for mischief in AGAINST_TOKENS {
        set_mischief(&scene, mischief).await;
        // Liquidity in, out, and fees.
        tampered(scene.try_open(scene.example(2)).await);
        tampered(scene.increase(&position, MORE).await);
        tampered(scene.decrease(&position, some).await);
        tampered(scene.send(&scene.alice, collect()).await);
        tampered(scene.compound(&position, &scene.keeper).await);
        tampered(scene.close(&position).await);
        let saved = scene.svm.save();
        // A swap, each way.
        for dollars in [195, 205] {
            hostile_at(&scene, mischief, dollars).await;
            tampered(scene.rehedge(&position, &scene.keeper).await);
        }
        hostile_at(&scene, mischief, 216).await;
        let band = scene.ticks_around(216, 512);
        tampered(scene.recenter(&position, &scene.keeper, band).await);
        let replacing = scene.recenter_replacing(&position, &scene.keeper, band);
        tampered(replacing.await);
        scene.exit_at(&position, 215, Reaction::ExitIntoQuote).await;
        tampered(scene.exit(&position, &scene.keeper).await);
        hostile_at(&scene, mischief, 254).await;
        tampered(scene.deleverage_swap(&position, &scene.keeper).await);
        hostile_at(&scene, mischief, 120).await;
        tampered(scene.deleverage(&position, &scene.keeper).await);
        hostile_at(&scene, mischief, 100).await;
        tampered(scene.liquidate(&position).await);
        set_mischief(&scene, 0).await;
        scene.oracle_dies(200, WEEK_SECS).await;
        set_mischief(&scene, mischief).await;
        let settled = scene.settle(&scene.liquidator, &position, ANY);
        tampered(settled.await);
        scene.svm.restore(&saved);
    }
    set_mischief(&scene, 0).await;
    accepted(scene.decrease(&position, some).await);
    accepted(scene.close(&position).await);
}

#[tokio::test]
async fn a_pool_program_takes_neither_more_than_rent_nor_who_pays_it() {
    let scene = Scene::new().await;
    if is_real(&scene) {
        return;
    }
    let position = scene.open(1).await;
    scene.automate(&position, automation()).await;
    scene.price(216).await;
    let band = scene.ticks_around(216, 512);
    for mischief in AGAINST_LAMPORTS {
        set_mischief(&scene, mischief).await;
        tampered(scene.recenter(&position, &scene.keeper, band).await);
        tampered(
            scene
                .recenter_replacing(&position, &scene.keeper, band)
                .await,
        );
    }
    set_mischief(&scene, 0).await;
    accepted(
        scene
            .recenter_replacing(&position, &scene.keeper, band)
            .await,
    );
    scene.price(200).await;
    for mischief in AGAINST_LAMPORTS {
        set_mischief(&scene, mischief).await;
        tampered(scene.try_open(scene.example(2)).await);
    }
    set_mischief(&scene, 0).await;
    accepted(scene.try_open(scene.example(2)).await);
}

/// Each of these accounts is only passed on; what the lenders have lent is not.
async fn none_is_lent(scene: &Scene, by: &Trader, action: &Instruction, passed_on: &[Pubkey]) {
    let market = &scene.world.market;
    let lent = [Side::Base, Side::Quote]
        .into_iter()
        .flat_map(|side| [market.vault(side), market.reserve(side)]);
    for account in lent {
        for slot in passed_on {
            let forged = substitute(action.clone(), *slot, account);
            refused(scene.send(by, forged).await, BallastError::WrongPool);
        }
    }
}

#[tokio::test]
async fn what_lenders_have_lent_is_passed_to_no_pool() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.automate(&position, automation()).await;
    scene.earn().await;
    let market = &scene.world.market;
    let ticks = [position.position.tick_lower, position.position.tick_upper];
    let arrays = market
        .band_array_starts(ticks)
        .map(|start| market.tick_array(start));
    let memo = spl::MEMO_PROGRAM;
    let range = [arrays[0], arrays[1], memo];
    let (alice, keeper) = (&scene.alice, &scene.keeper);

    let some = DecreaseArgs {
        liquidity: 1_000_000,
        ..NOTHING
    };
    let decrease = instruction::decrease(market, &position, &alice.wallet, some);
    none_is_lent(&scene, alice, &decrease, &range).await;
    let collect = instruction::collect(market, &position, &alice.wallet);
    none_is_lent(&scene, alice, &collect, &range).await;
    let compound = instruction::compound(market, &position, &keeper.key());
    none_is_lent(&scene, keeper, &compound, &range).await;
    let close = instruction::close(market, &position, &alice.wallet, u64::MAX, u64::MAX);
    let with_nft = [arrays[0], arrays[1], memo, spl::TOKEN_2022_PROGRAM];
    let saved = scene.svm.save();
    none_is_lent(&scene, alice, &close, &with_nft).await;
    scene.svm.restore(&saved);

    // Opening: programs, the address of the NFT's authority, and what is created.
    let tick = scene.world.pool().await.unwrap().tick_current;
    let path = market.swap_path(tick, Trade::BuyBase);
    let args = scene.example(2);
    let open = instruction::open(market, &alice.key(), &alice.wallet, args, &path);
    let address = ballast_client::PositionAddresses::new(market, &alice.key(), 2);
    let programs = [
        spl::TOKEN_2022_PROGRAM,
        spl::ASSOCIATED_TOKEN_PROGRAM,
        ballast_abi::whirlpool::instruction::METADATA_UPDATE_AUTHORITY,
        memo,
        address.whirlpool_position,
        address.nft_account,
    ];
    none_is_lent(&scene, alice, &open, &programs).await;

    // Swaps.
    scene.price(205).await;
    let tick = scene.world.pool().await.unwrap().tick_current;
    let path = market.swap_path(tick, Trade::BuyBase);
    let rehedge = scene.rehedge_instruction(&position, keeper).await;
    let [first, second, third] = path.tick_arrays;
    let swapping = [first, second, third, path.whirlpool_oracle, memo];
    none_is_lent(&scene, keeper, &rehedge, &swapping).await;

    // Another Whirlpool position.
    scene.price(216).await;
    let band = scene.ticks_around(216, 512);
    let ticks = [band.tick_lower, band.tick_upper];
    scene.world.create_tick_arrays(ticks).await.unwrap();
    let replacing = scene.replacing_instruction(&position, keeper, band).await;
    let mint = pda::next_nft_mint(&position.address, 1);
    let created = [
        pda::whirlpool_position(&market.market.whirlpool_program, &mint),
        pda::nft_account(&position.address, &mint),
    ];
    none_is_lent(&scene, keeper, &replacing, &created).await;
    accepted(scene.send(keeper, replacing).await);
}

#[tokio::test]
async fn a_reward_is_collected_without_what_lenders_have_lent() {
    let rewarded = Rewarded::new(0).await;
    rewarded.book(&rewarded.position, 1_000).await;
    let scene = &rewarded.scene;
    let market = &scene.world.market;
    let collect = rewarded.collect();
    for side in [Side::Base, Side::Quote] {
        let memo = substitute(collect.clone(), spl::MEMO_PROGRAM, market.vault(side));
        refused(
            scene.send(&scene.alice, memo).await,
            BallastError::WrongPool,
        );
        let token = substitute(
            collect.clone(),
            rewarded.reward.token_program,
            market.vault(side),
        );
        refused(
            scene.send(&scene.alice, token).await,
            BallastError::WrongTokenProgram,
        );
    }
    accepted(scene.send(&scene.alice, collect).await);
}
