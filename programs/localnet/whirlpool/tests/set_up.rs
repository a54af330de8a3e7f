//! Creating configs, fee tiers, pools, tick arrays and positions: every guard fires, with the error number of the real
//! program.

mod support;

use ballast_abi::{
    Address,
    spl::{self, mint_extension},
    whirlpool::{TickArrayView, array_start, instruction::*, pda},
};
use ballast_clmm::SqrtPrice;
use sha2::{Digest, Sha256};
use solana_account::Account;
use solana_keypair::Keypair;
use solana_signer::Signer;
use support::*;

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

/// Anyone can deploy the stand-in at its address, because anyone can make its key.
#[test]
fn the_program_id_is_the_key_of_a_public_seed() {
    let seed: [u8; 32] = Sha256::digest("ballast localnet whirlpool").into();
    assert_eq!(
        Keypair::new_from_array(seed).pubkey(),
        Deployment::stand_in().id
    );
}
