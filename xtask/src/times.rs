//! How long tasks and their steps took on this machine: remembered in `target/times.json`; tasks are shown by `cargo xtask times`.

use std::{collections::BTreeMap, fmt::Write, fs, path::PathBuf, thread, time::Duration};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::repository;

const FILE: &str = "docs/TIMES.md";
/// Has the times of the two commands that it begins with, between these lines.
const README: &str = "README.md";
const README_TASKS: [&str; 2] = ["demo", "test"];
const BEGIN: &str = "<!-- written by `cargo xtask times --keep` from here -->\n";
const END: &str = "<!-- to here -->\n";
/// What is quicker is not worth remembering.
const LEAST_SECS: u64 = 2;

/// What to do with the times.
#[derive(clap::Args)]
pub struct TimesOptions {
    /// Write docs/TIMES.md, and what README says of two of them.
    #[arg(long)]
    keep: bool,
}

/// The last run of a task that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    secs: u64,
    /// Processors that the machine had for it.
    processors: usize,
    /// Runs that were waiting for a processor on average in the last quarter of an hour, in hundredths; more than there are processors
    /// means that other work slowed it down.
    load_percent: Option<u32>,
}

type Runs = BTreeMap<String, Run>;

/// All that is remembered.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Memory {
    tasks: Runs,
    /// Seconds of each step's last run, by what it is called while it runs.
    steps: BTreeMap<String, u64>,
}

fn path() -> PathBuf {
    repository::root().join("target/times.json")
}

fn read() -> Memory {
    // What cannot be read is begun anew: it is only a memory.
    let text = fs::read_to_string(path()).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn remember(change: impl FnOnce(&mut Memory)) -> Result<()> {
    let mut memory = read();
    change(&mut memory);
    let file = path();
    let text = serde_json::to_string_pretty(&memory)? + "\n";
    fs::create_dir_all(repository::root().join("target"))
        .and_then(|()| fs::write(&file, text))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// Remembers how long a task took, and says so.
///
/// # Errors
/// If it cannot be written down.
pub fn note(task: &str, took: Duration) -> Result<()> {
    let secs = took.as_secs();
    if secs < LEAST_SECS {
        return Ok(());
    }
    eprintln!("xtask: {task}: took {}", words(secs));
    let run = Run {
        secs,
        processors: thread::available_parallelism().map_or(1, usize::from),
        load_percent: load_percent(),
    };
    remember(|memory| {
        memory.tasks.insert(task.to_owned(), run);
    })
}

/// Remembers how long a step took.
///
/// # Errors
/// If it cannot be written down.
pub fn note_step(step: &str, took: Duration) -> Result<()> {
    remember(|memory| {
        memory.steps.insert(step.to_owned(), took.as_secs());
    })
}

/// How long that step took on this machine when it ran last, for a person.
pub fn last_step(step: &str) -> Option<String> {
    let secs = read().steps.get(step).copied();
    secs.filter(|secs| *secs >= LEAST_SECS).map(words)
}

/// Of Linux; elsewhere it is not known.
fn load_percent() -> Option<u32> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    let load: f64 = text.split_whitespace().nth(2)?.parse().ok()?;
    Some((load * 100.0).round() as u32)
}

/// Prints the table, and writes it if that is asked for.
///
/// # Errors
/// If it cannot be written.
pub fn run(options: &TimesOptions) -> Result<()> {
    let runs = read().tasks;
    let text = page(&runs);
    print!("{text}");
    if options.keep {
        let write = |name: &str, text: &str| {
            fs::write(repository::root().join(name), text)
                .with_context(|| format!("cannot write {name}"))
        };
        write(FILE, &text)?;
        let readme = repository::root().join(README);
        let before = fs::read_to_string(&readme).context("cannot read README.md")?;
        write(README, &with_times(&before, &runs)?)?;
    }
    Ok(())
}

/// README with what is known of its commands; what is not known stays away.
fn with_times(readme: &str, runs: &Runs) -> Result<String> {
    let (before, rest) = readme
        .split_once(BEGIN)
        .with_context(|| format!("{README} has no line {BEGIN}"))?;
    let (_, after) = rest
        .split_once(END)
        .with_context(|| format!("{README} has no line {END}"))?;
    let known = README_TASKS
        .iter()
        .filter_map(|task| Some((*task, runs.get(*task)?)));
    let said: Vec<String> = known
        .map(|(task, run)| {
            format!(
                "`cargo xtask {task}` {} on {} processors",
                words(run.secs),
                run.processors
            )
        })
        .collect();
    let said = match said.is_empty() {
        true => String::new(),
        false => format!("Measured last: {}.\n", said.join(", ")),
    };
    Ok(format!("{before}{BEGIN}{said}{END}{after}"))
}

fn page(runs: &Runs) -> String {
    let mut text = "# Times\n\nWritten by `cargo xtask times --keep`: the last run of each command on one machine. The first run of a command compiles what it \
                    needs, which later runs find in their caches. Load is what ran or waited on average over a quarter of an hour; above the number of \
                    processors other work slowed the command down.\n\n| command | took | processors | load |\n|---|---|---|---|\n"
        .to_owned();
    for (task, run) in runs {
        let load = run.load_percent.map_or("unknown".into(), |load| {
            format!("{:.1}", f64::from(load) / 100.0)
        });
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| `cargo xtask {task}` | {} | {} | {load} |",
            words(run.secs),
            run.processors
        );
    }
    text
}

fn words(secs: u64) -> String {
    match secs {
        0..120 => format!("{secs} s"),
        120..7_200 => format!("{} min", (secs + 30) / 60),
        _ => format!("{:.1} h", secs as f64 / 3_600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_a_row_for_each_task() {
        let run = |secs, load_percent| Run {
            secs,
            processors: 2,
            load_percent,
        };
        let runs = Runs::from([
            ("lint".to_owned(), run(59, None)),
            ("test".to_owned(), run(5_430, Some(712))),
        ]);
        let text = page(&runs);
        assert!(
            text.contains("| `cargo xtask lint` | 59 s | 2 | unknown |\n"),
            "{text}"
        );
        assert!(
            text.contains("| `cargo xtask test` | 91 min | 2 | 7.1 |\n"),
            "{text}"
        );
        assert_eq!(words(7_200), "2.0 h");
        let readme = format!("a\n{BEGIN}old\n{END}b\n");
        let said = "Measured last: `cargo xtask test` 91 min on 2 processors.\n";
        assert_eq!(
            with_times(&readme, &runs).unwrap(),
            format!("a\n{BEGIN}{said}{END}b\n")
        );
        assert!(with_times("a\n", &runs).is_err());
    }
}
