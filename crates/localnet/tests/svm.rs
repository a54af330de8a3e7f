//! A world in the SVM.

mod common;

use std::sync::Arc;

use ballast_client::{
    Amounts, BallastError, Chain, ChainError, EXPIRY_MARGIN, Keypair, Outcome, Request, Signer,
    instruction,
};
use ballast_localnet::{
    Localnet, LocalnetExt, PricePost, Programs, Svm, UsdPrice, World, WorldConfig,
};

#[tokio::test]
async fn a_position_lives_and_ends() {
    common::story(Arc::new(Svm::start().unwrap())).await;
}

#[tokio::test]
async fn every_tick_spacing_works_and_prices_move_far() {
    for tick_spacing in [1, 64] {
        let config = WorldConfig::standard().unwrap();
        let config = config.with_tick_spacing(tick_spacing).unwrap();
        let world = World::new(Arc::new(Svm::start().unwrap()), config)
            .await
            .unwrap();
        for price in [230, 160, 200] {
            world.move_price(UsdPrice::dollars(price)).await.unwrap();
            let snapshot = world.snapshot().await.unwrap();
            assert_eq!(
                snapshot.pool.sqrt_price,
                snapshot.oracle_sqrt_price().unwrap(),
                "{tick_spacing} {price}"
            );
        }
        let bob = world
            .trader("bob", Amounts::new(0, 200_000_000))
            .await
            .unwrap();
        world
            .open(&bob, world.worked_example(7).unwrap())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn time_passes_only_when_told_and_old_prices_are_refused_by_name() {
    let svm = Svm::start().unwrap();
    let world = World::new(Arc::new(svm.clone()), WorldConfig::standard().unwrap())
        .await
        .unwrap();
    let start = svm.now_secs();
    let bob = world
        .trader("bob", Amounts::new(0, 200_000_000))
        .await
        .unwrap();
    let args = world.worked_example(1).unwrap();
    world
        .create_tick_arrays([args.tick_lower, args.tick_upper])
        .await
        .unwrap();
    assert_eq!(svm.now_secs(), start);
    svm.pass_time(61).await.unwrap();
    assert_eq!(svm.clock().await.unwrap().now_secs, start + 61);
    let error = world.try_open(&bob, args).await.unwrap_err();
    assert!(error.is(BallastError::PriceStale), "{error}");
    let wide = PricePost {
        conf: u64::MAX,
        ..PricePost::good(
            ballast_client::Side::Base,
            UsdPrice::dollars(200),
            svm.now_secs(),
        )
    };
    world.post_price(UsdPrice::dollars(200)).await.unwrap();
    world.post(&[wide]).await.unwrap();
    let error = world.try_open(&bob, args).await.unwrap_err();
    assert!(error.is(BallastError::PriceTooWide), "{error}");
    world.post_price(UsdPrice::dollars(200)).await.unwrap();
    world.try_open(&bob, args).await.unwrap();
}

#[tokio::test]
async fn the_svm_is_a_chain_like_any_other() {
    let svm = Svm::start().unwrap();
    let sender = svm.sender();
    let stranger = Keypair::new();
    let fund = svm.fund(&stranger.pubkey(), 1_000_000_000).await.unwrap();
    assert!(fund.units.unwrap() > 0);

    // A transaction lands once, however often it is sent.
    let accrue_nothing = ballast_abi::spl::create_associated_token_account_idempotent(
        stranger.pubkey(),
        stranger.pubkey(),
        stranger.pubkey(),
        ballast_abi::spl::TOKEN_PROGRAM,
    );
    let failing = Request::new(&stranger, [accrue_nothing]).compute_limit(50_000);
    let prepared = sender.prepare(&failing).await.unwrap();
    let slot = svm.slot().await.unwrap();
    for _ in 0..2 {
        let outcome = sender.deliver(&prepared).await;
        assert!(
            matches!(outcome, Outcome::Failed { slot: found, .. } if found == slot),
            "{outcome:?}"
        );
    }
    assert_eq!(svm.slot().await.unwrap(), slot + 1);

    // An old blockhash is refused, and known to have expired.
    let prepared = sender
        .prepare(&Request::new(&stranger, []).compute_limit(1_000))
        .await
        .unwrap();
    svm.pass_blocks(151);
    // For so many blocks more nobody calls it expired.
    svm.pass_blocks(EXPIRY_MARGIN);
    let submitted = svm.submit(prepared.transaction()).await;
    assert!(
        matches!(submitted, Err(ChainError::Refused { .. })),
        "{submitted:?}"
    );
    let outcome = sender.deliver(&prepared).await;
    assert!(matches!(outcome, Outcome::Expired), "{outcome:?}");
}

#[tokio::test]
async fn lenders_get_their_tokens_back() {
    let world = World::new(
        Arc::new(Svm::start().unwrap()),
        WorldConfig::standard().unwrap(),
    )
    .await
    .unwrap();
    let lender = world.lender.pubkey();
    for side in [ballast_client::Side::Base, ballast_client::Side::Quote] {
        let shares = world
            .balance(&world.market.share_wallet(&lender, side))
            .await
            .unwrap();
        let withdraw = instruction::withdraw(&world.market, &lender, side, shares, 0);
        world.send(&world.lender, vec![withdraw]).await.unwrap();
    }
    assert_eq!(
        world.wallet_balances(&lender).await.unwrap(),
        world.config.lent
    );
}

/// The stand-ins work at the real programs' addresses, and what is there is what devnet's migrations name.
#[tokio::test]
async fn a_position_lives_and_ends_at_devnets_addresses() {
    let directory = tempfile::tempdir().unwrap();
    let programs = Programs::find().unwrap();
    let programs = programs.at_public_addresses(directory.path()).unwrap();
    let svm = Svm::with_programs(programs).unwrap();
    let config = WorldConfig::devnet().unwrap();
    let named = config.desired.market.unwrap();
    let world = World::new(Arc::new(svm), config).await.unwrap();
    assert_eq!(world.addresses(), named);
    let funds = Amounts::new(1_000_000_000, 200_000_000);
    let bob = world.trader("bob", funds).await.unwrap();
    let args = world.worked_example(1).unwrap();
    let position = world.open(&bob, args).await.unwrap();
    world.move_price(UsdPrice::dollars(196)).await.unwrap();
    let close = instruction::close(&world.market, &position, &bob.wallet, u64::MAX, u64::MAX);
    world.send(&bob.keypair, vec![close]).await.unwrap();
    assert!(world.reload(&position).await.is_err());
}
