use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::{Path, PriceModel, Step, Weather, length::StepLength};
use crate::{
    Law, SimulationError,
    error::at_least,
    stream::{Source, Streams},
};

/// Geometric Brownian motion: `dP / P = drift dt + sigma dW`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gbm {
    sigma_day: f64,
    drift_day: f64,
}

impl Gbm {
    /// With a standard deviation and a growth of the mean per day.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`].
    pub fn new(sigma_day: f64, drift_day: f64) -> Result<Self, SimulationError> {
        at_least("sigma per day", sigma_day, 0.0, "must be 0 or more")?;
        at_least("drift per day", drift_day, f64::MIN, "must be a number")?;
        Ok(Self {
            sigma_day,
            drift_day,
        })
    }
}

impl PriceModel for Gbm {
    type Path = GbmPath;

    fn path(&self, log_price: f64, streams: Streams, number: u64) -> GbmPath {
        GbmPath {
            log_price,
            model: *self,
            rng: streams.of(number, Source::Price),
            length: StepLength::default(),
        }
    }

    fn law(&self) -> Law {
        Law {
            drift_day: Some(self.drift_day),
            sigma_day: Some(self.sigma_day),
            normal_steps: true,
        }
    }
}

/// A path of [`Gbm`].
pub struct GbmPath {
    log_price: f64,
    model: Gbm,
    rng: ChaCha8Rng,
    length: StepLength,
}

impl Path for GbmPath {
    fn step(&mut self, days: f64) -> Step {
        if !self.length.is(days) {
            self.length = StepLength::of(self.model.sigma_day, self.model.drift_day, days);
        }
        let normal: f64 = StandardNormal.sample(&mut self.rng);
        self.log_price += self.length.drift + self.length.deviation * normal;
        Step {
            log_price: self.log_price,
            variance: self.length.variance,
            jump: 0.0,
            weather: Weather::USUAL,
        }
    }
}
