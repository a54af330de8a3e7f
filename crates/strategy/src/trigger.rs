//! The trigger index of one market: which positions a new price, or the passing of time, makes due.
//!
//! Every position is entered with the open interval of prices in which nothing has to be done for it, and a time until
//! which that is relied on. The two ends are kept in two ordered sets, so that a price touches only what it makes due:
//! O(log N + hits).

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
};

use ballast_model::{Boundaries, SqrtPrice};

/// When to look at a position again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Look again when the price is not strictly inside; [`Boundaries::Empty`] with every price.
    pub quiet: Boundaries,
    /// Look again at this time (cluster's clock, Unix seconds) at the latest.
    pub until_secs: i64,
}

/// See the module's description. `K` is a position's key.
#[derive(Clone, Debug)]
pub struct TriggerIndex<K> {
    watches: HashMap<K, Watch>,
    by_lower: BTreeSet<(SqrtPrice, K)>,
    by_upper: BTreeSet<(SqrtPrice, K)>,
    by_time: BTreeSet<(i64, K)>,
    always: BTreeSet<K>,
}

impl<K> Default for TriggerIndex<K> {
    fn default() -> Self {
        Self {
            watches: HashMap::new(),
            by_lower: BTreeSet::new(),
            by_upper: BTreeSet::new(),
            by_time: BTreeSet::new(),
            always: BTreeSet::new(),
        }
    }
}

impl<K: Copy + Ord + Hash> TriggerIndex<K> {
    /// Enters a position, in place of what was entered for it before.
    pub fn insert(&mut self, key: K, watch: Watch) {
        self.remove(key);
        self.watches.insert(key, watch);
        self.by_time.insert((watch.until_secs, key));
        match watch.quiet {
            Boundaries::Empty => {
                self.always.insert(key);
            }
            Boundaries::Interval { lower, upper } => {
                if let Some(lower) = lower {
                    self.by_lower.insert((lower, key));
                }
                if let Some(upper) = upper {
                    self.by_upper.insert((upper, key));
                }
            }
        }
    }

    /// Takes a position out; returns what was entered.
    pub fn remove(&mut self, key: K) -> Option<Watch> {
        let watch = self.watches.remove(&key)?;
        self.by_time.remove(&(watch.until_secs, key));
        match watch.quiet {
            Boundaries::Empty => {
                self.always.remove(&key);
            }
            Boundaries::Interval { lower, upper } => {
                if let Some(lower) = lower {
                    self.by_lower.remove(&(lower, key));
                }
                if let Some(upper) = upper {
                    self.by_upper.remove(&(upper, key));
                }
            }
        }
        Some(watch)
    }

    /// The positions that are not quiet at a price, each once, in no particular order. They stay in the index.
    pub fn due_at_price(&self, at: SqrtPrice) -> Vec<K> {
        // Walked from the outer ends inwards, so that only what is due is touched. At an end itself a position is due.
        let below = self
            .by_lower
            .iter()
            .rev()
            .take_while(|(lower, _)| *lower >= at)
            .map(|(_, key)| *key);
        let above = self
            .by_upper
            .iter()
            .take_while(|(upper, _)| *upper <= at)
            .map(|(_, key)| *key);
        // An interval is never inverted, so a position is found on one side only.
        self.always
            .iter()
            .copied()
            .chain(below)
            .chain(above)
            .collect()
    }

    /// The positions whose time has come, earliest first. They stay in the index.
    pub fn due_at_time(&self, now_secs: i64) -> Vec<K> {
        self.by_time
            .iter()
            .take_while(|(until, _)| *until <= now_secs)
            .map(|(_, key)| *key)
            .collect()
    }

    /// The innermost ends: the highest lower and the lowest upper one. Between them everything is quiet, but for what is restless.
    pub fn ends(&self) -> (Option<SqrtPrice>, Option<SqrtPrice>) {
        let below = self.by_lower.last().map(|(lower, _)| *lower);
        let above = self.by_upper.first().map(|(upper, _)| *upper);
        (below, above)
    }

    /// The positions that are to be looked at with every change of the market.
    pub fn restless(&self) -> Vec<K> {
        self.always.iter().copied().collect()
    }

    /// Number of positions.
    pub fn len(&self) -> usize {
        self.watches.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.watches.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn price(x: u64) -> SqrtPrice {
        SqrtPrice::new(SqrtPrice::ONE.x64() + u128::from(x)).unwrap()
    }

    fn interval(lower: Option<u64>, upper: Option<u64>) -> Boundaries {
        let all = Boundaries::ALL;
        all.intersection(Boundaries::Interval {
            lower: lower.map(price),
            upper: upper.map(price),
        })
    }

    #[test]
    fn an_end_is_due_and_the_inside_is_not() {
        let mut index = TriggerIndex::default();
        index.insert(
            1u32,
            Watch {
                quiet: interval(Some(10), Some(20)),
                until_secs: 100,
            },
        );
        for (at, due) in [
            (9, true),
            (10, true),
            (11, false),
            (19, false),
            (20, true),
            (21, true),
        ] {
            assert_eq!(!index.due_at_price(price(at)).is_empty(), due, "{at}");
        }
        assert!(index.due_at_time(99).is_empty());
        assert_eq!(index.due_at_time(100), [1]);
        assert!(index.remove(1).is_some());
        assert!(index.remove(1).is_none());
        assert!(
            index.is_empty()
                && index.due_at_price(price(1)).is_empty()
                && index.due_at_time(i64::MAX).is_empty()
        );
    }

    #[test]
    fn a_restless_position_is_always_due() {
        let mut index = TriggerIndex::default();
        index.insert(
            3u32,
            Watch {
                quiet: Boundaries::Empty,
                until_secs: i64::MAX,
            },
        );
        assert_eq!(index.due_at_price(price(5)), [3]);
        assert_eq!(index.restless(), [3]);
        index.insert(
            3,
            Watch {
                quiet: Boundaries::ALL,
                until_secs: i64::MAX,
            },
        );
        assert!(index.due_at_price(price(5)).is_empty());
        assert!(index.restless().is_empty());
        assert_eq!(index.len(), 1);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u8, Option<u64>, Option<u64>, i64),
        Remove(u8),
        Price(u64),
        Time(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let end = || proptest::option::weighted(0.9, 0u64..200);
        prop_oneof![
            4 => (any::<u8>(), end(), end(), 0i64..100).prop_map(|(k, l, u, t)| Step::Insert(k, l, u, t)),
            1 => any::<u8>().prop_map(Step::Remove),
            3 => (0u64..200).prop_map(Step::Price),
            1 => (0i64..100).prop_map(Step::Time),
        ]
    }

    proptest! {
        #[test]
        fn it_finds_exactly_what_looking_at_everything_finds(steps in proptest::collection::vec(step(), 1..400)) {
            let mut index = TriggerIndex::default();
            let mut all: HashMap<u8, Watch> = HashMap::new();
            for step in steps {
                match step {
                    Step::Insert(key, lower, upper, until_secs) => {
                        // An inverted pair becomes the empty interval.
                        let watch = Watch { quiet: interval(lower, upper), until_secs };
                        index.insert(key, watch);
                        all.insert(key, watch);
                    }
                    Step::Remove(key) => prop_assert_eq!(index.remove(key), all.remove(&key)),
                    Step::Price(at) => {
                        let at = price(at);
                        let mut found = index.due_at_price(at);
                        found.sort_unstable();
                        let mut expected: Vec<u8> =
                            all.iter().filter(|(_, watch)| !watch.quiet.contains(at)).map(|(key, _)| *key).collect();
                        expected.sort_unstable();
                        prop_assert_eq!(found, expected);
                    }
                    Step::Time(now) => {
                        let mut found = index.due_at_time(now);
                        found.sort_unstable();
                        let mut expected: Vec<u8> =
                            all.iter().filter(|(_, watch)| watch.until_secs <= now).map(|(key, _)| *key).collect();
                        expected.sort_unstable();
                        prop_assert_eq!(found, expected);
                    }
                }
                let ends = |end: fn(Boundaries) -> Option<SqrtPrice>| {
                    all.values().filter_map(move |watch| end(watch.quiet))
                };
                let lower = |quiet| match quiet {
                    Boundaries::Interval { lower, .. } => lower,
                    Boundaries::Empty => None,
                };
                let upper = |quiet| match quiet {
                    Boundaries::Interval { upper, .. } => upper,
                    Boundaries::Empty => None,
                };
                prop_assert_eq!(index.ends(), (ends(lower).max(), ends(upper).min()));
                prop_assert_eq!(index.len(), all.len());
            }
        }
    }
}
