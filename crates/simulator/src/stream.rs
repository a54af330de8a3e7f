//! Random numbers: one stream per path and source, addressed and not passed on.
//!
//! The stream of a path is found from the seed, the path's number and the source alone. So no result depends on which thread
//! simulates which path, and two runs with one seed see the same prices whatever the strategies draw (common random numbers).

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What draws random numbers for a path. Each has a stream of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The diffusion of the price.
    Price,
    /// When the price jumps, and how far.
    Jumps,
    /// When a regime ends, and which follows.
    Regimes,
    /// Which recorded blocks are strung together.
    Blocks,
    /// When blocks are made.
    BlockTimes,
    /// What of keepers' transactions does not land.
    Keepers,
    /// Which way takers trade.
    Takers,
    /// How a perp venue's price wanders around the one outside.
    Perp,
    /// When the price feed falls silent, and for how long.
    Feed,
    /// How much of the base reserve is lent out.
    BaseUtilisation,
    /// How much of the quote reserve is lent out.
    QuoteUtilisation,
}

/// Streams per path; sources may be added up to this number without changing what the present ones draw.
const SOURCES: u64 = 16;

/// All the random numbers of a run.
#[derive(Clone, Copy, Debug)]
pub struct Streams {
    seed: u64,
}

impl Streams {
    /// The streams of a seed.
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The numbers that `source` draws for a path, from the first one.
    pub fn of(self, path: u64, source: Source) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(path.wrapping_mul(SOURCES).wrapping_add(source as u64));
        rng
    }
}

#[cfg(test)]
mod tests {
    use rand::RngCore;

    use super::*;

    fn first(seed: u64, path: u64, source: Source) -> [u64; 4] {
        let mut rng = Streams::new(seed).of(path, source);
        std::array::from_fn(|_| rng.next_u64())
    }

    #[test]
    fn a_stream_is_found_again_and_is_no_other() {
        let one = first(1, 7, Source::Price);
        assert_eq!(one, first(1, 7, Source::Price));
        for other in [
            first(2, 7, Source::Price),
            first(1, 8, Source::Price),
            first(1, 7, Source::Jumps),
        ] {
            assert!(one.iter().all(|number| !other.contains(number)));
        }
    }
}
