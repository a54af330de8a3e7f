//! The database server that some tests run on. They start and stop it themselves, with a directory of its own.
use anyhow::Result;

use crate::{
    debian::{self, Package},
    left_out,
};

const PACKAGES: [Package; 1] = [Package::any("postgresql-15")];

/// Whether there is one; installs it if it can. Without it those tests say that they are left out, unless tools are required.
pub fn provide() -> Result<bool> {
    if let Err(error) = debian::install(&debian::missing(&PACKAGES)) {
        left_out::for_want_of_a_tool("tests on Postgres are left out", &error)?;
        return Ok(false);
    }
    Ok(true)
}
