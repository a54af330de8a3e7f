use ballast_clmm::wide;

use super::{LendingError, MAX_INDEX_X64, RateCurve, ReserveState, growth_x64_up};
use crate::Bps;

/// Interest that was booked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accrual {
    /// Growth of the total debt, raw units.
    pub interest: u64,
    /// Part of it that went to the insurance.
    pub fee: u64,
}

impl ReserveState {
    /// Books interest up to `now_secs`: the index grows by the rate at the present utilisation, compounded over the time
    /// since the last call and rounded up; `reserve_factor` of the interest, rounded down, goes to the insurance. A clock
    /// that stands still or goes back changes nothing.
    ///
    /// Drift at one rate: `n` steps over a time leave the index at or above the exact `I e^x`, and above it by at most
    /// `4 n` units of 2^-64 of it (three of [`growth_x64_up`], one of the product). So two ways to divide a time, in `n` and
    /// in `m` steps, differ by at most `4 max(n, m)` of these units; a year in steps of a second is 7e-12.
    ///
    /// Where the rate rises with utilisation there is more to it: a step charges the rate of its start, and interest itself
    /// raises utilisation. Short steps then charge more, at most `e^((r1 - r0) t)` times as much for the rates `r0` at the
    /// beginning and `r1` at the end, and never less than one long step but for the rounding above. Anybody may accrue at any
    /// time; what it can cost a borrower is the rate that the curve states for the debt as it is.
    ///
    /// Interest must never make a reserve unusable, so it stops where the index would exceed [`MAX_INDEX_X64`] or
    /// liquidity and debt together 64 bits, more than any token's supply.
    ///
    /// # Errors
    /// [`LendingError::Overflow`] if the debt already exceeds 64 bits, which no sequence of calls brings about.
    pub fn accrue(
        &mut self,
        now_secs: i64,
        curve: &RateCurve,
        reserve_factor: Bps,
    ) -> Result<Accrual, LendingError> {
        if now_secs <= self.last_accrual_secs {
            return Ok(Accrual::default());
        }
        let secs = now_secs.abs_diff(self.last_accrual_secs);
        let before = self.total_debt_up()?;
        if before == 0 {
            self.last_accrual_secs = now_secs;
            return Ok(Accrual::default());
        }
        let growth = growth_x64_up(curve.rate_x64_up(self.utilisation_x64_up()?), secs);
        let grown = wide::mul_shr64_up(self.borrow_index_x64, growth)
            .filter(|index| *index <= MAX_INDEX_X64)
            .map(|index| ReserveState {
                borrow_index_x64: index,
                ..*self
            });
        self.last_accrual_secs = now_secs;
        let Some((grown, after)) = grown
            .and_then(|grown| Some((grown, grown.total_debt_up().ok()?)))
            .filter(|(_, after)| self.liquidity.checked_add(*after).is_some())
        else {
            return Ok(Accrual::default());
        };
        let interest = after.saturating_sub(before);
        let fee = Bps::min(reserve_factor, Bps::ONE)
            .of_down(u128::from(interest))
            .and_then(|fee| u64::try_from(fee).ok())
            .unwrap_or(0);
        self.borrow_index_x64 = grown.borrow_index_x64;
        self.insurance = self.insurance.saturating_add(fee);
        Ok(Accrual { interest, fee })
    }
}
