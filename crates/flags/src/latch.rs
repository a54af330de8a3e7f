//! Hysteresis: a flag is raised when its value has been bad for long enough, and quiet again when it has been good for long enough.
//! Between the two thresholds it stays what it is, so that a value on the edge does not flap.

use crate::{
    flag::Flag,
    judgement::{Judgement, State},
    limits::Limits,
};

/// What was observed of a flag: its value, or why there is none.
pub type Reading = Result<u64, String>;

/// The memory of one flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latch {
    flag: Flag,
    raised_since: Option<i64>,
    bad_since: Option<i64>,
    good_since: Option<i64>,
}

impl Latch {
    /// Not raised.
    #[must_use]
    pub const fn new(flag: Flag) -> Self {
        Self {
            flag,
            raised_since: None,
            bad_since: None,
            good_since: None,
        }
    }

    /// Takes in a reading. A raised flag that cannot be judged any more stays raised: whoever blinds it does not clear it.
    pub fn judge(
        &mut self,
        limits: &Limits,
        reading: Reading,
        note: String,
        now_secs: i64,
    ) -> Judgement {
        let unit = self.flag.unit();
        let known = reading.as_ref().ok().copied();
        let since = |before: &mut Option<i64>, holds: bool| {
            *before = holds.then(|| before.unwrap_or(now_secs));
            before.map(|since| now_secs.saturating_sub(since))
        };
        let bad = known.is_some_and(|value| limits.is_bad(unit, value));
        let good = known.is_some_and(|value| limits.is_good(unit, value));
        let bad_secs = since(&mut self.bad_since, bad);
        let good_secs = since(&mut self.good_since, good);
        // The value of a window has lasted already.
        let lasting = if self.flag.looks_back() {
            0
        } else {
            i64::from(limits.window_secs)
        };
        if self.raised_since.is_none() && bad_secs.is_some_and(|secs| secs >= lasting) {
            self.raised_since = Some(now_secs);
        }
        if good_secs.is_some_and(|secs| secs >= i64::from(limits.calm_secs)) {
            self.raised_since = None;
        }
        let (state, note) = match (self.raised_since, reading) {
            (Some(_), Ok(_)) => (State::Raised, note),
            (Some(_), Err(missing)) => (
                State::Raised,
                format!(
                    "{missing} It was raised before that, and stays so until it is seen to be well."
                ),
            ),
            (None, Ok(_)) => (State::Quiet, note),
            (None, Err(missing)) => (State::Unknown, missing),
        };
        Judgement {
            flag: self.flag,
            state,
            value: known,
            limits: *limits,
            since_secs: self.raised_since,
            note,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        raise_at: 10,
        clear_at: 4,
        window_secs: 5,
        calm_secs: 20,
    };

    fn states(flag: Flag, values: &[(i64, Option<u64>)]) -> Vec<State> {
        let mut latch = Latch::new(flag);
        let mut judge = |(now, value): &(i64, Option<u64>)| {
            let reading = value.ok_or_else(|| "Nothing is known.".to_owned());
            latch.judge(&LIMITS, reading, String::new(), *now).state
        };
        values.iter().map(&mut judge).collect()
    }

    #[test]
    fn a_value_of_a_moment_has_to_last_and_a_calm_has_to_last_longer() {
        use State::{Quiet, Raised};
        assert_eq!(
            states(
                Flag::StreamLag,
                &[
                    (0, Some(10)),
                    (4, Some(30)),
                    // One good moment, and it begins anew.
                    (5, Some(9)),
                    (6, Some(10)),
                    (11, Some(10)),
                    // Better, but not well.
                    (12, Some(5)),
                    (40, Some(5)),
                    (41, Some(4)),
                    (60, Some(0)),
                    (61, Some(0)),
                    (62, Some(9)),
                ]
            ),
            [
                Quiet, Quiet, Quiet, Quiet, Raised, Raised, Raised, Raised, Raised, Quiet, Quiet
            ]
        );
    }

    #[test]
    fn the_value_of_a_window_raises_at_once() {
        assert_eq!(
            states(Flag::DepthDrop, &[(0, Some(9)), (1, Some(10))]),
            [State::Quiet, State::Raised]
        );
    }

    #[test]
    fn what_is_not_known_is_neither_and_clears_nothing() {
        use State::{Quiet, Raised, Unknown};
        assert_eq!(
            states(
                Flag::DepthDrop,
                &[
                    (0, None),
                    (1, Some(0)),
                    (2, None),
                    (3, Some(10)),
                    (4, Some(0)),
                    // The calm is interrupted as well.
                    (20, None),
                    (30, Some(0)),
                    (49, Some(0)),
                    (50, Some(0)),
                ]
            ),
            [
                Unknown, Quiet, Unknown, Raised, Raised, Raised, Raised, Raised, Quiet
            ]
        );
    }

    #[test]
    fn of_a_balance_less_is_worse() {
        use State::{Quiet, Raised};
        let limits = Limits {
            raise_at: 4,
            clear_at: 10,
            window_secs: 0,
            calm_secs: 0,
        };
        let mut latch = Latch::new(Flag::OwnSolLow);
        let states = [5, 4, 5, 9, 10, 5]
            .map(|value| latch.judge(&limits, Ok(value), String::new(), 0).state);
        assert_eq!(states, [Quiet, Raised, Raised, Raised, Quiet, Quiet]);
    }

    #[test]
    fn it_says_since_when_and_why_it_is_still_raised() {
        let mut latch = Latch::new(Flag::HedgeFills);
        let raised = latch.judge(&LIMITS, Ok(11), "two of three".into(), 100);
        assert_eq!(
            (raised.since_secs, raised.note.as_str()),
            (Some(100), "two of three")
        );
        let blind = latch.judge(&LIMITS, Err("Nobody tells.".into()), String::new(), 130);
        assert_eq!(
            (blind.state, blind.value, blind.since_secs),
            (State::Raised, None, Some(100))
        );
        assert!(blind.note.starts_with("Nobody tells. It was raised before"));
    }
}
