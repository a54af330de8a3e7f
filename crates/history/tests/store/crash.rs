//! A process that is killed while it writes: sums and points agree, and the next one goes on.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use ballast_history::store::{Location, Store};

use crate::{
    Place, each_store,
    values::{begun, watched},
};

/// Names the store to the process that is to be killed.
const LOCATION: &str = "BALLAST_TEST_HISTORY";

each_store! {
    a_killed_writer_leaves_sums_and_points_that_agree,
}

/// Not a test: what the killed process runs. Without the variable it does nothing.
#[test]
fn writer() {
    let Ok(location) = std::env::var(LOCATION) else {
        return;
    };
    let location = if location.starts_with("postgres:") {
        Location::Postgres(location)
    } else {
        Location::Sqlite(location.into())
    };
    let mut store = location.open().unwrap();
    let mut stored = store.track("a").unwrap().unwrap_or_else(|| begun("a"));
    loop {
        // Every batch has a point.
        let secs = stored.track.seen.secs + 900;
        let batch = watched(&mut stored, secs, -16_300 + (secs / 900 % 400) as i32);
        store.write(&batch).unwrap();
        println!("written {secs}");
    }
}

fn a_killed_writer_leaves_sums_and_points_that_agree(place: &Place) {
    let location = match &place.location {
        Location::Sqlite(path) => path.display().to_string(),
        Location::Postgres(url) => url.clone(),
    };
    let mut last = 0;
    for round in 1..=6 {
        let mut child = spawn(&location);
        let mut told = 0;
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for (seen, line) in lines.map_while(Result::ok).enumerate() {
            if let Some((_, secs)) = line.split_once("written ") {
                told = secs.parse().unwrap();
            }
            if seen == 7 * round {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        let mut store = place.open();
        let stored = settled(store.as_mut());
        let points = store.points("a", 0..i64::MAX, 100_000).unwrap();
        let newest = points.last().unwrap();
        // What was told is there; sums and points are of the same batch.
        assert!(stored.seen.secs >= told && told > last, "{told}");
        assert_eq!((newest.secs, newest.sums), (stored.seen.secs, stored.sums));
        let change = stored.equity().unwrap() - stored.opening_equity;
        assert_eq!(stored.sums.total().unwrap(), change - stored.flow);
        assert!(points.is_sorted_by(|a, b| a.interval_secs + 900 == b.interval_secs));
        last = told;
    }
}

/// The record once the killed process's last transaction has ended one way or the other.
fn settled(store: &mut dyn Store) -> ballast_history::Track {
    let mut before = None;
    loop {
        let now = store.track("a").unwrap().unwrap().track;
        if before == Some(now) {
            return now;
        }
        before = Some(now);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

fn spawn(location: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::writer", "--nocapture"])
        .env(LOCATION, location)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}
