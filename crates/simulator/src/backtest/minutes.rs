//! Fees of a position over recorded minutes, as an interval and an estimate.
//!
//! A minute's record has how much of each token went in, where the price was lowest and highest, where it ended, and the
//! liquidity at the end. It has neither the swaps nor the liquidity between them. So fees are only known up to an interval:
//!
//! - A token paid in moves the price one way: token 1 the root of the price `s` upwards, token 0 `1/s` upwards. What liquidity
//!   L earns of it is `L g / (1 - g)` times the way that the price goes in that direction within the position's range.
//! - All of that way together is `I (1 - g) / L'`, with I what was paid in and L' the pool's liquidity, which is taken to lie
//!   between that after the minute before and that after this one. Ways up and down differ by exactly the minute's move.
//! - A minute within the range earns for the whole way, one outside for nothing. One across an end of the range earns at least
//!   for what the shortest way by lowest and highest price has inside, at most for all but what that has outside.
//!
//! The estimate takes the mean of the two shortest ways (lowest first, highest first) and spreads the rest of the way evenly
//! between lowest and highest price. Ticks are whole: every price is known up to one.

mod recorded;

use super::record::{Minute, Repairs};
use recorded::Recorded;

/// Half the logarithm of a tick.
const HALF_LOG_TICK: f64 = 0.000_049_997_500_166_654_17;

/// A position's range in ticks: the price is inside at the lower one, and not at the upper one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    lower: i32,
    upper: i32,
}

impl Range {
    /// The widest one of a pool in whole units.
    pub(super) const WHOLE_POOL: Self = Self {
        lower: -443_636,
        upper: 443_636,
    };

    /// A range; `None` if it is empty.
    pub fn new(lower: i32, upper: i32) -> Option<Self> {
        (lower < upper).then_some(Self { lower, upper })
    }

    /// Lower and upper tick.
    pub fn ends(self) -> (i32, i32) {
        (self.lower, self.upper)
    }
}

/// Raw units of both tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TokenAmounts {
    /// Of token 0.
    pub token0: f64,
    /// Of token 1.
    pub token1: f64,
}

/// What a position would have earned, and what it holds at the end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MinutesReport {
    /// The best estimate of its fees.
    pub fees: TokenAmounts,
    /// The least that the record allows.
    pub fees_low: TokenAmounts,
    /// The most that the record allows.
    pub fees_high: TokenAmounts,
    /// The liquidity's tokens at the last close.
    pub amounts: TokenAmounts,
    /// Minutes in the record.
    pub minutes: u64,
    /// Minutes that ended in range.
    pub in_range: u64,
    /// What was repaired.
    pub repairs: Repairs,
}

/// Everywhere, as far as any pool goes.
const EVERYWHERE: Range = Range {
    lower: i32::MIN,
    upper: i32::MAX,
};

/// What a unit of liquidity that was always in range earned in each minute by the estimate, of token 0 and token 1.
pub(super) fn everywhere(minutes: &[Minute], fee: f64) -> impl Iterator<Item = [f64; 2]> {
    (0..minutes.len()).map(move |index| {
        let before = index.checked_sub(1).map(|before| &minutes[before]);
        let now = Recorded::new(&minutes[index], before, minutes.get(index + 1), fee);
        [0, 1].map(|side| now.fees(side, EVERYWHERE).estimate)
    })
}

/// An interval and the estimate in it.
#[derive(Clone, Copy, Debug, Default)]
struct Fees {
    low: f64,
    estimate: f64,
    high: f64,
}

/// What `liquidity` in a range would have earned at a fee of `fee` (of the input), as a part of the recorded liquidity, along
/// the recorded prices. Missing minutes are not taken for quiet ones: each counts as the mean of those that are there as far as
/// it is in range, at most as the largest, and at least with the shortest way across the gap.
pub fn pool_minutes(
    minutes: &[Minute],
    repairs: Repairs,
    fee: f64,
    range: Range,
    liquidity: f64,
) -> MinutesReport {
    let mut sums = [Fees::default(); 2];
    let mut most = [0.0f64; 2];
    // Minutes that are missing, as far as they were in range, and the shortest ways over them.
    let mut missing = 0.0;
    let mut missing_count = 0.0;
    let mut shortest = [0.0; 2];
    let mut in_range = 0;
    for (index, minute) in minutes.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| minutes.get(before));
        let now = Recorded::new(minute, before, minutes.get(index + 1), fee);
        for (side, (sum, most)) in sums.iter_mut().zip(&mut most).enumerate() {
            let fees = now.fees(side, range);
            sum.low += fees.low;
            sum.estimate += fees.estimate;
            sum.high += fees.high;
            *most = most.max(fees.high);
        }
        in_range += u64::from(range.lower <= minute.close && minute.close < range.upper);
        if let Some(before) = before.filter(|_| minute.missing_before > 0) {
            let ends = [before.close, minute.open].map(|tick| inside(range, tick));
            let count = f64::from(minute.missing_before);
            missing += count * (ends[0] + ends[1]) / 2.0;
            missing_count += count;
            for (side, shortest) in shortest.iter_mut().enumerate() {
                *shortest += gap(side, before.close, minute.open, range) * fee / (1.0 - fee);
            }
        }
    }
    let count = minutes.len().max(1) as f64;
    let per_liquidity = |pick: fn(&Fees) -> f64, more: [f64; 2]| TokenAmounts {
        token0: (pick(&sums[0]) + more[0]) * liquidity,
        token1: (pick(&sums[1]) + more[1]) * liquidity,
    };
    // The mean over the part of the time in range.
    let part = (in_range as f64 / count).max(1.0 / count);
    let mean = sums.map(|sum| sum.estimate / (count * part) * missing);
    let largest = most.map(|most| most * missing_count);
    MinutesReport {
        fees: per_liquidity(|fees| fees.estimate, mean),
        fees_low: per_liquidity(|fees| fees.low, shortest),
        fees_high: per_liquidity(
            |fees| fees.high,
            [
                largest[0].max(mean[0]).max(shortest[0]),
                largest[1].max(mean[1]).max(shortest[1]),
            ],
        ),
        amounts: minutes
            .last()
            .map(|last| amounts(range, last.close, liquidity))
            .unwrap_or_default(),
        minutes: minutes.len() as u64,
        in_range,
        repairs,
    }
}

fn inside(range: Range, tick: i32) -> f64 {
    f64::from(u8::from(range.lower <= tick && tick < range.upper))
}

/// The root of a tick's price in the direction that a token moves it: `s` for token 1, `1/s` for token 0.
fn root(side: usize, tick: f64) -> f64 {
    let log = tick * HALF_LOG_TICK;
    if side == 1 { log.exp() } else { (-log).exp() }
}

/// The shortest way over a gap from one tick to another, within the range.
fn gap(side: usize, from: i32, to: i32, range: Range) -> f64 {
    let at = |tick: i32| root(side, f64::from(tick.clamp(range.lower, range.upper)));
    // A tick less: prices are known up to one.
    let (from, to) = if side == 1 {
        (from + 1, to)
    } else {
        (from, to + 1)
    };
    (at(to) - at(from)).max(0.0)
}

/// What liquidity holds at a tick's price: token 0 above it, token 1 below.
pub(super) fn amounts(range: Range, tick: i32, liquidity: f64) -> TokenAmounts {
    let at = tick.clamp(range.lower, range.upper);
    // Differences of roots as exponentials of differences: nothing cancels.
    let grown = |ticks: i32| (f64::from(ticks) * HALF_LOG_TICK).exp_m1();
    TokenAmounts {
        token0: liquidity * root(0, range.upper.into()) * grown(range.upper - at),
        token1: liquidity * root(1, range.lower.into()) * grown(at - range.lower),
    }
}

#[cfg(test)]
mod tests;
