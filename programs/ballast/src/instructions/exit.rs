//! `exit`: a keeper takes a position out of the pool when the owner's price window or equity floor says so.

use anchor_lang::prelude::*;
use ballast_clmm::{Amounts, Side, SqrtPrice};
use ballast_model::{Bps, Trade, value_down, value_up};

use crate::{
    due,
    errors::BallastError,
    events::Exited,
    groups::*,
    math::ToProgramError,
    oracle::{self, Grade, OraclePrice},
    pool, risk,
    session::Session,
    state::{Market, Reaction},
};

#[derive(Accounts)]
pub struct Exit<'info> {
    #[account(mut)]
    pub keeper: Signer<'info>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    pub position: PositionAccounts<'info>,
    pub lending: LendingAccounts<'info>,
    pub pool: PoolAccounts<'info>,
    pub range: RangeAccounts<'info>,
    pub swap: SwapAccounts<'info>,
    pub prices: PriceAccounts<'info>,
}

/// Withdraws everything, collects the fees, repays both debts, and swaps what is left into the token that the owner has
/// chosen. What the owner gets lies idle in the position afterwards, free of debt and of price risk beyond that token: it
/// takes no account of the owner's, so nothing of the owner's can make it fail, and `close` pays it out.
///
/// # Errors
/// [`BallastError::KeeperDisabled`], [`BallastError::NoLiquidity`], [`BallastError::ExitNotDue`],
/// [`BallastError::PoolDiverged`], [`BallastError::PriceStale`] beyond the age for swaps and [`BallastError::SwapLossTooHigh`]
/// where it takes a swap, [`BallastError::DebtRemains`]
/// if the collateral does not repay everything, price errors.
pub(crate) fn exit(ctx: Context<Exit>) -> Result<()> {
    let accounts = &ctx.accounts;
    let now_secs = Clock::get()?.unix_timestamp;
    let mut market = accounts.market.load_mut()?;
    let oracle = oracle::read_price(&mut market, &accounts.prices, now_secs, Grade::Loose)?;
    let market = &*market;
    let mut session = Session::load(
        accounts.market.key(),
        market,
        &accounts.position,
        &accounts.lending,
        now_secs,
    )?;
    let liquidity = session.position.liquidity.get();
    require!(liquidity > 0, BallastError::NoLiquidity);
    let automation = session.position.automation;
    let by_owner = accounts.keeper.key() == session.position.owner;
    require!(
        by_owner || session.position.policy.keeper_enabled == 1,
        BallastError::KeeperDisabled
    );
    // Fees that the pool has booked are the owner's like all else.
    let owned = session
        .model()?
        .with_idle(session.fees_owed()?)
        .or_range()?;
    let equity = owned.value(oracle.mid).or_range()?.equity();
    let (reason, reaction) =
        due::exit_due(&automation, oracle.mid, equity).ok_or(BallastError::ExitNotDue)?;

    session.withdraw(&accounts.pool, &accounts.range, liquidity)?;
    let fees = session.collect_fees(&accounts.pool)?;
    let mut repaid = session.settle()?;
    let loss_before = session.position.entry.swap_loss;
    let max_loss_bps = automation
        .max_exit_loss_bps
        .min(market.limits.max_swap_loss_bps);
    // First what the debts need, then what the owner wants.
    for _ in 0..2 {
        let idle = session.position.idle();
        let Some(order) = next_order(
            reaction,
            idle,
            [session.owed(Side::Base)?, session.owed(Side::Quote)?],
            oracle.mid,
            max_loss_bps,
        )?
        else {
            break;
        };
        trade(&mut session, accounts, order, &oracle, max_loss_bps)?;
        repaid = repaid.checked_add(session.settle()?).or_range()?;
    }
    require!(session.position.is_debt_free(), BallastError::DebtRemains);

    let swap_loss = session.position.entry.swap_loss - loss_before;
    session.position.exits = session.position.exits.saturating_add(1);
    let idle = session.position.idle();
    emit!(Exited {
        position: accounts.position.position.key(),
        keeper: accounts.keeper.key(),
        reason,
        reaction,
        repaid_base: repaid.base,
        repaid_quote: repaid.quote,
        fees_base: fees.base,
        fees_quote: fees.quote,
        idle_base: idle.base,
        idle_quote: idle.quote,
        swap_loss,
        sqrt_price_x64: oracle.mid.x64(),
    });
    session.store_and_pay(&accounts.keeper)
}

/// A swap on the way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// So much base is sold.
    Sell(u64),
    /// So much base is bought.
    Buy(u64),
    /// Base is bought for so much quote.
    Spend(u64),
}

/// The next swap, after what lies idle has repaid what it can: at most one of the two tokens is both held and owed.
/// Nothing if the position stands as the owner wants it, or if nothing is held to trade. The keeper forecasts by the same
/// function.
///
/// The pool rounds every amount against the trader, which is more than `max_loss_bps` of a few units: a debt that small is
/// repaid out of a larger trade, so that it cannot stand in the way, and what is held beyond the debts is not traded for so
/// little.
///
/// # Errors
/// [`BallastError::OutOfRange`].
pub fn next_order(
    reaction: Reaction,
    idle: Amounts,
    [owed_base, owed_quote]: [u64; 2],
    at: SqrtPrice,
    max_loss_bps: u32,
) -> Result<Option<Order>> {
    let dust = dust_up(at, max_loss_bps)?;
    let least = ballast_model::base_for_value_up(dust, at).or_range()?;
    let order = if owed_base > 0 && idle.quote > 0 {
        let affordable = u128::from(idle.quote) >= dust.saturating_mul(2);
        Some(Order::Buy(if affordable {
            owed_base.max(least)
        } else {
            owed_base
        }))
    } else if owed_quote > 0 && idle.base > 0 {
        let sold = match reaction {
            Reaction::ExitIntoQuote => idle.base,
            _ => base_for_quote_up(owed_quote, at, max_loss_bps)?
                .max(least)
                .min(idle.base),
        };
        Some(Order::Sell(sold))
    } else {
        match reaction {
            Reaction::ExitIntoQuote if value_down(idle.base, at).or_range()? >= dust => {
                Some(Order::Sell(idle.base))
            }
            Reaction::ExitIntoBase if u128::from(idle.quote) >= dust => {
                Some(Order::Spend(idle.quote))
            }
            _ => None,
        }
    };
    Ok(order)
}

/// Value of a trade whose rounding, by a few units of either token, is within the loss allowed; raw quote units.
fn dust_up(at: SqrtPrice, max_loss_bps: u32) -> Result<u128> {
    const UNITS: u64 = 4;
    let rounding = value_up(UNITS, at).or_range()? + u128::from(UNITS);
    Ok(rounding * u128::from(Bps::ONE.get()) / u128::from(max_loss_bps.max(1)))
}

/// Base whose sale brings `quote` even at the largest loss allowed, rounded up.
fn base_for_quote_up(quote: u64, at: SqrtPrice, max_loss_bps: u32) -> Result<u64> {
    let one = Bps::ONE.get();
    let kept = u128::from(one.saturating_sub(max_loss_bps).max(1));
    let needed = (u128::from(quote) * u128::from(one)).div_ceil(kept);
    ballast_model::base_for_value_up(needed, at).or_range()
}

fn trade<'info>(
    session: &mut Session<'_, 'info>,
    accounts: &Exit<'info>,
    order: Order,
    oracle: &OraclePrice,
    max_loss_bps: u32,
) -> Result<()> {
    let market = session.market;
    // What may be lost is measured against this price: nobody picks it among the last minutes'.
    let now_secs = Clock::get()?.unix_timestamp;
    oracle::peek_price(market, &accounts.prices, now_secs, Grade::Swap)?;
    let limits = &market.limits;
    let pool_price = pool::sqrt_price(&accounts.pool, market)?;
    risk::require_pool_near_oracle(limits, pool_price, oracle.mid)?;
    let (pool, arrays) = (&accounts.pool, &accounts.swap);
    match order {
        Order::Sell(base) => {
            session.swap(pool, arrays, Trade::SellBase, base, oracle, max_loss_bps)?
        }
        Order::Buy(base) => {
            session.swap(pool, arrays, Trade::BuyBase, base, oracle, max_loss_bps)?
        }
        Order::Spend(quote) => session.spend_quote(pool, arrays, quote, oracle, max_loss_bps)?,
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debts_come_first_and_then_the_owners_token() {
        let next = |reaction, base, quote, owed: [u64; 2]| {
            next_order(reaction, Amounts { base, quote }, owed, SqrtPrice::ONE, 100).unwrap()
        };
        use Reaction::{ExitAsIs, ExitIntoBase, ExitIntoQuote};
        for reaction in [ExitAsIs, ExitIntoBase, ExitIntoQuote] {
            assert_eq!(next(reaction, 0, 900, [50, 0]), Some(Order::Buy(50)));
            // Nothing is held: nothing can be traded, the debt remains and the exit is refused.
            assert_eq!(next(reaction, 0, 0, [50, 50]), None);
        }
        assert_eq!(next(ExitAsIs, 9_000, 0, [0, 990]), Some(Order::Sell(1_000)));
        assert_eq!(
            next(ExitIntoBase, 9_000, 0, [0, 990]),
            Some(Order::Sell(1_000))
        );
        assert_eq!(next(ExitIntoQuote, 900, 0, [0, 99]), Some(Order::Sell(900)));
        assert_eq!(next(ExitAsIs, 60, 0, [0, 99]), Some(Order::Sell(60)));
        assert_eq!(next(ExitAsIs, 900, 900, [0, 0]), None);
        assert_eq!(
            next(ExitIntoBase, 900, 800, [0, 0]),
            Some(Order::Spend(800))
        );
        assert_eq!(
            next(ExitIntoQuote, 900, 800, [0, 0]),
            Some(Order::Sell(900))
        );
        assert_eq!(next(ExitIntoQuote, 0, 800, [0, 0]), None);
        assert_eq!(next(ExitIntoBase, 900, 2, [0, 0]), None);
    }

    #[test]
    fn a_debt_of_a_few_units_is_repaid_out_of_a_trade_that_rounding_does_not_spoil() {
        use Reaction::{ExitAsIs, ExitIntoBase, ExitIntoQuote};
        let next = |reaction, base, quote, owed: [u64; 2]| {
            next_order(reaction, Amounts { base, quote }, owed, SqrtPrice::ONE, 100).unwrap()
        };
        // Eight units of rounding are 1 % of 800.
        assert_eq!(next(ExitAsIs, 0, 9_000, [1, 0]), Some(Order::Buy(800)));
        assert_eq!(next(ExitAsIs, 9_000, 0, [0, 1]), Some(Order::Sell(800)));
        assert_eq!(next(ExitAsIs, 0, 9_000, [801, 0]), Some(Order::Buy(801)));
        // What there is not is not traded.
        assert_eq!(next(ExitAsIs, 70, 0, [0, 1]), Some(Order::Sell(70)));
        assert_eq!(next(ExitAsIs, 0, 1_599, [1, 0]), Some(Order::Buy(1)));
        // The rest stays what it is.
        assert_eq!(next(ExitIntoQuote, 799, 0, [0, 0]), None);
        assert_eq!(next(ExitIntoQuote, 800, 0, [0, 0]), Some(Order::Sell(800)));
        assert_eq!(next(ExitIntoBase, 0, 799, [0, 0]), None);
        assert_eq!(next(ExitIntoBase, 0, 800, [0, 0]), Some(Order::Spend(800)));
    }

    #[test]
    fn values_and_what_must_be_sold_round_so_that_no_trade_is_spoilt() {
        // One base is worth 1.5625: four units of it are 7 when rounded up.
        let at = SqrtPrice::new(5 << 62).unwrap();
        assert_eq!(dust_up(at, 100).unwrap(), 11 * 100);
        assert_eq!(dust_up(at, 0).unwrap(), 11 * 10_000);
        // 1 221.875 are less than the 1 222 of dust.
        let held = |base| Amounts { base, quote: 0 };
        let sold = |base| next_order(Reaction::ExitIntoQuote, held(base), [0, 0], at, 90).unwrap();
        assert_eq!((sold(782), sold(783)), (None, Some(Order::Sell(783))));

        assert_eq!(base_for_quote_up(3, SqrtPrice::ONE, 1_000).unwrap(), 4);
        assert_eq!(
            base_for_quote_up(3, SqrtPrice::ONE, 10_000).unwrap(),
            30_000
        );
    }
}
