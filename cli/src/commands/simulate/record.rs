//! Recorded trading as a model of the price: candles, minutes of a pool, or its swaps.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use anyhow::{Context, Result, ensure};
use ballast_simulator::{
    Bars, Units,
    backtest::{
        Minute, Recording, Repairs, follow, read_candles, read_minutes, read_swaps, read_ticks,
    },
};
use clap::Args;
use serde::Serialize;

use crate::{
    format::significant,
    recorded::{self, Token},
    report::note,
    trouble::misuse,
};

/// Options of recorded trading.
#[derive(Args, Debug)]
pub struct RecordOptions {
    /// replay, bootstrap: recorded candles, as CSV (may be gzipped) with the columns time, open, high, low, close, or Binance's klines;
    /// they are moved to --price. A column volume says when takers trade more than they do on average
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pool_minutes", "swaps"])]
    pub candles: Option<PathBuf>,
    /// replay, bootstrap: recorded minutes of a pool, as `ballast backtest` reads them; given several times, in the order of time. Fees
    /// are those that were paid, unless --taker-volume-day says what takers trade: give the pool's own --fee-ppm
    #[arg(long, value_name = "FILE", conflicts_with = "swaps")]
    pub pool_minutes: Vec<PathBuf>,
    /// replay, bootstrap: recorded swaps of a pool, as `ballast backtest` reads them: every look finds the price that was. Fees as of
    /// --pool-minutes
    #[arg(long, value_name = "FILE")]
    pub swaps: Option<PathBuf>,
    /// What becomes active at each tick of that pool, as `ballast backtest` reads it: fees to the unit
    #[arg(long, value_name = "FILE", requires = "swaps", conflicts_with_all = ["pool_minutes", "candles"])]
    pub ticks: Option<PathBuf>,
    /// Pool minutes, swaps: which token is the base, whose price in the other it is about
    #[arg(long, value_enum, default_value_t = Token::Token0)]
    pub base: Token,
    /// Read once, however many strategies are simulated on it.
    #[arg(skip)]
    read: OnceLock<Read>,
}

/// What a record is read for.
#[derive(Clone, Copy, Debug)]
pub struct Purpose {
    /// The tokens' decimals, of the recorded pool as well.
    pub units: Units,
    /// The pool's fee.
    pub fee_ppm: u32,
    /// Seconds between two looks.
    pub step_secs: u64,
    /// Whether what takers trade is said otherwise: then only their ups and downs are taken.
    pub volume_alone: bool,
}

/// What was read.
#[derive(Clone, Debug)]
struct Read {
    bars: Arc<Bars>,
    report: RecordReport,
}

/// What of a record there is to say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecordReport {
    pub kind: &'static str,
    /// Candles, minutes, or looks at swaps.
    pub bars: usize,
    pub days: f64,
    /// Candles and minutes that are not there and were bridged; of swaps, times at which some are missing.
    pub missing: u64,
    /// Lines that contradicted themselves.
    pub repaired: u64,
    /// Lines with whole numbers that are written with a fraction of zero, like `198133.0`: nothing is wrong with them.
    pub with_fractions: u64,
    /// Swaps that were done again to the unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<u64>,
    /// Price at the start, before it was moved to the one asked for.
    pub first_price: f64,
    /// Whether fees are those that were paid.
    pub fees_as_recorded: bool,
}

impl RecordReport {
    /// In words.
    pub fn words(&self) -> String {
        let fees = if self.fees_as_recorded {
            "; fees as they were paid"
        } else {
            ""
        };
        let written = if self.with_fractions > 0 {
            format!(
                " ({} with whole numbers like 198133.0)",
                self.with_fractions
            )
        } else {
            String::new()
        };
        format!(
            "{} {}{written} from a price of {}, {} missing and {} repaired{fees}",
            self.bars,
            self.kind,
            significant(self.first_price, 6),
            self.missing,
            self.repaired
        )
    }
}

impl RecordOptions {
    /// Whether it says what was traded in a pool.
    pub fn is_of_a_pool(&self) -> bool {
        !self.pool_minutes.is_empty() || self.swaps.is_some()
    }

    /// The files that are read.
    pub fn files(&self) -> Vec<PathBuf> {
        let one = [&self.candles, &self.swaps, &self.ticks];
        let one = one.into_iter().flatten();
        one.chain(&self.pool_minutes).cloned().collect()
    }

    /// What of the record there is to say, if it was read.
    pub fn report(&self) -> Option<&RecordReport> {
        self.read.get().map(|read| &read.report)
    }

    /// The record as candles.
    ///
    /// # Errors
    /// A file that is missing, cannot be read or is wrong.
    pub fn bars(&self, purpose: Purpose) -> Result<Arc<Bars>> {
        if let Some(read) = self.read.get() {
            return Ok(Arc::clone(&read.bars));
        }
        let (kind, (recording, lines)) = if !self.pool_minutes.is_empty() {
            ("minutes", self.minutes(purpose)?)
        } else if let Some(path) = &self.swaps {
            ("looks at swaps", self.swaps(path, purpose)?)
        } else {
            let path = self.candles.as_deref().context(
                "--candles is missing: this model needs it, or --pool-minutes, or --swaps",
            )?;
            ("candles", candles(path)?)
        };
        let Recording {
            bars,
            first_price,
            missing,
            exact,
        } = recording;
        let bars = if purpose.volume_alone {
            bars.volume_alone()
        } else {
            bars
        };
        let report = RecordReport {
            kind,
            bars: bars.count(),
            days: bars.days(),
            missing,
            repaired: lines.repaired,
            with_fractions: lines.with_fractions,
            exact: self.ticks.as_ref().map(|_| exact),
            first_price,
            fees_as_recorded: bars.says_what_was_paid(),
        };
        if missing > 0 || lines.repaired > 0 {
            note(format_args!("the record: {}", report.words()));
        }
        let read = self.read.get_or_init(|| Read {
            bars: Arc::new(bars),
            report,
        });
        Ok(Arc::clone(&read.bars))
    }

    fn minutes(&self, purpose: Purpose) -> Result<(Recording, Lines)> {
        let mut all: Vec<Minute> = Vec::new();
        let mut lines = Lines::default();
        let mut last: Option<&Path> = None;
        for path in &self.pool_minutes {
            let named = || format!("--pool-minutes {}", path.display());
            let text = recorded::text("--pool-minutes", path)?;
            let (mut minutes, repairs) = read_minutes(&text).with_context(named)?;
            ensure!(
                follow(&all, &mut minutes).is_some(),
                misuse!(
                    "--pool-minutes {} does not begin after {} ends: give files in the order of time",
                    path.display(),
                    last.unwrap_or(path).display()
                )
            );
            all.append(&mut minutes);
            lines.add(repairs);
            last = Some(path);
        }
        let fee = f64::from(purpose.fee_ppm) / 1e6;
        let quoted = self
            .base
            .quoted(purpose.units.base_decimals, purpose.units.quote_decimals);
        let recording = Recording::of_minutes(&all, quoted, fee).context("--pool-minutes")?;
        Ok((recording, lines))
    }

    fn swaps(&self, path: &Path, purpose: Purpose) -> Result<(Recording, Lines)> {
        let text = recorded::text("--swaps", path)?;
        let record = read_swaps(&text).with_context(|| format!("--swaps {}", path.display()))?;
        let ticks = match &self.ticks {
            None => None,
            Some(path) => {
                let text = recorded::text("--ticks", path)?;
                let read = read_ticks(&text);
                Some(read.with_context(|| format!("--ticks {}", path.display()))?)
            }
        };
        let quoted = self
            .base
            .quoted(purpose.units.base_decimals, purpose.units.quote_decimals);
        let recording = Recording::of_swaps(
            &record,
            ticks.as_ref(),
            quoted,
            purpose.fee_ppm,
            purpose.step_secs,
        )
        .context("--swaps")?;
        Ok((recording, Lines::default()))
    }
}

fn candles(path: &Path) -> Result<(Recording, Lines)> {
    let text = recorded::text("--candles", path)?;
    let read = read_candles(&text).with_context(|| format!("--candles {}", path.display()))?;
    let lines = Lines {
        repaired: read.outside,
        with_fractions: 0,
    };
    let recording = Recording::of_candles(read).context("--candles")?;
    Ok((recording, lines))
}

/// Lines that there is something to say of.
#[derive(Clone, Copy, Debug, Default)]
struct Lines {
    /// They contradicted themselves.
    repaired: u64,
    /// They are only written in another way.
    with_fractions: u64,
}

impl Lines {
    fn add(&mut self, repairs: Repairs) {
        let Repairs {
            missing_minutes: _,
            close_outside,
            open_outside,
            net_above_gross,
            fractions,
        } = repairs;
        self.repaired += close_outside + open_outside + net_above_gross;
        self.with_fractions += fractions;
    }
}
