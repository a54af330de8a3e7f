//! Differences as a picture, a model each.

use anyhow::Result;
use ballast_chart::{Axis, Bar, Chart, Layer, Tone, escape};

use super::report::{CompareReport, Difference, ModelReport};
use crate::{format::significant, study::Study};

/// Adds pictures and tables.
///
/// # Errors
/// A file that cannot be written.
pub fn write(study: &mut Study, report: &CompareReport) -> Result<()> {
    study.prose(&format!(
        "<p>{} less {}, on the same {} paths in each model. Lines are 95 % intervals.</p>",
        escape(&report.first),
        escape(&report.second),
        report.paths
    ));
    for model in &report.models {
        study.picture(&format!("difference-{}", model.model), &differences(model))?;
        let number = |value: f64| significant(value, 5);
        let rows: Vec<[String; 4]> = lines(model)
            .into_iter()
            .map(|(name, line)| {
                [
                    name,
                    number(line.mean),
                    number(line.low_95),
                    number(line.high_95),
                ]
            })
            .collect();
        study.table(["difference of", "mean", "from", "to"], &rows);
    }
    Ok(())
}

fn lines(model: &ModelReport) -> Vec<(String, Difference)> {
    let differ = model
        .attribution
        .iter()
        .filter(|(_, line)| line.mean != 0.0 || line.stderr != 0.0)
        .map(|(name, line)| (name.replace('_', " "), *line));
    std::iter::once(("equity".to_owned(), model.difference))
        .chain(differ)
        .collect()
}

fn differences(model: &ModelReport) -> Chart {
    let lines = lines(model);
    let names = lines.iter().map(|(name, _)| name.clone());
    let title = format!("Difference in model {}", model.model);
    let mut chart = Chart::new(title, Axis::new("").names(names), Axis::new("quote token"));
    let bar = |index: usize, line: &Difference| {
        let middle = index as f64;
        Bar {
            span: (middle - 0.36, middle + 0.36),
            ends: (0.0, line.mean),
            label: String::new(),
        }
    };
    for (name, tone, gains) in [("gain", Tone::Good, true), ("loss", Tone::Bad, false)] {
        let bars = lines
            .iter()
            .enumerate()
            .filter(|(_, (_, line))| (line.mean >= 0.0) == gains)
            .map(|(index, (_, line))| bar(index, line))
            .collect();
        chart = chart.layer(Layer::Bars {
            name: name.to_owned(),
            bars,
            tone,
        });
    }
    for (index, (_, line)) in lines.iter().enumerate() {
        let x = index as f64;
        let points = vec![(x, line.low_95), (x, line.high_95)];
        chart = chart.layer(Layer::line("", Tone::Ink, points));
    }
    chart.layer(Layer::Level {
        name: String::new(),
        y: 0.0,
        tone: Tone::Ink,
    })
}
