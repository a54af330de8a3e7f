//! Everything in one HTML file.

use std::fmt::Write as _;

use ballast_chart::{escape, page as chart_page};

use super::{report::QuoteReport, sections::Part};
use crate::format::significant;

/// The page.
pub fn page(report: &QuoteReport) -> String {
    let mut body = String::new();
    let title = format!("Position at {} quote per base", significant(report.P, 8));
    let _ = write!(body, "<h1>{}</h1>", escape(&title));
    let source = &report.conditions.source;
    let _ = write!(
        body,
        "<p class=\"note\">{}; amounts in whole tokens</p>",
        escape(source)
    );
    if let Err(why) = &report.on_chain {
        let why = format!("The program could not open this: {why}");
        let _ = write!(body, "<p class=\"warning\">{}</p>", escape(&why));
    }
    for warning in &report.warnings {
        let _ = write!(body, "<p class=\"warning\">{}</p>", escape(warning));
    }
    facts(&mut body, owned(report.head()));
    body.push_str(&report.amounts().html());
    for chart in [
        report.quote.figure(),
        report.quote.close_up(),
        report.quote.leverage_figure(),
        report.quote.delta_figure(),
    ] {
        let _ = write!(body, "<p>{}</p>", chart.fragment());
    }
    for section in report.sections() {
        let _ = write!(body, "<h2>{}</h2>", escape(&section.title));
        for part in section.parts {
            match part {
                Part::Facts(list) => facts(&mut body, list),
                Part::Table(table) => body.push_str(&table.html()),
                Part::Note(note) => {
                    let _ = write!(body, "<p>{}</p>", escape(&note));
                }
            }
        }
    }
    body.push_str("<h2>Along the price (nobody acts, no fees, no interest)</h2>");
    body.push_str(&report.curve_table().html());
    if let Some(plan) = report.raw_plan() {
        body.push_str("<h2>On chain (raw units)</h2>");
        facts(&mut body, owned(plan));
    }
    chart_page(&title, &body)
}

fn facts(body: &mut String, facts: impl IntoIterator<Item = (String, String)>) {
    body.push_str("<dl>");
    for (name, value) in facts {
        let _ = write!(
            body,
            "<dt>{}</dt><dd>{}</dd>",
            escape(&name),
            escape(&value)
        );
    }
    body.push_str("</dl>");
}

fn owned(
    facts: impl IntoIterator<Item = (&'static str, String)>,
) -> impl Iterator<Item = (String, String)> {
    facts
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
}
