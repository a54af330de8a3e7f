//! Runs the tests with one change on, those that reach it, up to the first that misses what was changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{
    build::{self, Binary},
    found::Fate,
    switch,
};
use crate::mutants::trial::{self, Ending};

/// A test with what is known of it.
#[derive(Clone, Debug)]
pub struct Test {
    binary: Binary,
    name: String,
    secs: f64,
    /// First number and count of the changes that it reaches; all where that is not known.
    reaches: Option<BTreeSet<(u32, u32)>>,
}

/// All tests, quick ones first.
pub struct Hunt {
    tests: Vec<Test>,
}

/// So that what survives takes seconds; failures are not made small.
const SHORT: [(&str, &str); 5] = [
    ("BALLAST_CASES", "1/20"),
    ("PROPTEST_CASES", "256"),
    ("PROPTEST_RNG_SEED", "1"),
    ("PROPTEST_MAX_SHRINK_ITERS", "0"),
    ("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1"),
];

/// Computing that a test may do beyond what it does with nothing changed, which is measured on a busy machine.
const MORE_SECS: f64 = 2.0;
const TIMES: f64 = 4.0;
/// What sleeps for ever computes nothing.
const LONGEST: Duration = Duration::from_secs(600);
/// A change may fill the memory.
const MOST_KIB: &str = "4194304";

impl Test {
    /// Stays the same when the binary moves.
    pub fn key(&self) -> String {
        format!("{}: {}", self.binary.name, self.name)
    }

    fn reaches(&self, number: u32) -> bool {
        let reached = |ranges: &BTreeSet<(u32, u32)>| {
            ranges
                .iter()
                .any(|(first, count)| number.checked_sub(*first).is_some_and(|nth| nth < *count))
        };
        self.reaches.as_ref().is_none_or(reached)
    }
}

impl Hunt {
    /// Runs every test once with nothing changed, and hears what it reaches.
    pub fn trace(binaries: &[Binary], scratch: &Path) -> Result<Self> {
        let log = scratch.join("reached");
        let mut hunt = Self::untraced(binaries)?;
        for test in &mut hunt.tests {
            fs::write(&log, "").with_context(|| format!("cannot write {}", log.display()))?;
            let start = Instant::now();
            let mut command = command(&test.binary, &[&test.name], LONGEST.as_secs_f64());
            command
                .env(switch::NUMBER, "trace")
                .env(switch::REACHED, &log);
            let ending = trial::run(&mut command, LONGEST, &mut BTreeMap::new())?;
            ensure!(
                ending == Ending::Passed,
                "{} with nothing changed: {ending:?}",
                test.key()
            );
            test.secs = start.elapsed().as_secs_f64();
            let text = fs::read_to_string(&log)?;
            test.reaches = Some(text.lines().filter_map(reached).collect());
        }
        hunt.tests.sort_by(|a, b| a.secs.total_cmp(&b.secs));
        Ok(hunt)
    }

    /// Tests of which nothing is known.
    pub fn untraced(binaries: &[Binary]) -> Result<Self> {
        let mut tests = Vec::new();
        for binary in binaries {
            tests.extend(build::names(&binary.path)?.into_iter().map(|name| Test {
                binary: binary.clone(),
                name,
                secs: 0.0,
                reaches: None,
            }));
        }
        Ok(Self { tests })
    }

    /// How many tests there are.
    pub fn len(&self) -> usize {
        self.tests.len()
    }

    /// What takes how long, for tests that are built anew.
    pub fn secs(&self) -> BTreeMap<String, f64> {
        self.tests
            .iter()
            .map(|test| (test.key(), test.secs))
            .collect()
    }

    /// Takes over how long tests take.
    pub fn with_secs(mut self, secs: &BTreeMap<String, f64>) -> Self {
        for test in &mut self.tests {
            test.secs = secs.get(&test.key()).copied().unwrap_or(1.0);
        }
        self.tests.sort_by(|a, b| a.secs.total_cmp(&b.secs));
        self
    }

    /// Whether a test reaches a change.
    pub fn is_reached(&self, number: u32) -> bool {
        self.tests.iter().any(|test| test.reaches(number))
    }

    /// What becomes of a change. A test that is known to miss what it takes away comes first.
    pub fn try_change(&self, number: u32, known: Option<&str>) -> Result<Fate> {
        let reaching = || self.tests.iter().filter(|test| test.reaches(number));
        let is_known = |test: &&Test| Some(test.key().as_str()) == known;
        let order: Vec<_> = reaching()
            .filter(is_known)
            .chain(reaching().filter(|test| !is_known(test)))
            .collect();
        // A few at first, then more and more: starting costs time too.
        let (mut rest, mut many) = (order.as_slice(), 1);
        while !rest.is_empty() {
            let (chunk, later) = rest.split_at(many.min(rest.len()));
            if let Some(fate) = missed(chunk, number)? {
                return Ok(fate);
            }
            (rest, many) = (later, many * 3);
        }
        Ok(Fate::Survived)
    }
}

/// What becomes of a change in a few tests, if one misses something.
fn missed(tests: &[&Test], number: u32) -> Result<Option<Fate>> {
    let mut by_binary: BTreeMap<&Path, Vec<&Test>> = BTreeMap::new();
    for test in tests {
        by_binary.entry(&test.binary.path).or_default().push(test);
    }
    for tests in by_binary.into_values() {
        match ending(&tests, number)? {
            Ending::Passed => {}
            Ending::Failed(name) => {
                let test = tests.iter().find(|test| test.name == name);
                let test = test.with_context(|| format!("who asked for {name}?"))?;
                return Ok(Some(Fate::Found(test.key())));
            }
            Ending::Aborted | Ending::TimedOut => {
                for test in tests {
                    if let Some(fate) = missed_alone(test, number)? {
                        return Ok(Some(fate));
                    }
                }
            }
        }
    }
    Ok(None)
}

/// The same for one test. What is no failure counts when it happens again.
fn missed_alone(test: &Test, number: u32) -> Result<Option<Fate>> {
    let once = ending(&[test], number)?;
    Ok(match once {
        Ending::Passed => None,
        Ending::Failed(_) => Some(Fate::Found(test.key())),
        Ending::Aborted | Ending::TimedOut if ending(&[test], number)? != once => None,
        Ending::Aborted => Some(Fate::Aborted(test.key())),
        Ending::TimedOut => Some(Fate::NeverEnded(test.key())),
    })
}

fn ending(tests: &[&Test], number: u32) -> Result<Ending> {
    let names: Vec<_> = tests.iter().map(|test| test.name.as_str()).collect();
    let secs: f64 = tests.iter().map(|test| test.secs).sum();
    let mut command = command(&tests[0].binary, &names, MORE_SECS + TIMES * secs);
    command.env(switch::NUMBER, number.to_string());
    trial::run(&mut command, LONGEST, &mut BTreeMap::new())
}

/// Runs tests by name, which may compute so many seconds.
fn command(binary: &Binary, names: &[&str], secs: f64) -> Command {
    let limits = format!(
        "ulimit -v {MOST_KIB}; ulimit -t {}; exec \"$@\"",
        secs.ceil() as u64
    );
    let mut command = Command::new("sh");
    command
        .args(["-c", &limits, "sh"])
        .arg(&binary.path)
        .args(["--test-threads=1", "--exact"])
        .args(names)
        .current_dir(&binary.directory)
        .envs(SHORT)
        .env("CARGO_MANIFEST_DIR", &binary.directory)
        // What it fails with is not looked at.
        .env("RUST_BACKTRACE", "0");
    command
}

/// `first count`.
fn reached(line: &str) -> Option<(u32, u32)> {
    let (first, count) = line.split_once(' ')?;
    Some((first.parse().ok()?, count.parse().ok()?))
}
