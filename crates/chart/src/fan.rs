//! Many ways of one number through time.

use crate::{Layer, Tone};

/// The middle of many ways, half of them around it, and nine tenths of them. Every way has a value at each of `at`; those that are
/// not finite are left out.
pub fn fan(at: &[f64], ways: &[Vec<f64>], tone: Tone) -> Vec<Layer> {
    let mut all = Vec::new();
    let mut half = Vec::new();
    let mut middle = Vec::new();
    for (index, x) in at.iter().enumerate() {
        let mut values: Vec<f64> = ways
            .iter()
            .filter_map(|way| way.get(index))
            .filter(|value| value.is_finite())
            .copied()
            .collect();
        if values.is_empty() {
            continue;
        }
        values.sort_by(f64::total_cmp);
        let part = |part: f64| values[((values.len() - 1) as f64 * part).round() as usize];
        all.push((*x, part(0.05), part(0.95)));
        half.push((*x, part(0.25), part(0.75)));
        middle.push((*x, part(0.5)));
    }
    let area = |name: &str, points| Layer::Area {
        name: name.to_owned(),
        points,
        tone,
    };
    vec![
        area("5 % to 95 %", all),
        area("25 % to 75 %", half),
        Layer::line("median", tone, middle),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_at_each_moment() {
        let ways: Vec<Vec<f64>> = (0..101)
            .map(|way| vec![f64::from(way), 2.0 * f64::from(100 - way), f64::NAN])
            .collect();
        let layers = fan(&[0.0, 1.0, 2.0], &ways, Tone::Blue);
        let [
            Layer::Area { points: all, .. },
            Layer::Area { points: half, .. },
            Layer::Line { points: middle, .. },
        ] = &layers[..]
        else {
            panic!("{layers:?}");
        };
        assert_eq!(all[..], [(0.0, 5.0, 95.0), (1.0, 10.0, 190.0)]);
        assert_eq!(half[..], [(0.0, 25.0, 75.0), (1.0, 50.0, 150.0)]);
        assert_eq!(middle[..], [(0.0, 50.0), (1.0, 100.0)]);
    }
}
