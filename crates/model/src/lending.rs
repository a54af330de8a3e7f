//! A reserve's arithmetic: one token, lent by shareholders to positions.
//!
//! - Total assets of the lenders: liquidity + debt - insurance. A supply share's price never falls except by
//!   [`ReserveState::write_off`].
//! - Debt is kept in shares of an index that only grows; interest raises the index, never the shares.
//! - Rounding: debts up, shares minted and burned against the caller, amounts paid out down.
//!
//! Every method that changes the state either succeeds as a whole or leaves it as it was.

mod backing;
mod debt;
mod growth;
mod interest;
mod loss;
mod rates;
mod supply;

pub use debt::WriteOff;
pub use growth::growth_x64_up;
pub use interest::Accrual;
pub use loss::{WRITE_OFF_BONUS_PART, uncovered_up};
pub use rates::{RateCurve, SECONDS_PER_YEAR};

use ballast_clmm::wide;
use thiserror::Error;

use crate::Bps;

/// Shares that exist without an owner, with [`VIRTUAL_ASSETS`] behind them: they set the first price (1000 shares per raw
/// unit) and make it unprofitable to inflate the share price before others deposit.
pub const VIRTUAL_SHARES: u64 = 1_000;
/// Raw units behind the [`VIRTUAL_SHARES`].
pub const VIRTUAL_ASSETS: u64 = 1;
/// Debt shares per raw unit at index 1, as a power of two: a share is so small that rounding to whole shares never costs a
/// position a whole unit, and no amount rounds to nothing.
pub const DEBT_SHARE_BITS: u32 = 32;
/// Index 1 in Q64.64.
pub const INDEX_ONE_X64: u128 = 1 << 64;
/// Largest index: interest stops there. Debt shares and index then still multiply without loss.
pub const MAX_INDEX_X64: u128 = 1 << 96;

/// The numbers of a reserve that lending changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReserveState {
    /// Raw units in the vault, as accounted.
    pub liquidity: u64,
    /// What one debt share of the first moment has grown to, Q64.64.
    pub borrow_index_x64: u128,
    /// Debt shares of all positions, 2^-32 raw units each at index 1.
    pub debt_shares: u128,
    /// Lenders' shares.
    pub supply_shares: u64,
    /// Part of the assets that belongs to no lender and pays for bad debt first.
    pub insurance: u64,
    /// Time up to which interest is booked.
    pub last_accrual_secs: i64,
}

/// What a reserve refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LendingError {
    /// Nothing was asked for.
    #[error("amount is 0: pass a positive amount")]
    ZeroAmount,
    /// The amount is too small to change anything.
    #[error("amount is so small that it rounds to nothing: use a larger one")]
    RoundsToZero,
    /// Lent out.
    #[error(
        "reserve holds {available}, {requested} were asked for: ask for less or wait for repayments"
    )]
    InsufficientLiquidity {
        /// Raw units at hand.
        available: u64,
        /// Raw units asked for.
        requested: u64,
    },
    /// A repayment beyond the debt.
    #[error("repayment {amount} exceeds the debt {owed}: repay at most the debt")]
    MoreThanOwed {
        /// Raw units offered.
        amount: u64,
        /// Raw units owed.
        owed: u64,
    },
    /// More shares than exist.
    #[error("more shares than the reserve has issued: the caller's record is not of this reserve")]
    MoreThanIssued,
    /// A number does not fit.
    #[error("{0} is too large to represent: use a smaller amount")]
    Overflow(&'static str),
}

impl ReserveState {
    /// An empty reserve.
    pub const fn new(now_secs: i64) -> Self {
        Self {
            liquidity: 0,
            borrow_index_x64: INDEX_ONE_X64,
            debt_shares: 0,
            supply_shares: 0,
            insurance: 0,
            last_accrual_secs: now_secs,
        }
    }

    /// What all positions together owe, rounded up: at most the sum of their debts, at least that less one unit each.
    ///
    /// # Errors
    /// [`LendingError::Overflow`] above 64 bits.
    pub fn total_debt_up(&self) -> Result<u64, LendingError> {
        self.debt_of_up(self.debt_shares)
    }

    /// What belongs to the lenders: liquidity + debt - insurance.
    ///
    /// # Errors
    /// [`LendingError::Overflow`] above 64 bits.
    pub fn total_assets_down(&self) -> Result<u64, LendingError> {
        let assets = u128::from(self.liquidity) + u128::from(self.total_debt_up()?);
        let assets = assets.saturating_sub(u128::from(self.insurance));
        u64::try_from(assets).map_err(|_| LendingError::Overflow("reserve's assets"))
    }

    /// Debt / (liquidity + debt), rounded up. An empty reserve counts as 0.
    ///
    /// # Errors
    /// [`LendingError::Overflow`] if the debt exceeds 64 bits.
    pub fn utilisation_bps_up(&self) -> Result<Bps, LendingError> {
        let debt = u128::from(self.total_debt_up()?);
        let funds = (debt + u128::from(self.liquidity)).max(1);
        let bps = wide::mul_div_up(debt, u128::from(Bps::ONE.get()), funds);
        // At most 10000, because debt <= funds.
        Ok(bps.map_or(Bps::ONE, |bps| Bps::new(bps as u32)))
    }

    /// Yearly rate that borrowers pay now, rounded up to a basis point.
    ///
    /// # Errors
    /// As [`ReserveState::utilisation_bps_up`].
    pub fn borrow_rate_bps_up(&self, curve: &RateCurve) -> Result<Bps, LendingError> {
        let rate = curve.rate_x64_up(self.utilisation_x64_up()?);
        let bps = wide::mul_shr64_up(rate, u128::from(Bps::ONE.get()))
            .and_then(|bps| u32::try_from(bps).ok());
        Ok(Bps::new(bps.unwrap_or(u32::MAX)))
    }

    /// Yearly rate that lenders earn now: what borrowers pay on what is lent, less the reserve factor, per lenders' unit,
    /// rounded down.
    ///
    /// # Errors
    /// As [`ReserveState::total_assets_down`].
    pub fn supply_rate_bps_down(
        &self,
        curve: &RateCurve,
        reserve_factor: Bps,
    ) -> Result<Bps, LendingError> {
        let rate = u128::from(self.borrow_rate_bps_up(curve)?.get());
        let kept = u128::from(Bps::ONE.get().saturating_sub(reserve_factor.get()));
        let assets = u128::from(self.total_assets_down()?.max(1));
        // 32 + 64 + 14 bits.
        let bps =
            rate * u128::from(self.total_debt_up()?) * kept / u128::from(Bps::ONE.get()) / assets;
        Ok(Bps::new(u32::try_from(bps).unwrap_or(u32::MAX)))
    }

    /// Debt / (liquidity + debt) in Q64, rounded up, at most 1.
    fn utilisation_x64_up(&self) -> Result<u128, LendingError> {
        let debt = u128::from(self.total_debt_up()?);
        let funds = (debt + u128::from(self.liquidity)).max(1);
        Ok(wide::shl64_div_up(debt, funds).unwrap_or(1 << 64))
    }
}
