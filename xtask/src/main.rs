//! The repository's own tool: `cargo xtask --help` lists what it does.
mod anchor;
mod bench;
mod cache;
mod dashboard;
mod debian;
mod demo;
mod documents;
mod fuzz;
mod idl;
mod keys;
mod left_out;
mod lengths;
mod market_defaults;
mod mutants;
mod named_tests;
mod operations;
mod parameters;
mod postgres;
mod printed;
mod process;
mod python;
mod repeated;
mod repository;
mod sbf;
mod steps;
mod suite;
mod times;
mod typescript;
mod validator;

use std::{env, ffi::OsString, process::ExitCode, time::Instant};

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};

use crate::{
    left_out::Notes,
    repository::{PROGRAMS, Program},
    steps::Steps,
};

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
    /// Run all tests: unit, property, on-chain in the SVM, integration on solana-test-validator, the demo, the TypeScript client and
    /// the dashboard.
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
    /// Play the demo as README begins with it, use what it prints, and end it by Ctrl-C. `test` does that too.
    DemoTest,
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
    /// does that too.
    Dashboard,
    /// Give the program an address of your own, whose key you have: needed to deploy it to another cluster.
    Keys,
    /// Check formatting, lints, the crates' own documentation, what documents say (tests, links, commands, floors of crates), alert
    /// rules and the systemd unit.
    Lint,
    /// Say how long commands took on this machine; each says it at its end as well.
    Times(times::TimesOptions),
    /// Switch off each guard of the on-chain program, one at a time, and report which ones no test misses. Takes hours.
    Mutants(mutants::MutantOptions),
    /// Build one program and nothing else; `mutants` calls this.
    #[command(hide = true)]
    BuildProgram {
        #[arg(value_name = "PACKAGE", value_parser = Program::by_package)]
        package: Program,
    },
    /// Build the program of the current directory; Anchor's command line calls this as `cargo build-sbf`.
    #[command(hide = true)]
    BuildSbf(anchor::BuildSbf),
    /// Print the interface description of a program; `build` calls this.
    #[command(hide = true)]
    Describe {
        #[arg(value_name = "PACKAGE", value_parser = Program::by_package)]
        package: Program,
    },
}

fn main() -> ExitCode {
    let task = Cli::parse().task;
    // Programs call these, and people the last to be told of the others.
    let timed = !matches!(
        task,
        Task::BuildProgram { .. } | Task::BuildSbf(_) | Task::Describe { .. } | Task::Times(_)
    );
    let start = Instant::now();
    let done = run(task).and_then(|()| {
        if timed {
            let words: Vec<String> = env::args_os()
                .skip(1)
                .map(|word| word.to_string_lossy().into_owned())
                .collect();
            times::note(&times::name(&words), start.elapsed())?;
        }
        Ok(())
    });
    match done {
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
            let mut notes = Notes::new()?;
            build(&PROGRAMS)?;
            build_selftest()?;
            suite::test(&options, &mut notes)?;
            fuzz::run_short()?;
            demo::test()?;
            if !options.no_typescript {
                typescript::test(options.no_validator)?;
                dashboard::test()?;
            }
            notes.tell()
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
            dashboard::test()
        }
        Task::Demo { arguments } => {
            build(&PROGRAMS)?;
            demo::run(&arguments)
        }
        Task::DemoTest => {
            build(&PROGRAMS)?;
            demo::test()
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
        Task::Lint => {
            documents::check(&Cli::command())?;
            suite::lint()
        }
        Task::Times(options) => times::run(&options),
        Task::Mutants(options) => mutants::run(&options),
        Task::BuildProgram { package } => {
            sbf::build(&sbf::Compiler::provide()?, &[package]).map(|_| ())
        }
        Task::BuildSbf(options) => anchor::build_sbf(&options),
        Task::Describe { package } => idl::describe(package),
    }
}

fn build(programs: &[Program]) -> Result<()> {
    let compiler = sbf::Compiler::provide()?;
    let mut steps = Steps::new(programs.len() + 1);
    let mut built = Vec::new();
    for program in programs {
        let what = format!(
            "compile the program {} (1 to 3 minutes the first time)",
            program.package
        );
        built.extend(steps.run(&what, || sbf::build(&compiler, &[*program]))?);
    }
    steps.run(
        "describe the programs' interfaces (1 to 5 minutes the first time)",
        || idl::build(&built),
    )
}

/// Builds the tool chain's self-test, and what must not build.
fn build_selftest() -> Result<()> {
    let compiler = sbf::Compiler::provide()?;
    sbf::selftest::build(&compiler)?;
    sbf::selftest::refusals(&compiler)
}
