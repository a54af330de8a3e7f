//! The limits of a market: what may be opened, paid out, lent and borrowed.

use ballast_client::{BallastError, DecreaseArgs, MarketMode, Policy, Side, instruction};

use crate::{
    support::{NOTHING, Scene, accepted, refused},
    two::MORE,
};

#[tokio::test]
async fn leverage_is_capped() {
    let scene = Scene::new().await;
    let mut args = scene.example(1);
    for leverage_bps in [40_001, u32::MAX] {
        args.leverage_bps = leverage_bps;
        refused(scene.try_open(args).await, BallastError::LeverageTooHigh);
    }
    for leverage_bps in [0, 9_999] {
        args.leverage_bps = leverage_bps;
        refused(scene.try_open(args).await, BallastError::BadParameters);
    }
    args.leverage_bps = 39_900;
    accepted(scene.try_open(args).await);
}

#[tokio::test]
async fn leverage_is_capped_when_equity_is_paid_out() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let liquidity = scene.model(&position).await.0.liquidity;
    let pay = |percent| DecreaseArgs {
        liquidity: liquidity * percent / 100,
        pay_quote: u64::MAX,
        ..NOTHING
    };
    refused(
        scene.decrease(&position, pay(25)).await,
        BallastError::LeverageTooHigh,
    );
    accepted(scene.decrease(&position, pay(20)).await);
}

#[tokio::test]
async fn initial_ltv_holds_at_both_ends_of_the_confidence_interval() {
    use ballast_localnet::{PricePost, UsdPrice};
    let scene = Scene::new().await;
    // Without a hedge, all of it in quote debt, the LTV falls and rises with the price.
    let mut args = scene.example(1);
    args.policy.hedge_bps = 0;
    args.leverage_bps = 39_900;
    let now = scene.svm.now_secs();
    let wide = [
        (Side::Base, UsdPrice::dollars(200)),
        (Side::Quote, UsdPrice::ONE),
    ]
    .map(|(side, price)| PricePost {
        conf: price.units().unsigned_abs() / 200,
        ..PricePost::good(side, price, now)
    });
    accepted(scene.world.post(&wide).await);
    refused(scene.try_open(args).await, BallastError::InitialLtvExceeded);
    scene.oracle(200).await;
    accepted(scene.try_open(args).await);
}

#[tokio::test]
async fn maintenance_holds_at_the_stress_distance() {
    let scene = Scene::new().await;
    // The example would be liquidated at 258.6.
    scene
        .change_limits(|params| params.limits.stress_distance_bps = 2_950)
        .await;
    refused(
        scene.try_open(scene.example(1)).await,
        BallastError::StressLtvExceeded,
    );
    scene
        .change_limits(|params| params.limits.stress_distance_bps = 2_900)
        .await;
    accepted(scene.try_open(scene.example(1)).await);
}

#[tokio::test]
async fn positions_are_neither_too_small_nor_too_large() {
    let scene = Scene::new().await;
    let mut small = scene.example(1);
    small.own_quote = 3_300_000;
    refused(scene.try_open(small).await, BallastError::PositionSize);
    small.own_quote = 3_400_000;
    accepted(scene.try_open(small).await);

    let large = scene.example(2);
    scene
        .change_limits(|params| params.limits.max_position_value = 299_000_000)
        .await;
    refused(scene.try_open(large).await, BallastError::PositionSize);
    scene
        .change_limits(|params| params.limits.max_position_value = 300_000_000)
        .await;
    accepted(scene.try_open(large).await);
}

#[tokio::test]
async fn nobody_is_left_with_an_indebted_position_too_small_to_liquidate() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let model = scene.model(&position).await.0;
    // All but a thousandth of it: 0.3 quote of assets would be left.
    let part = |amount: u64| amount - amount / 1_000;
    let args = |pay| DecreaseArgs {
        liquidity: model.liquidity - model.liquidity / 1_000,
        repay_base: part(model.debt.base),
        repay_quote: part(model.debt.quote),
        pay_base: 0,
        pay_quote: pay,
    };
    refused(
        scene.decrease(&position, args(95_000_000)).await,
        BallastError::PositionSize,
    );
    accepted(scene.decrease(&position, args(0)).await);
}

#[tokio::test]
async fn a_hedge_must_be_affordable() {
    let scene = Scene::new().await;
    // Half of 1.5 x is base: 75 of the 100 would have to be borrowed while 50 are.
    let mut args = scene.example(1);
    args.leverage_bps = 15_000;
    refused(scene.try_open(args).await, BallastError::HedgeNotAffordable);
    args.policy.hedge_bps = 4_000;
    accepted(scene.try_open(args).await);
    let mut args = scene.example(2);
    args.leverage_bps = 25_000;
    accepted(scene.try_open(args).await);
}

#[tokio::test]
async fn a_position_must_be_hedged_at_the_oracles_price() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;

    // Paying base out unhedges it.
    let liquidity = scene.model(&position).await.0.liquidity / 5;
    let mut pay = DecreaseArgs {
        liquidity,
        pay_base: u64::MAX,
        ..NOTHING
    };
    refused(
        scene.decrease(&position, pay).await,
        BallastError::DeltaOutsideTarget,
    );
    (pay.pay_base, pay.pay_quote) = (0, u64::MAX);
    accepted(scene.decrease(&position, pay).await);
}

#[tokio::test]
async fn opening_may_not_push_the_pool_away_itself() {
    let scene = Scene::new().await;
    scene
        .change_limits(|params| params.limits.max_pool_deviation_bps = 1)
        .await;
    // Own base is sold, which leads the pool down.
    let mut args = scene.example(1);
    (args.own_base, args.own_quote) = (500_000_000, 0);
    // Just within a basis point below; then on the other side.
    scene.pool(200.0 - 0.019_999).await;
    refused(scene.try_open(args).await, BallastError::PoolDiverged);
    scene.pool(200.0 + 0.019_999).await;
    accepted(scene.try_open(args).await);
}

#[tokio::test]
async fn no_new_risk_means_none() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let liquidity = scene.model(&position).await.0.liquidity / 100;
    let pay = DecreaseArgs {
        liquidity,
        pay_quote: u64::MAX,
        ..NOTHING
    };
    let args = scene.example(2);
    for mode in [MarketMode::NoNewRisk, MarketMode::ReduceOnly] {
        scene.set_mode(mode).await;
        refused(scene.try_open(args).await, BallastError::ModeForbids);
        refused(
            scene.decrease(&position, pay).await,
            BallastError::ModeForbids,
        );
        refused(
            scene.increase(&position, MORE).await,
            BallastError::ModeForbids,
        );
    }
    scene.set_mode(MarketMode::Normal).await;
    accepted(scene.decrease(&position, pay).await);
    accepted(scene.try_open(args).await);
}

#[tokio::test]
async fn rehedges_go_on_in_every_mode() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    for (mode, dollars) in [(MarketMode::NoNewRisk, 197), (MarketMode::ReduceOnly, 200)] {
        scene.set_mode(mode).await;
        scene.price(dollars).await;
        scene.wait(5, dollars).await;
        accepted(scene.rehedge(&position, &scene.keeper).await);
    }
}

#[tokio::test]
async fn what_reduces_risk_is_possible_in_every_mode() {
    let scene = Scene::new().await;
    let [first, second, third] = [
        scene.open(1).await,
        scene.open(2).await,
        scene.open(3).await,
    ];
    scene.set_mode(MarketMode::ReduceOnly).await;
    let liquidity = scene.model(&first).await.0.liquidity / 100;
    let repay = DecreaseArgs {
        liquidity,
        repay_base: u64::MAX,
        repay_quote: u64::MAX,
        ..NOTHING
    };
    accepted(scene.decrease(&first, repay).await);
    accepted(scene.close(&first).await);
    for side in [Side::Base, Side::Quote] {
        accepted(
            scene
                .world
                .lend(&scene.liquidator.keypair, side, 1_000_000)
                .await,
        );
        let key = scene.liquidator.key();
        let shares = scene.world.market.share_wallet(&key, side);
        let shares = scene.world.balance(&shares).await.unwrap();
        let withdraw = instruction::withdraw(&scene.world.market, &key, side, shares, 0);
        accepted(scene.send(&scene.liquidator, withdraw).await);
    }
    scene.price(120).await;
    accepted(scene.deleverage(&second, &scene.keeper).await);
    scene.price(105).await;
    accepted(scene.liquidate(&third).await);
}

#[tokio::test]
async fn caps_bind_lenders_and_borrowers() {
    use ballast_client::Amounts;
    use ballast_localnet::WorldConfig;
    // The example borrows 0.732 base.
    let lent = |base| WorldConfig {
        lent: Amounts::new(base, 1_000_000_000),
        ..WorldConfig::standard().unwrap()
    };
    let scene = Scene::with(lent(700_000_000)).await;
    let args = scene.example(1);
    refused(
        scene.try_open(args).await,
        BallastError::InsufficientLiquidity,
    );
    let lend = async |amount| {
        let by = &scene.liquidator.keypair;
        scene.world.lend(by, Side::Base, amount).await
    };
    // Enough of it, but above 95 % of utilisation.
    accepted(lend(50_000_000).await);
    refused(scene.try_open(args).await, BallastError::BorrowCapExceeded);
    accepted(lend(50_000_000).await);

    let update = async |borrow_cap, supply_cap| {
        let mut params = scene.reserve_params(Side::Base);
        (params.borrow_cap, params.supply_cap) = (borrow_cap, supply_cap);
        let (market, authority) = (&scene.world.market, scene.world.market.market.authority);
        let update = instruction::update_reserve(market, &authority, Side::Base, params);
        accepted(scene.send_as_authority(update).await);
    };
    update(730_000_000, 900_000_000).await;
    refused(scene.try_open(args).await, BallastError::BorrowCapExceeded);
    // To raise it again takes notice.
    update(740_000_000, 900_000_000).await;
    refused(scene.try_open(args).await, BallastError::BorrowCapExceeded);
    scene
        .wait(ballast_client::Market::NOTICE_SECS as u64, 200)
        .await;
    let apply = instruction::apply_reserve_change(&scene.world.market, Side::Base);
    accepted(scene.send(&scene.keeper, apply).await);
    accepted(scene.try_open(args).await);

    refused(lend(100_000_001).await, BallastError::SupplyCapExceeded);
    accepted(lend(100_000_000).await);
    refused(lend(1).await, BallastError::SupplyCapExceeded);
}

#[tokio::test]
async fn a_policy_cannot_loosen_the_markets_limits() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let bad: [fn(&mut ballast_client::Policy); 9] = [
        |policy| policy.hedge_bps = 10_001,
        |policy| policy.delta_target_bps = policy.delta_band_bps,
        |policy| policy.delta_target_bps = 0,
        |policy| policy.delta_band_bps = 10_001,
        |policy| policy.deleverage_trigger_ltv_bps = 8_000,
        |policy| policy.deleverage_target_ltv_bps = policy.deleverage_trigger_ltv_bps,
        |policy| policy.deleverage_target_ltv_bps = 0,
        |policy| policy.max_swap_loss_bps = 101,
        |policy| policy.keeper_enabled = 2,
    ];
    for change in bad {
        let mut policy = scene.world.policy();
        change(&mut policy);
        refused(
            scene.set_policy(&position, policy).await,
            BallastError::BadPolicy,
        );
        let mut args = scene.example(2);
        args.policy = policy;
        refused(scene.try_open(args).await, BallastError::BadPolicy);
    }
    accepted(scene.set_policy(&position, scene.world.policy()).await);
    accepted(scene.try_open(scene.example(2)).await);
}

/// A changed hedge ratio is no way to take new risk where the market allows none.
#[tokio::test]
async fn a_rehedge_to_another_ratio_takes_no_new_risk_while_the_market_allows_none() {
    for (mode, dollars) in [
        (MarketMode::NoNewRisk, 200),
        (MarketMode::ReduceOnly, 200),
        (MarketMode::ReduceOnly, 203),
    ] {
        let scene = Scene::new().await;
        let position = scene.open(1).await;
        let unhedged = Policy {
            hedge_bps: 0,
            ..scene.world.policy()
        };
        accepted(scene.set_policy(&position, unhedged).await);
        scene.wait(600, dollars).await;
        scene.pool(dollars as f64).await;
        let saved = scene.svm.save();
        scene.set_mode(mode).await;
        refused(
            scene.rehedge(&position, &scene.alice).await,
            BallastError::ModeForbids,
        );
        refused(
            scene.rehedge(&position, &scene.keeper).await,
            BallastError::ModeForbids,
        );
        scene.svm.restore(&saved);
        accepted(scene.rehedge(&position, &scene.alice).await);
    }
    // What the policy asked for all along goes on.
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.wait(600, 206).await;
    scene.pool(206.0).await;
    scene.set_mode(MarketMode::ReduceOnly).await;
    accepted(scene.rehedge(&position, &scene.keeper).await);
}
