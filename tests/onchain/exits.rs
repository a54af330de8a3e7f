//! Exits: into the token that the owner wants, at each edge and at the floor, and whatever dust is owed.

use ballast_client::{Automation, BallastError, OpenArgs, Policy, Reaction, Trade, instruction};
use ballast_keeper::execute::Verdict;
use ballast_localnet::UsdPrice;
use ballast_model::Amounts;
use ballast_strategy::decide::ActionKind;

use crate::{
    keeper::Hand,
    lifecycle::automation,
    support::{Scene, accepted, refused},
};

/// An owner who does not hedge wants out at 193. A deleverage without a swap has taken all the liquidity before.
#[tokio::test]
async fn a_stop_loss_works_after_a_deleverage_that_left_no_liquidity() {
    let scene = Scene::new().await;
    let band = [UsdPrice::dollars(190), UsdPrice::dollars(260)];
    let own = Amounts::new(0, 100_000_000);
    let args = OpenArgs {
        policy: Policy {
            hedge_bps: 0,
            ..scene.world.policy()
        },
        ..scene.world.open_args(1, band, own, 39_000).unwrap()
    };
    let position = scene.world.open(&scene.alice, args).await.unwrap();
    let stop = scene.world.tick_at(UsdPrice::dollars(193)).unwrap().get();
    let automation = Automation {
        window_low_tick: stop,
        at_low: Reaction::ExitIntoQuote as u8,
        ..automation()
    };
    scene.automate(&position, automation).await;
    scene.price(194).await;
    accepted(scene.deleverage(&position, &scene.keeper).await);
    let (model, _) = scene.model(&position).await;
    assert!(model.liquidity == 0 && model.idle.base > 0 && model.debt.quote > 0);
    // The keeper sees it coming, and does it.
    let hand = Hand::new(&scene, "");
    let early = hand.act(&position, ActionKind::Exit).await;
    assert!(matches!(early.verdict, Verdict::NotDue), "{early:?}");
    // Below the owner's trigger of LTV nothing else is due.
    scene.price(192).await;
    Hand::landed(&hand.act(&position, ActionKind::Exit).await);
    let (model, _) = scene.model(&position).await;
    assert!(model.debt.is_zero() && model.idle.base == 0 && model.idle.quote > 0);
    // With neither liquidity nor debt it is the owner's.
    refused(
        scene.exit(&position, &scene.keeper).await,
        BallastError::NoLiquidity,
    );
}

#[tokio::test]
async fn each_edge_of_the_window_and_the_floor_lead_to_the_token_that_the_owner_wants() {
    for (dollars, low, high, reaction) in [
        (190, 192, 220, Reaction::ExitIntoQuote),
        (190, 192, 220, Reaction::ExitIntoBase),
        (190, 192, 220, Reaction::ExitAsIs),
        (212, 180, 210, Reaction::ExitIntoQuote),
        (212, 180, 210, Reaction::ExitIntoBase),
        (212, 180, 210, Reaction::ExitAsIs),
    ] {
        let scene = Scene::new().await;
        let position = scene.open(1).await;
        let tick = |dollars| {
            scene
                .world
                .tick_at(UsdPrice::dollars(dollars))
                .unwrap()
                .get()
        };
        let (window_low_tick, window_high_tick) = (tick(low), tick(high));
        scene
            .automate(
                &position,
                Automation {
                    window_low_tick,
                    window_high_tick,
                    at_low: reaction as u8,
                    at_high: reaction as u8,
                    ..automation()
                },
            )
            .await;
        let market = &scene.world.market;
        let exit = async || {
            let pool = scene.world.pool().await.unwrap();
            let (model, _) = scene.model(&position).await;
            let sells = model.delta(pool.sqrt_price).unwrap() > 0;
            let trade = match (sells, reaction) {
                (_, Reaction::ExitIntoBase) => Trade::BuyBase,
                (true, _) => Trade::SellBase,
                (false, _) => Trade::BuyBase,
            };
            let path = market.swap_path(pool.tick_current, trade);
            let exit = instruction::exit(market, &position, &scene.keeper.key(), &path);
            scene.send(&scene.keeper, exit).await
        };
        refused(exit().await, BallastError::ExitNotDue);
        scene.price(dollars).await;
        let (before, oracle) = scene.model(&position).await;
        accepted(exit().await);
        let (after, _) = scene.model(&position).await;
        assert_eq!(after.liquidity, 0);
        assert_eq!(after.debt, Amounts::ZERO);
        let worth = |model: &ballast_model::Position| model.value(oracle).unwrap().equity();
        let lost = worth(&before) - worth(&after);
        assert!(
            lost < worth(&before) / 100,
            "{lost} lost of {}",
            worth(&before)
        );
        match reaction {
            Reaction::ExitIntoQuote => assert_eq!(after.idle.base, 0),
            Reaction::ExitIntoBase => assert!(after.idle.quote < 1_000, "{:?}", after.idle),
            _ => {}
        }
        // Nothing is left for keepers, and the owner gets it all.
        refused(
            scene.rehedge(&position, &scene.keeper).await,
            BallastError::NoLiquidity,
        );
        refused(exit().await, BallastError::NoLiquidity);
        accepted(scene.close_for(&position, 0, 0).await);
    }
}

/// A position that was just hedged owes a few units more or less of what it holds: too little to be traded at any price but
/// for rounding.
#[tokio::test]
async fn debts_of_dust_do_not_keep_a_position_in_the_pool() {
    for (dollars, reaction) in [
        (185, Reaction::ExitAsIs),
        (185, Reaction::ExitIntoQuote),
        (185, Reaction::ExitIntoBase),
        (216, Reaction::ExitAsIs),
        (216, Reaction::ExitIntoQuote),
        (216, Reaction::ExitIntoBase),
    ] {
        let scene = Scene::new().await;
        let position = scene.open(1).await;
        scene.automate(&position, automation()).await;
        scene.price(dollars).await;
        let args = scene.ticks_around(dollars, 512);
        accepted(scene.recenter(&position, &scene.keeper, args).await);
        let position = scene.world.reload(&position).await.unwrap();
        let (model, oracle) = scene.model(&position).await;
        let reached = scene.world.tick_at(UsdPrice::dollars(dollars + 5)).unwrap();
        let window = Automation {
            window_low_tick: reached.get(),
            at_low: reaction as u8,
            ..automation()
        };
        scene.automate(&position, window).await;
        let tick = scene.world.pool().await.unwrap().tick_current;
        let trade = match (model.delta(oracle).unwrap() > 0, reaction) {
            (_, Reaction::ExitIntoBase) | (false, _) => Trade::BuyBase,
            (true, _) => Trade::SellBase,
        };
        let market = &scene.world.market;
        let path = market.swap_path(tick, trade);
        let exit = instruction::exit(market, &position, &scene.keeper.key(), &path);
        accepted(scene.send(&scene.keeper, exit).await);
        let (after, _) = scene.model(&position).await;
        assert_eq!((after.liquidity, after.debt), (0, Amounts::ZERO));
        let worth = |model: &ballast_model::Position| model.value(oracle).unwrap().equity();
        let lost = worth(&model) - worth(&after);
        assert!(lost < worth(&model) / 100, "{lost}");
        accepted(scene.close_for(&position, 0, 0).await);
    }
}
