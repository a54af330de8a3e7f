//! Times `ballast simulate` and `ballast backtest` as a user starts them, start of the process included.

use std::{
    fmt::Write,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{process, repository};

const PATHS: u64 = 1_000;
/// A week of minutes.
const STEPS: u64 = 7 * 24 * 60;
/// A month of minutes.
const MINUTES: i64 = 30 * 24 * 60;
/// The fastest of so many: other work on the machine only slows down.
const RUNS: u32 = 5;

/// The worked example at 5 % a day, looked at every minute, hedged where it is off by 30 %, and a month of pool minutes.
pub fn times(directory: &Path) -> Result<Value> {
    let (one, report) = simulate("1")?;
    let (two, _) = simulate("2")?;
    let path_steps = PATHS * STEPS;
    let actions = report["actions_per_day"]
        .as_f64()
        .context("ballast simulate printed no actions_per_day")?;
    let minutes = directory.join("minutes.csv");
    fs::write(&minutes, pool_minutes())
        .with_context(|| format!("cannot write {}", minutes.display()))?;
    let (backtest, _) = fastest(&[
        "backtest",
        "--json",
        "--pool-minutes",
        minutes
            .to_str()
            .context("the repository's path is no text")?,
        "--fee-ppm",
        "500",
        "--lower-tick",
        "201050",
        "--upper-tick",
        "201150",
        "--liquidity",
        "1000000000000000",
    ])?;
    fs::remove_file(minutes)?;
    let (start, _) = fastest(&["--version"])?;
    Ok(json!({
        "path_steps": path_steps,
        "events_per_step": actions / (24.0 * 60.0),
        "path_steps_per_sec_per_core": path_steps as f64 / one.as_secs_f64(),
        "one_thread_over_two": one.as_secs_f64() / two.as_secs_f64(),
        "backtest_minutes": MINUTES,
        "backtest_ms": backtest.as_secs_f64() * 1e3,
        "start_ms": start.as_secs_f64() * 1e3,
    }))
}

fn simulate(threads: &str) -> Result<(Duration, Value)> {
    let paths = PATHS.to_string();
    let (time, out) = fastest(&[
        "simulate",
        "--json",
        "--model",
        "gbm",
        "--sigma-day",
        "0.05",
        "--horizon-days",
        "7",
        "--step-secs",
        "60",
        "--paths",
        &paths,
        "--seed",
        "1",
        "--price",
        "200",
        "--lower",
        "190",
        "--upper",
        "210",
        "--equity",
        "100",
        "--leverage",
        "3",
        "--strategy",
        "band:30%",
        "--threads",
        threads,
    ])?;
    let report = serde_json::from_str(&out).context("ballast simulate printed no JSON")?;
    Ok((time, report))
}

/// Runs the binary that is built already; what it prints, and the shortest time.
fn fastest(arguments: &[&str]) -> Result<(Duration, String)> {
    let mut shortest = Duration::MAX;
    let mut printed = String::new();
    for _ in 0..RUNS {
        let start = Instant::now();
        let program = repository::build_dir().join("debug/ballast");
        printed = process::output(process::foreign(program).args(arguments))?;
        shortest = shortest.min(start.elapsed());
    }
    Ok((shortest, printed))
}

/// Minutes of a pool whose tick wanders, by a fixed sequence of numbers.
fn pool_minutes() -> String {
    let mut text = String::from(
        "timestamp,netAmount0,netAmount1,closeTick,openTick,lowestTick,highestTick,inAmount0,inAmount1,currentLiquidity\n",
    );
    let (mut tick, mut state) = (201_100i64, 1u64);
    for minute in 0..MINUTES {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let draw = (state >> 33) as i64;
        let open = tick;
        tick = (tick + draw % 7 - 3).clamp(201_000, 201_200);
        let (low, high) = (open.min(tick) - draw % 2, open.max(tick) + draw % 3);
        let secs = 1_691_884_800 + minute * 60;
        let (paid0, paid1) = (
            1_000_000 * (draw % 5_000),
            500_000_000_000_000 * (draw % 4_000),
        );
        let liquidity = 2_391_553_663_290_390_168 + draw % 3 * 10_000_000_000_000_000;
        // Writing into a string does not fail.
        let _ = writeln!(
            text,
            "{secs},{paid0},{paid1},{tick},{open},{low},{high},{paid0},{paid1},{liquidity}"
        );
    }
    text
}
