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

use super::{
    path::{Between, Travel, Way},
    record::{Minute, Repairs},
};

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

/// A minute with what is known of the time before and after it.
struct Recorded<'a> {
    minute: &'a Minute,
    /// Ticks within which the price was at the start, and at the end.
    start: (i32, i32),
    end: (i32, i32),
    lowest: i32,
    highest: i32,
    /// One over the pool's liquidity.
    per_liquidity: Between,
    /// The same by the estimate.
    per_liquidity_mean: f64,
    fee: f64,
}

impl<'a> Recorded<'a> {
    fn new(minute: &'a Minute, before: Option<&Minute>, after: Option<&Minute>, fee: f64) -> Self {
        let whole = |minute: &Minute| (minute.lowest, minute.highest);
        let start = match before {
            // Where it began is not known.
            None => (minute.open, minute.open),
            Some(before) if minute.missing_before > 0 => (
                before.close.min(minute.lowest),
                before.close.max(minute.highest),
            ),
            Some(before) if before.stale => whole(before),
            Some(before) => (before.close, before.close),
        };
        let end = if minute.stale {
            whole(minute)
        } else {
            (minute.close, minute.close)
        };
        let ends = [
            before.map(|before| before.liquidity),
            Some(minute.liquidity),
            after.filter(|_| minute.stale).map(|after| after.liquidity),
        ];
        let inverse = ends
            .into_iter()
            .flatten()
            .map(|liquidity| 1.0 / liquidity as f64);
        let mut per_liquidity = Between {
            low: f64::INFINITY,
            high: 0.0,
        };
        for one in inverse {
            per_liquidity.low = per_liquidity.low.min(one);
            per_liquidity.high = per_liquidity.high.max(one);
        }
        Self {
            minute,
            start,
            end,
            lowest: minute.lowest.min(start.0),
            highest: minute.highest.max(start.1),
            per_liquidity,
            per_liquidity_mean: (per_liquidity.low + per_liquidity.high) / 2.0,
            fee,
        }
    }

    /// Fees of one token per unit of liquidity.
    fn fees(&self, side: usize, range: Range) -> Fees {
        let paid = self.minute.paid_in[side] as f64 * (1.0 - self.fee);
        if paid == 0.0 || self.highest < range.lower || self.lowest >= range.upper {
            return Fees::default();
        }
        let within = range.lower <= self.lowest && self.highest < range.upper;
        let is_certain = self.per_liquidity.low == self.per_liquidity.high;
        let per_way = self.fee / (1.0 - self.fee);
        let mean = paid * self.per_liquidity_mean;
        let fees = if within && is_certain {
            Fees {
                low: mean,
                estimate: mean,
                high: mean,
            }
        } else {
            let way = self.way(side, paid);
            let mean = way.clamp(mean);
            if within {
                Fees {
                    low: way.low,
                    estimate: mean,
                    high: way.high,
                }
            } else {
                self.across(side, range, way, mean)
            }
        };
        Fees {
            low: fees.low * per_way,
            estimate: fees.estimate * per_way,
            high: fees.high * per_way,
        }
    }

    /// How far the price went in a token's direction: by what was paid in, and by what came the other way.
    fn way(&self, side: usize, paid: f64) -> Between {
        let by_amount = |paid: f64| Between {
            low: paid * self.per_liquidity.low,
            high: paid * self.per_liquidity.high,
        };
        let own = by_amount(paid);
        if self.per_liquidity.low == self.per_liquidity.high {
            return own;
        }
        let back = by_amount(self.minute.paid_in[1 - side] as f64 * (1.0 - self.fee));
        // From the other direction's roots to this one's: d(1/s) = -ds / s^2.
        let (near, far) = self.prices(side);
        let (from, to) = (self.ends(side, self.start), self.ends(side, self.end));
        let both = Between {
            low: (back.low * near * near + to.low - from.high).max(0.0),
            high: (back.high * far * far + to.high - from.low).max(0.0),
        };
        own.and(both)
    }

    /// Lowest and highest root in a token's direction.
    fn prices(&self, side: usize) -> (f64, f64) {
        let ends = self.ends(side, (self.lowest, self.highest));
        (ends.low, ends.high)
    }

    /// Roots in a token's direction of prices between two ticks: each is somewhere up to the next tick.
    fn ends(&self, side: usize, (low, high): (i32, i32)) -> Between {
        let (low, high) = (root(side, low.into()), root(side, f64::from(high) + 1.0));
        Between {
            low: low.min(high),
            high: low.max(high),
        }
    }

    /// The way within a range of which an end was crossed, or may have been.
    fn across(&self, side: usize, range: Range, way: Between, mean: f64) -> Fees {
        let range = Between::from_roots(side, range.lower.into(), range.upper.into());
        let range = (range.low, range.high);
        let (start, end) = (self.ends(side, self.start), self.ends(side, self.end));
        let (one, other) = (
            self.ends(side, (self.lowest, self.lowest)),
            self.ends(side, (self.highest, self.highest)),
        );
        // In the direction of token 0 the lowest tick is the highest root.
        let (lowest, highest) = if side == 1 {
            (one, other)
        } else {
            (other, one)
        };
        let mut inside = f64::INFINITY;
        let mut outside = f64::INFINITY;
        for corner in 0..16u8 {
            let pick = |bit: u8, ends: Between| {
                if corner >> bit & 1 == 0 {
                    ends.low
                } else {
                    ends.high
                }
            };
            let shortest = Way {
                start: pick(0, start),
                lowest: pick(1, lowest),
                highest: pick(2, highest),
                end: pick(3, end),
            };
            for travel in shortest.up(range) {
                inside = inside.min(travel.inside);
                outside = outside.min(travel.outside);
            }
        }
        let low = inside.min(way.high);
        let high = (way.high - outside).max(low);
        let middle = |ends: Between| (ends.low + ends.high) / 2.0;
        let likely = Way {
            start: middle(start),
            lowest: middle(lowest),
            highest: middle(highest),
            end: middle(end),
        };
        let overlap = likely.overlap(range);
        let estimate = likely
            .up(range)
            .map(|travel: Travel| {
                let length = travel.inside + travel.outside;
                if length > mean {
                    mean * travel.inside / length
                } else {
                    travel.inside + (mean - length) * overlap
                }
            })
            .iter()
            .sum::<f64>()
            / 2.0;
        Fees {
            low,
            estimate: estimate.max(low).min(high),
            high,
        }
    }
}

impl Between {
    fn from_roots(side: usize, a: f64, b: f64) -> Self {
        let (a, b) = (root(side, a), root(side, b));
        Self {
            low: a.min(b),
            high: a.max(b),
        }
    }
}

#[cfg(test)]
mod tests;
