//! What a perp venue does: its rates, and what happens there.

use super::{
    basis::BasisWalk,
    deleveraging::{Deleveraging, check_part},
};
use crate::{SimulationError, error::at_least, path::on_line};

/// Beyond this nobody has ever paid, as a part of notional an hour.
const MOST_FUNDING_HOUR: f64 = 0.1;
const HOUR_SECS: f64 = 3_600.0;

/// Refuses a rate an hour that cannot be.
pub(crate) fn check_funding(rate: f64) -> Result<(), SimulationError> {
    let problem = "must be from -0.1 to 0.1 an hour";
    at_least("funding", rate, -MOST_FUNDING_HOUR, problem)?;
    if rate > MOST_FUNDING_HOUR {
        return Err(SimulationError::Parameter {
            name: "funding",
            value: rate,
            problem,
        });
    }
    Ok(())
}

/// A part of something, from 0 to 1, from a time on.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "keeper", derive(serde::Deserialize))]
#[cfg_attr(feature = "keeper", serde(deny_unknown_fields))]
pub struct PartAt {
    /// Seconds after the start.
    pub at_secs: u64,
    /// The part.
    pub part: f64,
}

/// What a perp venue does.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "keeper", derive(serde::Deserialize))]
#[cfg_attr(feature = "keeper", serde(deny_unknown_fields, default))]
pub struct PerpShock {
    /// Part of notional that longs pay shorts each hour when nothing happens; negative: shorts pay.
    pub funding_hour: f64,
    /// When funding changes.
    pub flip_at_secs: Option<u64>,
    /// What it is in the hours after that; then the last one decays towards the usual rate.
    pub flip_hours: Vec<f64>,
    /// Time in which half of the difference to the usual rate is gone.
    pub half_life_hours: f64,
    /// Its price over the one outside, less one: points of seconds and basis.
    pub basis: Vec<[f64; 2]>,
    /// From an order to its fill.
    pub fill_latency_secs: u64,
    /// Fee of a fill, as a part of its value.
    pub fee: f64,
    /// Parts of the short that are closed because others have nothing left to pay with.
    pub auto_deleveraging: Vec<PartAt>,
    /// The same whenever the price has moved far enough.
    pub deleverages: Option<Deleveraging>,
    /// How its price wanders around the one outside, beside `basis`.
    pub basis_walk: Option<BasisWalk>,
}

impl Default for PerpShock {
    fn default() -> Self {
        Self {
            funding_hour: 0.000_012_5,
            flip_at_secs: None,
            flip_hours: Vec::new(),
            half_life_hours: 20.0,
            basis: Vec::new(),
            fill_latency_secs: 2,
            fee: 0.000_45,
            auto_deleveraging: Vec::new(),
            deleverages: None,
            basis_walk: None,
        }
    }
}

impl PerpShock {
    /// Refuses a basis and auto-deleveraging that make no sense.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`].
    pub(crate) fn check(&self) -> Result<(), SimulationError> {
        if let Some(walk) = &self.basis_walk {
            walk.check()?;
        }
        if let Some(rule) = &self.deleverages {
            rule.check()?;
        }
        (self.auto_deleveraging.iter()).try_for_each(|event| check_part(event.part))
    }

    /// What longs pay shorts an hour, as a part of notional.
    pub fn funding_at(&self, secs: u64) -> f64 {
        let Some(since) = self.flip_at_secs.and_then(|at| secs.checked_sub(at)) else {
            return self.funding_hour;
        };
        let hours = since as f64 / HOUR_SECS;
        if let Some(rate) = self.flip_hours.get(hours as usize) {
            return *rate;
        }
        let Some(last) = self.flip_hours.last() else {
            return self.funding_hour;
        };
        let after = hours - self.flip_hours.len() as f64;
        let left = if self.half_life_hours > 0.0 {
            (-after / self.half_life_hours).exp2()
        } else {
            0.0
        };
        self.funding_hour + (last - self.funding_hour) * left
    }

    pub(super) fn basis_at(&self, secs: u64) -> f64 {
        on_line(&self.basis, secs as f64, |basis| basis).unwrap_or(0.0)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::perp) fn flip() -> PerpShock {
        PerpShock {
            flip_at_secs: Some(3_600),
            flip_hours: vec![-0.002_05, -0.001_3, -0.000_7, -0.000_2],
            ..PerpShock::default()
        }
    }

    /// SOL on 10 October 2025: +0.00125 % an hour, then -0.205, -0.13, -0.07, -0.02, and half of the way back every 20 hours.
    #[test]
    fn funding_flips_and_comes_back() {
        let rates = flip();
        let at = |hour: u64| rates.funding_at(hour * 3_600 + 1_800);
        assert_eq!(at(0), 0.000_012_5);
        assert_eq!(
            [1, 2, 3, 4].map(at),
            [-0.002_05, -0.001_3, -0.000_7, -0.000_2]
        );
        let later = |hours: u64| rates.funding_at((5 + hours) * 3_600) - 0.000_012_5;
        assert!((later(20) / later(0) - 0.5).abs() < 1e-12);
        assert!((later(40) / later(0) - 0.25).abs() < 1e-12);
    }

    #[test]
    fn rates_that_nobody_pays_are_refused() {
        for rate in [0.0, -0.1, 0.1] {
            assert!(check_funding(rate).is_ok());
        }
        for rate in [-0.101, 0.101, f64::NAN] {
            let said = format!("funding {rate} must be from -0.1 to 0.1 an hour");
            assert_eq!(check_funding(rate).unwrap_err().to_string(), said);
        }
    }
}
