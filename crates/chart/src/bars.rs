//! Bars of values.

use crate::{Axis, Bar, Chart, Layer, Tone};

/// Thickness of a mark, as a part of what is seen.
const MARK: f64 = 0.015;

/// Equal bins over `range` (values beyond it count in the first or last one); the height is the part of the values in a bin.
/// Values that are not finite are left out. Nothing without values, bins or width.
pub fn histogram(values: &[f64], range: (f64, f64), bins: usize) -> Vec<Bar> {
    let width = (range.1 - range.0) / bins as f64;
    let finite = || values.iter().filter(|value| value.is_finite());
    let all = finite().count();
    if bins == 0 || all == 0 || !width.is_finite() || width <= 0.0 {
        return Vec::new();
    }
    let mut counts = vec![0usize; bins];
    for value in finite() {
        // `as` saturates.
        let bin = ((value - range.0) / width) as usize;
        counts[bin.min(bins - 1)] += 1;
    }
    let bar = |(index, count)| {
        let left = range.0 + width * index as f64;
        Bar {
            span: (left, left + width),
            ends: (0.0, count as f64 / all as f64),
            label: String::new(),
        }
    };
    counts.into_iter().enumerate().map(bar).collect()
}

/// The outline of neighbouring bars as a line: for a second histogram over a first one, which bars would hide.
pub fn outline(bars: &[Bar]) -> Vec<(f64, f64)> {
    let (Some(first), Some(last)) = (bars.first(), bars.last()) else {
        return Vec::new();
    };
    let tops = bars
        .iter()
        .flat_map(|bar| [(bar.span.0, bar.ends.1), (bar.span.1, bar.ends.1)]);
    std::iter::once((first.span.0, first.ends.0))
        .chain(tops)
        .chain([(last.span.1, last.ends.0)])
        .collect()
}

/// How `start` becomes the end by one change after the other: gains and losses float. Start and end stand on the ground; where that
/// is out of the picture they are marks, because a bar without its lower part looks like another number.
pub fn waterfall(
    title: &str,
    unit: &str,
    start: (&str, f64),
    changes: &[(&str, f64)],
    end: &str,
) -> Chart {
    let names = std::iter::once(start.0)
        .chain(changes.iter().map(|(name, _)| *name))
        .chain([end]);
    let bar = |index: usize, from: f64, to: f64, value: f64, sign: bool| {
        let middle = index as f64;
        Bar {
            span: (middle - 0.36, middle + 0.36),
            ends: (from, to),
            label: if sign {
                format!("{value:+.2}").replace('-', "\u{2212}")
            } else {
                format!("{value:.2}")
            },
        }
    };
    let mut whole = vec![bar(0, 0.0, start.1, start.1, false)];
    let (mut gains, mut losses) = (Vec::new(), Vec::new());
    let mut now = start.1;
    for (index, (_, change)) in changes.iter().enumerate() {
        let of = if *change < 0.0 {
            &mut losses
        } else {
            &mut gains
        };
        of.push(bar(index + 1, now, now + change, *change, true));
        now += change;
    }
    whole.push(bar(changes.len() + 1, 0.0, now, now, false));
    // What happens far above the ground is seen better without it.
    let heights = whole.iter().chain(&gains).chain(&losses);
    let (low, high) = heights
        .flat_map(|bar| {
            if bar.ends.0 == 0.0 {
                [bar.ends.1; 2]
            } else {
                [bar.ends.0, bar.ends.1]
            }
        })
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), end| {
            (low.min(end), high.max(end))
        });
    let room = 0.15 * (high - low);
    let axis = Axis::new(unit);
    let y = if low > 0.0 && low - room > 0.0 {
        for bar in &mut whole {
            bar.ends.0 = bar.ends.1 - MARK * (high - low);
        }
        axis.range(low - room, high + room)
    } else {
        axis.range(low.min(0.0) - room, high.max(0.0) + room)
    };
    let bars = |name: &str, tone, bars| Layer::Bars {
        name: name.to_owned(),
        bars,
        tone,
    };
    Chart::new(title, Axis::new("").names(names), y)
        .layer(bars("", Tone::Muted, whole))
        .layer(bars("gain", Tone::Good, gains))
        .layer(bars("loss", Tone::Bad, losses))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_one_bin() {
        let values = [-5.0, 0.0, 0.5, 1.0, 1.5, 2.0, 99.0, f64::NAN];
        let bars = histogram(&values, (0.0, 2.0), 4);
        let heights: Vec<_> = bars.iter().map(|bar| (bar.ends.1 * 7.0).round()).collect();
        assert_eq!(heights, [2.0, 1.0, 1.0, 3.0]);
        assert_eq!(bars[1].span, (0.5, 1.0));
        let outline = outline(&bars);
        assert_eq!(
            (outline.len(), outline[0], outline[9]),
            (10, (0.0, 0.0), (2.0, 0.0))
        );
        assert_eq!(outline[3], (0.5, bars[1].ends.1));
        assert!(histogram(&[], (0.0, 1.0), 4).is_empty());
        assert!(histogram(&[1.0], (1.0, 1.0), 4).is_empty());
        assert!(histogram(&[1.0], (0.0, 1.0), 0).is_empty());
    }

    #[test]
    fn a_waterfall_ends_where_its_changes_lead() {
        let chart = waterfall(
            "t",
            "quote",
            ("own", 100.0),
            &[("fees", 5.0), ("curvature", -8.0)],
            "end",
        );
        let Layer::Bars { bars, .. } = &chart.layers[0] else {
            panic!()
        };
        assert_eq!(bars[1].ends.1, 97.0);
        let Layer::Bars { bars, .. } = &chart.layers[2] else {
            panic!()
        };
        assert_eq!(
            (bars[0].ends, bars[0].label.as_str()),
            ((105.0, 97.0), "\u{2212}8.00")
        );
        assert!(chart.y.range.unwrap().0 > 50.0);
        // No bars from somewhere to 100 and 97: what is seen of them would say three times as much.
        let Layer::Bars { bars: ends, .. } = &chart.layers[0] else {
            panic!()
        };
        assert!(
            ends.iter().all(|bar| bar.ends.1 - bar.ends.0 < 0.2),
            "{ends:?}"
        );
        let through_zero = waterfall("t", "quote", ("own", 1.0), &[("loss", -3.0)], "end");
        assert!(through_zero.y.range.unwrap().0 < -2.0);
        let Layer::Bars { bars, .. } = &through_zero.layers[0] else {
            panic!()
        };
        assert_eq!(bars[0].ends, (0.0, 1.0));
    }
}
