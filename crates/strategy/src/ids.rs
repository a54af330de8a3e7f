//! Dense ids for keys: each key is kept once, beside what belongs to it, and everything else knows it by a number of four bytes.
//!
//! The numbers of keys that were taken out are given out again.

use std::hash::{BuildHasher, Hash, RandomState};

use hashbrown::HashTable;

use crate::chunks::Chunks;

/// See the module's description. `K` is the key, `V` what belongs to it.
#[derive(Clone, Debug)]
pub struct Ids<K, V> {
    hashing: RandomState,
    ids: HashTable<u32>,
    entries: Chunks<(K, V)>,
    /// Numbers of keys that were taken out, whose entries are left as they were.
    free: Vec<u32>,
}

impl<K, V> Default for Ids<K, V> {
    fn default() -> Self {
        Self {
            hashing: RandomState::new(),
            ids: HashTable::new(),
            entries: Chunks::default(),
            free: Vec::new(),
        }
    }
}

impl<K: Copy + Eq + Hash, V: Copy> Ids<K, V> {
    /// The number of a key.
    pub fn id(&self, key: &K) -> Option<u32> {
        self.ids
            .find(self.hash(key), |id| self.is(*id, key))
            .copied()
    }

    /// The key and what belongs to it, by a number that was given out and not taken back.
    pub fn get(&self, id: u32) -> Option<&(K, V)> {
        self.entries.get(id)
    }

    /// Keeps what belongs to a key. Returns the key's number, and what belonged to it before.
    pub fn insert(&mut self, key: K, value: V) -> (u32, Option<V>) {
        if let Some(id) = self.id(&key)
            && let Some(entry) = self.entries.get_mut(id)
        {
            return (id, Some(std::mem::replace(&mut entry.1, value)));
        }
        let reused = self.free.pop();
        let id = match reused {
            Some(id) => {
                if let Some(entry) = self.entries.get_mut(id) {
                    *entry = (key, value);
                }
                id
            }
            None => self.entries.push((key, value)),
        };
        let (hashing, entries) = (&self.hashing, &self.entries);
        // A number in the table has an entry.
        let hash_of = |id: &u32| entries.get(*id).map_or(0, |(key, _)| hashing.hash_one(key));
        self.ids.insert_unique(hashing.hash_one(key), id, hash_of);
        (id, None)
    }

    /// Takes a key out. Returns the number that it had, which is free from now on, and what belonged to it.
    pub fn remove(&mut self, key: &K) -> Option<(u32, V)> {
        let hash = self.hash(key);
        let entries = &self.entries;
        let is = |id: &u32| entries.get(*id).is_some_and(|(known, _)| known == key);
        let found = self.ids.find_entry(hash, is);
        let (id, _) = found.ok()?.remove();
        self.free.push(id);
        self.get(id).map(|(_, value)| (id, *value))
    }

    /// All keys and what belongs to them, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &(K, V)> {
        self.ids.iter().filter_map(|id| self.get(*id))
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    fn hash(&self, key: &K) -> u64 {
        self.hashing.hash_one(key)
    }

    fn is(&self, id: u32, key: &K) -> bool {
        self.get(id).is_some_and(|(known, _)| known == key)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use proptest::prelude::*;

    use super::*;
    use crate::chunks::CHUNK;

    #[test]
    fn numbers_are_dense_and_given_out_again() {
        let mut ids = Ids::default();
        assert_eq!(ids.insert("a", 1), (0, None));
        assert_eq!(ids.insert("b", 2), (1, None));
        assert_eq!(ids.insert("a", 3), (0, Some(1)));
        assert_eq!(ids.remove(&"a"), Some((0, 3)));
        assert_eq!((ids.remove(&"a"), ids.id(&"a")), (None, None));
        assert_eq!(ids.insert("c", 4), (0, None));
        assert_eq!(ids.insert("d", 5), (2, None));
        assert_eq!(ids.get(0), Some(&("c", 4)));
        assert_eq!((ids.len(), ids.get(3)), (3, None));
    }

    #[test]
    fn more_keys_than_a_chunk_has_entries_are_found() {
        let mut ids = Ids::default();
        let keys = 3 * CHUNK as u32 + 1;
        for key in 0..keys {
            assert_eq!(ids.insert(key, key + 1), (key, None));
        }
        assert!((0..keys).all(|key| ids.id(&key) == Some(key)));
        assert_eq!(ids.iter().count(), keys as usize);
        assert_eq!(ids.id(&keys), None);
    }

    proptest! {
        #[test]
        fn it_is_a_map(steps in proptest::collection::vec((any::<bool>(), 0u8..40, any::<u16>()), 1..500)) {
            let mut ids = Ids::default();
            let mut map = HashMap::new();
            for (insert, key, value) in steps {
                if insert {
                    prop_assert_eq!(ids.insert(key, value).1, map.insert(key, value));
                } else {
                    prop_assert_eq!(ids.remove(&key).map(|(_, value)| value), map.remove(&key));
                }
                let all: HashMap<u8, u16> = ids.iter().copied().collect();
                prop_assert_eq!(&all, &map);
                prop_assert_eq!((ids.len(), ids.is_empty()), (map.len(), map.is_empty()));
                let numbers: HashSet<u32> = map.keys().filter_map(|key| ids.id(key)).collect();
                prop_assert_eq!(numbers.len(), map.len());
                prop_assert!(numbers.iter().all(|id| *id < 40));
            }
        }
    }
}
