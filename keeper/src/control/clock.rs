//! The time by which overrides end.
//!
//! The system's clock may jump: it is set right after a start, or somebody sets it wrong. A halt must not end early because of
//! that. So time goes on by a clock that only counts, from what the system's clock said at first. Where the two differ for
//! long, the system's is believed.

use std::time::Duration;

/// How long they may differ before the system's clock is believed.
const PATIENCE: Duration = Duration::from_secs(600);
/// A difference that is none: two clocks are read one after the other, and one counts whole seconds.
const TOLERANCE_SECS: i64 = 2;

/// See the module's description.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Unix seconds at the counter's zero.
    base_secs: i64,
    /// Since when the system's clock says otherwise.
    differs_since: Option<Duration>,
}

impl Clock {
    /// A clock at zero of its counter. `at_least_secs`: the newest time that is known to be past.
    pub fn new(system_secs: i64, at_least_secs: i64) -> Self {
        Self {
            base_secs: system_secs.max(at_least_secs),
            differs_since: None,
        }
    }

    /// Unix seconds, by the counter.
    pub fn secs(&self, counted: Duration) -> i64 {
        let counted = i64::try_from(counted.as_secs()).unwrap_or(i64::MAX);
        self.base_secs.saturating_add(counted)
    }

    /// Compares with the system's clock, at that state of the counter.
    pub fn compare(&mut self, counted: Duration, system_secs: i64) {
        let ahead = system_secs.saturating_sub(self.secs(counted));
        if ahead.saturating_abs() <= TOLERANCE_SECS {
            self.differs_since = None;
            return;
        }
        let since = *self.differs_since.get_or_insert(counted);
        if counted.saturating_sub(since) >= PATIENCE {
            self.base_secs = self.base_secs.saturating_add(ahead);
            self.differs_since = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// What the clock says after each second, where the system's clock is off by `off` at each.
    fn run(secs: u32, off: impl Fn(u32) -> i64) -> Vec<i64> {
        let mut clock = Clock::new(1_000, 0);
        let step = |second: u32| {
            let counted = SECOND * second;
            clock.compare(counted, 1_000 + i64::from(second) + off(second));
            clock.secs(counted) - 1_000 - i64::from(second)
        };
        (1..=secs).map(step).collect()
    }

    #[test]
    fn a_jump_that_is_taken_back_is_not_followed() {
        for jump in [-86_400, -3, 3, 86_400, i64::MAX / 2] {
            let off = run(1_200, |second| {
                if (100..690).contains(&second) {
                    jump
                } else {
                    0
                }
            });
            assert!(off.iter().all(|off| *off == 0), "{jump}");
        }
    }

    #[test]
    fn a_clock_that_was_set_right_is_believed_after_ten_minutes() {
        for jump in [-86_400, 86_400] {
            let off = run(1_200, |second| if second < 100 { 0 } else { jump });
            assert_eq!(off.iter().position(|off| *off == jump), Some(699));
            assert!(off[..699].iter().all(|off| *off == 0));
            assert!(off[699..].iter().all(|off| *off == jump));
        }
    }

    #[test]
    fn small_differences_are_nothing() {
        let off = run(5_000, |second| i64::from(second % 5) - 2);
        assert!(off.iter().all(|off| *off == 0));
    }

    #[test]
    fn it_never_begins_before_what_is_past() {
        assert_eq!(Clock::new(10, 500).secs(SECOND), 501);
        assert_eq!(Clock::new(500, 10).secs(SECOND), 501);
        assert_eq!(Clock::new(i64::MAX, 0).secs(SECOND), i64::MAX);
    }
}
