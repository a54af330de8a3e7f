//! Who may act, and with which accounts: every guard fires, with the error number of the real program.

mod support;

use ballast_abi::{
    spl,
    whirlpool::{instruction::*, pda},
};
use solana_signer::Signer;
use support::*;

#[test]
fn a_stranger_commands_nothing() {
    let mut scene = Scene::new();
    let Scene {
        world,
        pool,
        bob,
        position,
        ..
    } = &mut scene;
    assert_code(pool.increase(world, bob, position, increase(1)), 6019);
    assert_code(pool.decrease(world, bob, position, decrease(1)), 6019);
    assert_code(pool.collect(world, bob, position), 6019);
    assert_code(pool.close(world, &bob.key, position), 6019);
}

#[test]
fn an_authority_must_sign() {
    let mut scene = Scene::new();
    let accounts = scene.pool.modify_accounts(&scene.alice, &scene.position);
    let mut instruction = decrease(1).instruction(scene.pool.program, &accounts);
    instruction.accounts[4].is_signer = false;
    let payer = scene.world.payer.insecure_clone();
    assert_code(scene.send(instruction, &payer), NOT_SIGNER);
}

#[test]
fn a_delegate_of_exactly_one_may_act() {
    let mut scene = Scene::new();
    let Scene {
        world,
        pool,
        alice,
        bob,
        position,
    } = &mut scene;
    let mut approve = |amount| {
        let instruction = spl::approve(
            spl::TOKEN_2022_PROGRAM,
            position.token_account,
            bob.key.pubkey(),
            alice.key.pubkey(),
            amount,
        );
        world.send(&[instruction], &[&alice.key]).unwrap();
        pool.decrease(world, bob, position, decrease(1_000))
    };
    assert_code(approve(0), 6020);
    assert_code(approve(2), 6020);
    approve(1).unwrap();
    // The holder may still act.
    pool.decrease(world, alice, position, decrease(1_000))
        .unwrap();
}

#[test]
fn the_position_goes_with_its_nft() {
    let mut scene = Scene::new();
    let Scene {
        world,
        pool,
        alice,
        bob,
        position,
    } = &mut scene;
    let (mint, program) = (position.mint, spl::TOKEN_2022_PROGRAM);
    let (bobs, _) = spl::associated_token_account(&bob.key.pubkey(), &mint, &program);
    let create = spl::create_associated_token_account_idempotent(
        world.payer.pubkey(),
        bob.key.pubkey(),
        mint,
        program,
    );
    let from = position.token_account;
    let transfer = spl::transfer_checked(program, from, mint, bobs, alice.key.pubkey(), 1, 0);
    world.send(&[create, transfer], &[&alice.key]).unwrap();
    // Alice's account holds 0 now.
    assert_code(pool.decrease(world, alice, position, decrease(1)), RAW);
    assert_code(pool.collect(world, alice, position), RAW);
    assert_code(pool.close(world, &alice.key, position), RAW);
    let bobs_position = Position {
        token_account: bobs,
        ..*position
    };
    assert_code(
        pool.decrease(world, alice, &bobs_position, decrease(1)),
        6019,
    );
    pool.decrease(world, bob, &bobs_position, decrease(LIQUIDITY))
        .unwrap();
    pool.collect(world, bob, &bobs_position).unwrap();
    pool.close(world, &bob.key, &bobs_position).unwrap();
    assert!(world.account(&position.address).is_none());
    assert!(world.account(&mint).is_none());
}

#[test]
fn the_nft_must_be_the_position_s() {
    let mut scene = Scene::new();
    let Scene {
        world,
        pool,
        alice,
        bob,
        ..
    } = &mut scene;
    let alices_other = open(world, pool, alice, 1);
    let bobs = open(world, pool, bob, 2);
    for other in [alices_other.token_account, bobs.token_account] {
        scene.assert_modify(RAW, |accounts| accounts.position_token_account = other);
        scene.assert_collect(RAW, |accounts| accounts.position_token_account = other);
    }
    // An account of no token program at all, with the right bytes.
    let forged = key("forged", 0).pubkey();
    let mut account = scene.world.account(&scene.position.token_account).unwrap();
    account.owner = scene.pool.program;
    scene.world.svm.set_account(forged, account).unwrap();
    scene.assert_modify(WRONG_OWNER, |accounts| {
        accounts.position_token_account = forged
    });
    scene.assert_collect(WRONG_OWNER, |accounts| {
        accounts.position_token_account = forged
    });
}

#[test]
fn accounts_of_another_pool_are_refused() {
    let mut scene = Scene::new();
    let other = pool_with_arrays(&mut scene.world, 1);
    let alices = other.trader(&mut scene.world, "alice", RICH);
    let position = open(&mut scene.world, &other, &alices, 3);
    scene.assert_modify(ADDRESS, |accounts| {
        accounts.position = position.address;
        accounts.position_token_account = position.token_account;
    });
    scene.assert_collect(HAS_ONE, |accounts| {
        accounts.position = position.address;
        accounts.position_token_account = position.token_account;
    });
    scene.assert_modify(ADDRESS, |accounts| accounts.vault_a = other.vault_a);
    scene.assert_modify(ADDRESS, |accounts| accounts.vault_b = other.vault_b);
    scene.assert_modify(ADDRESS, |accounts| accounts.mint_a = other.mint_a);
    scene.assert_modify(ADDRESS, |accounts| accounts.mint_b = other.mint_b);
    scene.assert_modify(MINT_MISMATCH, |accounts| {
        accounts.owner_account_a = alices.account_a
    });
    scene.assert_modify(MINT_MISMATCH, |accounts| {
        accounts.owner_account_b = alices.account_b
    });
    scene.assert_collect(ADDRESS, |accounts| accounts.vault_a = other.vault_a);
    scene.assert_collect(ADDRESS, |accounts| accounts.mint_b = other.mint_b);
    scene.assert_collect(RAW, |accounts| accounts.owner_account_a = alices.account_a);
    scene.assert_swap(ADDRESS, sell(1_000), |accounts| {
        accounts.vault_a = other.vault_a
    });
    scene.assert_swap(ADDRESS, sell(1_000), |accounts| {
        accounts.vault_b = other.vault_b
    });
    scene.assert_swap(ADDRESS, sell(1_000), |accounts| {
        accounts.mint_a = other.mint_a
    });
    scene.assert_swap(RAW, sell(1_000), |accounts| {
        accounts.owner_account_b = alices.account_b
    });
    scene.assert_swap(6056, sell(1_000), |accounts| {
        accounts.tick_array_1 = other.tick_array(-352)
    });
    let oracle = pda::oracle(&other.program, &other.address).0;
    scene.assert_swap(SEEDS, sell(1_000), |accounts| accounts.oracle = oracle);
    let (lower, upper) = (other.tick_array(-352), other.tick_array(352));
    scene.assert_modify(6056, |accounts| accounts.tick_array_lower = lower);
    scene.assert_modify(6056, |accounts| accounts.tick_array_upper = upper);
    let Scene {
        world,
        pool,
        position,
        ..
    } = &mut scene;
    let accounts = UpdateFeesAndRewardsAccounts {
        pool: pool.address,
        position: position.address,
        tick_array_lower: lower,
        tick_array_upper: pool.tick_array(352),
    };
    let instruction = UpdateFeesAndRewards {}.instruction(pool.program, &accounts);
    assert_code(world.send(&[instruction], &[]), 6056);
}

#[test]
fn programs_and_forged_accounts_are_refused() {
    let mut scene = Scene::new();
    scene.assert_modify(WRONG_PROGRAM, |accounts| {
        accounts.memo_program = spl::SYSTEM_PROGRAM
    });
    scene.assert_modify(ADDRESS, |accounts| {
        accounts.token_program_a = spl::TOKEN_2022_PROGRAM
    });
    scene.assert_swap(ADDRESS, sell(1), |accounts| {
        accounts.token_program_b = spl::TOKEN_2022_PROGRAM
    });
    let forged = key("forged", 1).pubkey();
    let mut account = scene.world.account(&scene.pool.address).unwrap();
    account.owner = spl::TOKEN_PROGRAM;
    scene.world.svm.set_account(forged, account).unwrap();
    scene.assert_modify(WRONG_OWNER, |accounts| accounts.pool = forged);
    scene.assert_swap(WRONG_OWNER, sell(1), |accounts| accounts.pool = forged);
    scene.assert_collect(WRONG_OWNER, |accounts| accounts.pool = forged);
}

#[test]
fn nobody_spends_what_is_not_theirs() {
    let mut scene = Scene::new();
    let (bobs_a, bobs_b) = (scene.bob.account_a, scene.bob.account_b);
    let mut accounts = scene.pool.modify_accounts(&scene.alice, &scene.position);
    accounts.owner_account_a = bobs_a;
    let signer = scene.alice.key.insecure_clone();
    let instruction = increase(1_000_000).instruction(scene.pool.program, &accounts);
    assert_code(scene.send(instruction, &signer), OWNER_MISMATCH);
    scene.assert_swap(OWNER_MISMATCH, sell(1_000), |accounts| {
        accounts.owner_account_a = bobs_a
    });
    // Someone else's account may receive.
    let mut accounts = scene.pool.swap_accounts(&scene.world, &scene.alice, true);
    accounts.owner_account_b = bobs_b;
    let before = scene.world.balance(&bobs_b);
    let instruction = sell(1_000_000).instruction(scene.pool.program, &accounts);
    scene.send(instruction, &signer).unwrap();
    assert!(scene.world.balance(&bobs_b) > before);
}
