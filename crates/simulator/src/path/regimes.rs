use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, StandardNormal};

use super::{Path, PriceModel, Step, Weather, length::StepLength};
use crate::{
    Law, SimulationError,
    error::at_least,
    perp::check_funding,
    stream::{Source, Streams},
};

/// A kind of weather.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regime {
    /// Standard deviation of a day's move.
    pub sigma_day: f64,
    /// Growth of the mean price per day.
    pub drift_day: f64,
    /// How many days it lasts on average; the time is exponential.
    pub days: f64,
    /// What changes with it.
    pub weather: Weather,
}

/// Regimes that follow each other: volatility, volume, the depth of the pool beside and funding change together. A path starts in one with a chance that is its part of
/// the time, and each other one is as likely to come next.
#[derive(Clone, Debug, PartialEq)]
pub struct Regimes {
    regimes: Vec<Regime>,
}

impl Regimes {
    /// At least two.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`].
    pub fn new(regimes: Vec<Regime>) -> Result<Self, SimulationError> {
        at_least(
            "number of regimes",
            regimes.len() as f64,
            2.0,
            "must be 2 or more",
        )?;
        for regime in &regimes {
            let not_negative = "must be 0 or more";
            at_least("sigma per day", regime.sigma_day, 0.0, not_negative)?;
            at_least(
                "drift per day",
                regime.drift_day,
                f64::MIN,
                "must be a number",
            )?;
            at_least(
                "days of a regime",
                regime.days,
                f64::MIN_POSITIVE,
                "must be greater than 0",
            )?;
            let weather = &regime.weather;
            at_least("volume of a regime", weather.volume, 0.0, not_negative)?;
            at_least(
                "depth of the other pool",
                weather.other_depth,
                0.0,
                not_negative,
            )?;
            if let Some(funding) = weather.funding_hour {
                check_funding(funding)?;
            }
        }
        Ok(Self { regimes })
    }
}

impl PriceModel for Regimes {
    type Path = RegimePath;

    fn path(&self, log_price: f64, streams: Streams, number: u64) -> RegimePath {
        let mut regimes = streams.of(number, Source::Regimes);
        // Each comes equally often, so that its part of the time is its length's.
        let all: f64 = self.regimes.iter().map(|regime| regime.days).sum();
        let mut drawn = regimes.random::<f64>() * all;
        let mut current = 0;
        for (index, regime) in self.regimes.iter().enumerate() {
            current = index;
            drawn -= regime.days;
            if drawn < 0.0 {
                break;
            }
        }
        let mut path = RegimePath {
            log_price,
            model: self.clone(),
            price: streams.of(number, Source::Price),
            regimes,
            current,
            left_days: 0.0,
            length: StepLength::default(),
        };
        path.left_days = path.wait();
        path
    }

    /// The mean price grows at one rate if all regimes have it.
    fn law(&self) -> Law {
        let mut drifts = self.regimes.iter().map(|regime| regime.drift_day);
        let first = drifts.next();
        Law {
            drift_day: first.filter(|first| drifts.all(|drift| drift == *first)),
            sigma_day: None,
            normal_steps: true,
        }
    }
}

/// A path of [`Regimes`].
pub struct RegimePath {
    log_price: f64,
    model: Regimes,
    price: ChaCha8Rng,
    regimes: ChaCha8Rng,
    current: usize,
    left_days: f64,
    length: StepLength,
}

impl RegimePath {
    fn regime(&self) -> Regime {
        self.model.regimes[self.current]
    }

    fn wait(&mut self) -> f64 {
        self.regimes.sample::<f64, _>(Exp1) * self.regime().days
    }
}

impl Path for RegimePath {
    /// A regime ends at the step's start after its time is over.
    fn step(&mut self, days: f64) -> Step {
        while self.left_days <= 0.0 {
            let others = self.model.regimes.len() - 1;
            let next = self.regimes.random_range(0..others);
            self.current = if next < self.current { next } else { next + 1 };
            self.left_days += self.wait();
            self.length = StepLength::default();
        }
        self.left_days -= days;
        let regime = self.regime();
        if !self.length.is(days) {
            self.length = StepLength::of(regime.sigma_day, regime.drift_day, days);
        }
        let normal: f64 = StandardNormal.sample(&mut self.price);
        self.log_price += self.length.drift + self.length.deviation * normal;
        Step {
            log_price: self.log_price,
            variance: self.length.variance,
            jump: 0.0,
            weather: regime.weather,
        }
    }
}
