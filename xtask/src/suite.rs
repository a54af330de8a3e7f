//! Everything that runs on the host: tests, lints, the demo.
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use crate::{fuzz, named_tests, postgres, process, repository, sbf, validator};

/// How to run the tests.
#[derive(clap::Args)]
pub struct TestOptions {
    /// Run the on-chain tests against this Whirlpool program instead of the stand-in.
    #[arg(long, value_name = "FILE.so", requires = "whirlpool_id")]
    whirlpool: Option<PathBuf>,
    /// Address of that program.
    #[arg(long, value_name = "ID", requires = "whirlpool")]
    whirlpool_id: Option<String>,
    /// Leave out what needs solana-test-validator, which takes long to build.
    #[arg(long)]
    pub no_validator: bool,
    /// Leave out the TypeScript client and the dashboard, which need Node and npm.
    #[arg(long)]
    pub no_typescript: bool,
}

/// All tests of the workspace. Programs have been built.
pub fn test(options: &TestOptions) -> Result<()> {
    fuzz::provide_compiler()?;
    let mut command = cargo();
    command.args(["test", "--workspace"]);
    if let (Some(file), Some(id)) = (&options.whirlpool, &options.whirlpool_id) {
        command
            .env("BALLAST_WHIRLPOOL_SO", std::path::absolute(file)?)
            .env("BALLAST_WHIRLPOOL_ID", id);
    }
    if options.no_validator {
        command.env("BALLAST_NO_VALIDATOR", "1");
    } else {
        command
            .env("BALLAST_VALIDATOR", validator::provide()?)
            .env_remove("BALLAST_NO_VALIDATOR");
    }
    if postgres::provide() {
        command.env("BALLAST_REQUIRE_POSTGRES", "1");
    }
    process::run(&mut command)?;
    process::run(cargo().args(PARQUET_TEST))
}

/// What only the feature `parquet` compiles; of the workspace, so that no dependency is compiled once more with other features.
const PARQUET_TEST: [&str; 6] = [
    "test",
    "--workspace",
    "--features",
    "ballast-simulator/parquet",
    "--test",
    "parquet",
];

/// The test that compares the tool chain's self-test with the host. It has been built.
pub fn toolchain_test() -> Result<()> {
    process::run(cargo().args([
        "test",
        // Not the one package: then cargo would compile its dependencies once more, with other features.
        "--workspace",
        "--test",
        "onchain",
        "toolchain::",
    ]))
}

/// Formatting, the tests that documents name, and clippy, warnings denied.
pub fn lint() -> Result<()> {
    named_tests::check()?;
    fuzz::provide_compiler()?;
    process::run(process::host_cargo().args(["fmt", "--all", "--check"]))?;
    process::run(process::host_cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        // Else nothing would check what only that compiles.
        "--features",
        "ballast-cli/parquet",
        "--",
        "-D",
        "warnings",
    ]))
}

/// The demo, with everything after `cargo xtask demo` passed on. What it builds has the command line among it, so that nothing
/// has to be compiled again for that.
pub fn demo(arguments: &[OsString]) -> Result<()> {
    const PACKAGES: [&str; 4] = ["--package", "ballast-cli", "--package", "ballast-demo"];
    process::run(cargo().arg("build").args(PACKAGES))?;
    let built = repository::build_dir().join("debug/ballast-demo");
    let mut command = Command::new(built);
    command
        .env("BALLAST_DEPLOY_DIR", repository::deploy_dir())
        .args(arguments);
    if arguments.iter().any(|argument| argument == "--validator") {
        command.env("BALLAST_VALIDATOR", validator::provide()?);
    }
    process::run(&mut command)
}

/// The path of an example. It has been built with the tests, so that this is quick.
pub fn example(name: &str) -> Result<PathBuf> {
    built("--example", name)
}

/// The path of a program; like an example's.
pub fn program(name: &str) -> Result<PathBuf> {
    built("--bin", name)
}

fn built(kind: &str, name: &str) -> Result<PathBuf> {
    let messages = process::output(
        cargo()
            // Not the one package: then cargo would compile its dependencies once more, with other features.
            .args(["build", "--workspace", kind, name])
            .arg("--message-format=json-render-diagnostics")
            .stderr(Stdio::inherit()),
    )?;
    executable(&messages, name).with_context(|| format!("cargo built no {name:?}"))
}

/// The executable of that name in cargo's messages, a line of JSON each.
fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| Some(Path::new(message["executable"].as_str()?).to_owned()))
}

/// Cargo for what runs programs that have been built.
pub fn cargo() -> Command {
    let mut command = process::host_cargo();
    command.env("BALLAST_DEPLOY_DIR", repository::deploy_dir());
    // Whether programs cost what `docs/costs.json` says depends on their compiler.
    if sbf::Compiler::is_foreign() {
        command.env("BALLAST_FOREIGN_SBF", "1");
    } else {
        command.env_remove("BALLAST_FOREIGN_SBF");
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_found_in_cargos_messages() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"other"},"executable":"/a/other"}
{"reason":"compiler-artifact","target":{"name":"world"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"world"},"executable":"/a/world"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages, "world"), Some("/a/world".into()));
        assert_eq!(executable("no JSON\n", "world"), None);
    }
}
