//! Fees of a position over recorded candles, as an interval and an estimate.
//!
//! Candles say where the price was, not what was traded. What the price's moves alone must have paid follows from arbitrage: between
//! two candles' ends the pool's price is never farther from the market's than the fee.
//!
//! - At least: the shortest way through each candle (open, lowest, highest, close, in the cheaper order), less what the fee's band
//!   swallows at each turn.
//! - The estimate: Brownian bridges through the candles ([`BarModel::Replay`]), of whose variance arbitrageurs hand back a part as
//!   fees ([`Blocks::arbitrage_part`]), and takers' volume on top where it is stated.
//! - At most: what hardly any of those ways exceeds (one in a hundred).
//!
//! A missing candle is not a quiet one: its way is the straight line in the lower bound, and in the estimate it moves as much as the
//! mean of those that are there.

use std::sync::Arc;

use super::{Candles, Range, TokenAmounts};
use crate::{Bar, BarModel, Bars, Blocks, Path, PriceModel, SimulationError, Streams, Units};

/// What a pool pays, and to whom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CandleTerms {
    /// Fee, as a part of the input.
    pub fee: f64,
    /// The protocol's part of it.
    pub protocol_share: f64,
    /// When arbitrageurs can trade.
    pub blocks: Blocks,
    /// What takers pay a day for each unit of liquidity in range, in raw units of token 1: half of it in either token.
    pub takers_day: f64,
    /// The tokens' decimals; prices are token 1 per token 0.
    pub units: Units,
    /// Ways through the candles.
    pub paths: u64,
    /// Seed of them.
    pub seed: u64,
}

/// What a position would have earned, and what it holds at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CandlesReport {
    /// The best estimate of its fees.
    pub fees: TokenAmounts,
    /// What the price's moves must have paid.
    pub fees_low: TokenAmounts,
    /// What they hardly exceed.
    pub fees_high: TokenAmounts,
    /// The liquidity's tokens at the last close.
    pub amounts: TokenAmounts,
    /// Candles, missing ones not counted.
    pub candles: u64,
    /// Candles that ended in range.
    pub in_range: u64,
}

/// Steps of a way through a candle.
const STEPS: u32 = 24;
/// Which of the ways the upper bound is taken from.
const QUANTILE: f64 = 0.99;

/// What `liquidity` in a range would have earned along the candles. `walked` is called after each way through them.
///
/// # Errors
/// [`SimulationError`]: candles of no length.
pub fn candle_fees(
    candles: &Candles,
    terms: &CandleTerms,
    range: Range,
    liquidity: f64,
    walked: impl Fn(),
) -> Result<CandlesReport, SimulationError> {
    let (lower, upper) = range.ends();
    // Logarithms of raw prices.
    let log_tick = 1.0001f64.ln();
    let ends = (f64::from(lower) * log_tick, f64::from(upper) * log_tick);
    let scale = (terms.units.quote_scale() / terms.units.base_scale()).ln();
    let first = candles.first_open.ln() + scale;
    let bars = moving(candles);
    let count = bars.len();
    let bars = Arc::new(Bars::new(bars, candles.secs as f64)?);
    let days = candles.secs as f64 / 86_400.0;
    let mut ways: Vec<[f64; 2]> = Vec::with_capacity(terms.paths as usize);
    for path in 0..terms.paths.max(1) {
        let mut way =
            BarModel::Replay(Arc::clone(&bars)).path(first, Streams::new(terms.seed), path);
        let step_days = days / f64::from(STEPS);
        let mut sum = [0.0; 2];
        let mut at = first;
        for _ in 0..count as u64 * u64::from(STEPS) {
            let step = way.step(step_days);
            let inside = f64::from(u8::from(ends.0 <= at && at < ends.1));
            let sigma_day = (step.variance / step_days).sqrt();
            let handed_back = 1.0 - terms.blocks.arbitrage_part(terms.fee, sigma_day);
            let root = (at / 2.0).exp();
            // L sigma^2 s / 4, half of it in either token.
            let arbitrage = handed_back * step.variance * root / 8.0;
            let quote = (arbitrage + terms.takers_day / 2.0 * step_days) * inside;
            sum[1] += quote;
            sum[0] += quote / (root * root);
            at = step.log_price;
        }
        ways.push(sum);
        walked();
    }
    let kept = 1.0 - terms.protocol_share;
    let amount = |sums: [f64; 2]| TokenAmounts {
        token0: sums[0] * liquidity * kept,
        token1: sums[1] * liquidity * kept,
    };
    let mean = [0, 1].map(|side| ways.iter().map(|way| way[side]).sum::<f64>() / ways.len() as f64);
    let low = shortest(candles, terms.fee, first, ends);
    // Where fees are certain, the mean of ways may be on the wrong side of them by rounding.
    let high = [0, 1].map(|side| {
        let mut sums: Vec<f64> = ways.iter().map(|way| way[side]).collect();
        sums.sort_by(f64::total_cmp);
        let rank = (sums.len() as f64 * QUANTILE).ceil() as usize;
        let found = sums.get(rank.clamp(1, sums.len()) - 1).copied();
        found.unwrap_or(0.0).max(mean[side])
    });
    let mean = [0, 1].map(|side| mean[side].max(low[side]));
    let mut at = first;
    let mut in_range = 0;
    for bar in &candles.bars {
        at += bar.close;
        in_range += u64::from(ends.0 <= at && at < ends.1);
    }
    Ok(CandlesReport {
        fees: amount(mean),
        fees_low: amount(low),
        fees_high: amount([high[0].max(low[0]), high[1].max(low[1])]),
        amounts: super::minutes::amounts(range, (at / log_tick).floor() as i32, liquidity),
        candles: count as u64 - candles.missing.min(count as u64),
        in_range,
    })
}

/// The candles, with the mean range for those that are missing.
fn moving(candles: &Candles) -> Vec<Bar> {
    let range = |bar: &Bar| bar.high - bar.low;
    let there: Vec<&Bar> = candles.bars.iter().filter(|bar| !is_filled(bar)).collect();
    let mean = there.iter().map(|bar| range(bar)).sum::<f64>() / there.len().max(1) as f64;
    let widen = |bar: &Bar| {
        let missing = (mean - range(bar)).max(0.0) / 2.0;
        Bar {
            high: bar.high + missing,
            low: bar.low - missing,
            close: bar.close,
        }
    };
    let fill = |bar: &Bar| {
        if candles.missing > 0 && is_filled(bar) {
            widen(bar)
        } else {
            *bar
        }
    };
    candles.bars.iter().map(fill).collect()
}

/// Whether a candle is a straight line, as those are that stand for missing ones.
fn is_filled(bar: &Bar) -> bool {
    bar.high == bar.close.max(0.0) && bar.low == bar.close.min(0.0)
}

/// Fees of both tokens per unit of liquidity along the shortest way, on which the pool's price follows the market's from the nearer
/// edge of the fee's band.
fn shortest(candles: &Candles, fee: f64, first: f64, ends: (f64, f64)) -> [f64; 2] {
    let mut at = first;
    let mut pools = [crate::ReflectedPool::new(first, fee); 2];
    let mut sums = [[0.0; 2]; 2];
    for bar in &candles.bars {
        let (low, high, close) = (at + bar.low, at + bar.high, at + bar.close);
        // Along all candles, lowest first or highest first: the cheaper one for each token is a lower bound of each mixture.
        for ((pool, sums), points) in pools
            .iter_mut()
            .zip(&mut sums)
            .zip([[low, high, close], [high, low, close]])
        {
            for point in points {
                let trade = pool.arbitrage(point, ends);
                sums[0] += trade.fee_base;
                sums[1] += trade.fee_quote;
            }
        }
        at = close;
    }
    [0, 1].map(|side| f64::min(sums[0][side], sums[1][side]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backtest::read_candles;

    const TERMS: CandleTerms = CandleTerms {
        fee: 0.000_4,
        protocol_share: 0.0,
        blocks: Blocks::Fixed(0.4),
        takers_day: 0.0,
        units: Units {
            base_decimals: 9,
            quote_decimals: 6,
        },
        paths: 50,
        seed: 1,
    };

    /// An hour at 200, up to 202, down to 198, and back.
    fn candles(more: &str) -> Candles {
        let text = "time,open,high,low,close\n0,200,202,198,200\n3600,200,202,198,200\n";
        read_candles(&format!("{text}{more}")).unwrap()
    }

    fn range(lower: f64, upper: f64) -> Range {
        let tick = |price: f64| ((price / 1e3).ln() / 1.0001f64.ln()) as i32;
        Range::new(tick(lower), tick(upper)).unwrap()
    }

    #[test]
    fn the_estimate_lies_between_what_is_certain_and_what_is_unlikely() {
        let report = candle_fees(&candles(""), &TERMS, range(150.0, 250.0), 1e12, || ()).unwrap();
        for pick in [|a: TokenAmounts| a.token0, |a: TokenAmounts| a.token1] {
            let (low, fees, high) = (
                pick(report.fees_low),
                pick(report.fees),
                pick(report.fees_high),
            );
            assert!(0.0 < low && low < fees && fees < high, "{report:?}");
        }
        // Down 1 %, up 2 %, down 1 %, twice: 1.5 % to 3 % of s in either direction, 0.04 % of it.
        let s = 0.2f64.sqrt();
        let least = 2.0 * (0.5 * 0.02 - 4.0 * 0.000_4) * s * 0.000_4 * 1e12;
        let most = 2.0 * 0.5 * 0.02 * s * 0.000_4 * 1e12 * 1.01;
        assert!(
            (least..most).contains(&report.fees_low.token1),
            "{report:?}"
        );
        // By formula: variance of a range of 2 % (Parkinson), times what is handed back.
        let variance = 2.0 * (202f64 / 198.0).ln().powi(2) / (4.0 * 2f64.ln());
        let sigma_day = (variance / 2.0 * 24.0).sqrt();
        let back = 1.0 - TERMS.blocks.arbitrage_part(TERMS.fee, sigma_day);
        let expected = back * variance * s / 8.0 * 1e12;
        assert!((report.fees.token1 / expected - 1.0).abs() < 0.01);
        assert_eq!((report.candles, report.in_range), (2, 2));
    }

    #[test]
    fn outside_nothing_is_earned_and_takers_are_paid_by_the_day() {
        let none = candle_fees(&candles(""), &TERMS, range(300.0, 400.0), 1e12, || ()).unwrap();
        assert_eq!(none.fees_high, TokenAmounts::default());
        assert_eq!((none.amounts.token1, none.in_range), (0.0, 0));
        let takers = CandleTerms {
            takers_day: 2e-3,
            ..TERMS
        };
        let wide = range(150.0, 250.0);
        let fees = |terms| {
            candle_fees(&candles(""), terms, wide, 1e12, || ())
                .unwrap()
                .fees
                .token1
        };
        let more = fees(&takers) - fees(&TERMS);
        assert!((more / (1e9 / 12.0) - 1.0).abs() < 1e-9, "{more}");
        let shared = CandleTerms {
            protocol_share: 0.25,
            ..TERMS
        };
        assert!((fees(&shared) / fees(&TERMS) - 0.75).abs() < 1e-12);
    }

    #[test]
    fn missing_candles_are_not_quiet_ones() {
        let wide = range(150.0, 250.0);
        let whole = candle_fees(&candles(""), &TERMS, wide, 1e12, || ()).unwrap();
        // Two are missing, and one more comes.
        let holed = candles("14400,200,202,198,200\n");
        assert_eq!(holed.missing, 2);
        let holed = candle_fees(&holed, &TERMS, wide, 1e12, || ()).unwrap();
        assert_eq!(holed.candles, 3);
        // Five as lively as two.
        let rate = holed.fees.token1 / whole.fees.token1;
        assert!((rate / 2.5 - 1.0).abs() < 0.01, "{rate}");
        // For certain only three.
        let rate = holed.fees_low.token1 / whole.fees_low.token1;
        assert!(rate < 1.6, "{rate}");
    }

    #[test]
    fn a_seed_decides_everything() {
        let wide = range(150.0, 250.0);
        let run = |seed| {
            candle_fees(
                &candles(""),
                &CandleTerms { seed, ..TERMS },
                wide,
                1e12,
                || (),
            )
        };
        assert_eq!(run(3).unwrap(), run(3).unwrap());
        assert_ne!(run(3).unwrap().fees_high, run(4).unwrap().fees_high);
    }
}
