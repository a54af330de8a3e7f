//! Runs the tests with one change on, those that reach it, up to the first that misses what was changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
    sync::Mutex,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use super::{
    build::{self, Binary},
    change::Change,
    found::Fate,
    sources::Sources,
    switch,
};
use crate::mutants::{
    locked,
    trial::{self, Ending},
};

/// A test with what is known of it.
#[derive(Clone, Debug)]
pub struct Test {
    binary: Binary,
    name: String,
    secs: f64,
    /// First number and count of the changes that it reaches; all where that is not known.
    reaches: Option<BTreeSet<(u32, u32)>>,
}

/// How long a test takes, and what it reaches: first number and count of changes.
type Traced = (f64, BTreeSet<(u32, u32)>);

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

/// Computing that a test may do beyond what it does with nothing changed. That is measured by the clock, which a busy machine only
/// makes more.
const MORE_SECS: f64 = 2.0;
const TIMES: f64 = 1.5;
/// What is optimised for one run takes so much longer at most.
const SLOWER: f64 = 8.0;
/// Whose tests are asked about a package's changes besides its own.
const ASKED: [(&str, &[&str]); 3] = [
    ("ballast-clmm", &["ballast-model"]),
    (
        "ballast-model",
        &["ballast-ledger", "ballast-strategy", "ballast"],
    ),
    ("ballast-strategy", &[]),
];
/// They are if they take no longer.
const QUICK_SECS: f64 = 1.5;
/// What sleeps for ever computes nothing.
const LONGEST: Duration = Duration::from_secs(600);
/// A change may fill the memory.
const MOST_KIB: &str = "4194304";

/// Whose tests are asked about changes of a package.
pub fn asked(package: &str) -> impl Iterator<Item = &'static str> {
    let (own, others): (Vec<_>, Vec<_>) = ASKED
        .iter()
        .filter(|(of, _)| *of == package)
        .map(|(of, others)| (*of, *others))
        .unzip();
    own.into_iter().chain(others.into_iter().flatten().copied())
}

impl Test {
    /// Stays the same when the binary moves.
    pub fn key(&self) -> String {
        format!("{}: {}", self.binary.name, self.name)
    }

    /// Runs it with nothing changed.
    fn trace(&self, log: &Path) -> Result<Traced> {
        fs::write(log, "").with_context(|| format!("cannot write {}", log.display()))?;
        let start = Instant::now();
        let mut command = command(&self.binary, &[&self.name], LONGEST.as_secs_f64());
        command
            .env(switch::NUMBER, "trace")
            .env(switch::REACHED, log);
        let ending = trial::run(&mut command, LONGEST, &mut BTreeMap::new())?;
        ensure!(
            ending == Ending::Passed,
            "{} with nothing changed: {ending:?}",
            self.key()
        );
        let secs = start.elapsed().as_secs_f64();
        let text = fs::read_to_string(log)?;
        Ok((secs, text.lines().filter_map(reached).collect()))
    }

    /// Whether it is asked about a change: it reaches it, and is of the same package or a quick one that knows it well.
    fn may_miss(&self, change: &Change) -> bool {
        let asks = |(of, others): &(&str, &[&str])| {
            let quick = self.secs < QUICK_SECS && others.contains(&self.binary.package.as_str());
            build::package_of(&change.file) == Some(of) && (*of == self.binary.package || quick)
        };
        self.reaches(change.number) && ASKED.iter().any(asks)
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
    /// Runs every test once with nothing changed, and hears what it reaches. That is remembered until code or test change.
    pub fn trace(
        binaries: &[Binary],
        scratch: &Path,
        sources: &Sources,
        jobs: usize,
    ) -> Result<Self> {
        let mut hunt = Self::untraced(binaries)?;
        let mut known = traced(scratch);
        let is_known = |test: &Test| {
            let known = known.get(&test.key());
            known.is_some_and(|(of, _)| *of == sources.of_test(&test.name))
        };
        let new: Vec<_> = hunt.tests.iter().filter(|test| !is_known(test)).collect();
        let left = Mutex::new(new.iter());
        let trace = |worker: usize| -> Result<Vec<(String, (String, Traced))>> {
            let log = scratch.join(format!("reached-{worker}"));
            let mut traced = Vec::new();
            loop {
                let Some(test) = locked(&left)?.next() else {
                    return Ok(traced);
                };
                let of = sources.of_test(&test.name);
                traced.push((test.key(), (of, test.trace(&log)?)));
            }
        };
        std::thread::scope(|scope| {
            let trace = &trace;
            let workers: Vec<_> = (0..jobs)
                .map(|worker| scope.spawn(move || trace(worker)))
                .collect();
            for worker in workers {
                match worker.join() {
                    Ok(traced) => known.extend(traced?),
                    Err(_) => bail!("a worker panicked"),
                }
            }
            Ok(())
        })?;
        let file = scratch.join(TRACED);
        fs::write(&file, serde_json::to_string(&known)?)
            .with_context(|| format!("cannot write {}", file.display()))?;
        for test in &mut hunt.tests {
            if let Some((_, (secs, reaches))) = known.remove(&test.key()) {
                (test.secs, test.reaches) = (secs, Some(reaches));
            }
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

    /// Takes over how long tests take. What is built quickly computes slowly.
    pub fn with_secs(mut self, secs: &BTreeMap<String, f64>) -> Self {
        for test in &mut self.tests {
            test.secs = SLOWER * secs.get(&test.key()).copied().unwrap_or(1.0);
        }
        self.tests.sort_by(|a, b| a.secs.total_cmp(&b.secs));
        self
    }

    /// Whether a test reaches a change.
    pub fn is_reached(&self, number: u32) -> bool {
        self.tests.iter().any(|test| test.reaches(number))
    }

    /// What becomes of a change. A test that is known to miss what it takes away comes first.
    pub fn try_change(&self, change: &Change, known: Option<&str>) -> Result<Fate> {
        let number = change.number;
        let reaching = || self.tests.iter().filter(|test| test.may_miss(change));
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

/// Where it is kept what tests reach.
const TRACED: &str = "traced.json";

/// What is known of tests by their keys: of what code and test, and what.
fn traced(scratch: &Path) -> BTreeMap<String, (String, Traced)> {
    let text = fs::read_to_string(scratch.join(TRACED)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// How long tests took when they were last heard.
pub fn secs(scratch: &Path) -> BTreeMap<String, f64> {
    let traced = traced(scratch).into_iter();
    traced.map(|(test, (_, (secs, _)))| (test, secs)).collect()
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
            Ending::Aborted(name) | Ending::TimedOut(name) => {
                let is_named = |test: &&&Test| Some(&test.name) == name.as_ref();
                let named = tests.iter().filter(is_named);
                let others = tests.iter().filter(|test| !is_named(test));
                for test in named.chain(others) {
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
        Ending::Aborted(_) | Ending::TimedOut(_) if ending(&[test], number)? != once => None,
        Ending::Aborted(_) => Some(Fate::Aborted(test.key())),
        Ending::TimedOut(_) => Some(Fate::NeverEnded(test.key())),
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
        "ulimit -v {MOST_KIB}; ulimit -S -t {}; exec \"$@\"",
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
