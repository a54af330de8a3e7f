//! A position moves with its liquidity: what that leaves, what it costs, and what it refuses, with the error numbers of the
//! real program.

mod support;

use ballast_abi::{
    Address, spl,
    whirlpool::{instruction::*, layout::position as at, layout::tick},
};
use solana_signer::Signer;
use support::*;

/// A scene whose position has earned fees that are not yet booked.
fn traded() -> Scene {
    let mut scene = Scene::new();
    let Scene {
        world, pool, bob, ..
    } = &mut scene;
    pool.swap(world, bob, sell(1_000_000_000)).unwrap();
    scene
}

/// Everything that a move may change: bytes and lamports of accounts, tokens.
fn picture(scene: &Scene) -> (Vec<(u64, Vec<u8>)>, Vec<u64>) {
    let pool = &scene.pool;
    let accounts = [
        pool.address,
        scene.position.address,
        pool.tick_array(-352),
        pool.tick_array(0),
        pool.tick_array(352),
    ]
    .map(|address| {
        let account = scene.world.account(&address).unwrap();
        (account.lamports, account.data)
    });
    let tokens = [
        pool.vault_a,
        pool.vault_b,
        scene.alice.account_a,
        scene.alice.account_b,
    ]
    .map(|account| scene.world.balance(&account));
    (accounts.into(), tokens.into())
}

/// Bands within, across, next to and away from the scene's own, which is [-40, 360]; the price is a little below 1.
const BANDS: [[i32; 2]; 6] = [
    [-100, 20],
    [-40, 364],
    [-200, -100],
    [360, 700],
    [-352, -40],
    [0, 4],
];

#[test]
fn a_move_is_removing_collecting_resetting_and_adding() {
    for band in BANDS {
        for liquidity in [1, LIQUIDITY, 3 * LIQUIDITY] {
            let (mut one, mut other) = (traded(), traded());
            let receipt = one.reposition(reposition(band, liquidity)).unwrap();
            println!(
                "{band:?} {liquidity}: {} compute units",
                receipt.compute_units
            );
            let owed = one
                .position
                .with(&one.world, |view| [view.fee_owed_a(), view.fee_owed_b()]);
            assert!(owed[0] > 0);
            one.pool
                .collect(&mut one.world, &one.alice, &moved(&one.position, band))
                .unwrap();

            let Scene {
                world,
                pool,
                alice,
                position,
                ..
            } = &mut other;
            pool.decrease(world, alice, position, decrease(LIQUIDITY))
                .unwrap();
            pool.collect(world, alice, position).unwrap();
            pool.reset(world, alice, position, band).unwrap();
            pool.increase(world, alice, &moved(position, band), increase(liquidity))
                .unwrap();
            assert!(picture(&one) == picture(&other), "{band:?} {liquidity}");
        }
    }
}

#[test]
fn a_position_without_liquidity_moves_too_and_stays_owed_its_fees_and_rewards() {
    let mut scene = traded();
    let Scene {
        world,
        pool,
        alice,
        position,
        ..
    } = &mut scene;
    pool.decrease(world, alice, position, decrease(LIQUIDITY))
        .unwrap();
    let owed = position.with(world, |view| [view.fee_owed_a(), view.fee_owed_b()]);
    assert!(owed[0] > 0);
    for index in 0..3 {
        let rewards = at::REWARDS + index * at::REWARD_LENGTH;
        scene.write_position(rewards, &[7; 16]);
        scene.write_position(rewards + 16, &5u64.to_le_bytes());
    }
    // The arrays of the old band do not matter.
    let stray = key("stray", 0).pubkey();
    scene
        .reposition_with(
            |scene| &scene.alice,
            reposition(BAND, LIQUIDITY),
            |accounts| {
                accounts.tick_array_lower = stray;
                accounts.tick_array_upper = stray;
            },
        )
        .unwrap();
    let found = scene.position.with(&scene.world, |view| {
        (
            view.liquidity(),
            [view.fee_owed_a(), view.fee_owed_b()],
            view.rewards_owed(),
        )
    });
    assert_eq!(found, (LIQUIDITY, owed, [5; 3]));
    let data = scene.world.data(&scene.position.address);
    for index in 0..3 {
        assert_eq!(
            data[at::REWARDS + index * at::REWARD_LENGTH..][..16],
            [0; 16]
        );
    }
}

/// What comes out of the old band must reach the minimum, all that goes into the new one must not exceed the maximum: the
/// difference, which is what moves, does not count.
#[test]
fn limits_hold_for_both_bands() {
    let mut probe = traded();
    let Scene {
        world,
        pool,
        alice,
        position,
        ..
    } = &mut probe;
    let balances = |world: &World, trader: &Trader| {
        [trader.account_a, trader.account_b].map(|account| world.balance(&account))
    };
    let start = balances(world, alice);
    pool.decrease(world, alice, position, decrease(LIQUIDITY))
        .unwrap();
    let between = balances(world, alice);
    pool.collect(world, alice, position).unwrap();
    let collected = balances(world, alice);
    pool.reset(world, alice, position, BAND).unwrap();
    pool.increase(world, alice, &moved(position, BAND), increase(LIQUIDITY))
        .unwrap();
    let end = balances(world, alice);
    let out = [0, 1].map(|side| between[side] - start[side]);
    let into = [0, 1].map(|side| collected[side] - end[side]);
    assert!(out.iter().chain(&into).all(|&amount| amount > 0));

    let limited = |min: [u64; 2], max: [u64; 2]| RepositionLiquidityV2 {
        method: RepositionMethod::ByLiquidity {
            liquidity: LIQUIDITY,
            min_a: min[0],
            min_b: min[1],
            max_a: max[0],
            max_b: max[1],
        },
        ..reposition(BAND, LIQUIDITY)
    };
    let mut scene = traded();
    for (code, min, max) in [
        (6018, [out[0] + 1, out[1]], into),
        (6018, [out[0], out[1] + 1], into),
        (6017, out, [into[0] - 1, into[1]]),
        (6017, out, [into[0], into[1] - 1]),
    ] {
        assert_code(scene.reposition(limited(min, max)), code);
    }
    // The old band's come before the new band, that before its own.
    for (code, min, max) in [
        (6018, [out[0] + 1, out[1]], into),
        (6060, out, [into[0] - 1, into[1]]),
    ] {
        let same = RepositionLiquidityV2 {
            tick_lower: -40,
            tick_upper: 360,
            ..limited(min, max)
        };
        assert_code(scene.reposition(same), code);
    }
    scene.reposition(limited(out, into)).unwrap();
}

#[test]
fn liquidity_and_band_must_be_good() {
    let mut scene = traded();
    assert_code(scene.reposition(reposition(BAND, 0)), 6012);
    assert_code(scene.reposition(reposition(BAND, 1 << 127)), 6013);
    assert_code(scene.reposition(reposition([-40, 360], LIQUIDITY)), 6060);
    for band in [
        [0, 0],
        [360, -40],
        [1, 4],
        [0, 5],
        [-443_640, 0],
        [0, 443_640],
    ] {
        assert_code(scene.reposition(reposition(band, LIQUIDITY)), 6010);
    }
    // Nobody has as much.
    assert_code(
        scene.reposition(reposition(BAND, 1 << 71)),
        INSUFFICIENT_FUNDS,
    );
}

#[test]
fn only_the_holder_moves_a_position_and_only_with_their_tokens() {
    let mut scene = traded();
    let (bob, bobs_a) = (scene.bob.key.pubkey(), scene.bob.account_a);
    let args = reposition(BAND, LIQUIDITY);
    assert_code(
        scene.reposition_with(
            |scene| &scene.bob,
            args,
            |accounts| accounts.position_authority = bob,
        ),
        6019,
    );
    // Token A is needed.
    let needy = reposition([360, 700], 100 * LIQUIDITY);
    let take = |accounts: &mut RepositionLiquidityV2Accounts| accounts.owner_account_a = bobs_a;
    assert_code(
        scene.reposition_with(|scene| &scene.alice, needy, take),
        OWNER_MISMATCH,
    );
    let keys = [&scene.bob, &scene.alice].map(|trader| trader.key.insecure_clone());
    for (unsigned, signer) in [4, 5].into_iter().zip(keys) {
        let accounts = scene
            .pool
            .reposition_accounts(bob, &scene.alice, &scene.position, &args);
        let mut instruction = args.instruction(scene.pool.program, &accounts);
        instruction.accounts[unsigned].is_signer = false;
        assert_code(scene.send(instruction, &signer), NOT_SIGNER);
    }
    scene.reposition(args).unwrap();
}

#[test]
fn every_account_of_a_move_is_checked() {
    let mut scene = traded();
    let other = pool_with_arrays(&mut scene.world, 1);
    let alices = other.trader(&mut scene.world, "alice", RICH);
    let Scene {
        world, pool, alice, ..
    } = &mut scene;
    let second = open(world, pool, alice, 1);
    let foreign = open(world, &other, alice, 2);
    let (zero, high) = (pool.tick_array(0), pool.tick_array(352));
    let payer = world.payer.pubkey();
    type Tamper<'a> = &'a dyn Fn(&mut RepositionLiquidityV2Accounts);
    let cases: [(u32, Tamper); 20] = [
        (ADDRESS, &|accounts| accounts.position = foreign.address),
        (RAW, &|accounts| accounts.position = second.address),
        (RAW, &|accounts| {
            accounts.position_token_account = second.token_account;
        }),
        (ADDRESS, &|accounts| accounts.mint_a = other.mint_a),
        (ADDRESS, &|accounts| accounts.mint_b = other.mint_b),
        (ADDRESS, &|accounts| accounts.vault_a = other.vault_a),
        (ADDRESS, &|accounts| accounts.vault_b = other.vault_b),
        (MINT_MISMATCH, &|accounts| {
            accounts.owner_account_a = alices.account_a;
        }),
        (MINT_MISMATCH, &|accounts| {
            accounts.owner_account_b = alices.account_b;
        }),
        (ADDRESS, &|accounts| {
            accounts.token_program_a = spl::TOKEN_2022_PROGRAM;
        }),
        (WRONG_PROGRAM, &|accounts| {
            accounts.memo_program = spl::SYSTEM_PROGRAM;
        }),
        (WRONG_PROGRAM, &|accounts| {
            accounts.system_program = spl::MEMO_PROGRAM;
        }),
        (6009, &|accounts| accounts.tick_array_lower = zero),
        (6009, &|accounts| accounts.tick_array_upper = zero),
        (6009, &|accounts| accounts.new_tick_array_lower = zero),
        (6009, &|accounts| accounts.new_tick_array_upper = high),
        (6056, &|accounts| {
            accounts.tick_array_lower = other.tick_array(-352);
        }),
        (6056, &|accounts| {
            accounts.new_tick_array_upper = other.tick_array(0);
        }),
        (ADDRESS, &|accounts| accounts.pool = other.address),
        (WRONG_OWNER, &|accounts| {
            accounts.new_tick_array_lower = payer
        }),
    ];
    for (number, (code, tamper)) in cases.into_iter().enumerate() {
        println!("case {number}");
        let outcome =
            scene.reposition_with(|scene| &scene.alice, reposition(BAND, LIQUIDITY), tamper);
        assert_code(outcome, code);
    }
    // Arrays that do not exist: the real program sees an account of the system program.
    let failure = scene
        .reposition(reposition([-800, 20], LIQUIDITY))
        .unwrap_err();
    assert!(
        matches!(failure.code, Some(WRONG_OWNER | NOT_INITIALIZED)),
        "{}",
        failure.text
    );
    scene.reposition(reposition(BAND, LIQUIDITY)).unwrap();
}

/// The ticks' rent goes from the arrays of the old band through the position to those of the new one.
#[test]
fn moving_with_liquidity_keeps_the_rent() {
    let mut scene = traded();
    let payer = scene.world.payer.pubkey();
    let ticks = scene.world.rent(tick::LENGTH) - scene.world.rent(0);
    let full = scene.world.rent(at::LENGTH) + 2 * ticks;
    for band in BANDS {
        let before = scene.lamports(&payer);
        scene.reposition(reposition(band, LIQUIDITY)).unwrap();
        // Two signatures.
        assert_eq!(before - scene.lamports(&payer), 10_000);
        scene.position = moved(&scene.position, band);
        let dynamic = band.iter().filter(|&&tick| tick < 0).count() as u64;
        assert_eq!(
            scene.lamports(&scene.position.address),
            full - dynamic * ticks
        );
    }
}

/// Positions from before there were dynamic tick arrays hold nothing for ticks: the funder makes that good, once nothing
/// is in them.
#[test]
fn the_funder_of_a_move_pays_what_a_position_lacks() {
    let mut scene = emptied();
    let payer = scene.world.payer.pubkey();
    let own = scene.world.rent(at::LENGTH);
    let ticks = scene.world.rent(tick::LENGTH) - scene.world.rent(0);
    set_lamports(&mut scene, own);
    let before = scene.lamports(&payer);
    scene.reposition(reposition(BAND, LIQUIDITY)).unwrap();
    assert_eq!(before - scene.lamports(&payer), 10_000 + 2 * ticks);
    // One of the two ends is in a dynamic array.
    let position = scene.position.address;
    assert_eq!(scene.lamports(&position), own + ticks);
}

/// Not while its ticks' rent comes back in the same instruction: the system program is called with lamports under way.
#[test]
fn a_position_that_lacks_rent_does_not_move_out_of_dynamic_arrays() {
    let mut scene = traded();
    let own = scene.world.rent(at::LENGTH);
    set_lamports(&mut scene, own);
    let failure = scene.reposition(reposition(BAND, LIQUIDITY)).unwrap_err();
    assert!(
        failure.text.contains("UnbalancedInstruction"),
        "{}",
        failure.text
    );
}

fn set_lamports(scene: &mut Scene, lamports: u64) {
    let address: Address = scene.position.address;
    let mut account = scene.world.account(&address).unwrap();
    account.lamports = lamports;
    scene.world.svm.set_account(address, account).unwrap();
}
