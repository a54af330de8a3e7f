//! The command line: what rustc passes to a linker of flavor `bpf`, and three options of our own (`-Clink-arg=...`).
use std::{ffi::OsString, path::PathBuf};

use anyhow::{Context, Result, bail};

pub struct Args {
    /// Bitcode files and archives, in rustc's order, then the run-time support.
    pub inputs: Vec<PathBuf>,
    pub output: PathBuf,
    /// The level of LLVM's default pipeline: `0` to `3`, `s` or `z`.
    pub optimization: String,
    /// `--llvm-bin=DIR`: where `llvm-link`, `opt` and `llc` are.
    pub llvm_bin: PathBuf,
    /// `--legalize=FILE`: the pass plugin.
    pub legalize: PathBuf,
}

impl Args {
    pub fn parse(mut words: impl Iterator<Item = OsString>) -> Result<Self> {
        let (mut inputs, mut output, mut optimization) = (Vec::new(), None, String::from("2"));
        let (mut llvm_bin, mut legalize, mut runtime) = (None, None, None);
        while let Some(word) = words.next() {
            let Some(text) = word.to_str() else {
                inputs.push(PathBuf::from(word));
                continue;
            };
            if let Some(dir) = text.strip_prefix("--llvm-bin=") {
                llvm_bin = Some(PathBuf::from(dir));
            } else if let Some(file) = text.strip_prefix("--legalize=") {
                legalize = Some(PathBuf::from(file));
            } else if let Some(file) = text.strip_prefix("--runtime=") {
                runtime = Some(PathBuf::from(file));
            } else if text == "-o" {
                output = words.next().map(PathBuf::from);
            } else if let Some(level) = text.strip_prefix("-O") {
                optimization = level.to_string();
            } else if matches!(
                text,
                "-L" | "--cpu" | "--cpu-features" | "--target" | "--export-symbols"
            ) {
                // What they say is fixed here: one target, and `entrypoint` is the only export.
                words
                    .next()
                    .with_context(|| format!("{text} without a value"))?;
            } else if text == "--debug" {
                // Debug information does not survive into an SBPF ELF.
            } else if text.starts_with('-') {
                bail!(
                    "unknown option {text}: rustc's command line for linker-flavor `bpf` has changed"
                );
            } else {
                inputs.push(PathBuf::from(word));
            }
        }
        inputs.push(runtime.context("option --runtime=FILE is missing")?);
        Ok(Self {
            inputs,
            output: output.context("option -o FILE is missing")?,
            optimization,
            llvm_bin: llvm_bin.context("option --llvm-bin=DIR is missing")?,
            legalize: legalize.context("option --legalize=FILE is missing")?,
        })
    }
}
