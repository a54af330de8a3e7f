//! `deleverage`: a keeper brings LTV down to the target by withdrawing liquidity and repaying with what it holds.

use anchor_lang::prelude::*;
use ballast_model::{Bps, DeleverageError, plan_deleverage};

use crate::{
    errors::BallastError,
    events::Deleveraged,
    groups::*,
    math::ToProgramError,
    oracle::{self, Grade},
    pool,
    session::Session,
    state::{Market, Position},
};

#[derive(Accounts)]
pub struct Deleverage<'info> {
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
/// no slippage: equity stays as it was but for rounding.
///
/// Above the policy's trigger a keeper may act if the owner lets keepers act; above the market's trigger anyone may,
/// whatever the owner says.
///
/// # Errors
/// [`BallastError::DeleverageNotDue`], [`BallastError::KeeperDisabled`], [`BallastError::DeleverageNeedsSwap`],
/// price errors.
pub(crate) fn deleverage(ctx: Context<Deleverage>) -> Result<()> {
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

    let before = session.model()?;
    let value_before = before.value(oracle.mid).or_range()?;
    let ltv = |bps| value_before.ltv_at_least(Bps::new(bps));
    let target = target(market, &session.position, accounts.keeper.key(), ltv)?;
    let pool_price = pool::sqrt_price(&accounts.pool, market)?;
    let plan =
        plan_deleverage(&before, oracle.mid, pool_price, target).map_err(|error| match error {
            DeleverageError::NotNeeded { .. } => BallastError::DeleverageNotDue,
            DeleverageError::NeedsSwap { .. } => BallastError::DeleverageNeedsSwap,
            _ => BallastError::OutOfRange,
        })?;
    if plan.liquidity > 0 {
        session.withdraw(&accounts.pool, &accounts.range, plan.liquidity)?;
    }
    let repaid = session.settle()?;

    let value_after = session.model()?.value(oracle.mid).or_range()?;
    require!(
        !value_after.ltv_above(target),
        BallastError::InvariantBroken
    );
    session.position.deleverages = session.position.deleverages.saturating_add(1);
    emit!(Deleveraged {
        position: accounts.position.position.key(),
        keeper: accounts.keeper.key(),
        liquidity: plan.liquidity,
        repaid_base: repaid.base,
        repaid_quote: repaid.quote,
        ltv_before_bps: value_before.ltv_bps_up(),
        ltv_after_bps: value_after.ltv_bps_up(),
        sqrt_price_x64: oracle.mid.x64(),
    });
    session.store()
}

/// Who may deleverage now, and how far.
fn target(
    market: &Market,
    position: &Position,
    signer: Pubkey,
    ltv_at_least: impl Fn(u32) -> bool,
) -> Result<Bps> {
    let policy = &position.policy;
    let allowed_by_owner = signer == position.owner || policy.keeper_enabled == 1;
    let by_policy = ltv_at_least(policy.deleverage_trigger_ltv_bps);
    let by_market = ltv_at_least(market.limits.deleverage_ltv_bps);
    let policy_target = Bps::new(policy.deleverage_target_ltv_bps);
    let market_target = Bps::new(market.limits.target_ltv_bps);
    if by_market && by_policy && allowed_by_owner {
        // A policy cannot keep a position between the market's trigger and maintenance.
        Ok(policy_target.min(market_target))
    } else if by_market {
        Ok(market_target)
    } else if by_policy && allowed_by_owner {
        Ok(policy_target)
    } else if by_policy {
        err!(BallastError::KeeperDisabled)
    } else {
        err!(BallastError::DeleverageNotDue)
    }
}
