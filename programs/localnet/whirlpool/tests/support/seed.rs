//! Seeds and sizes of random runs, from the environment.

use std::env;

use rand::{SeedableRng, rngs::StdRng};

/// Seed of a run: `BALLAST_SEED`, or a fixed one. Printed, so that a failure can be replayed.
pub fn seed() -> u64 {
    let seed = number("BALLAST_SEED", 0x5eed);
    println!("BALLAST_SEED={seed}");
    seed
}

/// How many pools to try: `BALLAST_POOLS`, or the default.
pub fn pools(default: u64) -> u64 {
    number("BALLAST_POOLS", default)
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number"))
    })
}

/// Generator of one pool's life.
pub fn rng(seed: u64, pool: u64) -> StdRng {
    StdRng::seed_from_u64(seed.wrapping_mul(1_000_003).wrapping_add(pool))
}
