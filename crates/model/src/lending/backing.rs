use super::{LendingError, ReserveState};

/// Money from outside that mints no shares.
impl ReserveState {
    /// Pays `amount` (raw units) into the insurance, which bears bad debt before the lenders do. Their assets and the share
    /// price stay as they are.
    ///
    /// # Errors
    /// [`LendingError::ZeroAmount`], [`LendingError::Overflow`]; the state is then unchanged.
    pub fn fund_insurance(&mut self, amount: u64) -> Result<(), LendingError> {
        if amount == 0 {
            return Err(LendingError::ZeroAmount);
        }
        let liquidity = self.receive(amount)?;
        self.insurance = self
            .insurance
            .checked_add(amount)
            .ok_or(LendingError::Overflow("insurance"))?;
        self.liquidity = liquidity;
        Ok(())
    }

    /// Gives the lenders back what a write-off took from them: `min(amount, bad_debt)` raw units, which is returned and
    /// which the caller takes from the payer and off its record of bad debt ([`super::WriteOff::from_lenders`]).
    ///
    /// The share price rises, for those who hold shares now: who left after the loss gets nothing, who came since gains. It
    /// cannot be raised further than the losses on record, which bounds what a donation can do.
    ///
    /// # Errors
    /// [`LendingError::ZeroAmount`] if the amount or the bad debt is 0, [`LendingError::Overflow`]; the state is then
    /// unchanged.
    pub fn cover(&mut self, amount: u64, bad_debt: u64) -> Result<u64, LendingError> {
        let covered = amount.min(bad_debt);
        if covered == 0 {
            return Err(LendingError::ZeroAmount);
        }
        self.liquidity = self.receive(covered)?;
        Ok(covered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1000 lent, 600 of them out.
    fn reserve() -> (ReserveState, u128) {
        let mut state = ReserveState::new(0);
        state.deposit(1_000).unwrap();
        let debt = state.borrow(600).unwrap();
        (state, debt)
    }

    #[test]
    fn insurance_is_not_the_lenders() {
        let (mut state, debt) = reserve();
        state.fund_insurance(50).unwrap();
        assert_eq!((state.liquidity, state.insurance), (450, 50));
        assert_eq!(state.total_assets_down(), Ok(1_000));
        // It pays before they do.
        let lost = state.write_off(debt).unwrap();
        assert_eq!((lost.from_insurance, lost.from_lenders), (50, 550));
    }

    #[test]
    fn cover_makes_up_for_a_loss_and_no_more() {
        let (mut state, debt) = reserve();
        let bad_debt = state.write_off(debt).unwrap().from_lenders;
        assert_eq!((bad_debt, state.total_assets_down()), (600, Ok(400)));
        assert_eq!(state.cover(100, bad_debt), Ok(100));
        assert_eq!(state.cover(u64::MAX, bad_debt - 100), Ok(500));
        assert_eq!((state.total_assets_down(), state.insurance), (Ok(1_000), 0));
        assert_eq!(state.redeem(state.supply_shares), Ok(1_000));
    }

    #[test]
    fn refusals_change_nothing() {
        let (state, _) = reserve();
        for (amount, bad_debt, refused) in [
            (0, 1, LendingError::ZeroAmount),
            (1, 0, LendingError::ZeroAmount),
            (u64::MAX, u64::MAX, LendingError::Overflow("liquidity")),
            // The liquidity would fit, but not together with the debt.
            (
                u64::MAX - 500,
                u64::MAX,
                LendingError::Overflow("reserve's assets"),
            ),
        ] {
            let mut after = state;
            assert_eq!(after.cover(amount, bad_debt), Err(refused));
            if bad_debt >= amount {
                assert_eq!(after.fund_insurance(amount), Err(refused));
            }
            assert_eq!(after, state);
        }
        let mut insured = ReserveState {
            insurance: u64::MAX,
            ..state
        };
        assert_eq!(
            insured.fund_insurance(1),
            Err(LendingError::Overflow("insurance"))
        );
        assert_eq!(
            insured,
            ReserveState {
                insurance: u64::MAX,
                ..state
            }
        );
    }
}
