//! What wanders and comes back to its mean: an Ornstein-Uhlenbeck process.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::{SimulationError, error::at_least};

const HOUR_SECS: f64 = 3_600.0;

/// A number that wanders and comes back to its mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reversion {
    /// What it comes back to.
    pub mean: f64,
    /// Its standard deviation around that in the long run.
    pub sd: f64,
    /// Time in which half of the way back is done on average.
    pub half_life_hours: f64,
}

impl Reversion {
    /// Refuses what makes no sense for a part of a whole.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`], with these names.
    pub(crate) fn check_part(&self, names: [&'static str; 3]) -> Result<(), SimulationError> {
        let [mean, sd, half_life] = names;
        let part = "must be from 0 to 1";
        for (name, value) in [(mean, self.mean), (sd, self.sd)] {
            at_least(name, value, 0.0, part)?;
            if value > 1.0 {
                return Err(SimulationError::Parameter {
                    name,
                    value,
                    problem: part,
                });
            }
        }
        let positive = "must be greater than 0";
        at_least(half_life, self.half_life_hours, f64::MIN_POSITIVE, positive)
    }
}

/// Where it is after so many seconds: what is off comes back by a half each half-life, and what the deviation has lost by that is drawn
/// anew.
pub(crate) fn reverted(walk: &Reversion, now: f64, secs: u64, rng: &mut ChaCha8Rng) -> f64 {
    let left = (-(secs as f64) / HOUR_SECS / walk.half_life_hours).exp2();
    let normal: f64 = StandardNormal.sample(rng);
    let drawn = walk.sd * (1.0 - left * left).sqrt() * normal;
    walk.mean + (now - walk.mean) * left + drawn
}
