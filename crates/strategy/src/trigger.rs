//! The trigger index of one market: which positions a new price, or the passing of time, makes due.
//!
//! Every position is entered with the open interval of prices in which nothing has to be done for it, and a time until
//! which that is relied on. The two ends are kept in two ordered sets, so that a price touches only what it makes due:
//! O(log N + hits). Positions are known by dense ids ([`crate::held`] gives them), and a price and an id share sixteen bytes.
//!
//! Times are kept in a third set, and not exactly: a position that is looked at often gets a later time with every look, so that its place
//! there stays where it is until it comes up, and only then moves on to the time that holds by then. It never stays behind one that is
//! earlier.

use std::collections::BTreeSet;

use ballast_model::{Boundaries, SqrtPrice};

use crate::chunks::Chunks;

/// When to look at a position again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Look again when the price is not strictly inside; [`Boundaries::Empty`] with every price.
    pub quiet: Boundaries,
    /// Look again at this time (cluster's clock, Unix seconds) at the latest.
    pub until_secs: i64,
}

/// See the module's description.
#[derive(Clone, Debug, Default)]
pub struct TriggerIndex {
    /// By id; [`ABSENT`] for what is not entered.
    watches: Chunks<Packed>,
    entered: usize,
    by_lower: BTreeSet<PriceKey>,
    by_upper: BTreeSet<PriceKey>,
    by_time: BTreeSet<TimeKey>,
    always: BTreeSet<u32>,
}

impl TriggerIndex {
    /// Enters a position, in place of what was entered for it before.
    pub fn insert(&mut self, id: u32, watch: Watch) {
        let known = self.watches.get(id).copied().unwrap_or(ABSENT);
        let before = known.watch();
        if before == Some(watch) {
            return;
        }
        let wanted = TimeKey::of(watch.until_secs);
        let listed = match before {
            Some(_) => known.listed.min(wanted),
            None => wanted,
        };
        self.watches.put(id, Packed::new(&watch, listed), || ABSENT);
        self.entered += usize::from(before.is_none());
        // Only what changes is moved.
        let listed_before = before.map(|_| TimeKey::new(known.listed, id));
        let listed = Some(TimeKey::new(listed, id));
        replace(&mut self.by_time, listed_before, listed);
        self.moved(id, before, Some(watch));
    }

    /// Takes a position out; returns what was entered.
    pub fn remove(&mut self, id: u32) -> Option<Watch> {
        let place = self.watches.get_mut(id)?;
        let known = std::mem::replace(place, ABSENT);
        let before = known.watch()?;
        self.entered -= 1;
        self.by_time.remove(&TimeKey::new(known.listed, id));
        self.moved(id, Some(before), None);
        Some(before)
    }

    /// Moves the two ends.
    fn moved(&mut self, id: u32, before: Option<Watch>, after: Option<Watch>) {
        let price = |end: Option<SqrtPrice>| end.map(|end| PriceKey::new(end, id));
        let lower = |watch: &Option<Watch>| price(ends(watch.as_ref()?.quiet).0);
        let upper = |watch: &Option<Watch>| price(ends(watch.as_ref()?.quiet).1);
        let always =
            |watch: &Option<Watch>| (watch.as_ref()?.quiet == Boundaries::Empty).then_some(id);
        replace(&mut self.by_lower, lower(&before), lower(&after));
        replace(&mut self.by_upper, upper(&before), upper(&after));
        replace(&mut self.always, always(&before), always(&after));
    }

    /// The positions that are not quiet at a price, each once, in no particular order. They stay in the index.
    pub fn due_at_price(&self, at: SqrtPrice) -> Vec<u32> {
        // Walked from the outer ends inwards, so that only what is due is touched. At an end itself a position is due.
        let below = self
            .by_lower
            .iter()
            .rev()
            .take_while(|lower| lower.price_x64() >= at.x64())
            .map(|lower| lower.id());
        let above = self
            .by_upper
            .iter()
            .take_while(|upper| upper.price_x64() <= at.x64())
            .map(|upper| upper.id());
        // An interval is never inverted, so a position is found on one side only.
        let due = self.always.iter().copied().chain(below).chain(above);
        due.collect()
    }

    /// The positions whose time has come, each once, in no particular order. They stay in the index.
    pub fn due_at_time(&mut self, now_secs: i64) -> Vec<u32> {
        let last = TimeKey::new(TimeKey::of(now_secs), u32::MAX);
        let listed: Vec<TimeKey> = self.by_time.range(..=last).copied().collect();
        let mut due = Vec::new();
        for key in listed {
            let Some(known) = self.watches.get_mut(key.id()) else {
                continue;
            };
            if known.until_secs() <= now_secs {
                due.push(key.id());
                continue;
            }
            // It has been put off since.
            known.listed = TimeKey::of(known.until_secs());
            let later = TimeKey::new(known.listed, key.id());
            replace(&mut self.by_time, Some(key), Some(later));
        }
        due
    }

    /// The innermost ends: the highest lower and the lowest upper one. Between them everything is quiet, but for what is restless.
    pub fn ends(&self) -> (Option<SqrtPrice>, Option<SqrtPrice>) {
        let price = |end: Option<&PriceKey>| SqrtPrice::new(end?.price_x64()).ok();
        (price(self.by_lower.last()), price(self.by_upper.first()))
    }

    /// The positions that are to be looked at with every change of the market.
    pub fn restless(&self) -> Vec<u32> {
        self.always.iter().copied().collect()
    }

    /// Number of positions.
    pub fn len(&self) -> usize {
        self.entered
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entered == 0
    }
}

fn replace<T: Ord>(set: &mut BTreeSet<T>, before: Option<T>, after: Option<T>) {
    if before != after {
        if let Some(before) = before {
            set.remove(&before);
        }
        set.extend(after);
    }
}

fn ends(quiet: Boundaries) -> (Option<SqrtPrice>, Option<SqrtPrice>) {
    match quiet {
        Boundaries::Empty => (None, None),
        Boundaries::Interval { lower, upper } => (lower, upper),
    }
}

/// A square-root price, which has 96 bits, and a position's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct PriceKey(u128);

impl PriceKey {
    fn new(at: SqrtPrice, id: u32) -> Self {
        Self((at.x64() << 32) | u128::from(id))
    }

    fn price_x64(self) -> u128 {
        self.0 >> 32
    }

    fn id(self) -> u32 {
        self.0 as u32
    }
}

/// A time of 32 bits, the nearest one to what it stands for, and a position's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct TimeKey(u64);

impl TimeKey {
    /// The nearest time of 32 bits.
    fn of(secs: i64) -> u32 {
        secs.clamp(0, i64::from(u32::MAX)) as u32
    }

    fn new(secs: u32, id: u32) -> Self {
        Self((u64::from(secs) << 32) | u64::from(id))
    }

    fn id(self) -> u32 {
        self.0 as u32
    }
}

/// A watch in 36 bytes.
#[derive(Clone, Copy, Debug)]
struct Packed {
    lower: [u32; 3],
    upper: [u32; 3],
    until_secs: [u32; 2],
    /// Where it stands among the times: there, or earlier.
    listed: u32,
}

/// No square-root price, and below all of them.
const BELOW_ALL: [u32; 3] = [0; 3];
/// No square-root price, and above all of them.
const ABOVE_ALL: [u32; 3] = [u32::MAX; 3];

/// No watch: no price is below all, and none above all.
const ABSENT: Packed = Packed {
    lower: ABOVE_ALL,
    upper: ABOVE_ALL,
    until_secs: [0; 2],
    listed: 0,
};

impl Packed {
    fn new(watch: &Watch, listed: u32) -> Self {
        let pack = |price: Option<SqrtPrice>, none| match price.map(SqrtPrice::x64) {
            Some(x64) => [x64 as u32, (x64 >> 32) as u32, (x64 >> 64) as u32],
            None => none,
        };
        let (lower, upper) = match watch.quiet {
            // Inverted.
            Boundaries::Empty => (ABOVE_ALL, BELOW_ALL),
            Boundaries::Interval { lower, upper } => {
                (pack(lower, BELOW_ALL), pack(upper, ABOVE_ALL))
            }
        };
        Self {
            lower,
            upper,
            until_secs: [watch.until_secs as u32, (watch.until_secs >> 32) as u32],
            listed,
        }
    }

    fn until_secs(self) -> i64 {
        let [low, high] = self.until_secs;
        i64::from(high as i32) << 32 | i64::from(low)
    }

    fn watch(self) -> Option<Watch> {
        if (self.lower, self.upper) == (ABOVE_ALL, ABOVE_ALL) {
            return None;
        }
        let unpack = |[low, middle, high]: [u32; 3]| {
            let high = u128::from(high) << 64;
            SqrtPrice::new(high | u128::from(middle) << 32 | u128::from(low)).ok()
        };
        let quiet = if self.lower == ABOVE_ALL {
            Boundaries::Empty
        } else {
            Boundaries::Interval {
                lower: unpack(self.lower),
                upper: unpack(self.upper),
            }
        };
        Some(Watch {
            quiet,
            until_secs: self.until_secs(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

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
            1,
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
            3,
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

    #[test]
    fn a_watch_is_packed_without_loss() {
        for quiet in [
            Boundaries::Empty,
            Boundaries::ALL,
            interval(Some(1), None),
            interval(None, Some(7)),
            Boundaries::Interval {
                lower: Some(SqrtPrice::MIN),
                upper: Some(SqrtPrice::MAX),
            },
        ] {
            for until_secs in [i64::MIN, 0, i64::MAX] {
                let watch = Watch { quiet, until_secs };
                assert_eq!(Packed::new(&watch, 7).watch(), Some(watch));
            }
        }
    }

    #[test]
    fn what_is_not_entered_is_none_whatever_its_number() {
        assert_eq!(ABSENT.watch(), None);
        let mut index = TriggerIndex::default();
        assert_eq!(index.remove(7), None);
        let watch = Watch {
            quiet: Boundaries::ALL,
            until_secs: 5,
        };
        index.insert(7, watch);
        assert_eq!((index.remove(3), index.len()), (None, 1));
        assert_eq!((index.remove(7), index.len()), (Some(watch), 0));
        assert_eq!(index.remove(7), None);
    }

    #[test]
    fn times_beyond_32_bits_come_in_their_time() {
        let mut index = TriggerIndex::default();
        let far = i64::from(u32::MAX);
        let times = [-5, -1, 0, far - 1, far, far + 1, i64::MAX];
        for (id, until_secs) in (0..).zip(times) {
            let quiet = Boundaries::ALL;
            index.insert(id, Watch { quiet, until_secs });
        }
        for now_secs in [
            i64::MIN,
            -6,
            -5,
            -2,
            0,
            far - 2,
            far - 1,
            far,
            far + 1,
            i64::MAX,
        ] {
            let due = index.due_at_time(now_secs);
            let mut due: Vec<i64> = due.into_iter().map(|id| times[id as usize]).collect();
            due.sort_unstable();
            let expected: Vec<i64> = times.into_iter().filter(|time| *time <= now_secs).collect();
            assert_eq!(due, expected, "{now_secs}");
        }
    }

    #[test]
    fn what_is_put_off_moves_once_it_comes_up_and_what_is_due_earlier_at_once() {
        let mut index = TriggerIndex::default();
        let at = |until_secs| Watch {
            quiet: Boundaries::ALL,
            until_secs,
        };
        let times = |index: &TriggerIndex| {
            let times = index.by_time.iter().map(|key| key.0 >> 32);
            times.collect::<Vec<_>>()
        };
        for until_secs in [100, 200, 300] {
            index.insert(1, at(until_secs));
            assert_eq!(times(&index), [100]);
        }
        assert!(index.due_at_time(99).is_empty());
        assert_eq!(times(&index), [100]);
        assert!(index.due_at_time(150).is_empty());
        assert_eq!(times(&index), [300]);
        index.insert(1, at(160));
        assert_eq!(times(&index), [160]);
        assert_eq!(index.due_at_time(160), [1]);
        assert_eq!(index.due_at_time(170), [1]);
        index.insert(1, at(400));
        assert!(index.remove(1).is_some() && index.by_time.is_empty());
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u32, Option<u64>, Option<u64>, i64),
        Remove(u32),
        Price(u64),
        Time(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let end = || proptest::option::weighted(0.9, 0u64..200);
        prop_oneof![
            4 => (0u32..256, end(), end(), 0i64..100).prop_map(|(k, l, u, t)| Step::Insert(k, l, u, t)),
            1 => (0u32..256).prop_map(Step::Remove),
            3 => (0u64..200).prop_map(Step::Price),
            1 => (0i64..100).prop_map(Step::Time),
        ]
    }

    proptest! {
        #[test]
        fn it_finds_exactly_what_looking_at_everything_finds(steps in proptest::collection::vec(step(), 1..400)) {
            let mut index = TriggerIndex::default();
            let mut all: HashMap<u32, Watch> = HashMap::new();
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
                        let mut expected: Vec<u32> =
                            all.iter().filter(|(_, watch)| !watch.quiet.contains(at)).map(|(key, _)| *key).collect();
                        expected.sort_unstable();
                        prop_assert_eq!(found, expected);
                    }
                    Step::Time(now) => {
                        let mut found = index.due_at_time(now);
                        found.sort_unstable();
                        let mut expected: Vec<u32> =
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
                prop_assert_eq!(index.by_time.len(), all.len());
            }
        }
    }
}
