//! `ballast simulate`: what keeping a position earns and costs, and how it can end, over many paths. Offline.

mod fees;
pub mod keeper;
mod model;
mod parts;
mod report;
mod rows;
mod strategy;
mod watch;

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use ballast_model::{Band, Boundaries, Bps};
use ballast_simulator::{
    Event, Interest, Liquidators, Looks, MOST_PATHS, Opening, Run, Streams, Summary, Terms, Units,
    Watch, replay, simulate,
};
use clap::Args;
use indicatif::ProgressBar;

use crate::{
    decimal::{Decimal, Positive, Ratio},
    progress::count_bar,
    range,
    report::Output,
};
use fees::FeeArgs;
use model::ModelArgs;
use parts::{ClosedForm, Exits};
use report::SimulationReport;
use rows::Rows;
use strategy::{AnyAgent, Strategy};
use watch::WatchedPrices;

/// Standard errors within which 95 % of normal numbers lie.
const CONFIDENCE: f64 = 1.96;
/// With fewer paths their spread itself is not known.
const LEAST_PATHS: u64 = 1_000;

/// What to simulate. Prices are quote per base in whole tokens, own funds are in the quote token, ratios like 0.8 or 80%.
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
pub struct SimulateArgs {
    #[command(flatten)]
    pub model: ModelArgs,
    /// How long, in days
    #[arg(long)]
    pub horizon_days: Positive,
    /// Seconds between two looks at the price
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub step_secs: u64,
    /// Number of paths
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=MOST_PATHS))]
    pub paths: u64,
    /// Seed of all random numbers: the same seed, the same result, on any number of threads
    #[arg(long)]
    pub seed: u64,
    /// Price at the start
    #[arg(long)]
    pub price: Positive,
    /// Lower end of the range
    #[arg(long)]
    pub lower: Positive,
    /// Upper end of the range
    #[arg(long)]
    pub upper: Positive,
    /// Own funds, in the quote token
    #[arg(long)]
    pub equity: Positive,
    /// Assets over own funds: 3 is three times
    #[arg(long)]
    pub leverage: Ratio,
    /// Part of the pool's base that is borrowed: 1 is delta-neutral
    #[arg(long, default_value = "1")]
    pub hedge: Ratio,
    /// LTV (debt over assets) at which the position may be liquidated
    #[arg(long, default_value = "80%")]
    pub maintenance: Ratio,
    /// Somebody liquidates at every look that finds LTV at maintenance, before anybody else acts
    #[arg(long)]
    pub liquidate: bool,
    /// LTV that liquidations restore
    #[arg(long, default_value = "65%")]
    pub liquidation_target: Ratio,
    /// What liquidators get beyond what they repay
    #[arg(long, default_value = "3%")]
    pub liquidation_bonus: Ratio,
    /// Who acts: hold (nobody), unhedged (nobody, and nothing borrowed in base), continuous (the hedge is exact at every look,
    /// for nothing), band:30% (the hedge is made exact where it is off by that part of all the base the position can hold),
    /// keeper:FILE (what `ballast keeper run` decides, with its configuration and, beside it, tables `policy` and `owner`)
    #[arg(long)]
    pub strategy: Strategy,
    /// Another strategy, on the same prices: what is the difference?
    #[arg(long, value_name = "STRATEGY")]
    pub against: Option<Strategy>,
    /// What a hedging trade costs, in millionths of its value
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(..1_000_000))]
    pub swap_cost_ppm: u32,
    #[command(flatten)]
    pub fees: FeeArgs,
    /// Yearly rate of the base debt, compounded all the time as on chain
    #[arg(long, default_value = "0")]
    pub borrow_base_apr: Ratio,
    /// Yearly rate of the quote debt, compounded all the time as on chain
    #[arg(long, default_value = "0")]
    pub borrow_quote_apr: Ratio,
    /// Two prices: how often is which of them reached first? Without it: the two liquidation prices
    #[arg(long, value_name = "A..B")]
    pub watch: Option<WatchedPrices>,
    /// Stop as soon as the mean of equity is known within this part of it, with 95 % confidence, after a thousand paths at least
    #[arg(long, value_name = "RATIO")]
    pub ci: Option<Ratio>,
    /// Show every action on this path, too
    #[arg(long, value_name = "PATH")]
    pub replay: Option<u64>,
    /// Every path's end, as CSV
    #[arg(long, value_name = "FILE")]
    pub paths_file: Option<PathBuf>,
    /// Threads; by default one per core. They change no result
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
    /// The pool's grid of ticks, to which a keeper's range is widened
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub tick_spacing: u16,
    /// Decimals of the base token
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u8).range(..=18))]
    pub base_decimals: u8,
    /// Decimals of the quote token
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u8).range(..=18))]
    pub quote_decimals: u8,
}

/// Simulates and prints.
///
/// # Errors
/// What is wrong with the request.
pub fn run(args: &SimulateArgs, output: &mut Output) -> Result<()> {
    output.print(&report(args)?)
}

fn report(args: &SimulateArgs) -> Result<SimulationReport> {
    let maintenance = args.maintenance.bps_down()?;
    ensure!(
        maintenance > Bps::new(0) && maintenance <= Bps::ONE,
        "--maintenance {} must be above 0 and at most 1: it is debt over assets, 0.8 or 80%",
        *args.maintenance
    );
    let looks = Looks::new(args.horizon_days.f64(), args.step_secs)
        .context("--horizon-days and --step-secs")?;
    let walks = args.paths * (1 + u64::from(args.against.is_some()));
    let bar = count_bar(walks, "paths");
    let file = args.paths_file.as_deref();
    let here = walked(
        args,
        &args.strategy,
        looks,
        args.paths,
        (file, args.replay),
        &bar,
    )?;
    let Walked { terms, summary, .. } = &here;
    let other = match &args.against {
        None => None,
        Some(strategy) => {
            let paths = summary.equities().len() as u64;
            Some(walked(args, strategy, looks, paths, (None, None), &bar)?)
        }
    };
    bar.finish_and_clear();
    let units = terms.units;
    let start = units.log_price(terms.at);
    let motion = args.model.motion();
    let closed_form = |ends: Watch| ClosedForm::new(motion?, ends, start, looks);
    let liquidation = terms.opened.boundaries(maintenance)?;
    let liquidation_watch = Watch::ends(liquidation, units);
    let watch = args
        .watch
        .as_ref()
        .map_or(liquidation_watch, WatchedPrices::watch);
    // Debts that grow, fees and actions move the liquidation prices: then there is no closed form.
    let fixed = terms.interest.is_none() && args.fees.no_fees && args.strategy.keeps_position();
    let price = |end: Option<ballast_model::SqrtPrice>| end.map(|end| units.log_price(end).exp());
    let (lower, upper) = match liquidation {
        Boundaries::Empty => (None, None),
        Boundaries::Interval { lower, upper } => (price(lower), price(upper)),
    };
    Ok(SimulationReport::new(
        args,
        looks,
        &here,
        other.as_ref().map(|other| &other.summary),
        Exits {
            liquidation_prices: (lower, upper),
            first_exit: closed_form(watch),
            liquidation: fixed.then(|| closed_form(liquidation_watch)).flatten(),
        },
    ))
}

/// Every path with one strategy.
struct Walked {
    terms: Terms,
    summary: Summary,
    /// What was done on the path that was asked for.
    events: Option<Vec<Event>>,
}

fn walked(
    args: &SimulateArgs,
    strategy: &Strategy,
    looks: Looks,
    paths: u64,
    (paths_file, replayed): (Option<&Path>, Option<u64>),
    bar: &ProgressBar,
) -> Result<Walked> {
    let terms = terms(args, strategy)?;
    let liquidators = Liquidators {
        target: args.liquidation_target.bps_down()?,
        bonus: args.liquidation_bonus.bps_down()?,
    };
    let run = Run {
        terms: &terms,
        looks,
        maintenance: args.maintenance.bps_down()?,
        liquidators: args.liquidate.then_some(liquidators),
        watch: args.watch.as_ref().map(WatchedPrices::watch),
        paths,
        streams: Streams::new(args.seed),
        threads: args.threads,
    };
    let agent = agent(args, strategy, &terms)?;
    let model = args.model.model(looks)?;
    let part = args.ci.as_ref().map(|part| part.f64());
    let mut summary = Summary::new(&terms, paths);
    let mut rows = Rows::create(paths_file, terms.units)?;
    simulate(&run, &model, &agent, |outcome| {
        summary.add(outcome);
        rows.write(outcome);
        bar.inc(1);
        if part.is_some_and(|part| is_known(&summary, part)) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    rows.finish()?;
    let events = match replayed {
        None => None,
        Some(path) => Some(replay(&run, &model, &agent, path)?.1),
    };
    Ok(Walked {
        terms,
        summary,
        events,
    })
}

/// Whether the mean of equity is known within a part of it.
fn is_known(summary: &Summary, part: f64) -> bool {
    let moments = summary.equity_moments();
    moments.count() >= LEAST_PATHS && CONFIDENCE * moments.stderr() <= part * moments.mean().abs()
}

fn agent(args: &SimulateArgs, strategy: &Strategy, terms: &Terms) -> Result<AnyAgent> {
    if let Strategy::Keeper(path) = strategy {
        let keeper = keeper::keeper(path, args, terms)?;
        return Ok(AnyAgent::Keeper(Box::new(keeper)));
    }
    let baseline = strategy.baseline(args.hedge.bps_down()?, args.swap_cost_ppm);
    Ok(AnyAgent::Baseline(baseline.context("--strategy")?))
}

/// The position, as the program would open it, and what it lives under.
fn terms(args: &SimulateArgs, strategy: &Strategy) -> Result<Terms> {
    let units = Units {
        base_decimals: args.base_decimals,
        quote_decimals: args.quote_decimals,
    };
    ensure!(
        args.lower.double() < args.upper.double(),
        "--lower {} is not below --upper {}: a range needs its lower end first",
        *args.lower,
        *args.upper
    );
    let root = |price: &Decimal| price.sqrt_price_down(units.base_decimals, units.quote_decimals);
    let band = if matches!(strategy, Strategy::Keeper(_)) {
        let decimals = (units.base_decimals, units.quote_decimals);
        let ticks = range::around(&args.lower, &args.upper, args.tick_spacing, decimals)?;
        Band::new(ticks.lower, ticks.upper)
    } else {
        Band::from_sqrt_prices(root(&args.lower)?, root(&args.upper)?)
    }
    .context("--lower and --upper are too near to each other: widen the range")?;
    let hedge = args.hedge.bps_down()?;
    ensure!(
        hedge <= Bps::ONE,
        "--hedge {} is above 1: 1 (delta-neutral) borrows all of the pool's base",
        *args.hedge
    );
    let (own_quote, _) = args.equity.raw_down(units.quote_decimals)?;
    let opening = Opening {
        units,
        at: root(&args.price)?,
        band,
        own_quote,
        leverage: args.leverage.bps_down()?,
        hedge: strategy.opening_hedge(hedge),
    };
    let fees = args.fees.terms(args.step_secs)?;
    let interest = Interest::new(args.borrow_base_apr.f64(), args.borrow_quote_apr.f64())?;
    Ok(Terms::new(&opening, fees, interest)?)
}
