//! How transactions get through: the more the market moves the later they land, and the more of them do not.

use rand_chacha::ChaCha8Rng;

use super::scenario::KeeperShock;
use crate::Passage;

/// See the module's description.
#[derive(Clone, Debug)]
pub struct Transport {
    shock: KeeperShock,
    passage: Passage,
    rng: ChaCha8Rng,
}

impl Transport {
    /// As a scenario says.
    pub fn new(shock: &KeeperShock, rng: ChaCha8Rng) -> Self {
        Self {
            passage: Passage {
                latency_secs: shock.latency_secs,
                miss: shock.miss,
                worsens: shock.worsens,
                calm_sigma_day: shock.usual_sigma_day,
            },
            shock: shock.clone(),
            rng,
        }
    }

    /// Seconds from a keeper's decision until it lands.
    pub fn latency_secs(&self, sigma_day: f64) -> u64 {
        self.passage.latency_secs(sigma_day)
    }

    /// The same for a liquidator.
    pub fn liquidator_latency_secs(&self, sigma_day: f64) -> u64 {
        self.passage
            .slow(self.shock.liquidator_latency_secs, sigma_day)
    }

    /// Whether keepers act at all.
    pub fn works(&self, secs: u64) -> bool {
        !self.shock.outages.iter().any(|outage| outage.holds(secs))
    }

    /// Whether a transaction lands now.
    pub fn lands(&mut self, sigma_day: f64) -> bool {
        self.passage.lands(sigma_day, &mut self.rng)
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
            [9, 10, 19, 20].map(|secs| transport.works(secs)),
            [true, false, false, true]
        );
        let landed = (0..10_000).filter(|_| transport.lands(0.10)).count();
        assert!((7_800..8_200).contains(&landed), "{landed}");
    }
}
