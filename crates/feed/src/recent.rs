//! The order of what was told lately: within a slot by write version, and of which accounts a slot has told.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

/// Slots that are remembered: a slot is decided long before so many others follow.
const SLOTS: u64 = 150;

/// Of which accounts each of the last slots has told, and the newest write of each.
#[derive(Debug)]
pub struct Recent<K>(BTreeMap<u64, HashMap<K, Option<u64>>>);

impl<K> Default for Recent<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Copy + Ord + Hash> Recent<K> {
    /// Notes an update. Whether it is news: `false` if a later write of the same slot, or the same one, was told before.
    pub fn is_news(&mut self, slot: u64, account: K, write_version: Option<u64>) -> bool {
        let newest = self
            .0
            .last_key_value()
            .map_or(slot, |(last, _)| slot.max(*last));
        let oldest = newest.saturating_sub(SLOTS);
        while let Some(first) = self.0.first_entry()
            && *first.key() < oldest
        {
            first.remove();
        }
        if slot < oldest {
            return true;
        }
        let told = self.0.entry(slot).or_default();
        match told.get(&account) {
            Some(Some(known)) if write_version.is_some_and(|version| version <= *known) => false,
            _ => {
                told.insert(account, write_version);
                true
            }
        }
    }

    /// Forgets a slot; the accounts of which it has told, in order.
    pub fn forget(&mut self, slot: u64) -> Vec<K> {
        let mut told: Vec<K> = self
            .0
            .remove(&slot)
            .into_iter()
            .flat_map(HashMap::into_keys)
            .collect();
        told.sort_unstable();
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_a_slot_the_later_write_counts() {
        let mut recent = Recent::default();
        assert!(recent.is_news(10, 1, Some(7)));
        assert!(!recent.is_news(10, 1, Some(7)));
        assert!(!recent.is_news(10, 1, Some(6)));
        assert!(recent.is_news(10, 1, Some(8)));
        // Another account, another slot.
        assert!(recent.is_news(10, 2, Some(1)));
        assert!(recent.is_news(9, 1, Some(1)));
        // Who tells no order is not judged.
        assert!(recent.is_news(11, 1, None) && recent.is_news(11, 1, None));
    }

    #[test]
    fn a_dead_slot_gives_back_what_it_told() {
        let mut recent = Recent::default();
        for (slot, account) in [(10, 2), (10, 1), (10, 2), (11, 3)] {
            recent.is_news(slot, account, None);
        }
        assert_eq!(recent.forget(10), [1, 2]);
        assert!(recent.forget(10).is_empty());
        assert_eq!(recent.forget(11), [3]);
    }

    #[test]
    fn old_slots_are_not_kept_for_ever() {
        let mut recent = Recent::default();
        for slot in 0..10_000 {
            recent.is_news(slot, 1, None);
        }
        assert!(recent.0.len() <= usize::try_from(SLOTS).unwrap() + 1);
        // Very late: the reader has to judge.
        assert!(recent.is_news(3, 1, Some(1)) && recent.forget(3).is_empty());
    }
}
