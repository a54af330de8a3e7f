//! `ballast keeper run`.

use std::path::PathBuf;

use anyhow::Result;
use ballast_keeper::{Config, logging};
use clap::{Args, Subcommand};

use crate::globals::read_keypair;

/// What to do with a keeper.
#[derive(Subcommand, Debug)]
pub enum KeeperCommand {
    /// Watch positions and act on them, as the configuration says; ends with ctrl-c or SIGTERM
    Run(RunArgs),
    /// Check a configuration and end
    Check(CheckArgs),
}

#[derive(Args, Debug)]
pub struct RunArgs {
    /// Configuration (TOML); endpoints and key come from it, not from the command line
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

#[derive(Args, Debug)]
pub struct CheckArgs {
    /// Configuration (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// Runs.
///
/// # Errors
/// What is wrong with the configuration, by key; what ended the keeper.
pub async fn run(command: &KeeperCommand, json: bool) -> Result<()> {
    match command {
        KeeperCommand::Check(args) => {
            Config::read(&args.config)?;
            crate::report::note(format_args!(
                "{} is a valid configuration",
                args.config.display()
            ));
            Ok(())
        }
        KeeperCommand::Run(args) => {
            let config = Config::read(&args.config)?;
            if let Some(path) = &config.keypair {
                // The keeper reads it itself; this says better what is wrong with it.
                read_keypair(path, "the configuration's `keypair`")?;
            }
            logging::init(if json {
                logging::LogFormat::Json
            } else {
                logging::LogFormat::Human
            })?;
            Ok(ballast_keeper::run(config).await?)
        }
    }
}
