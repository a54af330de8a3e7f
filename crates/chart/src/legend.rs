//! Which colour is what.

use crate::{
    Layer, Tone,
    svg::{Label, Svg},
    text::width,
};

/// Size of its texts.
pub(crate) const SIZE: f64 = 13.0;
/// Height of a row.
pub(crate) const ROW: f64 = 20.0;
const SWATCH: f64 = 18.0;

/// An entry with its place: row and left end.
struct Entry<'a> {
    name: &'a str,
    tone: Tone,
    layer: &'a Layer,
    row: usize,
    left: f64,
}

/// The names of the layers, in as many rows as they need.
pub(crate) struct Legend<'a> {
    entries: Vec<Entry<'a>>,
}

impl<'a> Legend<'a> {
    /// Of a picture between these pixels. A name that comes twice is shown once; a single one needs no legend.
    pub fn new(layers: &'a [Layer], (left, right): (f64, f64)) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        let (mut row, mut at) = (0, left);
        for layer in layers {
            let (name, tone) = layer.name();
            if name.is_empty() || entries.iter().any(|entry| entry.name == name) {
                continue;
            }
            let room = SWATCH + 6.0 + width(name, SIZE) + 18.0;
            if at > left && at + room > right {
                (row, at) = (row + 1, left);
            }
            entries.push(Entry {
                name,
                tone,
                layer,
                row,
                left: at,
            });
            at += room;
        }
        if entries.len() < 2 {
            entries.clear();
        }
        Self { entries }
    }

    /// Height of all rows.
    pub fn height(&self) -> f64 {
        self.entries
            .last()
            .map_or(0.0, |entry| ROW * (entry.row + 1) as f64 + 6.0)
    }

    /// Draws it under `top`.
    pub fn draw(&self, svg: &mut Svg, top: f64) {
        for entry in &self.entries {
            let middle = top + ROW * (entry.row as f64 + 0.5);
            let tone = entry.tone.name();
            let (left, right) = (entry.left, entry.left + SWATCH);
            match entry.layer {
                Layer::Line { dashed, .. } => {
                    let dash = if *dashed { " dash" } else { "" };
                    let class = format!("line s-{tone}{dash}");
                    svg.line(&class, (left, middle), (right, middle));
                }
                Layer::Level { .. } => {
                    let class = format!("line dash s-{tone}");
                    svg.line(&class, (left, middle), (right, middle));
                }
                Layer::Dots { .. } => {
                    svg.circle(
                        &format!("f-{tone}"),
                        (left + SWATCH / 2.0, middle),
                        4.0,
                        entry.name,
                    );
                }
                Layer::Area { .. } | Layer::Bars { .. } | Layer::Region { .. } => {
                    let kind = match entry.layer {
                        Layer::Bars { .. } => "bar",
                        Layer::Region { .. } => "area",
                        _ => "area",
                    };
                    svg.rect(
                        &format!("{kind} f-{tone}"),
                        (left, middle - 6.0),
                        (SWATCH, 12.0),
                        "",
                    );
                }
            }
            svg.label(&Label {
                at: (right + 6.0, middle + SIZE * 0.35),
                size: SIZE,
                anchor: "start",
                class: "f-ink",
                text: entry.name,
            });
        }
    }
}
