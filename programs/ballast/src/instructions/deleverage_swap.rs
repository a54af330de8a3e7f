//! `deleverage_swap`: a keeper brings LTV down to the target where repaying with what the pool pays cannot: one swap turns the tokens
//! into those that are owed.

use anchor_lang::prelude::*;
use ballast_model::{DeleverageError, Trade};

use super::deleverage::{allowed_by_owner, due_for};
use crate::{
    errors::BallastError,
    events::DeleveragedWithSwap,
    groups::*,
    math::ToProgramError,
    oracle::{self, Grade},
    pool, risk,
    session::Session,
    state::Market,
    terms,
};

#[derive(Accounts)]
pub struct DeleverageSwap<'info> {
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

/// Due like a [`deleverage`](super::deleverage), and the same without a swap wherever that reaches the target. Else it withdraws
/// the least liquidity with which one swap and both repayments end at the target LTV, hedged as the policy says (MATH section 4).
///
/// The price has to be seconds old, because who swaps picks the moment, but may be anywhere from its average: it is made for
/// crashes. A swap has to be due at the newest price that the market knows as well, and stops where it would lose more than the
/// policy's cap at either price; above the market's trigger only the market's cap counts. What can be done up to there is done, as long as it lowers LTV and leaves the stressed LTV no higher. A day's losses do
/// not bind it: who used them up would keep everybody from acting.
///
/// # Errors
/// [`BallastError::DeleverageNotDue`], [`BallastError::KeeperDisabled`], [`BallastError::PoolDiverged`],
/// [`BallastError::SwapLossTooHigh`], [`BallastError::LtvNotLowered`], price and pool errors.
pub(crate) fn deleverage_swap(ctx: Context<DeleverageSwap>) -> Result<()> {
    let accounts = &ctx.accounts;
    let now_secs = Clock::get()?.unix_timestamp;
    let mut market = accounts.market.load_mut()?;
    let oracle = oracle::read_price(&mut market, &accounts.prices, now_secs, Grade::Swap)?;
    let market = &*market;
    let pool_price = pool::sqrt_price(&accounts.pool, market)?;
    risk::require_pool_near_oracle(&market.limits, pool_price, oracle.mid)?;
    let mut session = Session::load(
        accounts.market.key(),
        market,
        &accounts.position,
        &accounts.lending,
        now_secs,
    )?;

    let before = session.model()?;
    let value_before = before.value(oracle.mid).or_range()?;
    let mut due = due_for(
        &session,
        accounts.keeper.key,
        (&before, &value_before),
        oracle.mid,
    )?;
    let policy = session.position.policy;
    let mut planned = due.plan(&before, oracle.mid, pool_price);
    let newest = oracle::newest_price(market);
    if matches!(planned, Err(DeleverageError::NeedsSwap { .. })) {
        let allowed = allowed_by_owner(&session, accounts.keeper.key);
        let due_too = due.with_swap_at_newest(&policy, allowed, &before, oracle.mid, newest);
        let due_too = due_too.or_range()?.ok_or(BallastError::DeleverageNotDue)?;
        if due_too != due {
            due = due_too;
            planned = due.plan(&before, oracle.mid, pool_price);
        }
    }
    let terms = terms::deleverage_swap(&market.limits, &policy, &due, newest);
    let mut calls = session
        .calls(&accounts.pool, &accounts.range)
        .swapping(&accounts.swap);
    let prices = [pool_price, oracle.mid];
    let (target, done) =
        ballast_ledger::deleverage_swap(&mut calls, &before, prices, planned, &terms)?;

    let after = session.model()?;
    let value_after = after.value(oracle.mid).or_range()?;
    let whole = !value_after.ltv_above(target);
    if !whole {
        risk::require_ltv_lowered(&market.limits, &before, &after, oracle.mid)?;
    }
    session.position.deleverages = session.position.deleverages.saturating_add(1);
    emit!(DeleveragedWithSwap {
        position: accounts.position.position.key(),
        keeper: accounts.keeper.key(),
        liquidity: done.plan.liquidity,
        sold: done
            .plan
            .trade
            .is_some_and(|plan| plan.trade == Trade::SellBase),
        base_traded: done.swapped.base,
        quote_traded: done.swapped.quote,
        swap_loss: done.swapped.loss,
        repaid_base: done.repaid.base,
        repaid_quote: done.repaid.quote,
        ltv_before_bps: value_before.ltv_bps_up(),
        ltv_after_bps: value_after.ltv_bps_up(),
        sqrt_price_x64: oracle.mid.x64(),
    });
    if !whole {
        return session.store();
    }
    session.store_and_pay(&accounts.keeper)
}
