//! Which of many settings is best, if the chance of liquidation must be small.

use crate::{Proportion, Summary};

/// Standard errors below which 95 % of normal numbers lie.
const ONE_SIDED_95: f64 = 1.644_853_626_951_472_2;

/// How a setting has done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Mean gain, as a part of the own funds.
    pub gain: f64,
    /// Its standard error.
    pub stderr: f64,
    /// Standard deviation of the gain.
    pub sd: f64,
    /// Mean gain of the worst 5 % of the paths.
    pub shortfall: f64,
    /// How often a look found the position at maintenance or above.
    pub liquidatable: Proportion,
}

impl Score {
    /// Of a run that began with these own funds, in whole quote tokens.
    pub fn of(summary: &Summary, own: f64) -> Self {
        let equity = summary.equity();
        let moments = equity.moments();
        Self {
            gain: moments.mean() / own - 1.0,
            stderr: moments.stderr() / own,
            sd: moments.sd() / own,
            shortfall: equity.shortfall(0.05) / own - 1.0,
            liquidatable: summary.liquidatable(),
        }
    }

    /// What is to be largest: the gain, less half of `aversion` times its variance.
    pub fn value(&self, aversion: f64) -> f64 {
        self.gain - aversion / 2.0 * self.sd * self.sd
    }

    /// Whether the chance of liquidation is at most `most`: what was seen must rule a larger one out with 95 %.
    pub fn is_safe(&self, most: f64) -> bool {
        self.liquidatable.at_most_95() <= most
    }
}

impl Proportion {
    /// The largest chance that what was seen does not rule out with 95 % (Wilson's interval, one-sided).
    pub fn at_most_95(&self) -> f64 {
        let (seen, of) = (self.probability(), self.count_of().max(1) as f64);
        let square = ONE_SIDED_95 * ONE_SIDED_95;
        let spread = seen * (1.0 - seen) / of + square / (4.0 * of * of);
        ((seen + square / (2.0 * of) + ONE_SIDED_95 * spread.sqrt()) / (1.0 + square / of)).min(1.0)
    }
}

/// The best of the settings that are safe; `None`: none is.
pub fn best(scores: &[Score], most_liquidated: f64, aversion: f64) -> Option<usize> {
    (0..scores.len())
        .filter(|index| scores[*index].is_safe(most_liquidated))
        .max_by(|one, other| {
            let value = |index: &usize| scores[*index].value(aversion);
            // Of equals the first.
            value(one).total_cmp(&value(other)).then(other.cmp(one))
        })
}

/// Settings that no other beats in both the gain and what the worst 5 % lose, from the least risk to the highest gain. Only safe ones
/// count.
pub fn frontier(scores: &[Score], most_liquidated: f64) -> Vec<usize> {
    let mut safe: Vec<usize> = (0..scores.len())
        .filter(|index| scores[*index].is_safe(most_liquidated))
        .collect();
    safe.sort_by(|one, other| {
        let (one, other) = (&scores[*one], &scores[*other]);
        (other.shortfall.total_cmp(&one.shortfall)).then(other.gain.total_cmp(&one.gain))
    });
    let mut highest = f64::NEG_INFINITY;
    safe.retain(|index| {
        let gain = scores[*index].gain;
        let beats = gain > highest;
        highest = highest.max(gain);
        beats
    });
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(count: u32, of: u32) -> Proportion {
        let mut seen = Proportion::default();
        (0..of).for_each(|index| seen.add(index < count));
        seen
    }

    fn score(gain: f64, shortfall: f64, count: u32) -> Score {
        Score {
            gain,
            stderr: 0.001,
            sd: 0.1 * gain.abs(),
            shortfall,
            liquidatable: seen(count, 1_000),
        }
    }

    /// Wilson's upper limit of 0 of n is z^2 / (n + z^2); of half of them it lies 1.645 standard errors above, nearly.
    #[test]
    fn what_was_seen_rules_out() {
        let square = 1.644_853_626_951_472_2f64.powi(2);
        assert!((seen(0, 1_000).at_most_95() - square / (1_000.0 + square)).abs() < 1e-15);
        assert!((seen(500, 1_000).at_most_95() - 0.526).abs() < 1e-3);
        assert_eq!(seen(10, 10).at_most_95(), 1.0);
        assert!(seen(0, 0).at_most_95() > 0.7);
    }

    #[test]
    fn the_best_is_safe() {
        let scores = [
            score(0.01, -0.02, 0),
            score(0.05, -0.30, 50),
            score(0.02, -0.05, 2),
            score(0.02, -0.05, 2),
        ];
        assert_eq!(best(&scores, 0.01, 0.0), Some(2));
        assert_eq!(best(&scores, 0.10, 0.0), Some(1));
        // Nothing seen rules out a chance below 0.27 %, but none below 0.2 %.
        assert_eq!(best(&scores, 0.003, 0.0), Some(0));
        assert_eq!(best(&scores, 0.002, 0.0), None);
        // 0.05 less 10^4 / 2 0.005^2 is below 0.01 less 10^4 / 2 0.001^2.
        assert_eq!(best(&scores, 0.10, 1e4), Some(0));
    }

    #[test]
    fn a_frontier_gains_more_for_more_risk() {
        let scores = [
            score(0.01, -0.02, 0),
            score(0.00, -0.03, 0),
            score(0.03, -0.10, 0),
            score(0.03, -0.12, 0),
            score(0.02, -0.05, 0),
            score(0.09, -0.01, 500),
        ];
        assert_eq!(frontier(&scores, 0.01), [0, 4, 2]);
        assert_eq!(frontier(&scores, 0.9), [5]);
        assert!(frontier(&scores, 0.0).is_empty());
    }
}
