//! `ballast compare`: two strategies on the same prices. Offline.

mod picture;
mod report;

use std::{ops::ControlFlow, path::PathBuf};

use anyhow::{Context, Result};
use ballast_simulator::{Controlled, Paired, PriceModel, compare};
use clap::Args;

use super::simulate::{
    conditions::ConditionsReport,
    lag::LagReport,
    model::ModelName,
    scenario::{ScenarioArgs, ShapeArgs},
    strategy::Strategy,
    world::seen_warnings,
};
use crate::{
    progress::count_bar,
    report::Output,
    study::{Invocation, Study},
};
use report::{CompareReport, ModelReport};

/// What to compare.
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
pub struct CompareArgs {
    /// The first strategy: a keeper's configuration (a file that ends in .toml, or keeper:FILE), or keeper, hold, unhedged, continuous,
    /// band:30% as in `ballast simulate`
    #[arg(value_name = "A")]
    pub first: Strategy,
    /// The second one. Said is the first less the second
    #[arg(value_name = "B")]
    pub second: Strategy,
    /// How the price moves; may be given several times, or with commas: every model is a comparison of its own
    #[arg(long, value_enum, required = true, value_delimiter = ',')]
    pub model: Vec<ModelName>,
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    #[command(flatten)]
    pub shape: ShapeArgs,
    /// Everything in a directory: run.json, summary.json, pictures as SVG, and report.html
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Compares and prints.
///
/// # Errors
/// What is wrong with the request.
pub fn run(args: &CompareArgs, invocation: &Invocation, output: &mut Output) -> Result<()> {
    let study = args.out.as_deref().map(Study::create).transpose()?;
    let report = report(args)?;
    if let Some(mut study) = study {
        picture::write(&mut study, &report)?;
        let mut inputs = args.scenario.files()?;
        for strategy in [&args.first, &args.second] {
            inputs.extend(strategy.file().cloned());
        }
        study.finish(invocation, &inputs, &report)?;
    }
    output.print(&report)
}

fn report(args: &CompareArgs) -> Result<CompareReport> {
    let scenario = &args.scenario;
    let shape = args.shape.shape(scenario.units())?;
    let bar = count_bar(scenario.paths * args.model.len() as u64, "paths");
    let mut models = Vec::new();
    let mut warnings: Vec<String> = Vec::new();
    for name in &args.model {
        let named = || format!("--model {}", name.name());
        let strategies = [&args.first, &args.second];
        let terms = [
            scenario.terms(&shape, strategies[0], *name)?,
            scenario.terms(&shape, strategies[1], *name)?,
        ];
        for (strategy, terms) in strategies.into_iter().zip(&terms) {
            for warning in scenario.warnings(&shape, strategy, terms)? {
                let warning = format!("{strategy}: {warning}");
                if !warnings.contains(&warning) {
                    warnings.push(warning);
                }
            }
        }
        let agents = [
            scenario.agent(&shape, strategies[0], &terms[0])?,
            scenario.agent(&shape, strategies[1], &terms[1])?,
        ];
        let model = scenario.model(*name).with_context(named)?;
        let run = scenario.run(&terms[0], None, scenario.paths)?;
        let mut paired = Paired::new([&terms[0], &terms[1]], scenario.paths);
        let mut controlled = Controlled::paired(&terms[0], run.looks, model.law())?;
        let mut wrong = Ok(());
        compare(
            &run,
            &terms[1],
            &model,
            [&agents[0], &agents[1]],
            |first, second| {
                paired.add(first, second);
                wrong = controlled.add_pair(first, second);
                bar.inc(1);
                if wrong.is_err() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        )
        .with_context(named)?;
        wrong?;
        for (strategy, summary) in strategies
            .into_iter()
            .zip([paired.first(), paired.second()])
        {
            let seen = seen_warnings(summary);
            warnings.extend(seen.map(|warning| format!("{strategy}: {warning}")));
        }
        models.push(ModelReport::new(
            *name,
            &paired,
            controlled.mean(),
            run.looks,
        ));
    }
    bar.finish_and_clear();
    let file = scenario.models.file()?;
    let conditions = scenario.conditions(&file)?;
    Ok(CompareReport {
        first: args.first.to_string(),
        second: args.second.to_string(),
        paths: scenario.paths,
        seed: scenario.seed,
        warnings,
        limits: scenario.rules.named(),
        not_counted: scenario.not_counted(
            args.first.acts() || args.second.acts(),
            &file,
            &conditions,
        ),
        lag: scenario.lag.lag()?.map(LagReport::from),
        conditions: ConditionsReport::of(&conditions),
        models,
    })
}
