//! What may be spent in an hour, against the simulated cluster.

use std::time::Duration;

use ballast_strategy::decide::ActionKind;
use tokio::time::sleep;

use super::{
    Disk, Faults, World,
    scene::{POSITIONS, beside, landed, parts, world},
};
use crate::{Keeper, KeeperEvent, Mode};

/// A keeper that may spend that much.
fn frugal(world: &World, disk: &Disk, lamports: u64, reserved: u64) -> Keeper {
    let mut parts = parts(world, disk, Mode::Active);
    parts.config.fees.max_lamports_per_hour = lamports;
    parts.config.fees.reserved_lamports_per_hour = reserved;
    Keeper::new(parts)
}

async fn minutes(minutes: u64) {
    sleep(Duration::from_secs(60 * minutes)).await;
}

/// A rehedge costs a signature and little more.
const FOR_TWO: u64 = 12_000;

#[tokio::test(start_paused = true)]
async fn what_an_hour_allows_is_not_exceeded_also_by_another_life() {
    let (world, disk) = world(1, Faults::default());
    world.lock().set_price(205);
    let first = frugal(&world, &disk, FOR_TWO, 0);
    let mut events = first.events();
    beside(first, minutes(20)).await;
    assert_eq!(landed(&world, ActionKind::Rehedge), 2);
    let mut told = 0;
    while let Ok(event) = events.try_recv() {
        if let KeeperEvent::Refused { error, .. } = event {
            told += usize::from(error.contains("fees.max_lamports_per_hour"));
        }
    }
    assert!(told > 0, "nobody was told");
    beside(frugal(&world, &disk, FOR_TWO, 0), minutes(30)).await;
    assert_eq!(landed(&world, ActionKind::Rehedge), 2);
    beside(frugal(&world, &disk, FOR_TWO, 0), minutes(15)).await;
    assert_eq!(landed(&world, ActionKind::Rehedge), usize::from(POSITIONS));
    assert_eq!(world.lock().violations, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn the_reserve_still_pays_for_what_protects() {
    let (world, disk) = world(2, Faults::default());
    world.lock().set_price(205);
    // All of it is kept for what protects.
    let reserved = 1_000_000;
    beside(frugal(&world, &disk, reserved, reserved), minutes(10)).await;
    assert_eq!(world.lock().submits, 0);
    world.lock().set_price(290);
    beside(frugal(&world, &disk, reserved, reserved), minutes(10)).await;
    let lowering =
        landed(&world, ActionKind::Deleverage) + landed(&world, ActionKind::DeleverageSwap);
    assert!(lowering >= 1, "{:?}", world.lock().landings);
    assert_eq!(landed(&world, ActionKind::Rehedge), 0);
}
