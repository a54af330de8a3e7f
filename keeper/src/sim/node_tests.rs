//! The keeper as a whole on nodes that do not answer everything, and with markets that are not to be trusted.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    Faults, World, bytes,
    scene::{POSITIONS, beside, keeper, parts, settled, world},
};
use crate::{Keeper, KeeperError, KeeperEvent, Mode, POOL_PROGRAMS};

const SECOND: Duration = Duration::from_secs(1);

async fn start(mode: Mode, change: impl FnOnce(&World)) -> Result<(), KeeperError> {
    let (world, disk) = world(31, Faults::default());
    change(&world);
    keeper(&world, &disk, mode).run(sleep(20 * SECOND)).await
}

#[tokio::test(start_paused = true)]
async fn a_node_that_does_not_search_or_knows_no_statuses_is_refused_in_active_mode() {
    type Is = fn(&KeeperError) -> bool;
    let no_search: Is = |error| matches!(error, KeeperError::NoSearch { .. });
    let no_statuses: Is = |error| matches!(error, KeeperError::NoStatuses { .. });
    for (refused, is_named, parts) in [
        (
            "positions",
            no_search,
            ["getProgramAccounts", "not for you"],
        ),
        (
            "statuses",
            no_statuses,
            ["getSignatureStatuses", "not for you"],
        ),
    ] {
        let refuse = |world: &World| {
            world.lock().refused.insert(refused);
        };
        let error = start(Mode::Active, refuse).await.unwrap_err();
        assert!(is_named(&error), "{error:?}");
        for part in parts.into_iter().chain(["rpc_url"]) {
            assert!(error.to_string().contains(part), "{error}");
        }
        start(Mode::Observe, refuse).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_knows_no_status_of_a_transaction_it_lists_is_refused() {
    let lists = |world: &World| world.lock().newest = Some([9; 64].into());
    let error = start(Mode::Active, lists).await.unwrap_err();
    assert!(matches!(error, KeeperError::NoStatuses { .. }), "{error:?}");
    // One that does not list them cannot be tried.
    start(Mode::Active, |world| {
        world.lock().refused.insert("signatures");
    })
    .await
    .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_node_that_knows_the_status_of_what_it_lists_is_taken() {
    let (world, disk) = world(32, Faults::default());
    world.lock().set_price(205);
    beside(
        keeper(&world, &disk, Mode::Active),
        settled(&world, &disk, tokio::time::Instant::now()),
    )
    .await;
    let landed = world.lock().transactions.keys().next().copied();
    world.lock().newest = landed;
    keeper(&world, &disk, Mode::Active)
        .run(sleep(20 * SECOND))
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_market_of_another_pool_program_is_skipped() {
    let (world, disk) = world(33, Faults::default());
    world.lock().set_price(205);
    let mut parts = parts(&world, &disk, Mode::Active);
    parts.config.pool_programs = POOL_PROGRAMS.to_vec();
    let keeper = Keeper::new(parts);
    let mut events = keeper.events();
    let error = keeper.run(sleep(200 * SECOND)).await.unwrap_err();
    assert!(matches!(error, KeeperError::NoMarketServed), "{error:?}");
    assert!(world.lock().transactions.is_empty());
    let mut told = 0;
    while let Ok(event) = events.try_recv() {
        if let KeeperEvent::Warning { message } = event {
            for part in [
                bytes::context().address.to_string(),
                bytes::POOL_PROGRAM.to_string(),
                "pool_programs".into(),
            ] {
                assert!(message.contains(&part), "{message}");
            }
            told += 1;
        }
    }
    assert_eq!(told, 1);
}

#[tokio::test(start_paused = true)]
async fn sol_that_runs_low_is_told_while_the_keeper_runs() {
    let (world, disk) = world(34, Faults::default());
    let fund = |lamports| {
        let mut inner = world.lock();
        let key = inner.keeper;
        inner.others.insert(key, bytes::lamports(lamports));
    };
    fund(1_000_000_000);
    let keeper = keeper(&world, &disk, Mode::Active);
    let (mut events, status) = (keeper.events(), keeper.status());
    let mut told = || {
        let mut told = 0;
        while let Ok(event) = events.try_recv() {
            if let KeeperEvent::Warning { message } = event {
                told += usize::from(message.contains("warn_below_lamports"));
            }
        }
        told
    };
    let scene = async {
        sleep(200 * SECOND).await;
        assert_eq!((told(), status.borrow().lamports), (0, Some(1_000_000_000)));
        fund(4_099_999);
        sleep(200 * SECOND).await;
        assert_eq!((told(), status.borrow().lamports), (1, Some(4_099_999)));
        assert_eq!(status.borrow().positions, usize::from(POSITIONS));
        fund(4_100_000);
        sleep(200 * SECOND).await;
        fund(0);
        sleep(200 * SECOND).await;
        assert_eq!(told(), 1);
    };
    beside(keeper, scene).await;
}
