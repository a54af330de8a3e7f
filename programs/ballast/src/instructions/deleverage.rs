//! `deleverage`: a keeper brings LTV down to the target by withdrawing liquidity and repaying with what it holds.

use anchor_lang::prelude::*;
use ballast_clmm::SqrtPrice;
use ballast_model::{Position as PositionModel, Valuation};

use crate::{
    errors::BallastError,
    events::Deleveraged,
    groups::*,
    math::ToProgramError,
    oracle::{self, Grade},
    pool, risk,
    session::Session,
    state::Market,
    targets::{Due, MarketRule, NotDue, TriggeredBy, deleverage_due},
};

#[derive(Accounts)]
pub struct Deleverage<'info> {
    #[account(mut)]
    pub keeper: Signer<'info>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    pub position: PositionAccounts<'info>,
    pub lending: LendingAccounts<'info>,
    pub pool: PoolAccounts<'info>,
    pub range: RangeAccounts<'info>,
    pub prices: PriceAccounts<'info>,
}

/// Withdraws the least liquidity with which both debts can be repaid down to the target LTV. No swap, so no route and
/// no slippage: equity stays as it was but for rounding. Where the tokens do not match the debts it repays what they do match, as
/// long as that lowers LTV and leaves the stressed LTV no higher; [`deleverage_swap`](super::deleverage_swap) goes further.
///
/// Above the policy's trigger a keeper may act if the owner lets keepers act; above the market's trigger, which the risk
/// stage tightens, anyone may, whatever the owner says. From stage 1 on a much older price will do. See [`Due`](crate::targets::Due) for how far it goes.
///
/// # Errors
/// [`BallastError::DeleverageNotDue`], [`BallastError::KeeperDisabled`], [`BallastError::LtvNotLowered`],
/// [`BallastError::PoolDiverged`] below the market's trigger, price errors.
pub(crate) fn deleverage(ctx: Context<Deleverage>) -> Result<()> {
    let accounts = &ctx.accounts;
    let now_secs = Clock::get()?.unix_timestamp;
    let mut market = accounts.market.load_mut()?;
    let grade = Grade::to_deleverage(&market);
    let oracle = oracle::read_price(&mut market, &accounts.prices, now_secs, grade)?;
    let market = &*market;
    let mut session = Session::load(
        accounts.market.key(),
        market,
        &accounts.position,
        &accounts.lending,
        now_secs,
    )?;

    let before = session.model()?;
    let value_before = before.value(oracle.mid).or_range()?;
    let due = due_for(
        &session,
        accounts.keeper.key,
        (&before, &value_before),
        oracle.mid,
    )?;
    let pool_price = pool::sqrt_price(&accounts.pool, market)?;
    if due.by == TriggeredBy::Policy {
        // A pool that was pushed away makes the withdrawal one-sided and needlessly large. Above the market's own trigger nothing
        // may stand in the way.
        risk::require_pool_near_oracle(&market.limits, pool_price, oracle.mid)?;
    }
    let planned = due.plan(&before, oracle.mid, pool_price);
    let mut calls = session.calls(&accounts.pool, &accounts.range);
    let done = ballast_ledger::deleverage(&mut calls, &before, pool_price, planned)?;

    let after = session.model()?;
    let value_after = after.value(oracle.mid).or_range()?;
    if done
        .target
        .is_none_or(|target| value_after.ltv_above(target))
    {
        risk::require_ltv_lowered(&market.limits, &before, &after, oracle.mid)?;
    }
    session.position.deleverages = session.position.deleverages.saturating_add(1);
    emit!(Deleveraged {
        position: accounts.position.position.key(),
        keeper: accounts.keeper.key(),
        liquidity: done.plan.liquidity,
        repaid_base: done.repaid.base,
        repaid_quote: done.repaid.quote,
        ltv_before_bps: value_before.ltv_bps_up(),
        ltv_after_bps: value_after.ltv_bps_up(),
        sqrt_price_x64: oracle.mid.x64(),
    });
    session.store_and_pay(&accounts.keeper)
}

/// Whether the signer is the owner, or the owner lets keepers act.
pub(super) fn allowed_by_owner(session: &Session, signer: &Pubkey) -> bool {
    *signer == session.position.owner || session.position.policy.keeper_enabled == 1
}

/// What is due for a signer, for a position that is worth `value` at the price that is used.
///
/// # Errors
/// [`BallastError::DeleverageNotDue`], [`BallastError::KeeperDisabled`].
pub(super) fn due_for(
    session: &Session,
    signer: &Pubkey,
    (position, value): (&PositionModel, &Valuation),
    used: SqrtPrice,
) -> Result<Due> {
    let policy = &session.position.policy;
    let allowed_by_owner = allowed_by_owner(session, signer);
    let rule = MarketRule::of(session.market);
    let due =
        deleverage_due(rule, policy, allowed_by_owner, value).map_err(|not_due| match not_due {
            NotDue::BelowTriggers => BallastError::DeleverageNotDue,
            NotDue::KeeperDisabled => BallastError::KeeperDisabled,
        })?;
    let newest = oracle::newest_price(session.market);
    let due_too = due.at_newest(position, used, newest).or_range()?;
    require!(due_too, BallastError::DeleverageNotDue);
    Ok(due)
}
