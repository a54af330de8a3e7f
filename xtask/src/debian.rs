//! Packages of the distribution.
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::process;

/// A package, and what its version has to begin with (may be empty).
#[derive(Debug, Clone, Copy)]
pub struct Package {
    pub name: &'static str,
    pub version: &'static str,
}

impl Package {
    pub const fn any(name: &'static str) -> Self {
        Self { name, version: "" }
    }

    /// As `apt-get install` takes it.
    fn argument(&self) -> String {
        if self.version.is_empty() {
            self.name.to_string()
        } else {
            format!("{}={}*", self.name, self.version)
        }
    }

    fn installed(&self) -> bool {
        let query = ["-W", "-f=${db:Status-Status} ${Version}", self.name];
        let Ok(answer) = process::output(Command::new("dpkg-query").args(query)) else {
            return false;
        };
        answer
            .strip_prefix("installed ")
            .is_some_and(|version| version.starts_with(self.version))
    }
}

/// The packages of `wanted` that are not installed.
pub fn missing(wanted: &[Package]) -> Vec<Package> {
    wanted
        .iter()
        .copied()
        .filter(|package| !package.installed())
        .collect()
}

/// Installs packages when we are root; else an error that says what to run.
pub fn install(packages: &[Package]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = packages.iter().map(Package::argument).collect();
    // Quoted for a shell: versions contain `*`.
    let quoted: Vec<_> = names.iter().map(|name| format!("'{name}'")).collect();
    let install = format!(
        "apt-get install -y --no-install-recommends {}",
        quoted.join(" ")
    );
    if process::installed("apt-get").is_none() {
        bail!(
            "this needs Debian 12 (with its security updates) and the packages: {}",
            names.join(" ")
        );
    }
    if process::output(Command::new("id").arg("-u"))?.trim() != "0" {
        bail!("packages are missing. Run:\n  sudo apt-get update && sudo {install}");
    }
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args([
            "-q",
            "-o",
            "DPkg::Lock::Timeout=600",
        ]);
        command
    };
    process::run(apt().arg("update"))?;
    process::run(
        apt()
            .args(["install", "-y", "--no-install-recommends"])
            .args(&names),
    )
}

/// Puts a package's file into a directory, without installing it.
pub fn download(package: &str, directory: &Path) -> Result<PathBuf> {
    let download = || {
        let mut command = Command::new("apt-get");
        process::output(
            command
                .args(["-q", "download", package])
                .current_dir(directory),
        )
    };
    if download().is_err() {
        // Perhaps there are no lists yet. Only root may read them.
        process::output(Command::new("apt-get").args(["-q", "update"]))?;
        download()?;
    }
    let files = fs::read_dir(directory)
        .with_context(|| directory.display().to_string())?
        .filter_map(|entry| Some(entry.ok()?.path()));
    let mut files = files.filter(|path| path.extension().is_some_and(|ext| ext == "deb"));
    files
        .next()
        .with_context(|| format!("apt-get download {package} left no file"))
}

/// Installs what compiles libFuzzer, if it is missing: whatever builds all targets of the workspace needs it.
pub fn provide_cpp_compiler() -> Result<()> {
    if std::env::var_os("CXX").is_some() || process::installed("c++").is_some() {
        return Ok(());
    }
    install(&missing(&[Package::any("g++")]))
}
