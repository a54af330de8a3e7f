//! `cargo xtask mutants --libraries`: the same question for the libraries and the strategy's decisions.
//!
//! cargo-mutants lists changes of what functions return and how they compute. All of them are built at once, each behind a switch
//! that the environment sets; so a change costs a run of the tests that reach it, up to the first that fails, not a build.
//! What a switch cannot change, constants and what runs while they are compiled, is built one by one.

mod build;
mod change;
mod found;
mod hunt;
mod report;
mod schema;
mod sources;
mod switch;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Mutex,
};

use anyhow::{Context, Result, bail};

use super::{MutantOptions, locked, report::explained_changes};
use crate::repository;
use change::Change;
use found::{Fate, Found};
use hunt::Hunt;
use sources::Sources;

/// What is changed: a name, and how cargo-mutants is told.
const LIBRARIES: [(&str, &[&str]); 3] = [
    ("crates/clmm", &["--package", "ballast-clmm"]),
    ("crates/model", &["--package", "ballast-model"]),
    (
        "crates/strategy/src/decide",
        &[
            "--package",
            "ballast-strategy",
            "--file",
            "crates/strategy/src/decide/**",
        ],
    ),
];

/// After so many changes what was found is kept, should the run be interrupted.
const KEPT_EVERY: u32 = 32;

/// A library with its changes.
type Library = (&'static str, Vec<Change>);

fn list() -> Result<Vec<Library>> {
    let mut libraries = Vec::new();
    let mut first = 0;
    for (name, selection) in LIBRARIES {
        let changes = change::list(selection, first)?;
        first += u32::try_from(changes.len()).context("more changes than numbers")?;
        libraries.push((name, changes));
    }
    Ok(libraries)
}

/// Tries the changes whose file or words contain what was asked for, unless earlier results are all that is wanted, and answers
/// the document's part.
pub fn run(options: &MutantOptions) -> Result<String> {
    let libraries = list()?;
    if !options.fold {
        let all: Vec<_> = libraries
            .iter()
            .flat_map(|(_, changes)| changes)
            .cloned()
            .collect();
        search(&all, options)?;
    }
    let (found, sources) = (Found::read(), build::sources()?);
    for key in report::needless(explained_changes(), &libraries, &found, &sources) {
        eprintln!("xtask: mutants: explained, but no survivor: {key}");
    }
    Ok(report::markdown(&libraries, &found, &sources))
}

fn search(all: &[Change], options: &MutantOptions) -> Result<()> {
    let (sources, mut found) = (build::sources()?, Found::read());
    let chosen: Vec<_> = all
        .iter()
        .filter(|change| {
            let only = options.only.as_deref();
            only.is_none_or(|only| change.place().contains(only) || change.key().contains(only))
        })
        .filter(|change| !(options.resume && found.fate(&change.key(), &sources).is_some()))
        .collect();
    if chosen.is_empty() {
        return Ok(());
    }
    let scratch = repository::build_dir().join("mutants");
    fs::create_dir_all(&scratch).with_context(|| format!("cannot create {}", scratch.display()))?;
    if options.constants {
        let alone = build::constants(all)?;
        let chosen = chosen.into_iter();
        let chosen = chosen.filter(|change| alone.contains(&change.number));
        return try_alone(
            &chosen.collect::<Vec<_>>(),
            &scratch,
            &sources,
            &Mutex::new(found),
        );
    }
    let mut packages = BTreeSet::new();
    for package in chosen
        .iter()
        .filter_map(|change| build::package_of(&change.file))
    {
        if options.own_tests {
            packages.insert(package);
        } else {
            packages.extend(hunt::asked(package));
        }
    }
    let build = build::all(all, &sources, &packages)?;
    let hunt = Hunt::trace(&build.binaries, &scratch, &sources, options.jobs.max(1))?;
    eprintln!(
        "xtask: mutants: {} changes, {} tests",
        chosen.len(),
        hunt.len()
    );
    let (mut queue, mut alone) = (Vec::new(), Vec::new());
    for change in chosen {
        if build.unviable.contains(&change.number) {
            found.learn(change.key(), Fate::Unviable, &sources);
        } else if build.alone.contains(&change.number) {
            alone.push(change);
        } else {
            queue.push(change);
        }
    }
    let found = Mutex::new(found);
    let left = Mutex::new(queue.iter());
    // What runs while it is compiled, no test is seen to reach.
    let unreached = Mutex::new(Vec::new());
    let worker = || -> Result<()> {
        for tried in 1.. {
            let Some(change) = locked(&left)?.next() else {
                break;
            };
            let known = locked(&found)?.known_by(&change.key()).map(str::to_owned);
            if !hunt.is_reached(change.number) {
                locked(&unreached)?.push(*change);
                continue;
            }
            let fate = hunt.try_change(change, known.as_deref())?;
            // Other packages' tests may still miss it.
            if fate.by().is_some() || !options.own_tests {
                learn(&found, change, fate, &sources)?;
            }
            if tried % KEPT_EVERY == 0 {
                locked(&found)?.write()?;
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..options.jobs.max(1))
            .map(|_| scope.spawn(worker))
            .collect();
        for worker in workers {
            match worker.join() {
                Ok(done) => done?,
                Err(_) => bail!("a worker panicked"),
            }
        }
        Ok(())
    })?;
    locked(&found)?.write()?;
    if options.own_tests {
        return Ok(());
    }
    alone.extend(locked(&unreached)?.drain(..));
    try_alone(&alone, &scratch, &sources, &found)
}

/// Tries changes that no switch makes, one build each.
fn try_alone(
    alone: &[&Change],
    scratch: &Path,
    sources: &Sources,
    found: &Mutex<Found>,
) -> Result<()> {
    eprintln!(
        "xtask: mutants: {} changes are built one by one",
        alone.len()
    );
    let secs = hunt::secs(scratch);
    for change in alone {
        let package = build::package_of(&change.file);
        let package = package.with_context(|| format!("whose is {}?", change.file))?;
        let known = locked(found)?.known_by(&change.key()).map(str::to_owned);
        let fate = alone_fate(package, change, known.as_deref(), &secs)?;
        learn(found, change, fate, sources)?;
        locked(found)?.write()?;
    }
    Ok(())
}

/// What becomes of a change that is built alone.
fn alone_fate(
    package: &str,
    change: &Change,
    known: Option<&str>,
    secs: &BTreeMap<String, f64>,
) -> Result<Fate> {
    for part in build::PARTS {
        let Some(binaries) = build::alone(package, change, part)? else {
            return Ok(Fate::Unviable);
        };
        let fate = Hunt::untraced(&binaries)?
            .with_secs(secs)
            .try_change(change, known)?;
        if fate.by().is_some() {
            return Ok(fate);
        }
    }
    Ok(Fate::Survived)
}

fn learn(found: &Mutex<Found>, change: &Change, fate: Fate, sources: &Sources) -> Result<()> {
    if fate.by().is_none() {
        eprintln!(
            "xtask: mutants: {}: {}: {fate}",
            change.place(),
            change.what
        );
    }
    locked(found)?.learn(change.key(), fate, sources);
    Ok(())
}
