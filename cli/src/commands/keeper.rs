//! `ballast keeper run | check`.

use std::{fmt, path::PathBuf};

use anyhow::Result;
use ballast_keeper::{
    Config,
    config::{Hedge, Shards},
    logging,
};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    globals::{Globals, read_keypair},
    report::Output,
};

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
    /// Configuration (TOML); endpoints and key come from it, not from the command line or the environment
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

#[derive(Args, Debug)]
pub struct CheckArgs {
    /// Configuration (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// A configuration that a keeper can run with.
#[derive(Debug, Serialize)]
struct CheckReport {
    config: String,
    mode: String,
    markets: usize,
    /// Where and for whom it hedges; `null`: nowhere.
    hedge: Option<String>,
    /// Of which group it is; `null`: it acts for all positions.
    shards: Option<String>,
}

/// Runs, or checks.
///
/// # Errors
/// Options that have no effect; what is wrong with the configuration, by key; what ended the keeper.
pub async fn run(command: &KeeperCommand, globals: &Globals, output: &mut Output) -> Result<()> {
    match command {
        KeeperCommand::Check(args) => {
            globals.require_left_to(&args.config, "ballast keeper check")?;
            let config = Config::read(&args.config)?;
            output.print(&CheckReport {
                config: args.config.display().to_string(),
                mode: format!("{:?}", config.mode).to_lowercase(),
                markets: config.markets.len(),
                hedge: config.hedge.as_ref().map(Hedge::summary),
                shards: config.shards.as_ref().map(Shards::summary),
            })
        }
        KeeperCommand::Run(args) => {
            globals.require_left_to(&args.config, "ballast keeper run")?;
            let config = Config::read(&args.config)?;
            if let Some(path) = &config.keypair {
                // The keeper reads it itself; this says better what is wrong with it.
                read_keypair(path, "the configuration's `keypair`")?;
            }
            logging::init(if globals.json {
                logging::LogFormat::Json
            } else {
                logging::LogFormat::Human
            })?;
            Ok(ballast_keeper::run(config).await?)
        }
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} is a valid configuration: mode {}, {} market{}",
            self.config,
            self.mode,
            self.markets,
            if self.markets == 1 { "" } else { "s" }
        )?;
        for (what, summary) in [("hedge", &self.hedge), ("shards", &self.shards)] {
            if let Some(summary) = summary {
                writeln!(f, "{what}: {summary}")?;
            }
        }
        Ok(())
    }
}
