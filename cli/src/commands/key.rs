//! `ballast key`: keys as files.

use std::{
    fmt, fs,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Error, Result, anyhow};
use ballast_client::{Keypair, Signer};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{globals::Globals, report::Output};

/// What to do with a key.
#[derive(Subcommand, Debug)]
pub enum KeyCommand {
    /// Make a key, and say its address
    New(NewArgs),
}

#[derive(Args, Debug)]
pub struct NewArgs {
    /// Where to write it; nothing is overwritten [default: --keypair, else ~/.config/solana/id.json]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct NewKey {
    address: String,
    file: String,
}

/// Makes a key.
///
/// # Errors
/// A file that is there already, or cannot be written.
pub fn run(command: &KeyCommand, globals: &Globals, output: &mut Output) -> Result<()> {
    let KeyCommand::New(args) = command;
    let file = match &args.file {
        Some(file) => file.clone(),
        None => globals.keypair_path()?,
    };
    let key = Keypair::new();
    write(&file, &key)?;
    output.print(&NewKey {
        address: key.pubkey().to_string(),
        file: file.display().to_string(),
    })
}

/// Readable by its owner alone, and on disk when this returns.
fn write(file: &Path, key: &Keypair) -> Result<()> {
    let unwritable = || format!("cannot write the key {}", file.display());
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory).with_context(unwritable)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = options.open(file).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => anyhow!(
            "{} is there already and is not overwritten: name another file",
            file.display()
        ),
        _ => Error::from(error).context(unwritable()),
    })?;
    let text = serde_json::to_string(&key.to_bytes()[..])?;
    opened
        .write_all(text.as_bytes())
        .and_then(|()| opened.sync_all())
        .with_context(unwritable)
}

impl fmt::Display for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} is the address of the new key in {}; keep a copy of that file, nobody can replace it",
            self.address, self.file
        )
    }
}
