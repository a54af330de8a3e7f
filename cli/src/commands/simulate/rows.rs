//! How every path ended, a line each.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Error, Result};
#[cfg(feature = "parquet")]
use ballast_simulator::ParquetRows;
use ballast_simulator::{Attribution, Outcome, Units};
use clap::ValueEnum;

/// How paths are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Comma-separated values
    #[default]
    Csv,
    /// Parquet
    #[cfg(feature = "parquet")]
    Parquet,
}

impl Format {
    /// The name of the file in a directory.
    pub fn file(self) -> &'static str {
        match self {
            Self::Csv => "paths.csv",
            #[cfg(feature = "parquet")]
            Self::Parquet => "paths.parquet",
        }
    }
}

/// A file that paths go to as they come.
pub struct Rows {
    units: Units,
    file: Kind,
    path: PathBuf,
    /// The first that went wrong.
    failed: Option<Error>,
}

enum Kind {
    Csv(BufWriter<File>),
    #[cfg(feature = "parquet")]
    Parquet(Box<ParquetRows<File>>),
}

impl Rows {
    /// Begins the file.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn create(path: &Path, format: Format, units: Units) -> Result<Self> {
        let file = File::create(path).with_context(|| unwritable(path))?;
        let file = match format {
            Format::Csv => {
                let mut file = BufWriter::new(file);
                let lines = Attribution::default().lines().map(|(name, _)| name);
                writeln!(
                    file,
                    "path,price,equity,lowest_equity,in_range,actions,first_exit,first_exit_secs,liquidatable_secs,{}",
                    lines.join(",")
                )
                .with_context(|| unwritable(path))?;
                Kind::Csv(file)
            }
            #[cfg(feature = "parquet")]
            Format::Parquet => {
                let rows = ParquetRows::create(file, units).with_context(|| unwritable(path))?;
                Kind::Parquet(Box::new(rows))
            }
        };
        Ok(Self {
            units,
            file,
            path: path.to_owned(),
            failed: None,
        })
    }

    /// One path more. What goes wrong is told at the end.
    pub fn write(&mut self, outcome: &Outcome) {
        let written = match &mut self.file {
            Kind::Csv(file) => line(file, self.units, outcome).map_err(Error::from),
            #[cfg(feature = "parquet")]
            Kind::Parquet(rows) => rows.write(outcome).map_err(Error::from),
        };
        if let Err(error) = written {
            self.failed.get_or_insert(error);
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// What went wrong with it.
    pub fn finish(self) -> Result<()> {
        let ended = match self.file {
            Kind::Csv(mut file) => file.flush().map_err(Error::from),
            #[cfg(feature = "parquet")]
            Kind::Parquet(rows) => rows.finish().map_err(Error::from),
        };
        self.failed
            .map_or(ended, Err)
            .with_context(|| unwritable(&self.path))
    }
}

fn line(file: &mut impl Write, units: Units, outcome: &Outcome) -> io::Result<()> {
    let exit = outcome.first_exit;
    let side = exit.map_or("", |exit| if exit.below { "lower" } else { "upper" });
    let secs = |secs: Option<u64>| secs.map(|secs| secs.to_string()).unwrap_or_default();
    let amounts = outcome
        .attribution
        .lines()
        .map(|(_, amount)| units.quote(amount).to_string());
    writeln!(
        file,
        "{},{},{},{},{},{},{side},{},{},{}",
        outcome.path,
        outcome.price,
        units.quote(outcome.equity),
        units.quote(outcome.lowest_equity),
        outcome.in_range,
        outcome.acts.own(),
        secs(exit.map(|exit| exit.secs)),
        secs(outcome.liquidatable_secs),
        amounts.join(",")
    )
}

fn unwritable(path: &Path) -> String {
    format!(
        "cannot write the paths to {}: check the path",
        path.display()
    )
}
