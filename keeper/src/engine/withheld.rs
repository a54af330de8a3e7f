//! What the keeper does not do now with a position, and what it has not given up yet.

use std::{collections::HashMap, time::Duration};

use ballast_strategy::decide::{ActionKind, Kinds};
use solana_sdk::pubkey::Pubkey;
use tokio::time::Instant;

use crate::execute::Executor;

/// How often in a row something is refused before a liquidation takes its place: some seconds, in which a pool that somebody
/// pushed comes back and a newer price is at hand.
const TRIES: u32 = 4;
/// A refusal after this time is the first of a row, whatever there was before.
const ROW: Duration = Duration::from_secs(60);

/// What was refused in a row: nothing of the keeper's has landed for the position meanwhile, and no pause was longer than [`ROW`].
#[derive(Clone, Copy, Debug)]
struct Row {
    times: u32,
    last: Instant,
}

/// How often in a row each kind of action was refused for a position.
#[derive(Debug, Default)]
pub(super) struct Refusals(HashMap<(Pubkey, ActionKind), Row>);

impl Refusals {
    /// It was refused, once more.
    pub fn note(&mut self, position: Pubkey, action: ActionKind, now: Instant) {
        let times = self.in_a_row(&position, action, now).saturating_add(1);
        self.0.insert((position, action), Row { times, last: now });
    }

    /// Something was done with the position, or nothing is due any more: what is refused from now on is another matter.
    pub fn end(&mut self, position: &Pubkey) {
        for action in ActionKind::ALL {
            self.0.remove(&(*position, action));
        }
    }

    fn in_a_row(&self, position: &Pubkey, action: ActionKind, now: Instant) -> u32 {
        let row = self.0.get(&(*position, action));
        row.filter(|row| now.duration_since(row.last) < ROW)
            .map_or(0, |row| row.times)
    }

    /// What of the refused has been tried a few times only.
    fn retried(&self, position: &Pubkey, refused: Kinds, now: Instant) -> Kinds {
        let few = |action: &ActionKind| {
            refused.contains(*action) && self.in_a_row(position, *action, now) < TRIES
        };
        ActionKind::ALL
            .into_iter()
            .filter(few)
            .fold(Kinds::NONE, Kinds::with)
    }
}

/// See the module's description.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Withheld {
    /// What a simulation or the chain has refused lately.
    pub refused: Kinds,
    /// What of it is tried again before a liquidation takes its place.
    pub retried: Kinds,
    /// What the keeper may not do.
    pub forbidden: Kinds,
}

impl Withheld {
    /// Of one position.
    pub fn of(
        position: &Pubkey,
        refused: &HashMap<Pubkey, Kinds>,
        refusals: &Refusals,
        executor: &Executor,
        now: Instant,
    ) -> Self {
        let refused = refused.get(position).copied().unwrap_or_default();
        Self {
            refused,
            retried: refusals.retried(position, refused, now),
            forbidden: executor.forbidden(position),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSITION: Pubkey = Pubkey::new_from_array([1; 32]);
    const SWAPS: ActionKind = ActionKind::DeleverageSwap;

    fn is_retried(refusals: &Refusals, now: Instant) -> bool {
        let retried = refusals.retried(&POSITION, Kinds::NONE.with(SWAPS), now);
        // What is not among the refused is not refused any more.
        assert!(!retried.contains(ActionKind::Exit));
        retried.contains(SWAPS)
    }

    fn refuse(refusals: &mut Refusals, times: u32, now: Instant) {
        for _ in 0..times {
            refusals.note(POSITION, SWAPS, now);
            refusals.note(POSITION, ActionKind::Exit, now);
        }
    }

    #[test]
    fn what_was_refused_a_few_times_only_is_not_given_up() {
        let now = Instant::now();
        let mut refusals = Refusals::default();
        for times in 1..=TRIES + 1 {
            refuse(&mut refusals, 1, now);
            assert_eq!(is_retried(&refusals, now), times < TRIES, "{times}");
        }
    }

    #[test]
    fn what_was_refused_before_something_landed_or_a_minute_ago_is_of_another_row() {
        let start = Instant::now();
        let mut refusals = Refusals::default();
        refuse(&mut refusals, TRIES, start);
        let almost = start + ROW - Duration::from_millis(1);
        assert!(!is_retried(&refusals, almost));
        // A minute later it is new, and takes as many tries to be given up.
        let later = start + ROW;
        for times in 1..=TRIES {
            refuse(&mut refusals, 1, later);
            assert_eq!(is_retried(&refusals, later), times < TRIES, "{times}");
        }
        refusals.end(&POSITION);
        refuse(&mut refusals, TRIES - 1, later);
        assert!(is_retried(&refusals, later));
        // Refusals of one position are not another's.
        refusals.note(Pubkey::new_from_array([2; 32]), SWAPS, later);
        assert!(is_retried(&refusals, later));
        assert!(refusals.0.len() == 3, "{refusals:?}");
    }
}
