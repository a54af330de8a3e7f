use ballast_clmm::wide;

use super::{DEBT_SHARE_BITS, LendingError, ReserveState};

/// Who bore a debt that will not be repaid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteOff {
    /// Fall of the total debt, raw units.
    pub amount: u64,
    /// Part that the insurance paid.
    pub from_insurance: u64,
    /// Part by which the lenders' assets, and so the share price, fell.
    pub from_lenders: u64,
}

impl ReserveState {
    /// What a number of debt shares owes now, rounded up.
    ///
    /// # Errors
    /// [`LendingError::Overflow`] above 64 bits.
    pub fn debt_of_up(&self, shares: u128) -> Result<u64, LendingError> {
        // The ceiling of a ceiling is the ceiling of the whole quotient.
        wide::mul_shr64_up(shares, self.borrow_index_x64)
            .map(|scaled| (scaled >> DEBT_SHARE_BITS) + u128::from(scaled & FRACTION != 0))
            .and_then(|debt| u64::try_from(debt).ok())
            .ok_or(LendingError::Overflow("debt"))
    }

    /// Lends `amount` out and returns the debt shares issued for it, rounded up.
    ///
    /// # Errors
    /// [`LendingError::ZeroAmount`], [`LendingError::InsufficientLiquidity`], [`LendingError::Overflow`].
    pub fn borrow(&mut self, amount: u64) -> Result<u128, LendingError> {
        if amount == 0 {
            return Err(LendingError::ZeroAmount);
        }
        let overflow = LendingError::Overflow("debt shares");
        let liquidity = self.pay(amount)?;
        let issued = wide::shl64_div_up(scaled(amount), self.borrow_index_x64).ok_or(overflow)?;
        let debt_shares = self.debt_shares.checked_add(issued).ok_or(overflow)?;
        let after = Self {
            liquidity,
            debt_shares,
            ..*self
        };
        // Refuses what could not be valued afterwards.
        after.total_assets_down()?;
        *self = after;
        Ok(issued)
    }

    /// Repays `amount` of a position that holds `held` debt shares, and returns the shares burned: all of them if the
    /// amount is the whole debt ([`ReserveState::debt_of_up`]), else those that it pays for, rounded down, never none.
    ///
    /// # Errors
    /// [`LendingError::ZeroAmount`], [`LendingError::MoreThanOwed`], [`LendingError::RoundsToZero`],
    /// [`LendingError::MoreThanIssued`], [`LendingError::Overflow`].
    pub fn repay(&mut self, amount: u64, held: u128) -> Result<u128, LendingError> {
        if amount == 0 {
            return Err(LendingError::ZeroAmount);
        }
        self.repay_of(self.debt_of_up(held)?, amount, held)
    }

    /// [`ReserveState::repay`] for a caller who knows what the shares `held` owe: `owed` is [`ReserveState::debt_of_up`].
    ///
    /// # Errors
    /// As [`ReserveState::repay`].
    pub fn repay_of(&mut self, owed: u64, amount: u64, held: u128) -> Result<u128, LendingError> {
        if amount == 0 {
            return Err(LendingError::ZeroAmount);
        }
        if amount > owed {
            return Err(LendingError::MoreThanOwed { amount, owed });
        }
        let burned = if amount == owed {
            held
        } else {
            wide::shl64_div_down(scaled(amount), self.borrow_index_x64)
                .ok_or(LendingError::Overflow("debt shares"))?
                .min(held)
        };
        if burned == 0 {
            return Err(LendingError::RoundsToZero);
        }
        let debt_shares = self
            .debt_shares
            .checked_sub(burned)
            .ok_or(LendingError::MoreThanIssued)?;
        let liquidity = self
            .liquidity
            .checked_add(amount)
            .ok_or(LendingError::Overflow("liquidity"))?;
        (self.liquidity, self.debt_shares) = (liquidity, debt_shares);
        Ok(burned)
    }

    /// Gives up debt shares that nothing stands behind any more. The insurance pays first, then the lenders by a lower
    /// share price.
    ///
    /// # Errors
    /// [`LendingError::ZeroAmount`], [`LendingError::MoreThanIssued`], [`LendingError::Overflow`].
    pub fn write_off(&mut self, shares: u128) -> Result<WriteOff, LendingError> {
        if shares == 0 {
            return Err(LendingError::ZeroAmount);
        }
        let debt_shares = self
            .debt_shares
            .checked_sub(shares)
            .ok_or(LendingError::MoreThanIssued)?;
        let after = Self {
            debt_shares,
            ..*self
        };
        let amount = self.total_debt_up()?.saturating_sub(after.total_debt_up()?);
        let from_insurance = amount.min(self.insurance);
        *self = Self {
            insurance: self.insurance.saturating_sub(from_insurance),
            ..after
        };
        Ok(WriteOff {
            amount,
            from_insurance,
            from_lenders: amount.saturating_sub(from_insurance),
        })
    }
}

const FRACTION: u128 = (1 << DEBT_SHARE_BITS) - 1;

/// An amount in units of a debt share at index 1.
fn scaled(amount: u64) -> u128 {
    u128::from(amount) << DEBT_SHARE_BITS
}
