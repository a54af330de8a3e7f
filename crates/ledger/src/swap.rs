//! Swaps whose loss against the oracle's price is bounded.

use ballast_clmm::SqrtPrice;
use ballast_model::{Bps, ModelError, Trade, price::swap_limit, value_down, value_up};

use crate::{Ledger, LedgerError, Moved, Order};

/// What a swap has moved, and what it lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swapped {
    /// Base sold or bought.
    pub base: u64,
    /// Quote received or paid.
    pub quote: u64,
    /// Loss against the oracle's price, raw quote units.
    pub loss: u64,
}

/// Of the oracle's price that is used and a newer one that is known, the one at which a trade has to be better: base is sold at the
/// higher and bought at the lower. So who picks an older price lets no swap lose more.
pub fn stricter(trade: Trade, used: SqrtPrice, newer: Option<SqrtPrice>) -> SqrtPrice {
    let newer = newer.unwrap_or(used);
    match trade {
        Trade::SellBase => used.max(newer),
        Trade::BuyBase => used.min(newer),
    }
}

/// Quote that selling `base` must bring, or buying it may cost, if the loss against the oracle's price may be `max_loss` of the
/// value. Rounded against the one who acts.
///
/// # Errors
/// [`ModelError::Overflow`].
pub fn quote_bound(
    trade: Trade,
    base: u64,
    oracle: SqrtPrice,
    max_loss: Bps,
) -> Result<u64, ModelError> {
    let one = u128::from(Bps::ONE.get());
    let max_loss = u128::from(max_loss.get());
    let bound = match trade {
        Trade::SellBase => (value_up(base, oracle)? * (one - max_loss.min(one))).div_ceil(one),
        Trade::BuyBase => value_down(base, oracle)? * (one + max_loss) / one,
    };
    u64::try_from(bound).map_err(|_| ModelError::Overflow("bound of a swap"))
}

/// Carries out exactly what is ordered, at a loss of at most `max_loss` against the oracle's price.
///
/// # Errors
/// [`LedgerError::SwapLoss`], [`LedgerError::OtherAmounts`] if the pool moved other amounts.
pub fn swap<L: Ledger>(
    ledger: &mut L,
    order: Order,
    oracle: SqrtPrice,
    max_loss: Bps,
) -> Result<Swapped, L::Error> {
    let moved = ledger.swap(order, None)?;
    let exact = match order {
        Order::Sell(base) | Order::Buy(base) => moved.base == base,
        Order::Spend(quote) => moved.quote == quote,
    };
    if !exact {
        return Err(LedgerError::OtherAmounts.into());
    }
    book(ledger, order.trade(), moved, oracle, max_loss)
}

/// Sells or buys up to `base`: as much as loses at most `max_loss` against the oracle's price to the last unit. For what protects a
/// position, where a part is better than nothing.
///
/// # Errors
/// [`LedgerError::SwapLoss`] if that is nothing, [`LedgerError::OtherAmounts`] if the pool moved more.
pub fn swap_up_to<L: Ledger>(
    ledger: &mut L,
    (trade, base): (Trade, u64),
    oracle: SqrtPrice,
    max_loss: Bps,
) -> Result<Swapped, L::Error> {
    let (price, fee_rate_ppm) = ledger.pool_price_and_fee_ppm()?;
    let limit = swap_limit(trade, oracle, max_loss, fee_rate_ppm).map_err(LedgerError::from)?;
    let (order, ahead) = match trade {
        Trade::SellBase => (Order::Sell(base), limit < price),
        Trade::BuyBase => (Order::Buy(base), limit > price),
    };
    if !ahead {
        return Err(LedgerError::SwapLoss { trade, max_loss }.into());
    }
    let moved = ledger.swap(order, Some(limit))?;
    if moved.base == 0 {
        return Err(LedgerError::SwapLoss { trade, max_loss }.into());
    }
    // A part is all that there was up to the limit, or the pool has kept something.
    if moved.base != base && (moved.base > base || ledger.pool_price()? != limit) {
        return Err(LedgerError::OtherAmounts.into());
    }
    book(ledger, trade, moved, oracle, max_loss)
}

/// Refuses a bad price, and notes the loss of another.
fn book<L: Ledger>(
    ledger: &mut L,
    trade: Trade,
    Moved { base, quote }: Moved,
    oracle: SqrtPrice,
    max_loss: Bps,
) -> Result<Swapped, L::Error> {
    let bound = quote_bound(trade, base, oracle, max_loss).map_err(LedgerError::from)?;
    let received = u128::from(quote);
    let (good, loss) = match trade {
        Trade::SellBase => {
            let value = value_up(base, oracle).map_err(LedgerError::from)?;
            (quote >= bound, value.saturating_sub(received))
        }
        Trade::BuyBase => {
            let value = value_down(base, oracle).map_err(LedgerError::from)?;
            (quote <= bound, received.saturating_sub(value))
        }
    };
    if !good {
        return Err(LedgerError::SwapLoss { trade, max_loss }.into());
    }
    let loss = u64::try_from(loss).unwrap_or(u64::MAX);
    ledger.note_swap_loss(loss);
    Ok(Swapped { base, quote, loss })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_prices_the_one_counts_at_which_a_trade_has_to_be_better() {
        let (low, high) = (SqrtPrice::ONE, SqrtPrice::new(3 << 63).unwrap());
        for (used, newer) in [(low, high), (high, low)] {
            assert_eq!(stricter(Trade::SellBase, used, Some(newer)), high);
            assert_eq!(stricter(Trade::BuyBase, used, Some(newer)), low);
        }
        assert_eq!(stricter(Trade::SellBase, low, None), low);
        assert_eq!(stricter(Trade::BuyBase, high, None), high);
    }

    #[test]
    fn bounds_round_against_the_one_who_acts() {
        // One base is worth 2.25.
        let oracle = SqrtPrice::new(3 << 63).unwrap();
        let bound = |trade, max_loss| quote_bound(trade, 1, oracle, Bps::new(max_loss)).unwrap();
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
