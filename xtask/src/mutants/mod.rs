//! `cargo xtask mutants`: whether the tests notice when a guard of the on-chain program is gone.
//!
//! Every guard gets a number. The program is built once, from a copy of the sources in which each guard asks whether it is the one
//! that is switched off; which one that is stands in two bytes of the program file. So a mutant costs a patched file and a run
//! of the tests up to the first that fails, not a build.

mod report;
mod rewrite;
mod run;
mod source;
mod tree;

use std::{collections::BTreeMap, sync::Mutex};

use anyhow::{Context, Result, bail};

use crate::{repository, sbf};
use rewrite::Site;
use run::Outcome;

/// How to look for mutants that survive.
#[derive(clap::Args)]
pub struct MutantOptions {
    /// Only guards whose place (`file:line`) or text contains this.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Only every N-th guard, for a sample.
    #[arg(long, value_name = "N", default_value_t = 1)]
    every: usize,
    /// How many at a time.
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,
    /// List the guards and stop.
    #[arg(long)]
    list: bool,
    /// Write docs/MUTANTS.md.
    #[arg(long)]
    keep: bool,
}

/// Removes one guard after the other and reports which ones no test misses.
pub fn run(options: &MutantOptions) -> Result<()> {
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
    let compiler = sbf::Compiler::provide()?;
    let bench = run::Bench::build(&compiler, &tree)?;
    eprintln!("xtask: mutants: without any, the tests pass?");
    if let Outcome::Killed(test) = bench.try_mutant(None, 0)? {
        bail!("{test} fails although nothing was switched off");
    }
    let results = try_all(&bench, &sites, options.jobs.max(1))?;
    let report = report::Report::new(&sites, results, tree.sites.len());
    print!("{}", report.text());
    if options.keep {
        let file = repository::root().join(report::FILE);
        std::fs::write(&file, report.markdown())
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
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

/// Every mutant's outcome, by number, several at a time.
fn try_all(bench: &run::Bench, sites: &[Site], jobs: usize) -> Result<BTreeMap<u16, Outcome>> {
    let queue = Mutex::new(sites.iter());
    let results = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs)
            .map(|worker| {
                let (queue, results) = (&queue, &results);
                scope.spawn(move || -> Result<()> {
                    loop {
                        let site = match queue.lock() {
                            Ok(mut queue) => queue.next(),
                            Err(_) => None,
                        };
                        let Some(site) = site else {
                            return Ok(());
                        };
                        let outcome = bench.try_mutant(Some(site.number), worker)?;
                        eprintln!("xtask: mutants: {}: {outcome}", site.place());
                        if let Ok(mut results) = results.lock() {
                            results.insert(site.number, outcome);
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
        .map_err(|_| anyhow::anyhow!("a worker panicked"))
}
