//! Pauses between tries.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Pauses that double from try to try up to a longest one. Of each, up to a half is left out at random, so that those who were
/// refused together do not come again together.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    random: AtomicU64,
}

impl Backoff {
    /// `seed`: of the random part; `None`: another one in every process.
    pub fn new(first: Duration, longest: Duration, seed: Option<u64>) -> Self {
        let seed = seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        Self {
            first,
            longest,
            random: AtomicU64::new(seed),
        }
    }

    /// The pause after so many failures before this one. A node may ask for a longer one (`asked`), but gets no more than
    /// the longest: who looks after positions cannot be sent away for minutes.
    pub fn pause(&self, failures: u32, asked: Option<Duration>) -> Duration {
        let factor = 1u32.checked_shl(failures).unwrap_or(u32::MAX);
        let whole = self.first.saturating_mul(factor).min(self.longest);
        let half = whole / 2;
        // 24 bits of it are enough.
        let part = u32::try_from(self.draw() >> 40).unwrap_or_default();
        let jittered = half + half.saturating_mul(part) / (1 << 24);
        jittered.max(asked.unwrap_or_default()).min(self.longest)
    }

    /// splitmix64.
    fn draw(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let state = self.random.fetch_add(STEP, Ordering::Relaxed);
        let mut z = state.wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn pauses_double_are_shortened_at_random_and_end_at_the_longest() {
        let backoff = |seed| Backoff::new(MS(100), MS(1_000), Some(seed));
        let some = backoff(1);
        let mut differ = false;
        for round in 0..100 {
            for (failures, whole) in [(0, 100), (1, 200), (3, 800), (4, 1_000), (99, 1_000)] {
                let pause = some.pause(failures, None);
                assert!(pause >= MS(whole) / 2 && pause <= MS(whole), "{pause:?}");
                differ |= round > 0 && pause != MS(whole) / 2;
            }
        }
        assert!(differ);
        let draws = |seed| {
            let backoff = backoff(seed);
            [0; 5].map(|_| backoff.pause(3, None))
        };
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
    }

    #[test]
    fn a_node_may_ask_for_more_but_not_for_more_than_the_longest() {
        let backoff = Backoff::new(MS(100), MS(1_000), Some(1));
        assert_eq!(backoff.pause(0, Some(MS(500))), MS(500));
        assert_eq!(backoff.pause(0, Some(Duration::from_secs(119))), MS(1_000));
        assert!(backoff.pause(2, Some(MS(1))) >= MS(200));
    }
}
