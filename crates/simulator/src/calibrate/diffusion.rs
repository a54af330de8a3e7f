use super::{Estimate, Moves, NotCalibrated, jackknife, log_normal};

/// Geometric Brownian motion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DiffusionFit {
    /// Standard deviation of a day's move.
    pub sigma_day: Estimate,
    /// Growth of the mean price per day.
    pub drift_day: Estimate,
    /// Logarithm of the likelihood of the moves, up to a number that all models share.
    pub log_likelihood: f64,
}

/// The most likely Brownian motion: mean and variance of the moves.
///
/// The error of sigma is the jackknife's, so that quiet times and wild ones, and large single moves, are in it. That of the drift is
/// `sigma / sqrt(days)`: a record of weeks says next to nothing of it.
///
/// # Errors
/// [`NotCalibrated`]: too few moves, or none at all.
pub fn fit_diffusion(moves: &Moves) -> Result<DiffusionFit, NotCalibrated> {
    let known = moves.known()?;
    let days = moves.step_days();
    let variance_day = |is_out: &dyn Fn(usize) -> bool| {
        let kept = || {
            (0..known.len())
                .filter(|index| !is_out(*index))
                .map(|index| known[index])
        };
        let count = kept().count() as f64;
        let mean = kept().sum::<f64>() / count;
        let squares: f64 = kept().map(|by| (by - mean) * (by - mean)).sum();
        squares / (count - 1.0) / days
    };
    let sigma_day = jackknife(known.len(), |is_out| variance_day(is_out).sqrt());
    if sigma_day.value.is_nan() || sigma_day.value <= 0.0 {
        return Err(NotCalibrated::NoMoves);
    }
    let sigma = sigma_day.value;
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    let variance = sigma * sigma * days;
    Ok(DiffusionFit {
        sigma_day,
        drift_day: Estimate {
            value: mean / days + sigma * sigma / 2.0,
            error: sigma / (known.len() as f64 * days).sqrt(),
        },
        log_likelihood: known.iter().map(|by| log_normal(by - mean, variance)).sum(),
    })
}
