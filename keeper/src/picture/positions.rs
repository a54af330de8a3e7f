//! Positions in buckets, so that a new picture copies only the buckets in which something changed.

use std::sync::Arc;

use solana_sdk::pubkey::Pubkey;

use super::PositionPicture;

/// Buckets, by the first byte of an address.
const BUCKETS: usize = 256;

type Bucket = Vec<Arc<PositionPicture>>;

/// See the module's description.
#[derive(Clone, Debug)]
pub struct PositionPictures {
    /// Each in the order of addresses.
    buckets: Vec<Arc<Bucket>>,
    len: usize,
}

impl Default for PositionPictures {
    fn default() -> Self {
        Self {
            buckets: vec![Arc::default(); BUCKETS],
            len: 0,
        }
    }
}

impl PositionPictures {
    /// A position.
    pub fn get(&self, address: &Pubkey) -> Option<&Arc<PositionPicture>> {
        let bucket = self.buckets.get(place(address))?;
        let index = find(bucket, address).ok()?;
        bucket.get(index)
    }

    /// All of them, in the order of addresses.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<PositionPicture>> {
        self.buckets.iter().flat_map(|bucket| bucket.iter())
    }

    /// The first whose address comes after this one; of all for `None`.
    pub fn after(&self, address: Option<&Pubkey>) -> Option<&Arc<PositionPicture>> {
        let Some(address) = address else {
            return self.iter().next();
        };
        let buckets = self.buckets.get(place(address)..)?;
        let behind = |one: &&Arc<PositionPicture>| one.address > *address;
        buckets.iter().find_map(|bucket| {
            let index = match find(bucket, address) {
                Ok(index) => index + 1,
                Err(index) => index,
            };
            bucket.get(index).filter(behind)
        })
    }

    /// Number of positions.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts one in, in place of what was there.
    pub(crate) fn insert(&mut self, position: PositionPicture) {
        let Some(bucket) = self.buckets.get_mut(place(&position.address)) else {
            return;
        };
        let bucket = Arc::make_mut(bucket);
        let found = find(bucket, &position.address);
        let position = Arc::new(position);
        match found {
            Ok(index) => {
                if let Some(known) = bucket.get_mut(index) {
                    *known = position;
                }
            }
            Err(index) => {
                bucket.insert(index, position);
                self.len += 1;
            }
        }
    }

    /// Takes one out.
    pub(super) fn remove(&mut self, address: &Pubkey) {
        let Some(bucket) = self.buckets.get_mut(place(address)) else {
            return;
        };
        if let Ok(index) = find(bucket, address) {
            Arc::make_mut(bucket).remove(index);
            self.len -= 1;
        }
    }
}

fn place(address: &Pubkey) -> usize {
    usize::from(address.to_bytes()[0])
}

fn find(bucket: &Bucket, address: &Pubkey) -> Result<usize, usize> {
    bucket.binary_search_by_key(address, |position| position.address)
}

#[cfg(test)]
mod tests {
    use ballast_strategy::{fixtures, situation::Outlook};

    use super::*;
    use crate::picture::Found;

    fn position(bytes: [u8; 2], slot: u64) -> PositionPicture {
        let mut address = [0; 32];
        [address[0], address[31]] = bytes;
        PositionPicture {
            address: Pubkey::new_from_array(address),
            slot,
            position: Arc::new(fixtures::position()),
            outlook: Outlook::default(),
            found: Found::Nothing,
            in_flight: 0,
            stale: false,
        }
    }

    #[test]
    fn a_picture_keeps_what_it_showed_whatever_changes_later() {
        let mut pictures = PositionPictures::default();
        for bytes in [[3, 1], [3, 0], [1, 9], [255, 0]] {
            pictures.insert(position(bytes, 1));
        }
        let before = pictures.clone();
        pictures.insert(position([3, 1], 2));
        pictures.remove(&position([1, 9], 0).address);
        pictures.remove(&position([1, 9], 0).address);
        let slots = |pictures: &PositionPictures| {
            let all = pictures.iter();
            all.map(|one| (one.address.to_bytes()[0], one.slot))
                .collect::<Vec<_>>()
        };
        assert_eq!(slots(&before), [(1, 1), (3, 1), (3, 1), (255, 1)]);
        assert_eq!(slots(&pictures), [(3, 1), (3, 2), (255, 1)]);
        assert_eq!((before.len(), pictures.len()), (4, 3));
        assert!(pictures.get(&position([1, 9], 0).address).is_none());
        assert_eq!(pictures.get(&position([3, 1], 0).address).unwrap().slot, 2);
        let after = |address: Option<&Pubkey>| pictures.after(address).map(|one| one.address);
        let mut met = vec![];
        let mut last = None;
        while let Some(next) = after(last.as_ref()) {
            met.push(next);
            last = Some(next);
        }
        assert!(met.iter().eq(pictures.iter().map(|one| &one.address)));
        assert_eq!(after(Some(&position([2, 0], 0).address)), Some(met[0]));
        // What did not change is shared.
        let untouched = position([255, 0], 0).address;
        let same = |pictures: &PositionPictures| Arc::as_ptr(pictures.get(&untouched).unwrap());
        assert_eq!(same(&before), same(&pictures));
    }
}
