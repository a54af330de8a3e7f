//! Work that comes at its own pace. What waits behind something slow has waited since it came, whether or not anybody looked at it then:
//! a service that stops for a second has made a second's worth of work late, and not one piece of it ("coordinated omission").

use std::time::{Duration, Instant};

/// How long pieces of work took from when they came to when they were done, ascending.
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// Does `count` pieces of work, one of which comes every `every`.
    pub fn of(count: u32, every: Duration, mut work: impl FnMut(u32)) -> Self {
        let began = Instant::now();
        let clock = || began.elapsed();
        Self::by(clock, count, every, |piece, due| {
            while began.elapsed() < due {
                std::hint::spin_loop();
            }
            work(piece);
        })
    }

    /// The same by any clock. `work` is told when its piece comes, and does not begin before.
    pub fn by(
        clock: impl Fn() -> Duration,
        count: u32,
        every: Duration,
        mut work: impl FnMut(u32, Duration),
    ) -> Self {
        let mut took: Vec<Duration> = (0..count)
            .map(|piece| {
                let due = every * piece;
                work(piece, due);
                clock().saturating_sub(due)
            })
            .collect();
        took.sort_unstable();
        Self(took)
    }

    /// What so many of ten thousand do not exceed.
    pub fn at_bps(&self, bps: usize) -> Duration {
        let last = self.0.len().saturating_sub(1);
        let place = (self.0.len() * bps).div_ceil(10_000).saturating_sub(1);
        self.0.get(place.min(last)).copied().unwrap_or_default()
    }
}
