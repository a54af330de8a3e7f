//! Which of many settings is best, if the chance of liquidation must be small.

use crate::{Moments, Proportion, Sample, Summary};

/// The worst part of the paths, of which the mean is the shortfall.
const TAIL: f64 = 0.05;
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
    /// What was done on a path, on average.
    pub actions: f64,
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
            shortfall: equity.shortfall(TAIL) / own - 1.0,
            actions: summary.own_acts().mean(),
            liquidatable: summary.liquidatable(),
        }
    }

    /// What is to be largest.
    pub fn value(&self, aim: Aim) -> f64 {
        self.gain - aim.aversion / 2.0 * self.sd * self.sd + aim.tail * (self.shortfall - self.gain)
    }

    /// Whether the chance of liquidation is at most `most`: what was seen must rule a larger one out with 95 %.
    pub fn is_safe(&self, most: f64) -> bool {
        self.liquidatable.at_most_95() <= most
    }
}

/// What is to be largest: the mean gain, less half of `aversion` times its variance, less `tail` times what the worst 5 % gain less than
/// the mean; gains are parts of the own funds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Aim {
    /// Of the variance.
    pub aversion: f64,
    /// Of the worst paths.
    pub tail: f64,
}

/// A difference and its standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Difference {
    /// The difference.
    pub mean: f64,
    /// Its standard error.
    pub stderr: f64,
}

/// How one setting does less how another does on the same paths, as parts of the own funds. The paths' luck is in both and in no error.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Apart {
    /// Of the mean gains.
    pub gain: Difference,
    /// Of the mean gains of the worst 5 % of each.
    pub shortfall: Difference,
    /// Of what is to be largest.
    pub value: Difference,
}

impl Apart {
    /// Of equities at the end of the same paths, in their order; of none it is nothing.
    ///
    /// Errors are those of means: the shortfall is the mean of `q + min(x - q, 0) / 0.05` with the quantile q, the variance that of
    /// `(x - m)^2` with the mean m, and both q and m count as known.
    pub fn of(aim: Aim, [one, other]: [&[f64]; 2], own: f64) -> Self {
        let (one, other) = (Shares::of(one, own), Shares::of(other, own));
        let mut moments = [Moments::default(); 3];
        for (one, other) in one.each(aim).zip(other.each(aim)) {
            for (moments, (one, other)) in moments.iter_mut().zip(one.into_iter().zip(other)) {
                moments.add(one - other);
            }
        }
        let [gain, shortfall, value] = moments.map(|moments| Difference {
            mean: moments.mean(),
            stderr: moments.stderr(),
        });
        Self {
            gain,
            shortfall,
            value,
        }
    }
}

/// What each path adds to the means that a setting is judged by.
struct Shares<'a> {
    equities: &'a [f64],
    own: f64,
    mean: f64,
    quantile: f64,
}

impl<'a> Shares<'a> {
    fn of(equities: &'a [f64], own: f64) -> Self {
        let mut sample = Sample::with_capacity(equities.len());
        equities.iter().for_each(|equity| sample.add(*equity));
        let sorted = sample.sorted();
        Self {
            equities,
            own,
            mean: sorted.moments().mean() / own - 1.0,
            quantile: sorted.quantile(TAIL) / own - 1.0,
        }
    }

    /// Gain, shortfall, and what is to be largest.
    fn each(&self, aim: Aim) -> impl Iterator<Item = [f64; 3]> {
        self.equities.iter().map(move |equity| {
            let gain = equity / self.own - 1.0;
            let worst = self.quantile + (gain - self.quantile).min(0.0) / TAIL;
            let off = gain - self.mean;
            let value = gain - aim.aversion / 2.0 * off * off + aim.tail * (worst - gain);
            [gain, worst, value]
        })
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
pub fn best(scores: &[Score], most_liquidated: f64, aim: Aim) -> Option<usize> {
    (0..scores.len())
        .filter(|index| scores[*index].is_safe(most_liquidated))
        .max_by(|one, other| {
            let value = |index: &usize| scores[*index].value(aim);
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
            actions: 0.0,
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

    /// Differences of means, of tails and of what is to be largest are those of the scores; and what both have in common is in no error.
    #[test]
    fn apart_on_the_same_paths() {
        let one: Vec<f64> = (0..100)
            .map(|path| 100.0 + f64::from(path * 37 % 100))
            .collect();
        let other: Vec<f64> = one.iter().map(|equity| equity - 1.0).collect();
        let aim = Aim {
            aversion: 4.0,
            tail: 0.25,
        };
        let shifted = Apart::of(aim, [&one, &other], 100.0);
        for difference in [shifted.gain, shifted.shortfall, shifted.value] {
            assert!((difference.mean - 0.01).abs() < 1e-12 && difference.stderr < 1e-12);
        }
        // One whose tail is worse: 5 of 100 paths lose 10 more.
        let worse: Vec<f64> = one
            .iter()
            .map(|equity| equity - if *equity < 105.0 { 10.0 } else { 0.0 })
            .collect();
        let of = |equities: &[f64]| {
            let mut sample = Sample::default();
            equities.iter().for_each(|equity| sample.add(*equity));
            let sorted = sample.sorted();
            Score {
                gain: sorted.moments().mean() / 100.0 - 1.0,
                stderr: 0.0,
                // Of all paths and not of a sample.
                sd: sorted.moments().sd() * (0.99f64).sqrt() / 100.0,
                shortfall: sorted.shortfall(0.05) / 100.0 - 1.0,
                actions: 0.0,
                liquidatable: Proportion::default(),
            }
        };
        let (one_score, worse_score) = (of(&one), of(&worse));
        let tail = Apart::of(aim, [&one, &worse], 100.0);
        assert!((tail.gain.mean - 0.005).abs() < 1e-12, "{tail:?}");
        assert!((tail.shortfall.mean - 0.1).abs() < 1e-12, "{tail:?}");
        let value = one_score.value(aim) - worse_score.value(aim);
        assert!((tail.value.mean - value).abs() < 1e-12, "{tail:?} {value}");
        // Which paths are worse is luck; that the tail as a whole lies 10 lower is none.
        assert!(
            tail.gain.stderr > 1e-3 && tail.shortfall.stderr < 1e-12,
            "{tail:?}"
        );
        assert_eq!(Apart::of(aim, [&[], &[]], 100.0), Apart::default());
    }

    #[test]
    fn the_best_is_safe() {
        let scores = [
            score(0.01, -0.02, 0),
            score(0.05, -0.30, 50),
            score(0.02, -0.05, 2),
            score(0.02, -0.05, 2),
        ];
        let mean = Aim::default();
        assert_eq!(best(&scores, 0.01, mean), Some(2));
        assert_eq!(best(&scores, 0.10, mean), Some(1));
        // Nothing seen rules out a chance below 0.27 %, but none below 0.2 %.
        assert_eq!(best(&scores, 0.003, mean), Some(0));
        assert_eq!(best(&scores, 0.002, mean), None);
        // 0.05 less 10^4 / 2 0.005^2 is below 0.01 less 10^4 / 2 0.001^2.
        let averse = Aim {
            aversion: 1e4,
            tail: 0.0,
        };
        assert_eq!(best(&scores, 0.10, averse), Some(0));
        // 0.05 less a fifth of what the worst lose more than that, 0.35, is below 0.01 less a fifth of 0.03.
        let careful = Aim {
            aversion: 0.0,
            tail: 0.2,
        };
        assert_eq!(best(&scores, 0.10, careful), Some(2));
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
