//! When a keeper may recenter, and to which band; what a hostile one can do with that, and what an owner can.

use ballast_client::{
    Automation, BallastError, BallastEvent, MarketMode, Policy, PositionContext, RecenterArgs,
    ballast::due, instruction,
};
use ballast_localnet::UsdPrice;

use crate::{
    lifecycle::automation,
    support::{Scene, accepted, refused, substitute},
};

pub async fn left_its_band() -> (Scene, PositionContext, RecenterArgs) {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.automate(&position, automation()).await;
    scene.price(216).await;
    let args = scene.ticks_around(216, 512);
    (scene, position, args)
}

pub async fn equity(scene: &Scene, position: &PositionContext) -> i128 {
    let position = scene.world.reload(position).await.unwrap();
    let (model, oracle) = scene.model(&position).await;
    model.value(oracle).unwrap().equity()
}

#[tokio::test]
async fn within_the_band_nothing_is_due() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.automate(&position, automation()).await;
    scene.price(209).await;
    let args = scene.ticks_around(209, 512);
    let by_keeper = async || scene.recenter(&position, &scene.keeper, args).await;
    refused(by_keeper().await, BallastError::RecenterNotDue);
    // A tenth of the band next to either edge.
    let edge = |edge_bps| Automation {
        edge_bps,
        ..automation()
    };
    scene.automate(&position, edge(100)).await;
    refused(by_keeper().await, BallastError::RecenterNotDue);
    scene.automate(&position, edge(1_000)).await;
    accepted(by_keeper().await);
}

#[tokio::test]
async fn beyond_the_owners_window_keepers_leave_it_where_it_is() {
    let (scene, position, args) = left_its_band().await;
    let tick = |dollars| scene.world.tick_at(UsdPrice::dollars(dollars)).unwrap();
    let by_keeper = async || scene.recenter(&position, &scene.keeper, args).await;
    let window = |low: i64, high: i64| Automation {
        window_low_tick: tick(low).get(),
        window_high_tick: tick(high).get(),
        ..automation()
    };
    for outside in [window(150, 215), window(217, 300)] {
        scene.automate(&position, outside).await;
        refused(by_keeper().await, BallastError::RecenterNotDue);
    }
    scene.automate(&position, window(215, 217)).await;
    accepted(by_keeper().await);
}

#[tokio::test]
async fn the_longer_of_both_cool_downs_counts() {
    for (owners, due_secs) in [(0, 10), (60, 60)] {
        let (scene, position, args) = left_its_band().await;
        let cooldown = Automation {
            recenter_cooldown_secs: owners,
            ..automation()
        };
        scene.automate(&position, cooldown).await;
        accepted(scene.recenter(&position, &scene.keeper, args).await);
        scene.price(232).await;
        let args = scene.ticks_around(232, 512);
        let by_keeper = async || scene.recenter(&position, &scene.keeper, args).await;
        refused(by_keeper().await, BallastError::TooSoon);
        scene.wait(due_secs - 1, 232).await;
        refused(by_keeper().await, BallastError::TooSoon);
        scene.wait(1, 232).await;
        accepted(by_keeper().await);
    }
}

#[tokio::test]
async fn a_keeper_chooses_no_band_but_the_owners() {
    let (scene, position, args) = left_its_band().await;
    let by_keeper = async |tick_lower, tick_upper| {
        let args = RecenterArgs {
            tick_lower,
            tick_upper,
        };
        let path = scene.world.market.swap_path(
            scene.world.pool().await.unwrap().tick_current,
            ballast_client::Trade::BuyBase,
        );
        let market = &scene.world.market;
        let keeper = scene.keeper.key();
        // The accounts of a band that exists: what the program says about the ticks comes first.
        let recenter = instruction::recenter(market, &position, &keeper, args, &path);
        scene.send(&scene.keeper, recenter).await
    };
    let (lower, upper) = (args.tick_lower, args.tick_upper);
    let middle = (lower + upper) / 2;
    // The owner allows 400 to 4000 ticks, the pool multiples of 4.
    for half in [198, 2_002] {
        refused(
            by_keeper(middle - half, middle + half).await,
            BallastError::WidthOutOfBounds,
        );
    }
    for (lower, upper) in [(upper, lower), (lower, lower), (i32::MIN, i32::MAX)] {
        refused(
            by_keeper_raw(&scene, &position, args, lower, upper).await,
            BallastError::WidthOutOfBounds,
        );
    }
    for by in [-20, -8, 12, 20] {
        refused(
            by_keeper(lower + by, upper + by).await,
            BallastError::RecenterOffCentre,
        );
    }
    for (lower, upper) in [
        (i32::MIN, i32::MIN + 1_024),
        (i32::MAX - 1_024, i32::MAX),
        (443_000, 444_024),
    ] {
        refused(
            by_keeper_raw(&scene, &position, args, lower, upper).await,
            BallastError::RecenterOffCentre,
        );
    }
    // Ticks that are no multiples of the spacing are the pool's to refuse.
    let sent = by_keeper_raw(&scene, &position, args, lower + 1, upper + 1).await;
    let error = sent.expect_err("accepted");
    let program = error.failure().and_then(|failure| failure.program);
    let pool = scene.world.market.market.whirlpool_program;
    assert_eq!(program, Some(pool), "{error}");
    accepted(scene.recenter(&position, &scene.keeper, args).await);
}

/// With the accounts of a good band, and any ticks.
async fn by_keeper_raw(
    scene: &Scene,
    position: &PositionContext,
    good: RecenterArgs,
    tick_lower: i32,
    tick_upper: i32,
) -> crate::support::Sent {
    let market = &scene.world.market;
    let ticks = [good.tick_lower, good.tick_upper];
    scene.world.create_tick_arrays(ticks).await.unwrap();
    let tick = scene.world.pool().await.unwrap().tick_current;
    let path = market.swap_path(tick, ballast_client::Trade::BuyBase);
    let keeper = scene.keeper.key();
    let mut recenter = instruction::recenter(market, position, &keeper, good, &path);
    let length = recenter.data.len();
    recenter.data[length - 8..length - 4].copy_from_slice(&tick_lower.to_le_bytes());
    recenter.data[length - 4..].copy_from_slice(&tick_upper.to_le_bytes());
    scene.send(&scene.keeper, recenter).await
}

#[tokio::test]
async fn keepers_need_the_owners_leave_and_the_owner_nobodys() {
    let (scene, position, args) = left_its_band().await;
    let by_keeper = async || scene.recenter(&position, &scene.keeper, args).await;
    scene.automate(&position, Automation::OFF).await;
    refused(by_keeper().await, BallastError::KeeperDisabled);
    scene.automate(&position, automation()).await;
    scene
        .change_policy(&position, |policy: &mut Policy| policy.keeper_enabled = 0)
        .await;
    refused(by_keeper().await, BallastError::KeeperDisabled);
    // At once, again, off centre and as wide as the owner likes.
    for (lower, upper) in [(-512, 512), (-600, 420), (-6_000, 6_000)] {
        let middle = (args.tick_lower + args.tick_upper) / 2;
        let args = RecenterArgs {
            tick_lower: middle + lower,
            tick_upper: middle + upper,
        };
        accepted(scene.recenter(&position, &scene.alice, args).await);
    }
}

#[tokio::test]
async fn modes_and_a_pool_pushed_away_stop_recentering() {
    let (scene, position, args) = left_its_band().await;
    for mode in [MarketMode::NoNewRisk, MarketMode::ReduceOnly] {
        scene.set_mode(mode).await;
        for by in [&scene.keeper, &scene.alice] {
            refused(
                scene.recenter(&position, by, args).await,
                BallastError::ModeForbids,
            );
        }
    }
    scene.set_mode(MarketMode::Normal).await;
    for away in [213.7, 218.3] {
        scene.pool(away).await;
        refused(
            scene.recenter(&position, &scene.alice, args).await,
            BallastError::PoolDiverged,
        );
    }
    scene.pool(216.0).await;
    accepted(scene.recenter(&position, &scene.keeper, args).await);
}

#[tokio::test]
async fn a_recentering_may_not_push_the_pool_away_itself() {
    let mut refusals = 0;
    // Just within a basis point on either side: one way the swap leads further away.
    for dollars in [216.0 - 0.021_599, 216.0 + 0.021_599] {
        let (scene, position, args) = left_its_band().await;
        scene.pool(dollars).await;
        scene
            .change_limits(|params| params.limits.max_pool_deviation_bps = 1)
            .await;
        match scene.recenter(&position, &scene.alice, args).await {
            Err(error) if error.is(BallastError::PoolDiverged) => refusals += 1,
            sent => drop(accepted(sent)),
        }
    }
    assert_eq!(refusals, 1);
}

#[tokio::test]
async fn a_recentering_that_would_be_due_again_at_once_is_none() {
    let (scene, position, args) = left_its_band().await;
    let edge_bps = 4_990;
    let narrow = Automation {
        edge_bps,
        ..automation()
    };
    scene.automate(&position, narrow).await;
    let oracle = scene.model(&position).await.1;
    let market = &scene.world.market.market;
    let spacing = i32::from(market.tick_spacing);
    // Centred as well as the pool's spacing permits, but not in the middle fiftieth of a hundredth of the band.
    let mut centred = 0;
    for by in [-spacing, 0, spacing] {
        let to = RecenterArgs {
            tick_lower: args.tick_lower + by,
            tick_upper: args.tick_upper + by,
        };
        let ticks = [to.tick_lower, to.tick_upper];
        let [lower, upper] = ticks.map(|tick| ballast_client::Tick::new(tick).unwrap());
        let band = ballast_client::Band::new(lower, upper).unwrap();
        if !due::centred(ticks, market.tick_spacing, oracle)
            || !due::at_edge(&band, edge_bps, oracle)
        {
            continue;
        }
        centred += 1;
        refused(
            scene.recenter(&position, &scene.keeper, to).await,
            BallastError::RecenterOffCentre,
        );
    }
    assert!(centred > 0);
    scene.automate(&position, automation()).await;
    accepted(scene.recenter(&position, &scene.keeper, args).await);
}

#[tokio::test]
async fn a_hostile_keeper_bleeds_no_more_than_the_allowance() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let max_daily_loss_bps = 20;
    let automation = Automation {
        max_daily_loss_bps,
        ..automation()
    };
    scene.automate(&position, automation).await;
    let start = equity(&scene, &position).await;
    let mut refusals = 0;
    let mut dollars = 200;
    for turn in 0..14 {
        scene.wait(11, dollars).await;
        // A true price that goes to and fro, a pool pushed as far as it may be, and back afterwards.
        dollars = if turn % 2 == 0 { 213 } else { 200 };
        scene.price(dollars).await;
        let push = if dollars == 213 { 1.0006 } else { 0.9994 };
        scene.pool(dollars as f64 * push).await;
        let before = equity(&scene, &position).await;
        let args = scene.ticks_around(dollars, 200);
        let sent = scene.recenter(&position, &scene.keeper, args).await;
        match sent {
            Ok(receipt) => {
                let told = receipt.events.iter().find_map(|event| match event {
                    BallastEvent::Recentered(event) => Some(event.equity_after),
                    _ => None,
                });
                let after = equity(&scene, &position).await;
                assert_eq!(told, Some(after));
                let lost = before - after;
                let most = start * i128::from(max_daily_loss_bps) / 10_000;
                assert!(lost <= most + 1, "{lost} lost at once, at most {most}");
            }
            // Where it was refused the last time, the price has come back into the band.
            Err(error) if error.is(BallastError::RecenterNotDue) => {}
            refusal => {
                refused(refusal, BallastError::DailyLossExceeded);
                refusals += 1;
            }
        }
        scene.pool(dollars as f64).await;
    }
    assert!(refusals > 0, "the keeper was never stopped");
    let stored = scene.world.reload(&position).await.unwrap().position;
    let most = start * i128::from(max_daily_loss_bps) / 10_000;
    assert!(
        i128::from(stored.recent_loss) <= most,
        "{} of {most}",
        stored.recent_loss
    );
    // The owner is not bound by it.
    let args = scene.ticks_around(dollars, 512);
    accepted(scene.recenter(&position, &scene.alice, args).await);
}

#[tokio::test]
async fn only_the_owner_takes_an_empty_position_back_into_the_pool() {
    let (scene, position, args) = left_its_band().await;
    scene.price(200).await;
    scene
        .exit_at(&position, 199, ballast_client::Reaction::ExitAsIs)
        .await;
    accepted(scene.exit(&position, &scene.keeper).await);
    refused(
        scene.recenter(&position, &scene.keeper, args).await,
        BallastError::NoLiquidity,
    );
    // The owner may go back into the pool.
    let args = scene.ticks_around(200, 512);
    accepted(scene.recenter(&position, &scene.alice, args).await);
    let (model, _) = scene.model(&position).await;
    assert!(model.liquidity > 0 && model.debt.base > 0);
}

#[tokio::test]
async fn tick_arrays_that_are_missing_or_foreign_are_the_pools_to_refuse() {
    let (scene, position, args) = left_its_band().await;
    let market = &scene.world.market;
    let pool = scene.world.pool().await.unwrap();
    let path = market.swap_path(pool.tick_current, ballast_client::Trade::BuyBase);
    let keeper = scene.keeper.key();
    let recenter = instruction::recenter(market, &position, &keeper, args, &path);
    let starts = market.band_array_starts([args.tick_lower, args.tick_upper]);
    let [lower, upper] = starts.map(|start| market.tick_array(start));
    assert_ne!(lower, upper);
    let ticks = [args.tick_lower, args.tick_upper];
    scene.world.create_tick_arrays(ticks).await.unwrap();
    let missing = Scene::fresh_address("no tick array");
    for (from, to) in [
        (lower, upper),
        (upper, missing),
        (lower, position.position.whirlpool_position),
        (upper, market.market.whirlpool),
    ] {
        let sent = scene
            .send(&scene.keeper, substitute(recenter.clone(), from, to))
            .await;
        let error = sent.expect_err("accepted");
        let program = error.failure().and_then(|failure| failure.program);
        assert_eq!(program, Some(market.market.whirlpool_program), "{error}");
    }
    accepted(scene.recenter(&position, &scene.keeper, args).await);
}
