//! The repository's own tool: `cargo xtask build | test | fuzz | demo | bench | keys | validator | toolchain-test | typescript |
//! dashboard | lint | mutants`.
mod bench;
mod cache;
mod dashboard;
mod debian;
mod fuzz;
mod idl;
mod keys;
mod mutants;
mod named_tests;
mod parameters;
mod process;
mod repository;
mod sbf;
mod steps;
mod suite;
mod typescript;
mod validator;

use std::{ffi::OsString, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::repository::{PROGRAMS, Program};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, tests and shows Ballast.")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build on-chain programs (target/deploy) and their interface descriptions (target/idl).
    Build {
        /// Build this program only; may be given more than once.
        #[arg(short, long, value_name = "PACKAGE", value_parser = Program::by_package)]
        package: Vec<Program>,
    },
    /// Run all tests: unit, property, on-chain in the SVM, integration on solana-test-validator, the TypeScript client and the
    /// dashboard.
    Test(suite::TestOptions),
    /// Search for sequences of instructions that break something, guided by the branches that the program takes. `test` does
    /// that too, for a minute.
    Fuzz(fuzz::FuzzOptions),
    /// Show it: a position kept alive by the keeper on an embedded node, beside one that is not.
    Demo {
        /// Arguments of the demo: `--validator`, `--prices FILE.csv[.gz]`, ...
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Print the path of solana-test-validator; build it if it is not there (15 to 30 minutes, once).
    Validator,
    /// Simulate anew what docs/PARAMETERS.md says of defaults. Takes minutes.
    Parameters(parameters::ParameterOptions),
    /// Measure speed; ratios and figures go to target/bench/report.json.
    Bench(bench::BenchOptions),
    /// Test the compiler of on-chain programs: what it compiles computes what the host computes, what it must refuse it
    /// refuses. `test` does that too.
    ToolchainTest,
    /// Generate, type-check and test the TypeScript client. `test` does that too.
    Typescript,
    /// Check, build and compare the keeper's dashboard, and try it in a browser, over a fixture and over the real keeper. `test`
    /// does that too, over the fixture alone.
    Dashboard,
    /// Give the program an address of your own, whose key you have: needed to deploy it to another cluster.
    Keys,
    /// Check formatting and lints.
    Lint,
    /// Switch off each guard of the on-chain program, one at a time, and report which ones no test misses. Takes hours.
    Mutants(mutants::MutantOptions),
    /// Build one program and nothing else; `mutants` calls this.
    #[command(hide = true)]
    BuildProgram {
        #[arg(value_name = "PACKAGE", value_parser = Program::by_package)]
        package: Program,
    },
    /// Print the interface description of a program; `build` calls this.
    #[command(hide = true)]
    Describe {
        #[arg(value_name = "PACKAGE", value_parser = Program::by_package)]
        package: Program,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Build { package } if package.is_empty() => build(&PROGRAMS),
        Task::Build { package } => build(&package),
        Task::Test(options) => {
            if !options.no_typescript {
                typescript::require_node()?;
            }
            build(&PROGRAMS)?;
            build_selftest()?;
            suite::test(&options)?;
            fuzz::run_short()?;
            if !options.no_typescript {
                typescript::test(options.no_validator)?;
                dashboard::test(dashboard::Server::Fixture)?;
            }
            Ok(())
        }
        Task::Fuzz(options) => {
            build(&PROGRAMS)?;
            fuzz::run(&options)
        }
        Task::Typescript => {
            typescript::require_node()?;
            build(&PROGRAMS)?;
            typescript::test(false)
        }
        Task::Dashboard => {
            typescript::require_node()?;
            build(&PROGRAMS)?;
            dashboard::test(dashboard::Server::Keeper)
        }
        Task::Demo { arguments } => {
            build(&PROGRAMS)?;
            suite::demo(&arguments)
        }
        Task::Validator => {
            println!("{}", validator::provide()?.display());
            Ok(())
        }
        Task::Parameters(options) => parameters::run(&options),
        Task::Bench(options) => bench::run(options),
        Task::ToolchainTest => {
            build_selftest()?;
            suite::toolchain_test()
        }
        Task::Keys => keys::run(),
        Task::Lint => suite::lint(),
        Task::Mutants(options) => mutants::run(&options),
        Task::BuildProgram { package } => {
            sbf::build(&sbf::Compiler::provide()?, &[package]).map(|_| ())
        }
        Task::Describe { package } => idl::describe(package),
    }
}

fn build(programs: &[Program]) -> Result<()> {
    let compiler = sbf::Compiler::provide()?;
    let built = sbf::build(&compiler, programs)?;
    idl::build(&built)
}

/// Builds the tool chain's self-test, and what must not build.
fn build_selftest() -> Result<()> {
    let compiler = sbf::Compiler::provide()?;
    sbf::selftest::build(&compiler)?;
    sbf::selftest::refusals(&compiler)
}
