//! Limits of amounts, prices and tick arrays: every guard fires, with the error number of the real program.

mod support;

use ballast_abi::whirlpool::instruction::*;
use ballast_clmm::SqrtPrice;
use solana_signer::Signer;
use support::*;

#[test]
fn tick_arrays_must_hold_the_ticks() {
    let mut scene = Scene::new();
    let (zero, high) = (scene.pool.tick_array(0), scene.pool.tick_array(352));
    scene.assert_modify(6009, |accounts| accounts.tick_array_lower = zero);
    scene.assert_modify(6009, |accounts| accounts.tick_array_upper = zero);
    scene.assert_modify(6009, |accounts| {
        (accounts.tick_array_lower, accounts.tick_array_upper) =
            (accounts.tick_array_upper, accounts.tick_array_lower);
    });
    scene.assert_swap(6023, sell(1), |accounts| {
        accounts.tick_array_0 = high;
        accounts.tick_array_1 = high;
        accounts.tick_array_2 = high;
    });
}

#[test]
fn limits_of_liquidity_and_tokens_hold() {
    let mut scene = Scene::new();
    let Scene {
        world,
        pool,
        alice,
        position,
        ..
    } = &mut scene;
    assert_code(pool.increase(world, alice, position, increase(0)), 6012);
    assert_code(pool.decrease(world, alice, position, decrease(0)), 6012);
    assert_code(
        pool.increase(world, alice, position, increase(1 << 127)),
        6013,
    );
    assert_code(
        pool.decrease(world, alice, position, decrease(LIQUIDITY + 1)),
        6015,
    );
    let tight = IncreaseLiquidityV2 {
        max_a: 1,
        ..increase(1_000_000)
    };
    assert_code(pool.increase(world, alice, position, tight), 6017);
    let tight = IncreaseLiquidityV2 {
        max_b: 1,
        ..increase(1_000_000_000)
    };
    assert_code(pool.increase(world, alice, position, tight), 6017);
    let greedy = DecreaseLiquidityV2 {
        min_a: u64::MAX,
        ..decrease(1_000_000)
    };
    assert_code(pool.decrease(world, alice, position, greedy), 6018);
    let greedy = DecreaseLiquidityV2 {
        min_b: u64::MAX,
        ..decrease(1_000_000)
    };
    assert_code(pool.decrease(world, alice, position, greedy), 6018);
    assert_code(pool.close(world, &alice.key, position), 6005);
    pool.decrease(world, alice, position, decrease(LIQUIDITY))
        .unwrap();
    assert_code(pool.update(world, position), 6012);
    pool.close(world, &alice.key, position).unwrap();
}

#[test]
fn a_position_with_fees_is_not_closed() {
    let mut scene = Scene::new();
    let Scene {
        world,
        pool,
        alice,
        bob,
        position,
    } = &mut scene;
    pool.swap(world, bob, sell(1_000_000_000)).unwrap();
    pool.decrease(world, alice, position, decrease(LIQUIDITY))
        .unwrap();
    assert!(position.with(world, |position| position.fee_owed_a()) > 0);
    assert_code(pool.close(world, &alice.key, position), 6005);
    pool.collect(world, alice, position).unwrap();
    pool.close(world, &alice.key, position).unwrap();
}

#[test]
fn limits_of_swaps_hold() {
    let mut scene = Scene::new();
    let price = scene
        .pool
        .with(&scene.world, |pool| pool.sqrt_price().x64());
    let nothing = |_: &mut SwapV2Accounts| {};
    scene.assert_swap(6035, sell(0), nothing);
    let greedy = SwapV2 {
        other_amount_threshold: 1_000_001,
        ..sell(1_000_000)
    };
    scene.assert_swap(6036, greedy, nothing);
    let stingy = SwapV2 {
        amount_is_input: false,
        other_amount_threshold: 1,
        ..sell(1_000_000)
    };
    scene.assert_swap(6037, stingy, nothing);
    for limit in [
        1,
        SqrtPrice::MIN.x64() - 1,
        SqrtPrice::MAX.x64() + 1,
        u128::MAX,
    ] {
        scene.assert_swap(
            6011,
            SwapV2 {
                sqrt_price_limit: limit,
                ..sell(1)
            },
            nothing,
        );
    }
    // Behind the price, and exactly on it.
    for limit in [price + 1, price] {
        scene.assert_swap(
            6034,
            SwapV2 {
                sqrt_price_limit: limit,
                ..sell(1)
            },
            nothing,
        );
    }
    let buy = SwapV2 {
        a_to_b: false,
        ..sell(1)
    };
    for limit in [price - 1, price] {
        scene.assert_swap(
            6034,
            SwapV2 {
                sqrt_price_limit: limit,
                ..buy
            },
            nothing,
        );
    }
    scene.assert_swap(6038, sell(RICH), nothing);
    // An explicit limit makes a partial fill of it.
    let Scene {
        world, pool, alice, ..
    } = &mut scene;
    let before = world.balance(&alice.account_a);
    pool.swap(
        world,
        alice,
        SwapV2 {
            sqrt_price_limit: price - 1_000_000_000,
            ..sell(RICH)
        },
    )
    .unwrap();
    assert_eq!(
        pool.with(world, |pool| pool.sqrt_price().x64()),
        price - 1_000_000_000
    );
    assert!(before - world.balance(&alice.account_a) < RICH / 2);
}

#[test]
fn a_tick_array_that_does_not_exist_counts_as_empty() {
    let mut scene = Scene::new();
    let Scene {
        world, pool, alice, ..
    } = &mut scene;
    // Down to array -704, which was never created.
    assert!(world.account(&pool.tick_array(-704)).is_none());
    let limit = ballast_clmm::Tick::new(-500).unwrap().sqrt_price().x64();
    let swap = SwapV2 {
        sqrt_price_limit: limit,
        ..sell(RICH / 4)
    };
    pool.swap(world, alice, swap).unwrap();
    assert_eq!(pool.with(world, |pool| pool.tick_current()), -500);
    assert_eq!(pool.with(world, |pool| pool.liquidity()), 0);
    assert!(world.account(&pool.tick_array(-704)).is_none());
    // Any other address without an account does not count.
    let stray = key("stray", 0).pubkey();
    scene.assert_swap(6023, sell(1), |accounts| {
        accounts.tick_array_0 = stray;
        accounts.tick_array_1 = stray;
        accounts.tick_array_2 = stray;
    });
}
