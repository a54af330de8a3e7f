//! The limits of market and policy: what may be opened, and when keepers and liquidators may act.

use ballast_client::{
    BallastError, BallastEvent, Bps, DecreaseArgs, MarketMode, PositionContext, Side, Trade,
    instruction,
};
use ballast_model::Position;

use crate::support::{NOTHING, Scene, accepted, refused};

/// LTV at the oracle's price, rounded up.
async fn ltv_bps(scene: &Scene, position: &PositionContext) -> u32 {
    let (model, oracle) = scene.model(position).await;
    model.value(oracle).unwrap().ltv_bps_up()
}

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
    // Within the cap of 1 % around the oracle's, but the pool holds another mix there.
    scene.pool(201.0).await;
    refused(
        scene.try_open(scene.example(1)).await,
        BallastError::DeltaOutsideTarget,
    );
    scene.pool(200.0).await;
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
async fn a_rehedge_needs_a_hedge_error_outside_the_band() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let due = |model: &Position, oracle| {
        let error = model.hedge_error(oracle, Bps::ONE).unwrap().unsigned_abs();
        error * 10_000 > u128::from(model.full_base_up().unwrap()) * 500
    };
    for dollars in [200, 201, 198] {
        scene.price(dollars).await;
        let (model, oracle) = scene.model(&position).await;
        let sent = scene.rehedge(&position, &scene.keeper).await;
        if due(&model, oracle) {
            accepted(sent);
            return;
        }
        assert_ne!(dollars, 198, "the test never came to the band's edge");
        refused(sent, BallastError::RehedgeNotDue);
    }
}

#[tokio::test]
async fn a_second_rehedge_waits_for_the_interval() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(197).await;
    accepted(scene.rehedge(&position, &scene.keeper).await);
    // The same again in the same moment, by anybody.
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::TooSoon,
    );
    refused(
        scene.rehedge(&position, &scene.alice).await,
        BallastError::TooSoon,
    );

    scene.price(194).await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::TooSoon,
    );
    // The market's own minimum.
    scene.wait(1, 194).await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::TooSoon,
    );
    scene.wait(1, 194).await;
    accepted(scene.rehedge(&position, &scene.keeper).await);

    // The policy's, which is longer.
    scene
        .change_policy(&position, |policy| policy.min_rebalance_interval_secs = 60)
        .await;
    scene.price(197).await;
    scene.wait(59, 197).await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::TooSoon,
    );
    scene.wait(1, 197).await;
    accepted(scene.rehedge(&position, &scene.keeper).await);
    // Long enough ago, but nothing to do any more.
    scene.wait(60, 197).await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::RehedgeNotDue,
    );
    let stored = scene.world.reload(&position).await.unwrap().position;
    assert_eq!(stored.rehedges, 3);
}

#[tokio::test]
async fn an_owner_can_switch_keepers_off() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene
        .change_policy(&position, |policy| policy.keeper_enabled = 0)
        .await;
    scene.price(197).await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::KeeperDisabled,
    );
    accepted(scene.rehedge(&position, &scene.alice).await);
    scene
        .change_policy(&position, |policy| policy.keeper_enabled = 1)
        .await;
    scene.price(194).await;
    scene.wait(2, 194).await;
    accepted(scene.rehedge(&position, &scene.keeper).await);
}

#[tokio::test]
async fn a_rehedge_may_not_lose_more_than_the_cap() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(197).await;
    // The pool's fee alone is 4 bps.
    scene
        .change_policy(&position, |policy| policy.max_swap_loss_bps = 4)
        .await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::SwapLossTooHigh,
    );
    scene
        .change_policy(&position, |policy| policy.max_swap_loss_bps = 5)
        .await;
    accepted(scene.rehedge(&position, &scene.keeper).await);

    // The market's cap binds too, and a pool that stands worse counts as loss.
    scene
        .change_policy(&position, |policy| policy.max_swap_loss_bps = 100)
        .await;
    scene
        .change_limits(|params| params.limits.max_swap_loss_bps = 50)
        .await;
    scene.price(194).await;
    scene.wait(2, 194).await;
    scene.pool(193.0).await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::SwapLossTooHigh,
    );
    scene.pool(193.5).await;
    accepted(scene.rehedge(&position, &scene.keeper).await);
}

#[tokio::test]
async fn a_rehedge_may_not_raise_ltv_over_the_trigger() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(196).await;
    // More is sold than quote is owed, so that some of it lies idle against new base debt.
    assert!(ltv_bps(&scene, &position).await < 6_700);
    scene
        .change_policy(&position, |policy| {
            policy.deleverage_trigger_ltv_bps = 6_700;
            policy.deleverage_target_ltv_bps = 6_000;
        })
        .await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::RehedgeRaisesLtv,
    );
    scene
        .change_policy(&position, |policy| {
            policy.deleverage_trigger_ltv_bps = 7_600
        })
        .await;
    accepted(scene.rehedge(&position, &scene.keeper).await);
    assert!(ltv_bps(&scene, &position).await >= 6_700);
}

#[tokio::test]
async fn a_deleverage_needs_ltv_over_the_trigger_and_stops_at_the_target() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    for dollars in [200, 130, 128] {
        scene.price(dollars).await;
        assert!(ltv_bps(&scene, &position).await < 7_600);
        refused(
            scene.deleverage(&position, &scene.keeper).await,
            BallastError::DeleverageNotDue,
        );
    }
    scene.price(124).await;
    assert!((7_600..7_700).contains(&ltv_bps(&scene, &position).await));
    let receipt = accepted(scene.deleverage(&position, &scene.keeper).await);
    let Some(BallastEvent::Deleveraged(event)) = receipt.events.last() else {
        panic!("no event: {:?}", receipt.events);
    };
    // To the target, and not a basis point past it.
    assert!(
        (6_799..=6_800).contains(&event.ltv_after_bps),
        "{}",
        event.ltv_after_bps
    );
    assert_eq!(ltv_bps(&scene, &position).await, event.ltv_after_bps);
    // Once done it is done.
    refused(
        scene.deleverage(&position, &scene.keeper).await,
        BallastError::DeleverageNotDue,
    );
    refused(
        scene.deleverage(&position, &scene.alice).await,
        BallastError::DeleverageNotDue,
    );
}

#[tokio::test]
async fn without_keepers_only_the_markets_trigger_deleverages() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene
        .change_policy(&position, |policy| policy.keeper_enabled = 0)
        .await;
    scene.price(124).await;
    refused(
        scene.deleverage(&position, &scene.keeper).await,
        BallastError::KeeperDisabled,
    );
    scene.price(120).await;
    assert!((7_700..8_000).contains(&ltv_bps(&scene, &position).await));
    accepted(scene.deleverage(&position, &scene.keeper).await);
    // The market's target, not the owner's.
    assert!((6_499..=6_500).contains(&ltv_bps(&scene, &position).await));
}

#[tokio::test]
async fn the_owner_deleverages_with_keepers_switched_off() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene
        .change_policy(&position, |policy| policy.keeper_enabled = 0)
        .await;
    scene.price(124).await;
    accepted(scene.deleverage(&position, &scene.alice).await);
    assert!((6_799..=6_800).contains(&ltv_bps(&scene, &position).await));
}

#[tokio::test]
async fn a_target_that_needs_a_swap_is_refused() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    // Above the band the pool holds quote only: repaying all quote debt leaves an LTV of 74.6 %.
    scene.price(255).await;
    refused(
        scene.deleverage(&position, &scene.keeper).await,
        BallastError::DeleverageNeedsSwap,
    );
    scene
        .change_policy(&position, |policy| policy.deleverage_target_ltv_bps = 7_500)
        .await;
    accepted(scene.deleverage(&position, &scene.keeper).await);
    assert!((7_499..=7_500).contains(&ltv_bps(&scene, &position).await));
}

#[tokio::test]
async fn a_healthy_position_is_not_liquidated() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    // The liquidation prices are 110.8 and 258.6.
    for dollars in [200, 112, 257] {
        scene.price(dollars).await;
        assert!(ltv_bps(&scene, &position).await < 8_000);
        refused(
            scene.liquidate(&position).await,
            BallastError::NotLiquidatable,
        );
    }
    scene.price(260).await;
    accepted(scene.liquidate(&position).await);
    // Back at the target it is healthy again.
    refused(
        scene.liquidate(&position).await,
        BallastError::NotLiquidatable,
    );
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
    }
    scene.set_mode(MarketMode::Normal).await;
    accepted(scene.decrease(&position, pay).await);
    accepted(scene.try_open(args).await);
}

#[tokio::test]
async fn rehedges_go_on_until_the_market_only_reduces() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(197).await;
    scene.set_mode(MarketMode::ReduceOnly).await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::ModeForbids,
    );
    scene.set_mode(MarketMode::NoNewRisk).await;
    accepted(scene.rehedge(&position, &scene.keeper).await);
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
async fn a_guardian_may_only_tighten() {
    let scene = Scene::new().await;
    let (bob, guardian) = (
        scene.world.trader("bob", Default::default()).await.unwrap(),
        scene
            .world
            .trader("guardian", Default::default())
            .await
            .unwrap(),
    );
    let market = scene.second_market(&bob, guardian.key()).await;
    let set = async |by: &ballast_localnet::Trader, mode| {
        let set = instruction::set_mode(&market.address, &by.key(), mode);
        scene.send(by, set).await
    };
    use MarketMode::{NoNewRisk, Normal, ReduceOnly};
    let refused_to = async |mode| refused(set(&guardian, mode).await, BallastError::NotAuthority);
    refused_to(Normal).await;
    accepted(set(&guardian, NoNewRisk).await);
    refused_to(Normal).await;
    refused_to(NoNewRisk).await;
    accepted(set(&guardian, ReduceOnly).await);
    for mode in [Normal, NoNewRisk, ReduceOnly] {
        refused_to(mode).await;
    }
    // Nor may it do anything else.
    let params = scene.world.config.desired.market_params();
    let update = instruction::update_market(&market.address, &guardian.key(), params);
    refused(
        scene.send(&guardian, update).await,
        BallastError::NotAuthority,
    );
    let params = scene.reserve_params(Side::Base);
    let update = instruction::update_reserve(&market, &guardian.key(), Side::Base, params);
    refused(
        scene.send(&guardian, update).await,
        BallastError::NotAuthority,
    );
    // The authority loosens again; a stranger does nothing.
    refused(
        set(&scene.keeper, ReduceOnly).await,
        BallastError::NotAuthority,
    );
    accepted(set(&bob, Normal).await);
    refused(
        set(&scene.keeper, ReduceOnly).await,
        BallastError::NotAuthority,
    );
}

#[tokio::test]
async fn a_market_without_a_guardian_has_none() {
    let scene = Scene::new().await;
    let market = scene.world.market.address;
    // Nobody can sign for the address of all zeros, so that a transaction in its name is not even made.
    assert_eq!(scene.world.market.market.guardian, Default::default());
    let tighten = instruction::set_mode(&market, &scene.keeper.key(), MarketMode::ReduceOnly);
    refused(
        scene.send(&scene.keeper, tighten).await,
        BallastError::NotAuthority,
    );
    scene.set_mode(MarketMode::ReduceOnly).await;
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
    update(740_000_000, 900_000_000).await;
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

#[tokio::test]
async fn a_rehedge_works_in_both_directions() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    for (dollars, trade) in [(204, Trade::BuyBase), (197, Trade::SellBase)] {
        scene.price(dollars).await;
        scene.wait(2, dollars).await;
        let (before, oracle) = scene.model(&position).await;
        let error = before.hedge_error(oracle, Bps::ONE).unwrap();
        assert_eq!(error > 0, trade == Trade::SellBase);
        accepted(scene.rehedge(&position, &scene.keeper).await);
        let (after, oracle) = scene.model(&position).await;
        assert!(after.hedge_error(oracle, Bps::ONE).unwrap().abs() <= 1);
    }
}
