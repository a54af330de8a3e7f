//! Pictures of quotes, read again.

#[path = "../../chart/tests/common/mod.rs"]
mod reading;

mod common;

use ballast_model::Bps;
use ballast_quote::{Inputs, Quote};
use common::{UNITS, example, inputs};
use reading::{nothing_overlaps, number};
use roxmltree::Document;

fn everything() -> Inputs {
    let mut inputs = example();
    inputs.rules.edge = Some(Bps::new(1_000));
    inputs.rules.low = Some(UNITS.sqrt_price(150f64.ln()));
    inputs.rules.high = Some(UNITS.sqrt_price(245f64.ln()));
    inputs.rules.floor = Some(85_000_000);
    inputs
}

#[test]
fn no_label_covers_another_whatever_the_position() {
    let mut several = vec![
        example(),
        everything(),
        inputs(199.0, 201.0, 100),
        inputs(100.0, 400.0, 100),
        inputs(150.0, 205.0, 0),
    ];
    let mut narrow = everything();
    narrow.rules.hedge.band = Bps::new(50);
    several.push(narrow);
    for inputs in several {
        let quote = Quote::new(&inputs).unwrap();
        for chart in [
            quote.figure(),
            quote.close_up(),
            quote.delta_figure(),
            quote.leverage_figure(),
        ] {
            nothing_overlaps(&chart.svg());
        }
    }
}

#[test]
fn boundaries_and_triggers_stand_at_their_prices() {
    let quote = Quote::new(&everything()).unwrap();
    let svg = quote.figure().svg();
    let document = Document::parse(&svg).unwrap();
    let ticks: Vec<(f64, f64)> = document
        .descendants()
        .filter(|node| node.has_tag_name("text") && node.attribute("text-anchor") == Some("middle"))
        .filter_map(|node| Some((node.text()?.parse().ok()?, number(&node, "x"))))
        .collect();
    let ((from, left), (to, right)) = (ticks[0], ticks[ticks.len() - 1]);
    let pixel = |price: f64| left + (price - from) / (to - from) * (right - left);
    let markers: Vec<(String, f64)> = document
        .descendants()
        .filter(|node| node.attribute("class") == Some("marker"))
        .map(|group| {
            let text = group.children().find_map(|child| child.text()).unwrap();
            (
                text.to_owned(),
                number(&group.first_element_child().unwrap(), "x1"),
            )
        })
        .collect();
    // Price now, both ends of the range, and every trigger.
    assert_eq!(markers.len(), 3 + quote.triggers.len());
    for (label, price) in [
        ("now 200", 200.0),
        ("range 190", 190.0),
        ("range 210", 210.0),
        ("liquidation 110.85", 110.846787443450),
        ("liquidation 258.64", 258.635186985545),
        ("stop\u{2010}loss 150", 150.0),
        ("take\u{2010}profit 245", 245.0),
    ] {
        let (text, x) = markers
            .iter()
            .find(|(text, _)| text.starts_with(label))
            .unwrap_or_else(|| panic!("no {label}: {markers:?}"));
        assert!(
            (x - pixel(price)).abs() < 1.0,
            "{text}: {x} is not {}",
            pixel(price)
        );
    }
    for trigger in &quote.triggers {
        let there = markers
            .iter()
            .any(|(_, x)| (x - pixel(trigger.price)).abs() < 1.0);
        assert!(there, "{trigger:?}");
    }
}

#[test]
fn the_line_is_the_equity() {
    let quote = Quote::new(&example()).unwrap();
    let chart = quote.figure();
    let lines: Vec<_> = chart
        .layers
        .iter()
        .filter_map(|layer| match layer {
            ballast_chart::Layer::Line { points, .. } => Some(points),
            _ => None,
        })
        .collect();
    assert_eq!(lines.len(), 3);
    for (price, equity) in lines.into_iter().flatten() {
        assert_eq!(quote.sizing.risk(*price).equity, *equity);
    }
}
