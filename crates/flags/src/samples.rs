//! Values over time, by their medians: to move one, somebody has to hold the value for half of the window.

use std::collections::VecDeque;

/// Samples of a window, at most one in `every_secs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Samples {
    window_secs: i64,
    every_secs: i64,
    taken: VecDeque<(i64, u128)>,
}

impl Samples {
    /// None yet.
    #[must_use]
    pub fn new(window_secs: u32, every_secs: u32) -> Self {
        Self {
            window_secs: window_secs.into(),
            every_secs: every_secs.max(1).into(),
            taken: VecDeque::new(),
        }
    }

    /// Takes a sample unless the last is too young, and forgets what the window has left behind. Returns whether it was taken.
    pub fn take(&mut self, value: u128, now_secs: i64) -> bool {
        let early = self
            .taken
            .back()
            .is_some_and(|(last, _)| now_secs < last.saturating_add(self.every_secs));
        if early {
            return false;
        }
        self.taken.push_back((now_secs, value));
        self.forget(now_secs);
        true
    }

    /// Forgets what the window has left behind.
    pub fn forget(&mut self, now_secs: i64) {
        let from = now_secs.saturating_sub(self.window_secs);
        while self.taken.front().is_some_and(|(at, _)| *at < from) {
            self.taken.pop_front();
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.taken.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }

    /// Time between the oldest and the newest.
    #[must_use]
    pub fn span_secs(&self) -> i64 {
        match (self.taken.front(), self.taken.back()) {
            (Some((first, _)), Some((last, _))) => last.saturating_sub(*first),
            _ => 0,
        }
    }

    /// The sum, saturating.
    #[must_use]
    pub fn sum(&self) -> u128 {
        let values = self.taken.iter().map(|(_, value)| *value);
        values.fold(0, u128::saturating_add)
    }

    /// The median; of an even number the lower one of the two in the middle.
    #[must_use]
    pub fn median(&self) -> Option<u128> {
        let mut values: Vec<u128> = self.taken.iter().map(|(_, value)| *value).collect();
        let middle = values.len().checked_sub(1)? / 2;
        let (_, median, _) = values.select_nth_unstable(middle);
        Some(*median)
    }
}

/// By how much `now` is below `usual`, in basis points rounded down; 0 if it is not.
#[must_use]
pub fn fall_bps_down(now: u128, usual: u128) -> u64 {
    let missing = usual.saturating_sub(now);
    // Large numbers lose digits that a basis point does not have.
    let shift = (128 - usual.leading_zeros()).saturating_sub(112);
    let (missing, usual) = (missing >> shift, usual >> shift);
    let fall = (missing * 10_000).checked_div(usual).unwrap_or(0);
    u64::try_from(fall).unwrap_or(10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_spaced_and_forgotten() {
        let mut samples = Samples::new(100, 10);
        assert_eq!((samples.median(), samples.span_secs()), (None, 0));
        assert!(samples.take(1, 0) && !samples.take(9, 9) && samples.take(2, 10));
        assert!(samples.take(3, 100));
        assert_eq!(
            (samples.len(), samples.sum(), samples.span_secs()),
            (3, 6, 100)
        );
        assert!(samples.take(4, 111));
        assert_eq!((samples.len(), samples.sum()), (2, 7));
        // A clock that goes back takes nothing and forgets nothing.
        assert!(!samples.take(5, 50));
        samples.forget(50);
        assert_eq!(samples.len(), 2);
        samples.forget(1_000);
        assert!(samples.is_empty());
    }

    #[test]
    fn whoever_holds_a_value_for_less_than_half_of_the_time_does_not_move_the_median() {
        let median = |held: u32| {
            let mut samples = Samples::new(1_000, 1);
            for second in 0..101 {
                let value = if second < held { u128::MAX } else { 7 };
                samples.take(value, second.into());
            }
            samples.median().unwrap()
        };
        assert_eq!((median(0), median(50), median(51)), (7, 7, u128::MAX));
        let mut two = Samples::new(10, 1);
        two.take(9, 0);
        two.take(5, 1);
        assert_eq!(two.median(), Some(5));
    }

    #[test]
    fn a_fall_is_a_part_of_what_was_usual() {
        for (now, usual, bps) in [
            (100, 100, 0),
            (101, 100, 0),
            (50, 100, 5_000),
            (1, 3, 6_666),
            (0, 3, 10_000),
            (5, 0, 0),
            (u128::MAX / 2, u128::MAX, 5_000),
            (0, u128::MAX, 10_000),
        ] {
            assert_eq!(fall_bps_down(now, usual), bps, "{now} {usual}");
        }
    }
}
