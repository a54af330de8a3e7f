//! How far a venue's price is from the one outside.

use rand_chacha::ChaCha8Rng;

use crate::{
    SimulationError,
    error::at_least,
    reversion::{Reversion, reverted},
};

/// Beyond this no venue's price has stayed away from the one outside.
const MOST_BASIS: f64 = 0.5;
/// However far it wanders, the price stays above nothing.
const LEAST: f64 = -0.9;

/// A basis (the venue's price over the one outside, less one) that wanders and comes back to its mean: an Ornstein-Uhlenbeck process.
/// It begins at its mean.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "keeper", derive(serde::Deserialize))]
#[cfg_attr(feature = "keeper", serde(deny_unknown_fields))]
pub struct BasisWalk {
    /// What it comes back to.
    pub mean: f64,
    /// Its standard deviation around that in the long run.
    pub sd: f64,
    /// Time in which half of the way back is done on average.
    pub half_life_hours: f64,
}

impl BasisWalk {
    /// # Errors
    /// [`SimulationError::Parameter`].
    pub(super) fn check(&self) -> Result<(), SimulationError> {
        let within = |name, value: f64, least, problem| {
            at_least(name, value, least, problem)?;
            if value <= MOST_BASIS {
                return Ok(());
            }
            Err(SimulationError::Parameter {
                name,
                value,
                problem,
            })
        };
        let mean = "mean of the basis";
        within(mean, self.mean, -MOST_BASIS, "must be from -0.5 to 0.5")?;
        let sd = "deviation of the basis";
        within(sd, self.sd, 0.0, "must be from 0 to 0.5")?;
        at_least(
            "half-life of the basis",
            self.half_life_hours,
            f64::MIN_POSITIVE,
            "must be greater than 0",
        )
    }
}

/// A basis on its way.
#[derive(Clone, Debug)]
pub(super) struct Basis {
    walk: Option<BasisWalk>,
    /// Where it draws from, if it wanders.
    rng: Option<Box<ChaCha8Rng>>,
    /// As it is now.
    now: f64,
}

impl Basis {
    pub fn new(walk: Option<BasisWalk>) -> Self {
        Self {
            walk,
            rng: None,
            now: walk.map_or(0.0, |walk| walk.mean),
        }
    }

    /// From now on it wanders, if it is one that does.
    pub fn draw_from(&mut self, rng: ChaCha8Rng) {
        self.rng = Some(Box::new(rng));
    }

    pub fn now(&self) -> f64 {
        self.now
    }

    /// So many seconds pass: what is off comes back by a half each half-life, and what the deviation has lost by that is drawn anew.
    pub fn pass(&mut self, secs: u64) {
        let (Some(walk), Some(rng)) = (&self.walk, &mut self.rng) else {
            return;
        };
        let reversion = Reversion {
            mean: walk.mean,
            sd: walk.sd,
            half_life_hours: walk.half_life_hours,
        };
        self.now = reverted(&reversion, self.now, secs, rng).max(LEAST);
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const WALK: BasisWalk = BasisWalk {
        mean: 0.002,
        sd: 0.001,
        half_life_hours: 4.0,
    };

    /// Mean, variance, and how much of what is off is left after the half-life, from 100,000 looks an hour apart; the same where looks
    /// are closer.
    #[test]
    fn it_wanders_as_it_says() {
        for (secs, half_life) in [(3_600, 4), (900, 16)] {
            let mut basis = Basis::new(Some(WALK));
            assert_eq!(basis.now(), 0.002);
            basis.draw_from(ChaCha8Rng::seed_from_u64(5));
            let all: Vec<f64> = (0..100_000)
                .map(|_| {
                    basis.pass(secs);
                    basis.now() - WALK.mean
                })
                .collect();
            let mean_of = |values: &mut dyn Iterator<Item = f64>| {
                let (sum, count) =
                    values.fold((0.0, 0.0), |(sum, count), x| (sum + x, count + 1.0));
                sum / count
            };
            let mean = mean_of(&mut all.iter().copied());
            let square = mean_of(&mut all.iter().map(|off| off * off));
            let later = mean_of(
                &mut all
                    .windows(half_life + 1)
                    .map(|two| two[0] * two[half_life]),
            );
            assert!(mean.abs() < 1e-4, "{mean}");
            assert!((square.sqrt() / WALK.sd - 1.0).abs() < 0.05, "{square}");
            assert!((later / square - 0.5).abs() < 0.05, "{later} {square}");
        }
    }

    #[test]
    fn without_deviation_it_stays() {
        for walk in [None, Some(BasisWalk { sd: 0.0, ..WALK })] {
            let mut basis = Basis::new(walk);
            basis.draw_from(ChaCha8Rng::seed_from_u64(5));
            basis.pass(1_000);
            assert_eq!(basis.now(), walk.map_or(0.0, |walk| walk.mean));
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(WALK.check().is_ok());
        for (walk, said) in [
            (
                BasisWalk { mean: -0.6, ..WALK },
                "mean of the basis -0.6 must be from -0.5 to 0.5",
            ),
            (
                BasisWalk { sd: -0.1, ..WALK },
                "deviation of the basis -0.1 must be from 0 to 0.5",
            ),
            (
                BasisWalk { sd: 0.6, ..WALK },
                "deviation of the basis 0.6 must be from 0 to 0.5",
            ),
            (
                BasisWalk {
                    half_life_hours: 0.0,
                    ..WALK
                },
                "half-life of the basis 0 must be greater than 0",
            ),
        ] {
            assert_eq!(walk.check().unwrap_err().to_string(), said);
        }
    }
}
