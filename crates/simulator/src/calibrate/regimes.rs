use super::{
    Estimate, Moves, NotCalibrated, WORTH_IT, jackknife, likelihood::Covariance, log_normal,
};

/// Chances of staying in a regime from one move to the next, from which the search begins.
const STARTS: [f64; 3] = [0.9, 0.98, 0.996];
/// The maximum is found when the likelihood's logarithm grows by less.
const ENOUGH: f64 = 1e-8;
const MOST_ROUNDS: usize = 2_000;

/// A regime of volatility and volume.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegimeFit {
    /// Standard deviation of a day's move.
    pub sigma_day: Estimate,
    /// How many days it lasts on average.
    pub days: Estimate,
    /// What is traded over what is traded on average, if that was recorded.
    pub volume: Option<Estimate>,
}

/// Two regimes that follow each other, the quiet one first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegimesFit {
    /// The regimes.
    pub regimes: [RegimeFit; 2],
    /// Logarithm of the likelihood of the moves, up to a number that all models share.
    pub log_likelihood: f64,
}

/// A hidden Markov chain of two states with normal moves.
#[derive(Clone, Copy)]
struct Chain {
    variances: [f64; 2],
    stays: [f64; 2],
}

impl Chain {
    /// The part of the time in each state.
    fn parts(&self) -> [f64; 2] {
        let leaves = self.stays.map(|stay| 1.0 - stay);
        let all = leaves[0] + leaves[1];
        [leaves[1] / all, leaves[0] / all]
    }

    fn densities(&self, by: Option<f64>) -> [f64; 2] {
        // What is missing tells nothing.
        self.variances
            .map(|variance| by.map_or(0.0, |by| log_normal(by, variance)))
    }

    fn next(&self, at: [f64; 2]) -> [f64; 2] {
        let [first, second] = self.stays;
        [
            at[0] * first + at[1] * (1.0 - second),
            at[0] * (1.0 - first) + at[1] * second,
        ]
    }

    /// Chances of the states after each move, given the moves until then, and the likelihood's logarithm.
    fn forward(&self, all: &[Option<f64>], mut each: impl FnMut([f64; 2])) -> f64 {
        let mut at = self.parts();
        let mut likelihood = 0.0;
        for (index, by) in all.iter().enumerate() {
            if index > 0 {
                at = self.next(at);
            }
            if by.is_some() {
                let logs = self.densities(*by);
                let high = logs[0].max(logs[1]);
                let seen = [
                    at[0] * (logs[0] - high).exp(),
                    at[1] * (logs[1] - high).exp(),
                ];
                let sum = seen[0] + seen[1];
                likelihood += high + sum.ln();
                at = seen.map(|seen| seen / sum);
            }
            each(at);
        }
        likelihood
    }

    /// Chances of the states at each move, given all of them (`smoothed`), and one round of expectation and maximisation.
    fn better(&self, all: &[Option<f64>], smoothed: &mut [[f64; 2]]) -> (Self, f64) {
        let mut filtered = Vec::with_capacity(all.len());
        let likelihood = self.forward(all, |at| filtered.push(at));
        let mut stayed = [0.0; 2];
        let mut left = [0.0; 2];
        let mut after = filtered[all.len() - 1];
        smoothed[all.len() - 1] = after;
        for index in (0..all.len() - 1).rev() {
            let at = filtered[index];
            let expected = self.next(at);
            let ratio = [after[0] / expected[0], after[1] / expected[1]];
            let stay = [
                at[0] * self.stays[0] * ratio[0],
                at[1] * self.stays[1] * ratio[1],
            ];
            let leave = [
                at[0] * (1.0 - self.stays[0]) * ratio[1],
                at[1] * (1.0 - self.stays[1]) * ratio[0],
            ];
            for state in 0..2 {
                stayed[state] += stay[state];
                left[state] += leave[state];
            }
            after = [stay[0] + leave[0], stay[1] + leave[1]];
            smoothed[index] = after;
        }
        let mut squares = [0.0; 2];
        let mut weights = [0.0; 2];
        for (by, at) in all.iter().zip(smoothed.iter()) {
            let Some(by) = by else { continue };
            for state in 0..2 {
                squares[state] += at[state] * by * by;
                weights[state] += at[state];
            }
        }
        let state = |pick: &dyn Fn(usize) -> f64| [pick(0), pick(1)];
        let next = Self {
            variances: state(&|state| (squares[state] / weights[state]).max(f64::MIN_POSITIVE)),
            stays: state(&|state| {
                (stayed[state] / (stayed[state] + left[state])).clamp(1e-6, 1.0 - 1e-9)
            }),
        };
        (next, likelihood)
    }

    /// The same in numbers that are unbounded.
    fn parameters(&self) -> [f64; 4] {
        let logit = |part: f64| (part / (1.0 - part)).ln();
        [
            self.variances[0].ln(),
            self.variances[1].ln(),
            logit(self.stays[0]),
            logit(self.stays[1]),
        ]
    }

    fn from_parameters(at: &[f64; 4]) -> Self {
        let part = |at: f64| 1.0 / (1.0 + (-at).exp());
        Self {
            variances: [at[0].exp(), at[1].exp()],
            stays: [part(at[2]), part(at[3])],
        }
    }

    /// Days that a state lasts on average: the chain is looked at only every `step_days`, and may have gone there and back.
    fn days(&self, state: usize, step_days: f64) -> f64 {
        let leaves = self.stays.map(|stay| 1.0 - stay);
        let all = leaves[0] + leaves[1];
        // Both rates together.
        let rate = -(1.0 - all).max(f64::MIN_POSITIVE).ln() / step_days;
        all / (rate * leaves[state])
    }
}

/// The most likely two regimes of normal moves without drift: a hidden Markov chain, its likelihood's maximum by Baum and Welch's
/// rounds from several starts; `None` where they do not make the moves much more likely than one.
///
/// # Errors
/// [`NotCalibrated`]: too few moves.
pub fn fit_regimes(moves: &Moves) -> Result<Option<RegimesFit>, NotCalibrated> {
    let known = moves.known()?;
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    let variance = known
        .iter()
        .map(|by| (by - mean) * (by - mean))
        .sum::<f64>()
        / known.len() as f64;
    if variance.is_nan() || variance <= 0.0 {
        return Ok(None);
    }
    let all: Vec<Option<f64>> = moves
        .all()
        .iter()
        .map(|by| by.map(|by| by - mean))
        .collect();
    let mut smoothed = vec![[0.0; 2]; all.len()];
    let mut best: Option<(Chain, f64)> = None;
    for stay in STARTS {
        let (mut chain, mut likelihood) = (
            Chain {
                variances: [variance / 3.0, variance * 3.0],
                stays: [stay; 2],
            },
            f64::NEG_INFINITY,
        );
        for _ in 0..MOST_ROUNDS {
            let (next, reached) = chain.better(&all, &mut smoothed);
            if reached - likelihood < ENOUGH {
                break;
            }
            (chain, likelihood) = (next, reached);
        }
        if best.is_none_or(|(_, best)| likelihood > best) {
            best = Some((chain, likelihood));
        }
    }
    let Some((mut chain, _)) = best else {
        return Ok(None);
    };
    if chain.variances[0] > chain.variances[1] {
        chain.variances.reverse();
        chain.stays.reverse();
    }
    let (_, likelihood) = chain.better(&all, &mut smoothed);
    let plain = super::fit_diffusion(moves)?.log_likelihood;
    if likelihood - plain < WORTH_IT {
        return Ok(None);
    }
    let at = chain.parameters();
    let scale = [1.0; 4];
    let Some(covariance) = Covariance::at(at, scale, |at| {
        Chain::from_parameters(at).forward(&all, |_| ())
    }) else {
        return Ok(None);
    };
    let step_days = moves.step_days();
    let estimate = |of: &dyn Fn(&Chain) -> f64| Estimate {
        value: of(&chain),
        error: covariance.error(at, scale, |at| of(&Chain::from_parameters(at))),
    };
    let regime = |state: usize| RegimeFit {
        sigma_day: estimate(&|chain| (chain.variances[state] / step_days).sqrt()),
        days: estimate(&|chain| chain.days(state, step_days)),
        volume: volume(moves.volume(), &smoothed, state),
    };
    Ok(Some(RegimesFit {
        regimes: [regime(0), regime(1)],
        log_likelihood: likelihood,
    }))
}

/// What is traded in a state over what is traded on average. A moment's volume is on average the states' volumes, each times its
/// chance: they are the ends of the line through volumes against chances. (Means weighted with the chances would mix the states where
/// the moves leave doubt.)
fn volume(volumes: &[Option<f64>], smoothed: &[[f64; 2]], state: usize) -> Option<Estimate> {
    if volumes.iter().flatten().sum::<f64>() == 0.0 {
        return None;
    }
    let estimate = jackknife(volumes.len(), |is_out| {
        let (mut count, mut chances, mut squares, mut all, mut products) =
            (0.0, 0.0, 0.0, 0.0, 0.0);
        for (index, (volume, at)) in volumes.iter().zip(smoothed).enumerate() {
            let Some(volume) = volume.filter(|_| !is_out(index)) else {
                continue;
            };
            let chance = at[state];
            count += 1.0;
            chances += chance;
            squares += chance * chance;
            all += volume;
            products += chance * volume;
        }
        let (mean_chance, mean) = (chances / count, all / count);
        let slope = (products - mean * chances) / (squares - mean_chance * chances);
        ((mean + slope * (1.0 - mean_chance)) / mean).max(0.0)
    });
    (estimate.value.is_finite() && estimate.error.is_finite()).then_some(estimate)
}
