//! What the history keeps of the hedge, over restarts.

use std::{path::Path, time::Duration};

use ballast_history::{HedgePoint, store::Location};
use tokio::time::{Instant, sleep};

use super::{
    Faults,
    hedge_scene::{COIN, add_hedge},
    scene::{parts, world},
};
use crate::{Keeper, Mode, hedge::HedgeNow, history::hedge::account};

fn points(directory: &Path, now: &HedgeNow) -> Vec<HedgePoint> {
    let path = directory.join("history.sqlite");
    let mut store = Location::Sqlite(path).open_to_read().unwrap();
    store
        .hedge_points(&account(now), COIN, 0..i64::MAX, 1_000)
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn points_of_the_hedge_go_on_over_restarts_and_their_parts_are_what_it_has_earned() {
    let directory = tempfile::tempdir().unwrap();
    let (world, disk) = world(1, Faults::default());
    let began = Instant::now();
    let mut known = 0;
    for dollars in [203, 201, 203] {
        let mut parts = parts(&world, &disk, Mode::Active);
        add_hedge(&mut parts, directory.path(), began);
        parts.storage = None;
        let keeper = Keeper::new(parts);
        let (hedge, reader) = (keeper.hedge(), keeper.history().unwrap());
        let story = async {
            world.lock().set_price(dollars);
            // Beyond the end of a quarter of an hour; in small steps, so that the writer, which has a clock of its own, comes after.
            for _ in 0..120 {
                sleep(Duration::from_secs(10)).await;
                tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(5)))
                    .await
                    .unwrap();
            }
        };
        keeper.run(story).await.unwrap();
        let now = HedgeNow::clone(&hedge.borrow());
        let kept = points(directory.path(), &now);
        assert!(kept.len() > known, "{known}: {kept:?}");
        assert!(kept.is_sorted_by(|a, b| a.interval_secs < b.interval_secs));
        // What was kept stays.
        known = kept.len();
        for point in &kept {
            assert!(point.interval_secs <= point.secs && point.secs < point.interval_secs + 900);
            let equity = point.equity.unwrap();
            assert!(equity > 0.into(), "{point:?}");
        }
        // Fees only grow, over restarts too.
        assert!(kept.is_sorted_by(|a, b| a.fees >= b.fees), "{kept:?}");
        let perp = &now.perps[COIN];
        let pnl = perp.pnl.unwrap();
        let last = kept.last().unwrap();
        // Nothing was traded since, and the price has stood still.
        assert_eq!(
            (last.position, last.fees, last.funding),
            (perp.position.unwrap(), pnl.fees, pnl.funding)
        );
        assert_eq!(last.total().unwrap(), pnl.total());
        let rows = reader
            .hedge_rows(&account(&now), COIN, 0, i64::MAX)
            .unwrap();
        assert_eq!(rows.len(), kept.len());
    }
}
