//! The keeper shows the market its newest price while a trigger is near, and only then; and lenders a loss that is not booked yet.

use std::time::Duration;

use ballast_model::{Amounts, Boundaries, SqrtPrice, price::distance_bps as between};
use ballast_strategy::{
    decide::{ActionKind, assess},
    fixtures::{self, sqrt_price_cents},
    watch::watch,
};
use solana_sdk::pubkey::Pubkey;
use tokio::time::sleep;

use super::{
    Disk, Faults, World, bytes,
    scene::{POSITIONS, beside, landed, may_liquidate, parts, world},
};
use crate::{Keeper, Mode};

/// Distance from 200 to the nearest price at which something is due for the fixture's position.
fn distance_bps() -> u32 {
    let (mut market, position) = (fixtures::snapshot(200), fixtures::position());
    fixtures::book_debts(&mut market, &position);
    let situation = fixtures::situation(&market, &position);
    let at = assess(&situation).unwrap();
    let quiet = watch(&situation, &at, 600).unwrap().quiet;
    let Boundaries::Interval { lower, upper } = quiet else {
        panic!("nothing is quiet");
    };
    let from: SqrtPrice = sqrt_price_cents(20_000);
    let ends = lower.into_iter().chain(upper);
    ends.map(|end| between(from, end)).min().unwrap()
}

fn shown(world: &World) -> Vec<(Pubkey, u64)> {
    let inner = world.lock();
    assert_eq!(inner.violations, Vec::<String>::new());
    let shows = inner.landings.iter();
    shows
        .filter(|landing| landing.action == ActionKind::RefreshPrice)
        .map(|landing| (landing.position, landing.slot))
        .collect()
}

/// What is shown in a minute of a quiet market, and what else is done.
async fn minute(within_bps: u32, every_secs: u32, mode: Mode) -> Vec<(Pubkey, u64)> {
    let (world, disk): (World, Disk) = world(1, Faults::default());
    let mut parts = parts(&world, &disk, mode);
    parts.config.prices.show_within_bps = within_bps;
    parts.config.prices.show_every_secs = every_secs;
    beside(Keeper::new(parts), sleep(Duration::from_secs(60))).await;
    let shown = shown(&world);
    assert_eq!(world.lock().landings.len(), shown.len());
    shown
}

#[tokio::test(start_paused = true)]
async fn near_a_trigger_the_market_is_shown_its_newest_price_again_and_again() {
    let distance = distance_bps();
    assert!((50..1_000).contains(&distance), "{distance}");
    // Interest since then moves the end by less than a basis point.
    let near = minute(distance + 2, 10, Mode::Active).await;
    assert!((5..=6).contains(&near.len()), "{near:?}");
    let base_price = bytes::context().prices.base;
    assert!(near.iter().all(|(subject, _)| *subject == base_price));
    // 10 s are 25 slots; a transaction lands within 4.
    let pauses = near.windows(2).map(|pair| pair[1].1 - pair[0].1);
    assert!(pauses.into_iter().all(|slots| slots >= 21), "{near:?}");
    assert_eq!(minute(distance - 2, 10, Mode::Active).await, []);
    let twice = minute(distance + 2, 30, Mode::Active).await;
    assert!((1..=2).contains(&twice.len()), "{twice:?}");
}

#[tokio::test(start_paused = true)]
async fn who_only_observes_and_who_is_told_not_to_shows_nothing() {
    let near = distance_bps() + 2;
    assert_eq!(minute(near, 10, Mode::Observe).await, []);
    assert_eq!(minute(near, 10, Mode::Paper).await, []);
    assert_eq!(minute(0, 10, Mode::Active).await, []);
}

/// One that names no price accounts would be settled after weeks without a price shown.
#[tokio::test(start_paused = true)]
async fn a_market_that_was_shown_no_price_for_a_day_is_shown_one_wherever_the_price_is() {
    for (days, times) in [(0, 0), (2, 1)] {
        let (world, disk): (World, Disk) = world(1, Faults::default());
        world.lock().change_market(|market| {
            for last_secs in [
                &mut market.market.last_base_publish_secs,
                &mut market.market.last_quote_publish_secs,
            ] {
                *last_secs = market.base_price.publish_time - days * 86_400;
            }
        });
        let mut parts = parts(&world, &disk, Mode::Active);
        parts.config.prices.show_within_bps = 1;
        parts.config.prices.show_every_secs = 10;
        beside(Keeper::new(parts), sleep(Duration::from_secs(60))).await;
        assert_eq!(shown(&world).len(), times, "{days}");
    }
}

/// What lenders were shown of the positions' losses: how often so far, and how much of either token.
fn shown_losses(world: &World) -> (usize, Amounts) {
    let base_price = bytes::context().prices.base;
    let shows = shown(world);
    let times = shows
        .iter()
        .filter(|(subject, _)| *subject != base_price)
        .count();
    let inner = world.lock();
    let market = inner.state_at(inner.slot()).market;
    let sums = Amounts::new(
        market.base_reserve.shown_loss,
        market.quote_reserve.shown_loss,
    );
    (times, sums)
}

/// Moves the price, which its average does not follow.
fn gap(world: &World, dollars: i64) {
    let new = fixtures::snapshot(dollars);
    world.lock().change_market(|market| {
        market.pool = new.pool;
        market.base_price.price = new.base_price.price;
        market.base_price.conf = new.base_price.conf;
    });
}

#[tokio::test(start_paused = true)]
async fn a_loss_that_no_average_confirms_yet_is_shown_to_lenders_when_it_is_another() {
    let (world, disk): (World, Disk) = world(1, Faults::default());
    let count = usize::from(POSITIONS);
    let mut parts = parts(&world, &disk, Mode::Active);
    parts.config.prices.show_within_bps = 1;
    may_liquidate(&mut parts.config);
    let second = Duration::from_secs(1);
    let scene = async {
        sleep(5 * second).await;
        gap(&world, 400);
        sleep(30 * second).await;
        let (times, first) = shown_losses(&world);
        assert_eq!(times, count);
        assert!(first.base > 0);
        // As long as it is the same there is nothing to show.
        sleep(60 * second).await;
        assert_eq!(shown_losses(&world), (count, first));
        gap(&world, 420);
        sleep(30 * second).await;
        let (times, more) = shown_losses(&world);
        assert_eq!(times, 2 * count);
        assert!(more.base > first.base, "{more:?} {first:?}");
        // What is covered again is shown away.
        gap(&world, 330);
        sleep(30 * second).await;
        assert_eq!(shown_losses(&world), (3 * count, Amounts::ZERO));
        assert_eq!(landed(&world, ActionKind::Liquidate), 0);
    };
    beside(Keeper::new(parts), scene).await;
}

/// Also where it is gone at once, before another may be shown, and nothing else ever happens again.
#[tokio::test(start_paused = true)]
async fn a_loss_that_is_gone_as_soon_as_it_was_shown_is_shown_away() {
    let (world, disk): (World, Disk) = world(1, Faults::default());
    let count = usize::from(POSITIONS);
    let mut parts = parts(&world, &disk, Mode::Active);
    parts.config.prices.show_within_bps = 1;
    let scene = async {
        sleep(Duration::from_secs(5)).await;
        gap(&world, 400);
        // Within the ten seconds between two.
        for _ in 0..20 {
            if shown_losses(&world).0 == count {
                break;
            }
            sleep(Duration::from_millis(400)).await;
        }
        let (times, loss) = shown_losses(&world);
        assert_eq!(times, count);
        assert!(loss.base > 0);
        gap(&world, 200);
        sleep(Duration::from_secs(30)).await;
        assert_eq!(shown_losses(&world), (2 * count, Amounts::ZERO));
    };
    beside(Keeper::new(parts), scene).await;
}

/// A loss whose showing does not land keeps nobody from curing the position as soon as that is possible.
#[tokio::test(start_paused = true)]
async fn a_loss_on_its_way_to_lenders_stands_in_the_way_of_nothing_that_cures() {
    let (world, disk): (World, Disk) = world(1, Faults::default());
    let mut parts = parts(&world, &disk, Mode::Active);
    parts.config.prices.show_within_bps = 1;
    may_liquidate(&mut parts.config);
    let second = Duration::from_secs(1);
    let cures = [
        ActionKind::Deleverage,
        ActionKind::DeleverageSwap,
        ActionKind::Liquidate,
    ];
    let cured = || {
        cures
            .map(|action| landed(&world, action))
            .iter()
            .sum::<usize>()
    };
    let scene = async {
        sleep(5 * second).await;
        world.lock().loses = Some(ActionKind::RefreshPrice);
        gap(&world, 400);
        sleep(5 * second).await;
        assert_eq!((landed(&world, ActionKind::RefreshPrice), cured()), (0, 0));
        assert!(world.lock().submits > 0);
        gap(&world, 300);
        sleep(10 * second).await;
        assert!(cured() >= usize::from(POSITIONS));
    };
    beside(Keeper::new(parts), scene).await;
}
