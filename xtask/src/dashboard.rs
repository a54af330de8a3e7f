//! The keeper's dashboard: type-checked, built and compared with what is checked in, and tried in a browser.
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{
    debian::{self, Package},
    process, repository,
    steps::Steps,
    suite,
};

const DIRECTORY: &str = "keeper/dashboard";
/// Debian's browser; with it the fonts that the page falls back to, so that widths are the same everywhere.
const PACKAGES: [Package; 2] = [Package::any("chromium"), Package::any("fonts-dejavu-core")];
/// Of everything that is served for the page.
const LARGEST_DIST: u64 = 150_000;

/// Over a made-up world, and over the real keeper on an embedded node. Node is there, see [`crate::typescript::require_node`], and
/// programs have been built.
pub fn test() -> Result<()> {
    let missing = debian::missing(&PACKAGES);
    let mut steps = Steps::new(6 + usize::from(!missing.is_empty()));
    if !missing.is_empty() {
        steps.run("install Debian packages for the browser", || {
            debian::install(&missing)
        })?;
    }
    steps.run("install the dashboard's packages", || {
        process::run(npm().args(["ci", "--prefer-offline"]))
    })?;
    steps.run("type-check and build the dashboard", || {
        process::run(npm().args(["run", "--silent", "check"]))?;
        process::run(npm().args(["run", "--silent", "build"]))
    })?;
    steps.run("compare with what is checked in", compare)?;
    steps.run("test its parts", || {
        process::run(npm().args(["run", "--silent", "unit"]))
    })?;
    let built = steps.run("build a keeper and what it watches", suite::programs)?;
    steps.run("try it in a browser (some minutes)", || {
        let mut tests = npm();
        tests
            .args(["run", "--silent", "browser"])
            .env("BALLAST_DEPLOY_DIR", repository::deploy_dir())
            .env("BALLAST_KEEPER_WORLD", &built.keeper_world)
            .env("BALLAST_BIN", &built.ballast);
        process::run(&mut tests)
    })
}

fn npm() -> Command {
    let mut command = Command::new("npm");
    command.current_dir(repository::root().join(DIRECTORY));
    command
}

/// `dist` is what the sources say, and small enough.
fn compare() -> Result<()> {
    let dist = format!("{DIRECTORY}/dist");
    let changed = process::output(Command::new("git").current_dir(repository::root()).args([
        "status",
        "--porcelain",
        "--",
        dist.as_str(),
    ]))?;
    if !changed.trim().is_empty() {
        bail!(
            "{dist} is not what its sources make of it; commit it with them:\n{}",
            changed.trim_end()
        );
    }
    let mut size = 0;
    for entry in std::fs::read_dir(repository::root().join(&dist))
        .with_context(|| format!("{dist} cannot be read"))?
    {
        size += entry?.metadata()?.len();
    }
    if size > LARGEST_DIST {
        bail!("{dist} has {size} bytes, more than {LARGEST_DIST}: take something out");
    }
    eprintln!("xtask: {dist}: {size} bytes");
    Ok(())
}
