//! `ballast backtest`: what a position would have earned on recorded trading. Offline.

use std::{fmt, path::PathBuf};

use anyhow::{Context, Result, ensure};
use ballast_simulator::{
    Blocks, Units,
    backtest::{
        CandleTerms, Minute, MinutesReport, Range, Repairs, SwapTerms, TokenAmounts, candle_fees,
        pool_minutes, read_candles, read_minutes, read_swaps, read_ticks, swaps,
    },
};
use clap::Args;
use serde::Serialize;

use crate::{
    decimal::Decimal,
    format::percent,
    recorded,
    report::{Output, note},
    table::Table,
};

/// What to look back on.
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
pub struct BacktestArgs {
    #[command(flatten)]
    pub record: RecordArgs,
    /// The pool's fee, in millionths of the input
    #[arg(long, value_parser = clap::value_parser!(u32).range(..1_000_000))]
    pub fee_ppm: u32,
    /// The protocol's part of each fee, in basis points. Recorded minutes have all of the fee
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=10_000))]
    pub protocol_bps: u32,
    /// Tick at which the range begins
    #[arg(long)]
    pub lower_tick: i32,
    /// Tick before which the range ends
    #[arg(long)]
    pub upper_tick: i32,
    /// Liquidity of the position, in the pool's unit
    #[arg(long)]
    pub liquidity: u128,
    #[command(flatten)]
    pub candle: CandleArgs,
}

/// What was recorded.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub struct RecordArgs {
    /// Recorded minutes of a pool, as CSV (may be gzipped) with the columns timestamp, netAmount0, netAmount1, closeTick,
    /// openTick, lowestTick, highestTick, inAmount0, inAmount1, currentLiquidity. Fees come as an interval, which holds only if the pool's
    /// liquidity within a minute lay between that before and that after it: where liquidity comes for single swaps (just in time),
    /// even the least may be too much
    #[arg(long, value_name = "FILE", conflicts_with_all = ["swaps", "ticks", "candles"])]
    pub pool_minutes: Option<PathBuf>,
    /// Recorded swaps of a pool, as CSV (may be gzipped) with the columns timestamp, amount0, amount1 (positive into the pool),
    /// sqrtPriceX64 or sqrtPriceX96 and liquidity, both afterwards
    #[arg(long, value_name = "FILE", conflicts_with = "candles")]
    pub swaps: Option<PathBuf>,
    /// What becomes active at each tick of that pool, as CSV with the columns tick and liquidityNet: swaps are done again in whole units
    #[arg(long, value_name = "FILE", requires = "swaps")]
    pub ticks: Option<PathBuf>,
    /// Recorded candles, as CSV (may be gzipped) with the columns time, open, high, low, close, or a Binance kline file: what the
    /// price's moves must have paid
    #[arg(long, value_name = "FILE")]
    pub candles: Option<PathBuf>,
}

/// What candles do not say.
#[derive(Args, Debug)]
#[command(next_help_heading = "Candles")]
pub struct CandleArgs {
    /// Decimals of token 0
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u8).range(..=18))]
    pub token0_decimals: u8,
    /// Decimals of token 1
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u8).range(..=18))]
    pub token1_decimals: u8,
    /// Prices are token 0 per token 1, and not token 1 per token 0
    #[arg(long)]
    pub inverted: bool,
    /// Seconds between two chances of arbitrageurs to trade
    #[arg(long, default_value_t = 0.4)]
    pub block_secs: f64,
    /// What takers trade a day through the position while it is in range, in whole tokens 1
    #[arg(long, value_name = "AMOUNT")]
    pub taker_volume_day: Option<Decimal>,
    /// Ways through the candles
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub paths: u64,
    /// Seed of them
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Fees as estimate and interval, and what the position holds at the end; raw units.
#[derive(Debug, Serialize)]
pub struct BacktestReport {
    pub fees: Raw,
    pub fees_low: Raw,
    pub fees_high: Raw,
    pub amounts: Raw,
    #[serde(flatten)]
    pub record: Recorded,
}

/// What of the record there is to say.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Recorded {
    Minutes {
        minutes: u64,
        minutes_in_range: u64,
        /// Minutes of the record's first day before it begins; they are not counted as missing.
        minutes_before: u64,
        /// Minutes of its last day after it ends.
        minutes_after: u64,
        repairs: Repaired,
        /// What the interval takes for granted.
        notes: [&'static str; 1],
    },
    Swaps {
        swaps: u64,
        swaps_in_range: u64,
        /// Swaps that were done again to the unit.
        swaps_exact: u64,
        /// Times at which swaps are missing.
        gaps: u64,
        /// Swaps that moved the price against what was paid in.
        backwards: u64,
    },
    Candles {
        candles: u64,
        candles_in_range: u64,
        missing_candles: u64,
        outside: u64,
    },
}

/// Raw units of both tokens, as decimal strings: they outgrow what JSON readers keep.
#[derive(Debug, Serialize)]
pub struct Raw {
    pub token0: String,
    pub token1: String,
}

impl From<TokenAmounts> for Raw {
    fn from(amounts: TokenAmounts) -> Self {
        // `as` cuts the fraction off.
        let whole = |amount: f64| (amount as u128).to_string();
        Self {
            token0: whole(amounts.token0),
            token1: whole(amounts.token1),
        }
    }
}

/// What of the file contradicted itself, or was not there.
#[derive(Debug, Serialize)]
pub struct Repaired {
    pub missing_minutes: u64,
    pub close_outside: u64,
    pub open_outside: u64,
    pub net_above_gross: u64,
    pub fractions: u64,
}

impl From<Repairs> for Repaired {
    fn from(repairs: Repairs) -> Self {
        Self {
            missing_minutes: repairs.missing_minutes,
            close_outside: repairs.close_outside,
            open_outside: repairs.open_outside,
            net_above_gross: repairs.net_above_gross,
            fractions: repairs.fractions,
        }
    }
}

/// What a record of minutes says about liquidity.
const LIQUIDITY_WITHIN_MINUTES: &str = "the interval holds if the pool's liquidity within each minute lay between that before and that after it; \
     liquidity that comes for single swaps makes all of these fees too high";
const MINUTES_PER_DAY: i64 = 1_440;

impl BacktestReport {
    fn of_minutes(report: MinutesReport, minutes: &[Minute]) -> Self {
        let of_day = |minute: Option<&Minute>| {
            minute.map(|minute| (minute.time_secs / 60).rem_euclid(MINUTES_PER_DAY))
        };
        let whole = |minutes: i64| u64::try_from(minutes).unwrap_or(0);
        Self {
            fees: report.fees.into(),
            fees_low: report.fees_low.into(),
            fees_high: report.fees_high.into(),
            amounts: report.amounts.into(),
            record: Recorded::Minutes {
                minutes: report.minutes,
                minutes_in_range: report.in_range,
                minutes_before: of_day(minutes.first()).map_or(0, whole),
                minutes_after: of_day(minutes.last())
                    .map_or(0, |last| whole(MINUTES_PER_DAY - 1 - last)),
                repairs: report.repairs.into(),
                notes: [LIQUIDITY_WITHIN_MINUTES],
            },
        }
    }
}

/// Looks back and prints.
///
/// # Errors
/// A file that cannot be read, or is wrong: with the line; an empty range.
pub fn run(args: &BacktestArgs, output: &mut Output) -> Result<()> {
    let range = Range::new(args.lower_tick, args.upper_tick).with_context(|| {
        format!(
            "--lower-tick {} is not below --upper-tick {}: a range needs its lower end first",
            args.lower_tick, args.upper_tick
        )
    })?;
    ensure!(args.liquidity > 0, "--liquidity must be greater than 0");
    let record = &args.record;
    let report = match (&record.pool_minutes, &record.swaps, &record.candles) {
        (Some(_), ..) => on_minutes(args, range),
        (None, Some(_), _) => on_swaps(args, range),
        _ => on_candles(args, range),
    };
    output.print(&report?)
}

/// A file that was named, as text; and how it was.
fn read(option: &str, path: Option<&PathBuf>) -> Result<(String, String)> {
    let path = path.with_context(|| format!("{option} is needed"))?;
    let named = format!("{option} {}", path.display());
    Ok((recorded::text(option, path)?, named))
}

fn on_minutes(args: &BacktestArgs, range: Range) -> Result<BacktestReport> {
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

fn on_swaps(args: &BacktestArgs, range: Range) -> Result<BacktestReport> {
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

fn on_candles(args: &BacktestArgs, range: Range) -> Result<BacktestReport> {
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
        "--block-secs {block_secs} must be greater than 0"
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
    let report = candle_fees(&candles, &terms, range, args.liquidity as f64)?;
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

impl fmt::Display for BacktestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(["<", "token 0", "token 1"]);
        for (name, raw) in [
            ("fees, estimate", &self.fees),
            ("fees, at least", &self.fees_low),
            ("fees, at most", &self.fees_high),
            ("tokens at the end", &self.amounts),
        ] {
            table.row([name.to_owned(), raw.token0.clone(), raw.token1.clone()]);
        }
        writeln!(f, "{table}")?;
        let part = |inside: u64, all: u64| percent(inside as f64 / all.max(1) as f64);
        match &self.record {
            Recorded::Minutes {
                minutes,
                minutes_in_range,
                minutes_before,
                minutes_after,
                notes,
                repairs:
                    Repaired {
                        missing_minutes,
                        close_outside,
                        open_outside,
                        net_above_gross,
                        fractions,
                    },
            } => writeln!(
                f,
                "{minutes} minutes, {} of them in range. Repaired: {missing_minutes} missing, {close_outside} closes and \
                 {open_outside} opens outside of their minute, {net_above_gross} net amounts above gross, {fractions} lines with \
                 fractions of ticks or amounts. Of its first day {minutes_before} minutes are before the record, of its last {minutes_after} \
                 after it.\n{}",
                part(*minutes_in_range, *minutes),
                notes.join("\n"),
            ),
            Recorded::Swaps {
                swaps,
                swaps_in_range,
                swaps_exact,
                gaps,
                backwards,
            } => writeln!(
                f,
                "{swaps} swaps, {} of them ended in range, {swaps_exact} were done again to the unit. Swaps are missing at {gaps} \
                 times; {backwards} moved the price against what was paid in",
                part(*swaps_in_range, *swaps),
            ),
            Recorded::Candles {
                candles,
                candles_in_range,
                missing_candles,
                outside,
            } => writeln!(
                f,
                "{candles} candles, {} of all in range: what the price's moves have paid, by arbitrage. Repaired: \
                 {missing_candles} missing, {outside} opens or closes outside of their candle",
                part(*candles_in_range, candles + missing_candles),
            ),
        }
    }
}
