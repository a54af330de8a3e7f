//! How often a price passes from one level to a neighbouring one.

use ballast_simulator::hitting::Motion;

/// Terms of the inversion; even. More lose digits to cancellation.
const TERMS: usize = 12;
/// With more levels than these, the levels are as good as everywhere.
pub(crate) const MOST_LEVELS: usize = 20_000;

/// Expected number of passages until `days`: a passage is the first visit of a level next to the last one visited. `levels` are
/// logarithms of prices, ascending; the motion begins at `start`, after a visit of level `at`.
///
/// Between levels the waiting times are those of a Brownian motion with drift, whose Laplace transforms are, with
/// `theta = sqrt(mu^2 + 2 sigma^2 s) / sigma^2` and the distances a and b of the lower and upper level,
/// `up(s) = e^(mu b / sigma^2) sinh(a theta) / sinh((a + b) theta)`, and `e^(mu b / sigma^2 - b theta)` where there is no lower level.
/// So the transforms of the expected numbers solve `n_k = up_k (1/s + n_(k+1)) + down_k (1/s + n_(k-1))`, one linear equation per
/// level, and Stehfest's sum of real s turns them back. Error below 1e-3 of the number, and 1e-6 where that is nearly none.
pub(crate) fn passages(
    motion: Motion,
    levels: &[f64],
    start: f64,
    at: usize,
    days: f64,
) -> Option<f64> {
    if motion.sigma_day.is_nan()
        || motion.sigma_day <= 0.0
        || levels.len() > MOST_LEVELS
        || at >= levels.len()
    {
        return None;
    }
    if levels.len() < 2 || days <= 0.0 {
        return Some(0.0);
    }
    let log_two = std::f64::consts::LN_2 / days;
    let weights = stehfest();
    let sum: f64 = (1..=TERMS)
        .zip(weights)
        .map(|(index, weight)| {
            weight * transform(motion, levels, start, at, log_two * index as f64)
        })
        .sum();
    Some((sum * log_two).max(0.0))
}

fn transform(motion: Motion, levels: &[f64], start: f64, at: usize, s: f64) -> f64 {
    let neighbours = |index: usize| {
        let lower = index.checked_sub(1).and_then(|index| levels.get(index));
        (lower.copied(), levels.get(index + 1).copied())
    };
    let leaving = |from: f64, index: usize| leave(motion, from, neighbours(index), s);
    // Forward elimination of n_k - down_k n_(k-1) - up_k n_(k+1) = (up_k + down_k) / s, then back.
    let mut rows: Vec<(f64, f64)> = Vec::with_capacity(levels.len());
    for (index, level) in levels.iter().enumerate() {
        let (down, up) = leaving(*level, index);
        let (above, known) = rows.last().copied().unwrap_or_default();
        let pivot = 1.0 - down * above;
        rows.push((up / pivot, ((up + down) / s + down * known) / pivot));
    }
    let mut numbers = vec![0.0; levels.len()];
    let mut next = 0.0;
    for (number, (up, known)) in numbers.iter_mut().zip(&rows).rev() {
        *number = known + up * next;
        next = *number;
    }
    let (down, up) = leaving(start, at);
    let number = |index: Option<usize>| {
        index
            .and_then(|index| numbers.get(index))
            .copied()
            .unwrap_or(0.0)
    };
    up * (1.0 / s + number(Some(at + 1))) + down * (1.0 / s + number(at.checked_sub(1)))
}

/// Transforms of leaving through the lower and the upper level.
fn leave(
    motion: Motion,
    from: f64,
    (lower, upper): (Option<f64>, Option<f64>),
    s: f64,
) -> (f64, f64) {
    let variance = motion.sigma_day * motion.sigma_day;
    let tilt = motion.drift_day / variance;
    let theta = (motion.drift_day * motion.drift_day + 2.0 * variance * s).sqrt() / variance;
    // The sinhs' ratio, without what would overflow.
    let through = |tilt: f64, here: f64, other: Option<f64>| {
        let part = other.map_or(1.0, |other| {
            (-2.0 * other * theta).exp_m1() / (-2.0 * (other + here) * theta).exp_m1()
        });
        ((tilt - theta) * here).exp() * part
    };
    let (below, above) = (
        lower.map(|lower| (from - lower).max(0.0)),
        upper.map(|upper| (upper - from).max(0.0)),
    );
    (
        below.map_or(0.0, |below| through(-tilt, below, above)),
        above.map_or(0.0, |above| through(tilt, above, below)),
    )
}

/// Stehfest's weights.
fn stehfest() -> [f64; TERMS] {
    let factorial = |n: usize| (1..=n).map(|factor| factor as f64).product::<f64>();
    let half = TERMS / 2;
    let mut weights = [0.0; TERMS];
    for (index, weight) in weights.iter_mut().enumerate() {
        let i = index + 1;
        let sum: f64 = (i.div_ceil(2)..=i.min(half))
            .map(|k| {
                (k as f64).powi(half as i32) * factorial(2 * k)
                    / (factorial(half - k)
                        * factorial(k)
                        * factorial(k - 1)
                        * factorial(i - k)
                        * factorial(2 * k - i))
            })
            .sum();
        *weight = if (i + half).is_multiple_of(2) {
            sum
        } else {
            -sum
        };
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal;

    const MOTION: Motion = Motion {
        drift_day: 0.0,
        sigma_day: 0.05,
    };

    /// With one level above and none else: the chance to have reached it, 2 P(Z > b / (sigma sqrt T)).
    #[test]
    fn one_passage_is_the_reflection_principle() {
        for (distance, days) in [(0.05, 1.0), (0.1, 2.0), (0.02, 5.0)] {
            let levels = [0.0, distance];
            let up = 2.0 * normal::below(-distance / (0.05 * f64::sqrt(days)));
            let passages = passages(MOTION, &levels, 0.0, 0, days).unwrap();
            // And down again, and up again: P(one more) is the chance of twice, thrice the way.
            let all: f64 = (1..60)
                .map(|count| {
                    2.0 * normal::below(-f64::from(count) * distance / (0.05 * f64::sqrt(days)))
                })
                .sum();
            assert!((passages / all - 1.0).abs() < 1e-3, "{passages} {all}");
            assert!(passages > up);
        }
    }

    /// Many levels a width d apart: sigma^2 T / d^2 in the long run, less than one for the way that is not finished.
    #[test]
    fn many_levels_count_the_variance() {
        let levels: Vec<f64> = (-200..=200).map(|level| f64::from(level) * 0.01).collect();
        let few = passages(MOTION, &levels, 0.0, 200, 1.0).unwrap();
        let more = passages(MOTION, &levels, 0.0, 200, 2.0).unwrap();
        assert!((more - few - 25.0).abs() < 0.01, "{few} {more}");
        // The distance from the last level has variance d^2 / 6 in the long run.
        assert!((few - (25.0 - 1.0 / 6.0)).abs() < 0.01, "{few}");
    }

    #[test]
    fn nothing_to_pass_and_nothing_known() {
        assert_eq!(passages(MOTION, &[0.0], 0.0, 0, 1.0), Some(0.0));
        assert_eq!(passages(MOTION, &[0.0, 1.0], 0.0, 0, 0.0), Some(0.0));
        assert_eq!(passages(MOTION, &[0.0, 1.0], 0.0, 2, 1.0), None);
        assert_eq!(
            passages(
                Motion {
                    sigma_day: 0.0,
                    ..MOTION
                },
                &[0.0, 1.0],
                0.0,
                0,
                1.0
            ),
            None
        );
        // From beyond the range: one way only.
        let far = passages(MOTION, &[-0.2, -0.1], 0.3, 1, 1.0).unwrap();
        assert!(far < 1e-6, "{far}");
    }
}
