//! How long tasks and their steps took on this machine: remembered in `target/times.json`; tasks are shown by `cargo xtask times`.

use std::{collections::BTreeMap, fmt::Write, fs, path::PathBuf, thread, time::Duration};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::repository;

const FILE: &str = "docs/TIMES.md";
/// Has the times of the two commands that it begins with, between these lines.
const README: &str = "README.md";
const README_TASKS: [&str; 2] = ["demo --stay", "test"];
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

/// A run of a task that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    secs: u64,
    /// Processors that the machine had for it.
    processors: usize,
    /// Runs that were waiting for a processor on average in the last quarter of an hour, in hundredths; more than there are processors
    /// means that other work slowed it down.
    load_percent: Option<u32>,
}

/// The first run of a task in this checkout, which compiled what was not compiled yet, and the last one, which found that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored")]
struct Runs {
    first: Option<Run>,
    /// Of those after the first.
    last: Option<Run>,
}

/// How runs were and are written down.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    /// The last one alone: whether it was the first is not known.
    Last(Run),
    Both {
        first: Option<Run>,
        last: Option<Run>,
    },
}

impl From<Stored> for Runs {
    fn from(stored: Stored) -> Self {
        let (first, last) = match stored {
            Stored::Last(run) => (None, Some(run)),
            Stored::Both { first, last } => (first, last),
        };
        Self { first, last }
    }
}

impl Runs {
    fn add(&mut self, run: Run) {
        match self {
            Self {
                first: None,
                last: None,
            } => self.first = Some(run),
            _ => self.last = Some(run),
        }
    }
}

type Tasks = BTreeMap<String, Runs>;

/// All that is remembered.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Memory {
    tasks: Tasks,
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

/// The task with its options and their values, but for paths: they are of this machine, and change little.
pub fn name(words: &[String]) -> String {
    let is_path = |word: &str| word.contains(['/', '\\', '.']);
    let kept = words.iter().enumerate().filter_map(|(index, word)| {
        let option = index == 0 || word.starts_with('-');
        match word.split_once('=') {
            Some((option, value)) if is_path(value) => Some(option),
            _ if option || !is_path(word) => Some(word.as_str()),
            _ => None,
        }
    });
    kept.collect::<Vec<_>>().join(" ")
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
        memory.tasks.entry(task.to_owned()).or_default().add(run);
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
    let tasks = read().tasks;
    let text = page(&tasks);
    print!("{text}");
    if options.keep {
        let write = |name: &str, text: &str| {
            fs::write(repository::root().join(name), text)
                .with_context(|| format!("cannot write {name}"))
        };
        write(FILE, &text)?;
        let readme = repository::root().join(README);
        let before = fs::read_to_string(&readme).context("cannot read README.md")?;
        write(README, &with_times(&before, &tasks)?)?;
    }
    Ok(())
}

/// README with what is known of its commands; what is not known stays away.
fn with_times(readme: &str, tasks: &Tasks) -> Result<String> {
    let (before, rest) = readme
        .split_once(BEGIN)
        .with_context(|| format!("{README} has no line {BEGIN}"))?;
    let (_, after) = rest
        .split_once(END)
        .with_context(|| format!("{README} has no line {END}"))?;
    let known = README_TASKS
        .iter()
        .filter_map(|task| Some((*task, *tasks.get(*task)?)));
    let said: String = known
        .filter_map(|(task, runs)| sentence(task, runs))
        .collect();
    Ok(format!("{before}{BEGIN}{said}{END}{after}"))
}

/// What README says of a command: nothing where no run is known.
fn sentence(task: &str, runs: Runs) -> Option<String> {
    let took = match (runs.first, runs.last) {
        (Some(first), Some(last)) => format!(
            "{} the first time, {} the last time",
            words(first.secs),
            words(last.secs)
        ),
        (Some(first), None) => format!("{} the first time", words(first.secs)),
        (None, last) => format!("{} the last time", words(last?.secs)),
    };
    let processors = runs.last.or(runs.first)?.processors;
    Some(format!(
        "Measured: `cargo xtask {task}` took {took} on {processors} processors.\n"
    ))
}

fn page(tasks: &Tasks) -> String {
    let mut text = "# Times\n\nWritten by `cargo xtask times --keep`: the first and the last run of each command on one machine. The first run of a command \
                    compiles what it needs, unless another command has, which later runs find in their caches. Load is what ran or waited on average over a \
                    quarter of an hour; above the number of processors other work slowed the command down. `demo --stay` takes until it is ended.\n\n| command | first run | load | last run | load | \
                    processors |\n|---|---|---|---|---|---|\n"
        .to_owned();
    for (task, runs) in tasks {
        let Some(newest) = runs.last.or(runs.first) else {
            continue;
        };
        let cells = |run: Option<Run>| match run {
            None => "- | -".to_owned(),
            Some(run) => {
                let load = run.load_percent.map_or("unknown".into(), |load| {
                    format!("{:.1}", f64::from(load) / 100.0)
                });
                format!("{} | {load}", words(run.secs))
            }
        };
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| `cargo xtask {task}` | {} | {} | {} |",
            cells(runs.first),
            cells(runs.last),
            newest.processors
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

    fn run(secs: u64, load_percent: Option<u32>) -> Run {
        Run {
            secs,
            processors: 2,
            load_percent,
        }
    }

    fn runs(all: &[Run]) -> Runs {
        let mut runs = Runs::default();
        for run in all {
            runs.add(*run);
        }
        runs
    }

    #[test]
    fn the_page_has_first_and_last_run_of_each_task() {
        let tasks = Tasks::from([
            ("demo --stay".to_owned(), runs(&[run(2_400, Some(190))])),
            (
                "lint".to_owned(),
                runs(&[run(59, None), run(60, None), run(47, Some(254))]),
            ),
            (
                "test".to_owned(),
                Runs {
                    first: None,
                    last: Some(run(5_430, Some(712))),
                },
            ),
        ]);
        let text = page(&tasks);
        for row in [
            "| `cargo xtask demo --stay` | 40 min | 1.9 | - | - | 2 |\n",
            "| `cargo xtask lint` | 59 s | unknown | 47 s | 2.5 | 2 |\n",
            "| `cargo xtask test` | - | - | 91 min | 7.1 | 2 |\n",
        ] {
            assert!(text.contains(row), "no {row} in\n{text}");
        }
        assert_eq!(words(7_200), "2.0 h");
        let readme = format!("a\n{BEGIN}old\n{END}b\n");
        let said = "Measured: `cargo xtask demo --stay` took 40 min the first time on 2 processors.\nMeasured: `cargo xtask test` took 91 min \
                    the last time on 2 processors.\n";
        assert_eq!(
            with_times(&readme, &tasks).unwrap(),
            format!("a\n{BEGIN}{said}{END}b\n")
        );
        let again = runs(&[run(2_400, None), run(45, None)]);
        assert_eq!(
            sentence("demo", again).unwrap(),
            "Measured: `cargo xtask demo` took 40 min the first time, 45 s the last time on 2 processors.\n"
        );
        assert!(with_times("a\n", &tasks).is_err());
    }

    #[test]
    fn what_was_remembered_before_is_a_last_run() {
        let old = r#"{"tasks": {"lint": {"secs": 47, "processors": 2, "load_percent": 254}}, "steps": {"x": 3}}"#;
        let mut memory: Memory = serde_json::from_str(old).unwrap();
        let lint = memory.tasks.get_mut("lint").unwrap();
        assert_eq!((lint.first, lint.last), (None, Some(run(47, Some(254)))));
        lint.add(run(50, None));
        assert_eq!((lint.first, lint.last), (None, Some(run(50, None))));
        memory
            .tasks
            .insert("demo".to_owned(), runs(&[run(9, None)]));
        let text = serde_json::to_string(&memory).unwrap();
        let read: Memory = serde_json::from_str(&text).unwrap();
        assert_eq!((read.tasks, read.steps), (memory.tasks, memory.steps));
    }

    #[test]
    fn tasks_with_other_options_are_other_tasks() {
        for (line, expected) in [
            ("demo", "demo"),
            ("demo --validator --stay", "demo --validator --stay"),
            ("fuzz --seconds 60 --seed 1", "fuzz --seconds 60 --seed 1"),
            ("fuzz --replay target/fuzz/x", "fuzz --replay"),
            (
                "mutants --only programs/ballast/src/due.rs",
                "mutants --only",
            ),
            ("build -p localnet-pyth", "build -p localnet-pyth"),
            (
                "demo --picture=docs/demo.svg --html demo.html",
                "demo --picture --html",
            ),
            (
                "test --no-validator --no-typescript",
                "test --no-validator --no-typescript",
            ),
        ] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(name(&words), expected, "{line}");
        }
    }
}
