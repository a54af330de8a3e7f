use ballast_clmm::wide;

use crate::Bps;

/// Seconds in a year of 365 days, the time unit of all rates.
pub const SECONDS_PER_YEAR: u64 = 365 * 24 * 60 * 60;

/// Yearly borrow rates at three utilisations, linear between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateCurve {
    /// Utilisation at the kink, strictly between 0 and 1.
    pub kink_utilisation: Bps,
    /// Yearly rate when nothing is lent out.
    pub rate_at_zero: Bps,
    /// Yearly rate at the kink.
    pub rate_at_kink: Bps,
    /// Yearly rate when everything is lent out.
    pub rate_at_full: Bps,
}

impl RateCurve {
    /// Whether the kink lies strictly between 0 and 1 and the rates do not fall.
    pub fn is_valid(&self) -> bool {
        self.kink_utilisation > Bps::ZERO
            && self.kink_utilisation < Bps::ONE
            && self.rate_at_zero <= self.rate_at_kink
            && self.rate_at_kink <= self.rate_at_full
    }

    /// Yearly rate in Q64 at a utilisation in Q64 (at most 1), rounded up. For curves that are not valid it is some rate
    /// between the smallest and the largest: never a failure.
    pub fn rate_x64_up(&self, utilisation_x64: u128) -> u128 {
        let one = u128::from(Bps::ONE.get());
        let utilisation_x64 = utilisation_x64.min(1 << 64);
        let kink = u128::from(self.kink_utilisation.get().min(Bps::ONE.get()));
        let kink_x64 = wide::shl64_div_down(kink, one).unwrap_or(1 << 64);
        let (from, to, along_x64, width_x64) = if utilisation_x64 <= kink_x64 {
            (
                self.rate_at_zero,
                self.rate_at_kink,
                utilisation_x64,
                kink_x64,
            )
        } else {
            (
                self.rate_at_kink,
                self.rate_at_full,
                utilisation_x64 - kink_x64,
                (1 << 64) - kink_x64,
            )
        };
        let (from, rise) = (
            u128::from(from.get()),
            u128::from(to.get().saturating_sub(from.get())),
        );
        // rise * along < 2^97; the quotient is at most rise, in Q64 of a basis point.
        let along = wide::mul_div_up(rise << 32, along_x64, width_x64.max(1)).unwrap_or(0);
        wide::mul_div_up((from << 64) + (along << 32), 1, one).unwrap_or(u128::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURVE: RateCurve = RateCurve {
        kink_utilisation: Bps::new(8_000),
        rate_at_zero: Bps::new(100),
        rate_at_kink: Bps::new(900),
        rate_at_full: Bps::new(10_900),
    };

    fn x64(part: u128, whole: u128) -> u128 {
        (part << 64).div_ceil(whole)
    }

    /// A rate in Q64 as a multiple of 1e-6, to the nearest.
    fn ppm(rate_x64: u128) -> u128 {
        (rate_x64 * 1_000_000 + (1 << 63)) >> 64
    }

    #[test]
    fn the_curve_is_linear_to_either_side_of_the_kink() {
        for (percent, expected) in [
            (0, 10_000),
            (40, 50_000),
            (80, 90_000),
            (90, 590_000),
            (100, 1_090_000),
        ] {
            assert_eq!(
                ppm(CURVE.rate_x64_up(x64(percent, 100))),
                expected,
                "{percent}%"
            );
        }
        assert!(CURVE.is_valid());
        let mut last = 0;
        for part in 0..=10_000 {
            let rate = CURVE.rate_x64_up(x64(part, 10_000));
            assert!(rate >= last, "{part}");
            last = rate;
        }
    }

    #[test]
    fn malformed_curves_are_refused_by_the_check_and_do_not_panic() {
        for kink in [0, 10_000, u32::MAX] {
            let curve = RateCurve {
                kink_utilisation: Bps::new(kink),
                ..CURVE
            };
            assert!(!curve.is_valid());
            for utilisation in [0, 1, 1 << 63, 1 << 64, u128::MAX] {
                curve.rate_x64_up(utilisation);
            }
        }
        let falling = RateCurve {
            rate_at_kink: Bps::new(50),
            ..CURVE
        };
        assert!(!falling.is_valid());
        let steep = RateCurve {
            rate_at_full: Bps::new(u32::MAX),
            ..CURVE
        };
        assert_eq!(ppm(steep.rate_x64_up(1 << 64)), u128::from(u32::MAX) * 100);
    }
}
