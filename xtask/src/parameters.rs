//! `cargo xtask parameters`: the figures of docs/PARAMETERS.md that simulations say, by the command line's own `compare` and `optimise`.
//!
//! Whoever wants another default of a policy shows here that it is better: in most models, recorded candles among them, and worse in none.

mod around;
mod formula;
mod keepers;
mod rules;
mod study;
mod verdict;
mod world;

use std::{fmt::Write, fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::{process, repository};
use verdict::Verdict;

const FILE: &str = "docs/PARAMETERS.md";
/// Of the folder of recorded data.
const CANDLES: &str = "solusdt-1h.csv.gz";
/// The same: three days of a pool, one after the other.
const MINUTES: [&str; 3] = [
    "usdc-weth-5bp-polygon-2023-08-13.minute.csv.gz",
    "usdc-weth-5bp-polygon-2023-08-14.minute.csv.gz",
    "usdc-weth-5bp-polygon-2023-08-15.minute.csv.gz",
];
const BEGIN_POLICY: &str = "<!-- policy: written by `cargo xtask parameters` from here -->\n";
const BEGIN_LEVERAGE: &str = "<!-- leverage: written by `cargo xtask parameters` from here -->\n";
const BEGIN_RECENTER: &str = "<!-- recenter: written by `cargo xtask parameters` from here -->\n";
const BEGIN_RULES: &str = "<!-- rules: written by `cargo xtask parameters` from here -->\n";
const BEGIN_FORMULA: &str = "<!-- by formula: written by `cargo xtask parameters` from here -->\n";
const BEGIN_AROUND: &str = "<!-- around: written by `cargo xtask parameters` from here -->\n";
const BEGIN_WORLD: &str = "<!-- world: written by `cargo xtask parameters` from here -->\n";
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

/// A part of what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Hedge and delta band
    Policy,
    /// What deleverages and how often is rehedged
    Leverage,
    /// What recenters, and how wide
    Recenter,
    /// Other rules for new bands
    Rules,
    /// The band by formula against the default
    Formula,
    /// The default where takers go elsewhere, and with a short at a perp venue
    Around,
    /// The default where keeper and oracle are not quick, and rates move
    World,
}

/// What to simulate with.
#[derive(Args, Clone, Debug)]
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
    /// Recorded minutes of a pool, as `ballast simulate --pool-minutes` reads them; the base is their second token. By default those in the
    /// same folder
    #[arg(long, value_name = "FILE")]
    minutes: Vec<PathBuf>,
}

impl ParameterOptions {
    /// With the recorded candles that there are.
    fn with_recorded(&self) -> Self {
        let folder = std::env::var_os("BALLAST_DATA").map(PathBuf::from);
        let recorded = |name: &str| Some(folder.as_ref()?.join(name));
        let mut options = self.clone();
        options.candles = options.candles.or_else(|| recorded(CANDLES));
        if options.minutes.is_empty() {
            options.minutes = MINUTES.into_iter().filter_map(recorded).collect();
        }
        options
    }
}

/// Simulates with the binary that is built already, and writes the sections anew.
///
/// # Errors
/// Without recorded candles: what is chosen without them would take their place in the document.
pub fn run(options: &ParameterOptions) -> Result<()> {
    let options = &options.with_recorded();
    ensure!(
        options.candles.is_some() && !options.minutes.is_empty(),
        "there is no recorded trading: pass --candles FILE and --minutes FILE, or name their folder in BALLAST_DATA"
    );
    let path = repository::root().join(FILE);
    let mut text = fs::read_to_string(&path).with_context(|| format!("cannot read {FILE}"))?;
    let sections: [(Part, &str, Section); 7] = [
        (Part::Policy, BEGIN_POLICY, study::policy),
        (Part::Leverage, BEGIN_LEVERAGE, study::leverage),
        (Part::Recenter, BEGIN_RECENTER, study::recenter),
        (Part::Rules, BEGIN_RULES, rules::section),
        (Part::Formula, BEGIN_FORMULA, formula::section),
        (Part::Around, BEGIN_AROUND, around::section),
        (Part::World, BEGIN_WORLD, world::section),
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

/// The models of a comparison.
fn compared(first: &str, second: &str, extra: &str, common: &[String]) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for models in ALL {
        all.extend(compared_in(models, [first, second], extra, common)?);
    }
    Ok(all)
}

/// The same of some models, with so many seconds between two looks.
fn compared_in(
    (names, secs): (&str, &str),
    both: [&str; 2],
    extra: &str,
    common: &[String],
) -> Result<Vec<Value>> {
    let mut line = vec!["compare".to_owned()];
    line.extend(both.map(str::to_owned));
    line.extend(common.to_vec());
    line.extend(words(&format!("--model {names} --step-secs {secs}")));
    line.extend(words(extra));
    let report = ballast(&line)?;
    Ok(report["models"].as_array().context("no models")?.clone())
}

/// What a comparison says of one model: the difference of the means, and spread and worst paths of both.
struct Shown {
    model: String,
    less: [f64; 2],
    both: [[f64; 2]; 2],
}

impl Shown {
    fn of(model: &Value) -> Result<Self> {
        // What is known better with control variates is taken from there, as `better` in the report is.
        let controlled = &model["difference_controlled"];
        let difference = if controlled.is_null() {
            &model["difference"]
        } else {
            controlled
        };
        let both = &model["strategies"];
        let alone = |place: usize| {
            let equity = &both[place]["equity"];
            anyhow::Ok([number(&equity["sd"])?, number(&equity["shortfall_5"])?])
        };
        Ok(Self {
            model: model["model"]
                .as_str()
                .context("a model has no name")?
                .to_owned(),
            less: [
                number(&difference["low_95"])?,
                number(&difference["high_95"])?,
            ],
            both: [alone(0)?, alone(1)?],
        })
    }

    fn row(&self) -> String {
        let [low, high] = self.less;
        let mut out = format!("| {} | {low:+.3} to {high:+.3}", self.model);
        for [sd, worst] in self.both {
            let _ = write!(out, " | {sd:.3} | {worst:.3}");
        }
        out + " |"
    }
}

impl<'a> Verdict<'a> {
    /// By the means.
    fn of(label: &'a str, shown: &'a [Shown]) -> Self {
        let named = |is: fn(&Shown) -> bool| {
            let those = shown.iter().filter(|one| is(one));
            those.map(|one| one.model.as_str()).collect()
        };
        Self {
            label,
            better: named(|one| one.less[0] > 0.0),
            worse: named(|one| one.less[1] < 0.0),
        }
    }
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
