//! Deleveraging with a swap: who may, at which price, at which loss, and how far it goes.

use ballast_client::{
    Automation, BallastError, BallastEvent, Receipt, ballast::events::DeleveragedWithSwap,
    instruction,
};
use ballast_localnet::{Localnet, UsdPrice, WorldConfig};

use crate::{
    lifecycle::{automation, solana_transfer},
    support::{Scene, accepted, refused, shallow},
};

fn done(receipt: &Receipt) -> &DeleveragedWithSwap {
    let found = receipt.events.iter().find_map(|event| match event {
        BallastEvent::DeleveragedWithSwap(event) => Some(event),
        _ => None,
    });
    found.expect("deleveraged")
}

/// The reference's worked example, at its cost of 10 bps at most.
#[tokio::test]
async fn the_worked_example_ends_at_the_target_hedged() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene
        .change_limits(|params| params.limits.max_swap_loss_bps = 10)
        .await;
    let target = 6_500;
    scene
        .change_policy(&position, |policy| {
            policy.deleverage_target_ltv_bps = target;
            policy.max_swap_loss_bps = 10;
        })
        .await;
    scene.price(250).await;
    let (before, oracle) = scene.model(&position).await;
    let receipt = accepted(scene.deleverage_swap(&position, &scene.keeper).await);
    let event = done(&receipt);
    let (after, _) = scene.model(&position).await;
    let value = after.value(oracle).unwrap();
    assert!(
        value.ltv_bps_up() <= target && value.ltv_bps_up() + 10 >= target,
        "{value:?}"
    );
    assert_eq!(after.hedge_error(oracle, ballast_client::Bps::ONE), Ok(0));
    // 0.3709 of the liquidity for 0.7315 base; the ticks are not exactly 190 and 210.
    let part = event.liquidity as f64 / before.liquidity as f64;
    assert!((part - 0.3709).abs() < 0.003, "{part}");
    assert!(!event.sold);
    assert!(event.base_traded.abs_diff(731_475_723) < 7_000_000);
    let lost = before.value(oracle).unwrap().equity() - value.equity();
    assert!(lost <= i128::from(event.swap_loss) + 10);
}

/// Where the tokens match the debts nothing is swapped.
#[tokio::test]
async fn it_does_not_swap_where_repaying_is_enough() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(120).await;
    let receipt = accepted(scene.deleverage_swap(&position, &scene.keeper).await);
    let event = done(&receipt);
    assert_eq!((event.base_traded, event.swap_loss), (0, 0));
    let ltv = scene.ltv_bps(&position).await;
    assert!((6_499..=6_500).contains(&ltv), "{ltv}");
}

#[tokio::test]
async fn it_is_due_like_any_deleverage() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    for dollars in [200, 240] {
        scene.price(dollars).await;
        refused(
            scene.deleverage_swap(&position, &scene.keeper).await,
            BallastError::DeleverageNotDue,
        );
    }
    scene
        .change_policy(&position, |policy| policy.keeper_enabled = 0)
        .await;
    // Between the policy's 76 % and the market's 77 %.
    scene.price(244).await;
    refused(
        scene.deleverage_swap(&position, &scene.keeper).await,
        BallastError::KeeperDisabled,
    );
    let saved = scene.svm.save();
    accepted(scene.deleverage_swap(&position, &scene.alice).await);
    scene.svm.restore(&saved);
    scene.price(250).await;
    accepted(scene.deleverage_swap(&position, &scene.keeper).await);
    // The market's target.
    let ltv = scene.ltv_bps(&position).await;
    assert!((6_300..=6_500).contains(&ltv), "{ltv}");
}

#[tokio::test]
async fn it_takes_a_price_of_seconds_at_any_distance_from_its_average() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(250).await;
    let saved = scene.svm.save();
    scene.svm.pass_time(16).await.unwrap();
    refused(
        scene.deleverage_swap(&position, &scene.keeper).await,
        BallastError::PriceStale,
    );
    scene.svm.restore(&saved);
    scene.svm.pass_time(10).await.unwrap();
    let mut post = ballast_localnet::PricePost::good(
        ballast_client::Side::Base,
        UsdPrice::dollars(250),
        scene.svm.now_secs(),
    );
    // A crash: 25 % from its average, and uncertain.
    post.ema_price = post.price * 100 / 125;
    post.conf = post.price.unsigned_abs() / 60;
    accepted(scene.world.post(&[post]).await);
    accepted(scene.deleverage_swap(&position, &scene.keeper).await);
}

#[tokio::test]
async fn it_needs_the_pool_near_the_oracle() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(250).await;
    for away in [247.0, 253.0] {
        scene.pool(away).await;
        refused(
            scene.deleverage_swap(&position, &scene.keeper).await,
            BallastError::PoolDiverged,
        );
    }
    scene.pool(248.0).await;
    accepted(scene.deleverage_swap(&position, &scene.keeper).await);
}

/// An owner whose cap lies below the pool's fee of 4 bps binds keepers, but nobody above the market's trigger.
#[tokio::test]
async fn an_owners_cap_cannot_keep_the_market_from_deleveraging() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene
        .change_policy(&position, |policy| policy.max_swap_loss_bps = 3)
        .await;
    scene.price(244).await;
    assert!((7_600..7_700).contains(&scene.ltv_bps(&position).await));
    refused(
        scene.deleverage_swap(&position, &scene.keeper).await,
        BallastError::SwapLossTooHigh,
    );
    scene.price(250).await;
    accepted(scene.deleverage_swap(&position, &scene.keeper).await);
    let ltv = scene.ltv_bps(&position).await;
    assert!(ltv <= 6_500, "{ltv}");
}

/// The market's cap binds everybody: a pool that stands worse is not traded with.
#[tokio::test]
async fn it_loses_no_more_than_the_cap() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene
        .change_limits(|params| params.limits.max_swap_loss_bps = 50)
        .await;
    scene.price(250).await;
    scene.pool(251.3).await;
    refused(
        scene.deleverage_swap(&position, &scene.keeper).await,
        BallastError::SwapLossTooHigh,
    );
    scene.pool(251.0).await;
    let receipt = accepted(scene.deleverage_swap(&position, &scene.keeper).await);
    let event = done(&receipt);
    let value = u128::from(event.base_traded) * 250 / 1_000;
    assert!(
        u128::from(event.swap_loss) * 10_000 <= value * 50,
        "{}",
        event.swap_loss
    );
    assert!(event.swap_loss > 0);
}

/// Who uses a price of some seconds before the newest makes no swap due by it, and none that loses more than the cap at the newest.
/// What does not swap goes on meanwhile, and so does everything at the newest price.
/// Where the older price reaches the market's trigger and the newest only the owner's, which is below it, the owner's is what is due.
#[tokio::test]
async fn a_swap_that_the_owner_asks_for_at_both_prices_is_not_kept_from_by_the_markets_trigger() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.svm.pass_time(60).await.unwrap();
    scene.pool(245.0).await;
    scene.post_with_average(243, 243, 0).await;
    let refresh = instruction::refresh_price(&scene.world.market);
    accepted(scene.send(&scene.keeper, refresh).await);
    let owners = scene.world.policy();
    let newest = scene.ltv_bps(&position).await;
    assert!((owners.deleverage_trigger_ltv_bps..7_700).contains(&newest));
    scene.post_with_average(247, 247, 4).await;
    assert!(scene.ltv_bps(&position).await >= 7_700);
    let receipt = accepted(scene.deleverage_swap(&position, &scene.keeper).await);
    // To the owner's target and within the owner's cap.
    assert!(done(&receipt).ltv_after_bps <= owners.deleverage_target_ltv_bps);
}

#[tokio::test]
async fn an_older_price_makes_no_swap_due_and_none_that_loses_more() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    // Only the market's trigger of 77 %.
    scene
        .change_policy(&position, |policy| policy.keeper_enabled = 0)
        .await;
    scene.svm.pass_time(60).await.unwrap();
    let show = async |dollars| {
        scene.post_with_average(dollars, dollars, 0).await;
        let refresh = instruction::refresh_price(&scene.world.market);
        accepted(scene.send(&scene.keeper, refresh).await);
        scene.ltv_bps(&position).await
    };
    let start = scene.svm.save();
    scene.pool(247.0).await;
    assert!(show(244).await < 7_700);
    scene.post_with_average(247, 247, 4).await;
    assert!((7_700..7_800).contains(&scene.ltv_bps(&position).await));
    refused(
        scene.deleverage_swap(&position, &scene.keeper).await,
        BallastError::DeleverageNotDue,
    );
    accepted(scene.deleverage(&position, &scene.keeper).await);

    // Due at both; the pool is 1.2 % above the newest price, and near the one that is used.
    scene.svm.restore(&start);
    assert!(show(250).await >= 7_700);
    scene.pool(253.0).await;
    scene.post_with_average(253, 253, 4).await;
    refused(
        scene.deleverage_swap(&position, &scene.keeper).await,
        BallastError::SwapLossTooHigh,
    );
    // A pool that is within the cap at the newest is traded with at either, and loses no more at the newest.
    scene.pool(251.0).await;
    let saved = scene.svm.save();
    for (used, age_secs) in [(253, 4), (250, 0), (249, 4)] {
        scene.svm.restore(&saved);
        scene.post_with_average(used, used, age_secs).await;
        let receipt = accepted(scene.deleverage_swap(&position, &scene.keeper).await);
        let event = done(&receipt);
        let newest = u128::from(event.base_traded) * 250 / 1_000;
        let paid = u128::from(event.quote_traded);
        assert!(
            paid * 10_000 <= newest * 10_100,
            "{paid} for what is worth {newest}"
        );
        assert!(paid > newest && event.base_traded > 0);
    }
    // Nobody is kept away by a newest price at which nothing is due: the next one counts.
    scene.svm.restore(&start);
    show(244).await;
    scene.pool(250.0).await;
    scene.post_with_average(250, 250, 0).await;
    accepted(scene.deleverage_swap(&position, &scene.keeper).await);
}

/// In a thin pool only a part is traded. It is booked as long as LTV falls, and the next goes on.
#[tokio::test]
async fn a_part_is_better_than_nothing() {
    let config = WorldConfig {
        background_value: 1_000_000_000,
        ..WorldConfig::standard().unwrap()
    };
    let scene = Scene::with(config).await;
    let position = scene.open(1).await;
    let rewarding = Automation {
        reward_lamports: 10_000,
        ..automation()
    };
    scene.automate(&position, rewarding).await;
    let fund = solana_transfer(&scene.alice.key(), &position.address, 1_000_000);
    accepted(scene.send(&scene.alice, fund).await);
    let rewards = async || scene.lamports(&position.address).await;
    let (funded, target) = (
        rewards().await,
        scene.world.policy().deleverage_target_ltv_bps,
    );
    scene.price(254).await;
    let mut ltv = scene.ltv_bps(&position).await;
    let mut parts = 0;
    while ltv >= 7_600 {
        accepted(scene.deleverage_swap(&position, &scene.keeper).await);
        let next = scene.ltv_bps(&position).await;
        assert!(next < ltv, "{next} after {ltv}");
        // Nobody earns the reward of the whole again and again by doing a little.
        let whole = next <= target;
        assert_eq!(rewards().await, funded - if whole { 10_000 } else { 0 });
        ltv = next;
        scene.price(254).await;
        parts += 1;
    }
    let error = {
        let (model, oracle) = scene.model(&position).await;
        model.hedge_error(oracle, ballast_client::Bps::ONE).unwrap()
    };
    assert!(error < 0, "all was traded at once: {parts} parts");
}

/// Without equity there is nothing to keep: that is for liquidators.
#[tokio::test]
async fn without_equity_nothing_is_deleveraged() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(345).await;
    assert!(scene.ltv_bps(&position).await > 10_000);
    for sent in [
        scene.deleverage_swap(&position, &scene.keeper).await,
        scene.deleverage(&position, &scene.keeper).await,
    ] {
        refused(sent, BallastError::LtvNotLowered);
    }
}

/// What repays nothing is not withdrawn.
#[tokio::test]
async fn what_cannot_lower_ltv_is_left_alone() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(258).await;
    accepted(scene.deleverage(&position, &scene.keeper).await);
    // All quote is repaid; the base that is owed is not in the pool.
    scene.price(266).await;
    let (before, _) = scene.model(&position).await;
    assert_eq!(before.debt.quote, 0);
    assert!(scene.ltv_bps(&position).await >= 7_600);
    refused(
        scene.deleverage(&position, &scene.keeper).await,
        BallastError::LtvNotLowered,
    );
    accepted(scene.deleverage_swap(&position, &scene.keeper).await);
}

/// A hedge ratio that the owner has changed would turn base debt into quote debt, and so a far fall into a loss. Where the swap's cap
/// ends it before the target, that counts.
#[tokio::test]
async fn a_lower_ltv_is_none_if_a_far_move_makes_it_higher() {
    let scene = Scene::with(shallow()).await;
    let mut args = scene.example(1);
    args.policy.hedge_bps = 5_000;
    let position = scene.world.open(&scene.alice, args).await.unwrap();
    let mut policy = args.policy;
    policy.hedge_bps = 0;
    accepted(scene.set_policy(&position, policy).await);
    scene.price(150).await;
    let ltv = scene.ltv_bps(&position).await;
    assert!(ltv >= 7_600, "{ltv}");
    let far = async |distance_bps| {
        scene
            .change_limits(|params| {
                params.limits.stress_distance_bps = distance_bps;
                // A basis point more than the pool's fee.
                params.limits.max_swap_loss_bps = 5;
            })
            .await;
    };
    far(9_000).await;
    refused(
        scene.deleverage_swap(&position, &scene.keeper).await,
        BallastError::LtvNotLowered,
    );
    far(100).await;
    accepted(scene.deleverage_swap(&position, &scene.keeper).await);
    let part = scene.ltv_bps(&position).await;
    assert!(part < ltv && part > 6_800, "{part}");
}
