//! Three kinds of records, each looked back on in its own way.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use ballast_simulator::{
    Blocks, Units,
    backtest::{
        CandleTerms, Range, SwapTerms, candle_fees, pool_minutes, read_candles, read_minutes,
        read_swaps, read_ticks, swaps,
    },
};

use super::{
    BacktestArgs, CandleArgs,
    report::{BacktestReport, Recorded},
};
use crate::trouble::misuse;
use crate::{progress::count_bar, recorded, report::note};

/// A file that was named, as text; and how it was.
fn read(option: &str, path: Option<&PathBuf>) -> Result<(String, String)> {
    let path = path.with_context(|| format!("{option} is needed"))?;
    let named = format!("{option} {}", path.display());
    Ok((recorded::text(option, path)?, named))
}

/// Minutes of a pool: fees as an interval.
///
/// # Errors
/// A file that cannot be read, or is wrong.
pub fn on_minutes(args: &BacktestArgs, range: Range) -> Result<BacktestReport> {
    let (text, named) = read("--pool-minutes", args.record.pool_minutes.as_ref())?;
    let (minutes, repairs) = read_minutes(&text).context(named)?;
    // Of what is paid in, the protocol's part of the fee reaches nobody's liquidity.
    let fee = f64::from(args.fee_ppm) / 1e6;
    let mut report = pool_minutes(&minutes, repairs, fee, range, args.liquidity as f64);
    let kept = 1.0 - f64::from(args.protocol_bps) / 1e4;
    for amounts in [
        &mut report.fees,
        &mut report.fees_low,
        &mut report.fees_high,
    ] {
        amounts.token0 *= kept;
        amounts.token1 *= kept;
    }
    if repairs.missing_minutes > 0 {
        note(format_args!(
            "{} minutes are missing: what they may have paid is in the estimate and in the interval",
            repairs.missing_minutes
        ));
    }
    Ok(BacktestReport::of_minutes(report, &minutes))
}

/// Swaps of a pool, to the unit where its ticks are known.
///
/// # Errors
/// A file that cannot be read, or is wrong.
pub fn on_swaps(args: &BacktestArgs, range: Range) -> Result<BacktestReport> {
    let (text, named) = read("--swaps", args.record.swaps.as_ref())?;
    let record = read_swaps(&text).context(named)?;
    let ticks = match &args.record.ticks {
        None => None,
        path => {
            let (text, named) = read("--ticks", path.as_ref())?;
            Some(read_ticks(&text).context(named)?)
        }
    };
    let terms = SwapTerms {
        fee_ppm: args.fee_ppm,
        protocol_bps: args.protocol_bps,
    };
    let report = swaps(&record, ticks.as_ref(), terms, range, args.liquidity);
    if report.gaps > 0 {
        note(format_args!(
            "swaps are missing at {} times: what they have paid at least is in the estimate",
            report.gaps
        ));
    }
    Ok(BacktestReport {
        fees: report.fees.into(),
        fees_low: report.fees_low.into(),
        fees_high: report.fees_high.into(),
        amounts: report.amounts.into(),
        record: Recorded::Swaps {
            swaps: report.swaps,
            swaps_in_range: report.in_range,
            swaps_exact: report.exact,
            gaps: report.gaps,
            backwards: report.backwards,
        },
    })
}

/// Candles: what the price's moves must have paid.
///
/// # Errors
/// A file that cannot be read, or is wrong.
pub fn on_candles(args: &BacktestArgs, range: Range) -> Result<BacktestReport> {
    let (text, named) = read("--candles", args.record.candles.as_ref())?;
    let mut candles = read_candles(&text).context(named)?;
    let CandleArgs {
        token0_decimals,
        token1_decimals,
        inverted,
        block_secs,
        ..
    } = args.candle;
    ensure!(
        block_secs.is_finite() && block_secs > 0.0,
        misuse!("--block-secs {block_secs} must be greater than 0")
    );
    if inverted {
        candles = candles.inverted();
    }
    let fee = f64::from(args.fee_ppm) / 1e6;
    let volume = match &args.candle.taker_volume_day {
        Some(volume) => volume.raw(token1_decimals).context("--taker-volume-day")?,
        None => 0,
    };
    let terms = CandleTerms {
        fee,
        protocol_share: f64::from(args.protocol_bps) / 1e4,
        blocks: Blocks::Fixed(block_secs),
        takers_day: volume as f64 * fee / args.liquidity as f64,
        units: Units {
            base_decimals: token0_decimals,
            quote_decimals: token1_decimals,
        },
        paths: args.candle.paths,
        seed: args.candle.seed,
    };
    let bar = count_bar(terms.paths, "paths");
    let walked = || bar.inc(1);
    let report = candle_fees(&candles, &terms, range, args.liquidity as f64, walked);
    bar.finish_and_clear();
    let report = report?;
    if candles.missing > 0 {
        note(format_args!(
            "{} candles are missing: in the estimate they move as much as the others",
            candles.missing
        ));
    }
    Ok(BacktestReport {
        fees: report.fees.into(),
        fees_low: report.fees_low.into(),
        fees_high: report.fees_high.into(),
        amounts: report.amounts.into(),
        record: Recorded::Candles {
            candles: report.candles,
            candles_in_range: report.in_range,
            missing_candles: candles.missing,
            outside: candles.outside,
        },
    })
}
