//! A copy of the sources with every change behind the switch, and the tests that are built of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::{
    change::Change,
    schema::{self, Schema},
    sources::Sources,
    switch,
};
use crate::{mutants::tree, repository, sbf};

/// The crates that are rewritten: directory, and the switch's module as they see it. The first one holds it.
const REWRITTEN: [(&str, &str); 3] = [
    ("crates/clmm", "crate::mutant"),
    ("crates/model", "ballast_clmm::mutant"),
    ("crates/strategy", "ballast_clmm::mutant"),
];

/// Whose tests are run: packages with what is built of them. Crates that depend on the libraries have tests that see what the
/// libraries' own do not. None depends on a later one.
const TESTED: [(&str, &str, &[&str]); 5] = [
    ("ballast-clmm", "crates/clmm", &["--lib", "--tests"]),
    ("ballast-model", "crates/model", &["--lib", "--tests"]),
    ("ballast-ledger", "crates/ledger", &["--lib", "--tests"]),
    ("ballast", "programs/ballast", &["--lib"]),
    ("ballast-strategy", "crates/strategy", &["--lib", "--tests"]),
];

/// A file with tests, built.
#[derive(Clone, Debug)]
pub struct Binary {
    /// Its name: of a library, or of a file of tests.
    pub name: String,
    pub path: PathBuf,
    /// The package.
    pub package: String,
    /// Where its tests expect to run.
    pub directory: PathBuf,
}

/// See the module's description.
pub struct Build {
    pub binaries: Vec<Binary>,
    /// Changes that do not compile, and those that cannot be put behind a switch.
    pub unviable: BTreeSet<u32>,
    pub alone: BTreeSet<u32>,
}

/// Builds all changes at once, again and again without those that the compiler refuses, and the tests of some packages.
pub fn all(changes: &[Change], sources: &Sources, packages: &BTreeSet<&str>) -> Result<Build> {
    let refused = Refused::of(sources);
    let mut unviable = refused.read(changes);
    loop {
        let schemas = copy(changes, &unviable)?;
        let of = |numbers: fn(&Schema) -> &Vec<u32>| -> BTreeSet<u32> {
            schemas.values().flat_map(numbers).copied().collect()
        };
        unviable.extend(of(|schema| &schema.refused));
        let errors = match compile(packages, None)? {
            Compiled::Tests(binaries) => {
                return Ok(Build {
                    binaries,
                    unviable,
                    alone: of(|schema| &schema.alone),
                });
            }
            Compiled::Errors(errors) => errors,
        };
        let before = unviable.len();
        for error in &errors {
            unviable.extend(error.changes(&schemas));
        }
        refused.write(changes, &unviable)?;
        if unviable.len() == before {
            let texts: Vec<_> = errors.iter().map(|error| error.text.as_str()).collect();
            bail!("no change explains these errors:\n{}", texts.join("\n"));
        }
        eprintln!(
            "xtask: mutants: {} changes do not compile; once more without them",
            unviable.len()
        );
    }
}

/// The changes that no switch makes.
pub fn constants(changes: &[Change]) -> Result<BTreeSet<u32>> {
    let schemas = copy(changes, &BTreeSet::new())?;
    let alone = schemas.values().flat_map(|schema| &schema.alone);
    Ok(alone.copied().collect())
}

/// Parts of a package's tests, those that are built soonest first.
pub const PARTS: [&str; 2] = ["--lib", "--tests"];

/// A part of the tests of one package with one change in its text; none if that does not compile.
pub fn alone(package: &str, change: &Change, part: &str) -> Result<Option<Vec<Binary>>> {
    copy(&[], &BTreeSet::new())?;
    let source = fs::read_to_string(repository::root().join(&change.file))?;
    let file = root().join(&change.file);
    let text = schema::with_change(&source, change)?;
    tree::write(&file, prepared(&change.file, text).as_bytes())?;
    Ok(match compile(&BTreeSet::from([package]), Some(part))? {
        Compiled::Tests(binaries) => Some(binaries),
        Compiled::Errors(_) => None,
    })
}

/// Package of a file.
pub fn package_of(file: &str) -> Option<&'static str> {
    let found = TESTED
        .iter()
        .find(|(_, directory, _)| file.starts_with(&format!("{directory}/")));
    found.map(|(package, _, _)| *package)
}

/// Directory of a package.
pub fn directory_of(package: &str) -> Option<&'static str> {
    let found = TESTED.iter().find(|(name, _, _)| *name == package);
    found.map(|(_, directory, _)| *directory)
}

/// What outcomes depend on.
pub fn sources() -> Result<Sources> {
    Sources::read(
        repository::root(),
        TESTED.map(|(_, directory, _)| directory),
    )
}

/// What the compiler has refused of the same code: that takes a dozen attempts to find out.
struct Refused {
    file: PathBuf,
}

impl Refused {
    fn of(sources: &Sources) -> Self {
        let name = format!("mutants/refused-{}.json", sources.code());
        Self {
            file: repository::build_dir().join(name),
        }
    }

    fn read(&self, changes: &[Change]) -> BTreeSet<u32> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        let keys: BTreeSet<String> = serde_json::from_str(&text).unwrap_or_default();
        let refused = changes.iter().filter(|change| keys.contains(&change.key()));
        refused.map(|change| change.number).collect()
    }

    fn write(&self, changes: &[Change], refused: &BTreeSet<u32>) -> Result<()> {
        let refused = changes
            .iter()
            .filter(|change| refused.contains(&change.number));
        let keys: BTreeSet<_> = refused.map(Change::key).collect();
        tree::write(&self.file, serde_json::to_string_pretty(&keys)?.as_bytes())
    }
}

fn root() -> PathBuf {
    repository::build_dir().join("mutants/libraries-tree")
}

fn copy(changes: &[Change], without: &BTreeSet<u32>) -> Result<BTreeMap<String, Schema>> {
    let mut by_file: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    for change in changes
        .iter()
        .filter(|change| !without.contains(&change.number))
    {
        by_file.entry(&change.file).or_default().push(change);
    }
    let mut schemas = BTreeMap::new();
    tree::copy(&root(), |file, bytes| {
        let is_rewritten =
            |(directory, _): &&(&str, &str)| file.starts_with(&format!("{directory}/src/"));
        let Some((_, module)) = REWRITTEN.iter().find(is_rewritten) else {
            return Ok(bytes);
        };
        let text = String::from_utf8(bytes)?;
        let mut schema = match by_file.remove(file) {
            Some(changes) => schema::rewrite(&text, &changes, module)?,
            None => Schema {
                text,
                ..Schema::default()
            },
        };
        schema.text = prepared(file, schema.text);
        if file.ends_with("src/lib.rs") {
            let moved = switch::ATTRIBUTES.len();
            for (range, _) in &mut schema.pieces {
                *range = range.start + moved..range.end + moved;
            }
        }
        let bytes = schema.text.clone().into_bytes();
        schemas.insert(file.to_owned(), schema);
        Ok(bytes)
    })?;
    match by_file.into_keys().next() {
        Some(file) => bail!("{file} is not among the crates that are rewritten"),
        None => Ok(schemas),
    }
}

/// A rewritten file with what its crate needs.
fn prepared(file: &str, text: String) -> String {
    if !file.ends_with("src/lib.rs") {
        return text;
    }
    let mut text = format!("{}{text}", switch::ATTRIBUTES);
    if file.starts_with(REWRITTEN[0].0) {
        text.push_str(switch::MODULE);
    }
    text
}

/// What came of compiling.
enum Compiled {
    Tests(Vec<Binary>),
    Errors(Vec<Error>),
}

/// An error of the compiler.
struct Error {
    text: String,
    /// Files and positions, the likeliest first.
    places: Vec<(String, usize)>,
}

impl Error {
    /// The changes in whose code it is.
    fn changes(&self, schemas: &BTreeMap<String, Schema>) -> BTreeSet<u32> {
        for (file, at) in &self.places {
            let Some(schema) = schemas.get(file) else {
                continue;
            };
            let pieces = schema.pieces.iter();
            let found: BTreeSet<_> = pieces
                .filter(|(range, _)| range.start <= *at && *at <= range.end)
                .map(|(_, number)| *number)
                .collect();
            if !found.is_empty() {
                return found;
            }
        }
        BTreeSet::new()
    }
}

/// Compiles the tests of some packages; a part of them quickly if they are to run once.
fn compile(packages: &BTreeSet<&str>, once: Option<&str>) -> Result<Compiled> {
    let wrapper = wrapper()?;
    let mut binaries = Vec::new();
    for (package, directory, what) in TESTED {
        if !packages.contains(package) {
            continue;
        }
        let mut command = sbf::host_cargo();
        command
            .current_dir(root())
            // To cargo, a copy's packages are the same as the repository's.
            .env(
                "CARGO_TARGET_DIR",
                repository::build_dir().join("mutants/libraries-build"),
            )
            .env("RUSTC_WORKSPACE_WRAPPER", &wrapper)
            .args([
                "test",
                "--no-run",
                "--no-fail-fast",
                "--message-format=json",
                "--package",
                package,
            ])
            .args(once.map_or(what.to_vec(), |part| vec![part]));
        if once.is_some() {
            for package in ["ballast-clmm", "ballast-model"] {
                command.arg(format!(
                    "--config=profile.dev.package.{package}.opt-level=1"
                ));
            }
        }
        let output = command
            .stderr(Stdio::inherit())
            .output()
            .context("cannot start cargo")?;
        let messages: Vec<Value> = String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        if !output.status.success() {
            let errors: Vec<_> = messages.iter().filter_map(error).collect();
            ensure!(
                !errors.is_empty(),
                "cargo test --package {package}: {}",
                output.status
            );
            return Ok(Compiled::Errors(errors));
        }
        let executables = messages.iter().filter_map(|message| {
            message["profile"]["test"].as_bool().filter(|test| *test)?;
            Some(Binary {
                name: message["target"]["name"].as_str()?.to_owned(),
                package: package.to_owned(),
                path: message["executable"].as_str()?.into(),
                directory: root().join(directory),
            })
        });
        binaries.extend(executables);
    }
    Ok(Compiled::Tests(binaries))
}

/// A compiler that lets our crates, and only those, use what the switch needs. Were all told, all would be compiled anew.
fn wrapper() -> Result<PathBuf> {
    let file = repository::build_dir().join("mutants/rustc.sh");
    tree::write(&file, b"#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec \"$@\"\n")?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("cannot make {} executable", file.display()))?;
    Ok(file)
}

fn error(message: &Value) -> Option<Error> {
    let message = &message["message"];
    (message["level"].as_str()? == "error").then_some(())?;
    let mut spans = Vec::new();
    spans_of(message, &mut spans);
    Some(Error {
        text: message["rendered"].as_str().unwrap_or_default().to_owned(),
        places: spans,
    })
}

/// Where a message points to: its main places first, then the others.
fn spans_of(message: &Value, places: &mut Vec<(String, usize)>) {
    let spans = || message["spans"].as_array().into_iter().flatten();
    for primary in [true, false] {
        for span in spans().filter(|span| span["is_primary"] == primary) {
            let at = span["byte_start"]
                .as_u64()
                .and_then(|at| usize::try_from(at).ok());
            if let (Some(file), Some(at)) = (span["file_name"].as_str(), at) {
                places.push((file.to_owned(), at));
            }
        }
    }
}

/// The tests in a file.
pub fn names(binary: &Path) -> Result<Vec<String>> {
    let list = crate::process::output(Command::new(binary).args(["--list", "--format", "terse"]))?;
    let names = list.lines().filter_map(|line| line.strip_suffix(": test"));
    Ok(names.map(str::to_owned).collect())
}
