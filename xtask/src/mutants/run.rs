//! Runs the tests on a program with one guard switched off, up to the first that fails.

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use super::{
    order::Order,
    rewrite::Site,
    tree::{MARK, Tree},
};
use crate::{
    cache::Key,
    process,
    repository::{self, PROGRAMS, Program},
    sbf::{self, Compiler},
    suite,
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
    /// The unit tests, and those that are likely to miss the guard.
    Likely,
    /// All others.
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
/// A mutant may loop for ever.
const LONGEST: Duration = Duration::from_secs(1_200);

/// Everything that is built once.
pub struct Bench {
    program: Vec<u8>,
    /// Where the number stands in `program`.
    switch: usize,
    /// The tests in the SVM, of the sources as they are.
    onchain: PathBuf,
    /// The unit tests of the program and of the library whose values it goes by, of the rewritten sources.
    units: [PathBuf; 2],
    directory: PathBuf,
    order: Order,
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
        let unit = |package, library| {
            let what = ["--package", package, "--lib"];
            test_binary(&tree.root, &tree.build_dir, &what, library)
        };
        Ok(Self {
            program,
            switch: marks[0] + MARK.len(),
            order: Order::read(&names(&onchain)?)?,
            onchain,
            units: [
                unit("ballast", "ballast")?,
                unit("ballast-model", "ballast_model")?,
            ],
            directory: repository::build_dir().join("mutants"),
        })
    }

    /// What tells this program from another.
    pub fn program_key(&self) -> Key {
        Key::new().text(&String::from_utf8_lossy(&self.program))
    }

    /// Runs one part of the tests with one guard switched off, or none. A test that is known to miss the guard comes first.
    pub fn try_mutant(
        &self,
        site: Option<&Site>,
        known: Option<&str>,
        part: Part,
        secs: &mut BTreeMap<String, f64>,
        worker: usize,
    ) -> Result<Outcome> {
        let deploy = self.directory.join(format!("deploy-{worker}"));
        fs::create_dir_all(&deploy)?;
        for program in others() {
            let name = format!("{}.so", program.library);
            fs::copy(repository::deploy_dir().join(&name), deploy.join(&name))
                .with_context(|| format!("cannot copy {name}"))?;
        }
        let mut program = self.program.clone();
        let switch = site.map_or(u16::MAX, |site| site.number).to_le_bytes();
        program[self.switch..self.switch + 2].copy_from_slice(&switch);
        fs::write(deploy.join("ballast.so"), program)?;

        let (order, likely) = self.order.of(site, secs);
        let known = order.iter().find(|test| Some(**test) == known).copied();
        let order = match part {
            Part::Likely => &order[..likely],
            Part::Rest => &order[likely..],
        };
        let mut runs = Vec::new();
        if part == Part::Likely {
            for binary in &self.units {
                let mut unit = tests(binary, &deploy);
                if let Some(site) = site {
                    unit.env("BALLAST_MUTANT", site.number.to_string());
                }
                runs.push(unit);
            }
            runs.extend(known.map(|test| self.only(&[test], &deploy)));
        }
        // A few at first, then more and more: starting costs time too.
        let (mut from, mut many) = (0, 4);
        let chunks = std::iter::from_fn(|| {
            let chunk = order.get(from..(from + many).min(order.len()))?;
            (from, many) = (from + many, many * 3);
            (!chunk.is_empty()).then_some(chunk)
        });
        runs.extend(chunks.map(|names| self.only(names, &deploy)));
        for mut command in runs {
            if let Some(test) = first_failure(&mut command, secs)? {
                return Ok(Outcome::Killed(test));
            }
        }
        Ok(Outcome::Survived)
    }

    /// The on-chain tests with these names.
    fn only(&self, names: &[&str], deploy: &Path) -> Command {
        let mut command = tests(&self.onchain, deploy);
        command.arg("--exact").args(names);
        command
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

/// The first test that fails; the rest is not waited for. Notes how long each takes.
fn first_failure(
    command: &mut Command,
    secs: &mut BTreeMap<String, f64>,
) -> Result<Option<String>> {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))?;
    let mut child = child;
    let Some(output) = child.stdout.take() else {
        bail!("no output of {command:?}");
    };
    let child = Arc::new(Mutex::new(child));
    let (over, timed_out) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let watchdog = {
        let (child, over, timed_out) = (child.clone(), over.clone(), timed_out.clone());
        std::thread::spawn(move || {
            let start = Instant::now();
            while !over.load(Ordering::Relaxed) {
                if start.elapsed() > LONGEST {
                    timed_out.store(true, Ordering::Relaxed);
                    kill(&child);
                    return;
                }
                std::thread::park_timeout(Duration::from_secs(1));
            }
        })
    };
    let mut failed = None;
    let mut since = Instant::now();
    for line in BufReader::new(output).lines() {
        let line = line.unwrap_or_default();
        match line
            .strip_prefix("test ")
            .and_then(|rest| rest.split_once(" ... "))
        {
            Some((name, "FAILED")) => {
                failed = Some(name.to_owned());
                kill(&child);
                break;
            }
            Some((name, "ok")) => {
                secs.insert(name.to_owned(), since.elapsed().as_secs_f64());
                since = Instant::now();
            }
            _ => {}
        }
    }
    over.store(true, Ordering::Relaxed);
    watchdog.thread().unpark();
    let _ = watchdog.join();
    let status = match child.lock() {
        Ok(mut child) => child.wait()?,
        Err(_) => bail!("the watchdog panicked"),
    };
    if timed_out.load(Ordering::Relaxed) {
        return Ok(Some("the time that tests may take".into()));
    }
    Ok(failed.or_else(|| (!status.success()).then(|| "an abort".into())))
}

fn kill(child: &Mutex<std::process::Child>) {
    if let Ok(mut child) = child.lock() {
        // It may be over already.
        let _ = child.kill();
    }
}

/// Builds a test binary without running it and returns where it is.
fn test_binary(root: &Path, build_dir: &Path, what: &[&str], target: &str) -> Result<PathBuf> {
    let mut command = suite::cargo();
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
