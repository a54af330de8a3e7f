//! The worked example: price 200, band 190 to 210, 100 quote of own funds, leverage 3, fully hedged.
//!
//! Ticks cannot hit 190 and 210 exactly. The golden numbers are those of the reference model
//! (`crates/model/reference/model.py`, `delta_neutral`) for the band of the nearest ticks at spacing 1, -16608 and -15607;
//! the example's own round numbers are reproduced to what half a tick at each edge makes of them.

use std::sync::Arc;

use ballast_client::{
    Amounts, BallastError, Bps, Health, PositionContext, Request, Side, instruction,
};
use ballast_localnet::{Svm, Trader, UsdPrice, World, WorldConfig};
use ballast_model::Boundaries;
use borsh::BorshDeserialize;

const LIQUIDITY: u128 = 13_572_181_072;
/// Pool base and base debt.
const BASE: u64 = 731_774_016;
/// Pool quote less own funds: quote debt.
const QUOTE_DEBT: u64 = 53_645_196;
/// Prices in dollars with equity, and exposure (delta), in raw units.
const AT: [(i64, i128, i128); 4] = [
    (190, 96_108_550, 788_177_616),
    (200, 100_000_000, 0),
    (210, 96_298_434, -731_392_285),
    (250, 67_027_475, -731_774_016),
];
/// Liquidation prices at a maintenance LTV of 80 %, in units of 10^-8 dollars.
const LOWER: f64 = 11_079_431_002.43;
const UPPER: f64 = 25_861_500_935.92;

async fn open() -> (World, Trader, PositionContext) {
    let config = WorldConfig::standard()
        .and_then(|config| config.with_tick_spacing(1))
        .unwrap();
    let world = World::new(Arc::new(Svm::start().unwrap()), config)
        .await
        .unwrap();
    assert_eq!(world.market.market.limits.maintenance_ltv_bps, 8_000);
    let alice = world
        .trader("alice", Amounts::new(0, 100_000_000))
        .await
        .unwrap();
    let args = world.worked_example(1).unwrap();
    assert_eq!((args.tick_lower, args.tick_upper), (-16_608, -15_607));
    let position = world.open(&alice, args).await.unwrap();
    (world, alice, position)
}

async fn health(world: &World, position: &PositionContext) -> Health {
    let check = instruction::check_health(&world.market, &position.address, 100_000);
    let prepared = world
        .sender
        .prepare(&Request::new(&world.lender, [check]))
        .await
        .unwrap();
    let simulation = world
        .net
        .chain()
        .simulate(prepared.transaction())
        .await
        .unwrap();
    assert_eq!(simulation.error, None, "{:?}", simulation.logs);
    Health::try_from_slice(&simulation.return_data.unwrap()).unwrap()
}

#[track_caller]
fn assert_near(actual: i128, expected: i128, units: i128) {
    assert!(
        (actual - expected).abs() <= units,
        "{actual} is not within {units} of {expected}"
    );
}

#[tokio::test]
async fn liquidity_debts_equity_and_delta_are_the_references() {
    let (world, alice, position) = open().await;
    let stored = position.position;
    // The pool's price is the square root rounded down, which may cost units of liquidity.
    assert_near(stored.liquidity.get() as i128, LIQUIDITY as i128, 8);
    let model = world
        .snapshot()
        .await
        .unwrap()
        .position(&stored, world.net.chain().clock().await.unwrap().now_secs)
        .unwrap();
    // What the pool takes rounds up.
    assert_near(model.debt.base.into(), i128::from(BASE) + 1, 1);
    assert_near(model.debt.quote.into(), i128::from(QUOTE_DEBT) + 1, 2);
    assert_eq!(stored.idle(), Amounts::ZERO);
    assert_eq!(
        world.wallet_balances(&alice.key()).await.unwrap(),
        Amounts::ZERO
    );
    for (dollars, equity, delta) in AT {
        world.post_price(UsdPrice::dollars(dollars)).await.unwrap();
        let health = health(&world, &position).await;
        assert_near(health.equity, equity, 6);
        assert_near(health.delta, delta, 4);
    }
}

#[tokio::test]
async fn the_round_numbers_hold_to_half_a_tick() {
    let (world, _, position) = open().await;
    // E(190), E(210), E(250) and leverage at 250 for the band of exactly 190 to 210.
    for (dollars, equity) in [
        (190, 96.108_106_142_659),
        (210, 96.298_012_567_098),
        (250, 67.038_983_612_192),
    ] {
        world.post_price(UsdPrice::dollars(dollars)).await.unwrap();
        let found = health(&world, &position).await.equity as f64 / 1e6;
        assert!(
            (found - equity).abs() < 0.02,
            "{dollars}: {found} against {equity}"
        );
    }
    let at_250 = health(&world, &position).await;
    let leverage = at_250.assets as f64 / at_250.equity as f64;
    assert!((leverage - 4.528_898_760_789).abs() < 0.002, "{leverage}");
}

/// Both liquidation prices of the stored position by the shared model, in units of 10^-8 dollars.
async fn boundaries(world: &World, position: &PositionContext) -> [f64; 2] {
    let now_secs = world.net.chain().clock().await.unwrap().now_secs;
    let snapshot = world.snapshot().await.unwrap();
    let model = snapshot.position(&position.position, now_secs).unwrap();
    let Boundaries::Interval { lower, upper } = model.boundaries(Bps::new(8_000)).unwrap() else {
        panic!("the position is healthy");
    };
    [lower, upper].map(|price| {
        let root = price.unwrap().x64() as f64 / 2f64.powi(64);
        root * root * 1e11
    })
}

#[tokio::test]
async fn both_liquidation_prices_are_the_references() {
    let (world, _, position) = open().await;
    let [lower, upper] = boundaries(&world, &position).await;
    // Four raw units of quote, which is what rounding debts and amounts can add up to, over the slope of
    // `0.8 assets - debt`, which is 4.8e8 base below the band and 7.3e8 above it.
    assert!((lower - LOWER).abs() < 4.0 / 4.8e8 * 1e11, "{lower}");
    assert!((upper - UPPER).abs() < 4.0 / 7.3e8 * 1e11, "{upper}");
}

#[tokio::test]
async fn it_is_liquidated_there_to_the_last_unit_that_the_chain_resolves() {
    // One raw unit of quote over the slopes above.
    const LOWER_UNIT: f64 = 1.0 / 4.8e8 * 1e11;
    const UPPER_UNIT: f64 = 1.0 / 7.3e8 * 1e11;
    for (side, unit) in [(0, LOWER_UNIT), (1, -UPPER_UNIT)] {
        let (world, _, position) = open().await;
        let bob = world
            .trader("bob", Amounts::new(1_000_000_000_000, 1_000_000_000_000))
            .await
            .unwrap();
        let liquidate = || {
            instruction::liquidate(
                &world.market,
                &position,
                &bob.key(),
                &bob.wallet,
                Amounts::new(u64::MAX, u64::MAX),
                0,
            )
        };
        let boundary = boundaries(&world, &position).await[side];
        world
            .post_price(UsdPrice::from_units((boundary + unit) as i64))
            .await
            .unwrap();
        let error = world
            .send(&bob.keypair, vec![liquidate()])
            .await
            .unwrap_err();
        assert!(error.is(BallastError::NotLiquidatable), "{error}");
        world
            .post_price(UsdPrice::from_units((boundary - unit) as i64))
            .await
            .unwrap();
        world.send(&bob.keypair, vec![liquidate()]).await.unwrap();
    }
}

#[tokio::test]
async fn everything_comes_back_when_it_is_closed() {
    let (world, alice, position) = open().await;
    let close = instruction::close(&world.market, &position, &alice.wallet, 10, 10);
    // Opening rounded the pool's amounts up and closing rounds them down: a unit or two of each token is missing.
    world
        .mint_to(&alice.key(), Amounts::new(10, 10))
        .await
        .unwrap();
    world.send(&alice.keypair, vec![close]).await.unwrap();
    let wallet = world.wallet_balances(&alice.key()).await.unwrap();
    assert_near(wallet.base.into(), 10, 2);
    assert_near(wallet.quote.into(), 100_000_010, 3);
    for account in [
        position.address,
        position.position.base_account,
        position.position.quote_account,
        position.position.whirlpool_position,
    ] {
        assert_eq!(
            world
                .net
                .chain()
                .accounts(&[account])
                .await
                .unwrap()
                .accounts[0],
            None,
            "{account} is left behind"
        );
    }
    let snapshot = world.snapshot().await.unwrap();
    for side in [Side::Base, Side::Quote] {
        assert_eq!(snapshot.reserve(side).debt_shares.get(), 0);
        assert!(snapshot.reserve(side).liquidity >= world.config.lent.get(side));
    }
}
