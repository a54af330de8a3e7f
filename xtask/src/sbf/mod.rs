//! Builds on-chain programs: with Anza's `cargo-build-sbf` where it is installed, else with tools made from Debian's and
//! crates.io's packages (`toolchain/sbf`).
mod compiler;
mod elf;
pub mod selftest;
pub mod tools;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

pub use compiler::Compiler;

use crate::{
    process,
    repository::{self, Program},
    sbf::compiler::Package,
};

/// A program and what the compiler made of it.
pub struct Built {
    pub program: Program,
    /// Compiled anew, and so newer, whenever a source file of the program changed.
    pub artifact: PathBuf,
}

/// Builds programs into `target/deploy`. A program file is only rewritten when its content changes.
pub fn build(compiler: &Compiler, programs: &[Program]) -> Result<Vec<Built>> {
    let deploy = repository::deploy_dir();
    fs::create_dir_all(&deploy).with_context(|| format!("cannot create {}", deploy.display()))?;
    let mut all = Vec::new();
    for &program in programs {
        // One at a time: cargo would unite the features of programs that it builds together, and what a program does must
        // not depend on its neighbours.
        let artifact = compiler.build(&Package {
            directory: program.directory,
            library: program.library,
            features: &[],
        })?;
        let bytes =
            fs::read(&artifact).with_context(|| format!("cannot read {}", artifact.display()))?;
        elf::check(&bytes)
            .with_context(|| format!("{} is not what the clusters run", artifact.display()))?;
        install(&deploy.join(format!("{}.so", program.library)), &bytes)?;
        all.push(Built { program, artifact });
    }
    Ok(all)
}

/// Cargo for what runs programs that have been built.
pub fn host_cargo() -> Command {
    let mut command = process::host_cargo();
    command.env("BALLAST_DEPLOY_DIR", repository::deploy_dir());
    // Whether programs cost what `docs/costs.json` says depends on their compiler.
    if Compiler::is_foreign() {
        command.env("BALLAST_FOREIGN_SBF", "1");
    } else {
        command.env_remove("BALLAST_FOREIGN_SBF");
    }
    command
}

/// Writes a file in one step, if its content is new.
fn install(file: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(file).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let partial = file.with_extension("partial");
    fs::write(&partial, bytes).with_context(|| format!("cannot write {}", partial.display()))?;
    fs::rename(&partial, file).with_context(|| format!("cannot write {}", file.display()))?;
    eprintln!("xtask: {} ({} bytes)", file.display(), bytes.len());
    Ok(())
}
