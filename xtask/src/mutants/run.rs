//! Runs the tests on a program with one guard switched off, up to the first that fails.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};

use super::{
    order::Order,
    reached::Reached,
    rewrite::Site,
    tree::{MARK, TRACE, Tree},
    trial::{self, Ending},
};
use crate::{
    cache::Key,
    process,
    repository::{self, PROGRAMS, Program},
    sbf::{self, Compiler},
};

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This test failed.
    Killed(String),
    /// None did.
    Survived,
}

/// Which tests are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The unit tests, and those in which it matters that are likely to miss the guard.
    Likely,
    /// All others in which it matters, and then all others.
    Rest,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed(test) => write!(f, "found by {test}"),
            Self::Survived => f.write_str("SURVIVED"),
        }
    }
}

/// Tests that say nothing about guards: what the program costs, and its compiler.
pub const SKIPPED: [&str; 2] = ["costs::", "toolchain::"];
/// The unit tests: packages, what is built of them, and its name.
const UNITS: [(&str, &[&str], &str); 4] = [
    ("ballast", &["--lib"], "ballast"),
    ("ballast-model", &["--lib"], "ballast_model"),
    ("ballast-ledger", &["--lib"], "ballast_ledger"),
    ("ballast-ledger", &["--test", "values"], "values"),
];
/// A mutant may loop for ever.
const LONGEST: Duration = Duration::from_secs(1_200);

/// Everything that is built once.
pub struct Bench {
    program: Vec<u8>,
    /// Where the number stands in `program`.
    switch: usize,
    /// The tests in the SVM, of the sources as they are.
    onchain: PathBuf,
    /// The unit tests of the program and of the libraries whose values it goes by, of the rewritten sources.
    units: Vec<PathBuf>,
    directory: PathBuf,
    order: Order,
    reached: Reached,
    /// Of tests that have failed: whether they pass with nothing switched off.
    judged: Mutex<BTreeMap<String, bool>>,
}

impl Bench {
    /// Builds the rewritten program and both kinds of tests.
    pub fn build(compiler: &Compiler, tree: &Tree) -> Result<Self> {
        sbf::build(compiler, &others())?;
        // This very program, told that the copy is the repository.
        let this = std::env::current_exe().context("where is xtask?")?;
        process::run(
            Command::new(this)
                .args(["build-program", "ballast"])
                .env("CARGO_MANIFEST_DIR", tree.root.join("xtask"))
                .env("CARGO_TARGET_DIR", &tree.build_dir),
        )?;
        let file = tree.root.join("target/deploy/ballast.so");
        let program = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let marks: Vec<_> = (0..program.len().saturating_sub(MARK.len() + 2))
            .filter(|at| program[*at..].starts_with(MARK))
            .collect();
        ensure!(
            marks.len() == 1,
            "the program holds {} switches instead of one",
            marks.len()
        );
        let onchain = test_binary(
            repository::root(),
            &repository::build_dir(),
            &["--workspace", "--test", "onchain"],
            "onchain",
        )?;
        let units = UNITS.map(|(package, what, target)| {
            let mut arguments = vec!["--package", package];
            arguments.extend(what);
            test_binary(&tree.root, &tree.build_dir, &arguments, target)
        });
        let names = names(&onchain)?;
        let mut bench = Self {
            program,
            switch: marks[0] + MARK.len(),
            order: Order::read(&names)?,
            reached: Reached::default(),
            onchain,
            units: units.into_iter().collect::<Result<_>>()?,
            directory: repository::build_dir().join("mutants"),
            judged: Mutex::default(),
        };
        bench.reached = bench.trace(&names)?;
        Ok(bench)
    }

    /// In which tests each guard makes a difference. It is remembered for this program and these tests.
    fn trace(&self, tests: &[String]) -> Result<Reached> {
        let deploy = self.deploy("deploy-trace", TRACE)?;
        let key = Key::new().files(&deploy)?.files(&self.onchain)?.hex();
        let file = self.directory.join(format!("reached-{}.json", &key[..16]));
        Reached::provide(&file, tests, |test| {
            let mut command = self::tests(&self.onchain, &deploy);
            command
                .env("BALLAST_PROGRAM_LOGS", "1")
                .args(["--exact", test]);
            command
        })
    }

    /// Runs one part of the tests, first those in which it matters, with one guard switched off. A test that is known to miss the
    /// guard comes before all.
    pub fn try_mutant(
        &self,
        site: &Site,
        known: Option<&str>,
        part: Part,
        secs: &mut BTreeMap<String, f64>,
        worker: usize,
    ) -> Result<Outcome> {
        let deploy = self.deploy(&format!("deploy-{worker}"), site.number)?;
        let (order, likely) = self.order.of(site, secs);
        let known: Vec<_> = order
            .iter()
            .copied()
            .filter(|test| Some(*test) == known)
            .collect();
        let may_miss = |test: &&str| self.reached.may_miss(test, site.number);
        let of_part = match part {
            Part::Likely => &order[..likely],
            Part::Rest => &order[likely..],
        };
        let mut tests: Vec<_> = of_part.iter().copied().filter(may_miss).collect();
        if part == Part::Rest {
            // A condition that is left by `?` says nothing in the log: before a guard survives, all tests are asked.
            tests.extend(order.iter().copied().filter(|test| !may_miss(test)));
        }
        let mut runs: Vec<(&Path, &[&str])> = Vec::new();
        if part == Part::Likely {
            runs.extend(self.units.iter().map(|unit| (unit.as_path(), &[][..])));
            runs.push((&self.onchain, &known));
        }
        // A few at first, then more and more: starting costs time too.
        let (mut from, mut many) = (0, 4);
        let chunks = std::iter::from_fn(|| {
            let chunk = tests.get(from..(from + many).min(tests.len()))?;
            (from, many) = (from + many, many * 3);
            (!chunk.is_empty()).then_some(chunk)
        });
        runs.extend(chunks.map(|names| (self.onchain.as_path(), names)));
        for (binary, names) in runs {
            if binary == self.onchain && names.is_empty() {
                continue;
            }
            if let Some(test) = self.missed_by(binary, names, &deploy, site.number, secs)? {
                return Ok(Outcome::Killed(test));
            }
        }
        Ok(Outcome::Survived)
    }

    /// The first test that fails and would not with nothing switched off; of all in the file if none are named. That tests die or
    /// never end counts if they do so again, and do not with nothing switched off.
    fn missed_by(
        &self,
        binary: &Path,
        names: &[&str],
        deploy: &Path,
        number: u16,
        secs: &mut BTreeMap<String, f64>,
    ) -> Result<Option<String>> {
        let mut before = None;
        loop {
            let unsound = self.unsound();
            let mut command = tests(binary, deploy);
            command
                .env("BALLAST_MUTANT", number.to_string())
                .arg("--exact");
            command.args(names);
            for test in &unsound {
                command.args(["--skip", test]);
            }
            let ending = trial::run(&mut command, LONGEST, secs)?;
            match &ending {
                Ending::Passed => return Ok(None),
                Ending::Failed(test) if self.is_sound(binary, test)? => {
                    return Ok(Some(test.clone()));
                }
                // Tried once more without it, or it was not skipped.
                Ending::Failed(test) => {
                    ensure!(!unsound.contains(test), "{test} cannot be left out");
                }
                Ending::Aborted(_) | Ending::TimedOut(_) if before.as_ref() == Some(&ending) => {
                    self.require_end(binary, names, &unsound)?;
                    let how = match ending {
                        Ending::TimedOut(_) => "never ends",
                        _ => "dies",
                    };
                    return Ok(Some(format!("a test that {how}: {}", names.join(", "))));
                }
                Ending::Aborted(_) | Ending::TimedOut(_) => {}
            }
            before = Some(ending);
        }
    }

    /// Whether a test passes with nothing switched off.
    fn is_sound(&self, binary: &Path, test: &str) -> Result<bool> {
        // One at a time: they share a directory.
        let mut judged = self.judged()?;
        if let Some(sound) = judged.get(test) {
            return Ok(*sound);
        }
        let sound = self.ending_as_is(binary, &[test], &[])? == Ending::Passed;
        judged.insert(test.to_owned(), sound);
        Ok(sound)
    }

    /// An error if tests die or never end even with nothing switched off: then they say nothing, and nobody knows which it is.
    fn require_end(&self, binary: &Path, names: &[&str], skipped: &[String]) -> Result<()> {
        let _one_at_a_time = self.judged()?;
        let ending = self.ending_as_is(binary, names, skipped)?;
        ensure!(
            matches!(ending, Ending::Passed | Ending::Failed(_)),
            "with nothing switched off: {ending:?} of {}",
            names.join(", ")
        );
        Ok(())
    }

    fn ending_as_is(&self, binary: &Path, names: &[&str], skipped: &[String]) -> Result<Ending> {
        let deploy = self.deploy("deploy-none", u16::MAX)?;
        let mut command = tests(binary, &deploy);
        command.arg("--exact").args(names);
        for test in skipped {
            command.args(["--skip", test]);
        }
        trial::run(&mut command, LONGEST, &mut BTreeMap::new())
    }

    /// Tests that fail with nothing switched off, and so say nothing.
    pub fn unsound(&self) -> Vec<String> {
        let judged = self.judged();
        let unsound = judged.iter().flat_map(|judged| judged.iter());
        unsound
            .filter(|(_, sound)| !**sound)
            .map(|(test, _)| test.clone())
            .collect()
    }

    fn judged(&self) -> Result<MutexGuard<'_, BTreeMap<String, bool>>> {
        match self.judged.lock() {
            Ok(judged) => Ok(judged),
            Err(_) => bail!("a worker panicked"),
        }
    }

    /// A directory with the programs, in Ballast's one guard switched off.
    fn deploy(&self, name: &str, number: u16) -> Result<PathBuf> {
        let deploy = self.directory.join(name);
        fs::create_dir_all(&deploy)?;
        for program in others() {
            let name = format!("{}.so", program.library);
            fs::copy(repository::deploy_dir().join(&name), deploy.join(&name))
                .with_context(|| format!("cannot copy {name}"))?;
        }
        let mut program = self.program.clone();
        program[self.switch..self.switch + 2].copy_from_slice(&number.to_le_bytes());
        fs::write(deploy.join("ballast.so"), program)?;
        Ok(deploy)
    }
}

/// The programs that Ballast calls, which stay as they are.
fn others() -> Vec<Program> {
    PROGRAMS
        .into_iter()
        .filter(|program| program.package != "ballast")
        .collect()
}

/// The names of the tests in a file.
fn names(binary: &Path) -> Result<Vec<String>> {
    let list = process::output(Command::new(binary).arg("--list"))?;
    let names: Vec<_> = list
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .filter(|name| !SKIPPED.iter().any(|skipped| name.starts_with(skipped)))
        .map(str::to_owned)
        .collect();
    ensure!(!names.is_empty(), "{} holds no tests", binary.display());
    Ok(names)
}

fn tests(binary: &Path, deploy: &Path) -> Command {
    let mut command = Command::new(binary);
    command
        .current_dir(repository::root().join("tests"))
        .env("BALLAST_DEPLOY_DIR", deploy)
        .env("BALLAST_SEED", "1")
        .env("PROPTEST_RNG_SEED", "1")
        // What it fails with is not looked at.
        .env("RUST_BACKTRACE", "0")
        .arg("--test-threads=1");
    command
}

/// Builds a test binary without running it and returns where it is.
fn test_binary(root: &Path, build_dir: &Path, what: &[&str], target: &str) -> Result<PathBuf> {
    let mut command = sbf::host_cargo();
    command
        .current_dir(root)
        .env("CARGO_TARGET_DIR", build_dir)
        .args([
            "test",
            "--no-run",
            "--message-format",
            "json-render-diagnostics",
        ])
        .args(what)
        .stderr(Stdio::inherit());
    let output = process::output(&mut command)?;
    let executable = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_test = message["profile"]["test"].as_bool()?;
        let name = message["target"]["name"].as_str()?;
        (is_test && name == target)
            .then(|| message["executable"].as_str().map(PathBuf::from))
            .flatten()
    };
    match output.lines().filter_map(executable).next_back() {
        Some(file) => Ok(file),
        None => bail!("cargo has built no tests called {target}"),
    }
}
