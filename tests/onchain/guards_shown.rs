//! Showing newer prices limits what others may choose from, and shuts nobody out.

use ballast_abi::pyth::stand_in::price_account;
use ballast_client::{
    BallastError, DecreaseArgs, Market, MarketContext, PositionContext, SafetyRules, Side, Trade,
    instruction,
};
use ballast_localnet::{Localnet, PricePost, UsdPrice};

use crate::support::{ANY, NOTHING, Scene, Sent, accepted, refused};

const SIDES: [Side; 2] = [Side::Base, Side::Quote];

impl Scene {
    /// Posts prices of 200 in somebody's own accounts, published now, and shows them to the market.
    async fn show_newer(&self, index: u16) {
        let now = self.svm.now_secs();
        accepted(self.world.post(&self.posts(index, 200, now)).await);
        let refresh = instruction::refresh_price(&self.with_accounts(index));
        accepted(self.send(&self.liquidator, refresh).await);
    }

    fn posts(&self, index: u16, dollars: i64, published_secs: i64) -> [PricePost; 2] {
        SIDES.map(|side| {
            let price = match side {
                Side::Base => UsdPrice::dollars(dollars),
                Side::Quote => UsdPrice::ONE,
            };
            PricePost {
                index,
                ..PricePost::good(side, price, published_secs)
            }
        })
    }

    /// The market, used with other price accounts.
    fn with_accounts(&self, index: u16) -> MarketContext {
        let program = self.svm.programs().pyth.id;
        let mut market = self.world.market.clone();
        let stored = &market.market;
        market.prices.base = price_account(&program, &stored.base_feed, index).0;
        market.prices.quote = price_account(&program, &stored.quote_feed, index).0;
        market
    }

    /// Needs a price for what reduces risk.
    async fn try_loose(&self, market: &MarketContext, position: &PositionContext) -> Sent {
        let check = instruction::check_health(market, &position.address, u32::MAX);
        self.send(&self.keeper, check).await
    }

    /// Needs a price for what adds risk.
    async fn try_tight(&self, market: &MarketContext, position: &PositionContext) -> Sent {
        let pay = DecreaseArgs {
            liquidity: 1_000_000,
            pay_quote: 1,
            ..NOTHING
        };
        let decrease = instruction::decrease(market, position, &self.alice.wallet, pay);
        self.send(&self.alice, decrease).await
    }
}

/// How many of 300 attempts, one a second, are refused for the price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Refusals {
    /// Of what only reduces risk: a check of health, a deleverage without a swap.
    loose: [u32; 2],
    /// Of liquidations.
    liquidation: u32,
    /// Of protective swaps: a rehedge.
    swap: u32,
    /// Of what adds risk: paying out of an indebted position.
    tight: u32,
}

/// The sponsored accounts move once a minute; somebody shows the market a newer price before each attempt if `shows` says so of the
/// second of the minute. `index`: 0 for the sponsored accounts, else accounts in which the honest one posts a price of this
/// second. Nothing is due at this price, which is asked after the price itself.
async fn refusals(grace_secs: u32, shows: fn(u64) -> bool, index: u16) -> Refusals {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene
        .change_market(|market| {
            market.safety = SafetyRules {
                grace_secs,
                ..market.safety
            };
        })
        .await;
    let market = scene.with_accounts(index);
    let mut refusals = Refusals::default();
    for secs in 0..300 {
        if secs % 60 == 0 {
            scene.oracle(200).await;
        }
        if shows(secs % 60) {
            scene.show_newer(1).await;
        }
        if index > 0 {
            let now = scene.svm.now_secs();
            accepted(scene.world.post(&scene.posts(index, 200, now)).await);
        }
        let (keeper, liquidator) = (&scene.keeper, &scene.liquidator);
        let deleverage = instruction::deleverage(&market, &position, &keeper.key());
        let path = market.swap_path(
            scene.world.pool().await.unwrap().tick_current,
            Trade::SellBase,
        );
        let rehedge = instruction::rehedge(&market, &position, &keeper.key(), &path);
        let (payer, wallet) = (liquidator.key(), &liquidator.wallet);
        let liquidate = instruction::liquidate(&market, &position, &payer, wallet, ANY, 0);
        let Refusals {
            loose: [health, deleverages],
            liquidation,
            swap,
            tight,
        } = &mut refusals;
        for (tried, refusals, not_due) in [
            (scene.try_loose(&market, &position).await, health, None),
            (
                scene.send(keeper, deleverage).await,
                deleverages,
                Some(BallastError::DeleverageNotDue),
            ),
            (
                scene.send(liquidator, liquidate).await,
                liquidation,
                Some(BallastError::NotLiquidatable),
            ),
            (
                scene.send(keeper, rehedge).await,
                swap,
                Some(BallastError::RehedgeNotDue),
            ),
            (scene.try_tight(&market, &position).await, tight, None),
        ] {
            match (tried, not_due) {
                (Ok(_), None) => {}
                (Err(error), Some(not_due)) if error.is(not_due) => {}
                (Err(error), _) if error.is(BallastError::PriceStale) => *refusals += 1,
                (tried, _) => {
                    refused(tried, BallastError::PriceReplayed);
                    *refusals += 1;
                }
            }
        }
        scene.svm.pass_time(1).await.unwrap();
    }
    refusals
}

#[tokio::test]
async fn an_attacker_who_shows_newer_prices_shuts_nobody_out() {
    // With nobody who shows newer prices the sponsored accounts do, as long as they are young enough for the use.
    let alone = Refusals {
        liquidation: 5 * 29,
        swap: 5 * 44,
        ..Refusals::default()
    };
    assert_eq!(refusals(30, |_| false, 0).await, alone);
    // One newer price a minute, right after the sponsored one, refused 290 of 300 attempts without a grace. It refuses none.
    assert_eq!(refusals(10, |secs| secs == 2, 0).await, alone);
    // Shown when the grace is over, or before each attempt, it takes the rest of the minute from who adds risk: after each
    // sponsored price there is half the grace. From protective swaps and liquidations it takes nothing with the longest grace, and
    // with a short one leaves them the grace. From who only reduces risk it takes nothing.
    let tight = 5 * 44;
    assert_eq!(
        refusals(30, |secs| secs == 16, 0).await,
        Refusals { tight, ..alone }
    );
    assert_eq!(refusals(30, |_| true, 0).await, Refusals { tight, ..alone });
    let short = Refusals {
        liquidation: 5 * 49,
        swap: 5 * 54,
        tight: 5 * 54,
        ..alone
    };
    assert_eq!(refusals(10, |_| true, 0).await, short);
    // Who posts prices is never refused.
    assert_eq!(refusals(10, |_| true, 2).await, Refusals::default());
}

#[tokio::test]
async fn an_older_price_within_the_grace_is_used_and_never_becomes_the_newest() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.wait(60, 200).await;
    let then = scene.svm.now_secs();
    scene.svm.pass_time(10).await.unwrap();
    scene.show_newer(1).await;
    let shown = scene.market().await;
    let known = |market: &Market| (market.newest_sqrt_price_x64, market.newest_feed_prices);
    accepted(scene.world.post(&scene.posts(0, 205, then)).await);
    let market = &scene.world.market;
    accepted(scene.try_loose(market, &position).await);
    accepted(
        scene
            .send(&scene.keeper, instruction::refresh_price(market))
            .await,
    );
    let after = scene.market().await;
    assert_eq!(known(&after), known(&shown));
    assert_eq!(after.last_base_publish_secs, then + 10);
    assert_eq!(after.last_quote_publish_secs, then + 10);
    // A second older is too old, of either feed.
    for side in SIDES {
        let mut posts = scene.posts(0, 205, then);
        posts[usize::from(side == Side::Quote)].publish_time -= 1;
        accepted(scene.world.post(&posts).await);
        refused(
            scene.try_loose(market, &position).await,
            BallastError::PriceReplayed,
        );
    }
}

#[tokio::test]
async fn a_clock_that_lags_stops_risk_and_swaps_and_nothing_that_reduces_risk() {
    let scene = Scene::new().await;
    let [shrunk, sold, owned] = [
        scene.open(1).await,
        scene.open(2).await,
        scene.open(3).await,
    ];
    scene.price(120).await;
    // The cluster was down for ten minutes, and its clock stands where it stood.
    let now = scene.svm.now_secs();
    let lag = async |dollars, secs| {
        accepted(scene.world.post(&scene.posts(0, dollars, now + secs)).await);
    };
    lag(120, 600).await;
    refused(
        scene.try_open(scene.example(9)).await,
        BallastError::PriceFromFuture,
    );
    accepted(scene.deleverage(&shrunk, &scene.keeper).await);
    // Whoever shows a newer one limits the choice, as ever.
    lag(118, 589).await;
    refused(
        scene.deleverage(&sold, &scene.keeper).await,
        BallastError::PriceReplayed,
    );
    // The stage rises, whoever shows it, so that from then on anyone may shrink positions sooner.
    lag(120, 600).await;
    accepted(scene.look().await);
    assert_eq!(scene.market().await.stage.stage, 2);
    lag(105, 601).await;
    accepted(scene.liquidate(&sold).await);
    // The owner leaves as ever.
    accepted(scene.close(&owned).await);
    // What no lag explains is no price, and is not remembered.
    lag(105, 3_601).await;
    refused(
        scene.deleverage(&shrunk, &scene.keeper).await,
        BallastError::PriceFromFuture,
    );
    accepted(scene.look().await);
    assert_eq!(scene.market().await.last_base_publish_secs, now + 601);
    // When the clock has caught up everything is as before.
    scene.svm.set_time(now + 601);
    scene.price(200).await;
    scene.change_market(|market| market.stage.stage = 0).await;
    accepted(scene.try_open(scene.example(9)).await);
}
