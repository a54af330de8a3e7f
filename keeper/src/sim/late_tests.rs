//! The keeper as a whole on nodes that all lag: it acts once.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{
    Faults, World,
    scene::{POSITIONS, beside, keeper, settled, world},
};
use crate::Mode;

#[tokio::test(start_paused = true)]
async fn after_a_restart_a_lagging_node_does_not_make_it_act_again() {
    let (world, disk) = world(8, Faults::default());
    world.lock().set_price(205);
    beside(
        keeper(&world, &disk, Mode::Active),
        settled(&world, &disk, Instant::now()),
    )
    .await;
    // All nodes are half a minute behind: they show what was due, but not that it was done.
    world.lock().faults = Faults {
        lags: 100,
        lag_slots: 75,
        ..Faults::default()
    };
    beside(
        keeper(&world, &disk, Mode::Active),
        sleep(Duration::from_secs(120)),
    )
    .await;
    acted_once(&world);
}

#[tokio::test(start_paused = true)]
async fn lagging_nodes_do_not_make_it_act_again() {
    let (world, disk) = world(
        9,
        Faults {
            lags: 100,
            lag_slots: 75,
            ..Faults::default()
        },
    );
    world.lock().set_price(205);
    beside(
        keeper(&world, &disk, Mode::Active),
        sleep(Duration::from_secs(300)),
    )
    .await;
    acted_once(&world);
}

#[tokio::test(start_paused = true)]
async fn what_lands_in_the_last_valid_block_is_not_taken_for_expired() {
    // Heights come from nodes that keep up, statuses from nodes that do not.
    let (world, disk) = world(
        10,
        Faults {
            lost: 100,
            lags: 100,
            lag_slots: 25,
            ..Faults::default()
        },
    );
    world.lock().set_price(205);
    let last_moment = async {
        loop {
            sleep(Duration::from_millis(100)).await;
            let mut inner = world.lock();
            let last = inner
                .transactions
                .values()
                .map(|known| known.last_valid_block_height)
                .max();
            if last.is_some_and(|last| inner.block_height() + 12 >= last) {
                inner.faults.lost = 0;
                return;
            }
        }
    };
    let scene = async {
        last_moment.await;
        settled(&world, &disk, Instant::now()).await;
    };
    beside(keeper(&world, &disk, Mode::Active), scene).await;
    acted_once(&world);
}

/// One transaction for each position, which landed.
fn acted_once(world: &World) {
    let inner = world.lock();
    assert_eq!(inner.violations, Vec::<String>::new());
    let positions = usize::from(POSITIONS);
    assert_eq!(
        (inner.transactions.len(), inner.landings.len()),
        (positions, positions)
    );
}
