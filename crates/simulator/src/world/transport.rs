//! How transactions get through: the more the market moves the later they land, and the more of them do not.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::scenario::KeeperShock;

/// However bad it is, one in twenty lands.
const MOST_MISSED: f64 = 0.95;

/// See the module's description.
#[derive(Clone, Debug)]
pub struct Transport {
    shock: KeeperShock,
    rng: ChaCha8Rng,
}

impl Transport {
    /// As a scenario says.
    pub fn new(shock: &KeeperShock, rng: ChaCha8Rng) -> Self {
        Self {
            shock: shock.clone(),
            rng,
        }
    }

    /// How many times its usual move the market moves beyond that.
    fn storm(&self, sigma_day: f64) -> f64 {
        let usual = self.shock.usual_sigma_day.max(f64::MIN_POSITIVE);
        (sigma_day / usual - 1.0).max(0.0)
    }

    fn slow(&self, secs: f64, sigma_day: f64) -> u64 {
        let grown = secs * (1.0 + self.shock.worsens * self.storm(sigma_day));
        // `as` saturates.
        grown.ceil() as u64
    }

    /// Seconds from a keeper's decision until it lands.
    pub fn latency_secs(&self, sigma_day: f64) -> u64 {
        self.slow(self.shock.latency_secs, sigma_day)
    }

    /// The same for a liquidator.
    pub fn liquidator_latency_secs(&self, sigma_day: f64) -> u64 {
        self.slow(self.shock.liquidator_latency_secs, sigma_day)
    }

    /// Whether keepers act at all.
    pub fn works(&self, secs: u64) -> bool {
        !self.shock.outages.iter().any(|outage| outage.holds(secs))
    }

    /// Chance that a transaction does not land.
    pub fn miss_chance(&self, sigma_day: f64) -> f64 {
        let shock = &self.shock;
        let grown = shock.miss * (1.0 + shock.worsens * self.storm(sigma_day));
        if shock.miss >= 1.0 {
            1.0
        } else {
            grown.min(MOST_MISSED.max(shock.miss))
        }
    }

    /// Whether a transaction lands now.
    pub fn lands(&mut self, sigma_day: f64) -> bool {
        // Drawn in any case, so that what is drawn later does not depend on the chance.
        let drawn: f64 = self.rng.random();
        drawn >= self.miss_chance(sigma_day)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::world::scenario::Span;

    #[test]
    fn a_storm_makes_it_late_and_lossy() {
        let shock = KeeperShock {
            latency_secs: 2.0,
            miss: 0.1,
            worsens: 1.0,
            usual_sigma_day: 0.05,
            outages: vec![Span {
                from_secs: 10,
                to_secs: 20,
            }],
            liquidator_latency_secs: 3.0,
        };
        let mut transport = Transport::new(&shock, ChaCha8Rng::seed_from_u64(3));
        assert_eq!(
            [0.01, 0.05, 0.10, 0.20].map(|sigma| transport.latency_secs(sigma)),
            [2, 2, 4, 8]
        );
        assert_eq!(transport.liquidator_latency_secs(0.10), 6);
        assert_eq!(
            [0.05, 0.10, 5.0].map(|sigma| transport.miss_chance(sigma)),
            [0.1, 0.2, MOST_MISSED]
        );
        assert_eq!(
            [9, 10, 19, 20].map(|secs| transport.works(secs)),
            [true, false, false, true]
        );
        let landed = (0..10_000).filter(|_| transport.lands(0.10)).count();
        assert!((7_800..8_200).contains(&landed), "{landed}");
    }
}
