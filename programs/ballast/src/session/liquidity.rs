//! The pool within a session: liquidity in and out, fees, swaps. After every call the position's token balances are
//! compared with what the call should have moved, and only that is booked.

use anchor_lang::prelude::*;
use ballast_clmm::{Amounts, Side};
use ballast_model::{Trade, value_down, value_up};

use super::Session;
use crate::{
    errors::BallastError,
    groups::{PoolAccounts, RangeAccounts, SwapAccounts},
    instructions::close::Close,
    math::ToProgramError,
    oracle::OraclePrice,
    pool, token,
};

/// What a swap moved.
#[derive(Clone, Copy, Debug, Default)]
pub struct SwapResult {
    /// Base sold or bought.
    pub base: u64,
    /// Quote received or paid.
    pub quote: u64,
    /// Loss against the oracle's price, raw quote units.
    pub loss: u64,
}

impl<'info> Session<'_, 'info> {
    /// Provides liquidity out of the idle amounts; returns what it took.
    ///
    /// # Errors
    /// [`BallastError::UnexpectedBalance`] if the pool took more than the liquidity is worth at its price.
    pub fn provide(
        &mut self,
        pool: &PoolAccounts<'info>,
        range: &RangeAccounts<'info>,
        liquidity: u128,
    ) -> Result<Amounts> {
        let price = pool::sqrt_price(pool, self.market)?;
        let most = self.band().amounts_up(liquidity, price).or_range()?;
        let before = self.balances()?;
        self.with_position_seeds(|seeds| {
            pool::increase_liquidity(
                pool,
                range,
                self.accounts,
                self.lending,
                liquidity,
                most,
                seeds,
            )
        })?;
        let spent = difference(before, self.balances()?)?;
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
        let received = difference(self.balances()?, before)?;
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
        let fees = difference(self.balances()?, before)?;
        self.add_idle(Side::Base, fees.base)?;
        self.add_idle(Side::Quote, fees.quote)?;
        Ok(fees)
    }

    /// Quote that selling `base` must bring, or buying it may cost, if the loss against the oracle's price may be
    /// `max_loss_bps` of the value.
    ///
    /// # Errors
    /// [`BallastError::OutOfRange`].
    pub fn quote_bound(
        trade: Trade,
        base: u64,
        oracle: &OraclePrice,
        max_loss_bps: u32,
    ) -> Result<u64> {
        let one = u128::from(ballast_model::Bps::ONE.get());
        let max_loss = u128::from(max_loss_bps);
        let bound = match trade {
            // Least proceeds, rounded up: against the one who acts.
            Trade::SellBase => {
                (value_up(base, oracle.mid).or_range()? * (one - max_loss.min(one))).div_ceil(one)
            }
            Trade::BuyBase => value_down(base, oracle.mid).or_range()? * (one + max_loss) / one,
        };
        u64::try_from(bound).ok().or_range()
    }

    /// Sells or buys exactly `base` in the pool, at a loss of at most `max_loss_bps` against the oracle's price.
    ///
    /// # Errors
    /// [`BallastError::SwapLossTooHigh`], [`BallastError::UnexpectedBalance`] if the pool moved other amounts.
    pub fn swap(
        &mut self,
        pool: &PoolAccounts<'info>,
        arrays: &SwapAccounts<'info>,
        trade: Trade,
        base: u64,
        oracle: &OraclePrice,
        max_loss_bps: u32,
    ) -> Result<SwapResult> {
        let bound = Self::quote_bound(trade, base, oracle, max_loss_bps)?;
        let before = self.balances()?;
        self.with_position_seeds(|seeds| {
            pool::swap(
                pool,
                self.market,
                arrays,
                self.accounts,
                self.lending,
                (trade, base),
                seeds,
            )
        })?;
        let after = self.balances()?;
        let result = match trade {
            Trade::SellBase => {
                let sold = before
                    .base
                    .checked_sub(after.base)
                    .ok_or(BallastError::UnexpectedBalance)?;
                let quote = after
                    .quote
                    .checked_sub(before.quote)
                    .ok_or(BallastError::UnexpectedBalance)?;
                require!(sold == base, BallastError::UnexpectedBalance);
                require!(quote >= bound, BallastError::SwapLossTooHigh);
                self.take_idle(Side::Base, sold)?;
                self.add_idle(Side::Quote, quote)?;
                let fair = value_up(base, oracle.mid).or_range()?;
                SwapResult {
                    base,
                    quote,
                    loss: clamp(fair.saturating_sub(u128::from(quote))),
                }
            }
            Trade::BuyBase => {
                let bought = after
                    .base
                    .checked_sub(before.base)
                    .ok_or(BallastError::UnexpectedBalance)?;
                let quote = before
                    .quote
                    .checked_sub(after.quote)
                    .ok_or(BallastError::UnexpectedBalance)?;
                require!(bought == base, BallastError::UnexpectedBalance);
                require!(quote <= bound, BallastError::SwapLossTooHigh);
                self.take_idle(Side::Quote, quote)?;
                self.add_idle(Side::Base, bought)?;
                let fair = value_down(base, oracle.mid).or_range()?;
                SwapResult {
                    base,
                    quote,
                    loss: clamp(u128::from(quote).saturating_sub(fair)),
                }
            }
        };
        let entry = &mut self.position.entry;
        entry.swap_loss = entry.swap_loss.saturating_add(result.loss);
        Ok(result)
    }

    /// Closes the empty Whirlpool position and its NFT; the rent goes to the owner.
    ///
    /// # Errors
    /// Those of the Whirlpool program.
    pub fn close_whirlpool_position(&self, accounts: &Close<'info>) -> Result<()> {
        self.with_position_seeds(|seeds| pool::close_position(accounts, seeds))
    }

    fn balances(&self) -> Result<Amounts> {
        Ok(Amounts {
            base: token::balance(&self.accounts.base_account)?,
            quote: token::balance(&self.accounts.quote_account)?,
        })
    }
}

/// `more - less` on both sides.
fn difference(more: Amounts, less: Amounts) -> Result<Amounts> {
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

fn clamp(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}
