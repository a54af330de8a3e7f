//! `ballast keeper run | check`.

use std::{fmt, path::PathBuf};

use anyhow::Result;
use ballast_keeper::{
    Config, ConfigError, Layers,
    config::{Hedge, Layered, Origin, Shards},
    key_file::{self, KeyFileError},
    logging,
};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    globals::{Globals, read_keypair},
    report::Output,
    table::Table,
    trouble::Misuse,
};

/// What to do with a keeper.
#[derive(Subcommand, Debug)]
pub enum KeeperCommand {
    /// Watch positions and act on them, as the configuration says; ends with ctrl-c or SIGTERM
    Run(RunArgs),
    /// Check a configuration, say where each of its values comes from, and end
    Check(CheckArgs),
}

#[derive(Args, Debug)]
pub struct RunArgs {
    #[command(flatten)]
    pub layers: LayerArgs,
}

#[derive(Args, Debug)]
pub struct CheckArgs {
    #[command(flatten)]
    pub layers: LayerArgs,
    /// Values as well that nobody has set
    #[arg(long)]
    pub all: bool,
}

/// What a configuration is made of.
#[derive(Args, Debug)]
pub struct LayerArgs {
    /// Configuration (TOML); endpoints and key come from it, and from BALLAST_KEEPER__SECTION__KEY in the environment
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Set a key of the configuration, over file and environment; may be given several times
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    pub settings: Vec<String>,
}

impl LayerArgs {
    fn read(&self) -> Result<Layered> {
        let layers = Layers::of(&self.config).with_environment()?;
        let layered = layers
            .with_flags(&self.settings)
            .and_then(|layers| layers.read());
        layered.map_err(|error| match &error {
            ConfigError::Overlaid { origin, .. } | ConfigError::Layered { origin, .. }
                if origin.starts_with("--set") =>
            {
                Misuse(error.to_string()).into()
            }
            _ => error.into(),
        })
    }
}

/// A value, and where it comes from.
#[derive(Debug, Serialize)]
struct Value {
    key: String,
    value: String,
    from: String,
    #[serde(skip)]
    is_default: bool,
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
    /// What is wrong with the key's file; `null`: nothing, or there is none.
    key: Option<String>,
    values: Vec<Value>,
    #[serde(skip)]
    all: bool,
}

/// Runs, or checks.
///
/// # Errors
/// Options that have no effect; what is wrong with the configuration, by key and layer; what ended the keeper.
pub async fn run(command: &KeeperCommand, globals: &Globals, output: &mut Output) -> Result<()> {
    match command {
        KeeperCommand::Check(args) => {
            globals.require_left_to(&args.layers.config, "ballast keeper check")?;
            let Layered { config, settings } = args.layers.read()?;
            let key = key_of(&config)?;
            let values = settings.into_iter().map(|setting| Value {
                is_default: setting.origin == Origin::Default,
                key: setting.key,
                value: setting.shown,
                from: setting.origin.to_string(),
            });
            output.print(&CheckReport {
                config: args.layers.config.display().to_string(),
                mode: format!("{:?}", config.mode).to_lowercase(),
                markets: config.markets.len(),
                hedge: config.hedge.as_ref().map(Hedge::summary),
                shards: config.shards.as_ref().map(Shards::summary),
                key,
                values: values.collect(),
                all: args.all,
            })
        }
        KeeperCommand::Run(args) => {
            globals.require_left_to(&args.layers.config, "ballast keeper run")?;
            let config = args.layers.read()?.config;
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

/// What is wrong with the permissions of the key's file, where the keeper would only warn of it. One that is not there yet is checked when
/// the keeper starts.
fn key_of(config: &Config) -> Result<Option<String>> {
    let checked = config.keypair.as_deref().map(key_file::check);
    match checked {
        Some(Err(error @ KeyFileError::Open(_))) if config.mode.sends() => Err(error.into()),
        Some(Err(error @ KeyFileError::Open(_))) => Ok(Some(error.to_string())),
        Some(Err(KeyFileError::Unreadable { .. }) | Ok(())) | None => Ok(None),
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
        if let Some(key) = &self.key {
            writeln!(f, "WARN {key}")?;
        }
        // The widest last, where it has room to go on below.
        let mut table = Table::new(["<key", "<from", "<value"]);
        for value in self.values.iter().filter(|it| self.all || !it.is_default) {
            let Value {
                key, value, from, ..
            } = value;
            table.row([key.clone(), from.clone(), value.clone()]);
        }
        write!(f, "{table}")
    }
}
