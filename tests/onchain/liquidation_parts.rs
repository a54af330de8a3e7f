//! The part of a liquidation that is paid for: by `max_pay`, by the wallet, and with the pool wherever somebody pushed it.

use ballast_client::{
    Amounts, BallastError, BallastEvent, Bps, PositionContext, Receipt, Side, SqrtPrice,
    ballast::events::Liquidated, instruction,
};
use ballast_localnet::Trader;
use ballast_model::{LiquidationPlan, plan_liquidation, value_up, worth_down};

use crate::support::{ANY, Scene, Sent, accepted, refused};

fn liquidated(receipt: &Receipt) -> &Liquidated {
    match receipt.events.last() {
        Some(BallastEvent::Liquidated(event)) => event,
        _ => panic!("no liquidation: {:?}", receipt.events),
    }
}

fn bad_debts(receipt: &Receipt) -> usize {
    let booked = |event: &&BallastEvent| matches!(event, BallastEvent::BadDebtBooked(_));
    receipt.events.iter().filter(booked).count()
}

fn worth(amounts: Amounts, at: SqrtPrice) -> i128 {
    worth_down(amounts, at).unwrap() as i128
}

impl Scene {
    /// Somebody liquidates, for at least so much.
    async fn liquidate_by(
        &self,
        by: &Trader,
        position: &PositionContext,
        most: Amounts,
        min_gain: u64,
    ) -> Sent {
        let market = &self.world.market;
        let (key, wallet) = (by.key(), &by.wallet);
        let liquidate = instruction::liquidate(market, position, &key, wallet, most, min_gain);
        self.send(by, liquidate).await
    }

    /// The whole plan, and what it takes with the pool where it is.
    async fn whole(&self, position: &PositionContext) -> (LiquidationPlan, Amounts) {
        let (model, oracle) = self.model(position).await;
        let limits = self.market().await.limits;
        let bonus = Bps::new(limits.liquidation_bonus_bps);
        let target = Bps::new(limits.target_ltv_bps);
        let plan = plan_liquidation(&model, oracle, target, bonus).unwrap();
        let pool = self.world.pool().await.unwrap().sqrt_price;
        let withdrawn = model.band.amounts_down(plan.withdraw_liquidity, pool);
        let pot = plan.seize_idle.checked_add(withdrawn.unwrap()).unwrap();
        let exchange = plan.exchange(model.debt, pot, bonus, oracle).unwrap();
        (plan, exchange.brought())
    }

    /// A liquidation whose every number is checked: what the wallet brings, what the owner loses, LTV.
    async fn fair(&self, by: &Trader, position: &PositionContext, most: Amounts) -> Receipt {
        let (before, oracle) = self.model(position).await;
        let had = self.world.wallet_balances(&by.key()).await.unwrap();
        let receipt = accepted(self.liquidate_by(by, position, most, 0).await);
        let has = self.world.wallet_balances(&by.key()).await.unwrap();
        for side in [Side::Base, Side::Quote] {
            let brought = had.get(side).saturating_sub(has.get(side));
            assert!(brought <= most.get(side), "{side:?}: {brought}");
        }
        let (after, _) = self.model(position).await;
        let (value, was) = (after.value(oracle).unwrap(), before.value(oracle).unwrap());
        let event = liquidated(&receipt);
        let unit = value_up(1, oracle).unwrap() as i128;
        let repaid = worth(Amounts::new(event.repaid_base, event.repaid_quote), oracle);
        let gain = worth(has, oracle) - worth(had, oracle);
        assert!(
            gain <= repaid * 300 / 10_000 + unit + 2,
            "{gain} of {repaid}"
        );
        let rounding = 4 * unit + 8;
        if was.debt <= was.assets {
            assert!(value.ltv_bps_up() <= was.ltv_bps_up(), "{was:?} {value:?}");
            let lost = was.equity() - value.equity();
            assert!(lost <= gain + rounding, "{lost} lost, {gain} gained");
        } else {
            assert!(
                value.equity() >= was.equity() - rounding,
                "{was:?} {value:?}"
            );
        }
        receipt
    }
}

#[tokio::test]
async fn what_max_pay_pays_for_is_done_and_the_rest_waits() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    // Above the band all collateral is quote: base has to be brought.
    scene.price(260).await;
    let (plan, needed) = scene.whole(&position).await;
    assert!(!plan.full && needed.base > 0 && needed.quote == 0);
    let half = Amounts::new(needed.base / 2, 0);
    let receipt = scene.fair(&scene.liquidator, &position, half).await;
    let event = liquidated(&receipt);
    let brought = event.repaid_base - event.seized_base;
    assert!(
        brought <= half.base && brought + 2 >= half.base,
        "{brought} of {half:?}"
    );
    // Half of the plan, so that LTV is between maintenance and target.
    let liquidity = plan.withdraw_liquidity / 2;
    assert!(event.liquidity.abs_diff(liquidity) <= liquidity / 1_000);
    assert!(event.ltv_after_bps < event.ltv_before_bps && event.ltv_after_bps > 6_600);
    assert!(!event.full);
}

#[tokio::test]
async fn what_the_wallet_pays_for_is_done_and_the_rest_waits() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(260).await;
    let (_, needed) = scene.whole(&position).await;
    let third = Amounts::new(needed.base / 3, 0);
    let poor = scene.world.trader("poor", third).await.unwrap();
    let receipt = scene.fair(&poor, &position, ANY).await;
    let event = liquidated(&receipt);
    let brought = event.repaid_base - event.seized_base;
    assert!(brought <= third.base && brought + 2 >= third.base);
    let left = scene.world.wallet_balances(&poor.key()).await.unwrap();
    assert!(left.base <= 2 && left.quote > 0, "{left:?}");
    // What it was given buys nothing more: of the token that is short nothing is left.
    let spent = scene
        .liquidate_by(&poor, &position, Amounts::new(0, u64::MAX), 0)
        .await;
    if spent
        .as_ref()
        .is_err_and(|error| error.is(BallastError::NotLiquidatable))
    {
        return;
    }
    refused(spent, BallastError::NothingToPayWith);
}

#[tokio::test]
async fn a_part_that_would_be_nothing_is_refused_by_name() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(260).await;
    for most in [Amounts::ZERO, Amounts::new(0, u64::MAX)] {
        refused(
            scene
                .liquidate_by(&scene.liquidator, &position, most, 0)
                .await,
            BallastError::NothingToPayWith,
        );
    }
    let nobody = scene.world.trader("nobody", Amounts::ZERO).await.unwrap();
    refused(
        scene.liquidate_by(&nobody, &position, ANY, 0).await,
        BallastError::NothingToPayWith,
    );
    // Of the other token nothing is needed.
    accepted(scene.liquidate_for(&position, u64::MAX, 0).await);
}

#[tokio::test]
async fn a_liquidator_gains_what_it_asked_for_or_does_nothing() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(260).await;
    let saved = scene.svm.save();
    let receipt = accepted(scene.liquidate(&position).await);
    let bonus = liquidated(&receipt).bonus;
    assert!(bonus > 0);
    scene.svm.restore(&saved);
    let by = &scene.liquidator;
    refused(
        scene.liquidate_by(by, &position, ANY, bonus + 1).await,
        BallastError::GainTooSmall,
    );
    accepted(scene.liquidate_by(by, &position, ANY, bonus).await);
}

/// The oracle says one price, the pool was pushed to the other side of the band.
async fn pushed(dollars: i64, pool: f64) {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(dollars).await;
    let (_, honest) = scene.whole(&position).await;
    scene.pool(pool).await;
    let (_, needed) = scene.whole(&position).await;
    assert_ne!(needed, honest, "the push changes what is to be brought");
    // Who has what an honest pool asks for, does as much as that pays for.
    let saved = scene.svm.save();
    let by = &scene.liquidator;
    let some = Amounts::new(
        honest.base.min(needed.base).max(1_000_000),
        honest.quote.max(1_000_000),
    );
    let receipt = scene.fair(by, &position, some).await;
    assert!(liquidated(&receipt).repaid_base > 0);
    scene.svm.restore(&saved);
    // Who has enough of both, does all.
    let receipt = scene.fair(by, &position, ANY).await;
    assert!(liquidated(&receipt).ltv_after_bps <= 6_500);
}

#[tokio::test]
async fn a_pool_pushed_to_the_other_side_makes_no_liquidation_fail() {
    pushed(260, 150.0).await;
    pushed(105, 250.0).await;
}

#[tokio::test]
async fn a_part_of_everything_leaves_ltv_where_it_is() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(335).await;
    let (plan, needed) = scene.whole(&position).await;
    assert!(plan.full && !plan.insolvent());
    let some = Amounts::new(needed.base / 3, 0);
    let receipt = scene.fair(&scene.liquidator, &position, some).await;
    let event = liquidated(&receipt);
    assert!(!event.full && event.ltv_after_bps.abs_diff(event.ltv_before_bps) <= 1);
    let receipt = scene.fair(&scene.liquidator, &position, ANY).await;
    assert!(liquidated(&receipt).full);
    accepted(scene.close_for(&position, 0, 0).await);
}

#[tokio::test]
async fn a_part_of_what_is_insolvent_writes_nothing_off() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(400).await;
    let (plan, needed) = scene.whole(&position).await;
    assert!(plan.full && plan.insolvent());
    let some = Amounts::new(needed.base / 3, 0);
    let receipt = scene.fair(&scene.liquidator, &position, some).await;
    assert_eq!((bad_debts(&receipt), liquidated(&receipt).full), (0, false));
    let receipt = scene.fair(&scene.liquidator, &position, ANY).await;
    assert_eq!((bad_debts(&receipt), liquidated(&receipt).full), (2, true));
    accepted(scene.close_for(&position, 0, 0).await);
}
