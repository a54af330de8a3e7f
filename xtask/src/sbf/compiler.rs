//! Runs a compiler for on-chain programs.
use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::{process, repository, sbf::tools::Tools};

pub enum Compiler {
    /// Anza's `cargo-build-sbf`.
    Anza(PathBuf),
    /// Debian's rustc and LLVM with the parts of `toolchain/sbf`.
    Debian(Tools),
}

/// A package with a library target of type cdylib.
pub struct Package<'a> {
    /// Its directory, from the root.
    pub directory: &'a str,
    pub library: &'a str,
    pub features: &'a [&'a str],
}

impl Package<'_> {
    fn manifest(&self) -> PathBuf {
        repository::root().join(self.directory).join("Cargo.toml")
    }
}

impl Compiler {
    /// The compiler of this machine; builds what is missing.
    pub fn provide() -> Result<Self> {
        match process::installed("cargo-build-sbf") {
            Some(program) => Ok(Self::Anza(program)),
            None => Tools::provide().map(Self::Debian),
        }
    }

    /// Whether programs are built by other tools than the project's own.
    pub fn is_foreign() -> bool {
        process::installed("cargo-build-sbf").is_some()
    }

    /// Compiles a package and returns the program file, which the next build may overwrite.
    pub fn build(&self, package: &Package) -> Result<PathBuf> {
        let (mut command, file) = match self {
            Self::Anza(program) => anza(program, package),
            Self::Debian(tools) => debian(tools, package),
        };
        process::run(&mut command)?;
        Ok(file)
    }
}

/// The command that builds a package with Anza's tools, and the file that it makes.
fn anza(program: &Path, package: &Package) -> (Command, PathBuf) {
    let target_dir = repository::build_dir();
    let out_dir = target_dir.join("sbf-anza");
    let mut command = process::foreign(program);
    command
        .current_dir(repository::root())
        .arg("--manifest-path")
        .arg(package.manifest())
        .args(["--arch", "v3", "--sbf-out-dir"])
        .arg(&out_dir)
        .args(["--", "--features", &package.features.join(",")])
        .arg("--target-dir")
        .arg(&target_dir);
    (command, out_dir.join(format!("{}.so", package.library)))
}

/// The command that builds a package with Debian's compilers, and the file that it makes.
pub fn debian(tools: &Tools, package: &Package) -> (Command, PathBuf) {
    let target_dir = repository::build_dir().join("sbf");
    let mut command = tools.cargo();
    command
        .current_dir(repository::root())
        .args(["--quiet", "--release", "--lib", "--manifest-path"])
        .arg(package.manifest())
        .args(["--features", &package.features.join(",")])
        .arg("--target-dir")
        .arg(&target_dir);
    let file = target_dir
        .join(tools.target_name())
        .join("release")
        .join(format!("lib{}.so", package.library));
    (command, file)
}
