//! What `ballast backtest --out` writes.

use std::path::PathBuf;

use anyhow::Result;
use ballast_chart::{Axis, Bar, Chart, Layer, Tone, escape};

use super::{
    BacktestArgs,
    report::{BacktestReport, Raw},
};
use crate::study::Study;

/// The files that were read.
pub fn inputs(args: &BacktestArgs) -> Vec<PathBuf> {
    let record = &args.record;
    let files = [
        &record.pool_minutes,
        &record.swaps,
        &record.ticks,
        &record.candles,
    ];
    files.into_iter().flatten().cloned().collect()
}

/// Pictures and the report's body.
///
/// # Errors
/// A file that cannot be written.
pub fn write(study: &mut Study, report: &BacktestReport) -> Result<()> {
    let row = |name: &str, raw: &Raw| [name.to_owned(), raw.token0.clone(), raw.token1.clone()];
    study.table(
        ["raw units", "token 0", "token 1"],
        &[
            row("fees, estimate", &report.fees),
            row("fees, at least", &report.fees_low),
            row("fees, at most", &report.fees_high),
            row("tokens at the end", &report.amounts),
        ],
    );
    study.picture("fees", &interval(report))?;
    study.prose(&format!("<p>{}</p>", escape(&report.words())));
    Ok(())
}

/// How far the record leaves the fees open: at least and at most, over the estimate.
fn interval(report: &BacktestReport) -> Chart {
    let over = |raw: &str, estimate: &str| {
        let number = |text: &str| text.parse::<f64>().unwrap_or(0.0);
        let estimate = number(estimate);
        if estimate > 0.0 {
            number(raw) / estimate - 1.0
        } else {
            0.0
        }
    };
    let (low, best, high) = (&report.fees_low, &report.fees, &report.fees_high);
    let ends = [
        (
            over(&low.token0, &best.token0),
            over(&high.token0, &best.token0),
        ),
        (
            over(&low.token1, &best.token1),
            over(&high.token1, &best.token1),
        ),
    ];
    let bars = ends
        .into_iter()
        .enumerate()
        .map(|(index, ends)| Bar {
            span: (index as f64 - 0.3, index as f64 + 0.3),
            ends,
            label: String::new(),
        })
        .collect();
    Chart::new(
        "Fees: what the record leaves open",
        Axis::new("").names(["token 0", "token 1"].map(str::to_owned)),
        Axis::new("over the estimate").percent(),
    )
    .layer(Layer::Bars {
        name: "from least to most".to_owned(),
        bars,
        tone: Tone::Blue,
    })
    .layer(Layer::Level {
        name: "estimate".to_owned(),
        y: 0.0,
        tone: Tone::Ink,
    })
}
