//! A table by dense numbers. It lies in chunks, so that growing never copies what is there and never reserves more than a chunk.

/// Entries of a chunk.
pub(crate) const CHUNK: usize = 1 << 12;

/// See the module's description.
#[derive(Clone, Debug)]
pub(crate) struct Chunks<T>(Vec<Vec<T>>);

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Chunks<T> {
    /// An entry.
    pub fn get(&self, id: u32) -> Option<&T> {
        let (chunk, index) = place(id);
        self.0.get(chunk)?.get(index)
    }

    /// An entry, to be changed.
    pub fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        let (chunk, index) = place(id);
        self.0.get_mut(chunk)?.get_mut(index)
    }

    /// One more entry; returns its number.
    pub fn push(&mut self, entry: T) -> u32 {
        let full = self.0.last().is_none_or(|last| last.len() == CHUNK);
        if full {
            self.0.push(Vec::with_capacity(CHUNK));
        }
        let before = (self.0.len() - 1) * CHUNK;
        let last = &mut self.0[before / CHUNK];
        last.push(entry);
        // 2^32 entries of a key alone would be 128 GiB.
        (before + last.len() - 1) as u32
    }

    /// Puts an entry in its place; those before it that are missing are like `filling`.
    pub fn put(&mut self, id: u32, entry: T, filling: impl Fn() -> T) {
        while self.len() <= id as usize {
            self.push(filling());
        }
        if let Some(place) = self.get_mut(id) {
            *place = entry;
        }
    }

    /// All entries, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(self.0.iter().flatten())
    }

    fn len(&self) -> usize {
        let last = self.0.last().map_or(0, Vec::len);
        self.0.len().saturating_sub(1) * CHUNK + last
    }
}

fn place(id: u32) -> (usize, usize) {
    (id as usize / CHUNK, id as usize % CHUNK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_by_their_numbers_over_chunks() {
        let mut chunks = Chunks::default();
        let count = 2 * CHUNK as u32 + 3;
        for number in 0..count {
            assert_eq!(chunks.push(number), number);
        }
        assert_eq!(chunks.get(count), None);
        assert!((0..count).all(|number| chunks.get(number) == Some(&number)));
        let far = 3 * CHUNK as u32;
        chunks.put(far, 7, || 9);
        assert_eq!((chunks.get(far - 1), chunks.get(far)), (Some(&9), Some(&7)));
        chunks.put(0, 8, || 9);
        assert_eq!(chunks.get(0), Some(&8));
        assert_eq!(chunks.iter().count(), far as usize + 1);
        assert_eq!(chunks.iter().last(), Some((far, &7)));
    }
}
