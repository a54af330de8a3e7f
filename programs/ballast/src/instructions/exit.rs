//! `exit`: a keeper takes a position out of the pool when the owner's price window or equity floor says so.

use anchor_lang::prelude::*;
use ballast_clmm::SqrtPrice;

use crate::{
    due,
    errors::BallastError,
    events::Exited,
    groups::*,
    math::ToProgramError,
    oracle::{self, Grade},
    pool, risk,
    session::{Failed, Session},
    state::Market,
    terms,
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

/// Books the fees, withdraws everything, collects them, repays both debts, and swaps what is left into the token that the owner has
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
    // A deleverage may have taken all liquidity out and left debt beside tokens that the owner's window and floor are about.
    require!(
        liquidity > 0 || !session.position.is_debt_free(),
        BallastError::NoLiquidity
    );
    let automation = session.position.automation;
    let by_owner = accounts.keeper.key() == session.position.owner;
    require!(
        by_owner || session.position.policy.keeper_enabled == 1,
        BallastError::KeeperDisabled
    );
    // Fees are the owner's like all else, also those that nobody has had the pool book.
    session.book_fees(&accounts.pool, &accounts.range)?;
    let owned = session
        .model()?
        .with_idle(session.fees_owed()?)
        .or_range()?;
    let newest = oracle::newest_price(market);
    let (reason, reaction) = due::exit_due_for(&automation, &owned, oracle.mid, newest)
        .or_range()?
        .ok_or(BallastError::ExitNotDue)?;

    let terms = terms::exit(&market.limits, &automation, reaction, oracle.mid, newest);
    let mut calls = session
        .calls(&accounts.pool, &accounts.range)
        .swapping(&accounts.swap);
    let done = ballast_ledger::exit(&mut calls, &terms, |_| {
        may_swap(accounts, market, oracle.mid, now_secs).map_err(Failed::from)
    })?;
    session.position.exits = session.position.exits.saturating_add(1);
    let idle = session.position.idle();
    emit!(Exited {
        position: accounts.position.position.key(),
        keeper: accounts.keeper.key(),
        reason,
        reaction,
        repaid_base: done.repaid.base,
        repaid_quote: done.repaid.quote,
        fees_base: done.fees.base,
        fees_quote: done.fees.quote,
        idle_base: idle.base,
        idle_quote: idle.quote,
        swap_loss: done.swap_loss,
        sqrt_price_x64: oracle.mid.x64(),
    });
    session.store_and_pay(&accounts.keeper)
}

/// What may be lost in a swap is measured against the price: nobody picks it among the last minutes'.
fn may_swap(accounts: &Exit, market: &Market, oracle: SqrtPrice, now_secs: i64) -> Result<()> {
    oracle::peek_price(market, &accounts.prices, now_secs, Grade::Swap)?;
    let pool_price = pool::sqrt_price(&accounts.pool, market)?;
    risk::require_pool_near_oracle(&market.limits, pool_price, oracle)
}
