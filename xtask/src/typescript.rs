//! The TypeScript client: generated from the interface description, type-checked, and tested by Node against a validator.
use std::process::Command;

use anyhow::{Result, bail};

use crate::{process, repository, steps::Steps, suite, validator};

/// The first Node that the client's packages support.
const OLDEST_NODE: (u32, u32) = (20, 18);
/// The example of ballast-localnet that sets up what the client is tested against.
const WORLD: &str = "world";

/// An error that says what to do unless there is a Node that is recent enough, and npm.
pub fn require_node() -> Result<()> {
    let (major, minor) = OLDEST_NODE;
    let advice = format!(
        "the TypeScript client needs Node {major}.{minor} or later with npm: install both (https://nodejs.org; Debian 12's \
         own are too old), or leave it out with `cargo xtask test --no-typescript`"
    );
    if process::installed("node").is_none() || process::installed("npm").is_none() {
        bail!("node or npm is not in PATH. {advice}");
    }
    let version = process::output(Command::new("node").arg("--version"))?;
    let version = version.trim();
    if node_version(version).is_none_or(|found| found < OLDEST_NODE) {
        bail!("`node --version` says {version:?}. {advice}");
    }
    Ok(())
}

/// Of `v20.20.2`.
fn node_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix('v')?.split('.');
    let mut number = || numbers.next()?.parse().ok();
    Some((number()?, number()?))
}

/// Generates, type-checks and tests the client; the latter not where there is to be no validator. Programs and their
/// interface descriptions have been built.
pub fn test(no_validator: bool) -> Result<()> {
    let mut steps = Steps::new(3);
    steps.run("install the TypeScript client's packages", || {
        process::run(npm().args(["ci", "--prefer-offline"]))
    })?;
    let mut tests = npm();
    tests.args(["run", "--silent", "test"]);
    steps.run("provide a cluster for the TypeScript client", || {
        if no_validator {
            tests.env("BALLAST_NO_VALIDATOR", "1");
        } else {
            tests
                .env_remove("BALLAST_NO_VALIDATOR")
                .env("BALLAST_VALIDATOR", validator::provide()?)
                .env("BALLAST_DEPLOY_DIR", repository::deploy_dir())
                .env("BALLAST_WORLD", suite::example(WORLD)?);
        }
        Ok(())
    })?;
    steps.run(
        "generate, type-check and test the TypeScript client",
        || process::run(&mut tests),
    )
}

fn npm() -> Command {
    let mut command = Command::new("npm");
    command.current_dir(repository::root().join("clients/typescript"));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node_are_read_and_compared() {
        assert_eq!(node_version("v20.20.2"), Some((20, 20)));
        assert_eq!(node_version("v24.0.0-nightly"), Some((24, 0)));
        for text in ["", "v", "20.1.0", "v20", "vx.1"] {
            assert_eq!(node_version(text), None, "{text:?}");
        }
        assert!(node_version("v18.20.4") < Some(OLDEST_NODE));
        assert!(node_version("v20.17.0") < Some(OLDEST_NODE));
        assert!(node_version("v22.0.0") > Some(OLDEST_NODE));
    }
}
