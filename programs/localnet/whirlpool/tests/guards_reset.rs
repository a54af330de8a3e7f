//! Who may move a position to another band, and when: every guard fires, with the error number of the real program.

mod support;

use ballast_abi::{
    spl,
    whirlpool::{PositionView, instruction::*, layout::position as at},
};
use solana_signer::Signer;
use support::*;

#[test]
fn a_position_that_is_not_empty_stays() {
    let mut scene = Scene::new();
    assert_code(scene.reset(BAND), 6005);
    let mut scene = emptied();
    for offset in [
        at::FEE_OWED_A,
        at::FEE_OWED_B,
        at::REWARDS + 16,
        at::REWARDS + at::REWARD_LENGTH + 16,
        at::REWARDS + 2 * at::REWARD_LENGTH + 16,
    ] {
        scene.write_position(offset, &1u64.to_le_bytes());
        assert_code(scene.reset(BAND), 6005);
        // That comes first.
        assert_code(scene.reset([0, 1]), 6005);
        scene.write_position(offset, &[0; 8]);
    }
    scene.reset(BAND).unwrap();
}

#[test]
fn a_band_must_be_another_and_a_good_one() {
    let mut scene = emptied();
    assert_code(scene.reset([-40, 360]), 6060);
    for band in [
        [0, 0],
        [4, 0],
        [360, -40],
        [1, 4],
        [0, 5],
        [-443_640, 0],
        [0, 443_640],
        [i32::MIN, i32::MAX],
    ] {
        assert_code(scene.reset(band), 6010);
    }
    let before = scene.world.data(&scene.position.address);
    assert_eq!(PositionView::parse(&before).unwrap().lower().get(), -40);
    // One end is enough, the whole range is a band, and no tick array need exist.
    for band in [
        [-40, 364],
        [-44, 364],
        [-443_636, 443_636],
        [40_000, 40_004],
    ] {
        scene.reset(band).unwrap();
        assert_code(scene.reset(band), 6060);
    }
    assert!(scene.world.account(&scene.pool.array_of(40_000)).is_none());
}

#[test]
fn a_position_over_the_full_range_of_a_wide_spacing_stays() {
    let mut scene = Scene::new();
    let spec = PoolSpec {
        tick_spacing: 32_896,
        ..PoolSpec::default()
    };
    let Scene { world, alice, .. } = &mut scene;
    let pool = Pool::create(world, 1, spec);
    let full = 443_636 / 32_896 * 32_896;
    let (position, outcome) = pool.open(
        world,
        alice.key.pubkey(),
        &key("wide", 0),
        -full,
        full,
        false,
    );
    outcome.unwrap();
    assert_code(pool.reset(world, alice, &position, [-full, full]), 6060);
    assert_code(pool.reset(world, alice, &position, [0, full]), 6054);
    assert_code(pool.reset(world, alice, &position, [0, full + 1]), 6010);
}

#[test]
fn only_the_holder_or_a_delegate_of_one_moves_a_position() {
    let mut scene = emptied();
    let bob = scene.bob.key.pubkey();
    assert_code(
        scene.reset_with(
            |scene| &scene.bob,
            |accounts| accounts.position_authority = bob,
        ),
        6019,
    );
    let mut approve = |amount| {
        let instruction = spl::approve(
            spl::TOKEN_2022_PROGRAM,
            scene.position.token_account,
            bob,
            scene.alice.key.pubkey(),
            amount,
        );
        let alice = scene.alice.key.insecure_clone();
        scene.send(instruction, &alice).unwrap();
        scene.reset_with(
            |scene| &scene.bob,
            |accounts| accounts.position_authority = bob,
        )
    };
    assert_code(approve(0), 6020);
    assert_code(approve(2), 6020);
    approve(1).unwrap();
    // The holder may still act.
    scene.reset([-40, 360]).unwrap();
}

#[test]
fn authority_and_funder_must_sign() {
    let mut scene = emptied();
    let (alice, bob) = (
        scene.alice.key.insecure_clone(),
        scene.bob.key.insecure_clone(),
    );
    let args = ResetPositionRange {
        tick_lower: BAND[0],
        tick_upper: BAND[1],
    };
    let accounts = scene
        .pool
        .reset_accounts(bob.pubkey(), &scene.alice, &scene.position);
    for (unsigned, signer) in [(0, &alice), (1, &bob)] {
        let mut instruction = args.instruction(scene.pool.program, &accounts);
        instruction.accounts[unsigned].is_signer = false;
        assert_code(scene.send(instruction, signer), NOT_SIGNER);
    }
    // One may be both.
    let mut accounts = accounts;
    accounts.funder = alice.pubkey();
    scene
        .send(args.instruction(scene.pool.program, &accounts), &alice)
        .unwrap();
}

#[test]
fn every_account_of_a_reset_is_checked() {
    let mut scene = emptied();
    let other = pool_with_arrays(&mut scene.world, 1);
    let Scene {
        world, pool, alice, ..
    } = &mut scene;
    let second = open(world, pool, alice, 1);
    let foreign = open(world, &other, alice, 2);
    let (forged_pool, forged_position, forged_nft) = (
        key("forged", 0).pubkey(),
        key("forged", 1).pubkey(),
        key("forged", 2).pubkey(),
    );
    for (forged, real) in [
        (forged_pool, scene.pool.address),
        (forged_position, scene.position.address),
        (forged_nft, scene.position.token_account),
    ] {
        let mut account = scene.world.account(&real).unwrap();
        account.owner = spl::ASSOCIATED_TOKEN_PROGRAM;
        scene.world.svm.set_account(forged, account).unwrap();
    }
    // The program's, of the right length, and no position.
    let other_kind = key("forged", 3).pubkey();
    let mut account = scene.world.account(&scene.position.address).unwrap();
    account.data[0] ^= 1;
    scene.world.svm.set_account(other_kind, account).unwrap();
    type Tamper<'a> = &'a dyn Fn(&mut ResetPositionRangeAccounts);
    let cases: [(u32, Tamper); 9] = [
        (HAS_ONE, &|accounts| accounts.pool = other.address),
        (HAS_ONE, &|accounts| accounts.position = foreign.address),
        (RAW, &|accounts| accounts.position = second.address),
        (RAW, &|accounts| {
            accounts.position_token_account = second.token_account;
        }),
        (WRONG_OWNER, &|accounts| accounts.pool = forged_pool),
        (WRONG_OWNER, &|accounts| accounts.position = forged_position),
        (WRONG_OWNER, &|accounts| {
            accounts.position_token_account = forged_nft;
        }),
        (WRONG_DISCRIMINATOR, &|accounts| {
            accounts.position = other_kind;
        }),
        (WRONG_PROGRAM, &|accounts| {
            accounts.system_program = spl::TOKEN_PROGRAM;
        }),
    ];
    for (number, (code, tamper)) in cases.into_iter().enumerate() {
        println!("case {number}");
        assert_code(scene.reset_with(|scene| &scene.alice, tamper), code);
    }
    scene.reset(BAND).unwrap();
}
