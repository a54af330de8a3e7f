//! Where things are in this checkout.
use std::{
    path::{Path, PathBuf},
    sync::LazyLock,
};

use anyhow::{Result, bail};

/// Tells a child that runs without cargo's variables the root of the checkout.
pub const ROOT_VARIABLE: &str = "BALLAST_CHECKOUT";

/// The root of the checkout that cargo runs this from. Not where this was compiled: checkouts may share a target directory.
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        if let Some(root) = std::env::var_os(ROOT_VARIABLE) {
            return root.into();
        }
        let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let package = package.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        package.parent().map(Path::to_owned).unwrap_or(package)
    });
    &ROOT
}

/// Where cargo compiles to: `CARGO_TARGET_DIR`, or `target` in the checkout.
pub fn build_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) if !dir.is_empty() => root().join(dir),
        _ => root().join("target"),
    }
}

/// Where finished programs go, wherever cargo compiles to.
pub fn deploy_dir() -> PathBuf {
    root().join("target/deploy")
}

/// Where interface descriptions go, wherever cargo compiles to.
pub fn idl_dir() -> PathBuf {
    root().join("target/idl")
}

/// Where the tool chain's self-test goes, wherever cargo compiles to.
pub fn toolchain_dir() -> PathBuf {
    root().join("target/toolchain")
}

/// An on-chain program of the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    pub package: &'static str,
    /// Name of the library target and of the files that are built from it.
    pub library: &'static str,
    /// The package's directory, from the root.
    pub directory: &'static str,
}

/// Everything that `cargo xtask build` builds.
pub const PROGRAMS: [Program; 3] = [
    Program {
        package: "ballast",
        library: "ballast",
        directory: "programs/ballast",
    },
    Program {
        package: "localnet-whirlpool",
        library: "localnet_whirlpool",
        directory: "programs/localnet/whirlpool",
    },
    Program {
        package: "localnet-pyth",
        library: "localnet_pyth",
        directory: "programs/localnet/pyth",
    },
];

impl Program {
    pub fn by_package(package: &str) -> Result<Self> {
        match PROGRAMS
            .into_iter()
            .find(|program| program.package == package)
        {
            Some(program) => Ok(program),
            None => {
                let known = PROGRAMS.map(|program| program.package).join(", ");
                bail!("no program is called {package:?}; there are: {known}")
            }
        }
    }
}
