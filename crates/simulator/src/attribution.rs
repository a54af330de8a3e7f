//! Where a result comes from.

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
    /// What the price's moves brought to the short at a perp venue.
    pub perp: i128,
    /// What the venue's price brought to it beyond that, by moving apart and together again.
    pub basis: i128,
    /// What longs paid to it; negative: what it paid them.
    pub funding: i128,
    /// Fees of its trades.
    pub perp_fees: i128,
    /// Fees and slippage of the position's own swaps.
    pub swaps: i128,
    /// What actions cost beside their trades: transactions, and keepers' rewards. Paid from outside of the position.
    pub gas: i128,
    /// What liquidators were given beyond what they repaid.
    pub liquidation: i128,
    /// Debts that nothing was left for: the lenders' loss, and the owner's gain.
    pub bad_debt: i128,
    /// What opening lost to whole units.
    pub rounding: i128,
}

/// How many lines there are.
pub(crate) const LINES: usize = 15;

impl Attribution {
    /// All lines together: the gain.
    pub fn total(&self) -> i128 {
        self.lines().iter().map(|(_, amount)| amount).sum()
    }

    /// Every line with its name.
    pub fn lines(&self) -> [(&'static str, i128); LINES] {
        [
            ("fees_arbitrage", self.fees_arbitrage),
            ("fees_takers", self.fees_takers),
            ("curvature", self.curvature),
            ("hedge_drift", self.hedge_drift),
            ("interest_base", self.interest_base),
            ("interest_quote", self.interest_quote),
            ("perp", self.perp),
            ("basis", self.basis),
            ("funding", self.funding),
            ("perp_fees", self.perp_fees),
            ("swaps", self.swaps),
            ("gas", self.gas),
            ("liquidation", self.liquidation),
            ("bad_debt", self.bad_debt),
            ("rounding", self.rounding),
        ]
    }
}
