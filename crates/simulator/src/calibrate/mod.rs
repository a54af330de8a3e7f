//! Models from recorded trading: parameters that make what was recorded most likely, each with its error.
//!
//! Errors of likelihoods are from their curvature at the maximum; errors of means from leaving out one of twenty successive parts
//! of the record after the other (jackknife), so that they know that one hour is like the one before.

mod diffusion;
mod flow;
mod jumps;
mod likelihood;
mod record;
mod regimes;

pub use crate::backtest::Quoted;
pub use diffusion::{DiffusionFit, fit_diffusion};
pub use flow::{Flow, measure_flow};
pub use jumps::{JumpFit, fit_jumps};
pub use record::{Moves, NotCalibrated};
pub use regimes::{RegimeFit, RegimesFit, fit_regimes};

/// A parameter and its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The most likely value.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
}

/// By how much the logarithm of a likelihood must be higher for three or more parameters to be worth it: a thousandth of the samples
/// without them reach half of 16.3 by luck.
const WORTH_IT: f64 = 8.15;

/// The logarithm of a normal density with mean 0, and of a factor that all densities share left out.
fn log_normal(off: f64, variance: f64) -> f64 {
    -0.5 * (off * off / variance + variance.ln())
}

/// How often a mean is taken with a part of the record left out.
const PARTS: usize = 20;

/// What `of` says of a record of so many moments, with the error from leaving out successive parts. `of` is told which moments to
/// leave out.
fn jackknife(count: usize, of: impl Fn(&dyn Fn(usize) -> bool) -> f64) -> Estimate {
    let value = of(&|_| false);
    let parts = PARTS.min(count.max(2));
    let left: Vec<f64> = (0..parts)
        .map(|part| of(&|index| index * parts / count.max(1) == part))
        .collect();
    let mean = left.iter().sum::<f64>() / parts as f64;
    let squares: f64 = left.iter().map(|left| (left - mean) * (left - mean)).sum();
    Estimate {
        value,
        error: (squares * (parts - 1) as f64 / parts as f64).sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a mean of independent numbers the jackknife says what everybody says.
    #[test]
    fn the_jackknife_of_a_mean() {
        let numbers: Vec<f64> = (0..2_000)
            .map(|index| f64::from(index * 37 % 101) - 50.0)
            .collect();
        let estimate = jackknife(numbers.len(), |is_out| {
            let kept = (0..numbers.len()).filter(|index| !is_out(*index));
            let (sum, count) = kept.fold((0.0, 0.0), |(sum, count), index| {
                (sum + numbers[index], count + 1.0)
            });
            sum / count
        });
        let mean = numbers.iter().sum::<f64>() / 2_000.0;
        assert!((estimate.value - mean).abs() < 1e-9);
        // These numbers go round in a circle of 101: parts of 100 differ by little.
        assert!(estimate.error > 0.0 && estimate.error < 29.2 / 2_000f64.sqrt());
    }
}
