//! Draws a chart.

use std::fmt::Write as _;

use crate::{
    Axis, Chart, Kind, Layer,
    layers::{bar_labels, draw_layer},
    legend::Legend,
    markers::{self, Placed, place},
    scale::Scale,
    style,
    svg::{Label, Svg, escape, px},
    text::width,
};

/// Size of numbers.
pub(crate) const TICK: f64 = 12.0;
const AXIS_TITLE: f64 = 13.0;
const TITLE: f64 = 18.0;
const SUBTITLE: f64 = 13.0;

/// A number on an axis: where, what.
type Ticks = Vec<(f64, String)>;

/// Where everything goes.
pub(crate) struct Layout<'a> {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
    pub x: Scale,
    pub y: Scale,
    x_ticks: Ticks,
    y_ticks: Ticks,
    placed: Vec<Placed>,
    pixels: Vec<f64>,
    legend: Legend<'a>,
    legend_top: f64,
}

impl Chart {
    /// A file of its own.
    pub fn svg(&self) -> String {
        self.draw(&format!(
            "<style>{}{}</style>",
            style::variables(":root"),
            style::rules()
        ))
    }

    /// A part of a [`page`](crate::page), which has the style.
    pub fn fragment(&self) -> String {
        self.draw("")
    }

    fn draw(&self, style: &str) -> String {
        let (width, height) = (self.size.0.max(240.0), self.size.1.max(160.0));
        let layout = self.layout(width, height);
        let mut svg = Svg::default();
        let _ = write!(
            svg.text,
            r#"<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" viewBox="0 0 {w} {h}" width="{w}" height="{h}">{style}<title>{title}</title>"#,
            w = px(width),
            h = px(height),
            title = escape(&self.title)
        );
        svg.rect("f-surface", (0.0, 0.0), (width, height), "");
        self.head(&mut svg, layout.left.min(24.0));
        self.axes(&mut svg, &layout);
        // A nested picture cuts off what lies beyond the axes.
        let (inner_width, inner_height) = (layout.right - layout.left, layout.bottom - layout.top);
        let _ = write!(
            svg.text,
            r#"<svg x="{x}" y="{y}" width="{w}" height="{h}" viewBox="{x} {y} {w} {h}">"#,
            x = px(layout.left),
            y = px(layout.top),
            w = px(inner_width),
            h = px(inner_height)
        );
        for layer in &self.layers {
            draw_layer(&mut svg, layer, &layout, self);
        }
        svg.raw("</svg>");
        for layer in &self.layers {
            if let Layer::Bars { bars, .. } = layer {
                bar_labels(&mut svg, bars, &layout);
            }
        }
        self.draw_markers(&mut svg, &layout);
        layout.legend.draw(&mut svg, layout.legend_top);
        svg.raw("</svg>");
        svg.text
    }

    fn layout(&self, width_all: f64, height: f64) -> Layout<'_> {
        let (x_domain, y_domain) = self.domains();
        let (x_log, y_log) = (self.x.kind == Kind::Log, self.y.kind == Kind::Log);
        // Numbers on the vertical axis do not depend on its pixels.
        let y_ticks = ticks(&self.y, &Scale::new(y_domain, (1.0, 0.0), y_log), 6);
        let widest = y_ticks
            .iter()
            .map(|(_, text)| width(text, TICK))
            .fold(0.0, f64::max);
        let y_title = if self.y.label.is_empty() { 0.0 } else { 24.0 };
        let left = (y_title + widest + 16.0).max(24.0);
        let right = width_all - 28.0;
        let x = Scale::new(x_domain, (left, right), x_log);
        let x_ticks = ticks(&self.x, &x, ((right - left) / 110.0) as usize);
        let pixels: Vec<_> = self
            .markers
            .iter()
            .map(|marker| x.pixel(marker.x))
            .collect();
        let placed = place(&self.markers, &pixels, (8.0, width_all - 8.0));
        let lanes = placed.iter().map(|placed| placed.lane + 1).max();
        let head =
            16.0 + if self.title.is_empty() {
                0.0
            } else {
                TITLE + 6.0
            } + if self.subtitle.is_empty() {
                0.0
            } else {
                SUBTITLE + 6.0
            };
        let top = head + lanes.map_or(4.0, |lanes| markers::LANE * lanes as f64 + 8.0);
        let legend = Legend::new(&self.layers, (left, right));
        let x_title = if self.x.label.is_empty() { 0.0 } else { 22.0 };
        let legend_top = height - 8.0 - legend.height();
        let bottom = (legend_top - x_title - 24.0).max(top + 20.0);
        Layout {
            left,
            right,
            top,
            bottom,
            x,
            y: Scale::new(y_domain, (bottom, top), y_log),
            x_ticks,
            y_ticks,
            placed,
            pixels,
            legend,
            legend_top,
        }
    }

    /// As far as the layers and markers reach, unless the axis says otherwise.
    fn domains(&self) -> ((f64, f64), (f64, f64)) {
        let mut x = Reach::default();
        let mut y = Reach::default();
        for (across, up) in self.layers.iter().flat_map(Layer::reach) {
            x.add(across, self.x.kind == Kind::Log);
            y.add(up, self.y.kind == Kind::Log);
        }
        for marker in &self.markers {
            x.add(Some(marker.x), self.x.kind == Kind::Log);
        }
        if let Kind::Names(names) = &self.x.kind {
            x = Reach(Some((-0.5, names.len().max(1) as f64 - 0.5)));
        }
        let domain = |axis: &Axis, reach: Reach, part: f64| {
            axis.range
                .unwrap_or_else(|| reach.padded(part, axis.kind == Kind::Log))
        };
        (domain(&self.x, x, 0.0), domain(&self.y, y, 0.05))
    }

    fn head(&self, svg: &mut Svg, left: f64) {
        let mut y = 16.0;
        for (text, size, class) in [
            (&self.title, TITLE, "title f-ink"),
            (&self.subtitle, SUBTITLE, "f-muted"),
        ] {
            if text.is_empty() {
                continue;
            }
            y += size;
            svg.label(&Label {
                at: (left, y - 2.0),
                size,
                anchor: "start",
                class,
                text,
            });
            y += 6.0;
        }
    }

    fn axes(&self, svg: &mut Svg, layout: &Layout) {
        let Layout {
            left,
            right,
            top,
            bottom,
            ..
        } = *layout;
        for (value, text) in &layout.y_ticks {
            let y = layout.y.pixel(*value);
            svg.line("hair s-grid", (left, y), (right, y));
            svg.label(&Label {
                at: (left - 8.0, y + TICK * 0.35),
                size: TICK,
                anchor: "end",
                class: "f-muted",
                text,
            });
        }
        let mut free_from = f64::NEG_INFINITY;
        for (value, text) in &layout.x_ticks {
            let x = layout.x.pixel(*value);
            svg.line("hair s-muted", (x, bottom), (x, bottom + 5.0));
            // What has no room is left out.
            let half = width(text, TICK) / 2.0;
            if x - half < free_from || x + half > right + 26.0 {
                continue;
            }
            free_from = x + half + 6.0;
            svg.label(&Label {
                at: (x, bottom + 18.0),
                size: TICK,
                anchor: "middle",
                class: "f-muted",
                text,
            });
        }
        svg.line("hair s-muted", (left, bottom), (right, bottom));
        svg.line("hair s-muted", (left, top), (left, bottom));
        if !self.x.label.is_empty() {
            svg.label(&Label {
                at: ((left + right) / 2.0, bottom + 38.0),
                size: AXIS_TITLE,
                anchor: "middle",
                class: "f-ink",
                text: &self.x.label,
            });
        }
        if !self.y.label.is_empty() {
            let middle = (top + bottom) / 2.0;
            let _ = write!(
                svg.text,
                r#"<text class="f-ink" x="{x}" y="{y}" font-size="{AXIS_TITLE}" text-anchor="middle" transform="rotate(-90 {x} {y})">{}</text>"#,
                escape(&self.y.label),
                x = px(17.0),
                y = px(middle)
            );
        }
    }

    fn draw_markers(&self, svg: &mut Svg, layout: &Layout) {
        for ((marker, placed), x) in self.markers.iter().zip(&layout.placed).zip(&layout.pixels) {
            let rect = placed.rect(layout.top);
            let tone = marker.tone.name();
            let dash = if marker.dashed { " dash" } else { "" };
            svg.raw(r#"<g class="marker">"#);
            let class = format!("hair s-{tone}{dash}");
            // Beside its label, or under it where it stands over its line.
            let above = if (rect.left..rect.right).contains(x) {
                rect.bottom
            } else {
                rect.top + 3.0
            };
            svg.line(&class, (*x, above), (*x, layout.bottom));
            let (at, anchor) = placed.anchor(*x);
            svg.label(&Label {
                at: (at, rect.bottom - 4.0),
                size: markers::SIZE,
                anchor,
                class: &format!("label s-halo f-{tone}"),
                text: &marker.label,
            });
            svg.raw("</g>");
        }
    }
}

/// From the smallest to the largest number seen.
#[derive(Clone, Copy, Default)]
struct Reach(Option<(f64, f64)>);

impl Reach {
    fn add(&mut self, value: Option<f64>, log: bool) {
        let Some(value) = value.filter(|value| value.is_finite() && (!log || *value > 0.0)) else {
            return;
        };
        let (low, high) = self.0.unwrap_or((value, value));
        self.0 = Some((low.min(value), high.max(value)));
    }

    fn padded(self, part: f64, log: bool) -> (f64, f64) {
        let (low, high) = self.0.unwrap_or((f64::NAN, f64::NAN));
        if log {
            let factor = (high / low).powf(part);
            return (low / factor, high * factor);
        }
        let room = part * (high - low);
        // Bars and areas stand on the ground.
        let below = if low == 0.0 { 0.0 } else { low - room };
        (below, high + room)
    }
}

fn ticks(axis: &Axis, scale: &Scale, about: usize) -> Ticks {
    if let Kind::Names(names) = &axis.kind {
        let place = |(index, name): (usize, &String)| (index as f64, name.clone());
        return names.iter().enumerate().map(place).collect();
    }
    let (ticks, step) = scale.ticks(about.max(2));
    let text = |tick: f64| {
        // On a logarithmic axis each number has its own size.
        let step = if step > 0.0 {
            step
        } else {
            10f64.powf(tick.abs().log10().floor() - f64::from(u8::from(tick.abs() < 1e4)))
        };
        axis.numbers.text(tick, step)
    };
    ticks.into_iter().map(|tick| (tick, text(tick))).collect()
}
