//! What base costs, outside and in the pool.

use rand::{Rng, SeedableRng, rngs::StdRng};

pub const STEP_SECS: u64 = 600;
const STEPS: usize = 3 * 86_400 / STEP_SECS as usize;
const SIGMA_DAY: f64 = 0.05;
/// Ages of the prices that may be used for a swap, in seconds; the last is the newest.
pub const AGES_SECS: [i64; 6] = [15, 12, 9, 6, 3, 0];

/// A moment of the market.
pub struct Moment {
    /// What base cost so many seconds ago, in dollars.
    pub prices: [f64; AGES_SECS.len()],
    /// What it costs in the pool.
    pub pool: f64,
}

impl Moment {
    /// What base costs.
    pub fn price(&self) -> f64 {
        self.prices[AGES_SECS.len() - 1]
    }
}

fn normal(rng: &mut StdRng) -> f64 {
    let (u, v): (f64, f64) = (rng.random_range(f64::MIN_POSITIVE..1.0), rng.random());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// Three days: steps of a day's 5 %, and a pool that follows to within its fee.
pub fn path(seed: u64) -> Vec<Moment> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut price = 200.0;
    let moved = |rng: &mut StdRng, price: f64, secs: i64| {
        let sigma = SIGMA_DAY * (secs as f64 / 86_400.0).sqrt();
        price * (sigma * normal(rng) - sigma * sigma / 2.0).exp()
    };
    (0..STEPS)
        .map(|_| {
            let mut before_secs = STEP_SECS.cast_signed();
            let prices = AGES_SECS.map(|age_secs| {
                price = moved(&mut rng, price, before_secs - age_secs);
                before_secs = age_secs;
                price
            });
            let pool = price * (1.0 + 3e-4 * rng.random_range(-1.0..1.0));
            Moment { prices, pool }
        })
        .collect()
}
