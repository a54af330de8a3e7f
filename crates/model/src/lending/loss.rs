use ballast_clmm::{Amounts, wide};

use super::{LendingError, ReserveState, VIRTUAL_ASSETS, VIRTUAL_SHARES};
use crate::{Bps, Valuation};

/// Part of the insurance that booking one loss may pay out at most, as its inverse.
pub const WRITE_OFF_BONUS_PART: u64 = 10;

/// What of both debts the collateral does not cover, in proportion to them, rounded up, at most the debt.
pub fn uncovered_up(debt: Amounts, value: &Valuation) -> Amounts {
    let Some(missing) = value.debt.checked_sub(value.assets) else {
        return Amounts::ZERO;
    };
    let part = |amount: u64| {
        wide::mul_div_up(u128::from(amount), missing, value.debt.max(1))
            .and_then(|part| u64::try_from(part).ok())
            .map_or(amount, |part| part.min(amount))
    };
    Amounts {
        base: part(debt.base),
        quote: part(debt.quote),
    }
}

/// Losses that are known and not booked yet.
impl ReserveState {
    /// Burns `shares` like [`ReserveState::redeem`], as if `shown_loss` had been booked already: who leaves first leaves the
    /// loss to nobody. What the insurance is worth to lenders then is what a booking's own bonus leaves of it.
    ///
    /// # Errors
    /// As [`ReserveState::redeem`]; [`LendingError::RoundsToZero`] also if nothing is left.
    pub fn redeem_at_loss(&mut self, shares: u64, shown_loss: u64) -> Result<u64, LendingError> {
        if shares == 0 {
            return Err(LendingError::ZeroAmount);
        }
        let supply = self
            .supply_shares
            .checked_sub(shares)
            .ok_or(LendingError::MoreThanIssued)?;
        let amount = self.to_assets_at_loss_down(shares, shown_loss)?;
        if amount == 0 {
            return Err(LendingError::RoundsToZero);
        }
        let liquidity = self.pay(amount)?;
        (self.liquidity, self.supply_shares) = (liquidity, supply);
        Ok(amount)
    }

    /// What `shares` pay out while `shown_loss` is not booked yet, rounded down.
    ///
    /// # Errors
    /// [`LendingError::Overflow`].
    pub fn to_assets_at_loss_down(
        &self,
        shares: u64,
        shown_loss: u64,
    ) -> Result<u64, LendingError> {
        let insured = self
            .insurance
            .saturating_sub(self.insurance / WRITE_OFF_BONUS_PART);
        let lenders = shown_loss.saturating_sub(insured);
        let assets = u128::from(self.total_assets_down()?.saturating_sub(lenders))
            + u128::from(VIRTUAL_ASSETS);
        let supply = u128::from(self.supply_shares) + u128::from(VIRTUAL_SHARES);
        wide::mul_div_down(u128::from(shares), assets, supply)
            .and_then(|amount| u64::try_from(amount).ok())
            .ok_or(LendingError::Overflow("lender's assets"))
    }

    /// Pays whoever books a loss `bonus` of the debt that ends with it, `repaid` and `lost`, out of the insurance: no more than what is
    /// lost, so that nobody waits for the first unit of insolvency, at most a tenth of what is there, and what the vault holds.
    /// Returns the amount, which leaves the vault. The lenders' assets stay as they are.
    pub fn pay_write_off_bonus(&mut self, repaid: u64, lost: u64, bonus: Bps) -> u64 {
        let ended = u128::from(repaid) + u128::from(lost);
        let earned = bonus.of_down(ended).unwrap_or(u128::MAX);
        let earned = earned.min(u128::from(lost));
        let most = (self.insurance / WRITE_OFF_BONUS_PART).min(self.liquidity);
        let paid = u64::try_from(earned).unwrap_or(u64::MAX).min(most);
        self.insurance = self.insurance.saturating_sub(paid);
        self.liquidity = self.liquidity.saturating_sub(paid);
        paid
    }
}
