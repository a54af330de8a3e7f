//! `cargo xtask parameters`: the figures of docs/PARAMETERS.md that simulations say, by the command line's own `compare` and `optimise`.
//!
//! Whoever wants another default of a policy shows here that it is better: in most models, recorded candles among them, and worse in none.

mod around;
mod study;

use std::{fmt::Write, fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::{process, repository};

const FILE: &str = "docs/PARAMETERS.md";
/// Of the folder of recorded data.
const CANDLES: &str = "solusdt-1h.csv.gz";
const BEGIN_POLICY: &str = "<!-- policy: written by `cargo xtask parameters` from here -->\n";
const BEGIN_LEVERAGE: &str = "<!-- leverage: written by `cargo xtask parameters` from here -->\n";
const BEGIN_RECENTER: &str = "<!-- recenter: written by `cargo xtask parameters` from here -->\n";
const BEGIN_FORMULA: &str = "<!-- by formula: written by `cargo xtask parameters` from here -->\n";
const BEGIN_AROUND: &str = "<!-- around: written by `cargo xtask parameters` from here -->\n";
const END: &str = "<!-- to here -->\n";
/// The delta band of a new position, in basis points.
const DEFAULT_BPS: u32 = 1_000;
/// The target after a rehedge, as a part of the band: as of a new position.
const TARGET: u32 = 2;
/// Models, and the seconds between two looks.
const MODELS: (&str, &str) = ("gbm,jumps,regimes", "600");
/// Recorded candles are looked at where they close: what the price did within them is not known.
const RECORDED: (&str, &str) = ("bootstrap", "3600");
const ALL: [(&str, &str); 2] = [MODELS, RECORDED];
/// A position such as `open` proposes, on a week; arbitrageurs pay fees, takers none.
const SCENARIO: &str = "--horizon-days 7 --seed 7 --price 200 --equity 100 --borrow-base-apr 5% --borrow-quote-apr 8% \
     --sigma-day 4% --jumps-day 0.3 --jump-mean -0.01 --jump-sd 0.04 --regime 3%:4 --regime 8%:1:3 --block-candles 24";
const RANGE: &str = "--lower 181.8181 --upper 220 --leverage 3";

/// Of the formula for the band, and the leverage of the range.
const RISK_AVERSION: f64 = 4.0;
const LEVERAGE: f64 = 3.0;
/// Fees of pools, in millionths, that the no-trade band is compared at.
const FEES_PPM: [u32; 2] = [400, 3_000];
/// Parts of the price between it and either end of a range, with the range of the scenario.
const WIDTHS: [(&str, &str, &str, f64); 2] = [
    ("10 %", "181.8181", "220", 0.190_6),
    ("4 %", "192.3077", "208", 0.078_4),
];

/// A part of what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Hedge and delta band
    Policy,
    /// What deleverages and how often is rehedged
    Leverage,
    /// What recenters, and how wide
    Recenter,
    /// The band by formula against the default
    Formula,
    /// The default where takers go elsewhere, and with a short at a perp venue
    Around,
}

/// What to simulate with.
#[derive(Args, Debug)]
pub struct ParameterOptions {
    /// Only this part
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Paths of each model where policies are chosen; a tenth of them elsewhere, a third where positions are recentered
    #[arg(long, default_value_t = 3_000, value_parser = clap::value_parser!(u64).range(100..))]
    paths: u64,
    /// Recorded candles, as `ballast simulate --candles` reads them: a fourth model, their blocks in random order. By default those in the
    /// folder that BALLAST_DATA names
    #[arg(long, value_name = "FILE")]
    candles: Option<PathBuf>,
}

impl ParameterOptions {
    /// With the recorded candles that there are.
    fn with_recorded(&self) -> Self {
        let recorded = || Some(PathBuf::from(std::env::var_os("BALLAST_DATA")?).join(CANDLES));
        Self {
            candles: self.candles.clone().or_else(recorded),
            ..*self
        }
    }
}

/// Simulates with the binary that is built already, and writes the sections anew.
///
/// # Errors
/// Without recorded candles: what is chosen without them would take their place in the document.
pub fn run(options: &ParameterOptions) -> Result<()> {
    let options = &options.with_recorded();
    ensure!(
        options.candles.is_some(),
        "there are no recorded candles: pass --candles FILE, or name their folder in BALLAST_DATA"
    );
    let path = repository::root().join(FILE);
    let mut text = fs::read_to_string(&path).with_context(|| format!("cannot read {FILE}"))?;
    let sections: [(Part, &str, Section); 5] = [
        (Part::Policy, BEGIN_POLICY, study::policy),
        (Part::Leverage, BEGIN_LEVERAGE, study::leverage),
        (Part::Recenter, BEGIN_RECENTER, study::recenter),
        (Part::Formula, BEGIN_FORMULA, no_trade),
        (Part::Around, BEGIN_AROUND, around::section),
    ];
    for (part, begin, section) in sections {
        if options.only.is_none_or(|only| only == part) {
            let section = section(options)?;
            print!("{section}");
            text = replaced(&text, begin, &section)?;
            // Each takes minutes: what is there is not lost with the next.
            fs::write(&path, &text).with_context(|| format!("cannot write {FILE}"))?;
        }
    }
    Ok(())
}

type Section = fn(&ParameterOptions) -> Result<String>;

/// The text with what stands between a line and the next end replaced.
fn replaced(text: &str, begin: &str, section: &str) -> Result<String> {
    let (before, rest) = text
        .split_once(begin)
        .with_context(|| format!("{FILE} has no line {begin}"))?;
    let (_, after) = rest
        .split_once(END)
        .with_context(|| format!("{FILE} has no line {END} after {begin}"))?;
    Ok(format!("{before}{begin}{section}{END}{after}"))
}

/// Where strategies' files lie.
fn directory() -> Result<PathBuf> {
    let directory = repository::root().join("target/parameters");
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

/// A keeper's file with a delta band.
fn keeper(bps: u32) -> Result<String> {
    let file = directory()?.join(format!("band-{bps}.toml"));
    let target = bps / TARGET;
    let text = format!("[policy]\ndelta_band_bps = {bps}\ndelta_target_bps = {target}\n");
    fs::write(&file, text)?;
    Ok(file.to_string_lossy().into_owned())
}

/// What all simulations share.
fn common(scenario: &str, paths: u64, options: &ParameterOptions) -> Vec<String> {
    let mut common: Vec<String> = words(scenario);
    common.extend(["--json".to_owned(), "--paths".to_owned(), paths.to_string()]);
    if let Some(file) = &options.candles {
        common.extend(["--candles".to_owned(), file.to_string_lossy().into_owned()]);
    }
    common
}

/// The band of Whalley and Wilmott against the default's: `(3 g / (2 rho lambda w^2))^(1/3)` of all base, of the pool's fee g,
/// the risk aversion rho, the leverage lambda and the range's width w in the logarithm of the price.
fn no_trade(options: &ParameterOptions) -> Result<String> {
    let paths = options.paths / 10;
    let common = common(SCENARIO, paths, options);
    let mut out = format!(
        "\n{} paths of each model, ranges and `--fee-ppm` as in the rows, and for all `{}`; ρ {RISK_AVERSION}, λ {LEVERAGE}.\n\n\
         | range | fee, ppm | by formula | model | equity less the default's, 95 % | sd | worst 5 % | default: sd | worst 5 % |\n\
         |---|---|---|---|---|---|---|---|---|\n",
        paths,
        SCENARIO.split_whitespace().collect::<Vec<_>>().join(" ")
    );
    for (name, lower, upper, width) in WIDTHS {
        for fee in FEES_PPM {
            let part =
                3.0 * f64::from(fee) / 1e6 / (2.0 * RISK_AVERSION * LEVERAGE * width * width);
            let bps = (part.cbrt() * 1e4).round() as u32;
            let extra =
                format!("--lower {lower} --upper {upper} --leverage {LEVERAGE} --fee-ppm {fee}");
            for model in compared(&keeper(bps)?, &keeper(DEFAULT_BPS)?, &extra, &common)? {
                let shown = f64::from(bps) / 100.0;
                let _ = writeln!(out, "| {name} | {fee} | {shown:.1} % {}", pair(&model)?);
            }
        }
    }
    Ok(out + "\n")
}

/// The models of a comparison.
fn compared(first: &str, second: &str, extra: &str, common: &[String]) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for (names, secs) in ALL {
        let mut line = vec!["compare".to_owned(), first.to_owned(), second.to_owned()];
        line.extend(common.to_vec());
        line.extend(words(&format!("--model {names} --step-secs {secs}")));
        line.extend(words(extra));
        let report = ballast(&line)?;
        all.extend(report["models"].as_array().context("no models")?.clone());
    }
    Ok(all)
}

/// What a comparison says of one model: the difference, and both.
fn pair(model: &Value) -> Result<String> {
    let (difference, both) = (&model["difference"], &model["strategies"]);
    let name = model["model"].as_str().context("a model has no name")?;
    let mut out = format!(
        "| {name} | {:+.3} to {:+.3}",
        number(&difference["low_95"])?,
        number(&difference["high_95"])?
    );
    for one in [&both[0], &both[1]] {
        let equity = &one["equity"];
        let _ = write!(
            out,
            " | {:.3} | {:.3}",
            number(&equity["sd"])?,
            number(&equity["shortfall_5"])?
        );
    }
    Ok(out + " |")
}

fn ballast(line: &[String]) -> Result<Value> {
    let program = repository::build_dir().join("debug/ballast");
    let printed = process::output(process::foreign(program).args(line))?;
    serde_json::from_str(&printed).context("ballast printed no JSON")
}

fn number(value: &Value) -> Result<f64> {
    value
        .as_f64()
        .with_context(|| format!("{value} is no number"))
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}
