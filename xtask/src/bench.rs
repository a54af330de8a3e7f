//! `cargo xtask bench`: benchmarks in one run, and their ratios in `target/bench/report.json`.
//!
//! Times depend on the machine and on what else it does; a ratio of two times of the same run says something, and of many samples the
//! fastest: other work on the machine only slows down. The criterion crate measures; this starts it, times `ballast risk` on a file,
//! `ballast simulate` and `ballast backtest` as a user would, collects, and fails if a figure is beyond its limit.

mod limits;
mod simulator;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::{process, repository, suite};

/// What is compared: name of the ratio, its numerator and its denominator as criterion's group and function.
const RATIOS: [(&str, &str, &str); 11] = [
    (
        "tick to sqrt price: orca / ballast",
        "tick to sqrt price/orca",
        "tick to sqrt price/ballast",
    ),
    (
        "sqrt price to tick: orca / ballast",
        "sqrt price to tick/orca",
        "sqrt price to tick/ballast",
    ),
    (
        "base amount: orca / ballast",
        "base amount/orca",
        "base amount/ballast",
    ),
    (
        "quote amount: orca / ballast",
        "quote amount/orca",
        "quote amount/ballast",
    ),
    (
        "next price by base: orca / ballast",
        "next price by base/orca",
        "next price by base/ballast",
    ),
    (
        "next price by quote: orca / ballast",
        "next price by quote/orca",
        "next price by quote/ballast",
    ),
    (
        "boundaries: exact / screen in double",
        "boundaries/exact",
        "boundaries/screen, double",
    ),
    (
        "boundaries: screen in double / in f64",
        "boundaries/screen, double",
        "boundaries/screen, f64",
    ),
    (
        "price update: plain scan / 0 hits",
        "a million positions/price update, plain scan",
        "a million positions/price update, 0 hits",
    ),
    (
        "price update: 10000 hits / 100 hits",
        "a million positions/price update, 10000 hits",
        "a million positions/price update, 100 hits",
    ),
    (
        "every position: exact value / f64 screen",
        "a million positions/every position, exact value",
        "a million positions/every position, f64 screen",
    ),
];
/// Positions in the file for `ballast risk`.
const RISK_POSITIONS: usize = 300_000;

/// What to measure.
#[derive(Args, Clone, Copy, Debug)]
pub struct BenchOptions {
    /// Only this; the rest of the report stays as it was
    #[arg(long, value_enum)]
    only: Option<Part>,
}

/// What criterion found of a benchmark, nanoseconds of an iteration.
#[derive(Clone, Copy, Debug)]
struct Timing {
    median: f64,
    /// Of the fastest sample.
    best: f64,
}

/// A part of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// What criterion measures, and its limits.
    Criterion,
    /// A book of a million accounts: its start, and how long updates wait.
    Latency,
    /// `ballast simulate` and `ballast backtest`.
    Simulator,
}

/// Measures, and writes the report.
pub fn run(options: BenchOptions) -> Result<()> {
    let directory = repository::root().join("target/bench");
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot create {}", directory.display()))?;
    let file = directory.join("report.json");
    let mut report = match options.only {
        Some(_) if file.exists() => read(&file)?,
        _ => json!({}),
    };
    let wanted = |part| options.only.is_none_or(|only| only == part);
    // What was measured is kept, whatever becomes of the next part.
    let keep = |report: &Value| {
        let text = serde_json::to_string_pretty(report)? + "\n";
        fs::write(&file, &text).with_context(|| format!("cannot write {}", file.display()))?;
        anyhow::Ok(text)
    };
    if wanted(Part::Criterion) {
        criterion(&directory, &mut report)?;
        keep(&report)?;
    }
    if wanted(Part::Latency) {
        report["latency_ns"] = latency()?;
        keep(&report)?;
    }
    if wanted(Part::Simulator) {
        report["ballast_simulate"] = simulator::times(&suite::programs()?.ballast, &directory)?;
    }
    if options.only.is_none() {
        report["ballast_risk"] = risk(&suite::programs()?.ballast, &directory)?;
    }
    print!("{}", keep(&report)?);
    println!("report: {}", file.display());
    if wanted(Part::Latency) {
        limits::check(
            &limits::LATENCY,
            |name| report["latency_ns"][name].as_f64(),
            |_| None,
        )?;
    }
    if wanted(Part::Simulator) {
        limits::check(
            &limits::SIMULATOR,
            |_| None,
            |name| report["ballast_simulate"][name].as_f64(),
        )?;
    }
    if !wanted(Part::Criterion) {
        return Ok(());
    }
    limits::check(
        &limits::CRITERION,
        |name| report["best_ns"][name].as_f64(),
        |name| report["ratios"][name].as_f64(),
    )
}

/// What the keeper's way of an account takes, by the benchmark of that name. Its limits are of a quiet machine: what another process does
/// meanwhile makes updates late.
fn latency() -> Result<Value> {
    let line = [
        "bench",
        "--package",
        "ballast-strategy",
        "--bench",
        "latency",
    ];
    let printed = process::output(process::host_cargo().args(line))?;
    let start = printed
        .find('{')
        .context("the benchmark printed no figures")?;
    serde_json::from_str(&printed[start..]).context("the benchmark printed no JSON")
}

/// Runs criterion, and puts its times and their ratios into the report.
fn criterion(directory: &Path, report: &mut Value) -> Result<()> {
    let home = directory.join("criterion");
    if home.exists() {
        fs::remove_dir_all(&home).with_context(|| format!("cannot clear {}", home.display()))?;
    }
    process::run(
        process::host_cargo()
            .args([
                "bench",
                "--package",
                "ballast-clmm",
                "--package",
                "ballast-model",
                "--package",
                "ballast-strategy",
            ])
            .args([
                "--bench", "clmm", "--bench", "model", "--bench", "index", "--bench", "sweep",
            ])
            .env("CRITERION_HOME", &home),
    )?;
    let timings = timings(&home)?;
    let mut ratios = Map::new();
    for (name, above, below) in RATIOS {
        let of = |id: &str| {
            let found = timings.iter().find(|(known, _)| known == id);
            found
                .map(|(_, timing)| timing.best)
                .with_context(|| format!("criterion measured no {id:?}"))
        };
        ratios.insert(name.into(), json!(of(above)? / of(below)?));
    }
    let nanos = |of: fn(&Timing) -> f64| -> Map<String, Value> {
        timings
            .iter()
            .map(|(name, timing)| (name.clone(), json!(of(timing))))
            .collect()
    };
    report["ratios"] = ratios.into();
    report["median_ns"] = nanos(|timing| timing.median).into();
    report["best_ns"] = nanos(|timing| timing.best).into();
    Ok(())
}

/// What each benchmark's iteration took, by its id.
fn timings(home: &Path) -> Result<Vec<(String, Timing)>> {
    let mut found = Vec::new();
    let mut left = vec![home.to_path_buf()];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(&directory)
            .with_context(|| format!("cannot read {}", directory.display()))?
        {
            let path = entry?.path();
            if path.is_dir() && path.file_name().is_some_and(|name| name == "new") {
                found.push(timing(&path)?);
            } else if path.is_dir() {
                left.push(path);
            }
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(found)
}

fn timing(directory: &Path) -> Result<(String, Timing)> {
    let id = read(&directory.join("benchmark.json"))?;
    let estimates = read(&directory.join("estimates.json"))?;
    let sample = read(&directory.join("sample.json"))?;
    let name = id["full_id"].as_str().context("a benchmark has no id")?;
    let median = estimates["median"]["point_estimate"]
        .as_f64()
        .with_context(|| format!("{name} has no median"))?;
    let numbers = |of: &str| {
        let numbers = sample[of].as_array().into_iter().flatten();
        numbers.filter_map(Value::as_f64).collect::<Vec<_>>()
    };
    let (times, iterations) = (numbers("times"), numbers("iters"));
    let each = times.iter().zip(&iterations).map(|(time, n)| time / n);
    let best = each.fold(f64::INFINITY, f64::min);
    ensure!(best.is_finite(), "{name} has no samples");
    Ok((name.to_owned(), Timing { median, best }))
}

fn read(file: &PathBuf) -> Result<Value> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", file.display()))
}

/// Times `ballast risk` from file to file, start of the process included.
fn risk(ballast: &Path, directory: &Path) -> Result<Value> {
    let vectors = repository::root().join("crates/model/tests/golden/vectors.jsonl");
    let text = fs::read_to_string(&vectors)
        .with_context(|| format!("cannot read {}", vectors.display()))?;
    let (input, output) = (
        directory.join("positions.jsonl"),
        directory.join("answers.jsonl"),
    );
    let mut writer = std::io::BufWriter::new(
        fs::File::create(&input).with_context(|| format!("cannot write {}", input.display()))?,
    );
    for line in text.lines().cycle().take(RISK_POSITIONS) {
        writeln!(writer, "{line}")?;
    }
    writer.flush()?;
    let start = Instant::now();
    process::run(
        process::foreign(ballast)
            .arg("risk")
            .arg("--input")
            .arg(&input)
            .arg("--output")
            .arg(&output)
            .stderr(Stdio::null()),
    )?;
    let secs = start.elapsed().as_secs_f64();
    let answers = fs::read_to_string(&output)?.lines().count();
    ensure!(
        answers == RISK_POSITIONS,
        "ballast risk answered {answers} of {RISK_POSITIONS} positions"
    );
    for file in [input, output] {
        fs::remove_file(file)?;
    }
    Ok(json!({
        "positions": RISK_POSITIONS,
        "secs": secs,
        "positions_per_sec": RISK_POSITIONS as f64 / secs,
        "threads": std::thread::available_parallelism().map_or(1, usize::from),
    }))
}
