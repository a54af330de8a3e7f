//! `ballast stress`: what a bad day does to a book, or to a market as it is now.

mod live;
mod out;
mod report;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use ballast_simulator::world::{
    AtRisk, Parts, Scenario,
    book::{Book, Rules},
    run_many,
};
use ballast_strategy::situation::Economics;
use clap::Args;

use super::simulate::keeper::economics;
use crate::{
    globals::Globals,
    market_rules::RulesArgs,
    policy::default_policy,
    progress::count_bar,
    report::{Output, note},
    study::Study,
    trouble::{Misuse, misuse},
};
use live::LiveArgs;
use report::{Listed, Played, Shown, StressReports};

/// Which scenarios, and to whom they happen.
#[derive(Args, Debug)]
pub struct StressArgs {
    /// Built-in scenarios; none: all of them
    #[arg(value_name = "SCENARIO")]
    pub names: Vec<String>,
    /// A scenario of one's own, as TOML; may be given several times
    #[arg(long, value_name = "FILE")]
    pub scenario: Vec<PathBuf>,
    /// A book: pool, reserves, lenders and positions, as TOML, or as JSON if its name ends so; without it and without --live, the one
    /// that is built in
    #[arg(long, value_name = "FILE", conflicts_with_all = ["live", "accounts"])]
    pub book: Option<PathBuf>,
    #[command(flatten)]
    pub rules: RulesArgs,
    #[command(flatten)]
    pub live: LiveArgs,
    /// A keeper's configuration as it runs with it: what it takes recentering and compounding to be worth
    #[arg(long, value_name = "FILE")]
    pub keeper: Option<PathBuf>,
    /// Seed of the price's noise, of takers, and of what does not land
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Play each scenario with so many seeds, and say how bad debt is spread: what 95 % do not exceed takes twenty seeds at least, 99 % a
    /// hundred
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub seeds: u64,
    /// Everything in a directory: run.json, summary.json, pictures as SVG, and report.html; with --live also accounts.json, the accounts that were
    /// read, with which --accounts plays it again
    #[arg(long, value_name = "DIR", conflicts_with_all = ["list", "show"])]
    pub out: Option<PathBuf>,
    /// Say which scenarios are built in
    #[arg(long)]
    pub list: bool,
    /// Show the file of a built-in scenario, or `book`
    #[arg(long, value_name = "NAME", conflicts_with = "list")]
    pub show: Option<String>,
}

/// Plays, and prints.
///
/// # Errors
/// Files that cannot be read or make no sense; a market that cannot be read.
pub fn run(args: &StressArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    if let Some(name) = &args.show {
        let text = if name == "book" {
            Some(Book::example())
        } else {
            Scenario::text(name)
        };
        let text = text.ok_or_else(|| unknown(name))?;
        return output.print(&Shown { text });
    }
    if args.list {
        return output.print(&Listed::new(scenarios(args)?));
    }
    let scenarios = scenarios(args)?;
    let mut study = args.out.as_deref().map(Study::create).transpose()?;
    let economics = match &args.keeper {
        Some(path) => economics(path)?,
        None => Economics::default(),
    };
    let is_market = args.live.is_market();
    ensure!(
        is_market || args.live.perp_size.is_none(),
        misuse!(
            "--perp-size is of a market that was read: add --live or --accounts, or a table [perp] to the book"
        )
    );
    let parts = if is_market {
        let (parts, accounts) = live::parts(&args.live, globals, economics)?;
        if let (Some(study), true) = (&mut study, args.live.live) {
            study.write("accounts.json", &accounts)?;
        }
        parts
    } else {
        book(args.book.as_deref(), economics, &args.rules)?
    };
    if parts.perp.is_none() {
        for scenario in scenarios
            .iter()
            .filter(|scenario| scenario.moves_the_venue())
        {
            note(format_args!(
                "{}: funding and price of the perp venue move, but nothing is held there, so they touch nobody: {}",
                scenario.name,
                if is_market {
                    "say what is with --perp-size and --perp-margin"
                } else {
                    "add a table [perp] to the book"
                }
            ));
        }
    }
    let bar = count_bar(scenarios.len() as u64 * args.seeds * 2, "runs");
    let mut played = Vec::with_capacity(scenarios.len());
    for scenario in scenarios {
        let run = |keepers| {
            let seeds = (args.seed, args.seeds);
            run_many(&parts, &scenario, seeds, keepers, || bar.inc(1))
                .with_context(|| format!("scenario {}", scenario.name))
        };
        let (with, without) = (run(true)?, run(false)?);
        played.push(Played::new(
            &scenario,
            [AtRisk::of(&with), AtRisk::of(&without)],
            [with, without].map(|mut reports| reports.swap_remove(0)),
        ));
    }
    bar.finish_and_clear();
    let report = StressReports {
        limits: if is_market {
            "the market".into()
        } else {
            args.rules.named()
        },
        seed: args.seed,
        seeds: args.seeds,
        scenarios: played,
    };
    if let Some(mut study) = study {
        out::write(&mut study, &report)?;
        study.finish(&globals.invocation, &out::inputs(args), &report)?;
    }
    output.print(&report)
}

fn unknown(name: &str) -> Misuse {
    let names: Vec<_> = Scenario::names().collect();
    misuse!(
        "no scenario {name}: name one of {}, or a file of one's own with --scenario",
        names.join(", ")
    )
}

fn scenarios(args: &StressArgs) -> Result<Vec<Scenario>> {
    let mut scenarios = Vec::new();
    let all = args.names.is_empty() && args.scenario.is_empty();
    let names: Vec<&str> = if all {
        Scenario::names().collect()
    } else {
        args.names.iter().map(String::as_str).collect()
    };
    for name in names {
        let text = Scenario::text(name).ok_or_else(|| unknown(name))?;
        scenarios.push(Scenario::parse(text).with_context(|| format!("scenario {name}"))?);
    }
    for path in &args.scenario {
        let text = read("--scenario", path)?;
        let scenario = Scenario::parse(&text);
        scenarios.push(scenario.with_context(|| format!("--scenario {}", path.display()))?);
    }
    Ok(scenarios)
}

fn read(option: &str, path: &Path) -> Result<String> {
    fs::read_to_string(path)
        .with_context(|| format!("cannot read {option} {}: check the path", path.display()))
}

fn book(path: Option<&Path>, economics: Economics, rules: &RulesArgs) -> Result<Parts> {
    let (text, named) = match path {
        Some(path) => (read("--book", path)?, format!("--book {}", path.display())),
        None => (Book::example().to_owned(), "built-in book".to_owned()),
    };
    let is_json = path.is_some_and(|path| path.extension().is_some_and(|end| end == "json"));
    let book: Book = if is_json {
        serde_json::from_str(&text).with_context(|| named.clone())?
    } else {
        Book::parse(&text).with_context(|| named.clone())?
    };
    if book.positions.is_empty() {
        bail!("{named}: no positions: add a table [[positions]]");
    }
    let rules = rules.desired()?;
    let params = rules.market_params();
    let rules = Rules {
        policy: default_policy(&params.limits, book.pool.fee_ppm),
        safety: rules.safety.into(),
        params,
        economics,
    };
    book.open(&rules).with_context(|| named)
}
