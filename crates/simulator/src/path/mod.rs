//! Where prices go.

mod bars;
mod gbm;
mod jumps;
mod length;
mod regimes;

pub use bars::{Bar, BarFlow, BarModel, BarPath, Bars};
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
    /// What else the time is like.
    pub weather: Weather,
}

/// What a time is like beside the price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weather {
    /// Takers' volume over its usual size.
    pub volume: f64,
    /// The liquidity of the pool that takers also trade in, over its usual one: how flow is routed.
    pub other_depth: f64,
    /// What longs pay shorts an hour at a perp venue, as a part of notional; `None`: what is usual there.
    pub funding_hour: Option<f64>,
    /// What was paid to the pool's liquidity meanwhile, where a record says so; `None`: fees follow from the terms.
    pub paid: Option<Paid>,
}

/// What a record says was paid to a pool's liquidity during some time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paid {
    /// Fees of a unit of liquidity in range, base and quote, over what it is at that price: base times the root of the price, quote over
    /// it. So they hold at any price that the record is moved to.
    pub parts: [f64; 2],
    /// The liquidity that shared them, times the root of the price: raw quote.
    pub depth: f64,
}

impl Weather {
    /// As always.
    pub const USUAL: Self = Self {
        volume: 1.0,
        other_depth: 1.0,
        funding_hour: None,
        paid: None,
    };
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

/// Between points of a line, its value at a place; outside of them, that of the nearest.
pub(crate) fn on_line(points: &[[f64; 2]], at: f64, of: impl Fn(f64) -> f64) -> Option<f64> {
    let after = points.iter().position(|[place, _]| *place > at);
    let [to, from] = match after {
        Some(0) => return points.first().map(|[_, value]| of(*value)),
        None => return points.last().map(|[_, value]| of(*value)),
        Some(after) => [points.get(after)?, points.get(after - 1)?],
    };
    let part = (at - from[0]) / (to[0] - from[0]);
    Some(of(from[1]) + (of(to[1]) - of(from[1])) * part)
}
