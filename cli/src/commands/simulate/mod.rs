//! `ballast simulate`: what keeping a position earns and costs, and how it can end, over many paths. Offline.

pub mod conditions;
mod fees;
pub mod keeper;
pub mod lag;
pub mod model;
pub mod model_file;
mod out;
mod parts;
mod perp;
mod pictures;
pub mod pool;
mod record;
mod report;
mod rows;
pub mod scenario;
pub mod strategy;
mod watch;
pub mod world;

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use anyhow::Result;
use ballast_model::Boundaries;
use ballast_simulator::{
    Controlled, ControlledMean, Lag, PriceModel, Replayed, Summary, Terms, Watch, replay, simulate,
};
use clap::Args;
use indicatif::ProgressBar;

use crate::{
    decimal::Ratio,
    progress::count_bar,
    report::Output,
    study::{Invocation, Study},
};
use conditions::ConditionsReport;
use model::ModelArgs;
pub use parts::{Chance, Distribution};
use parts::{ClosedForm, Exits};
use report::SimulationReport;
use rows::{Format, Rows};
use scenario::{ScenarioArgs, Shape, ShapeArgs};
use strategy::Strategy;
use watch::WatchedPrices;

/// Standard errors within which 95 % of normal numbers lie.
const CONFIDENCE: f64 = 1.96;
/// With fewer paths their spread itself is not known.
const LEAST_PATHS: u64 = 1_000;
/// How often it is asked whether the mean is known: finding out takes a while.
const ASK_EVERY: u64 = 100;

/// What to simulate.
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
pub struct SimulateArgs {
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    #[command(flatten)]
    pub shape: ShapeArgs,
    /// Who acts: hold (nobody), unhedged (nobody, and nothing borrowed in base), continuous (the hedge is exact at every look,
    /// for nothing), band:30% (a keeper's rehedges alone, where the hedge is off by that part of all the base the position can hold: it
    /// never deleverages, recenters or compounds, and has no rules of when it may act), keeper (what `ballast keeper run` decides, with
    /// a new position's policy), keeper:FILE (the same with its configuration and, beside it, tables `policy` and `owner`: of the
    /// owner's, min_equity with at_floor, window_low with at_low and window_high with at_high are in whole tokens and say hold, exit,
    /// exit-base or exit-quote; an exit that has to swap needs max_exit_loss_bps)
    #[arg(long)]
    pub strategy: Strategy,
    /// Another strategy, on the same prices: what is the difference?
    #[arg(long, value_name = "STRATEGY")]
    pub against: Option<Strategy>,
    /// Two prices: how often is which of them reached first? Without it: the two liquidation prices
    #[arg(long, value_name = "A..B")]
    pub watch: Option<WatchedPrices>,
    /// Stop as soon as the mean of equity is known within this part of it, with 95 % confidence, after a thousand paths at least; with
    /// control variates where there are some
    #[arg(long, value_name = "RATIO")]
    pub ci: Option<Ratio>,
    /// Show every decision and action on this path, too
    #[arg(long, value_name = "PATH")]
    pub replay: Option<u64>,
    /// Every path's end
    #[arg(long, value_name = "FILE")]
    pub paths_file: Option<PathBuf>,
    /// How the ends of paths are written
    #[arg(long, value_enum, default_value_t)]
    pub paths_format: Format,
    /// Everything in a directory: run.json, summary.json, the ends of paths, pictures as SVG, and report.html
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Simulates and prints.
///
/// # Errors
/// What is wrong with the request.
pub fn run(args: &SimulateArgs, invocation: &Invocation, output: &mut Output) -> Result<()> {
    output.print(&report(args, invocation)?)
}

fn report(args: &SimulateArgs, invocation: &Invocation) -> Result<SimulationReport> {
    let scenario = &args.scenario;
    let maintenance = scenario.maintenance()?;
    let looks = scenario.looks()?;
    let shape = args.shape.shape(scenario.units())?;
    let study = args.out.as_deref().map(Study::create).transpose()?;
    // A picture without what happens if nobody acts says little.
    let beside = match (&args.against, &study) {
        (Some(strategy), _) => Some(strategy),
        (None, Some(_)) if args.strategy != Strategy::Hold => Some(&Strategy::Hold),
        _ => None,
    };
    let bar = count_bar(scenario.paths * (1 + u64::from(beside.is_some())), "paths");
    let in_study = study
        .as_ref()
        .map(|study| study.path(args.paths_format.file()));
    let files = [args.paths_file.as_deref(), in_study.as_deref()];
    let here = walked(
        args,
        (&shape, &args.strategy),
        scenario.paths,
        (files, args.replay),
        &bar,
    )?;
    let Walked { terms, summary, .. } = &here;
    let other = match beside {
        None => None,
        Some(strategy) => {
            let paths = summary.equities().len() as u64;
            let walked = walked(args, (&shape, strategy), paths, ([None; 2], None), &bar)?;
            Some(walked)
        }
    };
    bar.finish_and_clear();
    let units = terms.units;
    let start = units.log_price(terms.at);
    let motion = scenario.models.motion(args.model.model)?;
    let closed_form = |ends: Watch| ClosedForm::new(motion?, ends, start, looks);
    let liquidation = terms.opened.boundaries(maintenance)?;
    let liquidation_watch = Watch::ends(liquidation, units);
    let watch = args
        .watch
        .as_ref()
        .map_or(liquidation_watch, WatchedPrices::watch);
    // What actions and fees do to the boundaries has no closed form: what is known is how it ends if nobody acts and nothing is earned.
    let alone = terms.grown(looks)?;
    let alone = |ltv| anyhow::Ok(closed_form(Watch::ends(alone.boundaries(ltv)?, units)));
    let deleverage = scenario.deleverage_trigger(&shape, &args.strategy)?;
    let price = |end: Option<ballast_model::SqrtPrice>| end.map(|end| units.log_price(end).exp());
    let (lower, upper) = match liquidation {
        Boundaries::Empty => (None, None),
        Boundaries::Interval { lower, upper } => (price(lower), price(upper)),
    };
    let against = other.as_ref().filter(|_| args.against.is_some());
    let report = SimulationReport::new(
        args,
        looks,
        &here,
        against.map(|other| &other.summary),
        Exits {
            liquidation_prices: (lower, upper),
            first_exit: closed_form(watch),
            liquidation: alone(maintenance)?,
            deleverage: match deleverage {
                Some(trigger) => Some((trigger, alone(trigger)?)),
                None => None,
            },
        },
    );
    if let Some(study) = study {
        let other = beside.zip(other.as_ref());
        out::write(args, &shape, study, (&here, other), &report)?.finish(
            invocation,
            &out::inputs(args)?,
            &report,
        )?;
    }
    Ok(report)
}

/// Every path with one strategy.
struct Walked {
    terms: Terms,
    lag: Option<Lag>,
    /// What of reserves and oracle wanders.
    conditions: Option<ConditionsReport>,
    /// What is worth knowing of the position as it was opened, and of what it met.
    warnings: Vec<String>,
    /// What costs nothing and what never happens.
    not_counted: Vec<&'static str>,
    summary: Summary,
    /// The mean with control variates, where there are some.
    controlled: Option<ControlledMean>,
    /// What was done on the path that was asked for.
    replayed: Option<Replayed>,
}

fn walked(
    args: &SimulateArgs,
    (shape, strategy): (&Shape, &Strategy),
    paths: u64,
    (files, replayed): ([Option<&Path>; 2], Option<u64>),
    bar: &ProgressBar,
) -> Result<Walked> {
    let scenario = &args.scenario;
    let terms = scenario.terms(shape, strategy, args.model.model)?;
    let known = scenario.warnings(shape, strategy, &terms)?;
    let watch = args.watch.as_ref().map(WatchedPrices::watch);
    let run = scenario.run(&terms, watch, paths)?;
    let lag = run.lag;
    let agent = scenario.agent(shape, strategy, &terms)?;
    let model = scenario.model(args.model.model)?;
    let part = args.ci.as_ref().map(|part| part.f64());
    let mut summary = Summary::new(&terms, paths);
    let mut controlled = Controlled::new(&terms, run.looks, model.law())?;
    let mut wrong = Ok(());
    let mut rows = Vec::new();
    for file in files.into_iter().flatten() {
        rows.push(Rows::create(file, args.paths_format, terms.units)?);
    }
    simulate(&run, &model, &agent, |outcome| {
        summary.add(outcome);
        rows.iter_mut().for_each(|rows| rows.write(outcome));
        bar.inc(1);
        wrong = controlled.add(outcome);
        let done = part.is_some_and(|part| is_known(&summary, &controlled, part));
        if done || wrong.is_err() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    wrong?;
    for rows in rows {
        rows.finish()?;
    }
    let replayed = match replayed {
        None => None,
        Some(path) => Some(replay(&run, &model, &agent, path)?),
    };
    let controlled = controlled.mean();
    let seen = world::seen_warnings(&summary);
    let file = scenario.models.file()?;
    let conditions = scenario.conditions(&file)?;
    Ok(Walked {
        not_counted: scenario.not_counted(strategy.acts(), &file, &conditions),
        conditions: ConditionsReport::of(&conditions),
        terms,
        lag,
        warnings: known.into_iter().chain(seen).collect(),
        summary,
        controlled,
        replayed,
    })
}

/// Whether the mean of equity is known within a part of it.
fn is_known(summary: &Summary, controlled: &Controlled<'_>, part: f64) -> bool {
    let moments = summary.equity_moments();
    if moments.count() < LEAST_PATHS || !moments.count().is_multiple_of(ASK_EVERY) {
        return false;
    }
    let plain = (moments.mean(), moments.stderr());
    let (mean, stderr) = controlled
        .mean()
        .map_or(plain, |better| (better.mean, better.stderr));
    CONFIDENCE * stderr <= part * mean.abs()
}
