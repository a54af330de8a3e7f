use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, StandardNormal};

use super::{Gbm, GbmPath, Path, PriceModel, Step};
use crate::{
    Law, SimulationError,
    error::at_least,
    stream::{Source, Streams},
};

/// Geometric Brownian motion that also jumps (Merton, "Option pricing when underlying stock returns are discontinuous", 1976):
/// jumps come at random times, their logarithms are normal. The mean price grows by the diffusion's drift alone: jumps are
/// compensated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Jumps {
    diffusion: Gbm,
    drift_day: f64,
    per_day: f64,
    mean: f64,
    sd: f64,
}

impl Jumps {
    /// `per_day` jumps a day, of this mean and standard deviation in the logarithm of the price.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`].
    pub fn new(
        sigma_day: f64,
        drift_day: f64,
        per_day: f64,
        mean: f64,
        sd: f64,
    ) -> Result<Self, SimulationError> {
        at_least("jumps per day", per_day, 0.0, "must be 0 or more")?;
        at_least("mean of jumps", mean, f64::MIN, "must be a number")?;
        at_least("sd of jumps", sd, 0.0, "must be 0 or more")?;
        let growth = per_day * (mean + sd * sd / 2.0).exp_m1();
        Ok(Self {
            diffusion: Gbm::new(sigma_day, drift_day - growth)?,
            drift_day,
            per_day,
            mean,
            sd,
        })
    }
}

impl PriceModel for Jumps {
    type Path = JumpPath;

    fn path(&self, log_price: f64, streams: Streams, number: u64) -> JumpPath {
        let mut path = JumpPath {
            diffusion: self.diffusion.path(log_price, streams, number),
            model: *self,
            rng: streams.of(number, Source::Jumps),
            next_days: 0.0,
            jumped: 0.0,
        };
        path.next_days = path.wait();
        path
    }

    fn law(&self) -> Law {
        Law {
            drift_day: Some(self.drift_day),
            sigma_day: None,
            normal_steps: false,
        }
    }
}

/// A path of [`Jumps`].
pub struct JumpPath {
    diffusion: GbmPath,
    model: Jumps,
    rng: ChaCha8Rng,
    /// Days from now to the next jump.
    next_days: f64,
    /// All jumps together.
    jumped: f64,
}

impl JumpPath {
    fn wait(&mut self) -> f64 {
        self.rng.sample::<f64, _>(Exp1) / self.model.per_day
    }
}

impl Path for JumpPath {
    fn step(&mut self, days: f64) -> Step {
        let step = self.diffusion.step(days);
        let mut jump = 0.0;
        self.next_days -= days;
        while self.next_days <= 0.0 {
            let normal: f64 = StandardNormal.sample(&mut self.rng);
            jump += self.model.mean + self.model.sd * normal;
            self.next_days += self.wait();
        }
        self.jumped += jump;
        Step {
            log_price: step.log_price + self.jumped,
            jump,
            ..step
        }
    }
}
