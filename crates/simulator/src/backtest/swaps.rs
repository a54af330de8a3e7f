//! Fees of a position over recorded swaps: exact, as far as the record is whole.
//!
//! Every swap moves the price one way. What liquidity L earns of it is `L g / (1 - g)` times the way within the position's range, less
//! the protocol's part: nothing else of the pool is needed. Where the pool's liquidity by ticks is given, each swap is also done again
//! in whole units ([`crate::ticks`]): if it ends where the record says, its fees are the program's own. Where it does not, somebody
//! has provided or withdrawn in between, and the way counts.
//!
//! Between two swaps nobody moves the price. So where a swap does not begin at the last one's end (by its own amounts, in one
//! liquidity), swaps are missing: they have paid at least for the shortest way in between, which is in the estimate and in the upper
//! bound, not in the lower.

use std::collections::BTreeMap;

use ballast_clmm::{Side, SqrtPrice, SwapMode, Tick};

use super::{Range, TokenAmounts, minutes::amounts};
use crate::ticks::{SwapFee, SwapOrder, TickPool};

const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;
/// How far the way by the amounts may be from the way by the prices, as a part of it.
const NEAR: f64 = 1e-4;

/// One swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swap {
    /// When, Unix seconds.
    pub time_secs: i64,
    /// Raw units of each token, fee included: positive into the pool, negative out of it.
    pub amounts: [i128; 2],
    /// Price afterwards, Q64.64.
    pub sqrt_price_x64: u128,
    /// Active liquidity afterwards.
    pub liquidity: u128,
}

/// A pool's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwapTerms {
    /// Fee, millionths of the input.
    pub fee_ppm: u32,
    /// The protocol's part of it, basis points.
    pub protocol_bps: u32,
}

/// What a position would have earned, and what it holds at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SwapsReport {
    /// The best estimate of its fees.
    pub fees: TokenAmounts,
    /// The least that the record allows.
    pub fees_low: TokenAmounts,
    /// The most, if missing swaps went the shortest way.
    pub fees_high: TokenAmounts,
    /// The liquidity's tokens at the end.
    pub amounts: TokenAmounts,
    /// Swaps in the record.
    pub swaps: u64,
    /// Swaps that were done again in whole units and ended where the record says.
    pub exact: u64,
    /// Swaps that ended in range.
    pub in_range: u64,
    /// Swaps that do not begin where the one before has ended.
    pub gaps: u64,
    /// Swaps that moved the price against what was paid in: their fees are in the upper bound only.
    pub backwards: u64,
}

/// A price's root in the direction that a token moves it, and back: only differences of it are used.
fn way(side: usize, from: u128, to: u128) -> f64 {
    let difference = |a: u128, b: u128| {
        if a >= b {
            (a - b) as f64
        } else {
            -((b - a) as f64)
        }
    };
    if side == 1 {
        difference(to, from) / TWO_POW_64
    } else {
        difference(from, to) / TWO_POW_64 / (from as f64 / TWO_POW_64) / (to as f64 / TWO_POW_64)
    }
}

/// The position's range in root prices.
struct Ends {
    lower: u128,
    upper: u128,
}

impl Ends {
    fn of(range: Range) -> Self {
        let at = |tick: i32| match Tick::new(tick) {
            Ok(tick) => tick.sqrt_price().x64(),
            // Beyond the prices that these pools have.
            Err(_) => ((f64::from(tick) * 1.0001f64.ln() / 2.0).exp() * TWO_POW_64) as u128,
        };
        let (lower, upper) = range.ends();
        Self {
            lower: at(lower),
            upper: at(upper),
        }
    }

    /// The way of a swap within the range, in its token's direction; not below nothing.
    fn inside(&self, side: usize, from: u128, to: u128) -> f64 {
        let clamp = |price: u128| price.clamp(self.lower, self.upper);
        way(side, clamp(from), clamp(to)).max(0.0)
    }
}

/// What a unit of liquidity in a range earned of one swap: of token 0 and token 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct SwapFees {
    low: [f64; 2],
    pub estimate: [f64; 2],
    high: [f64; 2],
}

/// How swaps fit to each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fit {
    pub exact: u64,
    pub gaps: u64,
    pub backwards: u64,
}

/// Hands on what liquidity in a range earned of each swap, in their order.
pub(super) fn each_swap(
    record: &[Swap],
    ticks: Option<&BTreeMap<i32, i128>>,
    terms: SwapTerms,
    range: Range,
    mut hand_on: impl FnMut(&Swap, SwapFees),
) -> Fit {
    let ends = Ends::of(range);
    let fee = f64::from(terms.fee_ppm) / 1e6;
    let kept = 1.0 - f64::from(terms.protocol_bps) / 1e4;
    let per_way = fee / (1.0 - fee) * kept;
    let mut fit = Fit::default();
    let mut again = ticks.and_then(|ticks| Again::new(ticks, terms, range));
    let mut before: Option<&Swap> = None;
    for swap in record {
        let side = usize::from(swap.amounts[1] > 0);
        let end = swap.sqrt_price_x64;
        // Where it began by what was paid in, if its liquidity was one.
        let paid = swap.amounts[side] as f64 * (1.0 - fee);
        let by_amount = paid / (swap.liquidity as f64).max(1.0);
        let start = before.map_or_else(|| back(side, end, by_amount), |last| last.sqrt_price_x64);
        let replayed = before.and_then(|last| again.as_mut()?.swap(last, swap, side));
        let mut fees = SwapFees::default();
        let SwapFees {
            low,
            estimate,
            high,
        } = &mut fees;
        if let Some(earned) = replayed {
            fit.exact += 1;
            for sums in [low, estimate, high] {
                sums[side] = earned;
            }
        } else {
            let whole = way(side, start, end);
            let one_liquidity = before.is_some_and(|last| last.liquidity == swap.liquidity);
            let off = (whole - by_amount).abs() > NEAR * by_amount.max(whole.abs());
            if whole < 0.0 {
                fit.backwards += 1;
                high[side] = ends.inside(side, back(side, end, by_amount), end) * per_way;
            } else if one_liquidity && off {
                fit.gaps += 1;
                let began = back(side, end, by_amount);
                let own = ends.inside(side, began, end) * per_way;
                low[side] = own;
                for sums in [estimate, high] {
                    sums[side] = own;
                    for (between, sum) in sums.iter_mut().enumerate() {
                        *sum += ends.inside(between, start, began) * per_way;
                    }
                }
            } else {
                let own = ends.inside(side, start, end) * per_way;
                for sums in [low, estimate, high] {
                    sums[side] = own;
                }
            }
        }
        hand_on(swap, fees);
        before = Some(swap);
    }
    fit
}

/// What `liquidity` in a range would have earned, as a part of the recorded liquidity.
pub fn swaps(
    record: &[Swap],
    ticks: Option<&BTreeMap<i32, i128>>,
    terms: SwapTerms,
    range: Range,
    liquidity: u128,
) -> SwapsReport {
    let ends = Ends::of(range);
    let mut in_range = 0;
    let mut sums = SwapFees::default();
    let Fit {
        exact,
        gaps,
        backwards,
    } = each_swap(record, ticks, terms, range, |swap, fees| {
        for (sums, fees) in [
            (&mut sums.low, fees.low),
            (&mut sums.estimate, fees.estimate),
            (&mut sums.high, fees.high),
        ] {
            for (sum, fee) in sums.iter_mut().zip(fees) {
                *sum += fee;
            }
        }
        let end = swap.sqrt_price_x64;
        in_range += u64::from(ends.lower <= end && end < ends.upper);
    });
    let part = liquidity as f64;
    let all = |sums: [f64; 2]| TokenAmounts {
        token0: sums[0] * part,
        token1: sums[1] * part,
    };
    SwapsReport {
        fees: all(sums.estimate),
        fees_low: all(sums.low),
        fees_high: all(sums.high),
        amounts: record.last().map_or_else(TokenAmounts::default, |last| {
            amounts(range, tick_of(last.sqrt_price_x64), part)
        }),
        swaps: record.len() as u64,
        exact,
        in_range,
        gaps,
        backwards,
    }
}

fn tick_of(sqrt_price_x64: u128) -> i32 {
    let exact = SqrtPrice::new(sqrt_price_x64).map(|price| price.tick().get());
    // `as` saturates.
    exact.unwrap_or_else(|_| {
        ((sqrt_price_x64 as f64 / TWO_POW_64).ln() * 2.0 / 1.0001f64.ln()).floor() as i32
    })
}

/// Where a way began that ended there.
fn back(side: usize, end: u128, way: f64) -> u128 {
    let root = end as f64 / TWO_POW_64;
    // `as` saturates.
    if side == 1 {
        end.saturating_sub((way * TWO_POW_64) as u128)
    } else {
        let began = 1.0 / (1.0 / root - way);
        if began > root {
            (began * TWO_POW_64) as u128
        } else {
            end
        }
    }
}

/// The pool in whole units, in which swaps are done again.
struct Again {
    pool: TickPool,
    range: [i32; 2],
}

impl Again {
    fn new(ticks: &BTreeMap<i32, i128>, terms: SwapTerms, range: Range) -> Option<Self> {
        let fee = SwapFee::fixed(terms.fee_ppm);
        let mut pool = TickPool::new(SqrtPrice::ONE, fee, terms.protocol_bps);
        let (lower, upper) = range.ends();
        pool.initialise(ticks, [lower, upper]).ok()?;
        Some(Self {
            pool,
            range: [lower, upper],
        })
    }

    /// What one unit of liquidity earns of a swap, if it ends where the record says.
    fn swap(&mut self, before: &Swap, swap: &Swap, side: usize) -> Option<f64> {
        let price = |swap: &Swap| SqrtPrice::new(swap.sqrt_price_x64).ok();
        let (from, to) = (price(before)?, price(swap)?);
        if self.pool.sqrt_price() != from {
            self.pool.set_price(from);
        }
        let growth = self.pool.growth_inside_x64(self.range)[side];
        let order = SwapOrder {
            amount: u64::try_from(swap.amounts[side]).ok()?,
            mode: SwapMode::ExactIn,
            input: [Side::Base, Side::Quote][side],
            limit: None,
        };
        let mut after = self.pool.clone();
        after.swap(order, 0).ok()?;
        // As near as the record's own digits.
        let near = after.sqrt_price().x64().abs_diff(to.x64()) <= 1 + (to.x64() >> 62);
        if !near || after.liquidity() != swap.liquidity {
            return None;
        }
        self.pool = after;
        let grown = self.pool.growth_inside_x64(self.range)[side].wrapping_sub(growth);
        Some(grown as f64 / TWO_POW_64)
    }
}

#[cfg(test)]
mod tests;
