//! The demo as a page that one may show to somebody.

use std::{fmt::Write, path::Path};

use anyhow::{Context, Result};
use ballast_chart::{Axis, Chart, Layer, Marker, Tone, escape, page, waterfall};
use ballast_strategy::text::duration;

use crate::{
    report::{Fate, Moment, Report},
    side::OWN_FUNDS,
};

const MICRO_PER_QUOTE: f64 = 1e6;
/// Of the picture that stands alone: low enough for a screen with text around it.
const PICTURE_SIZE: (f64, f64) = (960.0, 400.0);

/// Writes the page.
///
/// # Errors
/// If it cannot be written.
pub fn write(report: &Report, file: &Path) -> Result<()> {
    std::fs::write(file, html(report)).with_context(|| format!("cannot write {}", file.display()))
}

/// Writes the picture of both equities as a file of its own.
///
/// # Errors
/// If it cannot be written.
pub fn write_picture(report: &Report, file: &Path) -> Result<()> {
    std::fs::write(file, picture(report).svg() + "\n")
        .with_context(|| format!("cannot write {}", file.display()))
}

/// The equities, with what they end at in the title: it stands without the page around it.
fn picture(report: &Report) -> Chart {
    let mut chart = equity(report, own_funds());
    let end = |fate: &Fate, of: &str| {
        let liquidated = if fate.liquidated { " (liquidated)" } else { "" };
        format!("{:.1} {of}{liquidated}", fate.final_equity)
    };
    chart.title = format!(
        "{:.0} quote tokens, leverage 3, {:.1} days: {}, {}",
        own_funds(),
        report.days,
        end(&report.with_keeper, "with a keeper"),
        end(&report.without_keeper, "without"),
    );
    chart.size = PICTURE_SIZE;
    chart
}

fn own_funds() -> f64 {
    OWN_FUNDS.quote as f64 / MICRO_PER_QUOTE
}

fn html(report: &Report) -> String {
    let own = own_funds();
    let mut body = format!(
        "<h1>A leveraged position, kept and left alone</h1><p>Two equal positions of {own} quote tokens, leverage 3, \
         delta-neutral, went through the same {} prices in {:.1} days. One had a keeper.</p>",
        report.moments.len(),
        report.days,
    );
    // Writing to a string does not fail.
    for chart in [equity(report, own), prices(report)] {
        let _ = write!(body, "<p>{}</p>", chart.fragment());
    }
    body.push_str("<h2>Where it came from</h2>");
    for (title, fate) in [
        ("With keeper", &report.with_keeper),
        ("Without keeper", &report.without_keeper),
    ] {
        let _ = write!(body, "<p>{}</p>", gain(title, own, fate).fragment());
    }
    let _ = write!(
        body,
        "<pre class=\"wide\">{}</pre>",
        escape(report.side_by_side().trim_matches('\n'))
    );
    body.push_str("<h2>What the keeper did, and why</h2><div class=\"wide\"><table><tr><th>time</th><th>price</th><th class=\"words\">action</th></tr>");
    for moment in &report.moments {
        for action in &moment.actions {
            let _ = write!(
                body,
                "<tr><td>{}</td><td>{:.2}</td><td class=\"words\">{}</td></tr>",
                escape(&moment.time),
                moment.price,
                escape(action)
            );
        }
    }
    body.push_str("</table></div>");
    page("Ballast: the demo", &body)
}

fn line(moments: &[Moment], of: impl Fn(&Moment) -> f64) -> Vec<(f64, f64)> {
    (0..)
        .zip(moments)
        .map(|(index, moment)| (f64::from(index), of(moment)))
        .collect()
}

fn equity(report: &Report, own: f64) -> Chart {
    let moments = &report.moments;
    let mut chart = Chart::new(
        "Equity, uncollected fees counted",
        Axis::new(steps(moments)),
        Axis::new("equity, quote tokens"),
    )
    .layer(Layer::Level {
        name: "hold".into(),
        y: own,
        tone: Tone::Muted,
    })
    .layer(Layer::line(
        "without keeper",
        Tone::Orange,
        line(moments, |moment| moment.without_keeper),
    ))
    .layer(Layer::line(
        "with keeper",
        Tone::Blue,
        line(moments, |moment| moment.with_keeper),
    ));
    let fallen = (0..).zip(moments).filter(|(_, moment)| moment.liquidated);
    let fallen: Vec<_> = fallen
        .map(|(index, moment)| (f64::from(index), moment.without_keeper, moment.time.clone()))
        .collect();
    if !fallen.is_empty() {
        chart = chart.layer(Layer::Dots {
            name: "liquidated".into(),
            points: fallen,
            tone: Tone::Bad,
        });
    }
    for (index, moment) in (0..).zip(moments) {
        if let Some(chapter) = moment.chapter {
            let title = chapter.split(':').next().unwrap_or(chapter);
            chart.markers.push(Marker {
                x: f64::from(index),
                label: title.into(),
                tone: Tone::Muted,
                dashed: true,
                middle: false,
                begins: true,
            });
        }
    }
    chart
}

/// What a step is: the axis counts prices, which need not come evenly.
fn steps(moments: &[Moment]) -> String {
    let secs = moments.iter().skip(1);
    let secs = secs.map(|moment| moment.secs.round() as i64);
    let time = |secs| {
        let text = duration(secs);
        text.trim_end_matches(" 0m")
            .trim_end_matches(" 0s")
            .to_owned()
    };
    match (secs.clone().min().map(time), secs.max().map(time)) {
        (Some(short), Some(long)) if short == long => format!("prices, {long} apart"),
        (Some(short), Some(long)) => format!("prices, {short} to {long} apart"),
        _ => "prices".to_owned(),
    }
}

fn prices(report: &Report) -> Chart {
    let points = line(&report.moments, |moment| moment.price);
    let mut chart = Chart::new(
        "Price",
        Axis::new(steps(&report.moments)),
        Axis::new("quote per base"),
    )
    .layer(Layer::line("", Tone::Ink, points));
    chart.size = (960.0, 260.0);
    chart
}

fn gain(title: &str, own: f64, fate: &Fate) -> Chart {
    let changes: Vec<_> = fate
        .gain
        .lines()
        .into_iter()
        // What the bar would call 0.00.
        .filter(|(_, raw)| raw.abs() >= 5_000)
        .map(|(name, raw)| (name, raw as f64 / MICRO_PER_QUOTE))
        .collect();
    waterfall(
        title,
        "quote tokens",
        ("own funds", own),
        &changes,
        "equity",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribution::Attribution;

    fn report() -> Report {
        let moment = |time: &str, with: f64, without: f64| Moment {
            time: time.into(),
            chapter: (time == "1 h").then_some("chop: nothing"),
            price: 200.0,
            with_keeper: with,
            without_keeper: without,
            secs: if time == "start" { 0.0 } else { 3_600.0 },
            liquidated: without < 100.0,
            actions: vec!["rehedge: short by <5>".into()],
        };
        Report {
            cluster: "embedded".into(),
            days: 0.1,
            sigma_day: 0.04,
            with_keeper: Fate {
                final_equity: 101.0,
                gain: Attribution {
                    fees_takers: 1_000_000,
                    ..Attribution::default()
                },
                ..Fate::default()
            },
            without_keeper: Fate {
                liquidated: true,
                final_equity: 60.54,
                ..Fate::default()
            },
            simulated: None,
            moments: vec![moment("start", 100.0, 100.0), moment("1 h", 101.0, 99.0)],
        }
    }

    #[test]
    fn the_picture_says_what_both_end_at_and_stands_alone() {
        let svg = picture(&report()).svg();
        for part in [
            "101.0 with a keeper",
            "60.5 without (liquidated)",
            "chop",
            "prices, 1h apart",
            "liquidated</text>",
            "<style>",
        ] {
            assert!(svg.contains(part), "{part}");
        }
        assert!(!svg.contains("href") && !svg.contains("<script"));
    }

    #[test]
    fn a_page_shows_both_positions_and_escapes_reasons() {
        let html = html(&report());
        for part in [
            "Equity, uncollected fees counted",
            "quote per base",
            "With keeper",
            "Without keeper",
            "taker fees",
            "chop",
            "short by &lt;5&gt;",
        ] {
            assert!(html.contains(part), "{part}");
        }
        assert!(!html.contains("<5>"));
    }
}
