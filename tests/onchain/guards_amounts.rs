//! Amounts at the ends of their range.

use ballast_abi::spl;
use ballast_client::{BallastError, BallastEvent, DecreaseArgs, Side, instruction};
use ballast_localnet::Localnet;

use crate::support::{NOTHING, Scene, accepted, code, refused, refused_elsewhere};

const SIDES: [Side; 2] = [Side::Base, Side::Quote];
const MAX: u64 = u64::MAX;
const YEAR: u64 = 31_536_000;

#[tokio::test]
async fn deposits_of_nothing_everything_and_one() {
    let scene = Scene::new().await;
    let by = &scene.liquidator;
    let (key, market) = (by.key(), &scene.world.market);
    for side in SIDES {
        refused(
            scene.world.lend(&by.keypair, side, 0).await,
            BallastError::ZeroAmount,
        );
        refused(
            scene.world.lend(&by.keypair, side, MAX).await,
            BallastError::OutOfRange,
        );
        let above_cap = scene.reserve_params(side).supply_cap;
        refused(
            scene.world.lend(&by.keypair, side, above_cap).await,
            BallastError::SupplyCapExceeded,
        );
        let shares = market.share_wallet(&key, side);
        accepted(scene.world.lend(&by.keypair, side, 1).await);
        assert_eq!(scene.world.balance(&shares).await.unwrap(), 1_000);
        let deposit = |min_shares| instruction::deposit(market, &key, side, 1, min_shares);
        refused(
            scene.send(by, deposit(MAX)).await,
            BallastError::SlippageExceeded,
        );
        refused(
            scene.send(by, deposit(1_001)).await,
            BallastError::SlippageExceeded,
        );
        accepted(scene.send(by, deposit(1_000)).await);
    }
}

#[tokio::test]
async fn withdrawals_of_nothing_everything_and_one() {
    let scene = Scene::new().await;
    let by = &scene.liquidator;
    let (key, market) = (by.key(), &scene.world.market);
    for side in SIDES {
        accepted(scene.world.lend(&by.keypair, side, 1_000).await);
        let withdraw = |shares, min| instruction::withdraw(market, &key, side, shares, min);
        refused(
            scene.send(by, withdraw(0, 0)).await,
            BallastError::ZeroAmount,
        );
        refused(
            scene.send(by, withdraw(MAX, 0)).await,
            BallastError::OutOfRange,
        );
        // A thousandth of a unit: paying nothing for a share is refused, too.
        refused(
            scene.send(by, withdraw(1, 0)).await,
            BallastError::RoundsToZero,
        );
        refused(
            scene.send(by, withdraw(1_000, 2)).await,
            BallastError::SlippageExceeded,
        );
        accepted(scene.send(by, withdraw(1_000, 1)).await);
        // More than one's own: the token program refuses to burn it.
        let foreign = scene.send(by, withdraw(1_000_000, 0)).await;
        refused_elsewhere(foreign, spl::TOKEN_PROGRAM, code::INSUFFICIENT_FUNDS);
        accepted(scene.send(by, withdraw(999_000, 999)).await);
    }
}

#[tokio::test]
async fn opening_with_nothing_everything_and_one() {
    let scene = Scene::new().await;
    let example = scene.example(1);
    let mut args = example;
    args.own_quote = 0;
    refused(scene.try_open(args).await, BallastError::ZeroAmount);
    // Rounding counts against the owner.
    args.own_quote = 1;
    refused(scene.try_open(args).await, BallastError::LeverageTooHigh);
    // Nobody has that much; the token program says so.
    for (base, quote) in [(0, MAX), (MAX, 0), (MAX, MAX)] {
        (args.own_base, args.own_quote) = (base, quote);
        let sent = scene.try_open(args).await;
        refused_elsewhere(sent, spl::TOKEN_PROGRAM, code::INSUFFICIENT_FUNDS);
    }
    let mut args = example;
    args.min_liquidity = u128::MAX;
    refused(scene.try_open(args).await, BallastError::SlippageExceeded);
    let mut args = example;
    args.max_base_debt = 0;
    refused(scene.try_open(args).await, BallastError::SlippageExceeded);
    let mut args = example;
    args.max_quote_debt = 0;
    refused(scene.try_open(args).await, BallastError::SlippageExceeded);
    let mut args = example;
    args.leverage_bps = 0;
    refused(scene.try_open(args).await, BallastError::BadParameters);
    args.leverage_bps = u32::MAX;
    refused(scene.try_open(args).await, BallastError::LeverageTooHigh);

    // With the exact result as bounds it opens, and with any of them a unit tighter it does not.
    let position = scene.open(9).await;
    let (model, _) = scene.model(&position).await;
    let mut args = example;
    args.min_liquidity = model.liquidity;
    (args.max_base_debt, args.max_quote_debt) = (model.debt.base, model.debt.quote);
    let mut tighter = [args; 3];
    tighter[0].min_liquidity += 1;
    tighter[1].max_base_debt -= 1;
    tighter[2].max_quote_debt -= 1;
    for args in tighter {
        refused(scene.try_open(args).await, BallastError::SlippageExceeded);
    }
    accepted(scene.try_open(args).await);
}

#[tokio::test]
async fn impossible_ranges_open_nothing() {
    let scene = Scene::new().await;
    let example = scene.example(1);
    let (lower, upper) = (example.tick_lower, example.tick_upper);
    let pool_program = scene.world.market.market.whirlpool_program;
    for (tick_lower, tick_upper) in [(upper, lower), (lower, lower), (lower + 1, upper), (0, 0)] {
        let mut args = example;
        (args.tick_lower, args.tick_upper) = (tick_lower, tick_upper);
        let sent = scene.try_open(args).await;
        refused_elsewhere(sent, pool_program, code::INVALID_TICK_INDEX);
    }
    for (tick_lower, tick_upper) in [(i32::MIN, upper), (lower, i32::MAX), (i32::MIN, i32::MAX)] {
        let mut args = example;
        (args.tick_lower, args.tick_upper) = (tick_lower, tick_upper);
        refused(scene.try_open(args).await, BallastError::OutOfRange);
    }
    accepted(scene.try_open(example).await);
}

#[tokio::test]
async fn decreasing_by_nothing_everything_and_one() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let liquidity = scene.model(&position).await.0.liquidity;
    refused(
        scene.decrease(&position, NOTHING).await,
        BallastError::ZeroAmount,
    );
    for too_much in [liquidity + 1, u128::MAX] {
        let args = DecreaseArgs {
            liquidity: too_much,
            ..NOTHING
        };
        refused(
            scene.decrease(&position, args).await,
            BallastError::OutOfRange,
        );
    }
    // Amounts are upper bounds: nothing is idle, so nothing is repaid and nothing paid.
    let before = scene.bytes(&position.address).await;
    let wallet = scene
        .world
        .wallet_balances(&scene.alice.key())
        .await
        .unwrap();
    let args = DecreaseArgs {
        liquidity: 0,
        repay_base: MAX,
        repay_quote: MAX,
        pay_base: MAX,
        pay_quote: MAX,
    };
    accepted(scene.decrease(&position, args).await);
    assert_eq!(scene.bytes(&position.address).await, before);
    let now = scene
        .world
        .wallet_balances(&scene.alice.key())
        .await
        .unwrap();
    assert_eq!(now, wallet);
    // One unit of liquidity, which is worth less than a unit of either token.
    let args = DecreaseArgs {
        liquidity: 1,
        ..NOTHING
    };
    accepted(scene.decrease(&position, args).await);
    let (model, _) = scene.model(&position).await;
    assert_eq!(model.liquidity, liquidity - 1);
    // All of it.
    let args = DecreaseArgs {
        liquidity: liquidity - 1,
        repay_base: MAX,
        repay_quote: MAX,
        ..NOTHING
    };
    accepted(scene.decrease(&position, args).await);
    let (model, _) = scene.model(&position).await;
    assert_eq!((model.liquidity, model.debt.quote), (0, 0));
    accepted(scene.close(&position).await);
}

#[tokio::test]
async fn one_unit_is_paid_out_and_one_repaid() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let liquidity = scene.model(&position).await.0.liquidity / 10;
    accepted(
        scene
            .decrease(
                &position,
                DecreaseArgs {
                    liquidity,
                    ..NOTHING
                },
            )
            .await,
    );
    let (before, _) = scene.model(&position).await;
    let wallet = scene
        .world
        .wallet_balances(&scene.alice.key())
        .await
        .unwrap();
    let one = DecreaseArgs {
        liquidity: 0,
        repay_base: 1,
        repay_quote: 1,
        pay_base: 1,
        pay_quote: 1,
    };
    accepted(scene.decrease(&position, one).await);
    let (after, _) = scene.model(&position).await;
    let now = scene
        .world
        .wallet_balances(&scene.alice.key())
        .await
        .unwrap();
    for side in SIDES {
        assert_eq!(after.debt.get(side), before.debt.get(side) - 1);
        assert_eq!(after.idle.get(side), before.idle.get(side) - 2);
        assert_eq!(now.get(side), wallet.get(side) + 1);
    }
}

#[tokio::test]
async fn a_repayment_cannot_round_to_nothing() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let liquidity = scene.model(&position).await.0.liquidity / 10;
    accepted(
        scene
            .decrease(
                &position,
                DecreaseArgs {
                    liquidity,
                    ..NOTHING
                },
            )
            .await,
    );
    // Years of interest, so that a unit is worth less than a unit of the debt that was taken.
    scene.svm.pass_time(20 * YEAR).await.unwrap();
    for _ in 0..50 {
        let before = scene.world.reload(&position).await.unwrap().position;
        let reserves = [
            scene.reserve(Side::Base).await,
            scene.reserve(Side::Quote).await,
        ];
        for reserve in &reserves {
            assert!(reserve.borrow_index_x64 > 1 << 64);
        }
        let one = DecreaseArgs {
            repay_base: 1,
            repay_quote: 1,
            ..NOTHING
        };
        accepted(scene.decrease(&position, one).await);
        let after = scene.world.reload(&position).await.unwrap().position;
        for (side, before, after) in [
            (Side::Base, before.base_debt_shares, after.base_debt_shares),
            (
                Side::Quote,
                before.quote_debt_shares,
                after.quote_debt_shares,
            ),
        ] {
            let burned = before.get() - after.get();
            assert!(burned > 0);
            // Never more than was paid for: what is owed falls by at most the unit.
            let reserve = scene.reserve(side).await;
            assert!(reserve.debt_of_up(burned).unwrap() <= 1);
        }
        assert_eq!(after.idle_base, before.idle_base - 1);
        assert_eq!(after.idle_quote, before.idle_quote - 1);
        for (side, reserve) in SIDES.into_iter().zip(&reserves) {
            let now = scene.reserve(side).await;
            assert_eq!(now.liquidity, reserve.liquidity + 1);
            assert!(now.debt_shares < reserve.debt_shares);
            // Lenders never lose by it.
            assert!(now.total_assets_down().unwrap() >= reserve.total_assets_down().unwrap());
        }
    }
}

#[tokio::test]
async fn closing_takes_no_more_than_allowed() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    // Above the start, more base is owed than the pool holds.
    scene.price(204).await;
    refused(
        scene.close_for(&position, 0, 0).await,
        BallastError::DebtRemains,
    );
    refused(
        scene.close_for(&position, 0, MAX).await,
        BallastError::DebtRemains,
    );
    let (model, oracle) = scene.model(&position).await;
    let missing = model.debt.base - model.pool_amounts_down(oracle).unwrap().base;
    refused(
        scene.close_for(&position, missing - 1, 0).await,
        BallastError::DebtRemains,
    );
    let receipt = accepted(scene.close_for(&position, missing, 0).await);
    let Some(BallastEvent::PositionClosed(event)) = receipt.events.last() else {
        panic!("no event: {:?}", receipt.events);
    };
    assert_eq!((event.brought_base, event.brought_quote), (missing, 0));
}

#[tokio::test]
async fn liquidating_takes_no_more_than_allowed() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    // Above the band all collateral is quote: base has to be brought.
    scene.price(260).await;
    refused(
        scene.liquidate_for(&position, 0, 0).await,
        BallastError::NothingToPayWith,
    );
    refused(
        scene.liquidate_for(&position, 0, MAX).await,
        BallastError::NothingToPayWith,
    );
    accepted(scene.liquidate_for(&position, MAX, 0).await);
}

#[tokio::test]
async fn health_is_checked_against_any_limit() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let (model, oracle) = scene.model(&position).await;
    let ltv = model.value(oracle).unwrap().ltv_bps_up();
    let check = async |limit| {
        let check = instruction::check_health(&scene.world.market, &position.address, limit);
        scene.send(&scene.keeper, check).await
    };
    refused(check(0).await, BallastError::InitialLtvExceeded);
    refused(check(ltv - 1).await, BallastError::InitialLtvExceeded);
    accepted(check(ltv).await);
    accepted(check(u32::MAX).await);
}
