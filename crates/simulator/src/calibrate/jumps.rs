use super::{Estimate, Moves, NotCalibrated, WORTH_IT, likelihood::Covariance, log_normal};

/// Moves beyond so many standard deviations are taken for jumps at first.
const FIRST_GUESS: f64 = 4.0;
/// Fewer jumps say nothing about their size.
const LEAST_JUMPS: usize = 3;
/// The maximum is found when the likelihood's logarithm grows by less.
const ENOUGH: f64 = 1e-9;
const MOST_ROUNDS: usize = 5_000;

/// Geometric Brownian motion that also jumps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JumpFit {
    /// Standard deviation of the diffusion of a day.
    pub sigma_day: Estimate,
    /// Jumps a day.
    pub per_day: Estimate,
    /// Mean of a jump, in the logarithm of the price.
    pub mean: Estimate,
    /// Standard deviation of a jump.
    pub sd: Estimate,
    /// Logarithm of the likelihood of the moves, up to a number that all models share.
    pub log_likelihood: f64,
}

/// A move is a step of the diffusion, or with a small chance such a step and a jump.
#[derive(Clone, Copy)]
struct Mixture {
    drift: f64,
    variance: f64,
    chance: f64,
    mean: f64,
    jump_variance: f64,
}

impl Mixture {
    /// Logarithm of the density of a move, and the chance that a jump is in it.
    fn of(&self, by: f64) -> (f64, f64) {
        let plain = (1.0 - self.chance).ln() + log_normal(by - self.drift, self.variance);
        let jumped = self.chance.ln()
            + log_normal(
                by - self.drift - self.mean,
                self.variance + self.jump_variance,
            );
        let high = plain.max(jumped);
        let all = high + ((plain - high).exp() + (jumped - high).exp()).ln();
        (all, (jumped - all).exp())
    }

    fn log_likelihood(&self, known: &[f64]) -> f64 {
        known.iter().map(|by| self.of(*by).0).sum()
    }

    /// The same in numbers that are unbounded.
    fn parameters(&self) -> [f64; 5] {
        [
            self.drift,
            self.variance.ln(),
            (self.chance / (1.0 - self.chance)).ln(),
            self.mean,
            self.jump_variance.ln(),
        ]
    }

    fn from_parameters(at: &[f64; 5]) -> Self {
        Self {
            drift: at[0],
            variance: at[1].exp(),
            chance: 1.0 / (1.0 + (-at[2]).exp()),
            mean: at[3],
            jump_variance: at[4].exp(),
        }
    }

    /// One round of expectation and maximisation. What of a move with a jump was the jump is as uncertain as the diffusion is.
    fn better(&self, known: &[f64]) -> Self {
        let count = known.len() as f64;
        let part = self.jump_variance / (self.jump_variance + self.variance);
        let (mut weight, mut jumps, mut squares) = (0.0, 0.0, 0.0);
        let (mut drift, mut rest) = (0.0, 0.0);
        for by in known {
            let chance = self.of(*by).1;
            // The jump, given the move: its mean; its variance is `part * variance`.
            let jump = self.mean + part * (by - self.drift - self.mean);
            weight += chance;
            jumps += chance * jump;
            squares += chance * jump * jump;
            drift += by - chance * jump;
            let (plain, jumped) = (by - self.drift, by - self.drift - jump);
            rest +=
                (1.0 - chance) * plain * plain + chance * (jumped * jumped + part * self.variance);
        }
        let mean = jumps / weight;
        Self {
            drift: drift / count,
            variance: rest / count,
            chance: weight / count,
            mean,
            jump_variance: (squares / weight - mean * mean + part * self.variance)
                .max(self.variance * 1e-6),
        }
    }
}

/// The most likely diffusion with jumps (at most one a move; the maximum of the likelihood by expectation and maximisation, begun from
/// what lies beyond four standard deviations of the bipower variation); `None` where jumps do not make the moves much more likely.
///
/// # Errors
/// [`NotCalibrated`]: too few moves.
pub fn fit_jumps(moves: &Moves) -> Result<Option<JumpFit>, NotCalibrated> {
    let known = moves.known()?;
    let count = known.len() as f64;
    // Barndorff-Nielsen and Shephard, "Power and bipower variation with stochastic volatility and jumps", 2004.
    let pairs: f64 = known.windows(2).map(|pair| (pair[0] * pair[1]).abs()).sum();
    let variance = std::f64::consts::FRAC_PI_2 * pairs / (count - 1.0);
    if variance.is_nan() || variance <= 0.0 {
        return Ok(None);
    }
    let is_jump = |by: &&f64| by.abs() > FIRST_GUESS * variance.sqrt();
    let first: Vec<f64> = known.iter().filter(is_jump).copied().collect();
    if first.len() < LEAST_JUMPS {
        return Ok(None);
    }
    let mean = first.iter().sum::<f64>() / first.len() as f64;
    let squares: f64 = first.iter().map(|by| (by - mean) * (by - mean)).sum();
    let mut best = Mixture {
        drift: 0.0,
        variance,
        chance: first.len() as f64 / count,
        mean,
        jump_variance: squares / first.len() as f64 + variance,
    };
    let mut likelihood = best.log_likelihood(&known);
    for _ in 0..MOST_ROUNDS {
        let next = best.better(&known);
        let higher = next.log_likelihood(&known);
        best = next;
        if higher - likelihood < ENOUGH {
            break;
        }
        likelihood = higher;
    }
    let plain = super::fit_diffusion(moves)?.log_likelihood;
    if likelihood - plain < WORTH_IT {
        return Ok(None);
    }
    let at = best.parameters();
    let scale = [
        (best.variance / count).sqrt(),
        1.0,
        1.0,
        best.jump_variance.sqrt(),
        1.0,
    ];
    let Some(covariance) = Covariance::at(at, scale, |at| {
        Mixture::from_parameters(at).log_likelihood(&known)
    }) else {
        return Ok(None);
    };
    let days = moves.step_days();
    let estimate = |of: &dyn Fn(&Mixture) -> f64| Estimate {
        value: of(&best),
        error: covariance.error(at, scale, |at| of(&Mixture::from_parameters(at))),
    };
    Ok(Some(JumpFit {
        sigma_day: estimate(&|model| (model.variance / days).sqrt()),
        // One jump or more, at a rate.
        per_day: estimate(&|model| -(-model.chance).ln_1p() / days),
        mean: estimate(&|model| model.mean),
        sd: estimate(&|model| model.jump_variance.sqrt()),
        log_likelihood: likelihood,
    }))
}
