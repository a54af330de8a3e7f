//! `ballast optimise`: which width, leverage, hedge and delta band are best, if liquidation must be rare. Offline.

mod grid;
mod picture;
mod report;

use std::{ops::ControlFlow, path::PathBuf};

use anyhow::{Context, Result};

use ballast_model::OpenError;
use ballast_simulator::{
    MOST_PATHS, SimulationError, Streams, Summary,
    optimise::{Aim, Apart, Score, best, frontier},
    simulate,
};
use clap::Args;
use indicatif::ProgressBar;

use super::simulate::{
    conditions::ConditionsReport, lag::LagReport, model::ModelArgs, scenario::ScenarioArgs,
    strategy::Strategy, world::seen_warnings,
};
use crate::{
    decimal::{Decimal, Ratio},
    progress::count_bar,
    report::Output,
    study::{Invocation, Study},
};
use grid::{Setting, settings};
use report::{Around, Best, Judged, OptimiseReport};

/// What to choose from.
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
pub struct OptimiseArgs {
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    /// Widths of the range: 10% is from the price over 1.1 to the price times 1.1
    #[arg(long, required = true, value_delimiter = ',', value_name = "RATIO,...")]
    pub widths: Vec<Ratio>,
    /// Leverages: assets over own funds. The first rehedge brings LTV down to the policy's deleverage target, which is the market's unless
    /// a --keeper file says otherwise: whatever is above it (2.85 at 65 %) soon does the same, and is warned about
    #[arg(long, required = true, value_delimiter = ',', value_name = "RATIO,...")]
    pub leverages: Vec<Ratio>,
    /// Hedge ratios: parts of the pool's base that are borrowed. The best one is often not 1
    #[arg(
        long,
        default_value = "50%,75%,100%",
        value_delimiter = ',',
        value_name = "RATIO,..."
    )]
    pub hedges: Vec<Ratio>,
    /// Delta bands: the keeper rehedges where the hedge is off by such a part of all the base that the position can hold
    #[arg(
        long,
        default_value = "5%,10%,20%,40%",
        value_delimiter = ',',
        value_name = "RATIO,..."
    )]
    pub bands: Vec<Ratio>,
    /// The configuration of a keeper that acts; its policy's hedge and delta band are replaced. Given several times, each is tried with all
    /// other values. Without it a keeper acts as by default
    #[arg(long, value_name = "FILE")]
    pub keeper: Vec<PathBuf>,
    /// The chance of liquidation that is accepted: what is seen must rule a larger one out with 95 % (exact binomial bound). 1 % takes 299
    /// paths without a liquidation, 0.1 % takes 2995
    #[arg(long, default_value = "1%", value_name = "RATIO")]
    pub max_liquidation: Ratio,
    /// What is to be largest is the mean gain less half of this times its variance, both as parts of the own funds
    #[arg(long, default_value = "0", value_name = "NUMBER")]
    pub risk_aversion: Decimal,
    /// And less this times what the worst 5 % of the paths gain less than the mean: 0.1 is a tenth of it. 0, with --risk-aversion 0, asks
    /// for the mean alone, which prefers whatever hedges and protects least
    #[arg(long, default_value = "0.1", value_name = "NUMBER")]
    pub tail_weight: Decimal,
    /// Paths on which the best setting is tried again, with other random numbers; by default ten times --paths
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=MOST_PATHS))]
    pub check_paths: Option<u64>,
    /// Everything in a directory: run.json, summary.json, the frontier as SVG, and report.html
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Seeds of a check: far from those that anybody counts through.
const OTHER_SEEDS: u64 = 0x9e37_79b9_7f4a_7c15;

/// Tries every setting, and prints.
///
/// # Errors
/// What is wrong with the request.
pub fn run(args: &OptimiseArgs, invocation: &Invocation, output: &mut Output) -> Result<()> {
    let study = args.out.as_deref().map(Study::create).transpose()?;
    let report = report(args)?;
    if let Some(mut study) = study {
        picture::write(&mut study, &report)?;
        let mut inputs = args.scenario.models.files();
        inputs.extend(args.keeper.clone());
        study.finish(invocation, &inputs, &report)?;
    }
    output.print(&report)
}

fn report(args: &OptimiseArgs) -> Result<OptimiseReport> {
    let scenario = &args.scenario;
    let settings = settings(args)?;
    let check_paths = args
        .check_paths
        .unwrap_or_else(|| scenario.paths.saturating_mul(10).min(MOST_PATHS));
    let all = scenario.paths * settings.len() as u64 + check_paths;
    let bar = count_bar(all, "paths");
    let aim = Aim {
        aversion: args.risk_aversion.f64(),
        tail: args.tail_weight.f64(),
    };
    let mut judged = Vec::new();
    let mut warnings: Vec<String> = Vec::new();
    // The best two safe ones so far: no more paths are kept.
    let mut leaders: Vec<Leader> = Vec::new();
    let mut first: Option<Vec<f64>> = None;
    for setting in &settings {
        let scored = score(args, setting, scenario.paths, scenario.seed, &bar)?;
        let Some(Scored {
            score,
            equities,
            funds,
            warning,
        }) = scored
        else {
            judged.push(Judged::new(*setting, None, Apart::default()));
            continue;
        };
        warnings.extend(warning.filter(|warning| !warnings.contains(warning)));
        // Of all settings on the same paths: with the first that can be opened they are compared path by path.
        let apart = first.as_ref().map_or_else(Apart::default, |first| {
            Apart::of(aim, [&equities, first], funds)
        });
        if score.is_safe(args.max_liquidation.f64()) {
            let value = score.value(aim);
            // Of equals the first leads.
            let at = leaders.partition_point(|leader| leader.value >= value);
            leaders.insert(
                at,
                Leader {
                    index: judged.len(),
                    value,
                    equities: equities.clone(),
                    funds,
                },
            );
            leaders.truncate(2);
        }
        judged.push(Judged::new(*setting, Some(score), apart));
        first.get_or_insert(equities);
    }
    let scores: Vec<Option<Score>> = judged.iter().map(|judged| judged.score).collect();
    let possible: Vec<usize> = (0..scores.len())
        .filter(|index| scores[*index].is_some())
        .collect();
    let known: Vec<Score> = scores.iter().flatten().copied().collect();
    let most = args.max_liquidation.f64();
    let frontier = frontier(&known, most)
        .into_iter()
        .map(|index| possible[index])
        .collect();
    let runner_up = match leaders.as_slice() {
        [winner, runner_up, ..] => {
            let equities = [runner_up.equities.as_slice(), winner.equities.as_slice()];
            Some((runner_up.index, Apart::of(aim, equities, winner.funds)))
        }
        _ => None,
    };
    let winner = best(&known, most, aim).map(|index| Best {
        index: possible[index],
        runner_up,
    });
    let check = match winner {
        None => None,
        Some(Best { index, .. }) => {
            let seed = scenario.seed ^ OTHER_SEEDS;
            score(args, &settings[index], check_paths, seed, &bar)?.map(|check| check.score)
        }
    };
    bar.finish_and_clear();
    let lag = scenario.lag.lag()?.map(LagReport::from);
    let file = scenario.models.file()?;
    let conditions = scenario.conditions(&file)?;
    Ok(OptimiseReport::new(
        args,
        Around {
            aim,
            lag,
            warnings,
            limits: scenario.rules.named(),
            not_counted: scenario.not_counted(true, &file, &conditions),
            conditions: ConditionsReport::of(&conditions),
        },
        judged,
        frontier,
        winner,
        check,
    ))
}

/// Whether it is the setting that no position can have.
fn cannot_be_opened(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<SimulationError>();
    matches!(
        error,
        Some(SimulationError::Open(
            OpenError::LeverageBelowOne(_)
                | OpenError::TooSmall(_)
                | OpenError::NotAffordable { .. }
        ))
    )
}

/// One of the best, with its paths.
struct Leader {
    /// Its place among all settings.
    index: usize,
    value: f64,
    equities: Vec<f64>,
    funds: f64,
}

/// How a setting does.
struct Scored {
    score: Score,
    /// Equity at the end of each path.
    equities: Vec<f64>,
    /// What was brought along.
    funds: f64,
    /// What is worth knowing of its leverage.
    warning: Option<String>,
}

/// Tries a setting; `None`: no such position can be opened.
fn score(
    args: &OptimiseArgs,
    setting: &Setting,
    paths: u64,
    seed: u64,
    bar: &ProgressBar,
) -> Result<Option<Scored>> {
    let scenario = &args.scenario;
    let strategy = Strategy::Keeper(args.keeper.get(setting.keeper).cloned());
    let shape = setting.shape(scenario)?;
    let terms = match scenario.terms(&shape, &strategy, args.model.model) {
        Ok(terms) => terms,
        // Of a grid some cannot be opened. Whatever else is wrong is wrong with all of it.
        Err(error) if cannot_be_opened(&error) => {
            bar.inc(paths);
            return Ok(None);
        }
        Err(error) => return Err(error.context(setting.to_string())),
    };
    let agent = scenario.agent(&shape, &strategy, &terms)?;
    let model = scenario.model(args.model.model)?;
    let mut run = scenario.run(&terms, None, paths)?;
    run.streams = Streams::new(seed);
    let mut summary = Summary::new(&terms, paths);
    simulate(&run, &model, &agent, |outcome| {
        summary.add(outcome);
        bar.inc(1);
        ControlFlow::Continue(())
    })
    .with_context(|| setting.to_string())?;
    let funds = terms.units.quote(terms.funds());
    let leverage = f64::from(setting.leverage.get()) / 1e4;
    let known = scenario.warnings(&shape, &strategy, &terms)?;
    Ok(Some(Scored {
        score: Score::of(&summary, funds),
        equities: summary.equities().to_vec(),
        funds,
        warning: (known.into_iter().chain(seen_warnings(&summary)).next())
            .map(|warning| format!("leverage {leverage}: {warning}")),
    }))
}
