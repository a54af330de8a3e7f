//! A mean that is known better than its sample's: control variates.
//!
//! What a path ends with has much to do with numbers whose means are known beforehand: the price itself, what the position would
//! be worth if nobody had touched it, and what the market's moves brought, which is a fair game while the price is one (but for what
//! being concave takes from every step). As far as these were lucky the sample's mean is corrected (regression on the controls, Glasserman, "Monte Carlo Methods in Financial
//! Engineering", 2003, 4.1). The correction has a bias of the order of one in the number of paths.

use ballast_model::ModelError;

use crate::{Looks, Outcome, Terms};

/// At most so many controls.
const MOST: usize = 4;
/// A control whose variance beside the others is less than this part of its own says nothing new.
const LEAST_PIVOT: f64 = 1e-10;
/// With fewer paths the correction's error is not known.
const LEAST_PATHS: u64 = 100;
/// Of the integral over a normal distribution: standard deviations to either side, and steps.
const REACH: f64 = 9.0;
const INTERVALS: u32 = 4_000;

/// What is known of a price's distribution without drawing it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Law {
    /// Growth of the mean price per day.
    pub drift_day: Option<f64>,
    /// Standard deviation of a day's move, where the logarithm of the price is normal.
    pub sigma_day: Option<f64>,
    /// Whether the logarithm of each step is normal, with the step's variance.
    pub normal_steps: bool,
}

impl Law {
    /// Whether the price is a fair game of normal steps.
    pub fn is_fair_and_normal(self) -> bool {
        self.normal_steps && self.drift_day == Some(0.0)
    }
}

/// A control: how far a path's number is from its known mean.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Control {
    /// The price at the end, with its mean.
    Price(f64),
    /// What the position as opened is worth there, with its mean.
    Held(f64),
    /// What delta that was not hedged gained, with what the short at a perp venue did: nothing on average.
    HedgeDrift(Of),
    /// What the market's moves brought, less what they bring on average, step by step: nothing on average, whatever anybody does.
    Market(Of),
}

/// Whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// The only one's, or the first one's.
    First,
    /// The one's that is subtracted.
    Second,
}

impl Control {
    fn name(self) -> &'static str {
        match self {
            Self::Price(_) => "price",
            Self::Held(_) => "held",
            Self::HedgeDrift(Of::First) => "hedge_drift",
            Self::HedgeDrift(Of::Second) => "second_hedge_drift",
            Self::Market(Of::First) => "market",
            Self::Market(Of::Second) => "second_market",
        }
    }
}

/// The mean of equity at the end, or of the difference of two, with control variates.
#[derive(Clone, Debug)]
pub struct Controlled<'a> {
    terms: &'a Terms,
    controls: Vec<Control>,
    count: u64,
    /// Means of equity and of the controls.
    means: [f64; MOST + 1],
    /// Sums of products of what is off these means.
    products: [[f64; MOST + 1]; MOST + 1],
}

/// What [`Controlled`] says.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlledMean {
    /// The mean.
    pub mean: f64,
    /// Its standard error.
    pub stderr: f64,
    /// The part of the variance that the controls explain.
    pub explained: f64,
    /// What was used.
    pub controls: Vec<&'static str>,
}

impl<'a> Controlled<'a> {
    /// Of no path. `law` says which controls there are.
    ///
    /// # Errors
    /// [`ModelError`] of amounts that no account holds.
    pub fn new(terms: &'a Terms, looks: Looks, law: Law) -> Result<Self, ModelError> {
        Self::of(terms, looks, law, &[Of::First])
    }

    /// Of no pair of paths: first less second. The terms are the first one's.
    ///
    /// # Errors
    /// As [`Controlled::new`].
    pub fn paired(terms: &'a Terms, looks: Looks, law: Law) -> Result<Self, ModelError> {
        Self::of(terms, looks, law, &[Of::First, Of::Second])
    }

    fn of(terms: &'a Terms, looks: Looks, law: Law, sides: &[Of]) -> Result<Self, ModelError> {
        let mut controls = Vec::new();
        if let Some(drift) = law.drift_day {
            let price = terms.units.log_price(terms.at).exp();
            controls.push(Control::Price(price * (drift * looks.days()).exp()));
            if law.is_fair_and_normal() {
                controls.extend(sides.iter().map(|side| Control::Market(*side)));
            } else if drift == 0.0 {
                controls.extend(sides.iter().map(|side| Control::HedgeDrift(*side)));
            }
            if let Some(sigma) = law.sigma_day {
                controls.push(Control::Held(held_mean(terms, looks, drift, sigma)?));
            }
        }
        Ok(Self {
            terms,
            controls,
            count: 0,
            means: [0.0; MOST + 1],
            products: [[0.0; MOST + 1]; MOST + 1],
        })
    }

    /// One more path.
    ///
    /// # Errors
    /// [`ModelError`] of amounts that no account holds.
    pub fn add(&mut self, outcome: &Outcome) -> Result<(), ModelError> {
        self.note(outcome.equity, outcome, outcome)
    }

    /// One more pair on the same prices.
    ///
    /// # Errors
    /// [`ModelError`] of amounts that no account holds.
    pub fn add_pair(&mut self, first: &Outcome, second: &Outcome) -> Result<(), ModelError> {
        self.note(first.equity - second.equity, first, second)
    }

    fn note(&mut self, equity: i128, first: &Outcome, second: &Outcome) -> Result<(), ModelError> {
        let units = self.terms.units;
        let mut values = [0.0; MOST + 1];
        values[0] = units.quote(equity);
        let outcome = |side| match side {
            Of::First => first,
            Of::Second => second,
        };
        for (control, value) in self.controls.iter().zip(&mut values[1..]) {
            *value = match *control {
                Control::Price(mean) => first.price - mean,
                Control::HedgeDrift(side) => {
                    let lines = &outcome(side).attribution;
                    units.quote(lines.hedge_drift + lines.perp)
                }
                Control::Market(side) => {
                    let lines = &outcome(side).attribution;
                    units.quote(lines.curvature + lines.hedge_drift + lines.perp)
                        - outcome(side).expected_curvature
                }
                Control::Held(mean) => held(self.terms, first.price.ln())? - mean,
            };
        }
        self.count += 1;
        let count = self.count as f64;
        let before = self.means;
        for (mean, value) in self.means.iter_mut().zip(values) {
            *mean += (value - *mean) / count;
        }
        for (row, products) in self.products.iter_mut().enumerate() {
            for (column, product) in products.iter_mut().enumerate() {
                *product += (values[row] - before[row]) * (values[column] - self.means[column]);
            }
        }
        Ok(())
    }

    /// The corrected mean; `None` without controls, or with too few paths.
    pub fn mean(&self) -> Option<ControlledMean> {
        if self.controls.is_empty() || self.count < LEAST_PATHS {
            return None;
        }
        // Gauss elimination of the controls from equity, as far as each says something new.
        let mut left = self.products;
        let mut mean = self.means;
        let mut used = Vec::new();
        for index in 1..=self.controls.len() {
            let pivot = left[index][index];
            if pivot <= LEAST_PIVOT * self.products[index][index] {
                continue;
            }
            used.push(self.controls[index - 1].name());
            let eliminated = left[index];
            for row in (0..=self.controls.len()).filter(|row| *row == 0 || *row > index) {
                let slope = left[row][index] / pivot;
                for (value, with) in left[row].iter_mut().zip(eliminated) {
                    *value -= slope * with;
                }
                mean[row] -= slope * mean[index];
            }
        }
        let all = self.products[0][0];
        let rest = left[0][0].max(0.0);
        let free = (self.count - 1).saturating_sub(used.len() as u64).max(1);
        Some(ControlledMean {
            mean: mean[0],
            stderr: (rest / free as f64 / self.count as f64).sqrt(),
            explained: if all > 0.0 { 1.0 - rest / all } else { 0.0 },
            controls: used,
        })
    }
}

/// What the position as opened is worth at a price, in whole quote tokens.
fn held(terms: &Terms, log_price: f64) -> Result<f64, ModelError> {
    let at = terms.units.sqrt_price(log_price);
    Ok(terms.units.quote(terms.opened.equity_down(at)?))
}

/// Its mean where the logarithm of the price is normal, by Simpson's rule.
fn held_mean(
    terms: &Terms,
    looks: Looks,
    drift_day: f64,
    sigma_day: f64,
) -> Result<f64, ModelError> {
    let spread = sigma_day * looks.days().sqrt();
    let middle = terms.units.log_price(terms.at) + drift_day * looks.days() - spread * spread / 2.0;
    if spread == 0.0 {
        return held(terms, middle);
    }
    let step = 2.0 * REACH / f64::from(INTERVALS);
    let (mut sum, mut weights) = (0.0, 0.0);
    for index in 0..=INTERVALS {
        let normal = -REACH + f64::from(index) * step;
        let simpson = match index {
            0 | INTERVALS => 1.0,
            _ if index % 2 == 1 => 4.0,
            _ => 2.0,
        };
        let weight = simpson * (-normal * normal / 2.0).exp();
        sum += weight * held(terms, middle + spread * normal)?;
        weights += weight;
    }
    Ok(sum / weights)
}
