//! Chances that a price reaches a boundary, in closed form.

use std::f64::consts::PI;

/// `-zeta(1/2) / sqrt(2 pi)`: how far beyond a boundary, in standard deviations of a step, the first look beyond it lies on
/// average.
const OVERSHOOT: f64 = 0.582_597_157_939_010_6;
/// Beyond this drift, in standard deviations over the whole time, the series cancels to fewer than eight digits.
const MAX_DRIFT: f64 = 6.0;
/// With fewer looks than these the shift of the boundaries is no approximation.
const LEAST_LOOKS: f64 = 30.0;
/// A boundary so many standard deviations away is never reached.
const FAR: f64 = 12.0;

/// A Brownian motion that starts at 0: the logarithm of a price over its price now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Motion {
    /// Drift per day.
    pub drift_day: f64,
    /// Standard deviation of a day.
    pub sigma_day: f64,
}

/// Chances of leaving an interval through either end first.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exit {
    /// Through the lower end.
    pub lower: f64,
    /// Through the upper end.
    pub upper: f64,
}

impl Motion {
    /// The motion of the logarithm of a price that grows by `drift_day` a day on average: the drift loses half the variance.
    pub fn of_price(drift_day: f64, sigma_day: f64) -> Self {
        Self {
            drift_day: drift_day - sigma_day * sigma_day / 2.0,
            sigma_day,
        }
    }

    /// Chances that the motion, watched all the time, has left `(lower, upper)` by `days`, by the end through which it leaves
    /// first. An end that is `None` does not exist.
    ///
    /// With the width W, x0 the distance from the lower end, `lambda_k = (pi k sigma / W)^2 / 2`, `nu = mu^2 / (2 sigma^2)`:
    ///
    /// `P_upper(T) = P_upper(inf) - e^(mu (W - x0) / sigma^2) pi sigma^2 / W^2
    ///   sum_k (-1)^(k+1) k sin(pi k x0 / W) e^(-(lambda_k + nu) T) / (lambda_k + nu)`
    ///
    /// with `P_upper(inf) = (1 - e^(-2 mu x0 / sigma^2)) / (1 - e^(-2 mu W / sigma^2))`, x0 / W without drift; the lower end is
    /// the mirror image. Absolute error below 1e-7. `None` where the series cannot say it so exactly (a drift of more than six
    /// standard deviations over the whole time), without variance, or where the interval does not hold 0.
    pub fn exit(&self, lower: Option<f64>, upper: Option<f64>, days: f64) -> Option<Exit> {
        let Self {
            drift_day: mu,
            sigma_day: sigma,
        } = *self;
        let spread = sigma * days.sqrt();
        if spread.is_nan() || spread <= 0.0 || (mu * days).abs() > MAX_DRIFT * spread {
            return None;
        }
        let far = FAR * spread + (mu * days).abs();
        let end = |distance: f64| distance.min(far);
        let (below, above) = (
            end(lower.map_or(far, |lower| -lower)),
            end(upper.unwrap_or(far)),
        );
        if !(below > 0.0 && above > 0.0) {
            return None;
        }
        Some(Exit {
            lower: through_upper(-mu, sigma, above, below, days),
            upper: through_upper(mu, sigma, below, above, days),
        })
    }

    /// Mean time in days until the motion, watched all the time, leaves `(lower, upper)`:
    /// `(b P_upper - a P_lower) / mu` with the distances a and b of the ends and the chances of leaving through either, which is
    /// `a b / sigma^2` without drift. `None` without variance or where the interval does not hold 0.
    pub fn mean_exit_days(&self, lower: f64, upper: f64) -> Option<f64> {
        let Self {
            drift_day: mu,
            sigma_day: sigma,
        } = *self;
        let (below, above) = (-lower, upper);
        let variance = sigma * sigma;
        if !(below > 0.0 && above > 0.0 && variance > 0.0) {
            return None;
        }
        let tilt = 2.0 * mu / variance;
        // Little drift over the whole width cancels: the drift's first order is exact enough there.
        if (tilt * (below + above)).abs() < 1e-4 {
            return Some(below * above / variance * (1.0 + tilt * (above - below) / 6.0));
        }
        let through_upper = (-tilt * below).exp_m1() / (-tilt * (below + above)).exp_m1();
        Some((above * through_upper - below * (1.0 - through_upper)) / mu)
    }

    /// The same when the price is only looked at every `step_days`: both ends move outwards by `0.5826 sigma sqrt(step)`
    /// (Broadie, Glasserman and Kou, "A continuity correction for discrete barrier options", 1997). The error vanishes
    /// faster than the square root of the step. `None` also for fewer than 30 looks.
    pub fn exit_at_looks(
        &self,
        lower: Option<f64>,
        upper: Option<f64>,
        days: f64,
        step_days: f64,
    ) -> Option<Exit> {
        if days < LEAST_LOOKS * step_days {
            return None;
        }
        let shift = OVERSHOOT * self.sigma_day * step_days.sqrt();
        self.exit(
            lower.map(|lower| lower - shift),
            upper.map(|upper| upper + shift),
            days,
        )
    }
}

fn through_upper(mu: f64, sigma: f64, below: f64, above: f64, days: f64) -> f64 {
    let variance = sigma * sigma;
    let width = below + above;
    let ever = {
        let tilt = 2.0 * mu / variance;
        if (tilt * width).abs() < 1e-9 {
            below / width
        } else {
            (-tilt * below).exp_m1() / (-tilt * width).exp_m1()
        }
    };
    let nu = mu * mu / (2.0 * variance);
    let mut sum = 0.0;
    for k in 1u32.. {
        let wave = PI * f64::from(k) / width;
        let rate = variance * wave * wave / 2.0 + nu;
        if rate * days > 60.0 + nu * days {
            break;
        }
        let sign = if k % 2 == 1 { 1.0 } else { -1.0 };
        // The tilt belongs into the exponent: alone it may overflow.
        let decay = (mu * above / variance - rate * days).exp();
        sum += sign * f64::from(k) * (wave * below).sin() * decay / rate;
    }
    (ever - PI * variance / (width * width) * sum).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example's liquidation prices at 200.
    fn example() -> (Option<f64>, Option<f64>) {
        (
            Some((110.846787443450f64 / 200.0).ln()),
            Some((258.635186985545f64 / 200.0).ln()),
        )
    }

    #[test]
    fn the_worked_example_is_liquidated_within_7_30_and_90_days() {
        let (lower, upper) = example();
        let price = Motion::of_price(0.0, 0.05);
        for (days, expected) in [(7.0, 0.046), (30.0, 0.346), (90.0, 0.766)] {
            let exit = price.exit(lower, upper, days).unwrap();
            assert!(
                (exit.lower + exit.upper - expected).abs() < 5e-4,
                "{exit:?}"
            );
        }
        // An hour between looks misses some.
        let hourly = price.exit_at_looks(lower, upper, 7.0, 1.0 / 24.0).unwrap();
        let always = price.exit(lower, upper, 7.0).unwrap();
        assert!(hourly.upper < always.upper && hourly.upper > 0.85 * always.upper);
    }

    /// The worked example is rehedged first after 3.3 minutes where delta may be 5 % of the pool's base, after 2 hours at 30 %.
    #[test]
    fn the_mean_time_until_an_interval_is_left() {
        let price = Motion::of_price(0.0, 0.05);
        // Base x = L (1 / s - 1 / sb), so that 1 / s moves by the band over L.
        let (liquidity, base): (f64, f64) = (429.239012648545, 0.731475723873);
        let minutes = |band: f64| {
            let end = |sign: f64| {
                -2.0 * (1.0 / 200f64.sqrt() + sign * band * base / liquidity).ln() - 200f64.ln()
            };
            price.mean_exit_days(end(1.0), end(-1.0)).unwrap() * 1_440.0
        };
        assert!((minutes(0.05) - 3.3).abs() < 0.05, "{}", minutes(0.05));
        assert!(
            (minutes(0.30) / 60.0 - 2.0).abs() < 0.05,
            "{}",
            minutes(0.30)
        );
        // A strong drift takes its own time; without drift a b / sigma^2; in between both formulas agree.
        let motion = |drift_day| Motion {
            drift_day,
            sigma_day: 0.05,
        };
        let time =
            |drift_day, lower, upper| motion(drift_day).mean_exit_days(lower, upper).unwrap();
        assert!((time(1.0, -10.0, 0.5) - 0.5).abs() < 1e-9);
        assert!((time(0.0, -0.1, 0.2) - 0.02 / 0.0025).abs() < 1e-12);
        let (few, more) = (
            time(3.3e-7 * 1.25, -0.1, 0.2),
            time(3.4e-7 * 1.25, -0.1, 0.2),
        );
        assert!((few / more - 1.0).abs() < 1e-6, "{few} {more}");
        assert_eq!(motion(0.0).mean_exit_days(0.1, 0.2), None);
        assert_eq!(Motion::of_price(0.0, 0.0).mean_exit_days(-0.1, 0.2), None);
    }

    /// `P(max > b) = 2 P(end > b)` without drift (reflection), here by its one-sided end; the numbers from tables of the normal
    /// distribution: P(Z > 1) = 0.1586552539314571.
    #[test]
    fn one_end_without_drift_is_the_reflection_principle() {
        let motion = Motion {
            drift_day: 0.0,
            sigma_day: 0.05,
        };
        let exit = motion.exit(None, Some(0.10), 4.0).unwrap();
        assert!((exit.upper - 2.0 * 0.158_655_253_931_457_1).abs() < 1e-12);
        assert!(exit.lower < 1e-12);
        let mirrored = motion.exit(Some(-0.10), None, 4.0).unwrap();
        assert!((mirrored.lower - exit.upper).abs() < 1e-15);
    }

    #[test]
    fn an_interval_is_left_for_certain_in_the_end() {
        let motion = Motion {
            drift_day: 0.01,
            sigma_day: 0.05,
        };
        let exit = motion.exit(Some(-0.1), Some(0.2), 300.0).unwrap();
        // Scale function: (1 - e^(8 * 0.1 * -1)) / (1 - e^(-8 * 0.3)).
        let upper = (1.0 - (-0.8f64).exp()) / (1.0 - (-2.4f64).exp());
        assert!((exit.upper - upper).abs() < 1e-9 && (exit.lower + exit.upper - 1.0).abs() < 1e-9);
        // And hardly at once.
        let soon = motion.exit(Some(-0.1), Some(0.2), 0.01).unwrap();
        assert!(soon.lower + soon.upper < 1e-9);
    }

    #[test]
    fn what_the_series_cannot_say_is_not_said() {
        let motion = |drift_day, sigma_day| Motion {
            drift_day,
            sigma_day,
        };
        assert_eq!(motion(0.0, 0.0).exit(None, Some(0.1), 1.0), None);
        assert_eq!(motion(1.0, 0.05).exit(None, Some(0.1), 1.0), None);
        assert_eq!(motion(0.0, 0.05).exit(Some(0.1), None, 1.0), None);
        assert_eq!(motion(0.0, f64::NAN).exit(None, None, 1.0), None);
        let looked = |days| motion(0.0, 0.05).exit_at_looks(None, Some(0.1), days, 1.0);
        assert!(looked(29.0).is_none() && looked(30.0).is_some());
    }
}
