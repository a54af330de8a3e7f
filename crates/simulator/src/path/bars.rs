use std::sync::Arc;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::{Path, PriceModel, Step, Weather};
use crate::{
    SimulationError,
    error::at_least,
    stream::{Source, Streams},
};

/// `4 ln 2`: a Brownian motion's mean squared range over its variance (Parkinson, "The extreme value method for estimating the
/// variance of the rate of return", 1980).
const PARKINSON: f64 = 4.0 * std::f64::consts::LN_2;

/// A recorded candle, in logarithms of the price relative to the close before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// Highest, 0 or more.
    pub high: f64,
    /// Lowest, 0 or less.
    pub low: f64,
    /// Close.
    pub close: f64,
}

/// Recorded candles of one length.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    bars: Vec<Bar>,
    days: f64,
}

impl Bars {
    /// Candles of `secs` seconds each.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`]: none, or of no length.
    pub fn new(bars: Vec<Bar>, secs: f64) -> Result<Self, SimulationError> {
        let positive = "must be greater than 0";
        at_least("number of candles", bars.len() as f64, 1.0, positive)?;
        at_least("length of a candle", secs, f64::MIN_POSITIVE, positive)?;
        Ok(Self {
            bars,
            days: secs / 86_400.0,
        })
    }

    /// How long all of them are together.
    pub fn days(&self) -> f64 {
        self.bars.len() as f64 * self.days
    }
}

/// Recorded candles as a model. Within a candle the price goes from the close before by way of the lowest and the highest price
/// (in either order, as likely) to the close, a third of the time each, as Brownian bridges that stay between lowest and highest.
/// Their variance is what the candle's range says.
#[derive(Clone, Debug)]
pub enum BarModel {
    /// As recorded; every path differs only within the candles. After the last candle it begins again.
    Replay(Arc<Bars>),
    /// Blocks of this many successive candles, drawn at random and strung together.
    Bootstrap(Arc<Bars>, usize),
}

impl PriceModel for BarModel {
    type Path = BarPath;

    fn path(&self, log_price: f64, streams: Streams, number: u64) -> BarPath {
        let (bars, block) = match self {
            Self::Replay(bars) => (bars, None),
            Self::Bootstrap(bars, length) => (bars, Some((*length).clamp(1, bars.bars.len()))),
        };
        BarPath {
            bars: Arc::clone(bars),
            block,
            next: 0,
            left: 0,
            blocks: streams.of(number, Source::Blocks),
            price: streams.of(number, Source::Price),
            log_price,
            close: log_price,
            bar: Bar {
                high: 0.0,
                low: 0.0,
                close: 0.0,
            },
            legs: [(0.0, 0.0); 3],
            leg: 3,
            into_days: 0.0,
        }
    }
}

/// A path of [`BarModel`].
pub struct BarPath {
    bars: Arc<Bars>,
    block: Option<usize>,
    /// The candle that comes next, and how many of the block are left.
    next: usize,
    left: usize,
    blocks: ChaCha8Rng,
    price: ChaCha8Rng,
    log_price: f64,
    /// The close that the present candle is relative to.
    close: f64,
    bar: Bar,
    /// Where the price is at which time in the candle.
    legs: [(f64, f64); 3],
    leg: usize,
    into_days: f64,
}

impl BarPath {
    /// Begins the next candle.
    fn draw(&mut self) {
        self.close += self.bar.close;
        let count = self.bars.bars.len();
        if let Some(length) = self.block {
            if self.left == 0 {
                self.next = self.blocks.random_range(0..=count - length);
                self.left = length;
            }
            self.left -= 1;
        }
        self.bar = self.bars.bars[self.next % count];
        self.next += 1;
        let days = self.bars.days;
        let (first, second) = if self.price.random::<bool>() {
            (self.bar.low, self.bar.high)
        } else {
            (self.bar.high, self.bar.low)
        };
        self.legs = [
            (days / 3.0, first),
            (days * 2.0 / 3.0, second),
            (days, self.bar.close),
        ];
        self.leg = 0;
        self.into_days = 0.0;
    }

    /// Variance of the present candle per day.
    fn variance_day(&self) -> f64 {
        let range = self.bar.high - self.bar.low;
        range * range / PARKINSON / self.bars.days
    }
}

impl Path for BarPath {
    fn step(&mut self, days: f64) -> Step {
        let mut left = days;
        let mut variance = 0.0;
        while left > 0.0 {
            let Some((until, target)) = self.legs.get(self.leg).copied() else {
                self.draw();
                continue;
            };
            let to_go = until - self.into_days;
            // What is less than a nanosecond away is there.
            if to_go <= left + 1e-14 {
                self.log_price = self.close + target;
                variance += self.variance_day() * to_go;
                left -= to_go;
                self.into_days = until;
                self.leg += 1;
            } else {
                let here = self.log_price - self.close;
                let mean = here + (target - here) * left / to_go;
                let spread = (self.variance_day() * left * (to_go - left) / to_go).sqrt();
                let normal: f64 = StandardNormal.sample(&mut self.price);
                let bridge = (mean + spread * normal)
                    .max(self.bar.low)
                    .min(self.bar.high);
                self.log_price = self.close + bridge;
                variance += self.variance_day() * left;
                self.into_days += left;
                left = 0.0;
            }
        }
        Step {
            log_price: self.log_price,
            variance,
            jump: 0.0,
            weather: Weather::USUAL,
        }
    }
}
