//! Which of many settings is best, if the chance of liquidation must be small.

use crate::{Moments, Proportion, Sample, Summary};

/// The worst part of the paths, of which the mean is the shortfall.
const TAIL: f64 = 0.05;
/// How probable it may be to see no more than what was seen.
const UNLIKELY: f64 = 0.05;

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
    /// The largest chance that what was seen does not rule out with 95 %: with a larger one so few or fewer would be seen in less than
    /// 5 % of all runs (Clopper and Pearson's bound, one-sided and exact).
    pub fn at_most_95(&self) -> f64 {
        let (seen, of) = (self.count(), self.count_of());
        if seen >= of {
            return 1.0;
        }
        let ln_choose: f64 = (1..=seen.min(of - seen))
            .map(|index| ((of - seen.min(of - seen) + index) as f64 / index as f64).ln())
            .sum();
        let (mut low, mut high) = (seen as f64 / of as f64, 1.0);
        // To the last bit of a chance that may be small.
        for _ in 0..200 {
            let middle = low + (high - low) / 2.0;
            if middle <= low || middle >= high {
                break;
            }
            if at_most(seen, of, middle, ln_choose) > UNLIKELY {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }
}

/// How probable it is to see at most `seen` of `of` where each has this chance, which is at least `seen / of`. Terms are summed from the
/// largest down; `ln_choose` is the logarithm of the number of ways.
fn at_most(seen: u64, of: u64, chance: f64, ln_choose: f64) -> f64 {
    let (k, n) = (seen as f64, of as f64);
    let mut term = (ln_choose + k * chance.ln() + (n - k) * (-chance).ln_1p()).exp();
    let mut sum = 0.0;
    for index in (0..=seen).rev() {
        sum += term;
        if term <= sum * f64::EPSILON / 4.0 {
            break;
        }
        let index = index as f64;
        term *= index / (n - index + 1.0) * (1.0 - chance) / chance;
    }
    sum
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

    const CLOPPER_PEARSON: [(u32, u32, f64); 5] = [
        (1, 100, 0.0465598114535),
        (5, 100, 0.1022533776433),
        (50, 100, 0.5863782853691),
        (2, 400, 0.0156551799365),
        (7, 500, 0.0261347118679),
    ];

    /// Of none of n the bound solves `(1 - p)^n = 5 %`; of all but one `1 - p^n = 5 %`. The others are by summing the tail in exact
    /// fractions elsewhere.
    #[test]
    fn what_was_seen_rules_out() {
        for of in [1, 10, 299, 3_000] {
            let exact = -(0.05f64.ln() / f64::from(of)).exp_m1();
            let found = seen(0, of).at_most_95();
            assert!((found / exact - 1.0).abs() < 1e-12, "{of}: {found} {exact}");
            let exact = 0.95f64.powf(f64::from(of).recip());
            let found = seen(of - 1, of).at_most_95();
            assert!((found - exact).abs() < 1e-12, "{of}: {found} {exact}");
        }
        assert!((seen(0, 3_000).at_most_95() - 0.000_998_08).abs() < 5e-9);
        assert!(seen(0, 299).at_most_95() <= 0.01 && seen(0, 298).at_most_95() > 0.01);
        assert!(seen(0, 2_995).at_most_95() <= 0.001 && seen(0, 2_994).at_most_95() > 0.001);
        for (count, of, exact) in CLOPPER_PEARSON {
            let found = seen(count, of).at_most_95();
            assert!(
                (found - exact).abs() < 1e-10,
                "{count} of {of}: {found} {exact}"
            );
        }
        assert_eq!(seen(10, 10).at_most_95(), 1.0);
        assert_eq!(seen(0, 0).at_most_95(), 1.0);
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
        // Nothing seen of a thousand rules out 0.3 %, and not 0.299 %.
        assert_eq!(best(&scores, 0.003, mean), Some(0));
        assert_eq!(best(&scores, 0.00299, mean), None);
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
