//! What compounding may not do: raise leverage beyond the owner's, undo a deleverage, happen for nothing.

use ballast_abi::whirlpool::layout;
use ballast_client::{
    Automation, BallastError, BallastEvent, DecreaseArgs, MarketMode, PositionContext, Receipt,
    instruction,
};

use ballast_localnet::Localnet;

use crate::{
    lifecycle::automation,
    support::{NOTHING, Scene, accepted, refused},
};

impl Scene {
    async fn leverage_bps(&self, position: &PositionContext) -> u64 {
        let (model, oracle) = self.model(position).await;
        model.value(oracle).unwrap().leverage_bps_up()
    }

    async fn assets(&self, position: &PositionContext) -> u128 {
        let (model, oracle) = self.model(position).await;
        model.value(oracle).unwrap().assets
    }
}

/// Value of the fees in raw quote units at 200, and the liquidity added.
fn compounded(receipt: &Receipt) -> (u128, u128) {
    let found = receipt.events.iter().find_map(|event| match event {
        BallastEvent::Compounded(event) => {
            let worth = u128::from(event.fees_base) / 5 + u128::from(event.fees_quote);
            Some((worth, event.liquidity))
        }
        _ => None,
    });
    found.expect("compounded")
}

#[tokio::test]
async fn compounding_stays_within_the_owners_leverage() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.automate(&position, automation()).await;
    for _ in 0..5 {
        scene.earn().await;
        accepted(scene.compound(&position, &scene.keeper).await);
        let leverage = scene.leverage_bps(&position).await;
        assert!(leverage <= 30_005, "{leverage}");
    }
    // An owner who asks for less than there is gets repayments only.
    let lower = Automation {
        leverage_bps: 20_000,
        ..automation()
    };
    scene.automate(&position, lower).await;
    let before = scene.leverage_bps(&position).await;
    scene.earn().await;
    let (_, liquidity) = compounded(&accepted(scene.compound(&position, &scene.keeper).await));
    assert_eq!(liquidity, 0);
    assert!(scene.leverage_bps(&position).await < before);
}

#[tokio::test]
async fn compounding_does_not_undo_a_deleverage() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.automate(&position, automation()).await;
    // Somebody or something has brought leverage down: here the owner, by repaying half.
    let market = &scene.world.market;
    let (model, _) = scene.model(&position).await;
    let repay = instruction::repay(
        market,
        &position,
        &scene.alice.wallet,
        0,
        model.debt.quote / 2,
    );
    accepted(scene.send(&scene.alice, repay).await);
    let before = scene.leverage_bps(&position).await;
    assert!(before < 28_000, "{before}");
    for _ in 0..5 {
        scene.earn().await;
        let assets = scene.assets(&position).await;
        let (fees, liquidity) =
            compounded(&accepted(scene.compound(&position, &scene.keeper).await));
        assert!(liquidity > 0);
        let grown = scene.assets(&position).await - assets;
        assert!(grown <= fees * 3 + 100, "{grown} for fees of {fees}");
    }
}

#[tokio::test]
async fn fees_below_the_owners_least_are_left_and_dust_never_hurts() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let ask = |compound_min_value| Automation {
        compound_min_value,
        ..automation()
    };
    scene.automate(&position, ask(1_000_000_000)).await;
    scene.earn().await;
    refused(
        scene.compound(&position, &scene.keeper).await,
        BallastError::CompoundNotDue,
    );
    // The owner may for any fees; for none nobody.
    accepted(scene.compound(&position, &scene.alice).await);
    for by in [&scene.alice, &scene.keeper] {
        refused(
            scene.compound(&position, by).await,
            BallastError::CompoundNotDue,
        );
    }
    // The least that there can be.
    scene.automate(&position, ask(1)).await;
    scene.pool(200.02).await;
    let before = scene.assets(&position).await;
    accepted(scene.compound(&position, &scene.keeper).await);
    assert!(scene.assets(&position).await + 10 >= before);
}

#[tokio::test]
async fn only_who_the_owner_lets_compounds() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.earn().await;
    let off = Automation {
        compound_min_value: 0,
        ..automation()
    };
    scene.automate(&position, off).await;
    let by_keeper = async || scene.compound(&position, &scene.keeper).await;
    refused(by_keeper().await, BallastError::KeeperDisabled);
    scene.automate(&position, automation()).await;
    scene
        .change_policy(&position, |policy| policy.keeper_enabled = 0)
        .await;
    refused(by_keeper().await, BallastError::KeeperDisabled);
    accepted(scene.compound(&position, &scene.alice).await);
}

#[tokio::test]
async fn where_no_risk_may_be_added_fees_only_repay() {
    for mode in [MarketMode::NoNewRisk, MarketMode::ReduceOnly] {
        let scene = Scene::new().await;
        let position = scene.open(1).await;
        scene.automate(&position, automation()).await;
        scene.earn().await;
        scene.set_mode(mode).await;
        let (before, _) = scene.model(&position).await;
        // The pool may be anywhere: nothing is provided.
        scene.pool(204.0).await;
        let receipt = accepted(scene.compound(&position, &scene.keeper).await);
        let (after, _) = scene.model(&position).await;
        assert_eq!(compounded(&receipt).1, 0);
        assert_eq!(after.liquidity, before.liquidity);
        assert!(after.debt.base < before.debt.base && after.debt.quote < before.debt.quote);
    }
}

#[tokio::test]
async fn a_pool_pushed_away_gets_no_liquidity() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.automate(&position, automation()).await;
    scene.earn().await;
    for away in [197.9, 202.1] {
        scene.pool(away).await;
        refused(
            scene.compound(&position, &scene.keeper).await,
            BallastError::PoolDiverged,
        );
    }
    // Pushed as far as it may be the position loses less than a part in a thousand of what is added.
    scene.pool(201.5).await;
    let (before, oracle) = scene.model(&position).await;
    let receipt = accepted(scene.compound(&position, &scene.keeper).await);
    let (after, _) = scene.model(&position).await;
    let (fees, _) = compounded(&receipt);
    let equity = |model: &ballast_model::Position| model.value(oracle).unwrap().equity();
    let gained = equity(&after) - equity(&before);
    let fees = i128::try_from(fees).unwrap();
    assert!(gained >= fees * 99 / 100 - 10, "{gained} of {fees}");
}

#[tokio::test]
async fn fees_are_paid_out_only_where_a_position_might_be_opened() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.earn().await;
    let collect = || instruction::collect(&scene.world.market, &position, &scene.alice.wallet);
    scene.set_mode(MarketMode::NoNewRisk).await;
    refused(
        scene.send(&scene.alice, collect()).await,
        BallastError::ModeForbids,
    );
    scene.set_mode(MarketMode::Normal).await;
    scene
        .change_limits(|params| params.limits.max_leverage_bps = 25_000)
        .await;
    refused(
        scene.send(&scene.alice, collect()).await,
        BallastError::LeverageTooHigh,
    );
    scene.change_limits(|_| ()).await;
    accepted(scene.send(&scene.alice, collect()).await);
}

#[tokio::test]
async fn nothing_is_compounded_outside_the_pool() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let liquidity = scene.model(&position).await.0.liquidity;
    let out = DecreaseArgs {
        liquidity,
        repay_base: u64::MAX,
        repay_quote: u64::MAX,
        ..NOTHING
    };
    accepted(scene.decrease(&position, out).await);
    refused(
        scene.compound(&position, &scene.alice).await,
        BallastError::NoLiquidity,
    );
}

#[tokio::test]
async fn compounding_ends_at_the_largest_position() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.automate(&position, automation()).await;
    scene.earn().await;
    let largest = scene.assets(&position).await + 1_000;
    scene
        .change_limits(|params| params.limits.max_position_value = largest as u64)
        .await;
    let (fees, liquidity) = compounded(&accepted(scene.compound(&position, &scene.keeper).await));
    assert!(fees > 1_000 && liquidity > 0, "{fees} {liquidity}");
    let assets = scene.assets(&position).await;
    assert!(assets <= largest, "{assets} of {largest}");
}

#[tokio::test]
async fn what_is_provided_at_the_pools_price_stays_hedged_at_the_oracles() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.automate(&position, automation()).await;
    scene
        .change_policy(&position, |policy| {
            (policy.delta_target_bps, policy.delta_band_bps) = (50, 100);
        })
        .await;
    // As if the pool owed it fees worth a tenth of what it holds.
    let owed = 30_000_000u64;
    let at = layout::position::FEE_OWED_B;
    scene
        .patch(&position.addresses().whirlpool_position, |data| {
            data[at..at + 8].copy_from_slice(&owed.to_le_bytes());
        })
        .await;
    let saved = scene.svm.save();
    // The base that three times as much liquidity holds at the pool's price is borrowed; at the oracle's it holds more.
    scene.pool(201.7).await;
    refused(
        scene.compound(&position, &scene.alice).await,
        BallastError::DeltaOutsideTarget,
    );
    scene.svm.restore(&saved);
    let (_, liquidity) = compounded(&accepted(scene.compound(&position, &scene.alice).await));
    assert!(liquidity > 0);
}

/// Repaying with fees would make the lenders of one token whole at the expense of the other's.
#[tokio::test]
async fn a_keeper_compounds_nothing_of_what_is_insolvent() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.automate(&position, automation()).await;
    scene.earn().await;
    scene.set_mode(MarketMode::NoNewRisk).await;
    scene.svm.pass_time(60).await.unwrap();
    let saved = scene.svm.save();
    scene.price(330).await;
    accepted(scene.compound(&position, &scene.keeper).await);
    scene.svm.restore(&saved);
    scene.price(400).await;
    refused(
        scene.compound(&position, &scene.keeper).await,
        BallastError::LtvNotLowered,
    );
    // What the owner brings or repays is the owner's.
    accepted(scene.compound(&position, &scene.alice).await);
}
