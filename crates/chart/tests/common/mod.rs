//! Reads pictures again. Other crates' tests take it in by its path.
#![allow(dead_code)]

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

/// An attribute's number.
#[track_caller]
pub fn number(node: &Node, name: &str) -> f64 {
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

/// No text covers another or leaves the picture.
#[track_caller]
pub fn nothing_overlaps(svg: &str) {
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
