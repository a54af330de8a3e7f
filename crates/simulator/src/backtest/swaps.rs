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

/// What `liquidity` in a range would have earned, as a part of the recorded liquidity.
pub fn swaps(
    record: &[Swap],
    ticks: Option<&BTreeMap<i32, i128>>,
    terms: SwapTerms,
    range: Range,
    liquidity: u128,
) -> SwapsReport {
    let ends = Ends::of(range);
    let fee = f64::from(terms.fee_ppm) / 1e6;
    let kept = 1.0 - f64::from(terms.protocol_bps) / 1e4;
    let per_way = fee / (1.0 - fee) * kept;
    let mut report = SwapsReport {
        swaps: record.len() as u64,
        ..SwapsReport::default()
    };
    let mut again = ticks.and_then(|ticks| Again::new(ticks, terms, range));
    let (mut low, mut estimate, mut high) = ([0.0; 2], [0.0; 2], [0.0; 2]);
    let mut before: Option<&Swap> = None;
    for swap in record {
        let side = usize::from(swap.amounts[1] > 0);
        let end = swap.sqrt_price_x64;
        // Where it began by what was paid in, if its liquidity was one.
        let paid = swap.amounts[side] as f64 * (1.0 - fee);
        let by_amount = paid / (swap.liquidity as f64).max(1.0);
        let start = before.map_or_else(|| back(side, end, by_amount), |last| last.sqrt_price_x64);
        let replayed = before.and_then(|last| again.as_mut()?.swap(last, swap, side));
        if let Some(earned) = replayed {
            report.exact += 1;
            for sums in [&mut low, &mut estimate, &mut high] {
                sums[side] += earned;
            }
        } else {
            let whole = way(side, start, end);
            let one_liquidity = before.is_some_and(|last| last.liquidity == swap.liquidity);
            let off = (whole - by_amount).abs() > NEAR * by_amount.max(whole.abs());
            if whole < 0.0 {
                report.backwards += 1;
                high[side] += ends.inside(side, back(side, end, by_amount), end) * per_way;
            } else if one_liquidity && off {
                report.gaps += 1;
                let began = back(side, end, by_amount);
                let own = ends.inside(side, began, end) * per_way;
                low[side] += own;
                for sums in [&mut estimate, &mut high] {
                    sums[side] += own;
                    for (between, sum) in sums.iter_mut().enumerate() {
                        *sum += ends.inside(between, start, began) * per_way;
                    }
                }
            } else {
                let own = ends.inside(side, start, end) * per_way;
                for sums in [&mut low, &mut estimate, &mut high] {
                    sums[side] += own;
                }
            }
        }
        report.in_range += u64::from(ends.lower <= end && end < ends.upper);
        before = Some(swap);
    }
    let part = liquidity as f64;
    let all = |sums: [f64; 2]| TokenAmounts {
        token0: sums[0] * part,
        token1: sums[1] * part,
    };
    (report.fees_low, report.fees, report.fees_high) = (all(low), all(estimate), all(high));
    if let Some(last) = record.last() {
        report.amounts = amounts(range, tick_of(last.sqrt_price_x64), part);
    }
    report
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
mod tests {
    use super::*;

    const TERMS: SwapTerms = SwapTerms {
        fee_ppm: 3_000,
        protocol_bps: 1_300,
    };

    /// A pool of two ranges, swaps in it, and what a seat of ours (a part of the first range) earned by the pool's own book.
    fn recorded(withdraws_after: Option<usize>) -> (Vec<Swap>, BTreeMap<i32, i128>, [f64; 2]) {
        let at = Tick::new(10).unwrap().sqrt_price();
        let fee = SwapFee::fixed(TERMS.fee_ppm);
        let mut pool = TickPool::new(at, fee, TERMS.protocol_bps);
        let ours = pool.seat([-64, 64]);
        pool.provide(ours, 1_000_000_000_000).unwrap();
        let others = [[-640, 640], [-128, 32]].map(|range| {
            let seat = pool.seat(range);
            pool.provide(seat, 3_000_000_000_000).unwrap();
            seat
        });
        let ticks = pool
            .ticks()
            .map(|(tick, state)| (tick, state.net))
            .collect();
        let mut swaps = Vec::new();
        for number in 0..40usize {
            let side = usize::from(number % 3 != 0);
            let input = [Side::Base, Side::Quote][side];
            // Now and then one that leaves the range.
            let large = if number % 10 == 9 { 4 } else { 1 };
            let amount = (11_000_000_000 + 1_000_000_007 * (number as u64 % 5)) * large;
            let order = SwapOrder {
                amount: amount * if side == 0 { 2 } else { 1 },
                mode: SwapMode::ExactIn,
                input,
                limit: None,
            };
            let moved = pool.swap(order, 0).unwrap().amounts;
            let (base, quote) = (i128::from(moved.base), i128::from(moved.quote));
            swaps.push(Swap {
                time_secs: number as i64,
                amounts: if side == 0 {
                    [base, -quote]
                } else {
                    [-base, quote]
                },
                sqrt_price_x64: pool.sqrt_price().x64(),
                liquidity: pool.liquidity(),
            });
            if withdraws_after == Some(number) {
                pool.withdraw(others[0], 1_500_000_000_000).unwrap();
            }
        }
        let fees = pool.fees_of(ours);
        (swaps, ticks, [fees.base as f64, fees.quote as f64])
    }

    fn ours(swaps: &[Swap], ticks: Option<&BTreeMap<i32, i128>>) -> SwapsReport {
        let range = Range::new(-64, 64).unwrap();
        super::swaps(swaps, ticks, TERMS, range, 1_000_000_000_000)
    }

    /// But for the first swap, whose start is only known by its amounts, to the unit.
    #[test]
    fn with_tick_liquidity_fees_are_the_pools_own() {
        let (record, ticks, fees) = recorded(None);
        let report = ours(&record, Some(&ticks));
        assert_eq!((report.swaps, report.exact), (40, 39));
        assert_eq!((report.gaps, report.backwards), (0, 0));
        assert_eq!(
            (report.fees_low, report.fees_high),
            (report.fees, report.fees)
        );
        for (found, booked) in [report.fees.token0, report.fees.token1]
            .into_iter()
            .zip(fees)
        {
            assert!((found - booked).abs() < 3.0, "{found} {booked}");
            assert!(booked > 1e6);
        }
        // Ways alone say the same, to rounding.
        let ways = ours(&record, None);
        assert_eq!(ways.exact, 0);
        assert!((ways.fees.token0 / fees[0] - 1.0).abs() < 1e-6);
        assert!((ways.fees.token1 / fees[1] - 1.0).abs() < 1e-6);
        assert!(ways.in_range > 5 && ways.in_range < 40);
    }

    #[test]
    fn who_provides_in_between_makes_no_difference() {
        let (record, ticks, fees) = recorded(Some(12));
        let report = ours(&record, Some(&ticks));
        assert!(report.exact < 39 && report.exact >= 12, "{report:?}");
        assert!((report.fees.token0 / fees[0] - 1.0).abs() < 1e-6);
        assert!((report.fees.token1 / fees[1] - 1.0).abs() < 1e-6);
    }

    #[test]
    fn missing_swaps_are_noticed_and_not_taken_for_nothing() {
        let (mut record, ticks, fees) = recorded(None);
        // One within one liquidity.
        let at = (1..39)
            .find(|at| {
                let same = record[*at - 1..=*at + 1].windows(2);
                same.clone()
                    .all(|pair| pair[0].liquidity == pair[1].liquidity)
                    && record[*at].amounts[1] > 0
                    && record[*at + 1].amounts[1] > 0
            })
            .unwrap();
        record.remove(at);
        let report = ours(&record, Some(&ticks));
        assert_eq!(report.gaps, 1);
        assert!(report.fees_low.token1 < report.fees.token1);
        // It went one way: what is missing is found again.
        assert!((report.fees.token1 / fees[1] - 1.0).abs() < 1e-6);
        assert!(report.fees_high.token1 >= report.fees.token1);
    }

    /// In the other order of tokens prices are inverted and everything else is the same.
    #[test]
    fn either_order_of_tokens() {
        let (record, _, _) = recorded(None);
        let inverted: Vec<Swap> = record
            .iter()
            .map(|swap| Swap {
                amounts: [swap.amounts[1], swap.amounts[0]],
                sqrt_price_x64: (TWO_POW_64 / (swap.sqrt_price_x64 as f64 / TWO_POW_64)) as u128,
                ..*swap
            })
            .collect();
        let (a, b) = (ours(&record, None), ours(&inverted, None));
        assert!(
            (a.fees.token0 / b.fees.token1 - 1.0).abs() < 1e-5,
            "{a:?} {b:?}"
        );
        assert!((a.fees.token1 / b.fees.token0 - 1.0).abs() < 1e-5);
    }
}
