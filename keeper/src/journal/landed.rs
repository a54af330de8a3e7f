//! What came into blocks lately, as a journal tells it.

use std::collections::BTreeMap;

use super::{Intent, IntentId, Outcome, OutcomeRecord};

/// Blocks after which another block is final, with room.
const FINAL_BLOCKS: u64 = 150;

/// Intents in blocks that may not have been final when the journal ended.
#[derive(Debug, Default)]
pub(super) struct Landed(BTreeMap<IntentId, (Intent, Outcome)>);

impl Landed {
    /// Takes an outcome in: the first of an `open` intent, or another one of the same, which a fork took back.
    pub fn take_in(&mut self, open: Option<Intent>, record: &OutcomeRecord) {
        let OutcomeRecord { id, outcome } = record;
        let known = self.0.remove(id).map(|(intent, _)| intent);
        let Some(intent) = open.or(known).filter(|_| outcome.slot() > 0) else {
            return;
        };
        let newest = self.0.values().map(|(it, _)| it.last_valid_block_height);
        let newest = newest
            .max()
            .unwrap_or(0)
            .max(intent.last_valid_block_height);
        self.0.insert(*id, (intent, outcome.clone()));
        self.0
            .retain(|_, (it, _)| it.last_valid_block_height.saturating_add(FINAL_BLOCKS) >= newest);
    }

    /// All of them.
    pub fn lately(self) -> Vec<(Intent, Outcome)> {
        self.0.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::intent;

    fn outcome(id: u64, slot: u64) -> OutcomeRecord {
        let outcome = match slot {
            0 => Outcome::Expired { block_height: 1 },
            slot => Outcome::Landed { slot },
        };
        let id = IntentId(id);
        OutcomeRecord { id, outcome }
    }

    fn signed(id: u64, last_valid_block_height: u64) -> Option<Intent> {
        Some(Intent {
            last_valid_block_height,
            ..intent(id)
        })
    }

    fn known(landed: Landed) -> Vec<(u64, u64)> {
        let all = landed.lately().into_iter();
        all.map(|(intent, outcome)| (intent.id.0, outcome.slot()))
            .collect()
    }

    #[test]
    fn what_is_in_a_block_is_known_until_a_later_one_is_final() {
        let mut landed = Landed::default();
        landed.take_in(signed(1, 1_000), &outcome(1, 7));
        landed.take_in(signed(2, 1_100), &outcome(2, 0));
        landed.take_in(signed(3, 1_150), &outcome(3, 9));
        assert_eq!(landed.0.len(), 2);
        landed.take_in(signed(4, 1_151), &outcome(4, 10));
        assert_eq!(known(landed), [(3, 9), (4, 10)]);
    }

    #[test]
    fn of_what_a_fork_took_back_the_last_outcome_counts() {
        let mut landed = Landed::default();
        landed.take_in(signed(1, 1_000), &outcome(1, 7));
        landed.take_in(signed(2, 1_000), &outcome(2, 7));
        landed.take_in(None, &outcome(1, 11));
        landed.take_in(None, &outcome(2, 0));
        // Of an intent that nobody knows.
        landed.take_in(None, &outcome(3, 5));
        assert_eq!(known(landed), [(1, 11)]);
    }
}
