//! One test for each published incident of comparable systems: what happened there, in a line, and that it does not here. Most
//! of it is tested at more length elsewhere.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use ballast_client::{
    Amounts, BallastError, DecreaseArgs, IncreaseArgs, Policy, PositionContext, Side, instruction,
};
use ballast_localnet::{PricePost, UsdPrice};
use ballast_model::Position;

use crate::{
    support::{ANY, NOTHING, Scene, accepted, refused, substitute},
    two::MORE,
};

async fn owed(scene: &Scene, position: &PositionContext) -> Amounts {
    scene.model(position).await.0.debt
}

/// A repayment of a small part was computed as a percentage, truncated to zero, and the collateral was released for nothing.
#[tokio::test]
async fn a_small_repayment_is_not_truncated_to_zero() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let market = &scene.world.market;
    for side in [Side::Base, Side::Quote] {
        let (before, vault) = (owed(&scene, &position).await, scene.reserve(side).await);
        let one = Amounts::only(side, 1);
        let wallet = &scene.alice.wallet;
        let repay = instruction::repay(market, &position, wallet, one.base, one.quote);
        accepted(scene.send(&scene.alice, repay).await);
        let after = owed(&scene, &position).await;
        assert_eq!(after.get(side), before.get(side) - 1);
        assert_eq!(scene.reserve(side).await.liquidity, vault.liquidity + 1);
    }
    // The least liquidity there is, and the least part of a debt that it repays.
    let less = DecreaseArgs {
        liquidity: 1,
        repay_base: 1,
        repay_quote: 1,
        ..NOTHING
    };
    let (before, _) = scene.model(&position).await;
    accepted(scene.decrease(&position, less).await);
    let (after, _) = scene.model(&position).await;
    assert_eq!(after.liquidity, before.liquidity - 1);
    let repaid = (before.debt.base - after.debt.base) + (before.debt.quote - after.debt.quote);
    let idle = (before.idle.base + before.idle.quote) as i128
        - (after.idle.base + after.idle.quote) as i128;
    // Nothing was paid out: what left the pool is idle or has repaid.
    assert!(
        idle <= i128::from(repaid),
        "{idle} left for {repaid} repaid"
    );
}

/// Leverage was checked on what was asked for, before a swap that lost part of the equity.
#[tokio::test]
async fn leverage_is_checked_after_the_swap_as_well_as_before() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let ask = |leverage_bps| IncreaseArgs {
        own_base: 2_000_000_000,
        own_quote: 0,
        leverage_bps,
        ..MORE
    };
    refused(
        scene.increase(&position, ask(40_001)).await,
        BallastError::LeverageTooHigh,
    );
    // At the limit, with a swap of base worth four times what the position had.
    let sent = scene.increase(&position, ask(40_000)).await;
    if let Err(error) = sent {
        let checked = [
            BallastError::LeverageTooHigh,
            BallastError::InitialLtvExceeded,
            BallastError::StressLtvExceeded,
        ];
        assert!(checked.iter().any(|known| error.is(*known)), "{error}");
    }
    let limits = scene.market().await.limits;
    let (model, oracle) = scene.model(&position).await;
    let value = model.value(oracle).unwrap();
    assert!(value.leverage_bps_up() <= u64::from(limits.max_leverage_bps));
    assert!(value.ltv_bps_up() <= limits.initial_ltv_bps);
}

/// Health was computed at the pool's own price, which a loan for one transaction moves.
#[tokio::test]
async fn health_does_not_follow_the_pools_price() {
    for pushed in [100.0, 400.0] {
        let scene = Scene::new().await;
        let position = scene.open(1).await;
        let (before, oracle) = scene.model(&position).await;
        scene.pool(pushed).await;
        refused(
            scene.liquidate(&position).await,
            BallastError::NotLiquidatable,
        );
        refused(
            scene.deleverage(&position, &scene.keeper).await,
            BallastError::DeleverageNotDue,
        );
        let ltv = before.value(oracle).unwrap().ltv_bps_up();
        let check = |max| instruction::check_health(&scene.world.market, &position.address, max);
        accepted(scene.send(&scene.keeper, check(ltv + 1)).await);
        // Nor does a pushed pool let anybody borrow more.
        refused(
            scene.try_open(scene.example(2)).await,
            BallastError::PoolDiverged,
        );
        refused(
            scene.increase(&position, MORE).await,
            BallastError::PoolDiverged,
        );
    }
}

/// Tokens sent straight to a vault or a position changed share prices and health.
#[tokio::test]
async fn what_is_sent_directly_changes_no_price_and_no_health() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let (before, _) = scene.model(&position).await;
    let reserves = [
        scene.reserve(Side::Base).await,
        scene.reserve(Side::Quote).await,
    ];
    for side in [Side::Base, Side::Quote] {
        let own = match side {
            Side::Base => position.position.base_account,
            Side::Quote => position.position.quote_account,
        };
        for to in [own, scene.world.market.vault(side)] {
            scene.donate(side, to, 50_000_000_000).await;
        }
    }
    let (after, _) = scene.model(&position).await;
    assert_eq!(after, before);
    for (side, before) in [Side::Base, Side::Quote].into_iter().zip(reserves) {
        assert_eq!(scene.reserve(side).await, before);
    }
}

/// At the very edge of a range the two sides of a program rounded to different ticks, and liquidity was counted twice or not
/// at all.
#[tokio::test]
async fn at_the_edges_of_the_band_nothing_is_counted_twice() {
    for upper in [false, true] {
        for by in [-1, 0, 1] {
            let scene = Scene::new().await;
            let position = scene.open(1).await;
            let tick = if upper {
                position.position.tick_upper
            } else {
                position.position.tick_lower
            };
            let edge = ballast_client::Tick::new(tick).unwrap().sqrt_price().x64();
            let at = ballast_client::SqrtPrice::new(edge.checked_add_signed(by).unwrap()).unwrap();
            scene.world.move_pool(at).await.unwrap();
            assert_eq!(scene.world.pool().await.unwrap().sqrt_price, at);
            let (before, _) = scene.model(&position).await;
            let there = before.pool_amounts_down(at).unwrap();
            match (upper, by) {
                (true, 0 | 1) => assert_eq!(there.base, 0),
                (false, -1 | 0) => assert_eq!(there.quote, 0),
                _ => {}
            }
            let all = DecreaseArgs {
                liquidity: before.liquidity,
                ..NOTHING
            };
            accepted(scene.decrease(&position, all).await);
            let (after, _) = scene.model(&position).await;
            for side in [Side::Base, Side::Quote] {
                let came = after.idle.get(side) - before.idle.get(side);
                assert_eq!(came, there.get(side), "{side:?} at {by} of the edge");
            }
        }
    }
}

/// A liquidator passed another pool of the same two tokens, in which the collateral was worth less.
#[tokio::test]
async fn another_pool_of_the_same_tokens_values_nothing() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let market = &scene.world.market.market;
    let other = Scene::fresh_address("another pool of the same tokens");
    scene
        .copy_account(&market.whirlpool, &other, |account| {
            let at = ballast_abi::whirlpool::layout::pool::SQRT_PRICE;
            let price = u128::from_le_bytes(account.data[at..at + 16].try_into().unwrap());
            account.data[at..at + 16].copy_from_slice(&(price / 2).to_le_bytes());
        })
        .await;
    scene.price(262).await;
    let by = &scene.liquidator;
    let liquidate = instruction::liquidate(
        &scene.world.market,
        &position,
        &by.key(),
        &by.wallet,
        ANY,
        0,
    );
    let forged = substitute(liquidate.clone(), market.whirlpool, other);
    refused(scene.send(by, forged).await, BallastError::WrongPool);
    accepted(scene.send(by, liquidate).await);
}

/// The owner repaid one unit just before, and the liquidation that had named the old amounts failed.
#[tokio::test]
async fn a_repayment_of_one_unit_blocks_no_liquidation() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(262).await;
    let (by, market) = (&scene.liquidator, &scene.world.market);
    // Made before, sent after.
    let liquidate = instruction::liquidate(market, &position, &by.key(), &by.wallet, ANY, 0);
    let repay = instruction::repay(market, &position, &scene.alice.wallet, 1, 1);
    accepted(scene.send(&scene.alice, repay).await);
    let less = DecreaseArgs {
        liquidity: 1,
        ..NOTHING
    };
    accepted(scene.decrease(&position, less).await);
    accepted(scene.send(by, liquidate).await);
}

/// An owner whose accounts took part could close or freeze them, so that every liquidation failed.
#[tokio::test]
async fn an_owner_cannot_make_a_liquidation_fail() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let (by, market, alice) = (&scene.liquidator, &scene.world.market, &scene.alice);
    let liquidate = || instruction::liquidate(market, &position, &by.key(), &by.wallet, ANY, 0);
    let owners = [alice.key(), alice.wallet.base, alice.wallet.quote];
    for meta in liquidate().accounts {
        assert!(
            !owners.contains(&meta.pubkey),
            "{} is the owner's",
            meta.pubkey
        );
    }
    // Everything that an owner decides: no keepers, no automation, another owner to come, no tokens any more.
    let off = |policy: &mut Policy| policy.keeper_enabled = 0;
    scene.change_policy(&position, off).await;
    let offer = instruction::transfer(&alice.key(), &position.address, by.key());
    accepted(scene.send(alice, offer).await);
    for account in [alice.wallet.base, alice.wallet.quote] {
        scene.patch(&account, |data| data.fill(0)).await;
    }
    scene.price(262).await;
    accepted(scene.send(by, liquidate()).await);
}

/// Of several valid prices the attacker chose the old one first and the fresh one afterwards, and traded the difference.
#[tokio::test]
async fn after_a_fresh_price_no_older_one_is_chosen() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let then = scene.svm.now_secs();
    scene.wait(20, 203).await;
    scene.pool(203.0).await;
    accepted(scene.increase(&position, MORE).await);
    let old = [
        PricePost::good(Side::Base, UsdPrice::dollars(200), then + 9),
        PricePost::good(Side::Quote, UsdPrice::ONE, then + 9),
    ];
    accepted(scene.world.post(&old).await);
    // Still young enough for everything, but older than the grace, and of another price.
    let args = scene.ticks_around(203, 512);
    for sent in [
        scene.increase(&position, MORE).await,
        scene.try_open(scene.example(2)).await,
        scene.rehedge(&position, &scene.keeper).await,
        scene.recenter(&position, &scene.alice, args).await,
        scene.exit(&position, &scene.alice).await,
        scene.compound(&position, &scene.alice).await,
        scene.deleverage(&position, &scene.keeper).await,
        scene.liquidate(&position).await,
    ] {
        refused(sent, BallastError::PriceReplayed);
    }
}

/// A check compared a value with itself, or stood behind a condition that never held: it could not fire, and no test had seen
/// it fire.
#[test]
fn every_error_is_named_by_a_test() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let errors = read(&manifest.join("../programs/ballast/src/errors.rs"));
    let names: BTreeSet<&str> = errors
        .lines()
        .filter_map(|line| line.strip_prefix("    ")?.strip_suffix(','))
        .filter(|name| name.chars().all(|letter| letter.is_ascii_alphanumeric()))
        .collect();
    assert!(names.len() > 50, "{names:?}");
    // Parts of a file lie in a directory of its name.
    fn files(directory: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(directory).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .flat_map(|path| match path.is_dir() {
                true => files(&path),
                false => vec![path],
            })
            .collect()
    }
    let tests: String = files(&manifest.join("onchain"))
        .iter()
        .filter(|path| !path.ends_with("incidents.rs"))
        .map(|path| read(path))
        .collect();
    let unseen: Vec<_> = names
        .into_iter()
        .filter(|name| !tests.contains(&format!("BallastError::{name}")))
        .collect();
    assert!(unseen.is_empty(), "no test has seen {unseen:?}");
}

/// A division before a multiplication rounded small positions to no value, and nobody could liquidate them.
#[tokio::test]
async fn the_smallest_position_is_worth_what_it_is() {
    let scene = Scene::new().await;
    let smallest = scene.market().await.limits.min_position_value;
    let args = ballast_client::OpenArgs {
        own_quote: smallest / 3 + 200,
        ..scene.example(1)
    };
    let less = ballast_client::OpenArgs {
        own_quote: smallest / 3 - 200,
        ..args
    };
    refused(scene.try_open(less).await, BallastError::PositionSize);
    let position = scene.world.open(&scene.alice, args).await.unwrap();
    let (model, oracle) = scene.model(&position).await;
    let value = model.value(oracle).unwrap();
    assert!(value.assets >= u128::from(smallest));
    let lost = i128::from(args.own_quote) - value.equity();
    assert!((0..=10).contains(&lost), "{lost}");
    scene.price(262).await;
    let worth = |model: &Position, amounts: Amounts| {
        let price = model.value(oracle).unwrap();
        assert!(price.assets > 0);
        u128::from(amounts.base) * 262 / 1_000 + u128::from(amounts.quote)
    };
    let (before, at) = scene.model(&position).await;
    let had = scene
        .world
        .wallet_balances(&scene.liquidator.key())
        .await
        .unwrap();
    accepted(scene.liquidate(&position).await);
    let has = scene
        .world
        .wallet_balances(&scene.liquidator.key())
        .await
        .unwrap();
    let (after, _) = scene.model(&position).await;
    let gained =
        i128::try_from(worth(&before, has)).unwrap() - i128::try_from(worth(&before, had)).unwrap();
    let repaid = before.value(at).unwrap().debt - after.value(at).unwrap().debt;
    let bonus = i128::try_from(repaid).unwrap() * 300 / 10_000;
    assert!(
        (bonus - 20..=bonus + 5).contains(&gained),
        "{gained}, bonus {bonus}"
    );
}
