//! What `ballast stress --out` writes.

use std::path::PathBuf;

use anyhow::Result;
use ballast_chart::{Axis, Bar, Chart, Layer, Tone, escape};

use super::{
    StressArgs,
    report::{Played, StressReports},
};
use crate::{
    format::{bps, significant},
    study::Study,
};

/// Half of the width of a bar; two stand at each position.
const HALF: f64 = 0.18;

/// The files that were read.
pub fn inputs(args: &StressArgs) -> Vec<PathBuf> {
    let files = args.scenario.iter().chain(&args.book).chain(&args.keeper);
    files.chain(&args.live.accounts).cloned().collect()
}

/// Pictures and the report's body.
///
/// # Errors
/// A file that cannot be written.
pub fn write(study: &mut Study, report: &StressReports) -> Result<()> {
    let number = |value: f64| significant(value, 6);
    study.prose(&format!(
        "<p>Amounts in whole tokens, equity at the price outside with uncollected fees. Tables are of seed {}; limits and rules are those \
         of {}.</p>",
        report.seed,
        escape(&report.limits)
    ));
    for played in &report.scenarios {
        let with = &played.with_keepers;
        study.prose(&format!(
            "<h2>{}</h2><p>{} The price goes from {} to {}.</p>",
            escape(&played.name),
            escape(&played.summary),
            number(with.price_before),
            number(with.price_after)
        ));
        study.picture(&format!("equity-{}", played.name), &equity(played))?;
        let alone = &played.without_keepers.positions;
        let rows: Vec<[String; 7]> = with
            .positions
            .iter()
            .zip(alone)
            .map(|(position, alone)| {
                let bad = position.bad_debt_base * with.price_after + position.bad_debt_quote;
                [
                    position.name.clone(),
                    number(position.before.equity.f64()),
                    number(position.after.equity.f64()),
                    number(alone.after.equity.f64()),
                    bps(position.highest_ltv_bps),
                    number(position.liquidated),
                    number(bad + position.uncovered),
                ]
            })
            .collect();
        let titles = [
            "position",
            "equity before",
            "after",
            "without keepers",
            "highest LTV",
            "liquidated",
            "bad debt",
        ];
        study.table(titles, &rows);
        let rows: Vec<[String; 4]> = with
            .lenders
            .iter()
            .map(|lender| {
                [
                    lender.name.clone(),
                    lender.token.to_owned(),
                    number(lender.before),
                    number(lender.after),
                ]
            })
            .collect();
        study.table(["lender", "token", "before", "after"], &rows);
    }
    Ok(())
}

/// What each position has lost of its equity, kept and not.
fn equity(played: &Played) -> Chart {
    let kept = &played.with_keepers.positions;
    let names = kept.iter().map(|position| position.name.clone());
    let title = format!("Change of equity: {}", played.name);
    let mut chart = Chart::new(title, Axis::new("").names(names), Axis::new("quote token"));
    for (name, report, middle, tone) in [
        ("with keepers", &played.with_keepers, -HALF, Tone::Blue),
        ("without", &played.without_keepers, HALF, Tone::Orange),
    ] {
        let bars = report
            .positions
            .iter()
            .enumerate()
            .map(|(index, position)| {
                let middle = index as f64 + middle;
                Bar {
                    span: (middle - HALF, middle + HALF),
                    ends: (
                        0.0,
                        position.after.equity.f64() - position.before.equity.f64(),
                    ),
                    label: String::new(),
                }
            })
            .collect();
        chart = chart.layer(Layer::Bars {
            name: name.to_owned(),
            bars,
            tone,
        });
    }
    chart.layer(Layer::Level {
        name: String::new(),
        y: 0.0,
        tone: Tone::Ink,
    })
}
