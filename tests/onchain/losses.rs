//! Losses of lenders, booked for a bonus out of the insurance.

use ballast_client::{
    Amounts, BallastError, BallastEvent, OpenArgs, PositionContext, Receipt, Side,
    ballast::events::WriteOffRewarded, instruction,
};
use ballast_model::worth_down;

use crate::support::{ANY, Scene, Sent, accepted, refused};

pub const SIDES: [Side; 2] = [Side::Base, Side::Quote];

fn rewards(receipt: &Receipt) -> Vec<&WriteOffRewarded> {
    let paid = receipt.events.iter().filter_map(|event| match event {
        BallastEvent::WriteOffRewarded(event) => Some(event),
        _ => None,
    });
    paid.collect()
}

impl Scene {
    /// Anyone shows what a position's collateral does not cover.
    pub async fn show_loss(&self, position: &PositionContext) -> Sent {
        let show = instruction::show_loss(&self.world.market, &position.address);
        self.send(&self.keeper, show).await
    }

    /// Puts so much of both tokens into the insurances.
    pub async fn insure(&self, amounts: Amounts) {
        for side in SIDES {
            let (market, by) = (&self.world.market, &self.liquidator);
            let fund = instruction::fund_insurance(market, &by.key(), side, amounts.get(side));
            accepted(self.send(by, fund).await);
        }
    }
}

#[tokio::test]
async fn booking_a_loss_is_paid_out_of_the_insurance() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.insure(Amounts::new(1_000_000_000, 1_000_000)).await;
    scene.price(400).await;
    let by = scene.liquidator.key();
    let had = scene.world.wallet_balances(&by).await.unwrap();
    let before = [
        scene.reserve(Side::Base).await,
        scene.reserve(Side::Quote).await,
    ];
    let (model, oracle) = scene.model(&position).await;
    let saved = scene.svm.save();
    let receipt = accepted(scene.liquidate(&position).await);
    let Some(BallastEvent::Liquidated(event)) = receipt.events.last() else {
        panic!("{:?}", receipt.events);
    };
    let ended = [model.debt.base, model.debt.quote];
    let paid = rewards(&receipt);
    let mut total = Amounts::ZERO;
    for (index, side) in SIDES.into_iter().enumerate() {
        let reserve = scene.world.market.reserve(side);
        let found = paid.iter().find(|paid| paid.reserve == reserve);
        let amount = found.expect("both reserves pay").amount;
        // One percent of the debt that ends, or a tenth of the insurance: here once the one, once the other.
        let (earned, most) = (ended[index] / 100, before[index].insurance / 10);
        assert_eq!(amount, earned.min(most), "{side:?}");
        assert_eq!(earned < most, side == Side::Base);
        let after = scene.reserve(side).await;
        let booked = receipt.events.iter().find_map(|event| match event {
            BallastEvent::BadDebtBooked(booked) if booked.reserve == reserve => Some(booked),
            _ => None,
        });
        let booked = booked.unwrap();
        assert_eq!(
            after.insurance + amount + booked.from_insurance,
            before[index].insurance
        );
        assert_eq!(
            after.total_assets_down().unwrap() + booked.from_lenders,
            before[index].total_assets_down().unwrap()
        );
        let vault = scene.world.market.vault(side);
        assert_eq!(scene.world.balance(&vault).await.unwrap(), after.liquidity);
        total = total.with(side, amount);
    }
    let has = scene.world.wallet_balances(&by).await.unwrap();
    let gain = worth_down(has, oracle).unwrap() - worth_down(had, oracle).unwrap();
    let reward = worth_down(total, oracle).unwrap();
    assert!(gain.abs_diff(reward) <= 4, "{gain}, {reward} for booking");
    assert!(event.bonus <= 4, "{}", event.bonus);
    assert!(model.value(oracle).unwrap().equity() < 0);
    // It counts as gain.
    scene.svm.restore(&saved);
    let market = &scene.world.market;
    let wanting = |gain| {
        let wallet = &scene.liquidator.wallet;
        instruction::liquidate(market, &position, &by, wallet, ANY, gain)
    };
    let gain = u64::try_from(reward).unwrap() + event.bonus;
    let by = &scene.liquidator;
    refused(
        scene.send(by, wanting(gain + 1)).await,
        BallastError::GainTooSmall,
    );
    accepted(scene.send(by, wanting(gain)).await);
    // Once.
    refused(
        scene.liquidate(&position).await,
        BallastError::NotLiquidatable,
    );
}

#[tokio::test]
async fn without_insurance_booking_pays_nothing_and_goes_on() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(400).await;
    let receipt = accepted(scene.liquidate(&position).await);
    assert!(rewards(&receipt).is_empty());
}

/// What is barely insolvent pays no more for booking than what is lost: who can liquidate does not wait for it.
#[tokio::test]
async fn at_the_first_unit_of_insolvency_booking_pays_no_more_than_the_loss() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let rich = Amounts::new(100_000_000_000, 1_000_000_000);
    let funding = scene.world.trader("liquidator", rich).await;
    funding.unwrap();
    scene.insure(rich).await;
    // Solvent at 341, insolvent at 342.
    scene.price(341).await;
    let (model, oracle) = scene.model(&position).await;
    assert!(model.value(oracle).unwrap().equity() > 0);
    scene.price(342).await;
    let (model, oracle) = scene.model(&position).await;
    let value = model.value(oracle).unwrap();
    let missing = (-value.equity()).unsigned_abs();
    assert!(missing > 0 && missing * 200 < value.debt, "{missing}");
    let receipt = accepted(scene.liquidate(&position).await);
    let mut paid = Amounts::ZERO;
    for reward in rewards(&receipt) {
        let side = usize::from(reward.reserve == scene.world.market.reserve(Side::Quote));
        paid = paid.with(SIDES[side], reward.amount);
    }
    let paid = worth_down(paid, oracle).unwrap();
    assert!(paid > 0 && paid <= missing + 2, "{paid} for {missing}");
}

/// Who repays all but the last of it first leaves a loss for which booking pays still.
#[tokio::test]
async fn what_is_left_of_a_position_liquidated_in_part_pays_for_booking_its_loss() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let rich = Amounts::new(100_000_000_000, 1_000_000_000);
    scene.world.trader("liquidator", rich).await.unwrap();
    scene.insure(rich).await;
    scene.price(400).await;
    let (model, oracle) = scene.model(&position).await;
    let missing = (-model.value(oracle).unwrap().equity()).unsigned_abs();
    let most = model.debt.base * 85 / 100;
    let receipt = accepted(scene.liquidate_for(&position, most, u64::MAX).await);
    assert!(rewards(&receipt).is_empty());
    let (left, _) = scene.model(&position).await;
    assert!(left.debt.base > 0 && left.debt.base < model.debt.base / 4);
    let receipt = accepted(scene.liquidate(&position).await);
    let paid: u64 = rewards(&receipt).iter().map(|paid| paid.amount).sum();
    assert!(paid > 0, "nobody is paid for booking {missing}");
    for reward in rewards(&receipt) {
        let side = usize::from(reward.reserve == scene.world.market.reserve(Side::Quote));
        let owed = left.debt.get(SIDES[side]);
        assert_eq!(reward.amount, owed / 100, "{side}");
    }
}

/// Who opens positions to write them off pays for each with all of its equity, and gets a percent of the debt that ends.
#[tokio::test]
async fn nobody_drains_the_insurance_by_splitting_or_repeating() {
    let scene = Scene::new().await;
    let least = scene.market().await.limits.min_position_value;
    let args = |id| OpenArgs {
        own_quote: least / 3 + 200,
        ..scene.example(id)
    };
    const POSITIONS: u64 = 5;
    let mut positions = Vec::new();
    let mut equity = 0;
    for id in 1..=POSITIONS {
        let position = scene.world.open(&scene.alice, args(id)).await.unwrap();
        let (model, oracle) = scene.model(&position).await;
        equity += model.value(oracle).unwrap().equity();
        positions.push(position);
    }
    scene.insure(Amounts::new(100_000_000, 20_000_000)).await;
    let insured = SIDES.map(async |side| scene.reserve(side).await.insurance);
    let [base, quote] = insured;
    let before = [base.await, quote.await];
    scene.price(400).await;
    let (mut paid, mut owed, mut lost) = (Amounts::ZERO, Amounts::ZERO, Amounts::ZERO);
    for position in &positions {
        let debt = scene.model(position).await.0.debt;
        owed = owed.checked_add(debt).unwrap();
        // In parts first: a part books nothing and is paid nothing.
        let receipt = accepted(scene.liquidate_for(position, 5_000_000, u64::MAX).await);
        assert!(rewards(&receipt).is_empty());
        let receipt = accepted(scene.liquidate(position).await);
        for event in &receipt.events {
            match event {
                BallastEvent::WriteOffRewarded(event) => {
                    let side =
                        usize::from(event.reserve == scene.world.market.reserve(Side::Quote));
                    let amount = Amounts::only(SIDES[side], event.amount);
                    paid = paid.checked_add(amount).unwrap();
                }
                BallastEvent::BadDebtBooked(event) => {
                    let side =
                        usize::from(event.reserve == scene.world.market.reserve(Side::Quote));
                    let amount = Amounts::only(SIDES[side], event.from_insurance);
                    lost = lost.checked_add(amount).unwrap();
                }
                _ => {}
            }
        }
        refused(
            scene.liquidate(position).await,
            BallastError::NotLiquidatable,
        );
    }
    let (_, oracle) = scene.model(&positions[0]).await;
    for (index, side) in SIDES.into_iter().enumerate() {
        assert!(paid.get(side) <= owed.get(side) / 100, "{side:?}");
        let after = scene.reserve(side).await.insurance;
        assert_eq!(after + paid.get(side) + lost.get(side), before[index]);
    }
    let (got, own) = (worth_down(paid, oracle).unwrap(), equity.unsigned_abs());
    assert!(got > 0 && got * 20 < own, "{got} for positions worth {own}");
    println!("{got} raw quote units paid for booking losses of positions of {own}");
}
