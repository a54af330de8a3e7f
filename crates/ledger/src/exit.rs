//! Getting out of the pool, and into what the owner wants.

use ballast_clmm::{Amounts, Side, SqrtPrice};
use ballast_model::{Bps, ModelError, base_for_value_up, value_down, value_up};

use crate::{Ledger, LedgerError, Order, settle, stricter, swap};

/// What an owner wants to have after an exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payout {
    /// Whatever is left.
    AsIs,
    /// Base.
    Base,
    /// Quote.
    Quote,
}

/// How a position gets out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitTerms {
    /// What the owner wants.
    pub payout: Payout,
    /// The oracle's price.
    pub oracle: SqrtPrice,
    /// Largest loss of each swap.
    pub max_loss: Bps,
    /// A newer price than the oracle's that is used, at which a swap may lose no more either.
    pub newer: Option<SqrtPrice>,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exited {
    /// The fees.
    pub fees: Amounts,
    /// Repaid.
    pub repaid: Amounts,
    /// Loss of the swaps against the oracle's price, raw quote units.
    pub swap_loss: u64,
    /// Base of the larger swap, sold or bought.
    pub base_traded: u64,
}

/// Withdraws everything, collects the fees, repays, and swaps: first what the debts need, then what the owner wants. `may_swap` is
/// asked before each swap.
///
/// # Errors
/// [`LedgerError::DebtRemains`], those of [`Ledger::withdraw`], [`Ledger::collect`], [`swap()`] and `may_swap`.
pub fn exit<L: Ledger>(
    ledger: &mut L,
    terms: &ExitTerms,
    mut may_swap: impl FnMut(&L) -> Result<(), L::Error>,
) -> Result<Exited, L::Error> {
    if ledger.liquidity() > 0 {
        ledger.withdraw(ledger.liquidity())?;
    }
    let mut done = Exited {
        fees: ledger.collect()?,
        repaid: settle(ledger)?,
        ..Exited::default()
    };
    for _ in 0..2 {
        let order = next_order(
            terms.payout,
            ledger.idle(),
            owed_up(ledger)?,
            terms.oracle,
            terms.max_loss,
        );
        let Some(order) = order.map_err(LedgerError::from)? else {
            break;
        };
        may_swap(ledger)?;
        let fair = stricter(order.trade(), terms.oracle, terms.newer);
        let swapped = swap(ledger, order, fair, terms.max_loss)?;
        done.swap_loss = done.swap_loss.saturating_add(swapped.loss);
        done.base_traded = done.base_traded.max(swapped.base);
        let repaid = done.repaid.checked_add(settle(ledger)?);
        done.repaid = repaid.map_err(|error| LedgerError::Model(error.into()))?;
    }
    if owed_up(ledger)? != Amounts::ZERO {
        return Err(LedgerError::DebtRemains.into());
    }
    Ok(done)
}

fn owed_up<L: Ledger>(ledger: &L) -> Result<Amounts, L::Error> {
    Ok(Amounts {
        base: ledger.owed_up(Side::Base)?,
        quote: ledger.owed_up(Side::Quote)?,
    })
}

/// The next swap, after what lies idle has repaid what it can: at most one of the two tokens is both held and owed.
/// Nothing if the position stands as the owner wants it, or if nothing is held to trade.
///
/// The pool rounds every amount against the trader, which is more than `max_loss` of a few units: a debt that small is
/// repaid out of a larger trade, so that it cannot stand in the way, and what is held beyond the debts is not traded for so
/// little.
///
/// # Errors
/// [`ModelError`].
pub fn next_order(
    payout: Payout,
    idle: Amounts,
    owed: Amounts,
    at: SqrtPrice,
    max_loss: Bps,
) -> Result<Option<Order>, ModelError> {
    let dust = dust_up(at, max_loss)?;
    let least = base_for_value_up(dust, at)?;
    let order = if owed.base > 0 && idle.quote > 0 {
        let affordable = u128::from(idle.quote) >= dust.saturating_mul(2);
        Some(Order::Buy(if affordable {
            owed.base.max(least)
        } else {
            owed.base
        }))
    } else if owed.quote > 0 && idle.base > 0 {
        let sold = match payout {
            Payout::Quote => idle.base,
            Payout::AsIs | Payout::Base => base_for_quote_up(owed.quote, at, max_loss)?
                .max(least)
                .min(idle.base),
        };
        Some(Order::Sell(sold))
    } else {
        match payout {
            Payout::Quote if value_down(idle.base, at)? >= dust => Some(Order::Sell(idle.base)),
            Payout::Base if u128::from(idle.quote) >= dust => Some(Order::Spend(idle.quote)),
            _ => None,
        }
    };
    Ok(order)
}

/// Value of a trade whose rounding, by a few units of either token, is within the loss allowed; raw quote units.
fn dust_up(at: SqrtPrice, max_loss: Bps) -> Result<u128, ModelError> {
    const UNITS: u64 = 4;
    let rounding = value_up(UNITS, at)? + u128::from(UNITS);
    Ok(rounding * u128::from(Bps::ONE.get()) / u128::from(max_loss.get().max(1)))
}

/// Base whose sale brings `quote` even at the largest loss allowed, rounded up.
fn base_for_quote_up(quote: u64, at: SqrtPrice, max_loss: Bps) -> Result<u64, ModelError> {
    let one = Bps::ONE.get();
    let kept = u128::from(one.saturating_sub(max_loss.get()).max(1));
    let needed = (u128::from(quote) * u128::from(one)).div_ceil(kept);
    base_for_value_up(needed, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE_PERCENT: Bps = Bps::new(100);

    fn next(payout: Payout, base: u64, quote: u64, owed: [u64; 2]) -> Option<Order> {
        let owed = Amounts::new(owed[0], owed[1]);
        let idle = Amounts { base, quote };
        next_order(payout, idle, owed, SqrtPrice::ONE, ONE_PERCENT).unwrap()
    }

    #[test]
    fn debts_come_first_and_then_the_owners_token() {
        use Payout::{AsIs, Base, Quote};
        for payout in [AsIs, Base, Quote] {
            assert_eq!(next(payout, 0, 900, [50, 0]), Some(Order::Buy(50)));
            // Nothing is held: nothing can be traded, the debt remains and the exit is refused.
            assert_eq!(next(payout, 0, 0, [50, 50]), None);
        }
        assert_eq!(next(AsIs, 9_000, 0, [0, 990]), Some(Order::Sell(1_000)));
        assert_eq!(next(Base, 9_000, 0, [0, 990]), Some(Order::Sell(1_000)));
        assert_eq!(next(Quote, 900, 0, [0, 99]), Some(Order::Sell(900)));
        assert_eq!(next(AsIs, 60, 0, [0, 99]), Some(Order::Sell(60)));
        assert_eq!(next(AsIs, 900, 900, [0, 0]), None);
        assert_eq!(next(Base, 900, 800, [0, 0]), Some(Order::Spend(800)));
        assert_eq!(next(Quote, 900, 800, [0, 0]), Some(Order::Sell(900)));
        assert_eq!(next(Quote, 0, 800, [0, 0]), None);
        assert_eq!(next(Base, 900, 2, [0, 0]), None);
    }

    #[test]
    fn a_debt_of_a_few_units_is_repaid_out_of_a_trade_that_rounding_does_not_spoil() {
        use Payout::{AsIs, Base, Quote};
        // Eight units of rounding are 1 % of 800.
        assert_eq!(next(AsIs, 0, 9_000, [1, 0]), Some(Order::Buy(800)));
        assert_eq!(next(AsIs, 9_000, 0, [0, 1]), Some(Order::Sell(800)));
        assert_eq!(next(AsIs, 0, 9_000, [801, 0]), Some(Order::Buy(801)));
        // What there is not is not traded.
        assert_eq!(next(AsIs, 70, 0, [0, 1]), Some(Order::Sell(70)));
        assert_eq!(next(AsIs, 0, 1_599, [1, 0]), Some(Order::Buy(1)));
        // The rest stays what it is.
        assert_eq!(next(Quote, 799, 0, [0, 0]), None);
        assert_eq!(next(Quote, 800, 0, [0, 0]), Some(Order::Sell(800)));
        assert_eq!(next(Base, 0, 799, [0, 0]), None);
        assert_eq!(next(Base, 0, 800, [0, 0]), Some(Order::Spend(800)));
    }

    #[test]
    fn values_and_what_must_be_sold_round_so_that_no_trade_is_spoilt() {
        // One base is worth 1.5625: four units of it are 7 when rounded up.
        let at = SqrtPrice::new(5 << 62).unwrap();
        assert_eq!(dust_up(at, ONE_PERCENT).unwrap(), 11 * 100);
        assert_eq!(dust_up(at, Bps::new(0)).unwrap(), 11 * 10_000);
        // 1 221.875 are less than the 1 222 of dust.
        let sold = |base| {
            let idle = Amounts::new(base, 0);
            next_order(Payout::Quote, idle, Amounts::ZERO, at, Bps::new(90)).unwrap()
        };
        assert_eq!((sold(782), sold(783)), (None, Some(Order::Sell(783))));

        let needed = |max_loss| base_for_quote_up(3, SqrtPrice::ONE, Bps::new(max_loss)).unwrap();
        assert_eq!((needed(1_000), needed(10_000)), (4, 30_000));
    }
}
