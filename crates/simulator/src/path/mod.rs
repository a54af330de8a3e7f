//! Where prices go.

mod gbm;

pub use gbm::{Gbm, GbmPath};

use crate::Streams;

/// What happens to the price in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// Logarithm of the price at the step's end.
    pub log_price: f64,
    /// Variance of the diffusion within the step: what arbitrage lives on.
    pub variance: f64,
}

/// A price on its way.
pub trait Path {
    /// The next step, `days` long.
    fn step(&mut self, days: f64) -> Step;
}

/// A way of drawing paths. The path of a number is always the same.
pub trait PriceModel: Sync {
    /// What it draws.
    type Path: Path;

    /// Path `number`, from a price whose logarithm is `log_price`.
    fn path(&self, log_price: f64, streams: Streams, number: u64) -> Self::Path;
}
