//! What a change of parameters takes, when some changes are only announced.

use std::fmt::Debug;

use ballast_client::Market;

use crate::report::Pending;

/// Parameters in force, and those announced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing<P> {
    pub in_force: P,
    /// With the time from which anyone may put them in force.
    pub announced: Option<(P, i64)>,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// As it should be.
    Nothing,
    /// What is wanted is announced; its notice is not over.
    Wait { effective_at_secs: i64 },
    /// What is wanted was announced, and its notice is over.
    PutInForce,
    /// What is in force is wanted, but something else is announced, which anyone could put in force some day.
    TakeBack,
    /// Something else is wanted.
    Update,
}

impl<P: PartialEq> Standing<P> {
    /// What brings `wanted` in force.
    pub fn next(&self, wanted: &P, now_secs: i64) -> Next {
        match &self.announced {
            Some((announced, effective_at_secs)) if announced == wanted => {
                let over_secs = now_secs.saturating_sub(*effective_at_secs);
                if over_secs > Market::LAPSE_SECS {
                    // It has lapsed: announce it again.
                    Next::Update
                } else if over_secs >= 0 {
                    Next::PutInForce
                } else {
                    Next::Wait {
                        effective_at_secs: *effective_at_secs,
                    }
                }
            }
            Some(_) if self.in_force == *wanted => Next::TakeBack,
            None if self.in_force == *wanted => Next::Nothing,
            _ => Next::Update,
        }
    }
}

/// An account of a time of which nothing is announced has 0 there.
pub(super) fn announced<P>(params: P, effective_at_secs: i64) -> Option<(P, i64)> {
    (effective_at_secs > 0).then_some((params, effective_at_secs))
}

/// What is told of a change that waits.
pub(super) fn waiting(what: String, effective_at_secs: i64, now_secs: i64) -> Pending {
    Pending {
        what,
        effective_at_secs,
        wait_secs: effective_at_secs.saturating_sub(now_secs).max(0),
    }
}

/// The names of the fields that differ, with both values.
pub(super) fn difference<P: Debug>(before: &P, after: &P) -> String {
    let (before, after) = (format!("{before:?}"), format!("{after:?}"));
    // Debug output lists `name: value` pairs in the same order.
    let changed = before
        .split(", ")
        .zip(after.split(", "))
        .filter(|(before, after)| before != after);
    let changed: Vec<_> = changed
        .map(|(before, after)| format!("{before} -> {after}"))
        .collect();
    changed.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_announced_waits_and_is_then_put_in_force() {
        let standing = |in_force, announced| Standing {
            in_force,
            announced,
        };
        let wait = Next::Wait {
            effective_at_secs: 100,
        };
        for (in_force, announced, wanted, now_secs, expected) in [
            (1, None, 1, 0, Next::Nothing),
            (1, None, 2, 0, Next::Update),
            (1, Some((2, 100)), 2, 99, wait),
            (1, Some((2, 100)), 2, 100, Next::PutInForce),
            (1, Some((2, 100)), 1, 99, Next::TakeBack),
            (1, Some((2, 100)), 1, 500, Next::TakeBack),
            (1, Some((2, 100)), 3, 500, Next::Update),
            // Also where the same is in force already: else it stays announced.
            (2, Some((2, 100)), 2, 99, wait),
        ] {
            assert_eq!(
                standing(in_force, announced).next(&wanted, now_secs),
                expected,
                "{in_force} {announced:?} {wanted} {now_secs}"
            );
        }
        assert_eq!(super::announced(7, 0), None);
        assert_eq!(super::announced(7, 5), Some((7, 5)));
    }
}
