//! Rendezvous hashing: every member computes the same, and a member that comes or goes moves only its own share.

/// Number of shards. Fixed: it is in every member's hashes.
pub const SHARDS: u32 = 256;

/// The shard of a position.
pub fn of_position(address: &[u8; 32]) -> u32 {
    // The remainder is below it.
    (mix(address, 0) % u64::from(SHARDS)) as u32
}

/// Who of the members is first in line for a shard; `None`: there are none.
pub fn preferred<'a>(shard: u32, members: &[&'a str]) -> Option<&'a str> {
    let members = members.iter().copied();
    // The name decides between equal weights.
    members.max_by_key(|member| (mix(member.as_bytes(), u64::from(shard) + 1), *member))
}

/// FNV-1a and a finisher, which spreads short inputs.
fn mix(bytes: &[u8], seed: u64) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_has_its_share_and_only_that_moves() {
        let four = ["a", "b", "c", "d"];
        let all = |members: &[&'static str]| {
            (0..SHARDS)
                .map(|shard| preferred(shard, members).unwrap())
                .collect::<Vec<_>>()
        };
        let before = all(&four);
        for member in four {
            let share = before.iter().filter(|owner| **owner == member).count();
            assert!((40..=90).contains(&share), "{member}: {share}");
        }
        let after = all(&four[..3]);
        for (before, after) in before.iter().zip(&after) {
            assert!(before == after || *before == "d");
        }
        // The order in which they are named is nothing.
        assert_eq!(all(&["d", "b", "a", "c"]), before);
        assert_eq!(preferred(1, &[]), None);
    }

    #[test]
    fn positions_are_spread() {
        let mut counts = vec![0u32; SHARDS as usize];
        for index in 0..25_600u64 {
            let mut address = [0; 32];
            address[..8].copy_from_slice(&index.to_le_bytes());
            counts[of_position(&address) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (50..170).contains(count)));
    }
}
