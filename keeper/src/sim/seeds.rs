//! Seeds of random tests: others in every run, printed, and taken back.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    io::Write,
};

/// A number below `bound`, by splitmix64.
pub fn draw(random: &mut u64, bound: u64) -> u64 {
    *random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *random;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % bound
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// What a test draws from.
#[derive(Clone, Copy, Debug)]
pub struct Seeds {
    /// The first.
    pub first: u64,
    /// How many.
    pub count: u64,
}

impl Seeds {
    /// `BALLAST_SEED`, or else a new one; as many as a variable says, or else `usual`. Printed.
    pub fn of(test: &str, variable: &str, usual: u64) -> Self {
        let fresh = || RandomState::new().build_hasher().finish();
        let seeds = Self {
            // Short enough to be typed, with room for those that follow it.
            first: number("BALLAST_SEED").unwrap_or_else(|| fresh() >> 16),
            count: number(variable).unwrap_or(usual),
        };
        let Self { first, count } = seeds;
        // Not by a macro: what passes is then printed as well.
        let _ = writeln!(
            std::io::stderr(),
            "{test}: BALLAST_SEED={first} {variable}={count}"
        );
        seeds
    }

    /// All of them.
    pub fn all(self) -> impl Iterator<Item = u64> {
        (0..self.count).map(move |index| self.first.wrapping_add(index))
    }
}
