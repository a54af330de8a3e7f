//! Swaps within a session.

use anchor_lang::prelude::*;
use ballast_clmm::{Amounts, Side};
use ballast_ledger::{Moved, Order};
use ballast_model::{SqrtPrice, Trade};

use super::Session;
use crate::{
    errors::BallastError,
    groups::{PoolAccounts, SwapAccounts},
    pool,
};

impl<'info> Session<'_, 'info> {
    /// Calls the pool, and books what it has moved.
    ///
    /// # Errors
    /// [`BallastError::UnexpectedBalance`] if tokens went the other way, [`BallastError::OutOfRange`] if less is idle.
    pub fn swap(
        &mut self,
        pool: &PoolAccounts<'info>,
        arrays: &SwapAccounts<'info>,
        order: Order,
        limit: Option<SqrtPrice>,
    ) -> Result<Moved> {
        let before = self.balances()?;
        self.with_position_seeds(|seeds| {
            pool::swap(
                pool,
                self.market,
                arrays,
                self.accounts,
                self.lending,
                (order, limit),
                seeds,
            )
        })?;
        let after = self.balances_after_call()?;
        let (less, more) = match order.trade() {
            Trade::SellBase => (Side::Base, Side::Quote),
            Trade::BuyBase => (Side::Quote, Side::Base),
        };
        let changed = |side, from: Amounts, to: Amounts| {
            to.get(side)
                .checked_sub(from.get(side))
                .ok_or(BallastError::UnexpectedBalance)
        };
        let (paid, received) = (changed(less, after, before)?, changed(more, before, after)?);
        self.take_idle(less, paid)?;
        self.add_idle(more, received)?;
        Ok(match less {
            Side::Base => Moved {
                base: paid,
                quote: received,
            },
            Side::Quote => Moved {
                base: received,
                quote: paid,
            },
        })
    }
}
