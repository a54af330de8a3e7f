//! `ballast completions` and `ballast man`: what a shell and `man` know of this program.

use std::{fs, io::Write, path::PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Command};
use clap_complete::Shell;
use serde::Serialize;

use crate::report::Output;

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
fn pages_of(mut command: Command) -> Result<Vec<(String, Vec<u8>)>> {
    fn add(command: &Command, pages: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
        let page = clap_mangen::Man::new(command.clone());
        let mut text = Vec::new();
        page.render(&mut text)?;
        pages.push((page.get_filename(), text));
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

impl std::fmt::Display for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{} pages in {}: `man -l {}/ballast.1`",
            self.pages, self.directory, self.directory
        )
    }
}
