//! An empty position moves to another band and is then as good as new, and what that costs.

mod support;

use ballast_abi::whirlpool::{PositionView, instruction::*, layout::position as at, layout::tick};
use solana_signer::Signer;
use support::*;

#[test]
fn an_empty_position_moves_and_is_as_new() {
    let mut scene = emptied();
    let before = scene.world.data(&scene.position.address);
    let view = PositionView::parse(&before).unwrap();
    assert!(view.fee_growth_checkpoint_a_x64() > 0);
    // What a position remembers of rewards is forgotten, too.
    for index in 0..3 {
        scene.write_position(at::REWARDS + index * at::REWARD_LENGTH, &[7; 16]);
    }
    let receipt = scene.reset(BAND).unwrap();
    println!("{} compute units", receipt.compute_units);
    let mut expected = vec![0; at::LENGTH];
    expected[..at::LIQUIDITY].copy_from_slice(&before[..at::LIQUIDITY]);
    expected[at::TICK_LOWER..][..4].copy_from_slice(&BAND[0].to_le_bytes());
    expected[at::TICK_UPPER..][..4].copy_from_slice(&BAND[1].to_le_bytes());
    assert_eq!(scene.world.data(&scene.position.address), expected);
}

/// Liquidity after a move earns what the liquidity of a new position in the same band earns.
#[test]
fn a_moved_position_earns_like_a_new_one() {
    let mut scene = emptied();
    scene.reset(BAND).unwrap();
    let Scene {
        world,
        pool,
        alice,
        bob,
        position,
    } = &mut scene;
    let old = moved(position, BAND);
    let mint = key("fresh", 0);
    let (fresh, outcome) = pool.open(world, bob.key.pubkey(), &mint, BAND[0], BAND[1], false);
    outcome.unwrap();
    pool.increase(world, alice, &old, increase(LIQUIDITY))
        .unwrap();
    pool.increase(world, bob, &fresh, increase(LIQUIDITY))
        .unwrap();
    pool.swap(world, bob, sell(1_000_000_000)).unwrap();
    let [one, other] = [(&*alice, &old), (&*bob, &fresh)].map(|(trader, position)| {
        pool.decrease(world, trader, position, decrease(LIQUIDITY))
            .unwrap();
        let owed = position.with(world, |view| [view.fee_owed_a(), view.fee_owed_b()]);
        pool.collect(world, trader, position).unwrap();
        pool.close(world, &trader.key, position).unwrap();
        owed
    });
    assert!(one[0] > 0);
    assert_eq!(one, other);
}

/// A position has paid for two ticks when it was opened, and gets that back with its last liquidity: moving costs nothing,
/// however often, and closing returns all that opening took.
#[test]
fn moving_keeps_the_rent() {
    let mut scene = Scene::new();
    let Scene {
        world,
        pool,
        alice,
        position,
        ..
    } = &mut scene;
    let payer = world.payer.pubkey();
    let ticks = world.rent(tick::LENGTH) - world.rent(0);
    let full = world.rent(at::LENGTH) + 2 * ticks;
    let mut band = [position.lower, position.upper];
    // In dynamic arrays both, one and none of them.
    for next in [[-100, -20], [-60, 20], [20, 360], [-40, 360]] {
        let now = moved(position, band);
        pool.decrease(world, alice, &now, decrease(LIQUIDITY))
            .unwrap();
        assert_eq!(world.account(&now.address).unwrap().lamports, full);
        let before = world.account(&payer).unwrap().lamports;
        pool.reset(world, alice, &now, next).unwrap();
        assert_eq!(world.account(&now.address).unwrap().lamports, full);
        // Two signatures.
        assert_eq!(before - world.account(&payer).unwrap().lamports, 10_000);
        let now = moved(position, next);
        pool.increase(world, alice, &now, increase(LIQUIDITY))
            .unwrap();
        let dynamic = next.iter().filter(|&&tick| tick < 0).count() as u64;
        assert_eq!(
            world.account(&now.address).unwrap().lamports,
            full - dynamic * ticks
        );
        band = next;
    }
}

/// Positions from before there were dynamic tick arrays hold nothing for ticks: the funder makes that good.
#[test]
fn the_funder_pays_what_a_position_lacks() {
    let mut scene = emptied();
    let position = scene.position.address;
    let bob = scene.bob.key.pubkey();
    let own = scene.world.rent(at::LENGTH);
    let ticks = 2 * (scene.world.rent(tick::LENGTH) - scene.world.rent(0));
    let mut band = BAND;
    for (held, paid) in [
        (own, ticks),
        (own + 1, ticks - 1),
        (own + ticks - 1, 1),
        (own + ticks, 0),
        (own + ticks + 5, 0),
    ] {
        let mut account = scene.world.account(&position).unwrap();
        account.lamports = held;
        scene.world.svm.set_account(position, account).unwrap();
        let before = scene.lamports(&bob);
        let accounts = scene
            .pool
            .reset_accounts(bob, &scene.alice, &scene.position);
        let args = ResetPositionRange {
            tick_lower: band[0],
            tick_upper: band[1],
        };
        let alice = scene.alice.key.insecure_clone();
        let signers = [&alice, &scene.bob.key];
        let receipt = scene
            .world
            .send(&[args.instruction(scene.pool.program, &accounts)], &signers)
            .unwrap();
        println!("{paid} lamports, {} compute units", receipt.compute_units);
        assert_eq!(before - scene.lamports(&bob), paid);
        assert_eq!(scene.lamports(&position), held + paid);
        band[1] += 4;
    }
}

#[test]
fn a_funder_without_lamports_cannot_pay() {
    let mut scene = emptied();
    let position = scene.position.address;
    let poor = key("poor", 0);
    let mut account = scene.world.account(&position).unwrap();
    let full = account.lamports;
    account.lamports = scene.world.rent(at::LENGTH);
    scene.world.svm.set_account(position, account).unwrap();
    let attempt = |scene: &mut Scene| {
        let accounts = scene
            .pool
            .reset_accounts(poor.pubkey(), &scene.alice, &scene.position);
        let args = ResetPositionRange {
            tick_lower: BAND[0],
            tick_upper: BAND[1],
        };
        let alice = scene.alice.key.insecure_clone();
        scene.world.send(
            &[args.instruction(scene.pool.program, &accounts)],
            &[&alice, &poor],
        )
    };
    // The system program's ResultWithNegativeLamports.
    assert_code(attempt(&mut scene), 1);
    let mut account = scene.world.account(&position).unwrap();
    account.lamports = full;
    scene.world.svm.set_account(position, account).unwrap();
    attempt(&mut scene).unwrap();
}
