//! The database server that some tests run on. They start and stop it themselves, with a directory of its own.
use crate::debian::{self, Package};

const PACKAGES: [Package; 1] = [Package::any("postgresql-15")];

/// Whether there is one; installs it if it can. Without it those tests say that they are skipped.
pub fn provide() -> bool {
    if let Err(error) = debian::install(&debian::missing(&PACKAGES)) {
        eprintln!("xtask: tests on Postgres are skipped: {error:#}");
        return false;
    }
    true
}
