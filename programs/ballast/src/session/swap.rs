//! Swaps within a session, bounded by the oracle's price.

use anchor_lang::prelude::*;
use ballast_clmm::{Amounts, Side};
use ballast_model::{Bps, SqrtPrice, Trade, price::swap_limit, value_down, value_up};

use super::Session;
use crate::{
    errors::BallastError,
    groups::{PoolAccounts, SwapAccounts},
    math::ToProgramError,
    oracle::OraclePrice,
    pool::{self, Order},
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
    let one = u128::from(Bps::ONE.get());
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

impl<'info> Session<'_, 'info> {
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
        let order = match trade {
            Trade::SellBase => Order::SellBase(base),
            Trade::BuyBase => Order::BuyBase(base),
        };
        let (moved, quote) = self.carry_out(pool, arrays, order, None)?;
        require!(moved == base, BallastError::UnexpectedBalance);
        self.book(trade, base, quote, oracle, max_loss_bps)
    }

    /// Sells or buys up to `base` in the pool: as much as loses at most `max_loss_bps` against the oracle's price to the last
    /// unit. For what protects a position, where a part is better than nothing.
    ///
    /// # Errors
    /// [`BallastError::SwapLossTooHigh`] if that is nothing, [`BallastError::UnexpectedBalance`] if the pool moved more.
    pub fn swap_up_to(
        &mut self,
        pool: &PoolAccounts<'info>,
        arrays: &SwapAccounts<'info>,
        trade: Trade,
        base: u64,
        oracle: &OraclePrice,
        max_loss_bps: u32,
    ) -> Result<SwapResult> {
        let (price, fee_rate_ppm) = pool::price_and_fee(pool, self.market)?;
        let limit =
            swap_limit(trade, oracle.mid, Bps::new(max_loss_bps), fee_rate_ppm).or_range()?;
        let (order, ahead) = match trade {
            Trade::SellBase => (Order::SellBase(base), limit < price),
            Trade::BuyBase => (Order::BuyBase(base), limit > price),
        };
        require!(ahead, BallastError::SwapLossTooHigh);
        let (moved, quote) = self.carry_out(pool, arrays, order, Some(limit))?;
        require!(moved > 0, BallastError::SwapLossTooHigh);
        if moved != base {
            // A part is all that there was up to the limit, or the pool has kept something.
            let ended = pool::sqrt_price(pool, self.market)?;
            require!(
                moved < base && ended == limit,
                BallastError::UnexpectedBalance
            );
        }
        self.book(trade, moved, quote, oracle, max_loss_bps)
    }

    /// Buys base for exactly `quote`, at a loss of at most `max_loss_bps` against the oracle's price.
    ///
    /// # Errors
    /// As [`Self::swap`].
    pub fn spend_quote(
        &mut self,
        pool: &PoolAccounts<'info>,
        arrays: &SwapAccounts<'info>,
        quote: u64,
        oracle: &OraclePrice,
        max_loss_bps: u32,
    ) -> Result<SwapResult> {
        let (base, moved) = self.carry_out(pool, arrays, Order::SpendQuote(quote), None)?;
        require!(moved == quote, BallastError::UnexpectedBalance);
        self.book(Trade::BuyBase, base, quote, oracle, max_loss_bps)
    }

    /// Calls the pool; returns the base and the quote that it moved.
    fn carry_out(
        &mut self,
        pool: &PoolAccounts<'info>,
        arrays: &SwapAccounts<'info>,
        order: Order,
        limit: Option<SqrtPrice>,
    ) -> Result<(u64, u64)> {
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
        let (less, more) = match order {
            Order::SellBase(_) => (Side::Base, Side::Quote),
            Order::BuyBase(_) | Order::SpendQuote(_) => (Side::Quote, Side::Base),
        };
        let changed = |side, from: Amounts, to: Amounts| {
            to.get(side)
                .checked_sub(from.get(side))
                .ok_or(BallastError::UnexpectedBalance)
        };
        let (paid, received) = (changed(less, after, before)?, changed(more, before, after)?);
        Ok(match less {
            Side::Base => (paid, received),
            Side::Quote => (received, paid),
        })
    }

    /// Refuses a bad price, and books the rest.
    fn book(
        &mut self,
        trade: Trade,
        base: u64,
        quote: u64,
        oracle: &OraclePrice,
        max_loss_bps: u32,
    ) -> Result<SwapResult> {
        let bound = quote_bound(trade, base, oracle, max_loss_bps)?;
        let quote_value = u128::from(quote);
        let loss = match trade {
            Trade::SellBase => {
                require!(quote >= bound, BallastError::SwapLossTooHigh);
                self.take_idle(Side::Base, base)?;
                self.add_idle(Side::Quote, quote)?;
                value_up(base, oracle.mid)
                    .or_range()?
                    .saturating_sub(quote_value)
            }
            Trade::BuyBase => {
                require!(quote <= bound, BallastError::SwapLossTooHigh);
                self.take_idle(Side::Quote, quote)?;
                self.add_idle(Side::Base, base)?;
                quote_value.saturating_sub(value_down(base, oracle.mid).or_range()?)
            }
        };
        let loss = u64::try_from(loss).unwrap_or(u64::MAX);
        let entry = &mut self.position.entry;
        entry.swap_loss = entry.swap_loss.saturating_add(loss);
        Ok(SwapResult { base, quote, loss })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_round_against_the_one_who_acts() {
        // One base is worth 2.25.
        let mid = SqrtPrice::new(3 << 63).unwrap();
        let oracle = OraclePrice {
            low: mid,
            mid,
            high: mid,
        };
        let bound = |trade, max_loss_bps| quote_bound(trade, 1, &oracle, max_loss_bps).unwrap();
        assert_eq!(bound(Trade::SellBase, 0), 3);
        assert_eq!(bound(Trade::BuyBase, 0), 2);
        // 90 % of three, and 110 % of two.
        assert_eq!(bound(Trade::SellBase, 1_000), 3);
        assert_eq!(bound(Trade::BuyBase, 1_000), 2);
        assert_eq!(bound(Trade::BuyBase, 5_000), 3);
        // No more than everything can be lost.
        assert_eq!(bound(Trade::SellBase, 20_000), 0);
    }
}
