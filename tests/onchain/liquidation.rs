//! Liquidations: in part, in full, and of what can no longer pay.

use ballast_client::{
    Amounts, BallastError, BallastEvent, Bps, Receipt, Side, SqrtPrice,
    ballast::events::{BadDebtBooked, Liquidated},
};
use ballast_localnet::{Localnet, UsdPrice, WorldConfig};
use ballast_model::{lending::ReserveState, plan_liquidation, value_down};

use crate::support::{Scene, accepted, refused};

const SIDES: [Side; 2] = [Side::Base, Side::Quote];
const YEAR: u64 = 31_536_000;

fn liquidated(receipt: &Receipt) -> &Liquidated {
    match receipt.events.last() {
        Some(BallastEvent::Liquidated(event)) => event,
        _ => panic!("no liquidation: {:?}", receipt.events),
    }
}

fn bad_debts<'a>(receipt: &'a Receipt) -> Vec<&'a BadDebtBooked> {
    let bad_debt = |event: &'a BallastEvent| match event {
        BallastEvent::BadDebtBooked(event) => Some(event),
        _ => None,
    };
    receipt.events.iter().filter_map(bad_debt).collect()
}

fn worth(amounts: Amounts, at: SqrtPrice) -> i128 {
    (value_down(amounts.base, at).unwrap() + u128::from(amounts.quote)) as i128
}

fn worth_of_change(before: Amounts, after: Amounts, at: SqrtPrice) -> i128 {
    worth(after, at) - worth(before, at)
}

/// A partial liquidation at this price, on either side of the band, does exactly what the plan says.
async fn partial(dollars: i64) {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(dollars).await;
    let (before, oracle) = scene.model(&position).await;
    let limits = scene.world.market.market.limits;
    let (target, bonus) = (
        Bps::new(limits.target_ltv_bps),
        Bps::new(limits.liquidation_bonus_bps),
    );
    let plan = plan_liquidation(&before, oracle, target, bonus).unwrap();
    assert!(!plan.full);
    let key = scene.liquidator.key();
    let wallet = scene.world.wallet_balances(&key).await.unwrap();

    let receipt = accepted(scene.liquidate(&position).await);
    let event = liquidated(&receipt);
    assert!(!event.full);
    assert!(bad_debts(&receipt).is_empty());
    assert_eq!(event.liquidity, plan.withdraw_liquidity);
    assert_eq!(
        (event.repaid_base, event.repaid_quote),
        (plan.repay.base, plan.repay.quote)
    );
    // To the target, to the last units that rounding allows.
    let (after, _) = scene.model(&position).await;
    let value = after.value(oracle).unwrap();
    let off = value.debt as i128 - value.assets as i128 * 6_500 / 10_000;
    assert!(off.abs() <= 5, "{off} units off the target: {value:?}");
    assert_eq!(value.ltv_bps_up(), event.ltv_after_bps);
    for side in SIDES {
        assert_eq!(
            after.debt.get(side),
            before.debt.get(side) - plan.repay.get(side)
        );
    }

    // The liquidator gains the bonus and nothing else: 3 % of what was repaid, but for rounding.
    let repaid = worth(plan.repay, oracle);
    let now = scene.world.wallet_balances(&key).await.unwrap();
    let gain = worth_of_change(wallet, now, oracle);
    assert!(
        (gain - i128::from(event.bonus)).abs() <= 2,
        "{gain} {}",
        event.bonus
    );
    let most = repaid * 300 / 10_000;
    assert!(gain <= most + 1 && gain >= most - 5, "{gain} of {most}");
    // The owner loses exactly that.
    let lost = before.equity_down(oracle).unwrap() - after.equity_down(oracle).unwrap();
    assert!((lost - gain).abs() <= 5, "{lost} {gain}");
    let stored = scene.world.reload(&position).await.unwrap().position;
    assert_eq!(
        (stored.liquidations, stored.entry.liquidation_bonus),
        (1, event.bonus)
    );
    refused(
        scene.liquidate(&position).await,
        BallastError::NotLiquidatable,
    );
}

#[tokio::test]
async fn above_the_band_a_part_restores_the_target() {
    partial(260).await;
}

#[tokio::test]
async fn below_the_band_a_part_restores_the_target() {
    partial(105).await;
}

/// The pool stays at 200, where the liquidity pays out more at the oracle's price than it was valued at.
async fn with_the_pool_left_behind(dollars: i64) {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.oracle(dollars).await;
    let (before, oracle) = scene.model(&position).await;
    let key = scene.liquidator.key();
    let wallet = scene.world.wallet_balances(&key).await.unwrap();
    let receipt = accepted(scene.liquidate(&position).await);
    let event = liquidated(&receipt);
    let repaid = worth(Amounts::new(event.repaid_base, event.repaid_quote), oracle);
    let now = scene.world.wallet_balances(&key).await.unwrap();
    let gain = worth_of_change(wallet, now, oracle);
    assert!(
        gain > 0 && gain <= repaid * 300 / 10_000 + 2,
        "{gain} for {repaid}"
    );
    // What the collateral was worth more stays the owner's.
    let (after, _) = scene.model(&position).await;
    let value = after.value(oracle).unwrap();
    assert!(value.ltv_bps_up() <= 6_500, "{}", value.ltv_bps_up());
    let lost = before.equity_down(oracle).unwrap() - after.equity_down(oracle).unwrap();
    assert!(
        lost <= gain + 5,
        "the owner lost {lost}, the liquidator gained {gain}"
    );
}

#[tokio::test]
async fn a_pool_left_behind_pays_no_more_than_the_bonus() {
    with_the_pool_left_behind(105).await;
    with_the_pool_left_behind(260).await;
}

#[tokio::test]
async fn where_the_bonus_no_longer_fits_everything_is_closed() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(335).await;
    let (before, oracle) = scene.model(&position).await;
    let value = before.value(oracle).unwrap();
    assert!(value.assets > value.debt && value.assets * 100 < value.debt * 103);
    let reserves = [
        scene.reserve(Side::Base).await,
        scene.reserve(Side::Quote).await,
    ];
    let key = scene.liquidator.key();
    let wallet = scene.world.wallet_balances(&key).await.unwrap();

    let receipt = accepted(scene.liquidate(&position).await);
    let event = liquidated(&receipt);
    assert!(event.full && event.ltv_after_bps == 0);
    assert!(bad_debts(&receipt).is_empty());
    assert_eq!(
        (event.repaid_base, event.repaid_quote),
        (before.debt.base, before.debt.quote)
    );
    let stored = scene.world.reload(&position).await.unwrap().position;
    assert!(stored.is_debt_free() && stored.liquidity.get() == 0);
    // The bonus is what there was, less than 3 %.
    let now = scene.world.wallet_balances(&key).await.unwrap();
    let gain = worth_of_change(wallet, now, oracle);
    assert!(
        (gain - value.equity()).abs() <= 3,
        "{gain} of {}",
        value.equity()
    );
    // Lenders got all of it back.
    for (side, before) in SIDES.into_iter().zip(reserves) {
        let after = scene.reserve(side).await;
        assert_eq!(after.debt_shares, 0);
        assert!(after.total_assets_down().unwrap() >= before.total_assets_down().unwrap());
        assert_eq!(
            scene.world.snapshot().await.unwrap().reserve(side).bad_debt,
            0
        );
    }
    // What is left is an empty position; the owner closes it and pays nothing.
    accepted(scene.close_for(&position, 0, 0).await);
}

/// A market with few lenders, an open position, and a year of interest, of which a tenth went to the insurance.
async fn after_a_year() -> (Scene, ballast_client::PositionContext) {
    let config = WorldConfig {
        lent: Amounts::new(1_000_000_000, 80_000_000),
        ..WorldConfig::standard().unwrap()
    };
    let scene = Scene::with(config).await;
    let position = scene.open(1).await;
    scene.svm.pass_time(YEAR).await.unwrap();
    scene.price(200).await;
    for side in SIDES {
        assert!(scene.reserve(side).await.insurance > 0);
    }
    (scene, position)
}

/// Liquidates an insolvent position and checks every number of the books; gives what lenders lost.
async fn insolvent(scene: &Scene, position: &ballast_client::PositionContext) -> [u64; 2] {
    let (before, oracle) = scene.model(position).await;
    let value = before.value(oracle).unwrap();
    assert!(value.debt > value.assets);
    let reserves = [
        scene.reserve(Side::Base).await,
        scene.reserve(Side::Quote).await,
    ];
    let key = scene.liquidator.key();
    let wallet = scene.world.wallet_balances(&key).await.unwrap();

    let receipt = accepted(scene.liquidate(position).await);
    let event = liquidated(&receipt);
    assert!(event.full && event.ltv_after_bps == 0);
    let stored = scene.world.reload(position).await.unwrap().position;
    assert!(stored.is_debt_free() && stored.liquidity.get() == 0);

    // No bonus at the lenders' cost: the liquidator gets what was paid for, and what the insurance pays for booking the loss.
    let rewarded = SIDES.map(|side| {
        let address = scene.world.market.reserve(side);
        let paid = receipt.events.iter().map(|event| match event {
            BallastEvent::WriteOffRewarded(paid) if paid.reserve == address => paid.amount,
            _ => 0,
        });
        paid.sum::<u64>()
    });
    let now = scene.world.wallet_balances(&key).await.unwrap();
    let gain = worth_of_change(wallet, now, oracle);
    let reward = worth(Amounts::new(rewarded[0], rewarded[1]), oracle);
    assert!((-1..=4).contains(&(gain - reward)), "{gain} {reward}");

    let booked = bad_debts(&receipt);
    let mut lost = [0; 2];
    for (((side, before_reserve), lost), rewarded) in
        SIDES.into_iter().zip(reserves).zip(&mut lost).zip(rewarded)
    {
        let insurance = before_reserve.insurance - rewarded;
        let address = scene.world.market.reserve(side);
        let event = booked.iter().find(|event| event.reserve == address);
        let event = event.unwrap_or_else(|| panic!("no bad debt of {side:?}"));
        let after: ReserveState = scene.reserve(side).await;
        assert_eq!(after.debt_shares, 0);
        assert_eq!(event.amount, event.from_insurance + event.from_lenders);
        // The insurance goes first, and as far as it goes.
        assert_eq!(event.from_insurance, event.amount.min(insurance));
        assert_eq!(after.insurance, insurance - event.from_insurance);
        // The lenders' assets fall by exactly the rest, and no share is made or burned.
        assert_eq!(after.supply_shares, before_reserve.supply_shares);
        assert_eq!(
            after.total_assets_down().unwrap() + event.from_lenders,
            before_reserve.total_assets_down().unwrap()
        );
        // What was repaid is in the vault.
        let repaid = after.liquidity + rewarded - before_reserve.liquidity;
        assert_eq!(
            repaid + event.amount,
            before_reserve.total_debt_up().unwrap()
        );
        let vault = scene
            .world
            .balance(&scene.world.market.vault(side))
            .await
            .unwrap();
        assert_eq!(vault, after.liquidity);
        let stored = scene.world.snapshot().await.unwrap();
        assert_eq!(stored.reserve(side).bad_debt, event.from_lenders);
        *lost = event.from_lenders;
    }
    lost
}

/// Moves to the first price, in steps of five cents, at which the position's equity is below `equity`.
async fn price_of_equity_below(
    scene: &Scene,
    position: &ballast_client::PositionContext,
    equity: i128,
) {
    let (model, _) = scene.model(position).await;
    let price = (300 * 20..400 * 20)
        .map(|step| UsdPrice::from_units(step * 5_000_000))
        .find(|price| {
            let at = price.sqrt_price(UsdPrice::ONE, 9, 6).unwrap();
            model.equity_down(at).unwrap() < equity
        });
    scene.world.move_price(price.unwrap()).await.unwrap();
}

#[tokio::test]
async fn bad_debt_is_the_insurances_first() {
    let (scene, position) = after_a_year().await;
    price_of_equity_below(&scene, &position, -500_000).await;
    assert_eq!(insolvent(&scene, &position).await, [0, 0]);
    accepted(scene.close_for(&position, 0, 0).await);
}

#[tokio::test]
async fn fees_pay_before_anybody_loses() {
    let (scene, position) = after_a_year().await;
    // What it earned while the price went through its band is more than it lacks.
    price_of_equity_below(&scene, &position, 0).await;
    let reserves = [
        scene.reserve(Side::Base).await,
        scene.reserve(Side::Quote).await,
    ];
    let (before, oracle) = scene.model(&position).await;
    assert!(before.equity_down(oracle).unwrap() < 0);
    let receipt = accepted(scene.liquidate(&position).await);
    assert!(liquidated(&receipt).full);
    assert!(bad_debts(&receipt).is_empty());
    for (side, before) in SIDES.into_iter().zip(reserves) {
        let after = scene.reserve(side).await;
        assert_eq!((after.debt_shares, after.insurance), (0, before.insurance));
        assert_eq!(
            after.total_assets_down().unwrap(),
            before.total_assets_down().unwrap()
        );
    }
}

#[tokio::test]
async fn bad_debt_beyond_the_insurance_is_the_lenders() {
    let (scene, position) = after_a_year().await;
    scene.price(400).await;
    let lost = insolvent(&scene, &position).await;
    assert!(lost.iter().all(|lost| *lost > 0), "{lost:?}");
    // What is left is theirs, to the last unit but for the virtual share's.
    for side in SIDES {
        let lender = &scene.world.lender;
        use ballast_client::{Signer, instruction};
        let market = &scene.world.market;
        let shares = market.share_wallet(&lender.pubkey(), side);
        let shares = scene.world.balance(&shares).await.unwrap();
        let before = scene.reserve(side).await;
        let expected = before.to_assets_down(shares).unwrap();
        let withdraw = instruction::withdraw(market, &lender.pubkey(), side, shares, expected);
        accepted(scene.world.send(lender, vec![withdraw]).await);
        let after = scene.reserve(side).await;
        assert_eq!(after.supply_shares, 0);
        assert!(after.liquidity <= 2, "{} left", after.liquidity);
    }
    accepted(scene.close_for(&position, 0, 0).await);
}

#[tokio::test]
async fn one_markets_bad_debt_is_not_anothers() {
    let scene = Scene::new().await;
    let bob = scene.world.trader("bob", Amounts::ZERO).await.unwrap();
    let other = scene.second_market(&bob, Default::default()).await;
    let read = async || {
        let mut reserves = Vec::new();
        for side in SIDES {
            reserves.push(scene.bytes(&other.reserve(side)).await);
        }
        reserves
    };
    let untouched = read().await;
    let position = scene.open(1).await;
    scene.price(400).await;
    let lost = insolvent(&scene, &position).await;
    assert!(lost.iter().all(|lost| *lost > 0));
    assert_eq!(read().await, untouched);
}
