//! Pictures as whoever reads them sees them: the SVG is parsed again.

mod common;

use ballast_chart::{Axis, Chart, Layer, Marker, Tone, histogram, waterfall};
use common::{nothing_overlaps, number};
use roxmltree::Document;

fn marker(x: f64, label: &str, middle: bool) -> Marker {
    Marker {
        x,
        label: format!("{label} {x} ({:+.1}%)", x / 2.0 - 100.0),
        tone: if middle { Tone::Ink } else { Tone::Bad },
        dashed: !middle,
        middle,
        begins: false,
    }
}

/// Equity against price with eleven markers, some of them a pixel apart.
fn crowded() -> Chart {
    let curve = (90..=280).map(|price| {
        let price = f64::from(price);
        (price, 100.0 - (price - 200.0).powi(2) / 100.0)
    });
    let mut chart = Chart::new(
        "Equity against price",
        Axis::new("price, quote per base"),
        Axis::new("equity, quote"),
    )
    .layer(Layer::Region {
        name: "range".into(),
        span: (190.0, 210.0),
        tone: Tone::Blue,
    })
    .layer(Layer::line("nobody acts", Tone::Blue, curve.collect()))
    .layer(Layer::Level {
        name: "own funds".into(),
        y: 100.0,
        tone: Tone::Muted,
    });
    chart.subtitle = "190 to 210, three times".into();
    chart.markers = [
        (110.85, "liquidation"),
        (140.2, "deleverage"),
        (180.0, "stop-loss"),
        (190.0, "range"),
        (192.0, "recenter"),
        (198.0, "rehedge"),
        (202.0, "rehedge"),
        (208.0, "recenter"),
        (210.0, "range"),
        (240.1, "deleverage"),
        (258.64, "liquidation"),
    ]
    .map(|(x, label)| marker(x, label, false))
    .into();
    chart.markers.push(marker(200.0, "price now", true));
    chart
}

#[test]
fn no_text_covers_another_or_leaves_the_picture() {
    nothing_overlaps(&crowded().svg());
    for width in [640.0, 960.0, 1400.0] {
        let chart = Chart {
            size: (width, 600.0),
            ..crowded()
        };
        nothing_overlaps(&chart.svg());
    }
}

#[test]
fn a_marker_stands_where_the_axis_says() {
    let svg = crowded().svg();
    let document = Document::parse(&svg).unwrap();
    let line = |label: &str| {
        let groups = document
            .descendants()
            .filter(|node| node.attribute("class") == Some("marker"));
        let mut lines = groups
            .filter(|group| {
                group
                    .children()
                    .any(|child| child.text().is_some_and(|text| text.starts_with(label)))
            })
            .map(|group| number(&group.first_element_child().unwrap(), "x1"));
        (lines.next().unwrap(), lines.next())
    };
    // Two numbers of the axis fix the scale; every marker must lie on it.
    let ticks: Vec<(f64, f64)> = document
        .descendants()
        .filter(|node| node.has_tag_name("text") && node.attribute("text-anchor") == Some("middle"))
        .filter_map(|node| Some((node.text()?.parse().ok()?, number(&node, "x"))))
        .collect();
    let ((from, left), (to, right)) = (ticks[0], ticks[ticks.len() - 1]);
    let pixel = |price: f64| left + (price - from) / (to - from) * (right - left);
    for (label, price) in [
        ("liquidation 110.85", 110.85),
        ("stop-loss", 180.0),
        ("price now", 200.0),
        ("rehedge 198", 198.0),
    ] {
        let (x, second) = line(label);
        assert!(
            (x - pixel(price)).abs() < 1.0 && second.is_none(),
            "{label}: {x} is not {}",
            pixel(price)
        );
    }
}

#[test]
fn it_asks_nobody_for_anything_and_knows_light_and_dark() {
    let svg = crowded().svg();
    assert!(svg.contains("prefers-color-scheme:dark") && svg.contains("var(--ink,"));
    // The one address is the name of SVG itself.
    assert_eq!(svg.matches("http").count(), 1);
    for foreign in ["href", "url(", "@import", "<script", "<image"] {
        assert!(!svg.contains(foreign), "{foreign}");
    }
    assert_eq!(crowded().svg(), svg);
}

#[test]
fn bars_have_their_heights() {
    let values: Vec<f64> = (0..100).map(f64::from).collect();
    let bars = histogram(&values, (0.0, 100.0), 10);
    let chart = Chart::new(
        "ends",
        Axis::new("equity"),
        Axis::new("part of the paths").percent(),
    )
    .layer(Layer::Bars {
        name: "with keeper".into(),
        bars: bars.clone(),
        tone: Tone::Blue,
    })
    .layer(Layer::Bars {
        name: "hold".into(),
        bars,
        tone: Tone::Orange,
    });
    let svg = chart.svg();
    nothing_overlaps(&svg);
    let document = Document::parse(&svg).unwrap();
    let heights: Vec<f64> = document
        .descendants()
        .filter(|node| node.attribute("class") == Some("bar f-blue") && node.has_children())
        .map(|node| number(&node, "height"))
        .collect();
    assert_eq!(heights.len(), 10);
    assert!(
        heights
            .iter()
            .all(|height| (height - heights[0]).abs() < 0.02 && *height > 50.0)
    );
    let changes = [
        ("fees", 4.0),
        ("curvature", -6.5),
        ("interest", -0.5),
        ("costs", -1.0),
    ];
    nothing_overlaps(
        &waterfall(
            "where it went",
            "quote",
            ("own funds", 100.0),
            &changes,
            "equity",
        )
        .svg(),
    );
}

#[test]
fn whatever_the_values_are_the_picture_is_xml() {
    for points in [
        vec![],
        vec![(f64::NAN, 1.0)],
        vec![(0.0, f64::INFINITY), (1.0, 2.0)],
        vec![(1e300, 1e-300), (-1e300, 1e300)],
        vec![(5.0, 5.0)],
    ] {
        for log in [false, true] {
            let axis = |name: &str| {
                if log {
                    Axis::new(name).log()
                } else {
                    Axis::new(name)
                }
            };
            let area = points.iter().map(|(x, y)| (*x, 0.0, *y)).collect();
            let dots = points
                .iter()
                .map(|(x, y)| (*x, *y, "<here>".to_owned()))
                .collect();
            let mut chart = Chart::new("<a & b>", axis("x"), axis("y"))
                .layer(Layer::line("line", Tone::Teal, points.clone()))
                .layer(Layer::Area {
                    name: "area".into(),
                    points: area,
                    tone: Tone::Violet,
                })
                .layer(Layer::Dots {
                    name: "dots".into(),
                    points: dots,
                    tone: Tone::Good,
                });
            chart.markers.push(marker(1.0, "<\u{0}>", false));
            let svg = chart.svg();
            let document = Document::parse(&svg).unwrap();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            assert_eq!(
                document
                    .root_element()
                    .first_element_child()
                    .unwrap()
                    .tag_name()
                    .name(),
                "style"
            );
        }
    }
}
