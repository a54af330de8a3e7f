//! How far arbitrageurs move a pool to and fro while the price elsewhere goes from one look to the next.

use ballast_simulator::ReflectedPool;
use rand::Rng;
use rand_distr::StandardNormal;

/// Arbitrageurs look this often, here and in what is simulated beside it; blocks of public clusters are shorter, and bring more fees.
pub const LOOK_SECS: f64 = 10.0;
const SECS_PER_DAY: f64 = 86_400.0;

/// A price elsewhere that goes from one look to the next as a Brownian bridge.
#[derive(Clone, Copy, Debug)]
pub struct Swings {
    /// Logarithm of the price at the start.
    pub from: f64,
    /// Logarithm of the price at the end.
    pub to: f64,
    /// How long it takes.
    pub secs: f64,
    /// Standard deviation of a day's move.
    pub sigma_day: f64,
    /// The pool's fee.
    pub fee: f64,
}

impl Swings {
    /// What a pool whose price has this logarithm travels to and fro, in logarithms, beyond the way from where it stands to where
    /// it ends.
    pub fn travel(&self, pool: f64, random: &mut impl Rng) -> f64 {
        let steps = (self.secs / LOOK_SECS).ceil().max(1.0);
        let step_sd = self.sigma_day * (self.secs / steps / SECS_PER_DAY).sqrt();
        let mut reflected = ReflectedPool::new(pool, self.fee);
        let mut price = self.from;
        let mut travelled = 0.0;
        for left in (1..=steps as u64).rev() {
            let left = left as f64;
            // A bridge: what is left of the way is shared by what is left of the time.
            let drift = (self.to - price) / left;
            let sd = step_sd * ((left - 1.0) / left).sqrt();
            price += drift + sd * random.sample::<f64, _>(StandardNormal);
            let before = reflected.log_price();
            reflected.arbitrage(price, (f64::NEG_INFINITY, f64::INFINITY));
            travelled += (reflected.log_price() - before).abs();
        }
        (travelled - (reflected.log_price() - pool).abs()).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// A reflected Brownian motion in a band of width w travels `sigma^2 t / w`: local time at both ends.
    #[test]
    fn a_pool_travels_as_theory_says() {
        let fee = 0.0004;
        let swings = Swings {
            from: 5.0,
            to: 5.0,
            secs: 86_400.0 * 20.0,
            sigma_day: 0.01,
            fee,
        };
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let travelled = swings.travel(5.0, &mut random);
        let expected = 0.01f64.powi(2) * 20.0 / (2.0 * fee);
        // Looks every ten seconds miss a part of it.
        assert!(
            travelled > 0.75 * expected && travelled < 1.02 * expected,
            "{travelled} of {expected}"
        );
    }

    #[test]
    fn a_price_that_goes_straight_lets_the_pool_go_straight() {
        let swings = Swings {
            from: 5.0,
            to: 5.02,
            secs: 3_600.0,
            sigma_day: 0.0,
            fee: 0.0004,
        };
        let mut random = ChaCha8Rng::seed_from_u64(7);
        assert!(swings.travel(5.0, &mut random) < 1e-9);
    }
}
