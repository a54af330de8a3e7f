//! A copy of the sources in which every guard asks whether it is switched off.

use std::{
    collections::BTreeSet,
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
    /// What cargo is to take for the target directory: to cargo, a copy's packages are the same as the repository's.
    pub build_dir: PathBuf,
    pub sites: Vec<Site>,
}

/// Switches nothing off: the program logs instead which guards make a difference, see [`REACHED`].
pub const TRACE: u16 = u16::MAX - 1;

/// What the program logs before the number of a guard that makes a difference.
pub const REACHED: &str = "Program log: 0xba11a57, 0x";

/// Stands before the two bytes that say which guard is switched off.
pub const MARK: &[u8; 14] = b"BALLAST-OFF-->";

/// What every rewritten crate asks. On chain the answer stands in the program file, on the host in the environment.
const MODULE: &str = r#"
/// Which guard is switched off.
#[allow(missing_docs, unexpected_cfgs)]
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

    /// Says that a guard makes a difference, if that is asked.
    #[cfg(target_os = "solana")]
    pub fn differs(number: u16) {
        unsafe extern "C" {
            fn sol_log_64_(a: u64, b: u64, c: u64, d: u64, e: u64);
        }
        if off(0xfffe) {
            unsafe { sol_log_64_(0xba11a57, number.into(), 0, 0, 0) }
        }
    }

    #[cfg(not(target_os = "solana"))]
    pub fn differs(_: u16) {}

    #[cfg(not(target_os = "solana"))]
    pub fn off(number: u16) -> bool {
        static OFF: std::sync::OnceLock<Option<u16>> = std::sync::OnceLock::new();
        let read = || std::env::var("BALLAST_MUTANT").ok()?.parse().ok();
        *OFF.get_or_init(read) == Some(number)
    }

    /// Whether a check holds; says so if it refuses.
    pub fn holds(number: u16, holds: bool) -> bool {
        if !holds { differs(number); }
        holds
    }

    /// What a check answers; says so if it refuses.
    pub fn passes<T, E>(number: u16, answer: Result<T, E>) -> Result<T, E> {
        if answer.is_err() { differs(number); }
        answer
    }

    pub trait Unless: Sized {
        fn min_unless(self, number: u16, other: Self) -> Self;
        fn max_unless(self, number: u16, other: Self) -> Self;
    }

    impl<T: Ord> Unless for T {
        fn min_unless(self, number: u16, other: Self) -> Self {
            if self <= other || off(number) { return self; }
            differs(number);
            other
        }
        fn max_unless(self, number: u16, other: Self) -> Self {
            if self >= other || off(number) { return self; }
            differs(number);
            other
        }
    }

    impl Unless for crate::Amounts {
        fn min_unless(self, number: u16, other: Self) -> Self {
            if off(number) { return self; }
            differs(number);
            self.min(other)
        }
        fn max_unless(self, number: u16, _: Self) -> Self {
            unreachable!("{number}: amounts have no maximum")
        }
    }

    pub trait Ceil: Sized {
        fn div_ceil_unless(self, number: u16, by: Self) -> Self;
    }

    macro_rules! ceil {
        ($($number:ty)*) => {$(
            impl Ceil for $number {
                // Inlined, it is more than LLVM's instruction combining comes to an end with.
                #[inline(never)]
                fn div_ceil_unless(self, number: u16, by: Self) -> Self {
                    if off(number) { return self / by; }
                    differs(number);
                    self.div_ceil(by)
                }
            }
        )*};
    }
    ceil!(u32 u64 u128);

    pub trait Either: Sized {
        fn either<R>(self, number: u16, this: impl FnOnce(&Self) -> R, other: impl FnOnce(&Self) -> R) -> R {
            if off(number) { return other(&self); }
            differs(number);
            this(&self)
        }
    }

    impl<T> Either for T {}
}
"#;

impl Tree {
    /// A copy in which the program and the two libraries whose arithmetic it runs are rewritten.
    pub fn make() -> Result<Self> {
        let root = repository::build_dir().join("mutants/tree");
        let mut rewriter = Rewriter::default();
        copy(&root, |file, bytes| rewritten(&mut rewriter, file, bytes))?;
        ensure!(
            rewriter.sites.len() < usize::from(u16::MAX),
            "more guards than numbers"
        );
        Ok(Self {
            build_dir: repository::build_dir().join("mutants/build"),
            root,
            sites: rewriter.sites,
        })
    }
}

/// Copies what git tracks, each file as `rewrite` makes it of its name and content. A file that is there already stays as it is,
/// so that nothing is compiled twice.
pub fn copy(root: &Path, mut rewrite: impl FnMut(&str, Vec<u8>) -> Result<Vec<u8>>) -> Result<()> {
    let listed = process::output(Command::new("git").current_dir(repository::root()).args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))?;
    let mut files = BTreeSet::new();
    for file in listed.lines() {
        let from = repository::root().join(file);
        if !from.is_file() {
            continue;
        }
        let context = || format!("cannot copy {}", from.display());
        let bytes = fs::read(&from).with_context(context)?;
        let bytes = rewrite(file, bytes).with_context(context)?;
        let to = root.join(file);
        write(&to, &bytes)?;
        files.insert(to);
    }
    remove_others(root, &files)
}

/// What carries actions out on numbers alone, which is no part of the program.
fn is_of_numbers(file: &str) -> bool {
    ["/values.rs", "/market_pool.rs"]
        .iter()
        .any(|name| file.ends_with(name))
}

/// What a file of the copy holds.
fn rewritten(rewriter: &mut Rewriter, file: &str, bytes: Vec<u8>) -> Result<Vec<u8>> {
    let is_source = |directory: &str| {
        file.starts_with(directory) && file.ends_with(".rs") && !file.ends_with("/tests.rs")
    };
    let is_program = is_source("programs/ballast/src/")
        || is_source("crates/ledger/src/") && !is_of_numbers(file);
    let text = if is_program {
        rewriter.program(file, String::from_utf8(bytes)?)
    } else if is_source("crates/model/src/") {
        rewriter.library(file, String::from_utf8(bytes)?, "ballast_clmm::mutant")
    } else if is_source("crates/clmm/src/") {
        let mut text = rewriter.library(file, String::from_utf8(bytes)?, "crate::mutant");
        if file.ends_with("src/lib.rs") {
            // It calls the runtime.
            text = text.replace("#![forbid(unsafe_code)]", "") + MODULE;
        }
        text
    } else {
        return Ok(bytes);
    };
    Ok(text.into_bytes())
}

/// Writes a file unless it holds that already.
pub fn write(to: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(to).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let context = || format!("cannot write {}", to.display());
    if let Some(directory) = to.parent() {
        fs::create_dir_all(directory).with_context(context)?;
    }
    fs::write(to, bytes).with_context(context)
}

/// Deletes files that an earlier copy had. What was built there stays.
fn remove_others(directory: &Path, files: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target") {
                remove_others(&path, files)?;
            }
        } else if !files.contains(&path) {
            fs::remove_file(&path).with_context(|| format!("cannot delete {}", path.display()))?;
        }
    }
    Ok(())
}
