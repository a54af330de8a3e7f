//! `cargo xtask fuzz`: coverage-guided fuzzing of sequences of instructions, see `fuzz/fuzz_targets`.
//!
//! The target is a `cargo-fuzz` target, but is built here as part of the workspace, by the same command as its tests: what
//! guides it is the trace of the on-chain program, not an instrumented host, so that nothing has to be compiled twice.
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail};

use crate::{debian, process, repository, sbf};

/// Name of the target's binary.
const TARGET: &str = "instructions";
/// Inputs that are kept in the repository.
const CORPUS: &str = "fuzz/corpus/instructions";
/// A trace of every instruction takes and returns megabytes all the time: the allocator is to keep them.
const KEEP_MEMORY: [(&str, &str); 3] = [
    ("MALLOC_MMAP_THRESHOLD_", "33554432"),
    ("MALLOC_TRIM_THRESHOLD_", "1073741824"),
    ("MALLOC_TOP_PAD_", "67108864"),
];
/// Bytes of one step of an input.
const STEP: usize = 20;
/// A sequence takes some hundredths of a second; one that takes so long is reported.
const TIMEOUT_SECS: u64 = 60;
/// What the short run of `cargo xtask test` is. Its seed is fixed: a failure is then about the change.
const SHORT: FuzzOptions = FuzzOptions {
    seconds: 60,
    seed: Some(1),
    keep: false,
    replay: None,
};

/// How to fuzz.
#[derive(clap::Args)]
pub struct FuzzOptions {
    /// For how long.
    #[arg(long, value_name = "N", default_value_t = 3_600)]
    seconds: u64,
    /// Seed of the fuzzer's choices; otherwise a new one each time, which is printed.
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Afterwards make the repository's corpus anew, as few inputs as reach everything that has been reached.
    #[arg(long)]
    keep: bool,
    /// Run this input alone and show what becomes of each step.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seconds", "seed", "keep"])]
    replay: Option<PathBuf>,
}

/// Fuzzes, or replays. Programs have been built.
pub fn run(options: &FuzzOptions) -> Result<()> {
    let target = build()?;
    match &options.replay {
        Some(file) => replay(&target, file),
        None => fuzz(&target, options),
    }
}

/// The short run that is part of all tests.
pub fn run_short() -> Result<()> {
    run(&SHORT)
}

fn build() -> Result<PathBuf> {
    debian::provide_cpp_compiler()?;
    // As `cargo xtask test` compiles it. To build the one package would compile its dependencies once more, with other
    // features.
    process::run(sbf::host_cargo().args(["test", "--workspace", "--no-run", "--test", "corpus"]))?;
    let target = repository::build_dir().join("debug").join(TARGET);
    if !target.is_file() {
        bail!("cargo has not built {}", target.display());
    }
    Ok(target)
}

fn fuzz(target: &Path, options: &FuzzOptions) -> Result<()> {
    let seed = options.seed.unwrap_or_else(draw);
    let directory = repository::root().join("target/fuzz");
    // What other runs have found, and what this one finds that fails.
    let (found, failures) = (directory.join("corpus"), directory.join("failures"));
    for directory in [&found, &failures] {
        fs::create_dir_all(directory)
            .with_context(|| format!("cannot create {}", directory.display()))?;
    }
    let before = files(&failures)?;
    eprintln!("xtask: fuzz: seed {seed}, {} seconds", options.seconds);
    let mut command = libfuzzer(target);
    command
        .arg(format!("-seed={seed}"))
        .arg(format!("-max_total_time={}", options.seconds))
        .arg(format!("-timeout={TIMEOUT_SECS}"))
        .arg(format!("-artifact_prefix={}/", failures.display()))
        .arg("-print_final_stats=1");
    if options.seed.is_none() {
        // With a seed, what a run does must not depend on what others have found.
        command.arg(&found);
    } else {
        let scratch = directory.join("scratch");
        if scratch.exists() {
            fs::remove_dir_all(&scratch)?;
        }
        fs::create_dir_all(&scratch)?;
        command.arg(&scratch);
    }
    command.arg(CORPUS);
    if let Err(error) = process::run(&mut command) {
        let new: Vec<_> = files(&failures)?
            .into_iter()
            .filter(|file| !before.contains(file))
            .collect();
        for file in &new {
            eprintln!("xtask: fuzz: this input fails: {}", file.display());
            let small = shrunk(target, file)?;
            eprintln!(
                "xtask: fuzz: replay it without what it does not need: cargo xtask fuzz --replay {}",
                small.display()
            );
        }
        return Err(error).with_context(|| format!("fuzzing failed, seed {seed}"));
    }
    if options.keep {
        keep(target, &directory)?;
    }
    Ok(())
}

/// The input without the steps that it fails without as well.
fn shrunk(target: &Path, file: &Path) -> Result<PathBuf> {
    let small = file.with_extension("small");
    let mut input = fs::read(file)?;
    for step in (0..input.len().div_ceil(STEP)).rev() {
        let range = step * STEP..input.len().min((step + 1) * STEP);
        let mut shorter = input.clone();
        shorter.drain(range);
        fs::write(&small, &shorter)?;
        let mut run = libfuzzer(target);
        run.arg(format!("-timeout={TIMEOUT_SECS}")).arg(&small);
        if process::output(&mut run).is_err() {
            input = shorter;
        }
    }
    fs::write(&small, &input)?;
    Ok(small)
}

/// Shows one input.
fn replay(target: &Path, file: &Path) -> Result<()> {
    let file = std::path::absolute(file)?;
    if !file.is_file() {
        bail!("{} is no file", file.display());
    }
    process::run(
        libfuzzer(target)
            .env("BALLAST_FUZZ_SHOW", "1")
            .env("RUST_BACKTRACE", "0")
            .arg(file),
    )
}

/// As few inputs as reach everything that is reached by the repository's and by those that have been found.
fn keep(target: &Path, directory: &Path) -> Result<()> {
    let merged = directory.join("merged");
    if merged.exists() {
        fs::remove_dir_all(&merged)?;
    }
    fs::create_dir_all(&merged)?;
    process::run(
        libfuzzer(target)
            .arg("-set_cover_merge=1")
            .arg(&merged)
            .arg(CORPUS)
            .args(
                [directory.join("corpus"), directory.join("scratch")]
                    .iter()
                    .filter(|path| path.is_dir()),
            ),
    )?;
    let corpus = repository::root().join(CORPUS);
    for file in files(&corpus)? {
        fs::remove_file(file)?;
    }
    let kept = files(&merged)?;
    for file in &kept {
        let name = file.file_name().context("a file has a name")?;
        fs::copy(file, corpus.join(name))?;
    }
    eprintln!("xtask: fuzz: {CORPUS} has {} inputs now", kept.len());
    Ok(())
}

fn libfuzzer(target: &Path) -> Command {
    let mut command = Command::new(target);
    command
        .current_dir(repository::root())
        .env("BALLAST_DEPLOY_DIR", repository::deploy_dir())
        .envs(KEEP_MEMORY);
    command
}

fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

/// Never zero, which libFuzzer takes for "any".
fn draw() -> u32 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(1, |now| now.subsec_nanos().max(1))
}
