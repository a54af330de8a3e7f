//! Recorded trading as a path of prices, with what was paid for it.
//!
//! - Candles say where the price was. Volume beside them is another market's: only its ups and downs are taken.
//! - A pool's minutes say it in ticks, and what was paid in: fees of a unit of liquidity are those of [`super::pool_minutes`]' estimate.
//! - Swaps say all. They are put together between two looks, so that every look finds the price that was; fees are those of
//!   [`super::swaps`]' estimate, to the unit where the pool's liquidity by ticks is given.
//!
//! What is missing is bridged by a straight way, and taken to have paid as much as the others on average.

use std::collections::BTreeMap;

use super::{
    Candles, Minute, Quoted, Range, Swap, SwapTerms,
    minutes::everywhere,
    swaps::{Fit, each_swap},
};
use crate::{Bar, BarFlow, Bars, Paid, SimulationError};

const MINUTE_SECS: f64 = 60.0;
const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;
/// A record with a larger hole is none: a day of minutes.
const MOST_MISSING: u32 = 1_440;
/// More steps are not kept.
const MOST_STEPS: u64 = 1 << 22;

/// Trading that was recorded, and how whole the record is.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Prices as candles, with what was traded.
    pub bars: Bars,
    /// Price in whole tokens at the start.
    pub first_price: f64,
    /// Candles or minutes that are not there and were bridged; of swaps, times at which some are missing.
    pub missing: u64,
    /// Swaps that were done again to the unit.
    pub exact: u64,
}

/// What was traded during a candle, before it is known what is usual.
#[derive(Clone, Copy)]
struct Flow {
    volume: f64,
    paid: Paid,
}

impl Recording {
    /// Of recorded candles.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`].
    pub fn of_candles(candles: Candles) -> Result<Self, SimulationError> {
        let bars = Bars::new(candles.bars, candles.secs as f64)?;
        let volumes = candles.volumes.unwrap_or_default();
        let mean = mean(volumes.iter().flatten().copied());
        let bars = match mean {
            Some(mean) if mean > 0.0 => {
                let flow = |volume: &Option<f64>| BarFlow {
                    volume: volume.map_or(1.0, |volume| volume / mean),
                    paid: None,
                };
                bars.with_flows(volumes.iter().map(flow).collect())?
            }
            _ => bars,
        };
        Ok(Self {
            bars,
            first_price: candles.first_open,
            missing: candles.missing,
            exact: 0,
        })
    }

    /// Of recorded minutes of a pool with this fee, as a part of the input.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`]: a hole of more than a day.
    pub fn of_minutes(
        minutes: &[Minute],
        quoted: Quoted,
        fee: f64,
    ) -> Result<Self, SimulationError> {
        let mut bars = Vec::with_capacity(minutes.len());
        let mut flows: Vec<Option<Flow>> = Vec::with_capacity(minutes.len());
        let first = minutes.first().map_or(0, |first| first.open);
        let mut before = first;
        let mut missing = 0;
        for (minute, earned) in minutes.iter().zip(everywhere(minutes, fee)) {
            let gap = minute.missing_before;
            if gap > MOST_MISSING {
                return Err(SimulationError::Parameter {
                    name: "minutes missing in one place",
                    value: gap.into(),
                    problem: "must be at most 1440, a day: give a record without such a hole",
                });
            }
            if gap > 0 {
                let step = quoted.log(minute.open - before) / f64::from(gap);
                bars.extend((0..gap).map(|_| straight(step)));
                flows.extend((0..gap).map(|_| None));
                missing += u64::from(gap);
                before = minute.open;
            }
            let to = |tick: i32| quoted.log(tick - before);
            // Where nothing was traded, ticks say nothing new.
            bars.push(if minute.paid_in == [0; 2] {
                straight(to(minute.close))
            } else {
                bar([minute.lowest, minute.highest, minute.close].map(to))
            });
            let log_price = quoted.log(before);
            flows.push(Some(Flow {
                volume: quoted.volume(minute.paid_in, minute.close),
                paid: paid(quoted, earned, minute.liquidity, log_price),
            }));
            before = minute.close;
        }
        Ok(Self {
            bars: Bars::new(bars, MINUTE_SECS)?.with_flows(known(&flows))?,
            first_price: quoted.price(first),
            missing,
            exact: 0,
        })
    }

    /// Of recorded swaps of a pool with this fee in millionths, looked at every `secs` from the first one on; and what becomes active at
    /// each of its ticks, where that is known.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`]: too many looks.
    pub fn of_swaps(
        record: &[Swap],
        ticks: Option<&BTreeMap<i32, i128>>,
        quoted: Quoted,
        fee_ppm: u32,
        secs: u64,
    ) -> Result<Self, SimulationError> {
        let log = |swap: &Swap| quoted.turned(2.0 * (swap.sqrt_price_x64 as f64 / TWO_POW_64).ln());
        let (start_secs, end_secs, first) = match (record.first(), record.last()) {
            (Some(first), Some(last)) => (first.time_secs, last.time_secs, log(first)),
            _ => (0, 0, 0.0),
        };
        let secs = secs.max(1);
        // The step in which a swap was; what happened at the start belongs to the first one.
        let step_of = |time_secs: i64| {
            let since = u64::try_from(time_secs - start_secs).unwrap_or(0);
            since.div_ceil(secs).max(1) - 1
        };
        let count = step_of(end_secs) + 1;
        if count > MOST_STEPS {
            return Err(SimulationError::Parameter {
                name: "number of looks at recorded swaps",
                value: count as f64,
                problem: "must be at most 4194304: look less often, or give a shorter record",
            });
        }
        let mut steps = Steps::new(
            quoted,
            first,
            record.first().map_or(0, |swap| swap.liquidity),
        );
        let mut is_first = true;
        // Neither token's fee is shared with a protocol yet.
        let terms = SwapTerms {
            fee_ppm,
            protocol_bps: 0,
        };
        let Fit { exact, gaps, .. } =
            each_swap(record, ticks, terms, Range::WHOLE_POOL, |swap, fees| {
                // Where the first one began is not known: the path begins at its end.
                if std::mem::take(&mut is_first) {
                    return;
                }
                while (steps.bars.len() as u64) < step_of(swap.time_secs) {
                    steps.end();
                }
                let input = usize::from(swap.amounts[1] > 0);
                let mut paid_in = [0; 2];
                paid_in[input] = swap.amounts[input].unsigned_abs();
                steps.add(log(swap), swap.liquidity, fees.estimate, paid_in);
            });
        steps.end();
        let Steps { bars, flows, .. } = steps;
        Ok(Self {
            bars: Bars::new(bars, secs as f64)?.with_flows(known(&flows))?,
            first_price: quoted.whole(first),
            missing: gaps,
            exact,
        })
    }
}

/// Steps that are filled with swaps one after the other.
struct Steps {
    quoted: Quoted,
    bars: Vec<Bar>,
    flows: Vec<Option<Flow>>,
    /// Where the present one begins, logarithm of the raw price.
    before: f64,
    lowest: f64,
    highest: f64,
    close: f64,
    liquidity: u128,
    earned: [f64; 2],
    volume: f64,
}

impl Steps {
    fn new(quoted: Quoted, first: f64, liquidity: u128) -> Self {
        Self {
            quoted,
            bars: Vec::new(),
            flows: Vec::new(),
            before: first,
            lowest: first,
            highest: first,
            close: first,
            liquidity,
            earned: [0.0; 2],
            volume: 0.0,
        }
    }

    fn add(&mut self, log_price: f64, liquidity: u128, earned: [f64; 2], paid_in: [u128; 2]) {
        self.lowest = self.lowest.min(log_price);
        self.highest = self.highest.max(log_price);
        self.close = log_price;
        self.liquidity = liquidity;
        for (sum, earned) in self.earned.iter_mut().zip(earned) {
            *sum += earned;
        }
        self.volume += self.quoted.volume_at(paid_in, log_price);
    }

    /// The step is over, and the next one begins.
    fn end(&mut self) {
        let to = |log_price: f64| log_price - self.before;
        self.bars
            .push(bar([self.lowest, self.highest, self.close].map(to)));
        self.flows.push(Some(Flow {
            volume: self.volume,
            paid: paid(self.quoted, self.earned, self.liquidity, self.before),
        }));
        (self.before, self.lowest, self.highest) = (self.close, self.close, self.close);
        (self.earned, self.volume) = ([0.0; 2], 0.0);
    }
}

/// A candle from two extremes and its close, relative to the close before.
fn bar([one, other, close]: [f64; 3]) -> Bar {
    Bar {
        high: one.max(other).max(close).max(0.0),
        low: one.min(other).min(close).min(0.0),
        close,
    }
}

/// A candle that goes straight.
fn straight(close: f64) -> Bar {
    bar([close, close, close])
}

/// What a unit of liquidity earned, over what it is at a price: see [`Paid`].
fn paid(quoted: Quoted, earned: [f64; 2], liquidity: u128, log_price: f64) -> Paid {
    let root = (log_price / 2.0).exp();
    let [base, quote] = quoted.base_and_quote(earned);
    Paid {
        parts: [base * root, quote / root],
        depth: liquidity as f64 * root,
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// Volumes over their mean, and the mean for what is missing.
fn known(flows: &[Option<Flow>]) -> Vec<BarFlow> {
    let of = |pick: fn(&Flow) -> f64| mean(flows.iter().flatten().map(pick)).unwrap_or(0.0);
    let usual = Flow {
        volume: of(|flow| flow.volume),
        paid: Paid {
            parts: [of(|flow| flow.paid.parts[0]), of(|flow| flow.paid.parts[1])],
            depth: of(|flow| flow.paid.depth),
        },
    };
    let flow = |flow: &Option<Flow>| {
        let flow = flow.unwrap_or(usual);
        BarFlow {
            volume: if usual.volume > 0.0 {
                flow.volume / usual.volume
            } else {
                1.0
            },
            paid: Some(flow.paid),
        }
    };
    flows.iter().map(flow).collect()
}

#[cfg(test)]
mod tests;
