//! Everything that runs on the host: tests, lints, what they build.
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use crate::{
    debian, left_out::Notes, named_tests, operations, postgres, process, python, sbf, validator,
};

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

/// All tests of the workspace. Programs have been built. What is left out is noted.
pub fn test(options: &TestOptions, notes: &mut Notes) -> Result<()> {
    debian::provide_cpp_compiler()?;
    python::provide()?;
    let mut command = sbf::host_cargo();
    command.args(["test", "--workspace"]);
    if let (Some(file), Some(id)) = (&options.whirlpool, &options.whirlpool_id) {
        command
            .env("BALLAST_WHIRLPOOL_SO", std::path::absolute(file)?)
            .env("BALLAST_WHIRLPOOL_ID", id);
    }
    notes.hand_to(&mut command);
    if options.no_typescript {
        notes.add(
            "the TypeScript client and the dashboard",
            "run without --no-typescript",
        );
    }
    if options.no_validator {
        notes.add(
            "what needs solana-test-validator",
            "run without --no-validator",
        );
        command.env("BALLAST_NO_VALIDATOR", "1");
    } else {
        command
            .env("BALLAST_VALIDATOR", validator::provide()?)
            .env_remove("BALLAST_NO_VALIDATOR");
    }
    if postgres::provide()? {
        command.env("BALLAST_REQUIRE_POSTGRES", "1");
    }
    process::run(&mut command)?;
    process::run(sbf::host_cargo().args(PARQUET_TEST))
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
    process::run(sbf::host_cargo().args([
        "test",
        // Not the one package: then cargo would compile its dependencies once more, with other features.
        "--workspace",
        "--test",
        "onchain",
        "toolchain::",
    ]))
}

/// The tests that documents name, what operators install, formatting, clippy and rustdoc, warnings denied.
pub fn lint() -> Result<()> {
    named_tests::check()?;
    operations::check()?;
    debian::provide_cpp_compiler()?;
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
    ]))?;
    process::run(
        process::host_cargo()
            .args(["doc", "--workspace", "--no-deps"])
            // As above, so that dependencies are not checked once more with other features.
            .args(["--features", "ballast-cli/parquet"])
            // Who reads a module's text reads its source: links to what is private are wanted there.
            .env(
                "RUSTDOCFLAGS",
                "-D warnings -A rustdoc::private-intra-doc-links",
            ),
    )
}

/// Paths of what is built for people and for the browser's tests.
pub struct Programs {
    /// The command line; the keeper is in it.
    pub ballast: PathBuf,
    pub demo: PathBuf,
    /// The example of ballast-localnet that the browser's tests let the real keeper watch.
    pub keeper_world: PathBuf,
}

/// Builds them together, and with an example among them: the features are then those with which the tests are built, and nothing is
/// compiled twice.
pub fn programs() -> Result<Programs> {
    let mut command = sbf::host_cargo();
    command.args(["build", "--workspace"]);
    command.args(["--bin", "ballast", "--bin", "ballast-demo"]);
    command.args(["--example", "keeper_world"]);
    let messages = messages(&mut command)?;
    let path = |name| executable(&messages, name).with_context(|| no_such(name));
    Ok(Programs {
        ballast: path("ballast")?,
        demo: path("ballast-demo")?,
        keeper_world: path("keeper_world")?,
    })
}

/// The path of an example. It has been built with the tests, so that this is quick.
pub fn example(name: &str) -> Result<PathBuf> {
    // Not the one package: then cargo would compile its dependencies once more, with other features.
    let messages = messages(sbf::host_cargo().args(["build", "--workspace", "--example", name]))?;
    executable(&messages, name).with_context(|| no_such(name))
}

/// What a build prints for machines; what it prints for people is shown.
fn messages(build: &mut Command) -> Result<String> {
    build
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit());
    process::output(build)
}

fn no_such(name: &str) -> String {
    format!("cargo built no {name:?}")
}

/// The executable of that name in cargo's messages, a line of JSON each.
fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| Some(Path::new(message["executable"].as_str()?).to_owned()))
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
