//! One seed for all properties.

use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;

/// `cases` cases from one fixed seed, so that every run is the same run. `PROPTEST_RNG_SEED` and `PROPTEST_CASES` choose
/// others; the seed is printed, and shown when a test fails.
pub fn config(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(20_260);
    }
    // The seed replays a failure; a file of old ones is not needed.
    config.failure_persistence = None;
    println!(
        "PROPTEST_RNG_SEED={} PROPTEST_CASES={}",
        config.rng_seed, config.cases
    );
    config
}
