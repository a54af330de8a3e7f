use std::sync::Arc;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::{Paid, Path, PriceModel, Step, Weather};
use crate::{
    SimulationError,
    error::at_least,
    stream::{Source, Streams},
};

/// `4 ln 2`: a Brownian motion's mean squared range over its variance (Parkinson, "The extreme value method for estimating the
/// variance of the rate of return", 1980).
const PARKINSON: f64 = 4.0 * std::f64::consts::LN_2;

/// What is less than a nanosecond away is there.
const NEAR_DAYS: f64 = 1e-14;

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

/// What was traded during a recorded candle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BarFlow {
    /// Volume over its mean.
    pub volume: f64,
    /// What the pool's liquidity was paid for it, if the record is a pool's.
    pub paid: Option<Paid>,
}

/// Recorded candles of one length.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    bars: Vec<Bar>,
    days: f64,
    /// What was traded during each; empty if that was not recorded.
    flows: Vec<BarFlow>,
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
            flows: Vec::new(),
        })
    }

    /// The same, with what was traded during each.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`]: more or fewer than there are candles.
    pub fn with_flows(self, flows: Vec<BarFlow>) -> Result<Self, SimulationError> {
        if flows.len() != self.bars.len() {
            return Err(SimulationError::Parameter {
                name: "number of flows",
                value: flows.len() as f64,
                problem: "must be the number of candles",
            });
        }
        Ok(Self { flows, ..self })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.bars.len()
    }

    /// Whether the record says what the pool's liquidity was paid.
    pub fn says_what_was_paid(&self) -> bool {
        self.flows.iter().any(|flow| flow.paid.is_some())
    }

    /// The same, with the volume's ups and downs alone: what is paid for it follows from the terms.
    #[must_use]
    pub fn volume_alone(mut self) -> Self {
        for flow in &mut self.flows {
            flow.paid = None;
        }
        self
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
            flow: None,
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
    /// What was traded during the present candle.
    flow: Option<BarFlow>,
}

/// What was traded during a step.
#[derive(Default)]
struct Gathered {
    days: f64,
    volume_days: f64,
    paid: bool,
    parts: [f64; 2],
    depth_days: f64,
}

impl Gathered {
    /// A part of a candle, `days` long, of which all is `bar_days`.
    fn add(&mut self, flow: Option<&BarFlow>, days: f64, bar_days: f64) {
        let Some(flow) = flow else {
            return;
        };
        self.days += days;
        self.volume_days += flow.volume * days;
        if let Some(paid) = flow.paid {
            self.paid = true;
            for (sum, part) in self.parts.iter_mut().zip(paid.parts) {
                *sum += part * days / bar_days;
            }
            self.depth_days += paid.depth * days;
        }
    }

    fn weather(&self) -> Weather {
        if self.days == 0.0 {
            return Weather::USUAL;
        }
        Weather {
            volume: self.volume_days / self.days,
            paid: self.paid.then(|| Paid {
                parts: self.parts,
                depth: self.depth_days / self.days,
            }),
            ..Weather::USUAL
        }
    }
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
        self.flow = self.bars.flows.get(self.next % count).copied();
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
        let mut gathered = Gathered::default();
        while left > NEAR_DAYS {
            let Some((until, target)) = self.legs.get(self.leg).copied() else {
                self.draw();
                continue;
            };
            let to_go = until - self.into_days;
            if to_go <= left + NEAR_DAYS {
                self.log_price = self.close + target;
                variance += self.variance_day() * to_go;
                gathered.add(self.flow.as_ref(), to_go, self.bars.days);
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
                gathered.add(self.flow.as_ref(), left, self.bars.days);
                self.into_days += left;
                left = 0.0;
            }
        }
        Step {
            log_price: self.log_price,
            variance,
            jump: 0.0,
            weather: gathered.weather(),
        }
    }
}
