//! The pool within a session: liquidity in and out, fees. After every call the position's token balances are
//! compared with what the call should have moved, and only that is booked; and its token accounts must still be its own.

use anchor_lang::prelude::*;
use ballast_clmm::{Amounts, Side};

use super::Session;
use crate::{
    errors::BallastError,
    groups::{PoolAccounts, RangeAccounts},
    math::ToProgramError,
    pool, token,
};

impl<'info> Session<'_, 'info> {
    /// Provides liquidity out of the idle amounts, for at most `most`, what it takes at the pool's price, rounded up; returns what it took.
    ///
    /// # Errors
    /// [`BallastError::WrongPool`]; [`BallastError::UnexpectedBalance`] if the pool took more.
    pub fn provide(
        &mut self,
        pool: &PoolAccounts<'info>,
        range: &RangeAccounts<'info>,
        liquidity: u128,
        most: Amounts,
    ) -> Result<Amounts> {
        let before = self.balances()?;
        self.with_position_seeds(|seeds| {
            pool::increase_liquidity(
                pool,
                self.market,
                range,
                self.accounts,
                self.lending,
                liquidity,
                most,
                seeds,
            )
        })?;
        let spent = difference(before, self.balances_after_call()?)?;
        require!(
            spent.base <= most.base && spent.quote <= most.quote,
            BallastError::UnexpectedBalance
        );
        self.take_idle(Side::Base, spent.base)?;
        self.take_idle(Side::Quote, spent.quote)?;
        let total = self
            .position
            .liquidity
            .get()
            .checked_add(liquidity)
            .or_range()?;
        self.position.liquidity = total.into();
        Ok(spent)
    }

    /// Withdraws liquidity into the idle amounts; returns what came.
    ///
    /// # Errors
    /// [`BallastError::UnexpectedBalance`] if less came than the liquidity is worth at the pool's price.
    pub fn withdraw(
        &mut self,
        pool: &PoolAccounts<'info>,
        range: &RangeAccounts<'info>,
        liquidity: u128,
    ) -> Result<Amounts> {
        let price = pool::sqrt_price(pool, self.market)?;
        let least = self.band().amounts_down(liquidity, price).or_range()?;
        let left = self
            .position
            .liquidity
            .get()
            .checked_sub(liquidity)
            .or_range()?;
        let before = self.balances()?;
        self.with_position_seeds(|seeds| {
            pool::decrease_liquidity(
                pool,
                range,
                self.accounts,
                self.lending,
                liquidity,
                least,
                seeds,
            )
        })?;
        let received = difference(self.balances_after_call()?, before)?;
        require!(
            received.base >= least.base && received.quote >= least.quote,
            BallastError::UnexpectedBalance
        );
        self.add_idle(Side::Base, received.base)?;
        self.add_idle(Side::Quote, received.quote)?;
        self.position.liquidity = left.into();
        Ok(received)
    }

    /// Collects the fees that the Whirlpool position has booked into the idle amounts.
    ///
    /// # Errors
    /// [`BallastError::UnexpectedBalance`] if a balance fell.
    pub fn collect_fees(&mut self, pool: &PoolAccounts<'info>) -> Result<Amounts> {
        let before = self.balances()?;
        self.with_position_seeds(|seeds| {
            pool::collect_fees(pool, self.market, self.accounts, self.lending, seeds)
        })?;
        let fees = difference(self.balances_after_call()?, before)?;
        self.add_idle(Side::Base, fees.base)?;
        self.add_idle(Side::Quote, fees.quote)?;
        Ok(fees)
    }

    /// The fees that the Whirlpool position has booked.
    ///
    /// # Errors
    /// As [`pool::fees_owed`].
    pub fn fees_owed(&self) -> Result<Amounts> {
        pool::fees_owed(&self.accounts.whirlpool_position, self.market)
    }

    /// Books what the liquidity has earned until now; nothing without liquidity, whose last withdrawal booked it.
    ///
    /// # Errors
    /// Those of the Whirlpool program.
    pub fn book_fees(
        &self,
        pool: &PoolAccounts<'info>,
        range: &RangeAccounts<'info>,
    ) -> Result<()> {
        if self.position.liquidity.get() > 0 {
            pool::update_fees(pool, self.market, range, self.accounts, self.lending)?;
        }
        Ok(())
    }

    /// Books as [`Self::book_fees`], and collects.
    ///
    /// # Errors
    /// As [`Self::collect_fees`].
    pub fn harvest(
        &mut self,
        pool: &PoolAccounts<'info>,
        range: &RangeAccounts<'info>,
    ) -> Result<Amounts> {
        self.book_fees(pool, range)?;
        self.collect_fees(pool)
    }

    /// Balances after an external call: also that nobody else commands them since.
    pub(super) fn balances_after_call(&self) -> Result<Amounts> {
        let owner = self.accounts.position.as_ref().key;
        Ok(Amounts {
            base: token::balance_of(&self.accounts.base_account, owner)?,
            quote: token::balance_of(&self.accounts.quote_account, owner)?,
        })
    }

    pub(super) fn balances(&self) -> Result<Amounts> {
        Ok(Amounts {
            base: token::balance(&self.accounts.base_account)?,
            quote: token::balance(&self.accounts.quote_account)?,
        })
    }
}

/// `more - less` on both sides.
pub(super) fn difference(more: Amounts, less: Amounts) -> Result<Amounts> {
    let subtract = |side| {
        more.get(side)
            .checked_sub(less.get(side))
            .ok_or(BallastError::UnexpectedBalance)
    };
    Ok(Amounts {
        base: subtract(Side::Base)?,
        quote: subtract(Side::Quote)?,
    })
}
