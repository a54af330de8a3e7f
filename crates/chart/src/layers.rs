//! Draws what lies between the axes.

use crate::{
    Axis, Bar, Chart, Kind, Layer,
    plot::{Layout, TICK},
    svg::{Label, Svg},
};

/// Draws one layer.
pub(crate) fn draw_layer(svg: &mut Svg, layer: &Layer, layout: &Layout, chart: &Chart) {
    let at = |x: f64, y: f64| (layout.x.pixel(x), layout.y.pixel(y));
    match layer {
        Layer::Region { span, tone, .. } => {
            let (from, to) = (layout.x.pixel(span.0), layout.x.pixel(span.1));
            svg.rect(
                &format!("region f-{}", tone.name()),
                (from.min(to), layout.top),
                ((to - from).abs(), layout.bottom - layout.top),
                "",
            );
        }
        Layer::Line {
            points,
            tone,
            dashed,
            ..
        } => {
            let dash = if *dashed { " dash" } else { "" };
            let class = format!("line s-{}{dash}", tone.name());
            for part in points.split(|(x, y)| !(x.is_finite() && y.is_finite())) {
                svg.path(&class, part.iter().map(|(x, y)| at(*x, *y)), false);
            }
        }
        Layer::Area { points, tone, .. } => {
            let finite = |point: &&(f64, f64, f64)| {
                point.0.is_finite() && point.1.is_finite() && point.2.is_finite()
            };
            let there = points.iter().filter(finite).map(|(x, low, _)| at(*x, *low));
            let back = points.iter().filter(finite).rev();
            let edge = there.chain(back.map(|(x, _, high)| at(*x, *high)));
            svg.path(&format!("area f-{}", tone.name()), edge, true);
        }
        Layer::Bars { bars, tone, name } => {
            for bar in bars {
                let (x1, y1) = at(bar.span.0, bar.ends.0);
                let (x2, y2) = at(bar.span.1, bar.ends.1);
                let tip = tip(chart, name, bar);
                // A hair between neighbours.
                let gap = if (x2 - x1).abs() > 3.0 { 1.0 } else { 0.0 };
                svg.rect(
                    &format!("bar f-{}", tone.name()),
                    (x1.min(x2) + gap / 2.0, y1.min(y2)),
                    ((x2 - x1).abs() - gap, (y2 - y1).abs().max(1.0)),
                    &tip,
                );
            }
        }
        Layer::Dots { points, tone, .. } => {
            let class = format!("f-{}", tone.name());
            for (x, y, tip) in points {
                if x.is_finite() && y.is_finite() {
                    svg.circle(&class, at(*x, *y), 4.0, tip);
                }
            }
        }
        Layer::Level { y, tone, .. } => {
            let y = layout.y.pixel(*y);
            let class = format!("line dash s-{}", tone.name());
            svg.line(&class, (layout.left, y), (layout.right, y));
        }
    }
}

/// What a bar is, for the pointer.
fn tip(chart: &Chart, name: &str, bar: &Bar) -> String {
    let digits = |axis: &Axis, a: f64, b: f64| {
        let step = ((a - b).abs() / 100.0).max(1e-9);
        let step = 10f64.powf(step.log10().ceil());
        (axis.numbers.text(a, step), axis.numbers.text(b, step))
    };
    let (low, high) = digits(&chart.y, bar.ends.0, bar.ends.1);
    let height = if bar.ends.0 == 0.0 {
        high
    } else {
        format!("{low} to {high}")
    };
    match &chart.x.kind {
        Kind::Names(names) => {
            let middle = (bar.span.0 + bar.span.1) / 2.0;
            let of = names.get(middle.round().max(0.0) as usize);
            format!("{}: {height}", of.map_or(name, |name| name))
        }
        _ => {
            let (from, to) = digits(&chart.x, bar.span.0, bar.span.1);
            format!("{name} {from} to {to}: {height}").trim().to_owned()
        }
    }
}

/// Writes what stands at the ends of bars.
pub(crate) fn bar_labels(svg: &mut Svg, bars: &[Bar], layout: &Layout) {
    for bar in bars.iter().filter(|bar| !bar.label.is_empty()) {
        let middle = layout.x.pixel((bar.span.0 + bar.span.1) / 2.0);
        let end = layout.y.pixel(bar.ends.1);
        let down = bar.ends.1 < bar.ends.0;
        let y = if down { end + TICK + 2.0 } else { end - 5.0 };
        svg.label(&Label {
            at: (middle, y.clamp(layout.top + TICK, layout.bottom - 4.0)),
            size: TICK,
            anchor: "middle",
            class: "label s-halo f-ink",
            text: &bar.label,
        });
    }
}
