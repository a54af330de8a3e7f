//! Whose market's limits and rules apply where no market is asked.

use std::path::PathBuf;

use anyhow::{Context, Result};
use ballast_migrations::{Desired, Migrations};
use clap::Args;

/// The built-in migrations that are taken.
const CLUSTER: &str = "devnet";

/// Option of them.
#[derive(Args, Clone, Debug, Default)]
pub struct RulesArgs {
    /// Directory of numbered migrations whose market's limits and rules apply, as `ballast migrate` reads it; without it the built-in ones
    /// of devnet: deleverage target, triggers, swap losses, intervals, stages. Another market's may be others
    #[arg(long, value_name = "DIR")]
    pub migrations: Option<PathBuf>,
}

impl RulesArgs {
    /// What the migrations ask for.
    ///
    /// # Errors
    /// What is wrong with the directory.
    pub fn desired(&self) -> Result<Desired> {
        let Some(directory) = &self.migrations else {
            return Ok(Migrations::built_in(CLUSTER)?.desired()?);
        };
        let named = || format!("--migrations {}", directory.display());
        let read = Migrations::in_directory(directory).with_context(named)?;
        read.desired().with_context(named)
    }

    /// Whose they are.
    pub fn named(&self) -> String {
        match &self.migrations {
            Some(directory) => directory.display().to_string(),
            None => CLUSTER.into(),
        }
    }
}
