//! `ballast calibrate`: models from recorded candles or pool minutes, each parameter with its error. Offline.

mod report;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use ballast_simulator::{
    Blocks, Units,
    backtest::{read_candles, read_minutes},
    calibrate::{Moves, fit_diffusion, fit_jumps, fit_regimes, measure_flow},
};
use clap::Args;
use sha2::{Digest, Sha256};

use super::simulate::model_file::{
    FlowTable, GbmTable, JumpsTable, ModelFile, RegimeTable, SourceFile, SourceTable,
};
use crate::{
    decimal::Positive,
    progress::count_bar,
    recorded::{self, Token},
    report::Output,
    trouble::misuse,
};
use report::CalibrateReport;

/// A column that only pool minutes have.
const MINUTES_COLUMN: &str = "currentLiquidity";
/// Pool minutes are sampled so seldom by default: within a few minutes a pool's price bounces in its fee.
const MINUTES_SAMPLE: f64 = 600.0;
const SECS_PER_DAY: f64 = 86_400.0;
/// Diffusion, jumps, regimes.
const FITS: u64 = 3;

/// What to fit.
#[derive(Args, Debug)]
pub struct CalibrateArgs {
    /// Recorded candles, or recorded minutes of a pool, as CSV (may be gzipped); several files of one kind, in the order of time. What
    /// lies between them is not known. Funding and basis of a perp venue are in neither and not fitted: `ballast simulate` has options of
    /// them, and the file that --out writes may get a table `[perp]`
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Seconds between two looks at the price; by default those of the candles, and 600 for pool minutes
    #[arg(long)]
    pub sample_secs: Option<Positive>,
    /// Pool minutes: which token is the base, whose price in the other it is about
    #[arg(long, value_enum, default_value_t = Token::Token0)]
    pub base: Token,
    /// Pool minutes: decimals of the base token
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u8).range(..=18))]
    pub base_decimals: u8,
    /// Pool minutes: decimals of the quote token
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u8).range(..=18))]
    pub quote_decimals: u8,
    /// Pool minutes: the pool's fee, in millionths of the input. With the seconds between blocks it says what of the volume is
    /// arbitrage
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(..1_000_000))]
    pub fee_ppm: u32,
    /// Pool minutes: seconds between blocks
    #[arg(long, default_value = "0.4")]
    pub block_secs: Positive,
    /// Write the models there, for --model-file
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Fits, writes and prints.
///
/// # Errors
/// Files that cannot be read, are wrong, do not go together or say too little.
pub fn run(args: &CalibrateArgs, output: &mut Output) -> Result<()> {
    let bar = count_bar(args.files.len() as u64 + FITS, "steps");
    let report = report(args, || bar.inc(1));
    bar.finish_and_clear();
    let report = report?;
    if let Some(path) = &args.out {
        let text = toml::to_string(&report.model).context("--out")?;
        fs::write(path, text)
            .with_context(|| format!("cannot write --out {}: check the path", path.display()))?;
    }
    output.print(&report)
}

/// `done` is called after each file that is read, and after each fit.
fn report(args: &CalibrateArgs, done: impl Fn()) -> Result<CalibrateReport> {
    let mut moves = Moves::default();
    let mut files = Vec::new();
    let mut are_minutes = false;
    for path in &args.files {
        let named = || path.display().to_string();
        let text = recorded::text("FILE", path)?;
        let first = text.lines().next().unwrap_or_default();
        let next = if first.contains(MINUTES_COLUMN) {
            are_minutes = true;
            let (minutes, _) = read_minutes(&text).with_context(named)?;
            Moves::of_minutes(
                &minutes,
                args.base.quoted(args.base_decimals, args.quote_decimals),
            )
        } else {
            Moves::of_candles(&read_candles(&text).with_context(named)?)
        };
        moves = moves.then(next).with_context(named)?;
        files.push(SourceFile {
            name: path
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into()),
            sha256: sha256(text.as_bytes()),
        });
        done();
    }
    let every = every(args, &moves, are_minutes)?;
    let sampled = moves.every(every);
    let diffusion = fit_diffusion(&sampled).context("the record")?;
    done();
    let jumps = fit_jumps(&sampled)?;
    done();
    let regimes = fit_regimes(&sampled)?;
    done();
    let units = Units {
        base_decimals: args.base_decimals,
        quote_decimals: args.quote_decimals,
    };
    let flow = are_minutes
        .then(|| {
            measure_flow(
                &moves,
                diffusion.sigma_day.value,
                f64::from(args.fee_ppm) / 1e6,
                Blocks::Fixed(args.block_secs.f64()),
                (units.base_scale() * units.quote_scale()).sqrt(),
            )
        })
        .flatten();
    let (count, missing) = sampled.count();
    // Schwarz: half the logarithm of the number of moves for each parameter.
    let criterion = |likelihood: f64, parameters: f64| {
        likelihood - parameters / 2.0 * ((count - missing) as f64).ln()
    };
    let candidates = [
        ("gbm", Some(criterion(diffusion.log_likelihood, 2.0))),
        ("jumps", jumps.map(|fit| criterion(fit.log_likelihood, 5.0))),
        (
            "regimes",
            regimes.map(|fit| criterion(fit.log_likelihood, 4.0)),
        ),
    ];
    let best = candidates
        .iter()
        .max_by(|one, other| {
            let value = |fit: Option<f64>| fit.unwrap_or(f64::NEG_INFINITY);
            value(one.1).total_cmp(&value(other.1))
        })
        .map_or("gbm", |(name, _)| *name);
    let model = ModelFile {
        source: Some(SourceTable {
            files,
            step_secs: sampled.secs(),
            moves: count,
            missing,
            best: best.into(),
        }),
        gbm: Some(GbmTable {
            sigma_day: diffusion.sigma_day.into(),
            drift_day: Some(diffusion.drift_day.into()),
        }),
        jumps: jumps.map(|fit| JumpsTable {
            sigma_day: fit.sigma_day.into(),
            per_day: fit.per_day.into(),
            mean: fit.mean.into(),
            sd: fit.sd.into(),
        }),
        regimes: regimes.map_or_else(Vec::new, |fit| {
            let table = fit.regimes.map(|regime| RegimeTable {
                sigma_day: regime.sigma_day.into(),
                days: regime.days.into(),
                volume: regime.volume.map(Into::into),
                funding_hour: None,
                other_depth: None,
            });
            table.into()
        }),
        flow: flow.map(|flow| FlowTable {
            volume_day: flow.volume_day.into(),
            taker_volume_day: flow.taker_volume_day.into(),
            liquidity: flow.liquidity.into(),
        }),
        // A record of one pool does not show these.
        depth: None,
        adaptive_fee: None,
        other_pool: None,
        routing_shift: None,
        perp: None,
        utilisation: None,
        oracle: None,
    };
    Ok(CalibrateReport {
        days: count as f64 * sampled.secs() / SECS_PER_DAY,
        last_price: moves.last_price(),
        model,
    })
}

/// How many moves of the record are one.
fn every(args: &CalibrateArgs, moves: &Moves, are_minutes: bool) -> Result<usize> {
    let secs = match &args.sample_secs {
        Some(secs) => secs.f64(),
        None if are_minutes => MINUTES_SAMPLE,
        None => moves.secs(),
    };
    let every = secs / moves.secs();
    ensure!(
        every >= 1.0 && every.fract() == 0.0,
        misuse!(
            "--sample-secs {secs} is no multiple of the record's {} seconds",
            moves.secs()
        )
    );
    Ok(every as usize)
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
