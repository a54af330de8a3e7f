//! Two keepers that know nothing of each other, on one position: both see what is due, both send, and the chain lets one through.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use ballast_keeper::journal::{Outcome, Record};
use ballast_localnet::{Localnet, TestValidator, UsdPrice};
use ballast_strategy::decide::ActionKind;
use tokio::time::{Instant, sleep};

use crate::{TURN, keeper::KeeperProcess, side::Side, trail::Trail};

const START: UsdPrice = UsdPrice::dollars(200);
/// Each makes a rehedge due, whatever was done at the one before.
const PRICES: [i64; 4] = [194, 205, 196, 207];
const LEAST_STEPS: usize = 4;
/// They go on for as many until both have sent the same once.
const MOST_STEPS: usize = 24;
const PATIENCE: Duration = Duration::from_secs(150);
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Intents that another keeper had made unnecessary when they landed.
fn raced(keepers: &[KeeperProcess; 2]) -> Result<usize> {
    let mut raced = 0;
    for keeper in keepers {
        let records = keeper.journal().records()?;
        let outcomes = records.iter().filter_map(|record| match record {
            Record::Outcome(record) => Some(&record.outcome),
            _ => None,
        });
        raced += outcomes
            .filter(|outcome| matches!(outcome, Outcome::Raced { .. }))
            .count();
    }
    Ok(raced)
}

/// Moves the price, and waits until nothing is due and nothing in flight. Returns how often the position was rehedged meanwhile.
async fn step(side: &Side, keepers: &mut [KeeperProcess; 2], price: UsdPrice) -> Result<u32> {
    let [before, _] = side.sample().await?.actions();
    side.move_pool(price).await?;
    side.world.post_price(price).await?;
    let (began, mut posted) = (Instant::now(), Instant::now());
    loop {
        let sample = side.sample().await?;
        let mut open = false;
        for keeper in keepers.iter_mut() {
            keeper.require_alive()?;
            open |= keeper.journal().open_intent()?.is_some();
        }
        if sample.is_quiet() && !open {
            return Ok(sample.actions()[0] - before);
        }
        ensure!(
            began.elapsed() < PATIENCE,
            "still due or in flight after {PATIENCE:?} at {price}: {sample:?}; the keepers: {}; {}",
            keepers[0].said(),
            keepers[1].said()
        );
        if posted.elapsed() >= HEARTBEAT {
            side.world.post_price(price).await?;
            posted = Instant::now();
        }
        sleep(side.world.net.poll()).await;
    }
}

async fn race(net: Arc<dyn Localnet>) -> Result<()> {
    let side = Side::open(Arc::clone(&net), "raced", true, START).await?;
    let mut keepers = [
        KeeperProcess::prepare_as(&side.world, "one").await?,
        KeeperProcess::prepare_as(&side.world, "two").await?,
    ];
    for keeper in &mut keepers {
        keeper.start()?;
    }
    for (steps, dollars) in PRICES.into_iter().cycle().take(MOST_STEPS).enumerate() {
        let price = UsdPrice::dollars(dollars);
        let rehedges = step(&side, &mut keepers, price).await?;
        ensure!(rehedges == 1, "{rehedges} rehedges at {price}");
        let raced = raced(&keepers)?;
        println!("at {price}: raced {raced} times");
        if steps + 1 >= LEAST_STEPS && raced > 0 {
            break;
        }
    }
    for keeper in &mut keepers {
        keeper.kill()?;
    }
    let mut landed = Vec::new();
    let mut lost = 0;
    for keeper in &keepers {
        let trail = Trail::collect(net.as_ref(), &side, keeper).await?;
        landed.extend(trail.assert_the_journal_is_what_happened());
        lost += trail.raced();
        // What failed changed nothing, and its keeper knows.
        let failed = trail.transactions.values().filter(|landed| !**landed);
        assert_eq!(failed.count(), trail.raced());
    }
    let count = |kind| landed.iter().filter(|action| **action == kind).count();
    let [rehedges, deleverages] = side.sample().await?.actions();
    assert_eq!(
        [rehedges as usize, deleverages as usize],
        [ActionKind::Rehedge, ActionKind::Deleverage].map(count),
        "the position's own counters (left) against both journals"
    );
    ensure!(
        lost > 0,
        "in {MOST_STEPS} steps the two keepers never sent the same"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keepers_on_one_position_race_and_everything_is_done_once() {
    let _turn = TURN.lock().await;
    let validator = match TestValidator::start_unless_left_out().await {
        Ok(Some(validator)) => validator,
        Ok(None) => return,
        Err(error) => panic!("{error:#}"),
    };
    if let Err(error) = race(Arc::new(validator)).await {
        panic!("{error:#}");
    }
}
