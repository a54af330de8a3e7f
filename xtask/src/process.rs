//! Child processes.
use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// Variables that `cargo run` sets for us, or the user for the host, and that must not reach another tool chain.
const HOST_ONLY: [&str; 12] = [
    "CARGO",
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_RESOLVER_FEATURE_UNIFICATION",
    "CARGO_TARGET_DIR",
    "CARGO_UNSTABLE_FEATURE_UNIFICATION",
    "LD_LIBRARY_PATH",
    "RUSTC",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTFLAGS",
    "RUSTUP_TOOLCHAIN",
];

/// The cargo that started xtask.
pub fn host_cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(crate::repository::root());
    as_from_a_shell(&mut command);
    command
}

/// Takes away what `cargo run` told xtask about xtask. Some build scripts look at it and would run anew, and all that depends
/// on them, whenever cargo is called by xtask and from a shell in turn.
pub fn as_from_a_shell(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
}

/// `PATH` with the host's tool chain first, so that `cargo` is the cargo that started xtask, without rustup in between.
pub fn host_path() -> Result<OsString> {
    let own = std::env::var_os("CARGO").map(PathBuf::from);
    let own = own.as_deref().and_then(Path::parent).map(Path::to_path_buf);
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(own.into_iter().chain(std::env::split_paths(&path)))
        .context("the directory of cargo has a `:` in its name")
}

/// A program of another tool chain, without the settings of the host's.
pub fn foreign(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for name in HOST_ONLY {
        command.env_remove(name);
    }
    command
}

/// Runs a command with our standard streams; an error when it fails.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", describe(command)))?;
    if !status.success() {
        bail!("{status}: {}", describe(command));
    }
    Ok(())
}

/// What a command prints on standard output; an error with what it printed on standard error when it fails.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot start {}", describe(command)))?;
    if !output.status.success() {
        let messages = String::from_utf8_lossy(&output.stderr);
        bail!(
            "{}: {}\n{}",
            output.status,
            describe(command),
            messages.trim()
        );
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("{} printed no text", describe(command)))
}

/// The full path of a program that the user has installed.
pub fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(program))
        .find(|file| file.is_file())
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
