//! Interface descriptions in Anchor's format, made on the host by Anchor's own code.
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::SystemTime,
};

use anchor_lang_idl::build::IdlBuilder;
use anyhow::{Context, Result};

use crate::{
    process,
    repository::{self, Program},
    sbf::Built,
};

/// Describes programs in `target/idl`. A description is made anew when it is older than its program.
pub fn build(programs: &[Built]) -> Result<()> {
    let directory = repository::idl_dir();
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot create {}", directory.display()))?;
    for Built { program, artifact } in programs {
        let file = directory.join(format!("{}.json", program.library));
        if modified(&file) > modified(artifact) {
            continue;
        }
        let text = in_child(*program)?;
        let partial = file.with_extension("partial");
        fs::write(&partial, text).with_context(|| format!("cannot write {}", partial.display()))?;
        fs::rename(&partial, &file).with_context(|| format!("cannot write {}", file.display()))?;
        eprintln!("xtask: {}", file.display());
    }
    Ok(())
}

/// Runs `describe` in a process of its own, because what anchor-lang-idl makes of the environment is not what we want.
fn in_child(program: Program) -> Result<String> {
    let xtask = std::env::current_exe().context("cannot find the running program")?;
    let mut command = Command::new(xtask);
    process::as_from_a_shell(&mut command);
    command
        .args(["describe", program.package])
        .env(repository::ROOT_VARIABLE, repository::root())
        // Version 0.1.4 misreads the variable, and calls whatever `cargo` comes first: let that be ours.
        .env_remove("RUSTUP_TOOLCHAIN")
        .env("PATH", process::host_path()?)
        // It sets RUSTFLAGS, for which cargo would compile every dependency once more; this variable goes first.
        .env("CARGO_ENCODED_RUSTFLAGS", "")
        .stderr(Stdio::inherit());
    process::output(&mut command)
}

/// Prints the description of a program: the work of the hidden task `describe`.
pub fn describe(program: Program) -> Result<()> {
    let idl = IdlBuilder::new()
        .program_path(repository::root().join(program.directory))
        .cargo_args(vec!["--lib".into()])
        .build()
        .with_context(|| format!("cannot describe the interface of {}", program.package))?;
    println!("{}", serde_json::to_string_pretty(&idl)?);
    Ok(())
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|data| data.modified()).ok()
}
