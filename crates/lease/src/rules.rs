//! The rules, as functions of values.

/// Blocks for which a lease is taken, and for which a transaction signed under it may land.
pub const TERM: u64 = 60;

/// A lease on a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Which shard.
    pub shard: u32,
    /// One more with every holder.
    pub epoch: u64,
    /// Block height through which it holds.
    pub through: u64,
    /// Block height at which it was taken or renewed, as its holder saw it.
    pub renewed_at: u64,
}

/// The height that counts when a lease is taken, of what two nodes say: the lower one. A node that is ahead of the chain, or lies,
/// lets nobody take a lease too early.
pub fn height_to_take(confirmed: [u64; 2]) -> u64 {
    confirmed[0].min(confirmed[1])
}

/// Height through which a lease holds that is taken or renewed at this one.
pub fn through_from(height: u64) -> u64 {
    height.saturating_add(TERM)
}

/// Whether a lease that holds through a height may be taken by somebody else at this one.
pub fn may_take(through: u64, height: u64) -> bool {
    height > through
}

impl Lease {
    /// Whether the holder may still sign: it was renewed within a third of its term.
    pub fn may_sign_at(&self, height: u64) -> bool {
        height <= self.renewed_at.saturating_add(TERM / 3)
    }

    /// The blockhash to sign with, of those known with their last valid heights: the one that lives longest and not longer than the
    /// lease. Fresh ones live 150 blocks, so that it is an aged one.
    pub fn choose<T: Copy>(&self, known: impl IntoIterator<Item = (T, u64)>) -> Option<(T, u64)> {
        let fit = known.into_iter().filter(|(_, last)| *last <= self.through);
        fit.max_by_key(|(_, last)| *last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_height_counts_and_the_last_block_is_still_the_holders() {
        assert_eq!(height_to_take([500, 440]), 440);
        assert!(!may_take(440, 440));
        assert!(may_take(440, 441));
    }

    #[test]
    fn a_holder_that_does_not_renew_stops_long_before_its_lease_ends() {
        let lease = Lease {
            shard: 1,
            epoch: 1,
            through: through_from(100),
            renewed_at: 100,
        };
        assert_eq!(lease.through, 160);
        assert!(lease.may_sign_at(120) && !lease.may_sign_at(121));
    }

    #[test]
    fn no_blockhash_outlives_the_lease() {
        let lease = Lease {
            shard: 1,
            epoch: 1,
            through: 160,
            renewed_at: 100,
        };
        let known = [("fresh", 250), ("aged", 158), ("edge", 160), ("old", 110)];
        assert_eq!(lease.choose(known), Some(("edge", 160)));
        assert_eq!(lease.choose([("fresh", 161)]), None);
    }
}
