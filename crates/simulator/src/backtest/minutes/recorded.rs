//! A minute with what is known of the time before and after it, and what a position earns in it: see the parent's description.

use super::{
    super::{
        path::{Between, Travel, Way},
        record::Minute,
    },
    Fees, Range, root,
};

/// A minute with what is known of the time before and after it.
pub(super) struct Recorded<'a> {
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
    pub(super) fn new(
        minute: &'a Minute,
        before: Option<&Minute>,
        after: Option<&Minute>,
        fee: f64,
    ) -> Self {
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
    pub(super) fn fees(&self, side: usize, range: Range) -> Fees {
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
