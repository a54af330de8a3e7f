//! Times `ballast simulate` and `ballast backtest` as a user starts them, start of the process included. Beside the time on the clock,
//! which depends on what else the machine does, stands the time of the processors.

use std::{
    fmt::Write,
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    path::Path,
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::process;

/// So many that processors' time, which is counted in hundredths of a second, is known within a percent.
const PATHS: u64 = 4_000;
/// Paths of the keeper that decides as a real one: each takes several times as long.
const KEEPER_PATHS: u64 = 1_000;
/// Short runs are timed so often in a row.
const SHORT_RUNS: u32 = 30;
/// A week of minutes.
const STEPS: u64 = 7 * 24 * 60;
/// A month of minutes.
const MINUTES: i64 = 30 * 24 * 60;
/// The fastest of so many: other work on the machine only slows down.
const RUNS: u32 = 5;

/// Paths whose memory is looked at, in few steps.
const MANY_PATHS: u64 = 1_000_000;
/// They may take so much: eight bytes of each path and strategy for equity, four for the draw-down, and room to sort one of these.
const MOST_MEMORY_BYTES: u64 = 64_000_000;
/// How often a running process is asked for its memory.
const ASK_EVERY: Duration = Duration::from_millis(10);
/// Seconds of a tick in which the kernel counts processors' time.
const CPU_TICK_SECS: f64 = 0.01;

/// A keeper's configuration with the same band; beside it, it deleverages, looks at stages, and measures how much the price moves.
const KEEPER: &str = "[policy]\ndelta_band_bps = 3000\ndelta_target_bps = 500\n";
/// An offline command.
const QUOTE: &str =
    "quote --json --price 200 --lower 190 --upper 210 --equity 100 --leverage 3 --maintenance 80%";

/// A run of the binary.
#[derive(Clone, Debug, Default)]
struct Timed {
    wall: Duration,
    /// Time of all processors together.
    cpu_secs: f64,
    /// The most memory that it had.
    memory_bytes: u64,
    printed: String,
}

/// The worked example at 5 % a day, looked at every minute, hedged where it is off by 30 %, and a month of pool minutes.
pub fn times(ballast: &Path, directory: &Path) -> Result<Value> {
    let band = "band:30%";
    let one = fastest(ballast, &simulation(PATHS, "60", "7", "1", band))?;
    let two = fastest(ballast, &simulation(PATHS, "60", "7", "2", band))?;
    let config = directory.join("keeper.toml");
    fs::write(&config, KEEPER).with_context(|| format!("cannot write {}", config.display()))?;
    let strategy = format!("keeper:{}", config.display());
    let keeper = fastest(
        ballast,
        &simulation(KEEPER_PATHS, "60", "7", "1", &strategy),
    )?;
    fs::remove_file(&config)?;
    let many = run(ballast, &many_paths(&[]))?;
    let compared = run(ballast, &many_paths(&["--against", "hold"]))?;
    let rows = directory.join("paths.csv");
    let rows_file = rows.to_str().context("the repository's path is no text")?;
    let streamed = run(ballast, &many_paths(&["--paths-file", rows_file]))?;
    let lines = BufReader::new(File::open(&rows)?).lines().count() as u64;
    fs::remove_file(&rows)?;
    ensure!(
        lines > MANY_PATHS,
        "{MANY_PATHS} paths made {lines} lines of a file"
    );
    for (what, timed) in [
        ("", &many),
        (" with another strategy beside", &compared),
        (", each a row of a file,", &streamed),
    ] {
        ensure!(
            timed.memory_bytes <= MOST_MEMORY_BYTES,
            "{MANY_PATHS} paths{what} took {} bytes of memory, more than {MOST_MEMORY_BYTES}: what is kept of each path has grown",
            timed.memory_bytes
        );
    }
    let path_steps = PATHS * STEPS;
    let report: Value =
        serde_json::from_str(&one.printed).context("ballast simulate printed no JSON")?;
    let actions = |report: &Value| {
        let actions = report["actions_per_day"].as_f64();
        actions.context("ballast simulate printed no actions_per_day")
    };
    let kept: Value =
        serde_json::from_str(&keeper.printed).context("ballast simulate printed no JSON")?;
    ensure!(
        one.printed == two.printed,
        "one thread and two do not say the same"
    );
    let minutes = directory.join("minutes.csv");
    fs::write(&minutes, pool_minutes())
        .with_context(|| format!("cannot write {}", minutes.display()))?;
    let file = minutes
        .to_str()
        .context("the repository's path is no text")?;
    let look_back = [
        "backtest",
        "--json",
        "--pool-minutes",
        file,
        "--fee-ppm",
        "500",
        "--lower-tick",
        "201050",
        "--upper-tick",
        "201150",
        "--liquidity",
        "1000000000000000",
    ];
    let backtest = fastest(ballast, &look_back)?;
    let backtest_cpu = cpu_millis(ballast, &look_back)?;
    fs::remove_file(&minutes)?;
    let start = fastest(ballast, &["--version"])?;
    let quote: Vec<&str> = QUOTE.split(' ').collect();
    let offline = fastest(ballast, &quote)?;
    let millis = |timed: &Timed| timed.wall.as_secs_f64() * 1e3;
    Ok(json!({
        "path_steps": path_steps,
        "events_per_step": actions(&report)? / (24.0 * 60.0),
        "keeper_events_per_step": actions(&kept)? / (24.0 * 60.0),
        "keeper_path_steps_per_cpu_sec": (KEEPER_PATHS * STEPS) as f64 / keeper.cpu_secs,
        "path_steps_per_sec_per_core": path_steps as f64 / one.wall.as_secs_f64(),
        "path_steps_per_cpu_sec": path_steps as f64 / one.cpu_secs,
        "one_thread_over_two": one.wall.as_secs_f64() / two.wall.as_secs_f64(),
        // What two free processors would make of it at most: the work that threads add is in it.
        "one_thread_over_two_by_cpu": 2.0 * one.cpu_secs / two.cpu_secs,
        "million_paths_peak_bytes": many.memory_bytes,
        "million_paths_against_peak_bytes": compared.memory_bytes,
        "million_paths_to_file_peak_bytes": streamed.memory_bytes,
        "million_paths_cpu_secs": many.cpu_secs,
        "backtest_minutes": MINUTES,
        "backtest_ms": millis(&backtest),
        "backtest_cpu_ms": backtest_cpu,
        "start_ms": millis(&start),
        "start_cpu_ms": cpu_millis(ballast, &["--version"])?,
        "quote_ms": millis(&offline),
        "quote_cpu_ms": cpu_millis(ballast, &quote)?,
        "load_average": load_average(),
    }))
}

fn many_paths(extra: &[&str]) -> Vec<String> {
    let mut line = simulation(MANY_PATHS, "3600", "0.25", "2", "band:30%");
    line.extend(extra.iter().map(|word| (*word).to_owned()));
    line
}

fn simulation(
    paths: u64,
    step_secs: &str,
    days: &str,
    threads: &str,
    strategy: &str,
) -> Vec<String> {
    let line = format!(
        "simulate --json --model gbm --sigma-day 0.05 --horizon-days {days} --step-secs {step_secs} --paths {paths} --seed 1 \
         --price 200 --lower 190 --upper 210 --equity 100 --leverage 3 --threads {threads} --strategy"
    );
    let words = line.split_whitespace().map(str::to_owned);
    words.chain([strategy.to_owned()]).collect()
}

/// Time of processors for a run, in milliseconds: of many in a row, for it is counted coarsely. What else the machine does hardly matters.
fn cpu_millis<A: AsRef<str>>(ballast: &Path, arguments: &[A]) -> Result<f64> {
    let mut all = 0.0;
    for _ in 0..SHORT_RUNS {
        all += run(ballast, arguments)?.cpu_secs;
    }
    Ok(all * 1e3 / f64::from(SHORT_RUNS))
}

/// Runs the binary that is built already several times; the shortest time on the clock, and the least of processors.
fn fastest<A: AsRef<str>>(ballast: &Path, arguments: &[A]) -> Result<Timed> {
    let mut best = run(ballast, arguments)?;
    for _ in 1..RUNS {
        let next = run(ballast, arguments)?;
        best.wall = best.wall.min(next.wall);
        best.cpu_secs = best.cpu_secs.min(next.cpu_secs);
        best.memory_bytes = best.memory_bytes.max(next.memory_bytes);
    }
    Ok(best)
}

fn run<A: AsRef<str>>(ballast: &Path, arguments: &[A]) -> Result<Timed> {
    let before = children_cpu_secs();
    let start = Instant::now();
    let mut child = process::foreign(ballast)
        .args(arguments.iter().map(AsRef::as_ref))
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", ballast.display()))?;
    let mut out = child.stdout.take().context("no standard output")?;
    let id = child.id();
    // What it prints is read meanwhile, so that it never waits for us.
    let reader = std::thread::spawn(move || {
        let mut printed = String::new();
        out.read_to_string(&mut printed).map(|_| printed)
    });
    let mut memory_bytes = 0;
    while !reader.is_finished() {
        memory_bytes = memory_bytes.max(peak_memory_bytes(id));
        sleep(ASK_EVERY.min(start.elapsed() / 8));
    }
    let printed = reader
        .join()
        .map_err(|_| anyhow::anyhow!("the reader panicked"))??;
    let status = child.wait()?;
    let wall = start.elapsed();
    ensure!(status.success(), "{}: {status}", ballast.display());
    Ok(Timed {
        wall,
        cpu_secs: children_cpu_secs() - before,
        memory_bytes,
        printed,
    })
}

/// Time that processors have spent on our children that have ended: where the kernel says so, else 0.
fn children_cpu_secs() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which is in brackets: the state is field 3, the children's times are 16 and 17.
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(13).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        * CPU_TICK_SECS
}

/// The most memory that a process has had so far; 0 where the kernel does not say.
fn peak_memory_bytes(id: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
    kibibytes.unwrap_or(0u64) * 1_024
}

/// How many processes wanted to run in the last minute, on average.
fn load_average() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
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
