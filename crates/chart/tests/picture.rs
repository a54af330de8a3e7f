//! Pictures as whoever reads them sees them: the SVG is parsed again.

use ballast_chart::{Axis, Chart, Layer, Marker, Tone, histogram, waterfall};
use roxmltree::{Document, Node};

/// A text's box, with advances of DejaVu Sans (measured, in thousandths of the size).
#[derive(Debug)]
struct TextBox {
    /// Shown where a test fails.
    _text: String,
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

fn number(node: &Node, name: &str) -> f64 {
    node.attribute(name)
        .unwrap_or_else(|| panic!("no {name} in {node:?}"))
        .parse()
        .unwrap()
}

fn advance(c: char) -> f64 {
    f64::from(match c {
        'i' | 'j' | 'l' => 278,
        ' ' | '.' | ',' => 318,
        '-' => 361,
        '(' | ')' => 390,
        't' => 392,
        'f' => 352,
        'r' => 411,
        's' => 521,
        'c' => 550,
        'e' => 615,
        'a' => 613,
        'o' => 612,
        'p' | 'q' | 'd' | 'b' | 'g' => 635,
        'n' | 'h' | 'u' => 634,
        'm' => 974,
        'w' => 818,
        '%' => 950,
        '+' | '\u{2212}' => 838,
        '0'..='9' => 636,
        _ => 640,
    }) / 1000.0
}

fn text_boxes(document: &Document) -> Vec<TextBox> {
    let texts = document
        .descendants()
        .filter(|node| node.has_tag_name("text"));
    texts
        .map(|node| {
            let text = node.text().unwrap_or("").to_owned();
            let size = number(&node, "font-size");
            let width = text.chars().map(advance).sum::<f64>() * size;
            let (x, y) = (number(&node, "x"), number(&node, "y"));
            let start = match node.attribute("text-anchor").unwrap() {
                "start" => 0.0,
                "middle" => -width / 2.0,
                _ => -width,
            };
            if node.attribute("transform").is_some() {
                // Turned to the left: it runs upwards.
                let (left, top) = (x - 0.75 * size, y + start);
                return TextBox {
                    _text: text,
                    left,
                    top,
                    right: x + 0.25 * size,
                    bottom: top + width,
                };
            }
            TextBox {
                _text: text,
                left: x + start,
                top: y - 0.75 * size,
                right: x + start + width,
                bottom: y + 0.25 * size,
            }
        })
        .collect()
}

#[track_caller]
fn nothing_overlaps(svg: &str) {
    let document = Document::parse(svg).unwrap();
    let boxes = text_boxes(&document);
    let root = document.root_element();
    let (width, height) = (number(&root, "width"), number(&root, "height"));
    for (index, a) in boxes.iter().enumerate() {
        assert!(
            a.left >= 0.0 && a.top >= 0.0 && a.right <= width && a.bottom <= height,
            "{a:?} leaves {width} x {height}"
        );
        for b in &boxes[index + 1..] {
            let apart =
                a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
            assert!(apart, "{a:?} covers {b:?}");
        }
    }
}

fn marker(x: f64, label: &str, middle: bool) -> Marker {
    Marker {
        x,
        label: format!("{label} {x} ({:+.1}%)", x / 2.0 - 100.0),
        tone: if middle { Tone::Ink } else { Tone::Bad },
        dashed: !middle,
        middle,
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
