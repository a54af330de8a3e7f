//! The distribution of funding rates some hours ahead.
//!
//! The premium reverts to its mean: `E[p(t+h)] = a + b·p(t)`, fitted for each horizon over a window, `0 ≤ b ≤ 1`. The model's errors
//! in the window are added to its expectation, and each sum is pushed through the formula in force. So the bands are as wide as the
//! model was wrong lately, and the point mass at the interest rate comes out by itself.

use super::{
    Settlement,
    formula::{Formula, FormulaWatch, Notice},
};
use std::collections::BTreeMap;

/// Settlements that the model looks back on: two weeks of hours.
const WINDOW: usize = 336;
/// Fewer errors than this make no distribution.
const FEWEST_ERRORS: usize = 30;

/// Settlements so far, and what they say.
#[derive(Debug, Clone, Default)]
pub struct Forecaster {
    watch: FormulaWatch,
    /// Premiums by hour, the window and what horizons need before it.
    premiums: BTreeMap<u64, f64>,
    interval_hours: u32,
}

/// A distribution by equally likely values, sorted.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    values: Vec<f64>,
}

/// One horizon's model and its past errors, by the hour at which each forecast would have been made.
struct Model {
    intercept: f64,
    slope: f64,
    errors: BTreeMap<u64, f64>,
}

impl Forecaster {
    /// Takes the next settlement in time.
    pub fn observe(&mut self, settlement: &Settlement) -> Notice {
        self.premiums.insert(settlement.hour, settlement.premium);
        while self.premiums.len() > 2 * WINDOW {
            self.premiums.pop_first();
        }
        self.interval_hours = settlement.interval_hours;
        self.watch.observe(settlement)
    }

    /// The formula in force.
    #[must_use]
    pub const fn formula(&self) -> Option<Formula> {
        self.watch.formula()
    }

    /// The rate per hour that is settled in `horizon_hours`; none while there are too few settlements.
    #[must_use]
    pub fn rate(&self, horizon_hours: u32) -> Option<Forecast> {
        let formula = self.formula()?;
        let (_, &now) = self.premiums.last_key_value()?;
        let model = self.model(horizon_hours)?;
        let expected = model.intercept + model.slope * now;
        Forecast::new(
            model
                .errors
                .values()
                .map(|error| self.hourly(formula, expected + error))
                .collect(),
        )
    }

    /// What a long pays per unit of notional over the next `hours`: the sum of the hourly rates along the errors' own paths, so that
    /// errors which last are not averaged away.
    #[must_use]
    pub fn total(&self, hours: u32) -> Option<Forecast> {
        let formula = self.formula()?;
        let (_, &now) = self.premiums.last_key_value()?;
        let models: Vec<Model> = (1..=hours)
            .map(|hour| self.model(hour))
            .collect::<Option<_>>()?;
        let starts = models.last()?.errors.keys();
        let totals = starts
            .filter_map(|start| {
                models
                    .iter()
                    .map(|model| {
                        let expected = model.intercept + model.slope * now;
                        model
                            .errors
                            .get(start)
                            .map(|error| self.hourly(formula, expected + error))
                    })
                    .sum::<Option<f64>>()
            })
            .collect();
        Forecast::new(totals)
    }

    fn hourly(&self, formula: Formula, premium: f64) -> f64 {
        formula.rate(premium) / f64::from(self.interval_hours.max(1))
    }

    fn model(&self, horizon_hours: u32) -> Option<Model> {
        let pairs: Vec<(u64, f64, f64)> = self
            .premiums
            .iter()
            .rev()
            .skip(1)
            .take(WINDOW)
            .filter_map(|(&hour, &from)| {
                self.premiums
                    .get(&(hour + u64::from(horizon_hours)))
                    .map(|&to| (hour, from, to))
            })
            .collect();
        if pairs.len() < FEWEST_ERRORS {
            return None;
        }
        let count = pairs.len() as f64;
        let mean_from = pairs.iter().map(|(_, from, _)| from).sum::<f64>() / count;
        let mean_to = pairs.iter().map(|(_, _, to)| to).sum::<f64>() / count;
        let (mut spread, mut joint) = (0.0, 0.0);
        for (_, from, to) in &pairs {
            spread += (from - mean_from).powi(2);
            joint += (from - mean_from) * (to - mean_to);
        }
        let slope = if spread > 0.0 {
            (joint / spread).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let intercept = mean_to - slope * mean_from;
        let errors = pairs
            .into_iter()
            .map(|(hour, from, to)| (hour, to - intercept - slope * from))
            .collect();
        Some(Model {
            intercept,
            slope,
            errors,
        })
    }
}

impl Forecast {
    fn new(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        (values.len() >= FEWEST_ERRORS).then_some(Self { values })
    }

    /// The expectation.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.values.iter().sum::<f64>() / self.values.len() as f64
    }

    /// The value that a share of the distribution does not exceed, linear between values.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        let position = share.clamp(0.0, 1.0) * (self.values.len() - 1) as f64;
        let low = position.floor() as usize;
        let high = (low + 1).min(self.values.len() - 1);
        self.values[low] + (self.values[high] - self.values[low]) * position.fract()
    }

    /// The middle band that holds a share of the distribution.
    #[must_use]
    pub fn band(&self, share: f64) -> (f64, f64) {
        let tail = (1.0 - share) / 2.0;
        (self.quantile(tail), self.quantile(1.0 - tail))
    }

    /// The continuous ranked probability score against what came: `E|X − y| − E|X − X′|/2`; a point's score is its absolute error.
    #[must_use]
    pub fn score(&self, outcome: f64) -> f64 {
        let count = self.values.len() as f64;
        let distance = self
            .values
            .iter()
            .map(|value| (value - outcome).abs())
            .sum::<f64>()
            / count;
        let spread: f64 = self
            .values
            .iter()
            .enumerate()
            .map(|(index, value)| (2.0 * index as f64 - count + 1.0) * value)
            .sum();
        distance - spread / (count * count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_points_score_is_its_error_and_a_spread_ones_is_less_than_its_mean_error() {
        let point = Forecast::new(vec![2.0; FEWEST_ERRORS]).unwrap();
        assert!((point.score(5.0) - 3.0).abs() < 1e-12);
        let spread = Forecast::new((0..=100).map(f64::from).collect()).unwrap();
        assert!((spread.quantile(0.05) - 5.0).abs() < 1e-9);
        let (low, high) = spread.band(0.9);
        assert!((low - 5.0).abs() < 1e-9 && (high - 95.0).abs() < 1e-9);
        assert!(spread.score(50.0) < 25.0 && spread.score(50.0) > 5.0);
        assert!(Forecast::new(vec![1.0; FEWEST_ERRORS - 1]).is_none());
    }

    #[test]
    fn the_point_mass_survives_and_totals_add_up() {
        let mut forecaster = Forecaster::default();
        assert!(forecaster.rate(1).is_none());
        for hour in 0..400_u64 {
            let premium = if hour % 10 == 0 { 0.001 } else { 0.0001 };
            let adjustment = (0.0001_f64 - premium).clamp(-0.0005, 0.0005);
            let rate = (premium + adjustment) / 8.0;
            let notice = forecaster.observe(&Settlement {
                hour,
                interval_hours: 1,
                rate,
                premium,
            });
            assert!(hour == 0 || notice == Notice::Fits, "{hour}: {notice:?}");
        }
        let rate = forecaster.rate(1).unwrap();
        assert_eq!(rate.quantile(0.5), 0.0001 / 8.0);
        assert!(rate.mean() > 0.0001 / 8.0);
        let (one, ten) = (
            forecaster.total(1).unwrap().mean(),
            forecaster.total(10).unwrap().mean(),
        );
        assert!((one - rate.mean()).abs() < 1e-12);
        // One hour in ten is dear, whichever hour it starts from.
        assert!((ten - (0.0001 * 9.0 + 0.0005) / 8.0).abs() < 1e-5, "{ten}");
    }
}
