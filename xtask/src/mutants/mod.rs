//! `cargo xtask mutants`: whether the tests notice when a guard of the on-chain program is gone.
//!
//! Every guard gets a number. The program is built once, from a copy of the sources in which each guard asks whether it is the one
//! that is switched off; which one that is stands in two bytes of the program file. So a mutant costs a patched file and a run
//! of the tests up to the first that fails, not a build.

mod libraries;
mod memory;
mod order;
mod reached;
mod report;
mod rewrite;
mod run;
mod source;
mod tree;
mod trial;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use anyhow::{Context, Result, anyhow, bail};

use crate::{repository, sbf};
use memory::{Memory, Tests};
use rewrite::Site;
use run::{Outcome, Part};

/// How to look for mutants that survive.
#[derive(clap::Args)]
pub struct MutantOptions {
    /// Only guards whose place (`file:line`) or text contains this; of the libraries, changes whose place or words do.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Only every N-th guard, for a sample.
    #[arg(long, value_name = "N", default_value_t = 1)]
    every: usize,
    /// How many at a time.
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,
    /// Go on where an earlier run was interrupted: do not try again a guard whose file has not changed since a test missed it,
    /// nor one that no test missed while these very tests are all that there are. Of the libraries: nothing that is known of these very sources.
    #[arg(long)]
    resume: bool,
    /// List the guards and stop.
    #[arg(long)]
    list: bool,
    /// Write docs/MUTANTS.md.
    #[arg(long)]
    keep: bool,
    /// Instead of guards, try the changes that cargo-mutants lists of the libraries and the strategy's decisions.
    #[arg(long, conflicts_with_all = ["every", "list"])]
    libraries: bool,
    /// Of the libraries, only with the tests of the change's own package: quick, but what survives may be found by others.
    #[arg(long, requires = "libraries")]
    own_tests: bool,
    /// Of the libraries, only what no switch changes and is built one by one: constants.
    #[arg(long, requires = "libraries", conflicts_with = "own_tests")]
    constants: bool,
    /// Try nothing; report what earlier runs found.
    #[arg(long, conflicts_with = "resume")]
    fold: bool,
}

/// Removes one guard after the other and reports which ones no test misses.
pub fn run(options: &MutantOptions) -> Result<()> {
    if options.libraries {
        return libraries(options);
    }
    let tree = tree::Tree::make()?;
    let sites = chosen(&tree.sites, options);
    if options.list {
        for site in &sites {
            println!("{}  {}", site.place(), site.text);
        }
        println!("{} of {} guards", sites.len(), tree.sites.len());
        return Ok(());
    }
    if sites.is_empty() {
        bail!("no guard matches; `--list` shows them");
    }
    let results = if options.fold {
        let (memory, tests) = (Memory::read(), Tests::read()?);
        let known = |site: &Site| Some((site.number, memory.outcome(site, &tests)?));
        sites.iter().filter_map(known).collect()
    } else {
        try_all(&tree, &sites, options)?
    };
    let report = report::Report::new(&sites, results, tree.sites.len());
    print!("{}", report.text());
    if options.keep {
        keep("On-chain program", &report.markdown())?;
    }
    Ok(())
}

/// Builds everything, and tries every guard.
fn try_all(
    tree: &tree::Tree,
    sites: &[Site],
    options: &MutantOptions,
) -> Result<BTreeMap<u16, Outcome>> {
    let compiler = sbf::Compiler::provide()?;
    let bench = run::Bench::build(&compiler, tree)?;
    let search = Search {
        bench,
        resume: options.resume,
        tests: Tests::read()?,
        memory: Mutex::new(Memory::read()),
    };
    let results = search.all(sites, options.jobs.max(1))?;
    for test in search.bench.unsound() {
        eprintln!("xtask: mutants: {test} fails with nothing switched off, and does not count");
    }
    Ok(results)
}

fn libraries(options: &MutantOptions) -> Result<()> {
    let part = libraries::run(options)?;
    println!("{part}");
    if options.keep {
        keep("Libraries", &part)?;
    }
    Ok(())
}

/// Writes one part of the document.
fn keep(heading: &str, part: &str) -> Result<()> {
    let file = repository::root().join(report::FILE);
    let document = std::fs::read_to_string(&file).unwrap_or_default();
    std::fs::write(&file, report::with_part(&document, heading, part))
        .with_context(|| format!("cannot write {}", file.display()))
}

fn chosen(sites: &[Site], options: &MutantOptions) -> Vec<Site> {
    let matches = |site: &&Site| {
        options
            .only
            .as_deref()
            .is_none_or(|text| site.place().contains(text) || site.text.contains(text))
    };
    sites
        .iter()
        .filter(matches)
        .step_by(options.every.max(1))
        .cloned()
        .collect()
}

/// A run over many guards.
struct Search {
    bench: run::Bench,
    resume: bool,
    tests: Tests,
    memory: Mutex<Memory>,
}

impl Search {
    /// Every mutant's outcome, by number: first of those that likely tests miss.
    fn all(&self, sites: &[Site], jobs: usize) -> Result<BTreeMap<u16, Outcome>> {
        let mut results = BTreeMap::new();
        let mut left = Vec::new();
        for site in sites {
            match self.remembered(site)? {
                Some(outcome) => drop(results.insert(site.number, outcome)),
                None => left.push(site),
            }
        }
        for part in [Part::Likely, Part::Rest] {
            eprintln!("xtask: mutants: {} guards, {part:?}", left.len());
            results.extend(self.each(&left, part, jobs)?);
            left.retain(|site| !results.contains_key(&site.number));
        }
        Ok(results)
    }

    /// What is known after one part of the tests, several mutants at a time.
    fn each(&self, sites: &[&Site], part: Part, jobs: usize) -> Result<BTreeMap<u16, Outcome>> {
        let queue = Mutex::new(sites.iter());
        let results = Mutex::new(BTreeMap::new());
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..jobs)
                .map(|worker| {
                    let (queue, results) = (&queue, &results);
                    scope.spawn(move || -> Result<()> {
                        loop {
                            let Some(site) = locked(queue)?.next() else {
                                return Ok(());
                            };
                            if let Some(outcome) = self.one(site, part, worker)? {
                                locked(results)?.insert(site.number, outcome);
                            }
                        }
                    })
                })
                .collect();
            for worker in workers {
                match worker.join() {
                    Ok(done) => done?,
                    Err(_) => bail!("a worker panicked"),
                }
            }
            Ok(())
        })?;
        results
            .into_inner()
            .map_err(|_| anyhow!("a worker panicked"))
    }

    /// One mutant's outcome; none while tests are left that may miss the guard.
    fn one(&self, site: &Site, part: Part, worker: usize) -> Result<Option<Outcome>> {
        let (known, mut secs) = {
            let memory = locked(&self.memory)?;
            (memory.of(site).cloned(), memory.secs.clone())
        };
        let test = match known.as_ref().map(|known| &known.outcome) {
            Some(Outcome::Killed(test)) => Some(test.as_str()),
            _ => None,
        };
        let outcome = self.bench.try_mutant(site, test, part, &mut secs, worker)?;
        if (part, &outcome) == (Part::Likely, &Outcome::Survived) {
            eprintln!("xtask: mutants: {}: not yet found", site.place());
            return Ok(None);
        }
        eprintln!("xtask: mutants: {}: {outcome}", site.place());
        let mut memory = locked(&self.memory)?;
        memory.secs.extend(secs);
        memory.learn(site, outcome.clone(), &self.tests);
        memory.write()?;
        Ok(Some(outcome))
    }

    /// The outcome that an earlier run found, if that may be taken.
    fn remembered(&self, site: &Site) -> Result<Option<Outcome>> {
        if !self.resume {
            return Ok(None);
        }
        Ok(locked(&self.memory)?.outcome(site, &self.tests))
    }
}

fn locked<T>(shared: &Mutex<T>) -> Result<MutexGuard<'_, T>> {
    shared.lock().map_err(|_| anyhow!("a worker panicked"))
}
