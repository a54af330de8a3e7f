//! How soon something may be tried again: a pause that doubles with every failure in a row.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
    time::Duration,
};

use tokio::time::Instant;

#[derive(Clone, Copy, Debug)]
struct Pause {
    failures: u32,
    until: Instant,
}

/// All pauses. `K` says of what.
#[derive(Debug)]
pub struct Pace<K> {
    first: Duration,
    longest: Duration,
    pauses: HashMap<K, Pause>,
    by_end: BTreeSet<(Instant, K)>,
}

impl<K: Copy + Ord + Hash> Pace<K> {
    /// Nobody pauses yet.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            pauses: HashMap::new(),
            by_end: BTreeSet::new(),
        }
    }

    /// It failed: pause, twice as long as last time.
    pub fn failed(&mut self, key: K, now: Instant) {
        self.failed_at_most(key, now, self.longest);
    }

    /// As [`Self::failed`], but with no longer a pause than that.
    pub fn failed_at_most(&mut self, key: K, now: Instant, longest: Duration) {
        let failures = self.failures(&key);
        self.forget_end(&key);
        let factor = 1u32.checked_shl(failures).unwrap_or(u32::MAX);
        let pause = self.first.saturating_mul(factor);
        let until = now + pause.min(self.longest).min(longest);
        self.pauses.insert(
            key,
            Pause {
                failures: failures.saturating_add(1),
                until,
            },
        );
        self.by_end.insert((until, key));
    }

    /// Nothing has failed: it waits for its turn.
    pub fn waits(&mut self, key: K, until: Instant) {
        let failures = self.failures(&key);
        self.forget_end(&key);
        self.pauses.insert(key, Pause { failures, until });
        self.by_end.insert((until, key));
    }

    /// It succeeded, or is not wanted any more: the next failure is a first one.
    pub fn succeeded(&mut self, key: &K) {
        self.forget_end(key);
        self.pauses.remove(key);
    }

    /// Failures in a row.
    pub fn failures(&self, key: &K) -> u32 {
        self.pauses.get(key).map_or(0, |pause| pause.failures)
    }

    /// Whether it has to wait.
    pub fn is_pausing(&self, key: &K, now: Instant) -> bool {
        self.pauses.get(key).is_some_and(|pause| now < pause.until)
    }

    /// When the next pause ends that has not been reported by [`Self::ended`].
    pub fn next_end(&self) -> Option<Instant> {
        self.by_end.first().map(|(end, _)| *end)
    }

    /// Those whose pause has ended, each reported once.
    pub fn ended(&mut self, now: Instant) -> Vec<K> {
        let mut ended = Vec::new();
        while let Some((_, key)) = self.by_end.first().copied().filter(|(end, _)| *end <= now) {
            self.by_end.pop_first();
            ended.push(key);
        }
        ended
    }

    fn forget_end(&mut self, key: &K) {
        if let Some(pause) = self.pauses.get(key) {
            self.by_end.remove(&(pause.until, *key));
        }
    }
}

#[cfg(test)]
mod tests {
    use solana_sdk::pubkey::Pubkey;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_double_up_to_the_longest_and_end_once() {
        let (a, b) = (
            Pubkey::new_from_array([1; 32]),
            Pubkey::new_from_array([2; 32]),
        );
        let ms = Duration::from_millis;
        let mut pace = Pace::new(ms(100), ms(500));
        let start = Instant::now();
        for expected in [100, 200, 400, 500, 500] {
            pace.failed(a, start);
            assert!(pace.is_pausing(&a, start + ms(expected - 1)));
            assert!(!pace.is_pausing(&a, start + ms(expected)));
            assert_eq!(pace.next_end(), Some(start + ms(expected)));
        }
        pace.failed(b, start);
        assert_eq!(pace.ended(start + ms(99)), []);
        assert_eq!(pace.ended(start + ms(500)), [b, a]);
        assert_eq!(pace.ended(start + ms(900)), []);
        assert_eq!(pace.next_end(), None);
        assert_eq!(pace.failures(&a), 5);
        pace.succeeded(&a);
        assert_eq!(pace.failures(&a), 0);
        pace.failed(a, start);
        assert_eq!(pace.next_end(), Some(start + ms(100)));
        pace.succeeded(&a);
        assert_eq!(pace.next_end(), None);
        for _ in 0..100 {
            pace.failed(b, start);
        }
        assert_eq!(pace.next_end(), Some(start + ms(500)));
        // What must not wait is tried again sooner, and what failed counts all the same.
        pace.failed_at_most(b, start, ms(50));
        assert_eq!(pace.next_end(), Some(start + ms(50)));
        pace.failed(b, start);
        assert_eq!(pace.next_end(), Some(start + ms(500)));
    }
}
