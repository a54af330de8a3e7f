//! `ballast backtest`: what a position would have earned on recorded trading. Offline.

use std::{fmt, path::PathBuf};

use anyhow::{Context, Result, ensure};
use ballast_simulator::backtest::{
    MinutesReport, Range, Repairs, TokenAmounts, pool_minutes, read_minutes,
};
use clap::Args;
use serde::Serialize;

use crate::{
    format::percent,
    recorded,
    report::{Output, note},
    table::Table,
};

/// What to look back on.
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
pub struct BacktestArgs {
    /// Recorded minutes of a pool, as CSV (may be gzipped) with the columns timestamp, netAmount0, netAmount1, closeTick,
    /// openTick, lowestTick, highestTick, inAmount0, inAmount1, currentLiquidity
    #[arg(long, value_name = "FILE")]
    pub pool_minutes: PathBuf,
    /// The pool's fee, in millionths of the input
    #[arg(long, value_parser = clap::value_parser!(u32).range(..1_000_000))]
    pub fee_ppm: u32,
    /// Tick at which the range begins
    #[arg(long)]
    pub lower_tick: i32,
    /// Tick before which the range ends
    #[arg(long)]
    pub upper_tick: i32,
    /// Liquidity of the position, in the pool's unit
    #[arg(long)]
    pub liquidity: u128,
}

/// Fees as estimate and interval, and what the position holds at the end; raw units.
#[derive(Debug, Serialize)]
pub struct BacktestReport {
    pub fees: Raw,
    pub fees_low: Raw,
    pub fees_high: Raw,
    pub amounts: Raw,
    pub minutes: u64,
    pub minutes_in_range: u64,
    pub repairs: Repaired,
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
    pub net_above_gross: u64,
    pub fractions: u64,
}

impl From<Repairs> for Repaired {
    fn from(repairs: Repairs) -> Self {
        Self {
            missing_minutes: repairs.missing_minutes,
            close_outside: repairs.close_outside,
            net_above_gross: repairs.net_above_gross,
            fractions: repairs.fractions,
        }
    }
}

impl From<MinutesReport> for BacktestReport {
    fn from(report: MinutesReport) -> Self {
        Self {
            fees: report.fees.into(),
            fees_low: report.fees_low.into(),
            fees_high: report.fees_high.into(),
            amounts: report.amounts.into(),
            minutes: report.minutes,
            minutes_in_range: report.in_range,
            repairs: report.repairs.into(),
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
    let file = args.pool_minutes.display();
    let text = recorded::text("--pool-minutes", &args.pool_minutes)?;
    let (minutes, repairs) =
        read_minutes(&text).with_context(|| format!("--pool-minutes {file}"))?;
    let fee = f64::from(args.fee_ppm) / 1e6;
    let report = pool_minutes(&minutes, repairs, fee, range, args.liquidity as f64);
    if repairs.missing_minutes > 0 {
        note(format_args!(
            "{} minutes are missing: what they may have paid is in the estimate and in the interval",
            repairs.missing_minutes
        ));
    }
    output.print(&BacktestReport::from(report))
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
        let Repaired {
            missing_minutes,
            close_outside,
            net_above_gross,
            fractions,
        } = self.repairs;
        writeln!(
            f,
            "{} minutes, {} of them in range. Repaired: {missing_minutes} missing, {close_outside} closes outside of their minute, \
             {net_above_gross} net amounts above gross, {fractions} lines with fractions of ticks or amounts",
            self.minutes,
            percent(self.minutes_in_range as f64 / self.minutes.max(1) as f64),
        )
    }
}
