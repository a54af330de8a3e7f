//! A directory with all that a run was and said: `run.json`, `summary.json`, pictures and a report.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use ballast_chart::{Chart, escape, page};
use clap::{ArgMatches, Command};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// What was asked for: the command, and every parameter of it, those that were not given as well.
#[derive(Clone, Debug, Default)]
pub struct Invocation {
    command: String,
    parameters: Map<String, Value>,
}

impl Invocation {
    /// As the command line says.
    pub fn of(command: &Command, matches: &ArgMatches) -> Self {
        let Some((name, given)) = matches.subcommand() else {
            return Self::default();
        };
        let Some(command) = command.find_subcommand(name) else {
            return Self::default();
        };
        let parameters = command.get_arguments().map(|argument| {
            let id = argument.get_id().as_str();
            let values: Vec<String> = given
                .try_get_raw(id)
                .ok()
                .flatten()
                .into_iter()
                .flatten()
                .map(|value| value.to_string_lossy().into_owned())
                .collect();
            let value = match <[String; 1]>::try_from(values) {
                Ok([one]) => json!(one),
                Err(none) if none.is_empty() => Value::Null,
                Err(several) => json!(several),
            };
            (id.to_owned(), value)
        });
        Self {
            command: name.to_owned(),
            parameters: parameters.collect(),
        }
    }
}

/// The directory, and what is in it so far.
#[derive(Debug)]
pub struct Study {
    directory: PathBuf,
    files: Vec<Value>,
    body: String,
}

impl Study {
    /// Makes the directory, unless it is there.
    ///
    /// # Errors
    /// A directory that cannot be made.
    pub fn create(directory: &Path) -> Result<Self> {
        fs::create_dir_all(directory).with_context(|| unwritable(directory))?;
        Ok(Self {
            directory: directory.to_owned(),
            files: Vec::new(),
            body: String::new(),
        })
    }

    /// Where a file of this name lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Adds prose to the report: HTML.
    pub fn prose(&mut self, html: &str) {
        self.body += html;
    }

    /// Adds a table to the report.
    pub fn table<const N: usize>(&mut self, titles: [&str; N], rows: &[[String; N]]) {
        let cells = |tag: &str, cells: &[String]| -> String {
            let cells = cells.iter();
            cells
                .map(|cell| format!("<{tag}>{}</{tag}>", escape(cell)))
                .collect()
        };
        self.body += "<div class=\"wide\"><table><tr>";
        self.body += &cells("th", &titles.map(str::to_owned));
        self.body += "</tr>";
        for row in rows {
            self.body += &format!("<tr>{}</tr>", cells("td", row));
        }
        self.body += "</table></div>";
    }

    /// Adds a picture to the report, and a file of its own.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn picture(&mut self, name: &str, chart: &Chart) -> Result<()> {
        self.body += &format!("<p>{}</p>", chart.fragment());
        self.write(&format!("{name}.svg"), &chart.svg())
    }

    /// Writes a file.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&mut self, name: &str, text: &str) -> Result<()> {
        let path = self.path(name);
        fs::write(&path, text).with_context(|| unwritable(&path))?;
        self.note(name)
    }

    /// Notes a file that somebody else has written there.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn note(&mut self, name: &str) -> Result<()> {
        let hash = sha256(&self.path(name))?;
        self.files.push(json!({ "name": name, "sha256": hash }));
        Ok(())
    }

    /// Writes `summary.json`, `report.html` and, last of all, `run.json`; `inputs` are the files that were read.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn finish(
        mut self,
        invocation: &Invocation,
        inputs: &[PathBuf],
        summary: &impl Serialize,
    ) -> Result<()> {
        let summary = serde_json::to_string_pretty(summary)? + "\n";
        self.write("summary.json", &summary)?;
        let rows: Vec<[String; 2]> = invocation
            .parameters
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| {
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                [name.replace('_', "-"), text]
            })
            .collect();
        self.prose("<h2>Parameters</h2>");
        self.table(["parameter", "value"], &rows);
        let title = format!("ballast {}", invocation.command);
        let html = page(&title, &format!("<h1>{}</h1>{}", escape(&title), self.body));
        self.write("report.html", &html)?;
        let mut read = Vec::new();
        for path in inputs {
            read.push(json!({ "file": path.display().to_string(), "sha256": sha256(path)? }));
        }
        let run = json!({
            "command": invocation.command,
            "version": env!("CARGO_PKG_VERSION"),
            "seed": invocation.parameters.get("seed"),
            "parameters": invocation.parameters,
            "inputs": read,
            "files": self.files,
        });
        let path = self.path("run.json");
        let text = serde_json::to_string_pretty(&run)? + "\n";
        fs::write(&path, text).with_context(|| unwritable(&path))
    }
}

/// The SHA-256 of a file, in hexadecimal digits. It may be larger than memory.
///
/// # Errors
/// A file that cannot be read.
pub fn sha256(path: &Path) -> Result<String> {
    let unreadable = || format!("cannot read {}: check the path", path.display());
    let mut file = fs::File::open(path).with_context(unreadable)?;
    let mut hash = Sha256::new();
    std::io::copy(&mut file, &mut hash).with_context(unreadable)?;
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

fn unwritable(path: &Path) -> String {
    format!("cannot write {}: check the path", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Arg;

    #[test]
    fn every_parameter_is_recorded() {
        let command = || {
            let arguments = [
                Arg::new("seed").long("seed"),
                Arg::new("width").long("width").default_value("10%"),
                Arg::new("model")
                    .long("model")
                    .action(clap::ArgAction::Append),
                Arg::new("other").long("other"),
            ];
            Command::new("ballast").subcommand(Command::new("try").args(arguments))
        };
        let line = "ballast try --seed 7 --model a --model b";
        let matches = command().get_matches_from(line.split(' '));
        let invocation = Invocation::of(&command(), &matches);
        assert_eq!(invocation.command, "try");
        assert_eq!(
            Value::Object(invocation.parameters),
            json!({ "seed": "7", "width": "10%", "model": ["a", "b"], "other": null })
        );
    }
}
