//! A keeper that liquidates as well, and what it waits for before it liquidates a position that it could cure.

use std::time::Duration;

use ballast_client::Position;
use ballast_strategy::{
    decide::{ActionKind, PATIENCE_SECS},
    fixtures::{self, NOW},
};
use solana_sdk::signer::Signer;
use tokio::time::{Instant, sleep};

use super::{
    Disk, Faults, World, bytes,
    scene::{POSITIONS, beside, keypair, landed, may_liquidate, parts, world},
};
use crate::{Keeper, Mode};

const COUNT: usize = POSITIONS as usize;
const SECOND: Duration = Duration::from_secs(1);
const DAY_SECS: u32 = 86_400;

/// Owes base only, so that without a swap nothing cures it; what else is due waits for its day, so that there is always something due
/// that is not possible.
fn owes_base(position: &mut Position) {
    let new = fixtures::position();
    position.liquidity = new.liquidity;
    (position.idle_base, position.idle_quote) = (0, 0);
    position.base_debt_shares = fixtures::shares(950_000_000).into();
    position.quote_debt_shares = 0.into();
    position.policy.min_rebalance_interval_secs = DAY_SECS;
    position.last_rebalance_secs = NOW;
    position.automation = ballast_client::Automation {
        recenter_cooldown_secs: DAY_SECS,
        compound_min_value: 0,
        ..fixtures::automation()
    };
    position.last_recenter_secs = NOW;
}

/// At this price it is above its trigger, below maintenance.
const TRIGGERED: i64 = 245;
/// At this price it is above maintenance, and not halfway to insolvency.
const UNHEALTHY: i64 = 275;

/// A keeper that may pay for anything.
fn liquidator(world: &World, disk: &Disk) -> Keeper {
    let mut parts = parts(world, disk, Mode::Active);
    may_liquidate(&mut parts.config);
    let market = bytes::context();
    let wallet = market.wallet(&keypair().pubkey());
    let mut inner = world.lock();
    for (address, mint) in [
        (wallet.base, market.base.mint),
        (wallet.quote, market.quote.mint),
    ] {
        inner
            .others
            .insert(address, bytes::token_account(mint, u64::MAX / 2));
    }
    drop(inner);
    Keeper::new(parts)
}

fn begun() -> (World, Disk) {
    let (world, disk) = world(70, Faults::default());
    world.lock().change_positions(owes_base);
    (world, disk)
}

/// Moves the price, and has every cure refused from then on.
fn refuse_cures_at(world: &World, dollars: i64) {
    let mut inner = world.lock();
    inner.refuses = Some(ActionKind::DeleverageSwap);
    inner.set_price(dollars);
}

/// Waits until that many more simulations have been asked for.
async fn simulated(world: &World, more: usize) {
    let began = Instant::now();
    let enough = world.lock().simulated.len() + more;
    while world.lock().simulated.len() < enough {
        assert!(began.elapsed() < 60 * SECOND, "nothing is tried");
        sleep(SECOND / 10).await;
    }
}

/// Liquidations, and cures.
fn done(world: &World) -> (usize, usize) {
    assert_eq!(world.lock().violations, Vec::<String>::new());
    (
        landed(world, ActionKind::Liquidate),
        landed(world, ActionKind::DeleverageSwap),
    )
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_on_another_day_makes_nobody_liquidate_after_one_refusal() {
    let (world, disk) = begun();
    let scene = async {
        refuse_cures_at(&world, TRIGGERED);
        // Refused until it is given up.
        simulated(&world, 6 * COUNT).await;
        // The pool is too dear for a while, so that something is due all the time and nothing is done.
        {
            let mut inner = world.lock();
            inner.refuses = None;
            inner.change_market(|market| market.pool.fee_rate_ppm = 60_000);
        }
        sleep(120 * SECOND).await;
        assert_eq!(done(&world), (0, 0));
        refuse_cures_at(&world, UNHEALTHY);
        simulated(&world, COUNT).await;
        world.lock().refuses = None;
        sleep(30 * SECOND).await;
        assert_eq!(done(&world), (0, COUNT));
    };
    beside(liquidator(&world, &disk), scene).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_before_it_was_done_makes_nobody_liquidate_after_one_refusal() {
    let (world, disk) = begun();
    let scene = async {
        refuse_cures_at(&world, TRIGGERED);
        simulated(&world, 6 * COUNT).await;
        world.lock().refuses = None;
        let began = Instant::now();
        while done(&world) != (0, COUNT) {
            assert!(began.elapsed() < 30 * SECOND, "nothing is done");
            sleep(SECOND / 10).await;
        }
        // Well within a minute it is where it was, and worse.
        world.lock().change_positions(owes_base);
        refuse_cures_at(&world, UNHEALTHY);
        simulated(&world, COUNT).await;
        world.lock().refuses = None;
        sleep(30 * SECOND).await;
        assert_eq!(done(&world), (0, 2 * COUNT));
    };
    beside(liquidator(&world, &disk), scene).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_again_and_again_is_liquidated_in_the_end() {
    let (world, disk) = begun();
    let scene = async {
        refuse_cures_at(&world, UNHEALTHY);
        simulated(&world, COUNT).await;
        assert_eq!(done(&world), (0, 0));
        sleep(30 * SECOND).await;
        assert_eq!(done(&world), (COUNT, 0));
    };
    beside(liquidator(&world, &disk), scene).await;
}

/// What is done while the pool is away for so many seconds, and a while later.
async fn away(secs: i64) -> [(usize, usize); 2] {
    let (world, disk) = begun();
    let push = |dollars| {
        let pushed = fixtures::snapshot(dollars).pool;
        world.lock().change_market(|market| market.pool = pushed);
    };
    let mut seen = [(0, 0); 2];
    let scene = async {
        // With what there is at the start the keeper begins.
        sleep(5 * SECOND).await;
        world.lock().set_price(UNHEALTHY);
        push(UNHEALTHY + 15);
        sleep(SECOND * u32::try_from(secs).unwrap()).await;
        seen[0] = done(&world);
        push(UNHEALTHY);
        sleep(30 * SECOND).await;
        seen[1] = done(&world);
    };
    beside(liquidator(&world, &disk), scene).await;
    seen
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_somebody_pushed_is_waited_for_up_to_a_minute() {
    let cured = [(0, 0), (0, COUNT)];
    assert_eq!(away(5).await, cured);
    assert_eq!(away(PATIENCE_SECS - 10).await, cured);
    let liquidated = [(COUNT, 0); 2];
    assert_eq!(away(PATIENCE_SECS + 20).await, liquidated);
}
