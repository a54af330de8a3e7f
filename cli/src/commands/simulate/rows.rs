//! How every path ended, a line each.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use ballast_simulator::{Attribution, Outcome, Units};

/// A file that lines go to as they come.
pub struct Rows {
    units: Units,
    file: BufWriter<File>,
    path: PathBuf,
    /// The first that went wrong.
    failed: Option<io::Error>,
}

impl Rows {
    /// Begins the file.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn create(path: &Path, units: Units) -> Result<Self> {
        let file = File::create(path).with_context(|| unwritable(path))?;
        let mut rows = Self {
            units,
            file: BufWriter::new(file),
            path: path.to_owned(),
            failed: None,
        };
        let lines = Attribution::default().lines().map(|(name, _)| name);
        rows.line(&format!(
            "path,price,equity,lowest_equity,in_range,actions,first_exit,first_exit_secs,liquidatable_secs,{}",
            lines.join(",")
        ));
        Ok(rows)
    }

    /// One path more. What goes wrong is told at the end.
    pub fn write(&mut self, outcome: &Outcome) {
        let exit = outcome.first_exit;
        let side = exit.map_or("", |exit| if exit.below { "lower" } else { "upper" });
        let secs = |secs: Option<u64>| secs.map(|secs| secs.to_string()).unwrap_or_default();
        let amounts = outcome
            .attribution
            .lines()
            .map(|(_, amount)| self.units.quote(amount).to_string());
        self.line(&format!(
            "{},{},{},{},{},{},{side},{},{},{}",
            outcome.path,
            outcome.price,
            self.units.quote(outcome.equity),
            self.units.quote(outcome.lowest_equity),
            outcome.in_range,
            outcome.acts.own(),
            secs(exit.map(|exit| exit.secs)),
            secs(outcome.liquidatable_secs),
            amounts.join(",")
        ));
    }

    fn line(&mut self, text: &str) {
        if let Err(error) = writeln!(self.file, "{text}") {
            self.failed.get_or_insert(error);
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// What went wrong with it.
    pub fn finish(mut self) -> Result<()> {
        let flushed = self.file.flush();
        self.failed
            .map_or(flushed, Err)
            .with_context(|| unwritable(&self.path))
    }
}

fn unwritable(path: &Path) -> String {
    format!(
        "cannot write the paths to {}: check the path",
        path.display()
    )
}
