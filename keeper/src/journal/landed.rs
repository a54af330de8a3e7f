//! What came into blocks lately, as a journal tells it.

use std::collections::BTreeMap;

use ballast_client::EXPIRY_MARGIN;
use serde::{Deserialize, Serialize};

use super::{Intent, IntentId, Outcome, OutcomeRecord};

/// Blocks after which another block is final, and told so by nodes that lag, with room.
const FINAL_BLOCKS: u64 = 150 + EXPIRY_MARGIN;

/// An intent that is in a block which is not final.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The intent.
    pub intent: Intent,
    /// What became of it in that block.
    pub outcome: Outcome,
}

/// Intents in blocks that may not have been final when the journal ended.
#[derive(Debug, Default)]
pub(crate) struct Landed(BTreeMap<IntentId, Confirmed>);

impl Landed {
    /// Those that a journal put aside has left.
    pub fn of(left: &[Confirmed]) -> Self {
        let all = left.iter().cloned();
        Self(all.map(|it| (it.intent.id, it)).collect())
    }

    /// Takes an outcome in: the first of an `open` intent, or another one of the same, which a fork took back. Whose outcome it is, and
    /// the one before.
    pub fn take_in(
        &mut self,
        open: Option<Intent>,
        record: &OutcomeRecord,
    ) -> Option<(Intent, Option<Outcome>)> {
        let OutcomeRecord { id, outcome } = record;
        let (intent, before) = match (open, self.0.remove(id)) {
            (Some(intent), _) => (intent, None),
            (None, Some(known)) => (known.intent, Some(known.outcome)),
            (None, None) => return None,
        };
        if outcome.slot() > 0 {
            let confirmed = Confirmed {
                intent: intent.clone(),
                outcome: outcome.clone(),
            };
            self.0.insert(*id, confirmed);
            self.forget();
        }
        Some((intent, before))
    }

    /// Forgets what is final since what came after it could land.
    fn forget(&mut self) {
        let lasts = self.0.values().map(|it| it.intent.last_valid_block_height);
        let newest = lasts.max().unwrap_or_default();
        self.0.retain(|_, it| {
            let last = it.intent.last_valid_block_height;
            last.saturating_add(FINAL_BLOCKS) >= newest
        });
    }

    /// All of them, oldest first.
    pub fn lately(self) -> Vec<Confirmed> {
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
        all.map(|it| (it.intent.id.0, it.outcome.slot())).collect()
    }

    #[test]
    fn what_is_in_a_block_is_known_until_a_later_one_is_final() {
        let mut landed = Landed::default();
        landed.take_in(signed(1, 1_000), &outcome(1, 7));
        landed.take_in(signed(2, 1_100), &outcome(2, 0));
        landed.take_in(signed(3, 1_000 + FINAL_BLOCKS), &outcome(3, 9));
        assert_eq!(landed.0.len(), 2);
        landed.take_in(signed(4, 1_001 + FINAL_BLOCKS), &outcome(4, 10));
        let mut left = Landed::of(&landed.lately());
        // Also what was left by a journal that was put aside has another outcome.
        let (intent, before) = left.take_in(None, &outcome(3, 0)).unwrap();
        assert_eq!(intent.id, IntentId(3));
        assert_eq!(before, Some(Outcome::Landed { slot: 9 }));
        assert_eq!(known(left), [(4, 10)]);
    }

    #[test]
    fn of_what_a_fork_took_back_the_last_outcome_counts() {
        let mut landed = Landed::default();
        landed.take_in(signed(1, 1_000), &outcome(1, 7));
        landed.take_in(signed(2, 1_000), &outcome(2, 7));
        landed.take_in(None, &outcome(1, 11));
        landed.take_in(None, &outcome(2, 0));
        // Of an intent that nobody knows.
        assert_eq!(landed.take_in(None, &outcome(3, 5)), None);
        assert_eq!(known(landed), [(1, 11)]);
    }
}
