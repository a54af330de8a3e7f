//! Runs a compiler for on-chain programs.
use std::path::PathBuf;

use anyhow::Result;

use crate::{process, repository, sbf::tools::Tools};

pub enum Compiler {
    /// Anza's `cargo-build-sbf`.
    Anza(PathBuf),
    /// Debian's rustc and LLVM with the parts of `toolchain/sbf`.
    Debian(Tools),
}

/// A package of the workspace with a library target of type cdylib.
pub struct Package<'a> {
    pub name: &'a str,
    pub library: &'a str,
    pub features: &'a [&'a str],
}

impl Compiler {
    /// The compiler of this machine; builds what is missing.
    pub fn provide() -> Result<Self> {
        match process::installed("cargo-build-sbf") {
            Some(program) => Ok(Self::Anza(program)),
            None => Tools::provide().map(Self::Debian),
        }
    }

    /// Compiles a package and returns the program file, which the next build may overwrite.
    pub fn build(&self, package: &Package) -> Result<PathBuf> {
        let file = format!("{}.so", package.library);
        let target_dir = repository::build_dir();
        match self {
            Self::Anza(program) => {
                let out_dir = target_dir.join("sbf-anza");
                let mut command = process::foreign(program);
                command
                    .current_dir(repository::root())
                    .args(["--arch", "v3", "--sbf-out-dir"])
                    .arg(&out_dir)
                    .args([
                        "--",
                        "--package",
                        package.name,
                        "--features",
                        &package.features.join(","),
                    ])
                    .arg("--target-dir")
                    .arg(&target_dir);
                process::run(&mut command)?;
                Ok(out_dir.join(file))
            }
            Self::Debian(tools) => {
                let target_dir = target_dir.join("sbf");
                let mut command = tools.cargo();
                command
                    .current_dir(repository::root())
                    .args(["--quiet", "--release", "--lib", "--package", package.name])
                    .args(["--features", &package.features.join(",")])
                    .arg("--target-dir")
                    .arg(&target_dir);
                process::run(&mut command)?;
                Ok(target_dir
                    .join(tools.target_name())
                    .join("release")
                    .join(format!("lib{file}")))
            }
        }
    }
}
