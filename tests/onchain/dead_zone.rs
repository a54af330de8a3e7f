//! There is no state in which nobody may act: between a trigger and maintenance something always goes, and nothing that protects a
//! position makes it riskier than leaving it alone.

use ballast_client::{
    Amounts, BallastError, BallastEvent, Bps, OpenArgs, Policy, PositionContext, Receipt, Side,
    ballast::events::Rehedged, instruction,
};
use ballast_localnet::{UsdPrice, WorldConfig};
use ballast_model::{Position, Valuation};

use crate::{
    lifecycle::automation,
    support::{Scene, accepted, refused, shallow},
    two::MORE,
};

fn rehedged(receipt: &Receipt) -> &Rehedged {
    let found = receipt.events.iter().find_map(|event| match event {
        BallastEvent::Rehedged(event) => Some(event),
        _ => None,
    });
    found.expect("rehedged")
}

/// As if the swap had lost nothing, whether that has made assets fewer or debts more, but for rounding.
fn without_loss(value: Valuation, loss: u64) -> Valuation {
    let loss = u128::from(loss) + 10;
    Valuation {
        assets: value.assets + loss,
        debt: value.debt.saturating_sub(loss),
    }
}

impl Scene {
    async fn value(&self, position: &PositionContext) -> Valuation {
        let (model, oracle) = self.model(position).await;
        model.value(oracle).unwrap()
    }

    async fn hedge_error(&self, position: &PositionContext) -> (i128, Position) {
        let (model, oracle) = self.model(position).await;
        let policy = self.world.reload(position).await.unwrap().position.policy;
        (model.hedge_error(oracle, policy.hedge()).unwrap(), model)
    }
}

/// From 76.2 % to 79.8 % of LTV no deleverage reached its target without a swap, and every rehedge raised LTV by the pool's fee.
#[tokio::test]
async fn a_run_up_without_a_keeper_can_be_cured_at_every_price() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let maintenance = 8_000;
    for dollars in 243..=258 {
        scene.price(dollars).await;
        let saved = scene.svm.save();
        let before = scene.value(&position).await;
        let ltv = before.ltv_bps_up();
        assert!((7_600..maintenance).contains(&ltv), "{ltv} at {dollars}");

        // Without a swap as far as it goes, and a second time not at all.
        accepted(scene.deleverage(&position, &scene.keeper).await);
        assert!(scene.ltv_bps(&position).await < ltv, "at {dollars}");
        let again = scene.deleverage(&position, &scene.keeper).await;
        assert!(again.is_err());
        scene.svm.restore(&saved);

        // With one to the target, whoever is asked.
        for by in [&scene.keeper, &scene.alice] {
            accepted(scene.deleverage_swap(&position, by).await);
            let after = scene.ltv_bps(&position).await;
            let target = if ltv >= 7_700 { 6_500 } else { 6_800 };
            assert!(
                (target - 200..=target).contains(&after),
                "{after} at {dollars}"
            );
            let (error, _) = scene.hedge_error(&position).await;
            assert_eq!(error, 0);
            scene.svm.restore(&saved);
        }

        // A rehedge costs its swap and no more, and stops the loss.
        let receipt = accepted(scene.rehedge(&position, &scene.keeper).await);
        let after = without_loss(scene.value(&position).await, rehedged(&receipt).swap_loss);
        assert!(!after.ltv_above(Bps::new(ltv)), "at {dollars}");
        let (error, _) = scene.hedge_error(&position).await;
        assert_eq!(error, 0);
        scene.svm.restore(&saved);
    }
}

/// Hedging with borrowed base raised LTV from 67 to 75 % and leverage from 3 to 4 at the band's edge.
#[tokio::test]
async fn a_rehedge_at_the_edge_raises_neither_ltv_nor_leverage() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let start = scene.svm.save();
    for (dollars, withdraws) in [
        (197, false),
        (195, true),
        (190, true),
        (180, true),
        (150, true),
        (205, false),
        (210, true),
        (230, true),
    ] {
        scene.price(dollars).await;
        let before = scene.value(&position).await;
        let receipt = accepted(scene.rehedge(&position, &scene.keeper).await);
        let event = rehedged(&receipt);
        assert_eq!(event.liquidity > 0, withdraws, "at {dollars}");
        let after = without_loss(scene.value(&position).await, event.swap_loss);
        // Never above the owner's target, and not raised above the lower of owner's and market's.
        let limit = Bps::new(before.ltv_bps_up().clamp(6_500, 6_800));
        assert!(!after.ltv_above(limit), "at {dollars}");
        assert!(
            after.leverage_bps_up() <= before.leverage_bps_up() + 3,
            "at {dollars}"
        );
        let (error, _) = scene.hedge_error(&position).await;
        assert_eq!(error, 0, "at {dollars}");
        scene.svm.restore(&start);
    }
}

/// Below what owner and market go down to, a rehedge borrows and may raise LTV up to there.
#[tokio::test]
async fn a_rehedge_borrows_up_to_the_lower_target() {
    let scene = Scene::new().await;
    for (policys, limit) in [(6_800, 6_500), (6_200, 6_200)] {
        let args = OpenArgs {
            leverage_bps: 25_000,
            policy: Policy {
                deleverage_target_ltv_bps: policys,
                ..scene.world.policy()
            },
            ..scene.example(u64::from(policys))
        };
        scene.price(200).await;
        let position = scene.world.open(&scene.alice, args).await.unwrap();
        scene.price(189).await;
        let receipt = accepted(scene.rehedge(&position, &scene.keeper).await);
        assert!(rehedged(&receipt).liquidity > 0);
        let ltv = scene.ltv_bps(&position).await;
        assert!((limit - 5..=limit + 5).contains(&ltv), "{ltv}, {limit}");
    }
}

/// The pool pushed to the upper side of the band pays quote where base is owed.
#[tokio::test]
async fn a_pool_pushed_to_one_side_does_not_make_a_deleverage_fail() {
    let scene = Scene::new().await;
    let band = [UsdPrice::dollars(160), UsdPrice::dollars(250)];
    let args = OpenArgs {
        leverage_bps: 38_000,
        ..scene
            .world
            .open_args(1, band, Amounts::new(0, 100_000_000), 38_000)
            .unwrap()
    };
    let position = scene.world.open(&scene.alice, args).await.unwrap();
    let start = scene.svm.save();
    let mut tried = 0;
    for dollars in (140..=290).step_by(2) {
        scene.price(dollars).await;
        let ltv = scene.ltv_bps(&position).await;
        if ltv < 7_700 || scene.value(&position).await.equity() <= 0 {
            scene.svm.restore(&start);
            continue;
        }
        let near = scene.svm.save();
        for pushed in [165.0, 200.0, 245.0, 260.0] {
            scene.pool(pushed).await;
            let before = scene.value(&position).await;
            let sent = scene.deleverage(&position, &scene.keeper).await;
            accepted(sent);
            let after = scene.value(&position).await;
            assert!(after.ltv_bps_up() < before.ltv_bps_up());
            assert!(after.equity() >= before.equity() - 10);
            tried += 1;
            scene.svm.restore(&near);
        }
        scene.svm.restore(&start);
    }
    assert!(tried > 20, "{tried}");
}

/// All of the base in the reserve, or as much as utilisation allows, is lent to others or withdrawn.
#[tokio::test]
async fn a_lender_who_withdraws_does_not_stop_a_rehedge() {
    for left in [0, 100_000_000] {
        let config = WorldConfig {
            lent: Amounts::new(2_000_000_000, 1_000_000_000),
            ..WorldConfig::standard().unwrap()
        };
        let scene = Scene::with(config).await;
        let position = scene.open(1).await;
        let lender = &scene.world.lender;
        let free = scene.reserve(Side::Base).await.liquidity - left;
        let shares = u64::try_from(u128::from(free) * 1_000).unwrap();
        let key = ballast_client::Signer::pubkey(lender);
        let withdraw = instruction::withdraw(&scene.world.market, &key, Side::Base, shares, 0);
        accepted(scene.world.send(lender, vec![withdraw]).await);
        assert!(scene.reserve(Side::Base).await.liquidity <= left + 1);

        scene.price(196).await;
        let before = scene.value(&position).await;
        let receipt = accepted(scene.rehedge(&position, &scene.keeper).await);
        assert!(rehedged(&receipt).liquidity > 0);
        let (error, _) = scene.hedge_error(&position).await;
        assert_eq!(error, 0);
        assert!(scene.ltv_bps(&position).await <= before.ltv_bps_up());
        let state = scene.reserve(Side::Base).await;
        let utilisation = state.utilisation_bps_up().unwrap().get();
        assert!(left > 0 || utilisation > 9_500, "{utilisation}");
    }
}

/// A changed policy asked for a loan beyond the borrow cap, and a rehedge took it.
#[tokio::test]
async fn another_hedge_ratio_borrows_nothing_beyond_the_caps() {
    let scene = Scene::new().await;
    let args = OpenArgs {
        policy: Policy {
            hedge_bps: 5_000,
            ..scene.world.policy()
        },
        leverage_bps: 20_000,
        ..scene.example(1)
    };
    let position = scene.world.open(&scene.alice, args).await.unwrap();
    let lent = scene.reserve(Side::Base).await.total_debt_up().unwrap();
    let reserve = scene.world.market.reserve(Side::Base);
    scene
        .change_reserve(&reserve, |reserve| reserve.borrow_cap = lent + 1_000)
        .await;
    scene
        .change_policy(&position, |policy| policy.hedge_bps = 10_000)
        .await;
    let receipt = accepted(scene.rehedge(&position, &scene.alice).await);
    assert!(rehedged(&receipt).liquidity > 0);
    let debt = scene.reserve(Side::Base).await.total_debt_up().unwrap();
    assert!(debt <= lent + 1_000, "{debt} of {lent}");
    let (error, _) = scene.hedge_error(&position).await;
    assert_eq!(error, 0);

    // The utilisation limit binds alike.
    let state = scene.reserve(Side::Base).await;
    let now = state.utilisation_bps_up().unwrap().get();
    scene
        .change_reserve(&reserve, |reserve| {
            (reserve.borrow_cap, reserve.max_utilisation_bps) = (u64::MAX, now);
        })
        .await;
    scene
        .change_policy(&position, |policy| policy.hedge_bps = 8_000)
        .await;
    scene.wait(5, 200).await;
    accepted(scene.rehedge(&position, &scene.alice).await);
    scene
        .change_policy(&position, |policy| policy.hedge_bps = 10_000)
        .await;
    scene.wait(5, 200).await;
    accepted(scene.rehedge(&position, &scene.alice).await);
    let state = scene.reserve(Side::Base).await;
    assert!(state.utilisation_bps_up().unwrap().get() <= now);
}

/// Whoever changes the hedge ratio of a position above the trigger cannot make it riskier by a rehedge.
#[tokio::test]
async fn above_the_trigger_a_rehedge_may_not_raise_the_stressed_ltv() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(124).await;
    scene.wait(5, 124).await;
    // Unhedged it would be short of nothing and long of all the base in the pool.
    scene
        .change_policy(&position, |policy| {
            // Barely below the trigger, above which the swap's loss ends.
            (policy.hedge_bps, policy.deleverage_target_ltv_bps) = (0, 7_599);
        })
        .await;
    let error = scene.hedge_error(&position).await.0;
    assert!(error < 0, "{error}");
    refused(
        scene.rehedge(&position, &scene.alice).await,
        BallastError::RehedgeRaisesLtv,
    );
    // As it was it is the other way round.
    scene
        .change_policy(&position, |policy| policy.hedge_bps = 10_000)
        .await;
    accepted(scene.rehedge(&position, &scene.alice).await);
}

#[tokio::test]
async fn what_opens_or_grows_is_hedged_at_the_oracles_price_wherever_the_pool_is() {
    for away in [199.0, 199.6, 200.4, 201.0] {
        let scene = Scene::new().await;
        scene.pool(away).await;
        let within = async |position: &PositionContext| {
            let (error, model) = scene.hedge_error(position).await;
            let full = u128::from(model.full_base_up().unwrap());
            assert!(
                error.unsigned_abs() * 10_000 <= full * 50,
                "{error} of {full} at {away}"
            );
        };
        let position = scene
            .world
            .open(&scene.alice, scene.example(1))
            .await
            .unwrap();
        within(&position).await;
        accepted(scene.increase(&position, MORE).await);
        within(&position).await;
        scene.automate(&position, automation()).await;
        let ticks = scene.ticks_around(200, 800);
        accepted(scene.recenter(&position, &scene.alice, ticks).await);
        let position = scene.world.reload(&position).await.unwrap();
        within(&position).await;
    }
}

/// A swap stops where it would lose more than the cap. What it has done is booked, paid nothing and keeps nobody waiting.
#[tokio::test]
async fn a_part_of_a_rehedge_keeps_nobody_waiting() {
    let config = WorldConfig {
        // So thin that 1 % of price is less than the hedge error.
        background_value: 2_000_000_000,
        ..WorldConfig::standard().unwrap()
    };
    let scene = Scene::with(config).await;
    let position = scene.open(1).await;
    scene
        .change_policy(&position, |policy| policy.max_swap_loss_bps = 60)
        .await;
    // Which costs more than a market with a deeper pool allows.
    scene
        .change_market(|market| market.safety.max_defensive_loss_bps = 1_000)
        .await;
    scene
        .change_market(|market| market.keepers.max_daily_loss_bps = 1_000)
        .await;
    scene.price(192).await;
    scene.wait(10, 192).await;
    let (before, _) = scene.hedge_error(&position).await;
    let untouched = scene.world.reload(&position).await.unwrap().position;
    let receipt = accepted(scene.rehedge(&position, &scene.keeper).await);
    let (left, _) = scene.hedge_error(&position).await;
    assert!(0 < left && left < before, "{left} of {before}");
    assert_eq!(rehedged(&receipt).hedge_error_after, left);
    let stored = scene.world.reload(&position).await.unwrap().position;
    assert_eq!(stored.rehedges, 0);
    assert_eq!(stored.last_rebalance_secs, untouched.last_rebalance_secs);
    // Where the pool stands now nothing goes; once it is back, at once.
    let sent = scene.rehedge(&position, &scene.keeper).await;
    refused(sent, BallastError::SwapLossTooHigh);
    let mut parts = 1;
    let due = |(error, model): (i128, Position)| {
        let full = i128::from(model.full_base_up().unwrap());
        error * 10_000 > full * 500
    };
    while due(scene.hedge_error(&position).await) {
        scene.pool(192.0).await;
        accepted(scene.rehedge(&position, &scene.keeper).await);
        parts += 1;
        assert!(parts < 20);
    }
    assert!(parts > 1);
}

/// Withdrawing makes room for a sale. A shallow pool that takes next to nothing of it leaves a larger error than there was.
#[tokio::test]
async fn a_part_of_a_rehedge_that_leaves_a_larger_error_is_refused() {
    let scene = Scene::with(shallow()).await;
    let mut args = scene.example(1);
    args.policy.hedge_bps = 5_000;
    let position = scene.world.open(&scene.alice, args).await.unwrap();
    scene
        .change_policy(&position, |policy| policy.max_swap_loss_bps = 20)
        .await;
    scene.price(191).await;
    let saved = scene.svm.save();
    let (mut refusals, mut parts) = (0, 0);
    // From a pool so far down that nothing may be sold any more to one in which everything may.
    for hundredths_of_bps in (1_580..=1_610).rev() {
        let pool = 191.0 * (1.0 - f64::from(hundredths_of_bps) / 1e6);
        scene.pool(pool).await;
        let before = scene.hedge_error(&position).await.0;
        match scene.rehedge(&position, &scene.alice).await {
            Ok(receipt) => {
                assert!(rehedged(&receipt).liquidity > 0);
                parts += 1;
                let after = scene.hedge_error(&position).await.0;
                assert!(after.abs() < before.abs(), "{after} of {before}");
            }
            Err(error) if error.is(BallastError::SwapLossTooHigh) => {}
            refusal => {
                refused(refusal, BallastError::DeltaOutsideTarget);
                refusals += 1;
            }
        }
        scene.svm.restore(&saved);
    }
    assert!(refusals > 0 && parts > 0);
}
