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

/// How many of the attempts, one a second, are refused for the price.
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

/// How a market and its sponsored accounts stand, and who shows newer prices.
#[derive(Clone, Copy)]
struct Setting {
    grace_secs: u32,
    max_age_swap_secs: u32,
    /// The sponsored accounts move once a minute each; quote's so many seconds after base's.
    apart_secs: u64,
    /// Somebody shows the market a newer price before each attempt if this says so of the second of base's minute.
    shows: fn(u64) -> bool,
    /// 0 for the sponsored accounts, else accounts in which the honest one posts a price of this second.
    index: u16,
    /// Minutes of attempts.
    minutes: u64,
}

/// The defaults, with nobody who shows newer prices.
const ALONE: Setting = Setting {
    grace_secs: 10,
    max_age_swap_secs: 15,
    apart_secs: 0,
    shows: |_| false,
    index: 0,
    minutes: 5,
};

/// What a market sets whose keepers do not post.
const SPONSORED: Setting = Setting {
    grace_secs: 30,
    max_age_swap_secs: 60,
    ..ALONE
};

/// Nothing is due at this price, which is asked after the price itself.
async fn refusals(setting: Setting) -> Refusals {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene
        .change_market(|market| {
            market.safety = SafetyRules {
                grace_secs: setting.grace_secs,
                max_age_swap_secs: setting.max_age_swap_secs,
                ..market.safety
            };
        })
        .await;
    let market = scene.with_accounts(setting.index);
    let mut refusals = Refusals::default();
    // Before those that count a minute in which each account comes to its own second.
    let first = if setting.apart_secs == 0 { 60 } else { 0 };
    for secs in first..(setting.minutes + 1) * 60 {
        let now = scene.svm.now_secs();
        let second = secs % 60;
        let sponsored = scene.posts(0, 200, now);
        for (post, moves) in sponsored.iter().zip([0, setting.apart_secs]) {
            if second == moves {
                accepted(scene.world.post(&[*post]).await);
            }
        }
        if secs < 60 {
            scene.svm.pass_time(1).await.unwrap();
            continue;
        }
        if (setting.shows)(second) {
            scene.show_newer(1).await;
        }
        if setting.index > 0 {
            accepted(
                scene
                    .world
                    .post(&scene.posts(setting.index, 200, now))
                    .await,
            );
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

/// Seconds of so many minutes in which not both sponsored accounts hold a price of that age at most: nobody tells them to move at the
/// same time.
fn refused_beyond(age_secs: u64, setting: Setting) -> u32 {
    let young = |second: u64, moved: u64| (second + 60 - moved) % 60 <= age_secs;
    let both = |second: &u64| young(*second, 0) && young(*second, setting.apart_secs);
    let old = (0..60).filter(|second| !both(second)).count() as u64;
    u32::try_from(setting.minutes * old).unwrap()
}

/// Of a market that waits for ages alone.
fn alone(setting: Setting) -> Refusals {
    let beyond = |age_secs| refused_beyond(age_secs, setting);
    Refusals {
        liquidation: beyond(30),
        swap: beyond(setting.max_age_swap_secs.into()),
        ..Refusals::default()
    }
}

#[tokio::test]
async fn an_attacker_who_shows_newer_prices_shuts_nobody_out() {
    // With nobody who shows newer prices the sponsored accounts do, as long as they are young enough for the use.
    let expected = alone(ALONE);
    assert_eq!((expected.liquidation, expected.swap), (5 * 29, 5 * 44));
    let with_30 = Setting {
        grace_secs: 30,
        ..ALONE
    };
    assert_eq!(refusals(with_30).await, expected);
    // One newer price a minute, right after the sponsored one, refused 290 of 300 attempts without a grace. It refuses none.
    let once = Setting {
        shows: |second| second == 2,
        ..ALONE
    };
    assert_eq!(refusals(once).await, expected);
    // Shown when the grace is over, or before each attempt, it takes the rest of the minute from who adds risk: after each
    // sponsored price there is half the grace. From protective swaps and liquidations it takes nothing with the longest grace, and
    // with a short one leaves them the grace. From who only reduces risk it takes nothing.
    let tight = 5 * 44;
    let late = Setting {
        shows: |second| second == 16,
        ..with_30
    };
    let always = Setting {
        shows: |_| true,
        ..with_30
    };
    for setting in [late, always] {
        assert_eq!(refusals(setting).await, Refusals { tight, ..expected });
    }
    let short = Refusals {
        liquidation: 5 * 49,
        swap: 5 * 54,
        tight: 5 * 54,
        ..expected
    };
    let always = Setting {
        shows: |_| true,
        ..ALONE
    };
    assert_eq!(refusals(always).await, short);
    // Who posts prices is never refused.
    let posts = Setting { index: 2, ..always };
    assert_eq!(refusals(posts).await, Refusals::default());
}

/// Each second by which one sponsored account moves after the other is one less of each minute: both have to be young.
#[tokio::test]
async fn sponsored_accounts_that_move_apart_leave_less_of_each_minute() {
    // Of a minute the seconds in which liquidations and swaps are refused: with the default ages, and where a swap may be a minute old and
    // somebody always shows newer prices.
    for [apart_secs, liquidation, swap, swap_shown] in documented() {
        let apart_secs = apart_secs.into();
        let apart = Setting {
            apart_secs,
            minutes: 1,
            ..ALONE
        };
        let expected = alone(apart);
        assert_eq!((expected.liquidation, expected.swap), (liquidation, swap));
        assert_eq!(refusals(apart).await, expected, "{apart_secs} s apart");
        // With the longest age nothing is lost to swaps.
        let sponsored = Setting {
            apart_secs,
            minutes: 1,
            ..SPONSORED
        };
        let without = refusals(sponsored).await;
        let expected = Refusals {
            liquidation,
            ..Refusals::default()
        };
        assert_eq!(without, expected, "{apart_secs} s apart");
        // Half of the longest grace for swaps and what adds risk, the whole for liquidations.
        let shows = |_| true;
        let shown = refusals(Setting { shows, ..sponsored }).await;
        let expected = Refusals {
            liquidation,
            swap: swap_shown,
            tight: swap_shown,
            ..Refusals::default()
        };
        assert_eq!(shown, expected, "{apart_secs} s apart");
    }
}

/// The rows of the table of seconds in docs/PARAMETERS.md: seconds apart, and refused of a minute.
fn documented() -> Vec<[u32; 4]> {
    const TABLE: &str = "| seconds apart | liquidation | swap, default age | swap or new risk, shown |\n|---|---|---|---|\n";
    let text = include_str!("../../docs/PARAMETERS.md");
    let (_, rows) = text
        .split_once(TABLE)
        .expect("docs/PARAMETERS.md has the table");
    let row = |line: &str| {
        let cells: Vec<u32> = line
            .split('|')
            .filter_map(|cell| cell.trim().parse().ok())
            .collect();
        <[u32; 4]>::try_from(cells).unwrap_or_else(|cells| panic!("{line}: {cells:?}"))
    };
    let rows: Vec<_> = rows
        .lines()
        .take_while(|line| line.starts_with('|'))
        .map(row)
        .collect();
    // Together, within half of the grace, beyond it, and far apart.
    assert!(rows.len() >= 6, "{rows:?}");
    rows
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
