use ballast_model::{
    Bps,
    lending::{LendingError, ReserveState},
};

/// Up to where a reserve lends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Most that may be owed to it, raw units.
    pub borrow_cap: u64,
    /// Most of its funds that may be lent.
    pub max_utilisation: Bps,
}

impl Caps {
    /// Whether what is owed stays within them.
    ///
    /// # Errors
    /// [`LendingError::Overflow`].
    pub fn allow(&self, state: &ReserveState) -> Result<bool, LendingError> {
        Ok(state.total_debt_up()? <= self.borrow_cap
            && state.utilisation_bps_up()? <= self.max_utilisation)
    }

    /// The largest loan that they let pass, or a few units less.
    ///
    /// # Errors
    /// [`LendingError::Overflow`].
    pub fn room_down(&self, state: &ReserveState) -> Result<u64, LendingError> {
        // One more for what a loan's shares round.
        let debt = state.total_debt_up()?.saturating_add(1);
        // Lending changes neither, but from one into the other.
        let funds = debt.saturating_add(state.liquidity);
        // In two parts, which fit 64 bits.
        let (one, max) = (
            u64::from(Bps::ONE.get()),
            u64::from(self.max_utilisation.min(Bps::ONE).get()),
        );
        let utilised = funds / one * max + funds % one * max / one;
        let most = utilised.min(self.borrow_cap);
        // Of all funds, no more than what is not lent yet.
        Ok(most.saturating_sub(debt))
    }
}
