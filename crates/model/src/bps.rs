use core::fmt;

use ballast_clmm::wide;

/// A ratio in basis points (1/10000). Leverage is expressed the same way: 30000 is three times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bps(u32);

impl Bps {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One whole: 10000 basis points.
    pub const ONE: Self = Self(10_000);

    /// A ratio of `bps` / 10000.
    pub const fn new(bps: u32) -> Self {
        Self(bps)
    }

    /// The number of basis points.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// `amount * self`, rounded down. `None` when the result does not fit.
    pub const fn of_down(self, amount: u128) -> Option<u128> {
        wide::mul_div_down(amount, self.0 as u128, Self::ONE.0 as u128)
    }

    /// `amount * self`, rounded up. `None` when the result does not fit.
    pub const fn of_up(self, amount: u128) -> Option<u128> {
        wide::mul_div_up(amount, self.0 as u128, Self::ONE.0 as u128)
    }
}

impl fmt::Display for Bps {
    /// As a percentage: `83.00%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}%", self.0 / 100, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_round_as_named() {
        let third = Bps::new(3_333);
        assert_eq!(third.of_down(10), Some(3));
        assert_eq!(third.of_up(10), Some(4));
        assert_eq!(Bps::ONE.of_down(u128::MAX), Some(u128::MAX));
        assert_eq!(Bps::ONE.of_up(u128::MAX), Some(u128::MAX));
        assert_eq!(Bps::new(10_001).of_down(u128::MAX), None);
        assert_eq!(Bps::ZERO.of_up(u128::MAX), Some(0));
    }

    #[test]
    fn shows_percent() {
        assert_eq!(Bps::new(8_305).to_string(), "83.05%");
        assert_eq!(Bps::new(30_000).to_string(), "300.00%");
    }
}
