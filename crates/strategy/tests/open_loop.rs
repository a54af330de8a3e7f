//! How the latency benchmark counts: from when work came, whatever stood in its way.

use std::{cell::Cell, time::Duration};

#[path = "../benches/latency/open_loop.rs"]
mod open_loop;

use open_loop::Latencies;

const MICRO: Duration = Duration::from_micros(1);

/// A service on a clock of its own that takes so long for a piece.
fn measured(takes: impl Fn(u32) -> Duration) -> Latencies {
    let now = Cell::new(Duration::ZERO);
    let work = |piece, due| now.set(now.get().max(due) + takes(piece));
    Latencies::by(|| now.get(), 10_000, 5 * MICRO, work)
}

#[test]
fn what_waits_behind_something_slow_is_late_too() {
    let steady = measured(|_| 3 * MICRO);
    assert_eq!(
        [1, 5_000, 9_900, 10_000].map(|bps| steady.at_bps(bps)),
        [3 * MICRO; 4]
    );
    // One piece takes two milliseconds, and a thousand wait behind it, two micros less each.
    let stalls = measured(|piece| {
        if piece == 100 {
            2_000 * MICRO
        } else {
            3 * MICRO
        }
    });
    assert_eq!(stalls.at_bps(10_000), 2_000 * MICRO);
    let late = (0..=10_000).find(|bps| stalls.at_bps(*bps) > 3 * MICRO);
    assert!((8_990..=9_010).contains(&late.unwrap()), "{late:?}");
    assert!(stalls.at_bps(9_900) > 1_700 * MICRO);
}

#[test]
fn who_is_slower_than_work_comes_is_ever_later() {
    let behind = measured(|_| 6 * MICRO);
    assert_eq!(behind.at_bps(10_000), 6 * MICRO + 9_999 * MICRO);
    assert!(behind.at_bps(5_000) > 4_900 * MICRO);
}

#[test]
fn by_the_machines_clock_nothing_begins_before_it_comes() {
    let began = std::time::Instant::now();
    let few = Latencies::of(50, Duration::from_micros(100), |_| {});
    assert!(began.elapsed() >= Duration::from_micros(4_900));
    assert!(few.at_bps(10_000) >= few.at_bps(1));
}
