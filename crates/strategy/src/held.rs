//! The positions of a market as their accounts have them, by dense ids: each address is kept once, and everything else that is known of
//! a position can be kept beside its id. An account's content is shared with whoever shows it.
//!
//! Updates may come twice, late and in any order: older ones than what is known are dropped.

use std::{collections::HashMap, sync::Arc};

use ballast::state::Position;
use ballast_snapshot::Pubkey;

use crate::{chunks::Chunks, ids::Ids};

/// A position as far as it is known.
#[derive(Clone, Debug)]
pub struct Tracked {
    /// Slot at which it was like that.
    pub slot: u64,
    /// The position.
    pub position: Arc<Position>,
}

/// What an update of a position changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Nothing: it is the same.
    Nothing,
    /// Nothing, but it differs from what is known and only claims to be older.
    Doubtful,
    /// It is new, or another one.
    Changed,
}

/// See the module's description.
#[derive(Clone, Debug, Default)]
pub struct Held {
    ids: Ids<Pubkey, ()>,
    /// By id; `None` for numbers that are free.
    tracked: Chunks<Option<Tracked>>,
    /// Positions that do not exist any more since these slots, so that late updates do not bring them back.
    gone: HashMap<Pubkey, u64>,
    /// Slot of the last complete answer: what it lacks is known not to have existed then.
    complete_slot: u64,
}

impl Held {
    /// The number of a position.
    pub fn id(&self, address: &Pubkey) -> Option<u32> {
        self.ids.id(address)
    }

    /// A position's address, by the number that it has now.
    pub fn address(&self, id: u32) -> Option<Pubkey> {
        self.tracked.get(id)?.as_ref()?;
        self.ids.get(id).map(|(address, ())| *address)
    }

    /// A position.
    pub fn get(&self, address: &Pubkey) -> Option<&Tracked> {
        let id = self.ids.id(address)?;
        self.tracked.get(id)?.as_ref()
    }

    /// All positions, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&Pubkey, &Tracked)> {
        self.tracked.iter().filter_map(|(id, tracked)| {
            let (address, ()) = self.ids.get(id)?;
            Some((address, tracked.as_ref()?))
        })
    }

    /// Number of positions.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Takes a position in as it was at a slot. Of two of the same slot the later stands.
    pub fn take_in(&mut self, address: Pubkey, slot: u64, position: &Position) -> Taken {
        let known = self.ids.id(&address);
        if let Some(known) = known
            && let Some(Some(known)) = self.tracked.get_mut(known)
        {
            let same = bytemuck::bytes_of(&*known.position) == bytemuck::bytes_of(position);
            return match (same, slot < known.slot) {
                (true, true) => Taken::Nothing,
                (false, true) => Taken::Doubtful,
                (true, false) => {
                    known.slot = slot;
                    Taken::Nothing
                }
                (false, false) => {
                    known.slot = slot;
                    known.position = Arc::new(*position);
                    Taken::Changed
                }
            };
        }
        let gone = self.gone.get(&address).is_some_and(|gone| slot <= *gone);
        if gone || slot < self.complete_slot {
            return Taken::Doubtful;
        }
        let (id, _) = self.ids.insert(address, ());
        let tracked = Some(Tracked {
            slot,
            position: Arc::new(*position),
        });
        self.tracked.put(id, tracked, || None);
        self.gone.remove(&address);
        Taken::Changed
    }

    /// Notes that there was no such position at a slot. Returns the number that it had, which is free from now on; `None` if it was not
    /// known, or is known from later.
    pub fn remove(&mut self, address: &Pubkey, slot: u64) -> Option<u32> {
        if self.get(address).is_some_and(|known| known.slot > slot) {
            return None;
        }
        let gone = self.gone.entry(*address).or_default();
        *gone = slot.max(*gone);
        let (id, ()) = self.ids.remove(address)?;
        if let Some(tracked) = self.tracked.get_mut(id) {
            *tracked = None;
        }
        Some(id)
    }

    /// Notes that an answer of that slot was complete: what it lacked did not exist then.
    pub fn complete(&mut self, slot: u64) {
        self.complete_slot = self.complete_slot.max(slot);
        self.gone.retain(|_, gone| *gone >= slot);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::fixtures;

    fn address(number: u8) -> Pubkey {
        Pubkey::new_from_array([number; 32])
    }

    fn position(id: u64) -> Position {
        Position {
            id,
            ..fixtures::position()
        }
    }

    #[test]
    fn numbers_are_free_again_and_what_is_shown_stays_as_it_was() {
        let mut held = Held::default();
        assert_eq!(held.take_in(address(1), 5, &position(1)), Taken::Changed);
        assert_eq!(held.take_in(address(2), 5, &position(2)), Taken::Changed);
        let shown = held.get(&address(1)).unwrap().clone();
        // The same of a later slot is the same content, and not a copy of it.
        assert_eq!(held.take_in(address(1), 6, &position(1)), Taken::Nothing);
        let known = held.get(&address(1)).unwrap();
        assert!(known.slot == 6 && Arc::ptr_eq(&known.position, &shown.position));
        assert_eq!(held.take_in(address(1), 7, &position(3)), Taken::Changed);
        assert_eq!((shown.slot, shown.position.id), (5, 1));
        assert_eq!(held.take_in(address(1), 6, &position(1)), Taken::Doubtful);

        assert_eq!(held.id(&address(1)), Some(0));
        assert_eq!(held.remove(&address(1), 6), None);
        assert_eq!(held.remove(&address(1), 7), Some(0));
        assert_eq!(
            (held.address(0), held.get(&address(1)).is_none()),
            (None, true)
        );
        assert_eq!(held.take_in(address(1), 7, &position(3)), Taken::Doubtful);
        assert_eq!(held.take_in(address(3), 7, &position(4)), Taken::Changed);
        assert_eq!((held.id(&address(3)), held.len()), (Some(0), 2));
        // What a complete answer of a later slot lacked is not brought back by an earlier one.
        held.complete(9);
        assert_eq!(held.take_in(address(4), 8, &position(5)), Taken::Doubtful);
        assert_eq!(held.take_in(address(4), 9, &position(5)), Taken::Changed);
    }

    proptest! {
        #[test]
        fn it_is_a_map_of_the_newest(
            steps in proptest::collection::vec((0u8..12, 0u64..20, 0u64..5, 0u8..5), 1..300),
        ) {
            let mut held = Held::default();
            let mut all: BTreeMap<Pubkey, (u64, u64)> = BTreeMap::new();
            let mut gone: BTreeMap<Pubkey, u64> = BTreeMap::new();
            for (number, slot, id, what) in steps {
                let at = address(number);
                let known = all.get(&at).copied();
                if what == 0 {
                    let dies = known.is_none_or(|(held, _)| held <= slot);
                    let had = held.id(&at);
                    let removed = held.remove(&at, slot);
                    prop_assert_eq!(removed, had.filter(|_| dies));
                    if dies {
                        let latest = gone.entry(at).or_default();
                        *latest = slot.max(*latest);
                        all.remove(&at);
                    }
                } else {
                    let comes = match known {
                        Some((held, _)) => slot >= held,
                        None => gone.get(&at).is_none_or(|gone| slot > *gone),
                    };
                    let taken = held.take_in(at, slot, &position(id));
                    let differs = known.is_none_or(|(_, held)| held != id);
                    prop_assert_eq!(taken == Taken::Changed, comes && differs);
                    prop_assert_eq!(taken == Taken::Doubtful, !comes && differs);
                    if comes {
                        all.insert(at, (slot, id));
                        gone.remove(&at);
                    }
                }
                let found: BTreeMap<Pubkey, (u64, u64)> = held
                    .iter()
                    .map(|(at, tracked)| (*at, (tracked.slot, tracked.position.id)))
                    .collect();
                prop_assert_eq!(&found, &all);
                prop_assert_eq!((held.len(), held.is_empty()), (all.len(), all.is_empty()));
                for at in all.keys() {
                    let id = held.id(at).unwrap();
                    prop_assert_eq!(held.address(id), Some(*at));
                    // Dense: no more numbers than there ever were addresses at a time.
                    prop_assert!(id < 12);
                }
            }
        }
    }
}
