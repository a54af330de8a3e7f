//! Python, in which a client that nobody here wrote is run against the venue's stand-in.
use std::process::Command;

use anyhow::Result;

use crate::{
    debian::{self, Package},
    process,
};

const PACKAGES: [Package; 1] = [Package::any("python3-venv")];

/// Installs it unless there is one that can make environments; an error that says what to do if it cannot.
pub fn provide() -> Result<()> {
    let works = ["-c", "import ensurepip, venv"];
    if process::output(Command::new("python3").args(works)).is_ok() {
        return Ok(());
    }
    debian::install(&debian::missing(&PACKAGES))
}
