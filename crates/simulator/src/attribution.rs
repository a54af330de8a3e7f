//! Where a result comes from.

use std::ops::AddAssign;

/// A position's gain in raw quote units, line by line. Each line is a difference of two integer valuations, so that they add
/// up to the gain to the unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attribution {
    /// Fees that arbitrageurs paid.
    pub fees_arbitrage: i128,
    /// Fees that takers paid.
    pub fees_takers: i128,
    /// What the pool's value lost against holding the tokens that it held when somebody last acted.
    pub curvature: i128,
    /// Price moves times the delta that was left when somebody last acted.
    pub hedge_drift: i128,
    /// Interest on the base debt.
    pub interest_base: i128,
    /// Interest on the quote debt.
    pub interest_quote: i128,
    /// Fees and slippage of the position's own swaps.
    pub swaps: i128,
    /// What opening lost to whole units.
    pub rounding: i128,
}

impl Attribution {
    /// All lines together: the gain.
    pub fn total(&self) -> i128 {
        self.lines().iter().map(|(_, amount)| amount).sum()
    }

    /// Every line with its name.
    pub fn lines(&self) -> [(&'static str, i128); 8] {
        [
            ("fees_arbitrage", self.fees_arbitrage),
            ("fees_takers", self.fees_takers),
            ("curvature", self.curvature),
            ("hedge_drift", self.hedge_drift),
            ("interest_base", self.interest_base),
            ("interest_quote", self.interest_quote),
            ("swaps", self.swaps),
            ("rounding", self.rounding),
        ]
    }
}

impl AddAssign for Attribution {
    fn add_assign(&mut self, other: Self) {
        self.fees_arbitrage += other.fees_arbitrage;
        self.fees_takers += other.fees_takers;
        self.curvature += other.curvature;
        self.hedge_drift += other.hedge_drift;
        self.interest_base += other.interest_base;
        self.interest_quote += other.interest_quote;
        self.swaps += other.swaps;
        self.rounding += other.rounding;
    }
}
