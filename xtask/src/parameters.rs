//! `cargo xtask parameters`: the figures of docs/PARAMETERS.md that simulations say, by the command line's own `compare` and `optimise`.
//!
//! Whoever wants another default of a policy shows here that it is better: in every model, and on recorded candles.

mod around;

use std::{fmt::Write, fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::{process, repository};

const FILE: &str = "docs/PARAMETERS.md";
const BEGIN: &str = "<!-- written by `cargo xtask parameters` from here -->\n";
const BEGIN_FORMULA: &str = "<!-- by formula: written by `cargo xtask parameters` from here -->\n";
const BEGIN_AROUND: &str = "<!-- around: written by `cargo xtask parameters` from here -->\n";
const END: &str = "<!-- to here -->\n";
/// The delta band of a new position, in basis points, and what is tried beside it.
const DEFAULT_BPS: u32 = 1_000;
const OTHERS_BPS: [u32; 4] = [500, 2_000, 3_000, 4_000];
/// The target after a rehedge, as a part of the band: as of a new position.
const TARGET: u32 = 2;
/// Models, and the seconds between two looks.
const MODELS: (&str, &str) = ("gbm,jumps,regimes", "600");
/// Recorded candles are looked at where they close: what the price did within them is not known.
const RECORDED: (&str, &str) = ("bootstrap", "3600");
/// A position such as `open` proposes, on a week; arbitrageurs pay fees, takers none.
const SCENARIO: &str = "--horizon-days 7 --seed 7 --price 200 --equity 100 --borrow-base-apr 5% --borrow-quote-apr 8% \
     --sigma-day 4% --jumps-day 0.3 --jump-mean -0.01 --jump-sd 0.04 --regime 3%:4 --regime 8%:1:3 --block-candles 24";
const RANGE: &str = "--lower 181.8181 --upper 220 --leverage 3";
const GRID: &str =
    "--widths 10% --leverages 3 --hedges 100% --max-liquidation 1% --risk-aversion 4";

/// As the grid has it, and the leverage of the range.
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
    /// Delta bands against the default
    Bands,
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
    /// Paths of each model
    #[arg(long, default_value_t = 300)]
    paths: u64,
    /// Recorded candles, as `ballast simulate --candles` reads them: a fourth model, their blocks in random order
    #[arg(long, value_name = "FILE")]
    candles: Option<PathBuf>,
}

/// Simulates with the binary that is built already, and writes the sections anew.
pub fn run(options: &ParameterOptions) -> Result<()> {
    let path = repository::root().join(FILE);
    let mut text = fs::read_to_string(&path).with_context(|| format!("cannot read {FILE}"))?;
    let sections: [(Part, &str, Section); 3] = [
        (Part::Bands, BEGIN, section),
        (Part::Formula, BEGIN_FORMULA, no_trade),
        (Part::Around, BEGIN_AROUND, around::section),
    ];
    for (part, begin, section) in sections {
        if options.only.is_none_or(|only| only == part) {
            let section = section(options)?;
            print!("{section}");
            text = replaced(&text, begin, &section)?;
        }
    }
    fs::write(&path, text).with_context(|| format!("cannot write {FILE}"))
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

/// The models that there is something for.
fn models(options: &ParameterOptions) -> Vec<(&'static str, &'static str)> {
    let mut models = vec![MODELS];
    if options.candles.is_some() {
        models.push(RECORDED);
    }
    models
}

/// What all simulations share.
fn common(options: &ParameterOptions) -> Vec<String> {
    common_of(SCENARIO, options)
}

/// The same of another scenario.
fn common_of(scenario: &str, options: &ParameterOptions) -> Vec<String> {
    let mut common: Vec<String> = words(scenario);
    common.extend([
        "--json".to_owned(),
        "--paths".to_owned(),
        options.paths.to_string(),
    ]);
    if let Some(file) = &options.candles {
        common.extend(["--candles".to_owned(), file.to_string_lossy().into_owned()]);
    }
    common
}

fn section(options: &ParameterOptions) -> Result<String> {
    let models = models(options);
    let each = || {
        let each = models.iter();
        each.flat_map(|(names, secs)| names.split(',').map(move |name| (name, *secs)))
    };
    let common = common(options);
    let mut out = format!(
        "\n{} paths of each model, a look every {} seconds (bootstrap: blocks of recorded candles, every {}): `{} {}`.\n\n\
         | model | delta band | equity less the default's, 95 % | sd | worst 5 % | liquidation | actions a day |\n\
         |---|---|---|---|---|---|---|\n",
        options.paths,
        MODELS.1,
        RECORDED.1,
        SCENARIO.split_whitespace().collect::<Vec<_>>().join(" "),
        RANGE
    );
    let mut rows: Vec<(String, u32, String)> = Vec::new();
    let mut better = Vec::new();
    for (index, bps) in OTHERS_BPS.into_iter().enumerate() {
        let mut compared = Vec::new();
        for (names, secs) in &models {
            let mut line = vec!["compare".to_owned(), keeper(bps)?, keeper(DEFAULT_BPS)?];
            line.extend(words(&format!(
                "--model {names} --step-secs {secs} {RANGE}"
            )));
            line.extend(common.clone());
            let report = ballast(&line)?;
            compared.extend(report["models"].as_array().context("no models")?.clone());
        }
        let is_better = |model: &Value| model["better"] == "first";
        if compared.iter().all(is_better) {
            better.push(format!("{} %", f64::from(bps) / 100.0));
        }
        for model in &compared {
            let name = model["model"].as_str().context("a model has no name")?;
            if index == 0 {
                rows.push((
                    name.to_owned(),
                    DEFAULT_BPS,
                    row(name, DEFAULT_BPS, &Value::Null, &model["strategies"][1])?,
                ));
            }
            let row = row(name, bps, &model["difference"], &model["strategies"][0])?;
            rows.push((name.to_owned(), bps, row));
        }
    }
    for (name, _) in each() {
        let mut of_model: Vec<_> = rows.iter().filter(|(model, ..)| model == name).collect();
        of_model.sort_by_key(|(_, bps, _)| *bps);
        ensure!(
            of_model.len() == OTHERS_BPS.len() + 1,
            "rows of {name} are missing"
        );
        for (_, _, row) in of_model {
            out += row;
        }
    }
    let better = if better.is_empty() {
        "none".to_owned()
    } else {
        better.join(", ")
    };
    let _ = writeln!(
        out,
        "\nBands whose mean is better than the default's in every model, with 95 %: {better}."
    );
    let bands = OTHERS_BPS.into_iter().chain([DEFAULT_BPS]);
    let bands: Vec<String> = bands
        .map(|bps| format!("{}%", f64::from(bps) / 100.0))
        .collect();
    let _ = write!(
        out,
        "\nWhat `ballast optimise {GRID} --bands {}` chooses with the options above, and its gain with other random numbers:\n\n\
         | model | delta band | gain | +- | liquidation at most, 95 % |\n|---|---|---|---|---|\n",
        bands.join(",")
    );
    for (name, secs) in each() {
        let mut line = vec!["optimise".to_owned()];
        line.extend(words(&format!("--model {name} --step-secs {secs} {GRID}")));
        line.extend(["--bands".to_owned(), bands.join(",")]);
        line.extend(["--keeper".to_owned(), keeper(DEFAULT_BPS)?]);
        line.extend(["--check-paths".to_owned(), options.paths.to_string()]);
        line.extend(common.clone());
        let winner = &ballast(&line)?["winner"];
        if winner.is_null() {
            let _ = writeln!(out, "| {name} | none is safe | | | |");
            continue;
        }
        let checked = &winner["out_of_sample"];
        let percent = |value: &Value| number(value).map(|value| format!("{:.2} %", value * 100.0));
        let _ = writeln!(
            out,
            "| {name} | {} | {} | {} | {} |",
            percent(&winner["delta_band"])?,
            percent(&checked["gain"])?,
            percent(&checked["stderr"])?,
            percent(&checked["liquidation_at_most_95"])?
        );
    }
    Ok(out + "\n")
}

/// The band of Whalley and Wilmott against the default's: `(3 g / (2 rho lambda w^2))^(1/3)` of all base, of the pool's fee g,
/// the risk aversion rho that the grid has, the leverage lambda and the range's width w in the logarithm of the price.
fn no_trade(options: &ParameterOptions) -> Result<String> {
    let (models, common) = (models(options), common(options));
    let mut out = format!(
        "\n{} paths of each model, options as above but for the range and `--fee-ppm`; ρ {RISK_AVERSION}, λ {LEVERAGE}.\n\n\
         | range | fee, ppm | by formula | model | equity less the default's, 95 % | sd | worst 5 % | default: sd | worst 5 % |\n\
         |---|---|---|---|---|---|---|---|---|\n",
        options.paths
    );
    for (name, lower, upper, width) in WIDTHS {
        for fee in FEES_PPM {
            let part =
                3.0 * f64::from(fee) / 1e6 / (2.0 * RISK_AVERSION * LEVERAGE * width * width);
            let bps = (part.cbrt() * 1e4).round() as u32;
            let extra =
                format!("--lower {lower} --upper {upper} --leverage {LEVERAGE} --fee-ppm {fee}");
            for model in compared(
                &keeper(bps)?,
                &keeper(DEFAULT_BPS)?,
                &models,
                &extra,
                &common,
            )? {
                let shown = f64::from(bps) / 100.0;
                let _ = writeln!(out, "| {name} | {fee} | {shown:.1} % {}", pair(&model)?);
            }
        }
    }
    Ok(out + "\n")
}

/// The models of a comparison.
fn compared(
    first: &str,
    second: &str,
    models: &[(&str, &str)],
    extra: &str,
    common: &[String],
) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for (names, secs) in models {
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

fn row(model: &str, bps: u32, difference: &Value, alone: &Value) -> Result<String> {
    let difference = if difference.is_null() {
        "the default".to_owned()
    } else {
        let (low, high) = (
            number(&difference["low_95"])?,
            number(&difference["high_95"])?,
        );
        format!("{low:+.3} to {high:+.3}")
    };
    Ok(format!(
        "| {model} | {} % | {difference} | {:.3} | {:.3} | {:.2} % | {:.2} |\n",
        f64::from(bps) / 100.0,
        number(&alone["equity"]["sd"])?,
        number(&alone["equity"]["shortfall_5"])?,
        number(&alone["liquidation"]["probability"])? * 100.0,
        number(&alone["actions_per_day"])?,
    ))
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
