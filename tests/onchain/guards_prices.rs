//! What a price must be before anybody may act on it, and how far the pool may be from it.

use ballast_abi::pyth::{Verification, stand_in::price_account};
use ballast_client::{BallastError, DecreaseArgs, MarketContext, Side, instruction};
use ballast_localnet::{Localnet, PricePost, UsdPrice};

use crate::support::{NOTHING, Scene, accepted, refused};

/// Makes a good price a bad one; the second argument is the time now.
type Change = fn(&mut PricePost, i64);

const DOLLARS: i64 = 200;

fn post(scene: &Scene, side: Side, dollars: i64, change: Change) -> PricePost {
    let price = match side {
        Side::Base => UsdPrice::dollars(dollars),
        Side::Quote => UsdPrice::ONE,
    };
    let now = scene.svm.now_secs();
    let mut post = PricePost::good(side, price, now);
    change(&mut post, now);
    post
}

/// Posts a changed price of one feed and a good one of the other.
async fn post_changed(scene: &Scene, side: Side, dollars: i64, change: Change) {
    scene.oracle(dollars).await;
    let post = post(scene, side, dollars, change);
    accepted(scene.world.post(&[post]).await);
}

/// Opening is refused while the price of either feed is `bad`, and accepted when both are only `nearly` so.
async fn opening_refuses(bad: Change, expected: BallastError, nearly: Change) {
    let scene = Scene::new().await;
    let args = scene.example(1);
    for side in [Side::Base, Side::Quote] {
        post_changed(&scene, side, DOLLARS, bad).await;
        refused(scene.try_open(args).await, expected);
    }
    let posts = [Side::Base, Side::Quote].map(|side| post(&scene, side, DOLLARS, nearly));
    accepted(scene.world.post(&posts).await);
    accepted(scene.try_open(args).await);
}

/// Deleveraging, and liquidating if `liquidates`, are refused while the price of either feed is `bad`, and accepted when both are only
/// `nearly` so, although that is too bad for what adds risk or swaps (`tight`).
async fn reducing_refuses(
    bad: Change,
    expected: BallastError,
    nearly: Change,
    tight: BallastError,
    liquidates: bool,
) {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    // Later than the prices that opened it, so that none of these is a replay.
    scene.svm.pass_time(1_000).await.unwrap();
    let cases = [(120, false), (105, true)];
    for (dollars, liquidation) in cases
        .into_iter()
        .filter(|(_, liquidation)| liquidates || !liquidation)
    {
        scene.price(dollars).await;
        // So that the second round's prices are no replay of the first's.
        scene.svm.pass_time(1_000).await.unwrap();
        let act = async || match liquidation {
            true => scene.liquidate(&position).await,
            false => scene.deleverage(&position, &scene.keeper).await,
        };
        for side in [Side::Base, Side::Quote] {
            post_changed(&scene, side, dollars, bad).await;
            refused(act().await, expected);
        }
        let posts = [Side::Base, Side::Quote].map(|side| post(&scene, side, dollars, nearly));
        accepted(scene.world.post(&posts).await);
        // A rehedge takes a price as wide as these, but none as old.
        if matches!(tight, BallastError::PriceStale) {
            refused(scene.rehedge(&position, &scene.keeper).await, tight);
        }
        refused(scene.try_open(scene.example(2)).await, tight);
        // Paying out of an indebted position adds risk.
        let pay = DecreaseArgs {
            pay_quote: 1,
            ..NOTHING
        };
        refused(scene.decrease(&position, pay).await, tight);
        if liquidation {
            // After the deleverage it takes more.
            scene.price(80).await;
            let posts = [Side::Base, Side::Quote].map(|side| post(&scene, side, 80, nearly));
            accepted(scene.world.post(&posts).await);
        }
        accepted(act().await);
    }
}

#[tokio::test]
async fn a_stale_price_opens_nothing() {
    opening_refuses(
        |post, now| post.publish_time = now - 61,
        BallastError::PriceStale,
        |post, now| post.publish_time = now - 60,
    )
    .await;
}

#[tokio::test]
async fn a_staler_price_reduces_nothing() {
    reducing_refuses(
        |post, now| post.publish_time = now - 121,
        BallastError::PriceStale,
        |post, now| post.publish_time = now - 120,
        BallastError::PriceStale,
        // Which need a younger one: `guards_witness`.
        false,
    )
    .await;
}

#[tokio::test]
async fn a_wide_price_opens_nothing() {
    opening_refuses(
        |post, _| post.conf = post.price.unsigned_abs() / 199,
        BallastError::PriceTooWide,
        |post, _| post.conf = post.price.unsigned_abs() / 200,
    )
    .await;
}

#[tokio::test]
async fn a_wider_price_reduces_nothing() {
    reducing_refuses(
        |post, _| post.conf = post.price.unsigned_abs() / 49,
        BallastError::PriceTooWide,
        |post, _| post.conf = post.price.unsigned_abs() / 50,
        BallastError::PriceTooWide,
        true,
    )
    .await;
}

#[tokio::test]
async fn a_price_away_from_its_average_opens_nothing() {
    for bad in [
        (|post, _| post.ema_price = post.price * 100 / 94) as Change,
        |post, _| post.ema_price = post.price * 100 / 106,
    ] {
        opening_refuses(bad, BallastError::PriceDiverged, |post, _| {
            post.ema_price = post.price * 100 / 104;
        })
        .await;
    }
}

#[tokio::test]
async fn a_price_from_the_future_is_used_for_nothing() {
    opening_refuses(
        |post, now| post.publish_time = now + 6,
        BallastError::PriceFromFuture,
        |post, now| post.publish_time = now + 5,
    )
    .await;
}

#[tokio::test]
async fn a_partially_verified_price_is_used_for_nothing() {
    opening_refuses(
        |post, _| post.verification = Verification::Partial { signatures: 12 },
        BallastError::PriceNotFull,
        |post, _| post.verification = Verification::Full,
    )
    .await;
}

#[tokio::test]
async fn a_price_that_is_no_price_is_used_for_nothing() {
    for bad in [
        (|post, _| post.price = 0) as Change,
        |post, _| post.price = -post.price,
        |post, _| post.exponent = 1,
        |post, _| post.exponent = -13,
        |post, _| post.ema_price = 0,
    ] {
        opening_refuses(bad, BallastError::PriceMalformed, |post, _| {
            post.exponent = -8;
        })
        .await;
    }
}

#[tokio::test]
async fn an_older_price_than_one_used_is_a_replay() {
    let scene = Scene::new().await;
    accepted(scene.try_open(scene.example(1)).await);
    // The grace is ten seconds, half of it for what adds risk.
    for (id, side) in [(2, Side::Base), (3, Side::Quote)] {
        let args = scene.example(id);
        post_changed(&scene, side, DOLLARS, |post, now| {
            post.publish_time = now - 6
        })
        .await;
        refused(scene.try_open(args).await, BallastError::PriceReplayed);
        post_changed(&scene, side, DOLLARS, |post, now| {
            post.publish_time = now - 5
        })
        .await;
        accepted(scene.try_open(args).await);
    }
}

#[tokio::test]
async fn an_older_price_than_one_used_liquidates_nobody() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    // The market fell for a moment, and recovered; the position was well again.
    scene.svm.pass_time(20).await.unwrap();
    scene.price(100).await;
    let low = [Side::Base, Side::Quote].map(|side| post(&scene, side, 100, |_, _| ()));
    scene.svm.pass_time(20).await.unwrap();
    scene.price(200).await;
    let other = scene.open(2).await;
    accepted(scene.world.post(&low).await);
    refused(
        scene.liquidate(&position).await,
        BallastError::PriceReplayed,
    );
    refused(scene.liquidate(&other).await, BallastError::PriceReplayed);
    // The same price, published now, counts.
    scene.oracle(100).await;
    accepted(scene.liquidate(&position).await);
}

#[tokio::test]
async fn whoever_shows_the_newest_price_ends_the_use_of_older_ones() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.svm.pass_time(20).await.unwrap();
    scene.price(100).await;
    let low = [Side::Base, Side::Quote].map(|side| post(&scene, side, 100, |_, _| ()));
    scene.svm.pass_time(20).await.unwrap();
    scene.price(200).await;
    let refresh = || instruction::refresh_price(&scene.world.market);
    accepted(scene.send(&scene.keeper, refresh()).await);
    accepted(scene.world.post(&low).await);
    refused(
        scene.liquidate(&position).await,
        BallastError::PriceReplayed,
    );
    let replayed = scene.send(&scene.keeper, refresh()).await;
    refused(replayed, BallastError::PriceReplayed);
    // What is no good price is not remembered either.
    scene.price(200).await;
    scene.svm.pass_time(1_000).await.unwrap();
    let stale = scene.send(&scene.keeper, refresh()).await;
    refused(stale, BallastError::PriceStale);
}

#[tokio::test]
async fn debt_is_written_off_at_a_fresh_price_only() {
    let scene = Scene::new().await;
    let (solvent, position) = (scene.open(1).await, scene.open(2).await);
    scene.price(262).await;
    // Young enough as long as no lender loses.
    scene.svm.pass_time(30).await.unwrap();
    accepted(scene.liquidate(&solvent).await);
    // Above 341 the base owed is worth more than all that is there.
    scene.price(400).await;
    scene.svm.pass_time(30).await.unwrap();
    refused(scene.liquidate(&position).await, BallastError::PriceStale);
    scene.price(400).await;
    accepted(scene.liquidate(&position).await);
}

#[tokio::test]
async fn a_pool_pushed_away_stops_a_deleverage_that_only_the_policy_asks_for() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(124).await;
    scene.pool(127.0).await;
    refused(
        scene.deleverage(&position, &scene.keeper).await,
        BallastError::PoolDiverged,
    );
    scene.pool(124.5).await;
    accepted(scene.deleverage(&position, &scene.keeper).await);
}

#[tokio::test]
async fn paying_out_after_repaying_everything_needs_no_price() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    // Lower in the band the pool holds more base than is owed, and still enough quote.
    scene.price(195).await;
    let model = scene.model(&position).await.0;
    let all = DecreaseArgs {
        liquidity: model.liquidity,
        ..NOTHING
    };
    accepted(scene.decrease(&position, all).await);
    scene.svm.pass_time(1_000).await.unwrap();
    let pay = DecreaseArgs {
        pay_quote: 1_000_000,
        ..NOTHING
    };
    refused(
        scene.decrease(&position, pay).await,
        BallastError::PriceStale,
    );
    let repay = DecreaseArgs {
        repay_base: u64::MAX,
        repay_quote: u64::MAX,
        ..pay
    };
    accepted(scene.decrease(&position, repay).await);
    assert!(scene.model(&position).await.0.debt.is_zero());
}

fn with_base_price(scene: &Scene, base: ballast_client::Pubkey) -> MarketContext {
    let mut market = scene.world.market.clone();
    market.prices.base = base;
    market
}

#[tokio::test]
async fn another_feeds_price_is_used_for_nothing() {
    let scene = Scene::new().await;
    let program = scene.svm.programs().pyth.id;
    let mut other = post(&scene, Side::Base, DOLLARS, |_, _| ());
    other.feed = [7; 32];
    let mut second = post(&scene, Side::Base, DOLLARS, |_, _| ());
    second.index = 1;
    accepted(scene.world.post(&[other, second]).await);

    let market = with_base_price(&scene, price_account(&program, &other.feed, 0).0);
    let args = scene.example(1);
    refused(
        scene.try_open_in(&market, args).await,
        BallastError::PriceWrongFeed,
    );
    // The two feeds' accounts exchanged.
    let market = with_base_price(&scene, scene.world.market.prices.quote);
    refused(
        scene.try_open_in(&market, args).await,
        BallastError::PriceWrongFeed,
    );
    // Any account of the right feed will do.
    let market = with_base_price(&scene, price_account(&program, &second.feed, 1).0);
    accepted(scene.try_open_in(&market, args).await);
}

#[tokio::test]
async fn another_programs_price_is_used_for_nothing() {
    let scene = Scene::new().await;
    let genuine = scene.world.market.prices.base;
    let args = scene.example(1);
    let (forged, copied) = (
        Scene::fresh_address("forged"),
        Scene::fresh_address("copied"),
    );
    let forger = scene.svm.programs().whirlpool.id;
    scene
        .copy_account(&genuine, &forged, |account| account.owner = forger)
        .await;
    let market = with_base_price(&scene, forged);
    refused(
        scene.try_open_in(&market, args).await,
        BallastError::PriceWrongOwner,
    );
    // An account of the receiver's that holds something else.
    scene
        .copy_account(&genuine, &copied, |account| account.data[0] ^= 1)
        .await;
    let market = with_base_price(&scene, copied);
    refused(
        scene.try_open_in(&market, args).await,
        BallastError::PriceNotFull,
    );
    // The same bytes in an account of the receiver's are a price.
    scene.copy_account(&genuine, &copied, |_| ()).await;
    accepted(scene.try_open_in(&market, args).await);
}

#[tokio::test]
async fn a_pool_pushed_away_from_the_oracle_stops_what_adds_risk_or_swaps() {
    let scene = Scene::new().await;
    for away in [197.9, 202.1] {
        scene.pool(away).await;
        refused(
            scene.try_open(scene.example(1)).await,
            BallastError::PoolDiverged,
        );
    }
    scene.pool(200.0).await;
    let position = scene.open(1).await;

    scene.oracle(196).await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::PoolDiverged,
    );
    scene.pool(196.0).await;
    accepted(scene.rehedge(&position, &scene.keeper).await);

    scene.pool(198.1).await;
    let liquidity = scene.model(&position).await.0.liquidity / 10;
    let pay = DecreaseArgs {
        liquidity,
        pay_quote: 1,
        ..NOTHING
    };
    refused(
        scene.decrease(&position, pay).await,
        BallastError::PoolDiverged,
    );
    scene.pool(196.0).await;
    accepted(scene.decrease(&position, pay).await);
}

#[tokio::test]
async fn a_pool_pushed_away_from_the_oracle_stops_nothing_that_reduces_risk() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    // The pool stays at 200.
    scene.oracle(120).await;
    let (before, oracle) = scene.model(&position).await;
    accepted(scene.deleverage(&position, &scene.keeper).await);
    let (after, _) = scene.model(&position).await;
    let ltv = |model: &ballast_model::Position| model.value(oracle).unwrap().ltv_bps_up();
    assert!(ltv(&after) <= 6_800 && ltv(&before) > 7_600);
    accepted(scene.close(&position).await);
}

#[tokio::test]
async fn leaving_needs_no_price() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.svm.pass_time(100_000).await.unwrap();
    refused(
        scene.deleverage(&position, &scene.keeper).await,
        BallastError::PriceStale,
    );
    let liquidity = scene.model(&position).await.0.liquidity / 2;
    let repay = DecreaseArgs {
        liquidity,
        repay_base: u64::MAX,
        repay_quote: u64::MAX,
        ..NOTHING
    };
    accepted(scene.decrease(&position, repay).await);
    accepted(scene.close(&position).await);
}
