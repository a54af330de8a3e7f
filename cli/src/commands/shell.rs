//! `ballast completions` and `ballast man`: what a shell and `man` know of this program.

use std::{fs, io::Write, path::PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::roff::{Roff, bold, roman};
use serde::Serialize;

use crate::{
    examples::{self, GROUPS},
    report::Output,
};

/// A longer word in a man page cannot be set without a place to break.
const LONG_WORD: usize = 30;

#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// For which shell; what is printed belongs where that shell looks for completions
    #[arg(value_enum)]
    pub shell: Shell,
}

#[derive(Args, Debug)]
pub struct ManArgs {
    /// Directory for the pages, a file for each command; it is made if missing
    #[arg(value_name = "DIRECTORY")]
    pub directory: PathBuf,
}

#[derive(Debug, Serialize)]
struct Pages {
    directory: String,
    pages: usize,
}

/// Prints the script.
///
/// # Errors
/// What the stream says.
pub fn completions(args: &CompletionsArgs, mut command: Command) -> Result<()> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    let mut out = std::io::stdout().lock();
    out.write_all(&script)?;
    out.flush()?;
    Ok(())
}

/// Writes the pages.
///
/// # Errors
/// A directory that cannot be written to.
pub fn man(args: &ManArgs, command: Command, output: &mut Output) -> Result<()> {
    let directory = &args.directory;
    let unwritable = || format!("cannot write man pages to {}", directory.display());
    fs::create_dir_all(directory).with_context(unwritable)?;
    let pages = pages_of(command)?;
    for (name, page) in &pages {
        fs::write(directory.join(name), page).with_context(unwritable)?;
    }
    output.print(&Pages {
        directory: directory.display().to_string(),
        pages: pages.len(),
    })
}

/// Name and text of the page of each command.
fn pages_of(mut command: Command) -> Result<Vec<(String, String)>> {
    fn add(command: &Command, pages: &mut Vec<(String, String)>) -> Result<()> {
        pages.push(page_of(command)?);
        let below = command.get_subcommands();
        for command in below.filter(|below| !below.is_hide_set() && below.get_name() != "help") {
            add(command, pages)?;
        }
        Ok(())
    }
    // Names every command after those above it.
    command.build();
    let mut pages = Vec::new();
    add(&command, &mut pages)?;
    Ok(pages)
}

fn page_of(command: &Command) -> Result<(String, String)> {
    let version = command.get_version().unwrap_or_default();
    let man = clap_mangen::Man::new(command.clone())
        .source(format!("ballast {version}"))
        .manual("Ballast");
    let path = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let path = path.strip_prefix("ballast").unwrap_or(path).trim_start();
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    // Ragged lines: long options in the middle of a sentence leave gaps otherwise.
    text.extend_from_slice(b".ad l\n");
    man.render_name_section(&mut text)?;
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    let mut synopsis = Roff::new();
    synopsis.control("SH", ["SYNOPSIS"]);
    synopsis.text([roman(usage)]);
    synopsis.to_writer(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    match path {
        "" => groups(command).to_writer(&mut text)?,
        _ if command.has_subcommands() => man.render_subcommands_section(&mut text)?,
        _ => {}
    }
    let own = examples::all().filter(|(of, _)| *of == path);
    let of_groups = GROUPS.iter().map(|group| group.examples);
    let lines: Vec<&str> = match path {
        "" => of_groups.flatten().copied().collect(),
        _ => own.flat_map(|(_, lines)| lines).copied().collect(),
    };
    if !lines.is_empty() {
        let mut roff = Roff::new();
        roff.control("SH", ["EXAMPLES"]);
        roff.control("nf", []);
        for line in lines {
            roff.text([roman(format!("ballast {line}"))]);
        }
        roff.control("fi", []);
        roff.to_writer(&mut text)?;
    }
    let text = String::from_utf8(text).context("a man page is no text")?;
    Ok((man.get_filename(), portable(&text)))
}

/// Commands in their groups.
fn groups(command: &Command) -> Roff {
    let mut roff = Roff::new();
    for group in &GROUPS {
        roff.control("SH", [group.title.to_uppercase().as_str()]);
        for name in group.commands {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            roff.control("TP", []);
            roff.text([bold(format!("ballast-{name}(1)"))]);
            roff.text([roman(about.map(ToString::to_string).unwrap_or_default())]);
        }
    }
    roff
}

/// Letters beyond ASCII by their numbers, and places to break in lists without spaces.
fn portable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let is_request = line.starts_with('.');
        for word in line.split_inclusive([' ', '\n']) {
            let is_list = !is_request && word.len() > LONG_WORD;
            for letter in word.chars() {
                match letter {
                    ',' if is_list => out.push_str(",\\:"),
                    letter if letter.is_ascii() => out.push(letter),
                    letter => out.push_str(&format!("\\[u{:04X}]", u32::from(letter))),
                }
            }
        }
    }
    out
}

impl std::fmt::Display for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{} pages in {}: `man -l {}/ballast.1`",
            self.pages, self.directory, self.directory
        )
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::{Cli, help};

    #[test]
    fn pages_have_value_names_examples_and_groups() {
        let pages = pages_of(help::dressed(Cli::command())).unwrap();
        let page = |name: &str| {
            let found = pages.iter().find(|(file, _)| file == name);
            found.unwrap().1.clone()
        };
        let set_mode = page("ballast-market-set-mode.1");
        for part in [
            "\"ballast 0.",
            "ballast market set\\-mode [OPTIONS] <MODE>",
            ".SH EXAMPLES\n.nf\nballast market set\\-mode",
        ] {
            assert!(set_mode.contains(part), "{part}: {set_mode}");
        }
        let whole = page("ballast.1");
        for part in [".SH LENDING\n", "ballast\\-lend(1)", ".SH EXAMPLES\n"] {
            assert!(whole.contains(part), "{part}: {whole}");
        }
        for (name, text) in &pages {
            assert!(text.is_ascii() && !text.contains("EXTRA"), "{name}");
        }
    }

    #[test]
    fn groff_has_nothing_to_warn_of() {
        let directory = tempfile::tempdir().unwrap();
        let mut groff = std::process::Command::new("groff");
        groff.args(["-ww", "-man", "-Tutf8", "-z"]);
        for (name, text) in pages_of(help::dressed(Cli::command())).unwrap() {
            let path = directory.path().join(name);
            fs::write(&path, text).unwrap();
            groff.arg(path);
        }
        // Not everybody has it.
        let Ok(output) = groff.output() else { return };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.is_empty(), "{said}");
    }
}
