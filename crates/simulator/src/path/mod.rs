//! Where prices go.

mod bars;
mod gbm;
mod jumps;
mod length;
mod regimes;

pub use bars::{Bar, BarModel, BarPath, Bars};
pub use gbm::{Gbm, GbmPath};
pub use jumps::{JumpPath, Jumps};
pub use regimes::{Regime, RegimePath, Regimes};

use crate::{Law, Streams};

/// What happens to the price in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Logarithm of the price at the step's end.
    pub log_price: f64,
    /// Variance of the diffusion within the step: what arbitrage lives on.
    pub variance: f64,
    /// What of the move was a jump: it is in `log_price` already.
    pub jump: f64,
    /// Takers' volume over its usual size.
    pub volume: f64,
}

/// A price on its way.
pub trait Path {
    /// The next step, `days` long.
    fn step(&mut self, days: f64) -> Step;
}

impl<P: Path + ?Sized> Path for Box<P> {
    fn step(&mut self, days: f64) -> Step {
        (**self).step(days)
    }
}

/// A way of drawing paths. The path of a number is always the same.
pub trait PriceModel: Sync {
    /// What it draws.
    type Path: Path;

    /// Path `number`, from a price whose logarithm is `log_price`.
    fn path(&self, log_price: f64, streams: Streams, number: u64) -> Self::Path;

    /// What is known of the prices without drawing them; of most models nothing.
    fn law(&self) -> Law {
        Law::default()
    }
}
