//! The price outside of the pool: a scenario's path, noise, and what trading against it has moved.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::scenario::MarketShock;
use crate::path::on_line;

const SECS_PER_DAY: f64 = 86_400.0;
/// Time over which moves are looked at to tell how much the market moves.
const MEMORY_SECS: f64 = 300.0;

/// See the module's description. Prices are logarithms of whole quote per whole base.
#[derive(Clone, Debug)]
pub struct Outside {
    shock: MarketShock,
    rng: ChaCha8Rng,
    first: f64,
    secs: f64,
    noise: f64,
    /// What trades have moved and has not come back.
    impact: f64,
    last: f64,
    /// Mean square of the move of a second, the latest counting most.
    square: f64,
    /// Prices of the last steps, with what trades have moved and without it; the newest last.
    past: Vec<(u64, f64, f64)>,
}

impl Outside {
    /// A market at a price.
    pub fn new(shock: &MarketShock, log_price: f64, usual_sigma_day: f64, rng: ChaCha8Rng) -> Self {
        Self {
            shock: shock.clone(),
            rng,
            first: log_price,
            secs: 0.0,
            noise: 0.0,
            impact: 0.0,
            last: log_price,
            square: usual_sigma_day * usual_sigma_day / SECS_PER_DAY,
            past: vec![(0, log_price, log_price)],
        }
    }

    /// Time passes until so many seconds after the start.
    pub fn step(&mut self, secs: u64) {
        let step = (secs as f64 - self.secs).max(0.0);
        self.secs = secs as f64;
        if self.shock.sigma_day > 0.0 {
            let normal: f64 = StandardNormal.sample(&mut self.rng);
            self.noise += self.shock.sigma_day * (step / SECS_PER_DAY).sqrt() * normal;
        }
        self.impact *= if self.shock.recovery_secs > 0.0 {
            (-step / self.shock.recovery_secs).exp2()
        } else {
            0.0
        };
        let now = self.log_price();
        let kept = (-step / MEMORY_SECS).exp();
        let moved = now - self.last;
        self.square = self.square * kept + moved * moved / step.max(1.0) * (1.0 - kept);
        self.last = now;
        self.past.push((secs, now, now - self.impact));
        if self.past.len() > 1_024 {
            self.past.drain(..512);
        }
    }

    /// The price now.
    pub fn log_price(&self) -> f64 {
        let path = on_line(&self.shock.path, self.secs, f64::ln).unwrap_or(0.0);
        self.first + path + self.noise + self.impact
    }

    /// The price as it was so many seconds ago, but for what trades have moved until now: what somebody knows who trades here and
    /// hears of the rest late.
    pub fn log_price_known(&self, secs: u64) -> f64 {
        let then = (self.secs as u64).saturating_sub(secs);
        let known = self.past.iter().rev().find(|point| point.0 <= then);
        let undisturbed = known
            .or(self.past.first())
            .map_or(self.log_price() - self.impact, |point| point.2);
        undisturbed + self.impact
    }

    /// How far a whole quote token moves the price, in its logarithm.
    pub fn impact_per_quote(&self) -> f64 {
        self.shock
            .depth_quote
            .map_or(0.0, |depth| 1.01f64.ln() / depth)
    }

    /// The price so many seconds ago, or the oldest that is known.
    pub fn log_price_before(&self, secs: u64) -> f64 {
        let now = self.secs as u64;
        let then = now.saturating_sub(secs);
        let known = self.past.iter().rev().find(|point| point.0 <= then);
        let oldest = self.past.first();
        known.or(oldest).map_or(self.log_price(), |point| point.1)
    }

    /// So many whole quote tokens are paid for base here (negative: received for it).
    pub fn traded(&mut self, quote: f64) {
        self.impact += self.impact_per_quote() * quote;
    }

    /// Standard deviation of a day's move, as the last minutes say.
    pub fn sigma_day(&self) -> f64 {
        (self.square * SECS_PER_DAY).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn outside(shock: MarketShock) -> Outside {
        Outside::new(&shock, 200f64.ln(), 0.05, ChaCha8Rng::seed_from_u64(1))
    }

    #[test]
    fn a_path_is_followed_and_remembered() {
        let mut market = outside(MarketShock {
            path: vec![[0.0, 1.0], [100.0, 0.5], [200.0, 0.5]],
            ..MarketShock::default()
        });
        let mut at = |secs| {
            market.step(secs);
            (market.log_price().exp(), market.log_price_before(50).exp())
        };
        let near = |(a, b): (f64, f64), (c, d): (f64, f64)| {
            assert!((a - c).abs() < 1e-9 && (b - d).abs() < 1e-9, "{a} {b}");
        };
        let half = 200.0 * 0.5f64.sqrt();
        near(at(50), (half, 200.0));
        near(at(100), (100.0, half));
        near(at(150), (100.0, 100.0));
        near(at(1_000), (100.0, 100.0));
    }

    #[test]
    fn what_is_traded_moves_it_and_half_of_that_comes_back() {
        let mut market = outside(MarketShock {
            depth_quote: Some(1_000.0),
            recovery_secs: 60.0,
            ..MarketShock::default()
        });
        market.traded(-2_000.0);
        let moved = market.log_price() - 200f64.ln();
        assert!((moved + 2.0 * 1.01f64.ln()).abs() < 1e-12);
        market.step(60);
        assert!((market.log_price() - 200f64.ln() - moved / 2.0).abs() < 1e-12);
        let mut deep = outside(MarketShock::default());
        deep.traded(1e12);
        assert!((deep.log_price() - 200f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn how_much_it_moves_is_measured() {
        let mut market = outside(MarketShock {
            sigma_day: 0.2,
            ..MarketShock::default()
        });
        assert!((market.sigma_day() - 0.05).abs() < 1e-12);
        let (mut sum, mut count) = (0.0, 0.0);
        for secs in 1..20_000u64 {
            market.step(secs * 5);
            if secs > 1_000 {
                sum += market.sigma_day().powi(2);
                count += 1.0;
            }
        }
        let measured = f64::sqrt(sum / count);
        assert!((measured / 0.2 - 1.0).abs() < 0.05, "{measured}");
    }
}
