//! What a step of the price takes from liquidity on average, for being concave: known exactly where the step's logarithm is normal.

use crate::Desk;

/// Ends of a range that are so many standard deviations away are not reached in a step.
const FAR: f64 = 7.0;

/// The average effect of steps on a range of liquidity, while price is a fair game.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Convexity {
    /// Liquidity, such that times the root of a price it is in whole quote tokens.
    liquidity: f64,
    /// The range, as logarithms of prices, and as their roots.
    ends: (f64, f64),
    roots: (f64, f64),
    /// The variance for which the next two hold.
    variance: f64,
    sd: f64,
    /// What the root of the price loses of itself on average: `1 - e^(-v / 8)`.
    loss: f64,
    /// The sum so far, in whole quote tokens.
    pub sum: f64,
}

impl Convexity {
    /// Of a position as it is now.
    pub fn of(desk: &Desk<'_>, ends: (f64, f64), sum: f64) -> Self {
        let units = desk.terms().units;
        let scale = (units.base_scale() * units.quote_scale()).sqrt();
        Self {
            liquidity: desk.position().liquidity as f64 / scale,
            ends,
            roots: ((ends.0 / 2.0).exp(), (ends.1 / 2.0).exp()),
            variance: 0.0,
            sd: 0.0,
            loss: 0.0,
            sum,
        }
    }

    /// A step of this variance from `log_price`.
    pub fn add(&mut self, log_price: f64, variance: f64) {
        if self.variance != variance {
            self.variance = variance;
            self.sd = variance.sqrt();
            self.loss = -(-variance / 8.0).exp_m1();
        }
        if self.liquidity == 0.0 || self.sd == 0.0 {
            return;
        }
        let (below, above) = (log_price - self.ends.0, self.ends.1 - log_price);
        let far = FAR * self.sd;
        if below > far && above > far {
            self.sum -= 2.0 * self.liquidity * (log_price / 2.0).exp() * self.loss;
        } else if below > -far && above > -far {
            self.sum += self.liquidity * (self.expected(log_price) - self.value(log_price));
        }
        // Beyond its ends a range is worth an amount of one token: on average it stays.
    }

    /// What a unit of liquidity is worth.
    fn value(&self, log_price: f64) -> f64 {
        let (lower, upper) = self.roots;
        let root = (log_price / 2.0).exp();
        let inside = root.clamp(lower, upper);
        root * root * (inside.recip() - upper.recip()) + inside - lower
    }

    /// What it is worth on average after a step: the parts of the price's distribution below, inside and above, each under the measure
    /// of what is counted there (the quote, the price, its root).
    fn expected(&self, log_price: f64) -> f64 {
        let (lower, upper) = self.roots;
        let half = self.variance / 2.0;
        let below = |end: f64, mean: f64| normal_below((end - mean) / self.sd);
        let inside = |mean: f64| below(self.ends.1, mean) - below(self.ends.0, mean);
        let price = log_price.exp();
        let root = (log_price / 2.0 - self.variance / 8.0).exp();
        2.0 * root * inside(log_price)
            - price / upper * inside(log_price + half)
            - lower * inside(log_price - half)
            + price * below(self.ends.0, log_price + half) * (lower.recip() - upper.recip())
            + (upper - lower) * (1.0 - below(self.ends.1, log_price - half))
    }
}

/// The chance that a standard normal number is below.
fn normal_below(at: f64) -> f64 {
    libm::erfc(-at * std::f64::consts::FRAC_1_SQRT_2) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convexity() -> Convexity {
        let ends = (190f64.ln(), 210f64.ln());
        Convexity {
            liquidity: 1.0,
            ends,
            roots: (190f64.sqrt(), 210f64.sqrt()),
            variance: 0.0,
            sd: 0.0,
            loss: 0.0,
            sum: 0.0,
        }
    }

    /// By Simpson's rule over the distribution after a step, from everywhere: far inside, at the ends, outside.
    #[test]
    fn as_by_integration() {
        let sd = 0.02;
        let variance = sd * sd;
        for price in [
            150.0f64, 180.0, 189.9, 190.0, 193.0, 200.0, 209.0, 210.0, 215.0, 260.0,
        ] {
            let mut range = convexity();
            range.add(price.ln(), variance);
            let middle = price.ln() - variance / 2.0;
            let (mut sum, mut weights) = (0.0, 0.0);
            for index in 0..=8_000 {
                let normal = -10.0 + f64::from(index) / 400.0;
                let simpson = match index {
                    0 | 8_000 => 1.0,
                    _ if index % 2 == 1 => 4.0,
                    _ => 2.0,
                };
                let weight = simpson * (-normal * normal / 2.0f64).exp();
                sum += weight * range.value(middle + sd * normal);
                weights += weight;
            }
            let expected = sum / weights - range.value(price.ln());
            assert!(
                (range.sum - expected).abs() < 2e-7,
                "{price}: {} {expected}",
                range.sum
            );
        }
    }

    /// The short way far from the ends is the long way.
    #[test]
    fn far_from_the_ends() {
        let variance = 1e-6;
        let mut range = convexity();
        range.add(200f64.ln(), variance);
        let long = range.expected(200f64.ln()) - range.value(200f64.ln());
        assert!((range.sum - long).abs() < 1e-13);
        // L sigma^2 s / 4.
        assert!((range.sum / (-variance * 200f64.sqrt() / 4.0) - 1.0).abs() < 1e-6);
        range.add(300f64.ln(), variance);
        range.add(100f64.ln(), variance);
        assert!((range.sum - long).abs() < 1e-13);
    }
}
