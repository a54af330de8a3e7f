//! Every guard has a test in which it fires, with the error number of the real program.

mod support;

use ballast_abi::{
    Address,
    spl::{self, mint_extension},
    whirlpool::{TickArrayView, array_start, instruction::*, pda},
};
use ballast_clmm::SqrtPrice;
use solana_account::Account;
use solana_keypair::Keypair;
use solana_signer::Signer;
use support::*;

/// Error numbers of the token programs.
const MINT_MISMATCH: u32 = 3;
const OWNER_MISMATCH: u32 = 4;
/// Anchor's error numbers.
const HAS_ONE: u32 = 2001;
const RAW: u32 = 2003;
const SEEDS: u32 = 2006;
const ADDRESS: u32 = 2012;
const WRONG_OWNER: u32 = 3007;
const WRONG_PROGRAM: u32 = 3008;
const NOT_SIGNER: u32 = 3010;

#[track_caller]
fn assert_code(outcome: Outcome, code: u32) {
    match outcome {
        Ok(_) => panic!("succeeded, expected error {code}"),
        Err(failure) => assert_eq!(failure.code, Some(code), "{}", failure.text),
    }
}

/// A pool at price 1 with tick arrays around it and a position with liquidity.
struct Scene {
    world: World,
    pool: Pool,
    alice: Trader,
    bob: Trader,
    position: Position,
}

const LIQUIDITY: u128 = 1_000_000_000_000;

fn increase(liquidity: u128) -> IncreaseLiquidityV2 {
    IncreaseLiquidityV2 {
        liquidity,
        max_a: u64::MAX,
        max_b: u64::MAX,
    }
}

fn decrease(liquidity: u128) -> DecreaseLiquidityV2 {
    DecreaseLiquidityV2 {
        liquidity,
        min_a: 0,
        min_b: 0,
    }
}

fn sell(amount: u64) -> SwapV2 {
    SwapV2 {
        amount,
        other_amount_threshold: 0,
        sqrt_price_limit: 0,
        amount_is_input: true,
        a_to_b: true,
    }
}

/// Another pool in the same world, with arrays around its price.
fn pool_with_arrays(world: &mut World, number: u64) -> Pool {
    let pool = Pool::create(world, number, PoolSpec::default());
    for (start, kind) in [
        (-352, ArrayKind::Dynamic),
        (0, ArrayKind::Fixed),
        (352, ArrayKind::Fixed),
    ] {
        pool.initialize_tick_array(world, start, kind).unwrap();
    }
    pool
}

fn open(world: &mut World, pool: &Pool, trader: &Trader, number: u64) -> Position {
    let mint = key("position", number);
    let (position, outcome) = pool.open(world, trader.key.pubkey(), &mint, -40, 360, false);
    outcome.unwrap();
    position
}

impl Scene {
    fn new() -> Self {
        let mut world = World::new(&Deployment::under_test());
        let pool = pool_with_arrays(&mut world, 0);
        let [alice, bob] = ["alice", "bob"].map(|name| pool.trader(&mut world, name, RICH));
        let position = open(&mut world, &pool, &alice, 0);
        pool.increase(&mut world, &alice, &position, increase(LIQUIDITY))
            .unwrap();
        Self {
            world,
            pool,
            alice,
            bob,
            position,
        }
    }

    fn send(&mut self, instruction: ballast_abi::Instruction, signer: &Keypair) -> Outcome {
        self.world.send(&[instruction], &[signer])
    }

    /// Increases and decreases with accounts that were tampered with; both must fail alike.
    #[track_caller]
    fn assert_modify(&mut self, code: u32, tamper: impl Fn(&mut ModifyLiquidityV2Accounts)) {
        let mut accounts = self.pool.modify_accounts(&self.alice, &self.position);
        tamper(&mut accounts);
        let signer = self.alice.key.insecure_clone();
        let program = self.pool.program;
        assert_code(
            self.send(increase(1_000).instruction(program, &accounts), &signer),
            code,
        );
        assert_code(
            self.send(decrease(1_000).instruction(program, &accounts), &signer),
            code,
        );
    }

    #[track_caller]
    fn assert_collect(&mut self, code: u32, tamper: impl Fn(&mut CollectFeesV2Accounts)) {
        let mut accounts = self.pool.collect_accounts(&self.alice, &self.position);
        tamper(&mut accounts);
        let signer = self.alice.key.insecure_clone();
        let instruction = CollectFeesV2 {}.instruction(self.pool.program, &accounts);
        assert_code(self.send(instruction, &signer), code);
    }

    #[track_caller]
    fn assert_swap(&mut self, code: u32, args: SwapV2, tamper: impl Fn(&mut SwapV2Accounts)) {
        let mut accounts = self
            .pool
            .swap_accounts(&self.world, &self.alice, args.a_to_b);
        tamper(&mut accounts);
        let signer = self.alice.key.insecure_clone();
        let instruction = args.instruction(self.pool.program, &accounts);
        assert_code(self.send(instruction, &signer), code);
    }
}

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

#[test]
fn bad_bands_are_refused() {
    let mut scene = Scene::new();
    let Scene {
        world, pool, alice, ..
    } = &mut scene;
    let owner = alice.key.pubkey();
    for (number, (lower, upper)) in [
        (0, 0),
        (4, 0),
        (1, 4),
        (0, 5),
        (-443_640, 0),
        (0, 443_640),
        (i32::MIN, i32::MAX),
    ]
    .into_iter()
    .enumerate()
    {
        let mint = key("bad", number as u64);
        assert_code(pool.open(world, owner, &mint, lower, upper, false).1, 6010);
    }
}

#[test]
fn wide_spacings_take_only_full_range_positions() {
    let mut world = World::new(&Deployment::under_test());
    let spec = PoolSpec {
        tick_spacing: 32_896,
        ..PoolSpec::default()
    };
    let pool = Pool::create(&mut world, 0, spec);
    let alice = pool.trader(&mut world, "alice", RICH);
    let full = 443_636 / 32_896 * 32_896;
    let owner = alice.key.pubkey();
    assert_code(
        pool.open(&mut world, owner, &key("p", 0), 0, full, false).1,
        6054,
    );
    let (position, outcome) = pool.open(&mut world, owner, &key("p", 1), -full, full, false);
    outcome.unwrap();
    for tick in [-full, full] {
        let start = array_start(tick, spec.tick_spacing);
        pool.initialize_tick_array(&mut world, start, ArrayKind::Dynamic)
            .unwrap();
    }
    pool.increase(&mut world, &alice, &position, increase(1_000_000))
        .unwrap();
    pool.swap(&mut world, &alice, sell(1_000)).unwrap();
}

#[test]
fn anyone_may_receive_a_position() {
    let mut scene = Scene::new();
    let Scene { world, pool, .. } = &mut scene;
    // An address off the curve that never signs.
    let (owner, _) = Address::find_program_address(&[b"owner"], &spl::TOKEN_PROGRAM);
    for with_metadata in [false, true] {
        let mint = key("for owner", u64::from(with_metadata));
        let (position, outcome) = pool.open(world, owner, &mint, -4, 4, with_metadata);
        outcome.unwrap();
        let account = spl::TokenAccountView::parse(&world.data(&position.token_account))
            .map(|view| (view.owner(), view.amount()));
        assert_eq!(account, Ok((owner, 1)));
        let data = world.data(&position.mint);
        let mint = spl::MintView::parse(&data).unwrap();
        assert_eq!((mint.supply(), mint.decimals()), (1, 0));
        let extensions: Vec<u16> = mint.extensions().collect();
        assert!(extensions.contains(&mint_extension::CLOSE_AUTHORITY));
        assert_eq!(
            extensions.contains(&mint_extension::METADATA),
            with_metadata
        );
    }
}

#[test]
fn addresses_with_lamports_can_still_be_created() {
    let mut scene = Scene::new();
    let Scene {
        world, pool, alice, ..
    } = &mut scene;
    let mint = key("prefunded", 0);
    let position = pool.position(mint.pubkey(), alice.key.pubkey(), -4, 4);
    world.svm.airdrop(&position.address, 5_000_000).unwrap();
    world.svm.airdrop(&pool.tick_array(704), 1_000_000).unwrap();
    pool.open(world, alice.key.pubkey(), &mint, -4, 4, false)
        .1
        .unwrap();
    pool.initialize_tick_array(world, 704, ArrayKind::Dynamic)
        .unwrap();
    let array = world.account(&pool.tick_array(704)).unwrap();
    assert!(array.lamports >= world.rent(array.data.len()));
}

#[test]
fn tick_arrays_start_where_they_may() {
    let mut scene = Scene::new();
    let Scene { world, pool, .. } = &mut scene;
    for kind in [ArrayKind::Fixed, ArrayKind::Dynamic] {
        for start in [1, 4, -351, 352 * 1_261, i32::MIN, i32::MAX] {
            assert_code(pool.initialize_tick_array(world, start, kind), 6001);
        }
    }
    let lowest = array_start(-443_636, 4);
    pool.initialize_tick_array(world, lowest, ArrayKind::Fixed)
        .unwrap();
    assert_code(
        pool.initialize_tick_array(world, lowest - 352, ArrayKind::Fixed),
        6001,
    );
    // The address must be the one of the start.
    let accounts = InitializeTickArrayAccounts {
        pool: pool.address,
        funder: world.payer.pubkey(),
        tick_array: pool.tick_array(704),
        system_program: spl::SYSTEM_PROGRAM,
    };
    let instruction = InitializeTickArray { start: 1_056 }.instruction(pool.program, &accounts);
    assert_code(world.send(&[instruction], &[]), SEEDS);
}

#[test]
fn only_idempotent_creation_of_a_tick_array_may_be_repeated() {
    let mut scene = Scene::new();
    let Scene { world, pool, .. } = &mut scene;
    let mut create = |start, idempotent| {
        let accounts = InitializeDynamicTickArrayAccounts {
            pool: pool.address,
            funder: world.payer.pubkey(),
            tick_array: pool.tick_array(start),
            system_program: spl::SYSTEM_PROGRAM,
        };
        let args = InitializeDynamicTickArray { start, idempotent };
        world.send(&[args.instruction(pool.program, &accounts)], &[])
    };
    create(704, true).unwrap();
    create(704, true).unwrap();
    // AccountDiscriminatorAlreadySet.
    assert_code(create(704, false), 3000);
    // A fixed array is as good, and stays what it is, with its ticks.
    create(352, true).unwrap();
    let data = world.data(&pool.tick_array(352));
    assert_eq!(data.len(), 9_988);
    assert!(
        TickArrayView::parse(&data)
            .unwrap()
            .tick(360, 4)
            .unwrap()
            .is_some()
    );
}

#[test]
fn pools_need_ordered_mints_a_price_and_their_fee_tier() {
    let mut world = World::new(&Deployment::under_test());
    let good = Pool::create(&mut world, 0, PoolSpec::default());
    let (vault_a, vault_b) = (key("new vault", 0), key("new vault", 1));
    let mut attempt = |tamper: &dyn Fn(&mut Pool)| {
        let mut pool = good;
        // Another mint B, so that the pool is a new one.
        tamper(&mut pool);
        pool.address = pda::pool(
            &pool.program,
            &pool.config,
            &pool.mint_a,
            &pool.mint_b,
            pool.spec.tick_spacing,
        )
        .0;
        pool.initialize(&mut world, &vault_a, &vault_b)
    };
    assert_code(
        attempt(&|pool| (pool.mint_a, pool.mint_b) = (pool.mint_b, pool.mint_a)),
        6024,
    );
    assert_code(attempt(&|pool| pool.spec.tick_spacing = 8), RAW);
    // It exists already: the system program's AccountAlreadyInUse.
    assert_code(attempt(&|_| {}), 0);

    let other = Pool::create(&mut world, 1, PoolSpec::default());
    let mut foreign = good;
    foreign.fee_tier = other.fee_tier;
    foreign.mint_b = other.mint_b.max(other.mint_a);
    if foreign.mint_a < foreign.mint_b {
        foreign.address = pda::pool(
            &foreign.program,
            &foreign.config,
            &foreign.mint_a,
            &foreign.mint_b,
            4,
        )
        .0;
        assert_code(foreign.initialize(&mut world, &vault_a, &vault_b), HAS_ONE);
        foreign.fee_tier = good.fee_tier;
        for sqrt_price in [0, SqrtPrice::MIN.x64() - 1, SqrtPrice::MAX.x64() + 1] {
            foreign.spec.sqrt_price = sqrt_price;
            assert_code(foreign.initialize(&mut world, &vault_a, &vault_b), 6011);
        }
    } else {
        panic!("choose other names of mints: these do not order");
    }
}

#[test]
fn fee_tiers_need_their_authority_and_bounds() {
    let mut world = World::new(&Deployment::under_test());
    let pool = Pool::create(&mut world, 0, PoolSpec::default());
    let mallory = key("mallory", 0);
    world.svm.airdrop(&mallory.pubkey(), 1_000_000_000).unwrap();
    let mut create = |authority: &Keypair, tick_spacing, default_fee_rate_ppm| {
        let accounts = InitializeFeeTierAccounts {
            config: pool.config,
            fee_tier: pda::fee_tier(&pool.program, &pool.config, tick_spacing).0,
            funder: world.payer.pubkey(),
            fee_authority: authority.pubkey(),
            system_program: spl::SYSTEM_PROGRAM,
        };
        let args = InitializeFeeTier {
            tick_spacing,
            default_fee_rate_ppm,
        };
        world.send(&[args.instruction(pool.program, &accounts)], &[authority])
    };
    let payer = key("payer", 0);
    assert_code(create(&mallory, 8, 100), ADDRESS);
    assert_code(create(&payer, 8, 60_001), 6028);
    assert_code(create(&payer, 0, 100), 6004);
    create(&payer, 8, 60_000).unwrap();
    assert_code(create(&payer, 8, 100), 0);
}

/// The real program reserves this to its administrators, so that only the stand-in is tried.
#[test]
fn the_stand_in_lets_anyone_create_a_config() {
    let deployment = Deployment::stand_in();
    let mut world = World::new(&deployment);
    let payer = world.payer.pubkey();
    let config = key("fresh config", 0);
    let mut create = |default_protocol_fee_rate_bps| {
        let instruction = InitializeConfig {
            fee_authority: payer,
            collect_protocol_fees_authority: payer,
            reward_emissions_super_authority: payer,
            default_protocol_fee_rate_bps,
        }
        .instruction(
            deployment.id,
            &InitializeConfigAccounts {
                config: config.pubkey(),
                funder: payer,
                system_program: spl::SYSTEM_PROGRAM,
            },
        );
        world.send(&[instruction], &[&config])
    };
    assert_code(create(2_501), 6029);
    create(2_500).unwrap();
    assert_code(create(0), 0);
    let account = world.account(&config.pubkey()).unwrap();
    assert_eq!(account.owner, deployment.id);
    assert_eq!(account.data, config_data(payer, 2_500));
}

#[test]
fn mints_that_pools_refuse() {
    let mut world = World::new(&Deployment::under_test());
    let spec = PoolSpec {
        token_program_a: spl::TOKEN_2022_PROGRAM,
        token_program_b: spl::TOKEN_2022_PROGRAM,
        ..PoolSpec::default()
    };
    let mut pool = Pool::create(&mut world, 0, spec);
    // A Token-2022 mint with one extension, or with a freeze authority.
    let mut attempt = |number: u64, extension: Option<(u16, usize)>, freezable: bool| {
        let mint = Address::new_from_array([0xff; 32].map(|byte: u8| byte - number as u8));
        let mut data = vec![0; spl::MINT_LENGTH];
        data[45] = 1;
        data[46] = u8::from(freezable);
        if let Some((kind, length)) = extension {
            data.resize(spl::TOKEN_ACCOUNT_LENGTH, 0);
            data.push(1);
            data.extend(kind.to_le_bytes());
            data.extend((length as u16).to_le_bytes());
            data.resize(data.len() + length, 0);
        }
        let account = Account {
            lamports: 10_000_000,
            data,
            owner: spl::TOKEN_2022_PROGRAM,
            executable: false,
            rent_epoch: u64::MAX,
        };
        world.svm.set_account(mint, account).unwrap();
        pool.mint_b = mint;
        pool.address = pda::pool(&pool.program, &pool.config, &pool.mint_a, &mint, 4).0;
        let (vault_a, vault_b) = (key("vault x", number), key("vault y", number));
        pool.initialize(&mut world, &vault_a, &vault_b)
    };
    assert_code(attempt(0, None, true), 6047);
    assert_code(
        attempt(1, Some((mint_extension::TRANSFER_HOOK, 64)), false),
        6047,
    );
    assert_code(
        attempt(2, Some((mint_extension::PERMANENT_DELEGATE, 32)), false),
        6047,
    );
    assert_code(
        attempt(3, Some((mint_extension::CLOSE_AUTHORITY, 32)), false),
        6047,
    );
    assert_code(
        attempt(4, Some((mint_extension::NON_TRANSFERABLE, 0)), false),
        6047,
    );
    attempt(5, Some((mint_extension::INTEREST_BEARING, 52)), false).unwrap();
    attempt(6, Some((mint_extension::METADATA_POINTER, 64)), false).unwrap();
    attempt(7, Some((mint_extension::TRANSFER_FEE, 108)), false).unwrap();
    attempt(8, None, false).unwrap();
}
