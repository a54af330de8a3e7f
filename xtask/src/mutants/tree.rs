//! A copy of the sources in which every guard asks whether it is switched off.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use super::rewrite::{Rewriter, Site};
use crate::{process, repository};

/// See the module's description.
pub struct Tree {
    pub root: PathBuf,
    pub sites: Vec<Site>,
}

/// Stands before the two bytes that say which guard is switched off.
pub const MARK: &[u8; 14] = b"BALLAST-OFF-->";

/// What every rewritten crate asks. On chain the answer stands in the program file, on the host in the environment.
const MODULE: &str = r#"
/// Which guard is switched off.
#[allow(missing_docs)]
pub mod mutant {
    #[cfg(not(target_os = "solana"))]
    extern crate std;

    #[cfg(target_os = "solana")]
    static SWITCH: [u8; 16] = *b"BALLAST-OFF-->\xff\xff";

    #[cfg(target_os = "solana")]
    #[inline(never)]
    pub fn off(number: u16) -> bool {
        let switch = core::hint::black_box(&SWITCH);
        u16::from_le_bytes([switch[14], switch[15]]) == number
    }

    #[cfg(not(target_os = "solana"))]
    pub fn off(number: u16) -> bool {
        static OFF: std::sync::OnceLock<Option<u16>> = std::sync::OnceLock::new();
        let read = || std::env::var("BALLAST_MUTANT").ok()?.parse().ok();
        *OFF.get_or_init(read) == Some(number)
    }

    pub trait Unless: Ord + Sized {
        fn min_unless(self, number: u16, other: Self) -> Self {
            if off(number) { self } else { Ord::min(self, other) }
        }
        fn max_unless(self, number: u16, other: Self) -> Self {
            if off(number) { self } else { Ord::max(self, other) }
        }
    }

    impl<T: Ord> Unless for T {}
}
"#;

impl Tree {
    /// Copies what git tracks, and rewrites the program and the two libraries whose arithmetic it runs.
    pub fn make() -> Result<Self> {
        let root = repository::build_dir().join("mutants/tree");
        if root.exists() {
            fs::remove_dir_all(&root)
                .with_context(|| format!("cannot delete {}", root.display()))?;
        }
        let listed = process::output(Command::new("git").current_dir(repository::root()).args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
        ]))?;
        let mut rewriter = Rewriter::default();
        for file in listed.lines() {
            let from = repository::root().join(file);
            if !from.is_file() {
                continue;
            }
            copy(&mut rewriter, file, &from, &root.join(file))?;
        }
        ensure!(
            rewriter.sites.len() < usize::from(u16::MAX),
            "more guards than numbers"
        );
        Ok(Self {
            root,
            sites: rewriter.sites,
        })
    }
}

fn copy(rewriter: &mut Rewriter, file: &str, from: &Path, to: &Path) -> Result<()> {
    if let Some(directory) = to.parent() {
        fs::create_dir_all(directory)
            .with_context(|| format!("cannot create {}", directory.display()))?;
    }
    let context = || format!("cannot copy {}", from.display());
    let is_source = |directory: &str| {
        file.starts_with(directory) && file.ends_with(".rs") && !file.ends_with("/tests.rs")
    };
    let read = || fs::read_to_string(from).with_context(context);
    let text = if is_source("programs/ballast/src/") {
        rewriter.program(file, read()?)
    } else if is_source("crates/model/src/") || is_source("crates/ledger/src/") {
        rewriter.library(file, read()?, "ballast_clmm::mutant")
    } else if is_source("crates/clmm/src/") {
        let mut text = rewriter.library(file, read()?, "crate::mutant");
        if file.ends_with("src/lib.rs") {
            text.push_str(MODULE);
        }
        text
    } else {
        fs::copy(from, to).with_context(context)?;
        return Ok(());
    };
    fs::write(to, text).with_context(context)
}
