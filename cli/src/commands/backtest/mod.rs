//! `ballast backtest`: what a position would have earned on recorded trading. Offline.

mod out;
mod report;
mod runs;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use ballast_simulator::backtest::Range;
use clap::Args;

use crate::{
    decimal::Decimal,
    report::Output,
    study::{Invocation, Study},
    trouble::misuse,
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
    /// Everything in a directory: run.json, summary.json, a picture as SVG, and report.html
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
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

/// Looks back and prints.
///
/// # Errors
/// A file that cannot be read, or is wrong: with the line; an empty range.
pub fn run(args: &BacktestArgs, invocation: &Invocation, output: &mut Output) -> Result<()> {
    let range = Range::new(args.lower_tick, args.upper_tick).with_context(|| {
        format!(
            "--lower-tick {} is not below --upper-tick {}: a range needs its lower end first",
            args.lower_tick, args.upper_tick
        )
    })?;
    ensure!(
        args.liquidity > 0,
        misuse!("--liquidity must be greater than 0")
    );
    let study = args.out.as_deref().map(Study::create).transpose()?;
    let record = &args.record;
    let report = match (&record.pool_minutes, &record.swaps, &record.candles) {
        (Some(_), ..) => runs::on_minutes(args, range),
        (None, Some(_), _) => runs::on_swaps(args, range),
        _ => runs::on_candles(args, range),
    }?;
    if let Some(mut study) = study {
        out::write(&mut study, &report)?;
        study.finish(invocation, &out::inputs(args), &report)?;
    }
    output.print(&report)
}
