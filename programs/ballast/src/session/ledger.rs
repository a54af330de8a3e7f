//! A session as the ledger that [`ballast_ledger`]'s actions are carried out on: with the accounts that their calls need.

use anchor_lang::prelude::*;
use ballast_clmm::{Amounts, Band, Side, SqrtPrice};
use ballast_ledger::{Counter, Ledger, LedgerError, Moved, Order};
use ballast_model::{Bps, DeleverageError, Position as PositionModel};

use super::Session;
use crate::{
    errors::BallastError,
    groups::{PoolAccounts, RangeAccounts, SwapAccounts, WalletAccounts},
    pool,
};

/// See the module's description.
pub struct Calls<'s, 'a, 'info> {
    /// The session.
    pub session: &'s mut Session<'a, 'info>,
    /// The pool.
    pub pool: &'s PoolAccounts<'info>,
    /// Tick arrays of the position's band.
    pub range: &'s RangeAccounts<'info>,
    /// Tick arrays on a swap's way, for actions that may swap.
    pub arrays: Option<&'s SwapAccounts<'info>>,
    /// Who pays, and with which token accounts, for actions that somebody pays for.
    pub payer: Option<(&'s WalletAccounts<'info>, &'s AccountInfo<'info>)>,
}

/// Why a call fails.
pub struct Failed(Error);

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<Failed> for Error {
    fn from(Failed(error): Failed) -> Self {
        error
    }
}

impl From<LedgerError> for Failed {
    fn from(error: LedgerError) -> Self {
        Self(BallastError::from(error).into())
    }
}

impl From<LedgerError> for BallastError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Model(_) | LedgerError::Short { .. } => Self::OutOfRange,
            LedgerError::Lending { error, .. } => Self::from(error),
            LedgerError::Capped { .. } => Self::BorrowCapExceeded,
            LedgerError::SwapLoss { .. } => Self::SwapLossTooHigh,
            LedgerError::OtherAmounts => Self::UnexpectedBalance,
            LedgerError::NoEquity => Self::LtvNotLowered,
            LedgerError::HedgeNotAffordable { .. } => Self::HedgeNotAffordable,
            LedgerError::Deleverage(error) => match error {
                DeleverageError::NotNeeded { .. } => Self::DeleverageNotDue,
                DeleverageError::NeedsSwap { .. } => Self::LtvNotLowered,
                DeleverageError::BadTarget(_) | DeleverageError::Model(_) => Self::OutOfRange,
            },
            LedgerError::DebtRemains => Self::DebtRemains,
            LedgerError::NothingToPayWith => Self::NothingToPayWith,
        }
    }
}

impl<'a, 'info> Session<'a, 'info> {
    /// With the accounts of pool and band; neither for a swap nor with a payer.
    pub fn calls<'s>(
        &'s mut self,
        pool: &'s PoolAccounts<'info>,
        range: &'s RangeAccounts<'info>,
    ) -> Calls<'s, 'a, 'info> {
        Calls {
            session: self,
            pool,
            range,
            arrays: None,
            payer: None,
        }
    }
}

impl<'s, 'info> Calls<'s, '_, 'info> {
    /// With the accounts of a swap.
    #[must_use]
    pub fn swapping(mut self, arrays: &'s SwapAccounts<'info>) -> Self {
        self.arrays = Some(arrays);
        self
    }

    /// With a payer.
    #[must_use]
    pub fn paid_by(
        mut self,
        wallet: &'s WalletAccounts<'info>,
        payer: &'s AccountInfo<'info>,
    ) -> Self {
        self.payer = Some((wallet, payer));
        self
    }

    fn payer(&self) -> Result<(&'s WalletAccounts<'info>, &'s AccountInfo<'info>)> {
        Ok(self.payer.ok_or(BallastError::InvariantBroken)?)
    }
}

impl Ledger for Calls<'_, '_, '_> {
    type Error = Failed;

    fn position(&self) -> core::result::Result<PositionModel, Failed> {
        Ok(self.session.model()?)
    }

    fn band(&self) -> Band {
        self.session.band()
    }

    fn liquidity(&self) -> u128 {
        self.session.position.liquidity.get()
    }

    fn idle(&self) -> Amounts {
        self.session.position.idle()
    }

    fn owed_up(&self, side: Side) -> core::result::Result<u64, Failed> {
        Ok(self.session.owed(side)?)
    }

    fn room_down(&self) -> core::result::Result<Amounts, Failed> {
        Ok(self.session.room()?)
    }

    fn pool_price(&self) -> core::result::Result<SqrtPrice, Failed> {
        Ok(pool::sqrt_price(self.pool, self.session.market)?)
    }

    fn pool_price_and_fee_ppm(&self) -> core::result::Result<(SqrtPrice, u32), Failed> {
        Ok(pool::price_and_fee(self.pool, self.session.market)?)
    }

    fn refinance(&mut self) -> core::result::Result<(), Failed> {
        Ok(self.session.refinance()?)
    }

    fn borrow(&mut self, side: Side, amount: u64) -> core::result::Result<(), Failed> {
        Ok(self.session.borrow(side, amount)?)
    }

    fn repay(&mut self, side: Side, most: u64) -> core::result::Result<u64, Failed> {
        Ok(self.session.repay_unless_dust(side, most)?)
    }

    fn provide_at_most(
        &mut self,
        liquidity: u128,
        most: Amounts,
    ) -> core::result::Result<Amounts, Failed> {
        let Self { pool, range, .. } = *self;
        Ok(self.session.provide(pool, range, liquidity, most)?)
    }

    fn withdraw(&mut self, liquidity: u128) -> core::result::Result<Amounts, Failed> {
        Ok(self.session.withdraw(self.pool, self.range, liquidity)?)
    }

    fn collect(&mut self) -> core::result::Result<Amounts, Failed> {
        Ok(self.session.collect_fees(self.pool)?)
    }

    fn swap(
        &mut self,
        order: Order,
        limit: Option<SqrtPrice>,
    ) -> core::result::Result<Moved, Failed> {
        let arrays = self
            .arrays
            .ok_or_else(|| Error::from(BallastError::InvariantBroken))?;
        Ok(self.session.swap(self.pool, arrays, order, limit)?)
    }

    fn note_swap_loss(&mut self, loss: u64) {
        let entry = &mut self.session.position.entry;
        entry.swap_loss = entry.swap_loss.saturating_add(loss);
    }
}

impl Counter for Calls<'_, '_, '_> {
    fn take_in(&mut self, side: Side, amount: u64) -> core::result::Result<(), Failed> {
        let (wallet, payer) = self.payer()?;
        Ok(self
            .session
            .take_in(side, amount, wallet.tokens(side), payer)?)
    }

    fn pay_out(&mut self, side: Side, amount: u64) -> core::result::Result<(), Failed> {
        let (wallet, _) = self.payer()?;
        Ok(self.session.pay_out(side, amount, wallet.tokens(side))?)
    }

    fn book_losses(
        &mut self,
        repaid: Amounts,
        bonus: Bps,
    ) -> core::result::Result<Amounts, Failed> {
        let (wallet, payer) = self.payer()?;
        Ok(self.session.book_losses(repaid, bonus, wallet, payer.key)?)
    }
}
