//! The repository's own tool: `cargo xtask build | test | demo | validator | lint`.
mod cache;
mod debian;
mod idl;
mod process;
mod repository;
mod sbf;
mod steps;

use std::process::ExitCode;

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
        Task::Build { package } => {
            let programs = if package.is_empty() {
                PROGRAMS.to_vec()
            } else {
                package
            };
            let compiler = sbf::Compiler::provide()?;
            let built = sbf::build(&compiler, &programs)?;
            idl::build(&built)
        }
        Task::Describe { package } => idl::describe(package),
    }
}
