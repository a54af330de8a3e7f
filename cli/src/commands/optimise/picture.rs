//! The frontier as a picture.

use anyhow::Result;
use ballast_chart::{Axis, Chart, Layer, Tone};

use super::report::{Judgement, OptimiseReport, Tried, keeper};
use crate::{
    format::{change, percent, significant},
    study::Study,
};

/// Adds picture and tables.
///
/// # Errors
/// A file that cannot be written.
pub fn write(study: &mut Study, report: &OptimiseReport) -> Result<()> {
    study.picture("frontier", &frontier(report))?;
    let titles = [
        "keeper",
        "width",
        "leverage",
        "hedge",
        "delta band",
        "gain",
        "+-",
        "worst 5 %",
        "liquidation",
    ];
    let row = |tried: &Tried, result: &Judgement| {
        [
            keeper(&tried.setting),
            percent(tried.setting.width),
            significant(tried.setting.leverage(), 3),
            percent(tried.setting.hedge),
            percent(tried.setting.delta_band),
            change(result.gain),
            percent(result.stderr),
            change(result.shortfall_5),
            percent(result.liquidation.probability),
        ]
    };
    let rows: Vec<[String; 9]> = report
        .frontier
        .iter()
        .map(|index| &report.settings[*index])
        .filter_map(|tried| Some(row(tried, tried.result.as_ref()?)))
        .collect();
    study.prose("<h2>Frontier</h2>");
    study.table(titles, &rows);
    if let Some(winner) = &report.winner {
        study.prose("<h2>Best, and the same with other random numbers</h2>");
        let rows: Vec<[String; 9]> = [&winner.in_sample, &winner.out_of_sample]
            .into_iter()
            .flatten()
            .map(|result| row(&report.settings[winner.index], result))
            .collect();
        study.table(titles, &rows);
    }
    Ok(())
}

fn frontier(report: &OptimiseReport) -> Chart {
    let point = |tried: &Tried, result: &Judgement| {
        let setting = &tried.setting;
        let tip = format!(
            "keeper {}, width {}, leverage {}, hedge {}, delta band {}: gain {}, liquidation {}",
            keeper(setting),
            percent(setting.width),
            significant(setting.leverage(), 3),
            percent(setting.hedge),
            percent(setting.delta_band),
            change(result.gain),
            percent(result.liquidation.probability),
        );
        (-result.shortfall_5, result.gain, tip)
    };
    let all = || {
        let results = report.settings.iter();
        results.filter_map(|tried| Some((tried, tried.result.as_ref()?)))
    };
    let dots = |name: &str, tone, points| Layer::Dots {
        name: name.to_owned(),
        points,
        tone,
    };
    let of = |safe: bool| {
        all()
            .filter(|(_, result)| result.safe == safe)
            .map(|(tried, result)| point(tried, result))
            .collect()
    };
    let line = report
        .frontier
        .iter()
        .filter_map(|index| report.settings[*index].result.as_ref())
        .map(|result| (-result.shortfall_5, result.gain))
        .collect();
    let mut chart = Chart::new(
        "Gain against risk",
        Axis::new("mean loss of the worst 5 %, of the own funds").percent(),
        Axis::new("mean gain, of the own funds").percent(),
    )
    .layer(dots("liquidation too likely", Tone::Bad, of(false)))
    .layer(dots("safe", Tone::Muted, of(true)))
    .layer(Layer::line("frontier", Tone::Blue, line));
    if let Some(winner) = &report.winner {
        for (name, tone, result) in [
            ("best", Tone::Good, &winner.in_sample),
            (
                "the same, other random numbers",
                Tone::Orange,
                &winner.out_of_sample,
            ),
        ] {
            if let Some(result) = result {
                let point = point(&report.settings[winner.index], result);
                chart = chart.layer(dots(name, tone, vec![point]));
            }
        }
    }
    chart
}
