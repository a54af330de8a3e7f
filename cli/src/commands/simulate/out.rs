//! What `ballast simulate --out` writes.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::Result;
use ballast_simulator::{Mark, Terms, trace};

use super::{
    SimulateArgs, Walked, pictures, report::SimulationReport, scenario::Shape, strategy::Strategy,
};
use crate::{
    format::{percent, significant},
    study::Study,
};

/// So many paths are drawn along their way, with so many moments each.
const TRACED: u64 = 1_000;
const MARKS: u64 = 96;

/// The files that were read.
///
/// # Errors
/// A model's file that cannot be read.
pub fn inputs(args: &SimulateArgs) -> Result<Vec<PathBuf>> {
    let mut files = args.scenario.files()?;
    for strategy in [Some(&args.strategy), args.against.as_ref()] {
        files.extend(strategy.and_then(Strategy::file).cloned());
    }
    Ok(files)
}

/// Pictures and the report's body.
///
/// # Errors
/// A file that cannot be written.
pub fn write(
    args: &SimulateArgs,
    shape: &Shape,
    mut study: Study,
    (here, other): (&Walked, Option<(&Strategy, &Walked)>),
    report: &SimulationReport,
) -> Result<Study> {
    study.note(args.paths_format.file())?;
    let own = here.terms.units.quote(here.terms.funds());
    let name = args.strategy.to_string();
    let other_name = other.map(|(strategy, _)| strategy.to_string());
    let here_traces = self::traces(args, shape, &args.strategy, &here.terms)?;
    let other_traces = match other {
        None => None,
        Some((strategy, walked)) => Some(self::traces(args, shape, strategy, &walked.terms)?),
    };
    let other_equity = other.map(|(_, walked)| walked.summary.equity());
    let beside_name = other_name.as_deref().unwrap_or_default();
    study.prose(&summary(&name, report));
    study.picture(
        "equity",
        &pictures::distribution(
            &name,
            &here.summary.equity(),
            other_equity.as_ref().map(|equity| (beside_name, equity)),
            own,
        ),
    )?;
    let number = |value: f64| significant(value, 6);
    let mut rows = vec![row(&name, &here.summary.equity(), &number)];
    if let Some(equity) = &other_equity {
        rows.push(row(beside_name, equity, &number));
    }
    let titles = [
        "strategy",
        "mean",
        "+-",
        "sd",
        "5 %",
        "mean of these",
        "median",
        "95 %",
    ];
    study.table(titles, &rows);
    study.picture(
        "way",
        &pictures::way(
            &here.terms,
            &here_traces,
            other_traces.as_deref().map(|traces| (beside_name, traces)),
        ),
    )?;
    study.picture("attribution", &pictures::attribution(own, &here.summary))?;
    // In the order of the picture.
    let gains: BTreeMap<_, _> = report.gains().collect();
    let names = here.summary.attribution().iter().map(|(name, _)| *name);
    let lines: Vec<[String; 3]> = names
        .filter_map(|name| Some((name, gains.get(name)?)))
        .map(|(name, mean)| {
            [
                name.replace('_', " "),
                number(mean.mean),
                significant(mean.stderr, 2),
            ]
        })
        .collect();
    study.table(["gain from", "mean", "+-"], &lines);
    let prices = &report.liquidation.prices;
    let by_price = pictures::by_price(&here.terms, &here_traces, (prices.lower, prices.upper));
    study.picture("price", &by_price)?;
    study.prose("<h2>The worst paths</h2><p class=\"note\">Shown step by step with --replay.</p>");
    let worst: Vec<[String; 2]> = report
        .worst_paths
        .iter()
        .map(|worst| [worst.path.to_string(), number(worst.equity.f64())])
        .collect();
    study.table(["path", "equity"], &worst);
    Ok(study)
}

fn row(
    name: &str,
    equity: &ballast_simulator::Sorted,
    number: &impl Fn(f64) -> String,
) -> [String; 8] {
    let moments = equity.moments();
    [
        name.to_owned(),
        number(moments.mean()),
        significant(moments.stderr(), 2),
        number(moments.sd()),
        number(equity.quantile(0.05)),
        number(equity.shortfall(0.05)),
        number(equity.quantile(0.5)),
        number(equity.quantile(0.95)),
    ]
}

fn summary(name: &str, report: &SimulationReport) -> String {
    let number = |value: f64| significant(value, 6);
    format!(
        "<p>{} paths with {}: equity ends at {} &plusmn; {} on average; 5 % of the paths end below {}. \
         {} of the paths come to liquidation. In range {} of the time, {} actions a day; \
         the draw-down is {} on average, above {} on 5 % of the paths.</p>",
        report.paths,
        ballast_chart::escape(name),
        number(report.equity.mean),
        significant(report.equity.stderr, 2),
        number(report.equity.quantile_5),
        percent(report.liquidation.probability),
        percent(report.time_in_range.mean),
        significant(report.actions_per_day, 3),
        significant(report.draw_down.mean, 3),
        significant(report.draw_down.quantile_95, 3),
    )
}

fn traces(
    args: &SimulateArgs,
    shape: &Shape,
    strategy: &Strategy,
    terms: &Terms,
) -> Result<Vec<Vec<Mark>>> {
    let scenario = &args.scenario;
    let run = scenario.run(terms, None, scenario.paths)?;
    let agent = scenario.agent(shape, strategy, terms)?;
    let model = scenario.model(args.model.model)?;
    Ok(trace(&run, &model, &agent, TRACED, MARKS)?)
}
