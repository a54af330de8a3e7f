//! A line as characters, for terminals: each character is two dots wide and four high.

use crate::{number::Numbers, scale::Scale};

/// A place on the horizontal axis with a character that stands for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TextMark {
    /// Where.
    pub x: f64,
    /// Its character, under the axis.
    pub sign: char,
}

/// Bits of a character's dots: left column, right column, from above.
const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// A line through `points` (in order of x) in `size` characters, axes included, with marks under it. Nothing where there is no
/// room or no point.
pub fn text_plot(points: &[(f64, f64)], marks: &[TextMark], size: (usize, usize)) -> String {
    let finite: Vec<_> = points
        .iter()
        .copied()
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .collect();
    let (Some(first), Some(last)) = (finite.first(), finite.last()) else {
        return String::new();
    };
    let low = finite
        .iter()
        .map(|point| point.1)
        .fold(f64::INFINITY, f64::min);
    let high = finite
        .iter()
        .map(|point| point.1)
        .fold(f64::NEG_INFINITY, f64::max);
    // Axis, marks and numbers take three rows.
    let rows = size.1.saturating_sub(3);
    let scale = Scale::new((low, high), (rows as f64 * 4.0 - 1.0, 0.0), false);
    let (ticks, step) = scale.ticks((rows / 3).max(2));
    let labels: Vec<(usize, String)> = ticks
        .iter()
        .map(|tick| {
            (
                (scale.pixel(*tick) / 4.0) as usize,
                Numbers::Plain.text(*tick, step),
            )
        })
        .collect();
    let margin = labels
        .iter()
        .map(|label| label.1.chars().count())
        .max()
        .unwrap_or(0)
        + 1;
    let columns = size.0.saturating_sub(margin + 1);
    if rows < 2 || columns < 8 {
        return String::new();
    }
    let across = Scale::new((first.0, last.0), (0.0, columns as f64 * 2.0 - 1.0), false);
    let mut cells = vec![vec![0u32; columns]; rows];
    let mut dot = |x: f64, y: f64| {
        let (x, y) = (x.round().max(0.0) as usize, y.round().max(0.0) as usize);
        if let Some(cell) = cells.get_mut(y / 4).and_then(|row| row.get_mut(x / 2)) {
            *cell |= DOTS[x % 2][y % 4];
        }
    };
    for pair in finite.windows(2) {
        let from = (across.pixel(pair[0].0), scale.pixel(pair[0].1));
        let to = (across.pixel(pair[1].0), scale.pixel(pair[1].1));
        let steps =
            ((to.0 - from.0).abs().max((to.1 - from.1).abs()).ceil() as usize).clamp(1, 4_096);
        for step in 0..=steps {
            let part = step as f64 / steps as f64;
            dot(
                from.0 + part * (to.0 - from.0),
                from.1 + part * (to.1 - from.1),
            );
        }
    }
    let mut text = String::new();
    for (index, row) in cells.iter().enumerate() {
        let label = labels.iter().find(|(at, _)| *at == index);
        let (label, tick) = label.map_or(("", '\u{2502}'), |(_, text)| (text.as_str(), '\u{2524}'));
        text.push_str(&format!("{label:>margin$}{tick}"));
        let line: String = row
            .iter()
            .map(|bits| match bits {
                0 => ' ',
                bits => char::from_u32(0x2800 + bits).unwrap_or(' '),
            })
            .collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push_str(&format!(
        "{:>margin$}\u{2514}{}\n",
        "",
        "\u{2500}".repeat(columns)
    ));
    text.push_str(&format!(
        "{:>margin$} {}\n",
        "",
        signs(marks, &across, columns)
    ));
    text.push_str(&format!("{:>margin$} {}\n", "", numbers(&across, columns)));
    text
}

fn signs(marks: &[TextMark], across: &Scale, columns: usize) -> String {
    let mut line = vec![' '; columns];
    for mark in marks {
        let at = (across.pixel(mark.x).round() / 2.0).floor();
        // The first one there stays.
        if let Some(cell) = (at >= 0.0).then(|| line.get_mut(at as usize)).flatten()
            && *cell == ' '
        {
            *cell = mark.sign;
        }
    }
    let line: String = line.into_iter().collect();
    line.trim_end().to_owned()
}

fn numbers(across: &Scale, columns: usize) -> String {
    let (ticks, step) = across.ticks(columns / 14);
    let mut line = String::new();
    for tick in ticks {
        let text = Numbers::Plain.text(tick, step);
        let half = text.chars().count() / 2;
        let start = ((across.pixel(tick) / 2.0).round().max(0.0) as usize).saturating_sub(half);
        let used = line.chars().count();
        if (used > 0 && start <= used) || start + text.chars().count() > columns {
            continue;
        }
        line.extend(std::iter::repeat_n(' ', start - used));
        line.push_str(&text);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_from_corner_to_corner() {
        let points: Vec<_> = (0..=100).map(|x| (f64::from(x), f64::from(x))).collect();
        let marks = [
            TextMark { x: 0.0, sign: 'a' },
            TextMark {
                x: 100.0,
                sign: 'z',
            },
        ];
        let text = text_plot(&points, &marks, (60, 12));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 12);
        assert!(
            lines.iter().all(|line| line.chars().count() <= 60),
            "{text}"
        );
        // Above right, below left.
        assert!(
            lines[0].chars().count() > 55 && lines[8].chars().count() < 20,
            "{text}"
        );
        assert!(
            lines[10].trim_start().starts_with('a') && lines[10].ends_with('z'),
            "{text}"
        );
        assert!(lines[11].contains("50"), "{text}");
    }

    #[test]
    fn nothing_without_room_or_points() {
        assert_eq!(text_plot(&[], &[], (60, 12)), "");
        assert_eq!(text_plot(&[(f64::NAN, 1.0)], &[], (60, 12)), "");
        assert_eq!(text_plot(&[(0.0, 1.0), (1.0, 2.0)], &[], (5, 12)), "");
        assert_eq!(text_plot(&[(0.0, 1.0), (1.0, 2.0)], &[], (60, 3)), "");
        assert!(!text_plot(&[(0.0, 1.0)], &[], (60, 12)).is_empty());
    }
}
