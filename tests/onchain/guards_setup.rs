//! Who sets a market up and changes it, and out of what.

use ballast_abi::{spl, whirlpool::layout};
use ballast_client::{
    BallastError, Instruction, MarketContext, MarketMode, PoolAddresses, Pubkey, Side, instruction,
    pda,
};
use ballast_localnet::{Localnet, Trader};
use solana_instruction::AccountMeta;

use crate::support::{Scene, accepted, code, refused, refused_elsewhere};

/// Number of Anchor's error for another address than the only one.
const OTHER_ADDRESS: u32 = 2_012;

#[tokio::test]
async fn a_guardian_may_only_tighten() {
    let scene = Scene::new().await;
    let (bob, guardian) = (
        scene.world.trader("bob", Default::default()).await.unwrap(),
        scene
            .world
            .trader("guardian", Default::default())
            .await
            .unwrap(),
    );
    let market = scene.second_market(&bob, guardian.key()).await;
    let set = async |by: &ballast_localnet::Trader, mode| {
        let set = instruction::set_mode(&market.address, &by.key(), mode, 60);
        scene.send(by, set).await
    };
    use MarketMode::{NoNewRisk, Normal, ReduceOnly};
    let refused_to = async |mode| refused(set(&guardian, mode).await, BallastError::NotAuthority);
    refused_to(Normal).await;
    accepted(set(&guardian, NoNewRisk).await);
    refused_to(Normal).await;
    refused_to(NoNewRisk).await;
    accepted(set(&guardian, ReduceOnly).await);
    for mode in [Normal, NoNewRisk, ReduceOnly] {
        refused_to(mode).await;
    }
    // Nor may it do anything else.
    let params = scene.world.config.desired.market_params();
    let update = instruction::update_market(
        &market.address,
        &market.market.whirlpool,
        &guardian.key(),
        params,
    );
    refused(
        scene.send(&guardian, update).await,
        BallastError::NotAuthority,
    );
    let params = scene.reserve_params(Side::Base);
    let update = instruction::update_reserve(&market, &guardian.key(), Side::Base, params);
    refused(
        scene.send(&guardian, update).await,
        BallastError::NotAuthority,
    );
    // The authority loosens again; a stranger does nothing.
    refused(
        set(&scene.keeper, ReduceOnly).await,
        BallastError::NotAuthority,
    );
    accepted(set(&bob, Normal).await);
    refused(
        set(&scene.keeper, ReduceOnly).await,
        BallastError::NotAuthority,
    );
}

#[tokio::test]
async fn a_market_without_a_guardian_has_none() {
    let scene = Scene::new().await;
    let market = scene.world.market.address;
    // Nobody can sign for the address of all zeros, so that a transaction in its name is not even made.
    assert_eq!(scene.world.market.market.guardian, Default::default());
    let tighten = instruction::set_mode(&market, &scene.keeper.key(), MarketMode::ReduceOnly, 60);
    refused(
        scene.send(&scene.keeper, tighten).await,
        BallastError::NotAuthority,
    );
    scene.set_mode(MarketMode::ReduceOnly).await;
}

#[tokio::test]
async fn only_the_authority_changes_a_market() {
    let scene = Scene::new().await;
    let bob = scene.world.trader("bob", Default::default()).await.unwrap();
    // The authority of another market is nobody here.
    scene.second_market(&bob, Pubkey::default()).await;
    let market = &scene.world.market;
    let authority = market.market.authority;
    let changes = |key: &Pubkey| {
        let params = scene.world.config.desired.market_params();
        let side = Side::Quote;
        [
            instruction::update_market(&market.address, &market.market.whirlpool, key, params),
            instruction::update_reserve(market, key, side, scene.reserve_params(side)),
            instruction::set_mode(&market.address, key, MarketMode::NoNewRisk, 60),
        ]
    };
    for by in [&bob, &scene.alice] {
        for change in changes(&by.key()) {
            refused(scene.send(by, change).await, BallastError::NotAuthority);
        }
    }
    for change in changes(&authority) {
        accepted(scene.send_as_authority(change).await);
    }
}

#[tokio::test]
async fn a_market_is_set_up_by_its_authority_and_once() {
    let scene = Scene::new().await;
    let bob = scene.world.trader("bob", Default::default()).await.unwrap();
    let pool = scene.pool_addresses();
    let args = scene.market_args(Pubkey::default());
    let init = instruction::init_market(&bob.key(), &pool, args);
    accepted(scene.send(&bob, init).await);
    let address = ballast_client::pda::market(&bob.key(), &pool.whirlpool);
    let prices = scene.world.market.prices;
    let market = ballast_client::MarketContext::load(scene.svm.chain().as_ref(), address, prices)
        .await
        .unwrap();
    let init = |by: &Trader| {
        let params = scene.reserve_params(Side::Base);
        instruction::init_reserve(&market, &by.key(), Side::Base, params)
    };
    refused(
        scene.send(&scene.alice, init(&scene.alice)).await,
        BallastError::NotAuthority,
    );
    // Opening needs both reserves.
    let open = scene.try_open_in(&market, scene.example(1)).await;
    // One that is not there belongs to nobody.
    refused_elsewhere(open, ballast_client::ballast::ID, code::OTHER_PROGRAM);
    // A mint that is not the market's.
    let foreign = Scene::fresh_address("foreign mint");
    scene.copy_account(&pool.base_mint, &foreign, |_| ()).await;
    let mut other = market.clone();
    other.base.mint = foreign;
    let params = scene.reserve_params(Side::Base);
    let wrong = instruction::init_reserve(&other, &bob.key(), Side::Base, params);
    refused(
        scene.send(&bob, wrong).await,
        BallastError::WrongReserveAccount,
    );
    let wrong = {
        let mut market = market.clone();
        market.base.program = spl::TOKEN_2022_PROGRAM;
        instruction::init_reserve(&market, &bob.key(), Side::Base, params)
    };
    refused(
        scene.send(&bob, wrong).await,
        BallastError::WrongTokenProgram,
    );
    let mut bad = params;
    bad.kink_utilisation_bps = 0;
    let wrong = instruction::init_reserve(&market, &bob.key(), Side::Base, bad);
    refused(scene.send(&bob, wrong).await, BallastError::BadParameters);

    accepted(scene.send(&bob, init(&bob)).await);
    let twice = scene.send(&bob, init(&bob)).await;
    refused_elsewhere(twice, spl::SYSTEM_PROGRAM, code::ALREADY_IN_USE);
}

/// A pool of another base mint, as an account.
async fn pool_of(scene: &Scene, name: &str, base_mint: Pubkey) -> PoolAddresses {
    let pool = scene.pool_addresses();
    let whirlpool = Scene::fresh_address(name);
    let put = |account: &mut ballast_client::Account| {
        account.data[layout::pool::MINT_A..][..32].copy_from_slice(base_mint.as_ref());
    };
    scene.copy_account(&pool.whirlpool, &whirlpool, put).await;
    PoolAddresses {
        whirlpool,
        base_mint,
        ..pool
    }
}

/// A Token-2022 mint with one extension of `length` zero bytes.
async fn extended_mint(scene: &Scene, name: &str, kind: u16, length: u16) -> Pubkey {
    let mint = Scene::fresh_address(name);
    let extend = |account: &mut ballast_client::Account| {
        account.owner = spl::TOKEN_2022_PROGRAM;
        account.data.resize(165, 0);
        account.data.push(1);
        account.data.extend(kind.to_le_bytes());
        account.data.extend(length.to_le_bytes());
        account.data.extend(vec![0; usize::from(length)]);
        account.lamports = 100_000_000;
    };
    scene
        .copy_account(&scene.world.market.base.mint, &mint, extend)
        .await;
    mint
}

#[tokio::test]
async fn mints_that_change_balances_or_block_transfers_are_unsupported() {
    let scene = Scene::new().await;
    let bob = scene.world.trader("bob", Default::default()).await.unwrap();
    let init = async |pool: &PoolAddresses| {
        let args = scene.market_args(Pubkey::default());
        let init = instruction::init_market(&bob.key(), pool, args);
        scene.send(&bob, init).await
    };
    for (name, kind, length) in [
        ("transfer fee", 1, 108),
        ("close authority", 3, 32),
        ("confidential transfer", 4, 65),
        ("default account state", 6, 1),
        ("non-transferable", 9, 0),
        ("interest bearing", 10, 52),
        ("permanent delegate", 12, 32),
        ("transfer hook", 14, 64),
        ("scaled amount", 25, 56),
        ("pausable", 26, 33),
        ("unknown", 999, 4),
    ] {
        let mint = extended_mint(&scene, &format!("{name} mint"), kind, length).await;
        let pool = pool_of(&scene, &format!("{name} pool"), mint).await;
        refused(init(&pool).await, BallastError::UnsupportedMint);
    }
    // Cut off in the middle of an extension.
    let mint = extended_mint(&scene, "cut mint", 18, 64).await;
    scene.patch(&mint, |data| data.truncate(200)).await;
    let pool = pool_of(&scene, "cut pool", mint).await;
    refused(init(&pool).await, BallastError::UnsupportedMint);

    // A pointer to metadata does no harm.
    let mint = extended_mint(&scene, "metadata mint", 18, 64).await;
    let pool = pool_of(&scene, "metadata pool", mint).await;
    accepted(init(&pool).await);
}

#[tokio::test]
async fn a_market_needs_a_genuine_pool() {
    let scene = Scene::new().await;
    let bob = scene.world.trader("bob", Default::default()).await.unwrap();
    let good = scene.pool_addresses();
    let init = async |pool: &PoolAddresses| {
        let args = scene.market_args(Pubkey::default());
        scene
            .send(&bob, instruction::init_market(&bob.key(), pool, args))
            .await
    };
    // Another program than the one that owns the pool.
    let mut pool = good;
    pool.program = scene.svm.programs().pyth.id;
    refused(init(&pool).await, BallastError::WrongPool);
    // Mints that are not the pool's, or in the other order.
    let mut pool = good;
    (pool.base_mint, pool.quote_mint) = (good.quote_mint, good.base_mint);
    refused(init(&pool).await, BallastError::WrongPool);
    for mint in [good.base_mint, good.quote_mint] {
        let mut pool = good;
        (pool.base_mint, pool.quote_mint) = (mint, mint);
        refused(init(&pool).await, BallastError::WrongPool);
    }
    // An account of the program's that is no pool.
    let fake = Scene::fresh_address("no pool");
    scene
        .copy_account(&good.whirlpool, &fake, |account| account.data[0] ^= 1)
        .await;
    let mut pool = good;
    pool.whirlpool = fake;
    refused(init(&pool).await, BallastError::MalformedPoolAccount);
    scene
        .copy_account(&good.whirlpool, &fake, |account| account.data.truncate(100))
        .await;
    refused(init(&pool).await, BallastError::MalformedPoolAccount);
    // A pool whose fee moves with volatility: what marks it is a fee tier that is not the tick spacing.
    let adaptive = Scene::fresh_address("pool with an adaptive fee");
    scene
        .copy_account(&good.whirlpool, &adaptive, |account| {
            account.data[layout::pool::FEE_TIER_INDEX] ^= 1;
        })
        .await;
    let mut pool = good;
    pool.whirlpool = adaptive;
    refused(init(&pool).await, BallastError::AdaptiveFee);
    // A mint that no token program owns.
    let mint = Scene::fresh_address("mint of nobody");
    let owner = scene.svm.programs().pyth.id;
    scene
        .copy_account(&good.base_mint, &mint, |account| account.owner = owner)
        .await;
    let pool = pool_of(&scene, "pool of nobody's mint", mint).await;
    refused(init(&pool).await, BallastError::WrongTokenProgram);
    // Parameters that make no sense.
    let mut args = scene.market_args(Pubkey::default());
    args.quote_feed = args.base_feed;
    let wrong = instruction::init_market(&bob.key(), &good, args);
    refused(scene.send(&bob, wrong).await, BallastError::BadParameters);
    let mut args = scene.market_args(Pubkey::default());
    args.params.limits.maintenance_ltv_bps = 9_900;
    let wrong = instruction::init_market(&bob.key(), &good, args);
    refused(scene.send(&bob, wrong).await, BallastError::BadParameters);
    accepted(init(&good).await);
}

/// The instruction with another program in place of the last that is SPL Token: that of the shares.
fn with_other_share_program(mut instruction: Instruction) -> Instruction {
    let is_token = |meta: &AccountMeta| meta.pubkey == spl::TOKEN_PROGRAM;
    let at = instruction.accounts.iter().rposition(is_token).unwrap();
    instruction.accounts[at].pubkey = spl::TOKEN_2022_PROGRAM;
    instruction
}

#[tokio::test]
async fn shares_are_spl_tokens_of_a_market_of_this_version() {
    let scene = Scene::new().await;
    let bob = scene.world.trader("bob", Default::default()).await.unwrap();
    let pool = scene.pool_addresses();
    let args = scene.market_args(Pubkey::default());
    let init = instruction::init_market(&bob.key(), &pool, args);
    accepted(scene.send(&bob, init).await);
    let address = pda::market(&bob.key(), &pool.whirlpool);
    let prices = scene.world.market.prices;
    let chain = scene.svm.chain();
    let market = MarketContext::load(chain.as_ref(), address, prices)
        .await
        .unwrap();
    let side = Side::Base;
    let params = scene.reserve_params(side);
    let init = || instruction::init_reserve(&market, &bob.key(), side, params);
    let ballast = init().program_id;
    let other = with_other_share_program(init());
    refused_elsewhere(scene.send(&bob, other).await, ballast, OTHER_ADDRESS);
    scene.patch(&address, |data| data[8] = 1).await;
    refused(scene.send(&bob, init()).await, BallastError::WrongVersion);
    scene.patch(&address, |data| data[8] = 2).await;
    accepted(scene.send(&bob, init()).await);

    let by = &scene.liquidator;
    let market = &scene.world.market;
    let deposit = || instruction::deposit(market, &by.key(), side, 1_000, 0);
    let other = with_other_share_program(deposit());
    refused_elsewhere(scene.send(by, other).await, ballast, OTHER_ADDRESS);
    let mut other = deposit();
    let is_token = |meta: &AccountMeta| meta.pubkey == spl::TOKEN_PROGRAM;
    let at = other.accounts.iter().position(is_token).unwrap();
    other.accounts[at].pubkey = spl::TOKEN_2022_PROGRAM;
    let sent = scene.send(by, other).await;
    refused(sent, BallastError::WrongTokenProgram);
}
