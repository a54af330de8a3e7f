//! Anchor's command line in this checkout: what it gets when it asks cargo for a program, and that Anchor.toml says what is so.
//!
//! `anchor build` calls `cargo build-sbf` in the program's directory. That is an alias of `cargo xtask build-sbf` here, so that a
//! program has the same bytes whoever asks for it, and is built where Anza's tools are not installed.
use std::{env, fs, path::Path};

use anyhow::{Context, Result, bail};
use clap::{Args, Command};
use toml::{Table, Value};

use crate::{
    keys, printed,
    repository::{self, PROGRAMS, Program},
    sbf,
};

const ANCHOR: &str = "Anchor.toml";
const WORKSPACE: &str = "Cargo.toml";
const ALIASES: &str = ".cargo/config.toml";
/// In front of the task in an alias.
const RUN: &str = "run --package xtask -- ";

/// What Anchor says to `cargo build-sbf`. Options that would change the program are not taken.
#[derive(Args)]
pub struct BuildSbf {
    /// Version of Anza's tools; those of `cargo xtask build` are used in any case.
    #[arg(long, value_name = "VERSION")]
    tools_version: Option<String>,
    /// Version of the instruction set.
    #[arg(long, default_value = "v3", value_parser = ["v3"])]
    arch: String,
}

/// Builds the program of the current directory, in the root all of them, and puts it where Anchor looks: into cargo's target
/// directory, which need not be the checkout's.
pub fn build_sbf(options: &BuildSbf) -> Result<()> {
    let here = env::current_dir().context("the current directory is gone")?;
    let programs = programs_in(&here)?;
    if let Some(version) = &options.tools_version {
        eprintln!(
            "xtask: built as `cargo xtask build` does, for {}; tools {version} are not asked for",
            options.arch
        );
    }
    let built = sbf::build(&sbf::Compiler::provide()?, &programs)?;
    let (own, anchors) = (
        repository::deploy_dir(),
        repository::build_dir().join("deploy"),
    );
    if own == anchors {
        return Ok(());
    }
    fs::create_dir_all(&anchors).with_context(|| format!("cannot create {}", anchors.display()))?;
    for one in built {
        let name = format!("{}.so", one.program.library);
        fs::copy(own.join(&name), anchors.join(&name))
            .with_context(|| format!("cannot copy {name} to {}", anchors.display()))?;
    }
    Ok(())
}

fn programs_in(directory: &Path) -> Result<Vec<Program>> {
    let real = |path: &Path| {
        path.canonicalize()
            .with_context(|| format!("cannot find {}", path.display()))
    };
    let (root, directory) = (real(repository::root())?, real(directory)?);
    if directory == root {
        return Ok(PROGRAMS.to_vec());
    }
    let of = |program: &&Program| directory.starts_with(root.join(program.directory));
    match PROGRAMS.iter().find(of) {
        Some(program) => Ok(vec![*program]),
        None => bail!(
            "{} is no program's directory; those are: {}",
            directory.display(),
            PROGRAMS.map(|program| program.directory).join(", ")
        ),
    }
}

/// What Anchor.toml says that is not so. `own` is the command line of `cargo xtask`.
///
/// # Errors
/// If a file cannot be read.
pub fn faults(own: &Command) -> Result<Vec<String>> {
    let text =
        |name: &str| fs::read_to_string(repository::root().join(name)).context(name.to_owned());
    let table = |name: &str| text(name)?.parse::<Table>().context(name.to_owned());
    let program = text(keys::PROGRAM)?;
    let (anchor, aliases) = (table(ANCHOR)?, table(ALIASES)?);
    let mut faults = address_faults(&anchor, keys::declared(&program)?);
    faults.extend(version_fault(&anchor, &table(WORKSPACE)?));
    faults.extend(command_faults(&anchor, &aliases, own));
    Ok(faults)
}

/// Addresses other than the program's own, which `anchor deploy` and clients would use.
fn address_faults(anchor: &Table, declared: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let clusters = anchor.get("programs").and_then(Value::as_table);
    if clusters.is_none_or(Table::is_empty) {
        faults.push(format!("{ANCHOR}: there is no [programs.localnet]"));
    }
    for (cluster, programs) in clusters.into_iter().flatten() {
        let address = programs.get("ballast").and_then(Value::as_str);
        if address != Some(declared) {
            faults.push(format!(
                "{ANCHOR}: [programs.{cluster}] has ballast at {}, the program says {declared}: run `cargo xtask keys`",
                address.unwrap_or("no address")
            ));
        }
    }
    faults
}

/// Anchor's command line installs and starts the version that is named; it has to be the program's.
fn version_fault(anchor: &Table, workspace: &Table) -> Option<String> {
    let named = text(anchor, &["toolchain", "anchor_version"]);
    let used = text(workspace, &["workspace", "dependencies", "anchor-lang"]);
    let used = used.map(|version| version.trim_start_matches('='));
    (named.is_none() || named != used).then(|| {
        format!(
            "{ANCHOR}: anchor_version is {}, the program is built with {}",
            named.unwrap_or("missing"),
            used.unwrap_or("none")
        )
    })
}

/// Scripts that call no task of `cargo xtask`, and `cargo build-sbf` if it is not ours.
fn command_faults(anchor: &Table, aliases: &Table, own: &Command) -> Vec<String> {
    let mut faults = Vec::new();
    let scripts = anchor.get("scripts").and_then(Value::as_table);
    if scripts.is_none_or(|scripts| !scripts.contains_key("test")) {
        faults.push(format!("{ANCHOR}: `anchor test` has no script `test`"));
    }
    for (name, script) in scripts.into_iter().flatten() {
        let script = script.as_str().unwrap_or_default();
        let called = printed::commands(&format!("`{script}`"), "cargo xtask");
        let wrong = match called.first() {
            Some(command) => printed::fault(own, command),
            None => Some(format!("{script:?} is no `cargo xtask` command")),
        };
        faults.extend(wrong.map(|wrong| format!("{ANCHOR}: script {name}: {wrong}")));
    }
    let alias = text(aliases, &["alias", "build-sbf"]);
    let task = alias.and_then(|alias| alias.strip_prefix(RUN));
    if task.is_none_or(|task| own.find_subcommand(task).is_none()) {
        faults.push(format!(
            "{ALIASES}: build-sbf has to be \"{RUN}build-sbf\", or `anchor build` builds with other tools or none"
        ));
    }
    faults
}

fn text<'a>(table: &'a Table, path: &[&str]) -> Option<&'a str> {
    let (first, rest) = path.split_first()?;
    rest.iter()
        .try_fold(table.get(*first)?, |value, name| value.get(name))?
        .as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        text.parse().unwrap()
    }

    fn xtask() -> Command {
        Command::new("cargo xtask")
            .subcommand(
                Command::new("test").arg(clap::Arg::new("no-validator").long("no-validator")),
            )
            .subcommand(Command::new("build-sbf"))
    }

    #[test]
    fn a_program_is_found_by_its_directory_and_all_of_them_in_the_root() {
        let root = repository::root();
        let found = |path: &str| {
            let programs = programs_in(&root.join(path)).unwrap();
            programs
                .iter()
                .map(|program| program.package)
                .collect::<Vec<_>>()
        };
        assert_eq!(found("programs/ballast"), ["ballast"]);
        assert_eq!(found("programs/ballast/src"), ["ballast"]);
        assert_eq!(found("programs/localnet/pyth"), ["localnet-pyth"]);
        assert_eq!(found("").len(), PROGRAMS.len());
        let error = programs_in(&root.join("crates")).unwrap_err().to_string();
        assert!(error.contains("programs/ballast"), "{error}");
    }

    #[test]
    fn another_address_than_the_programs_is_a_fault() {
        let anchor =
            table("[programs.localnet]\nballast = \"A\"\n[programs.devnet]\nballast = \"B\"");
        let faults = address_faults(&anchor, "A");
        assert_eq!(faults.len(), 1);
        assert!(faults[0].contains("[programs.devnet]"), "{faults:?}");
        assert_eq!(address_faults(&table(""), "A").len(), 1);
        assert_eq!(
            address_faults(&table("[programs.devnet]\nother = \"A\""), "A").len(),
            1
        );
    }

    #[test]
    fn another_version_than_the_programs_is_a_fault() {
        let uses = table("[workspace.dependencies]\nanchor-lang = \"=1.2.2\"");
        let says = |version: &str| table(&format!("[toolchain]\nanchor_version = \"{version}\""));
        assert_eq!(version_fault(&says("1.2.2"), &uses), None);
        assert!(version_fault(&says("1.2.1"), &uses).is_some());
        assert!(version_fault(&table(""), &uses).is_some());
        assert!(version_fault(&table(""), &table("")).is_some());
    }

    #[test]
    fn a_script_that_calls_nothing_is_a_fault_and_so_is_another_build_sbf() {
        let good = table(
            "[scripts]\ntest = \"cargo xtask test\"\nquick = \"cargo xtask test --no-validator\"",
        );
        let alias = table("[alias]\nbuild-sbf = \"run --package xtask -- build-sbf\"");
        assert_eq!(command_faults(&good, &alias, &xtask()), [""; 0]);
        for bad in [
            "[scripts]\nquick = \"cargo xtask test\"",
            "[scripts]\ntest = \"cargo xtask tset\"",
            "[scripts]\ntest = \"cargo xtask test --no-such\"",
            "[scripts]\ntest = \"yarn mocha\"",
        ] {
            assert_eq!(
                command_faults(&table(bad), &alias, &xtask()).len(),
                1,
                "{bad}"
            );
        }
        for bad in [
            "",
            "[alias]\nbuild-sbf = \"build\"",
            "[alias]\nbuild-sbf = \"run --package xtask -- buildsbf\"",
        ] {
            assert_eq!(
                command_faults(&good, &table(bad), &xtask()).len(),
                1,
                "{bad}"
            );
        }
    }
}
