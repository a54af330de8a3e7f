//! When a keeper may take a position out of the pool, at what price, and what may not stand in the way.

use ballast_client::{
    Amounts, Automation, BallastError, BallastEvent, PositionContext, Reaction, Side, SqrtPrice,
    instruction,
};
use ballast_localnet::{Localnet, UsdPrice};

use crate::{
    lifecycle::automation,
    support::{Scene, accepted, refused},
};

const REACTIONS: [Reaction; 3] = [
    Reaction::ExitAsIs,
    Reaction::ExitIntoBase,
    Reaction::ExitIntoQuote,
];

impl Scene {
    fn tick(&self, dollars: i64) -> i32 {
        self.world
            .tick_at(UsdPrice::dollars(dollars))
            .unwrap()
            .get()
    }

    async fn equity(&self, position: &PositionContext) -> i128 {
        let (model, oracle) = self.model(position).await;
        model.value(oracle).unwrap().equity()
    }
}

/// Posts a price of base as a square root of raw quote per raw base, as near as the feed's units allow.
fn dollars_of(price: SqrtPrice) -> f64 {
    let root = price.x64() as f64 / 2f64.powi(64);
    root * root * 1_000.0
}

#[tokio::test]
async fn the_windows_edges_count_to_the_unit() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let (low, high) = (scene.tick(192), scene.tick(208));
    let window = Automation {
        window_low_tick: low,
        window_high_tick: high,
        at_low: Reaction::ExitAsIs as u8,
        at_high: Reaction::ExitAsIs as u8,
        ..automation()
    };
    scene.automate(&position, window).await;
    let at = |tick: i32| dollars_of(ballast_client::Tick::new(tick).unwrap().sqrt_price());
    // A price has eight decimals: one unit on either side of the edge.
    for (edge, inside, outside) in [(at(low), 1e-6, -1e-6), (at(high), -1e-6, 1e-6)] {
        for (by, due) in [(inside, false), (outside, true)] {
            let scene = Scene::new().await;
            let position = scene.open(1).await;
            scene.automate(&position, window).await;
            let price = UsdPrice::from_f64(edge + by).unwrap();
            scene.world.move_price(price).await.unwrap();
            let sent = scene.exit(&position, &scene.keeper).await;
            match due {
                true => drop(accepted(sent)),
                false => refused(sent, BallastError::ExitNotDue),
            }
        }
    }
}

#[tokio::test]
async fn the_floor_counts_to_the_unit_and_before_the_window() {
    for (below, due) in [(0, true), (-1, false)] {
        let scene = Scene::new().await;
        let position = scene.open(1).await;
        let equity = u64::try_from(scene.equity(&position).await).unwrap();
        let floor = Automation {
            min_equity: equity.checked_add_signed(below).unwrap(),
            at_floor: Reaction::ExitIntoQuote as u8,
            // Not what the floor says.
            window_high_tick: scene.tick(199),
            at_high: Reaction::Hold as u8,
            ..automation()
        };
        scene.automate(&position, floor).await;
        let sent = scene.exit(&position, &scene.keeper).await;
        if !due {
            refused(sent, BallastError::ExitNotDue);
            continue;
        }
        accepted(sent);
        let (model, _) = scene.model(&position).await;
        assert!(model.debt.is_zero() && model.liquidity == 0);
        assert!(model.idle.base < 1_000_000, "{:?}", model.idle);
    }
}

#[tokio::test]
async fn fees_count_for_the_floor_whether_or_not_anyone_has_had_them_booked() {
    use ballast_abi::whirlpool::instruction::{UpdateFeesAndRewards, UpdateFeesAndRewardsAccounts};
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.earn().await;
    let market = &scene.world.market;
    let [lower, upper] = market.band_array_starts(position.ticks());
    let accounts = UpdateFeesAndRewardsAccounts {
        pool: market.market.whirlpool,
        position: position.position.whirlpool_position,
        tick_array_lower: market.tick_array(lower),
        tick_array_upper: market.tick_array(upper),
    };
    let book = UpdateFeesAndRewards {}.instruction(market.market.whirlpool_program, &accounts);
    let owed = async || {
        let bytes = scene.bytes(&position.position.whirlpool_position).await;
        let view = ballast_abi::whirlpool::PositionView::parse(&bytes).unwrap();
        Amounts::new(view.fee_owed_a(), view.fee_owed_b())
    };
    let floor = async |min_equity: i128| {
        let floor = Automation {
            min_equity: u64::try_from(min_equity).unwrap(),
            at_floor: Reaction::ExitIntoQuote as u8,
            ..automation()
        };
        scene.automate(&position, floor).await;
    };
    let without = scene.equity(&position).await;
    let saved = scene.svm.save();
    accepted(scene.send(&scene.keeper, book.clone()).await);
    let fees = owed().await;
    assert!(fees.base > 0 && fees.quote > 0, "{fees:?}");
    let (model, at) = scene.model(&position).await;
    let with_fees = model.with_idle(fees).unwrap().value(at).unwrap().equity();
    // An owner who has more than the floor is not taken out because nobody has touched the position.
    for booked in [false, true] {
        for (min_equity, due) in [(without, false), (with_fees - 1, false), (with_fees, true)] {
            scene.svm.restore(&saved);
            if booked {
                accepted(scene.send(&scene.keeper, book.clone()).await);
            } else {
                assert_eq!(owed().await, Amounts::ZERO);
            }
            floor(min_equity).await;
            let sent = scene.exit(&position, &scene.keeper).await;
            match due {
                true => drop(accepted(sent)),
                false => refused(sent, BallastError::ExitNotDue),
            }
        }
    }
}

/// A swap of an exit may lose no more at the newest price that the market knows than at the one that is used.
#[tokio::test]
async fn an_exit_at_an_older_price_loses_no_more_than_the_cap_at_the_newest() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.exit_at(&position, 194, Reaction::ExitIntoQuote).await;
    scene.svm.pass_time(60).await.unwrap();
    let refresh = || instruction::refresh_price(&scene.world.market);
    let show = async |dollars| {
        scene.post_with_average(dollars, dollars, 0).await;
        accepted(scene.send(&scene.keeper, refresh()).await);
    };
    // 0.5 % above the pool at the price that is used, 2 % at the newest: what base is sold for is too little there.
    scene.pool(195.0).await;
    show(199).await;
    scene.post_with_average(196, 196, 5).await;
    refused(
        scene.exit(&position, &scene.keeper).await,
        BallastError::SwapLossTooHigh,
    );
    // It takes no swap, it takes no price.
    let saved = scene.svm.save();
    scene.exit_at(&position, 194, Reaction::ExitAsIs).await;
    accepted(scene.exit(&position, &scene.keeper).await);
    scene.svm.restore(&saved);
    // With the newest price it goes as soon as the pool follows.
    scene.post_with_average(199, 199, 0).await;
    scene.pool(198.5).await;
    accepted(scene.exit(&position, &scene.keeper).await);
}

#[tokio::test]
async fn a_debt_of_a_few_units_does_not_keep_a_hedged_position_in() {
    // At the price that it was hedged at a position holds as much base as it owes, but for rounding.
    for reaction in REACTIONS {
        let scene = Scene::new().await;
        let position = scene.open(1).await;
        let before = scene.equity(&position).await;
        scene.exit_at(&position, 199, reaction).await;
        accepted(scene.exit(&position, &scene.keeper).await);
        let (model, _) = scene.model(&position).await;
        assert_eq!(model.debt, Amounts::ZERO);
        let lost = before - scene.equity(&position).await;
        assert!((0..=before / 100).contains(&lost), "{lost} of {before}");
        accepted(scene.close_for(&position, 0, 0).await);
    }
}

#[tokio::test]
async fn without_a_swap_an_exit_works_whatever_the_pool_does() {
    for pool in [196.0, 200.0, 204.0] {
        let scene = Scene::new().await;
        let args = ballast_client::OpenArgs {
            leverage_bps: 10_000,
            policy: ballast_client::Policy {
                hedge_bps: 0,
                ..scene.world.policy()
            },
            ..scene.example(1)
        };
        accepted(scene.try_open(args).await);
        let address =
            ballast_client::PositionAddresses::new(&scene.world.market, &scene.alice.key(), 1);
        let position = PositionContext::load(scene.svm.chain().as_ref(), address.position)
            .await
            .unwrap();
        // What rounding has left.
        let market = &scene.world.market;
        let wallet = &scene.alice.wallet;
        let repay = instruction::repay(market, &position, wallet, u64::MAX, u64::MAX);
        accepted(scene.send(&scene.alice, repay).await);
        let before = scene.equity(&position).await;
        scene.pool(pool).await;
        // Whoever swaps is bound to the pool's distance.
        scene.exit_at(&position, 199, Reaction::ExitIntoQuote).await;
        let sent = scene.exit(&position, &scene.keeper).await;
        if pool == 200.0 {
            accepted(sent);
            continue;
        }
        refused(sent, BallastError::PoolDiverged);
        scene.exit_at(&position, 199, Reaction::ExitAsIs).await;
        accepted(scene.exit(&position, &scene.keeper).await);
        // Whoever has pushed the pool has lost to the position, not won.
        let after = scene.equity(&position).await;
        assert!(after + 3 >= before, "{after} of {before}");
    }
}

#[tokio::test]
async fn an_exit_loses_no_more_than_the_owner_allows() {
    for reaction in [Reaction::ExitIntoQuote, Reaction::ExitIntoBase] {
        let scene = Scene::new().await;
        let position = scene.open(1).await;
        // At 190 there is only base, the quote debt has to be bought; somebody pushes the pool as far as it may be.
        scene.price(190).await;
        scene.pool(188.3).await;
        let (max_exit_loss_bps, window_high_tick) = (50, scene.tick(189));
        let automation = Automation {
            window_high_tick,
            at_high: reaction as u8,
            max_exit_loss_bps,
            ..automation()
        };
        scene.automate(&position, automation).await;
        refused(
            scene.exit(&position, &scene.keeper).await,
            BallastError::SwapLossTooHigh,
        );
        scene.pool(189.4).await;
        let before = scene.equity(&position).await;
        let (model, oracle) = scene.model(&position).await;
        let assets = model.value(oracle).unwrap().assets;
        let receipt = accepted(scene.exit(&position, &scene.keeper).await);
        let lost = before - scene.equity(&position).await;
        let most = i128::try_from(assets).unwrap() * i128::from(max_exit_loss_bps) / 10_000;
        assert!(lost <= most, "{lost} lost, at most {most}");
        let told = receipt
            .events
            .iter()
            .any(|event| matches!(event, BallastEvent::Exited(event) if event.swap_loss > 0));
        assert!(told);
    }
}

#[tokio::test]
async fn the_markets_limit_of_a_swaps_loss_binds_an_exit_too() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(190).await;
    scene.pool(189.4).await;
    let automation = Automation {
        window_high_tick: scene.tick(189),
        at_high: Reaction::ExitIntoQuote as u8,
        max_exit_loss_bps: 100,
        ..automation()
    };
    scene.automate(&position, automation).await;
    // The market has become stricter since.
    scene
        .change_limits(|params| params.limits.max_swap_loss_bps = 20)
        .await;
    refused(
        scene.exit(&position, &scene.keeper).await,
        BallastError::SwapLossTooHigh,
    );
    scene.change_limits(|_| ()).await;
    accepted(scene.exit(&position, &scene.keeper).await);
}

#[tokio::test]
async fn an_exit_leaves_no_debt() {
    let scene = Scene::new().await;
    let mut args = scene.example(1);
    args.policy.hedge_bps = 0;
    args.leverage_bps = 39_900;
    let position = scene.world.open(&scene.alice, args).await.unwrap();
    // All that is left is base, which is worth less than the quote that is owed.
    scene.exit_at(&position, 120, Reaction::ExitIntoQuote).await;
    scene.price(130).await;
    assert!(scene.equity(&position).await < 0);
    refused(
        scene.exit(&position, &scene.keeper).await,
        BallastError::DebtRemains,
    );
}

#[tokio::test]
async fn an_exit_that_may_not_swap_does_not() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(190).await;
    let automation = Automation {
        window_high_tick: scene.tick(189),
        at_high: Reaction::ExitAsIs as u8,
        max_exit_loss_bps: 0,
        ..automation()
    };
    scene.automate(&position, automation).await;
    refused(
        scene.exit(&position, &scene.keeper).await,
        BallastError::SwapLossTooHigh,
    );
    // Where the collateral covers both debts it needs none.
    scene.price(195).await;
    let (model, oracle) = scene.model(&position).await;
    let pooled = model.pool_amounts_down(oracle).unwrap();
    for side in [Side::Base, Side::Quote] {
        assert!(pooled.get(side) > model.debt.get(side), "{side:?}");
    }
    accepted(scene.exit(&position, &scene.keeper).await);
    assert!(scene.model(&position).await.0.idle.base > 0);
}

#[tokio::test]
async fn an_old_price_exits_only_without_a_swap() {
    let scene = Scene::new().await;
    let (position, other) = (scene.open(1).await, scene.open(2).await);
    scene.exit_at(&position, 194, Reaction::ExitIntoQuote).await;
    scene.price(195).await;
    // As by default; the standard world's tests take their time.
    scene
        .change_market(|market| market.safety.max_age_swap_secs = 0)
        .await;
    // Between the age for swaps and the loose one: what a swap may lose would be measured against a price of anybody's choice.
    let saved = scene.svm.save();
    scene.svm.pass_time(15).await.unwrap();
    accepted(scene.exit(&position, &scene.keeper).await);
    scene.svm.restore(&saved);
    for secs in [16, 45] {
        scene.svm.pass_time(secs).await.unwrap();
        refused(
            scene.exit(&position, &scene.keeper).await,
            BallastError::PriceStale,
        );
    }
    scene.exit_at(&position, 194, Reaction::ExitAsIs).await;
    accepted(scene.exit(&position, &scene.keeper).await);

    scene.price(195).await;
    scene.exit_at(&other, 194, Reaction::ExitAsIs).await;
    scene.svm.pass_time(121).await.unwrap();
    refused(
        scene.exit(&other, &scene.keeper).await,
        BallastError::PriceStale,
    );
}

#[tokio::test]
async fn only_who_the_owner_lets_takes_a_position_out() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.exit_at(&position, 199, Reaction::ExitAsIs).await;
    scene
        .change_policy(&position, |policy| policy.keeper_enabled = 0)
        .await;
    refused(
        scene.exit(&position, &scene.keeper).await,
        BallastError::KeeperDisabled,
    );
    // The owner's own window binds the owner as well: there is `close` for all else.
    scene.price(198).await;
    refused(
        scene.exit(&position, &scene.alice).await,
        BallastError::ExitNotDue,
    );
    scene.price(200).await;
    accepted(scene.exit(&position, &scene.alice).await);
    refused(
        scene.exit(&position, &scene.alice).await,
        BallastError::NoLiquidity,
    );
}

#[tokio::test]
async fn an_insolvent_position_is_liquidated_not_exited() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    for reaction in REACTIONS {
        scene.exit_at(&position, 199, reaction).await;
        scene.price(400).await;
        assert!(scene.equity(&position).await < 0);
        // All its quote does not buy the base that it owes: the pool takes what is not there.
        scene
            .exit(&position, &scene.keeper)
            .await
            .expect_err("accepted");
        let (model, _) = scene.model(&position).await;
        assert!(model.liquidity > 0 && model.debt.base > 0);
    }
    accepted(scene.liquidate(&position).await);
}

#[tokio::test]
async fn an_exit_works_in_every_mode_and_stage() {
    use ballast_client::MarketMode::{NoNewRisk, Normal, ReduceOnly};
    for (mode, stage) in [(NoNewRisk, 0), (ReduceOnly, 0), (Normal, 1), (Normal, 3)] {
        let scene = Scene::new().await;
        let position = scene.open(1).await;
        scene.exit_at(&position, 199, Reaction::ExitIntoQuote).await;
        scene.force_stage(stage).await;
        if mode != Normal {
            scene.set_mode(mode).await;
        }
        accepted(scene.exit(&position, &scene.keeper).await);
        accepted(scene.close_for(&position, 0, 0).await);
    }
}
