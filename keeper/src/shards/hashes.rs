//! Blockhashes of the last minute, so that there is one that lives no longer than a lease.

use std::collections::VecDeque;

use ballast_client::Blockhash;
use ballast_lease::Lease;

/// With fewer blocks left than this nothing is signed: it would hardly land.
const LEAST_LIFE: u64 = 12;
/// As many as are read while a blockhash lives, with room.
const MOST: usize = 128;

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Hashes(VecDeque<Blockhash>);

impl Hashes {
    /// Takes one in that a node has just given, and drops what is used up at a height.
    pub fn note(&mut self, new: Blockhash, height: u64) {
        self.0
            .retain(|known| known.last_valid_block_height > height);
        if self.0.iter().any(|known| known.hash == new.hash) {
            return;
        }
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(new);
    }

    /// The one to sign with under a lease at a height.
    pub fn choose(&self, lease: &Lease, height: u64) -> Option<Blockhash> {
        let known = self.0.iter();
        let (chosen, last) =
            lease.choose(known.map(|known| (*known, known.last_valid_block_height)))?;
        (last >= height.saturating_add(LEAST_LIFE)).then_some(chosen)
    }
}

#[cfg(test)]
mod tests {
    use ballast_lease::rules::through_from;

    use super::*;

    fn hash(last_valid_block_height: u64) -> Blockhash {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&last_valid_block_height.to_le_bytes());
        Blockhash {
            hash: hash.into(),
            last_valid_block_height,
        }
    }

    fn lease(height: u64) -> Lease {
        Lease {
            shard: 1,
            epoch: 1,
            through: through_from(height),
            renewed_at: height,
        }
    }

    #[test]
    fn it_becomes_old_enough_and_then_too_old() {
        let mut hashes = Hashes::default();
        hashes.note(hash(1_150), 1_000);
        // At first it outlives every lease.
        assert_eq!(hashes.choose(&lease(1_089), 1_089), None);
        assert_eq!(hashes.choose(&lease(1_090), 1_090), Some(hash(1_150)));
        hashes.note(hash(1_155), 1_005);
        hashes.note(hash(1_155), 1_005);
        assert_eq!(hashes.0.len(), 2);
        assert_eq!(hashes.choose(&lease(1_094), 1_094), Some(hash(1_150)));
        assert_eq!(hashes.choose(&lease(1_095), 1_095), Some(hash(1_155)));
        // A lease that is not renewed any more leaves ever less time.
        assert_eq!(hashes.choose(&lease(1_095), 1_143), Some(hash(1_155)));
        assert_eq!(hashes.choose(&lease(1_095), 1_144), None);
        hashes.note(hash(1_400), 1_155);
        assert_eq!(hashes.0, [hash(1_400)]);
    }

    #[test]
    fn however_many_are_read_few_are_kept() {
        let mut hashes = Hashes::default();
        for height in 0..10_000 {
            hashes.note(hash(100_000 + height), 0);
        }
        assert_eq!(hashes.0.len(), MOST);
    }
}
