//! `cargo xtask mutants --libraries`: the same question for the libraries and the keeper's decisions, asked by cargo-mutants,
//! which changes what functions return and how they compute, one change and one build at a time.

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::report::{cell, explanation};
use crate::{process, repository, suite};

/// What is mutated: a name, and how cargo-mutants is told.
const LIBRARIES: [(&str, &[&str]); 3] = [
    ("crates/clmm", &["--package", "ballast-clmm"]),
    ("crates/model", &["--package", "ballast-model"]),
    (
        "crates/strategy/src/decide",
        &[
            "--package",
            "ballast-strategy",
            "--file",
            "crates/strategy/src/decide/**",
        ],
    ),
];

/// What became of one change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Caught,
    Missed,
    /// It never ended: no test could pass.
    TimedOut,
    /// It does not compile.
    Unviable,
    /// Its unit tests have missed it; it has not had all tests.
    Waiting,
}

/// Every change that was tried, by file, place and what it does.
type Tried = BTreeMap<(String, String), Fate>;

/// Runs cargo-mutants on the libraries whose name contains `only`, or on one part of so many (`3/40`) of each: first with the unit
/// tests, which are built and over in seconds, then with all tests of the package on what those have missed.
pub fn run(only: Option<&str>, shard: Option<&str>) -> Result<()> {
    for (name, selection) in chosen(only) {
        let output = directory(name).join(shard.unwrap_or("0/1").replace('/', "-of-"));
        fs::create_dir_all(&output)
            .with_context(|| format!("cannot create {}", output.display()))?;
        for (stage, arguments) in [
            (Some(UNIT_TESTS), &["--", "--lib"][..]),
            (None, &["--iterate"]),
        ] {
            let mut command = cargo_mutants(selection);
            // Built quickly rather than to be quick: what takes the time is building.
            for package in ["ballast-clmm", "ballast-model", "ballast-strategy"] {
                let level = format!("--config=profile.dev.package.{package}.opt-level=0");
                command.args(["--cargo-arg", &level]);
            }
            command
                // One function changes at a time.
                .env("CARGO_INCREMENTAL", "1")
                .env("PROPTEST_CASES", FEW_CASES)
                .env("CARGO_TARGET_DIR", build_dir(name))
                .args(["--no-shuffle", "--colors", "never", "--output"])
                .arg(&output)
                // That they pass as they are is what CI is for.
                .args(["--baseline", "skip", "--timeout", LONGEST_SECS]);
            if let Some(shard) = shard {
                // Every N-th: a sample of all files.
                command.args(["--sharding", "round-robin", "--shard", shard]);
            }
            let status = command
                .args(arguments)
                .status()
                .context("cannot start cargo")?;
            // 2: some survived. 3: some never ended. All else means that nothing was found out.
            if !matches!(status.code(), Some(0 | 2 | 3)) {
                bail!(
                    "cargo mutants on {name}: {status}; `cargo install cargo-mutants` if it is missing"
                );
            }
            let found = output.join("mutants.out/outcomes.json");
            // None is written where nothing was left to try.
            if let Some(stage) = stage
                && found.is_file()
            {
                fs::copy(&found, output.join(stage))
                    .with_context(|| format!("cannot copy {}", found.display()))?;
            }
        }
    }
    Ok(())
}

/// What the first stage found; cargo-mutants keeps only the last.
const UNIT_TESTS: &str = "unit-tests.json";

/// A change may loop for ever; the machine may be busy.
const LONGEST_SECS: &str = "600";

/// So that what survives takes seconds.
const FEW_CASES: &str = "256";

/// Where a changed package is built: what is built for the tests of the repository stays as it is.
fn build_dir(name: &str) -> PathBuf {
    repository::build_dir().join(format!("mutants/build-{}", name.replace('/', "-")))
}

fn chosen(only: Option<&str>) -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    LIBRARIES
        .into_iter()
        .filter(move |(name, _)| only.is_none_or(|only| name.contains(only)))
}

fn cargo_mutants(selection: &[&str]) -> Command {
    let mut command = suite::cargo();
    command.arg("mutants").args(selection);
    command
}

fn directory(name: &str) -> PathBuf {
    repository::build_dir()
        .join("mutants/libraries")
        .join(name.replace('/', "-"))
}

/// What all runs so far found, for `docs/MUTANTS.md`.
pub fn markdown() -> Result<String> {
    let mut text = String::from(
        "Written by `cargo xtask mutants --libraries --keep`, which runs cargo-mutants. A change that no test of its own package\n\
         notices has *survived*; one that its unit tests have not noticed, and that has not had all tests, is *left*. `--shard K/N` tries one part of N; what several parts found is counted together.\n\n\
         | code | changes | tried | do not compile | found | never ended | survived | left | found or never ended |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    let mut survivors = String::new();
    for (name, selection) in LIBRARIES {
        let tried = tried(&directory(name))?;
        let count = |fate| tried.values().filter(|found| **found == fate).count();
        let unviable = count(Fate::Unviable);
        let viable = tried.len() - unviable;
        let all = if viable == 0 {
            "?".to_owned()
        } else {
            let list = process::output(cargo_mutants(selection).arg("--list"))?;
            list.lines().count().to_string()
        };
        let caught = count(Fate::Caught) + count(Fate::TimedOut);
        // While some are left, nobody knows.
        let share = match (count(Fate::Waiting), (caught * 1_000).checked_div(viable)) {
            (0, Some(permille)) => format!("{}.{} %", permille / 10, permille % 10),
            _ => "-".to_owned(),
        };
        let _ = writeln!(
            text,
            "| `{name}` | {all} | {} | {unviable} | {} | {} | {} | {} | {share} |",
            tried.len(),
            count(Fate::Caught),
            count(Fate::TimedOut),
            count(Fate::Missed),
            count(Fate::Waiting),
        );
        for ((file, what), _) in tried.iter().filter(|(_, fate)| **fate == Fate::Missed) {
            let change = what
                .split_once(": ")
                .map_or(what.as_str(), |(_, change)| change);
            let why = explanation(file, change).unwrap_or("**not explained**");
            let _ = writeln!(survivors, "| `{}` in {file} | {why} |", cell(change));
        }
    }
    if !survivors.is_empty() {
        text.push_str("\n### Survivors in the libraries\n\n| change | why |\n|---|---|\n");
        text.push_str(&survivors);
    }
    Ok(text)
}

/// All outcomes below a directory.
fn tried(directory: &Path) -> Result<Tried> {
    let mut tried = Tried::new();
    if !directory.is_dir() {
        return Ok(tried);
    }
    for entry in fs::read_dir(directory)? {
        let shard = entry?.path();
        let read = |file: PathBuf| -> Result<Tried> {
            if !file.is_file() {
                return Ok(Tried::new());
            }
            let text = fs::read_to_string(&file)?;
            outcomes(&text).with_context(|| format!("{}", file.display()))
        };
        // Of a run that was interrupted, too, what cargo-mutants has written so far.
        let last = shard.join("mutants.out/outcomes.json");
        let unit_tests = shard.join(UNIT_TESTS);
        let (first, second) = if unit_tests.is_file() {
            (read(unit_tests)?, read(last)?)
        } else {
            (read(last)?, Tried::new())
        };
        let first = first.into_iter().map(|(change, fate)| match fate {
            Fate::Missed => (change, Fate::Waiting),
            fate => (change, fate),
        });
        tried.extend(first.chain(second));
    }
    Ok(tried)
}

/// What `outcomes.json` says.
fn outcomes(text: &str) -> Result<Tried> {
    let value: Value = serde_json::from_str(text)?;
    let outcomes = value["outcomes"].as_array().context("no outcomes")?;
    let mut tried = Tried::new();
    for outcome in outcomes {
        let mutant = &outcome["scenario"]["Mutant"];
        let (Some(file), Some(name)) = (mutant["file"].as_str(), mutant["name"].as_str()) else {
            continue;
        };
        let fate = match outcome["summary"].as_str() {
            Some("CaughtMutant") => Fate::Caught,
            Some("MissedMutant") => Fate::Missed,
            Some("Timeout") => Fate::TimedOut,
            Some("Unviable") => Fate::Unviable,
            other => bail!("what is a {other:?}?"),
        };
        let place = name.strip_prefix(file).unwrap_or(name);
        tried.insert(
            (file.to_owned(), place.trim_start_matches(':').to_owned()),
            fate,
        );
    }
    Ok(tried)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_read_and_the_baseline_is_none() {
        let text = r#"{ "outcomes": [
            { "scenario": "Baseline", "summary": "Success" },
            { "scenario": { "Mutant": { "file": "a.rs", "name": "a.rs:1:2: replace + with -" } }, "summary": "CaughtMutant" },
            { "scenario": { "Mutant": { "file": "a.rs", "name": "a.rs:3:4: replace + with *" } }, "summary": "MissedMutant" }
        ] }"#;
        let key = |place: &str| ("a.rs".to_owned(), place.to_owned());
        let expected = Tried::from([
            (key("1:2: replace + with -"), Fate::Caught),
            (key("3:4: replace + with *"), Fate::Missed),
        ]);
        assert_eq!(outcomes(text).unwrap(), expected);
        assert!(outcomes("{}").is_err());
    }
}
