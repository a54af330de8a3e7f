//! `rehedge`: a keeper brings the hedge error back to zero with one swap.

use anchor_lang::prelude::*;
use ballast_ledger::hedge;

use crate::{
    due,
    errors::BallastError,
    events::Rehedged,
    groups::*,
    math::ToProgramError,
    oracle::{self, Grade},
    pool, risk,
    session::Session,
    state::{Allowance, Change, Market, MarketMode},
    targets, terms,
};

#[derive(Accounts)]
pub struct Rehedge<'info> {
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

/// Sells the excess base (borrowing it where it is not idle) or buys the missing base back, exactly the hedge error at
/// the oracle's price, and repays debt with what comes in. The owner may call it too, also with keepers switched off.
///
/// Borrowing is bound by the reserves and by LTV: a rehedge never raises it above what the policy goes down to, but for what its swap
/// loses. What would is done by withdrawing and selling the position's own base (MATH section 4). It is allowed in every mode and
/// stage, at any distance of the price from its average; where the market allows no new risk, only what makes the position depend no
/// more on the price, or raises no stressed LTV.
///
/// The swap stops where it would lose more than the cap. A part is booked as long as it makes the hedge error smaller, but neither
/// paid nor counted as a rehedge, and no note of the need ends by it: nobody can keep others waiting by doing little.
///
/// # Errors
/// [`BallastError::KeeperDisabled`], [`BallastError::TooSoon`], [`BallastError::RehedgeNotDue`],
/// [`BallastError::NoLiquidity`], [`BallastError::SwapLossTooHigh`], [`BallastError::DailyLossExceeded`],
/// [`BallastError::FirstKeepersTurn`], [`BallastError::RehedgeRaisesLtv`], [`BallastError::StressLtvExceeded`],
/// [`BallastError::DeltaOutsideTarget`], [`BallastError::LtvNotLowered`] without equity, [`BallastError::ModeForbids`] for new
/// risk, price and pool errors.
pub(crate) fn rehedge(ctx: Context<Rehedge>) -> Result<()> {
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
    let policy = session.position.policy;
    let by_owner = accounts.keeper.key() == session.position.owner;
    require!(
        by_owner || policy.keeper_enabled == 1,
        BallastError::KeeperDisabled
    );
    let interval_secs = policy
        .min_rebalance_interval_secs
        .max(market.limits.min_rebalance_interval_secs);
    let due_secs = session
        .position
        .last_rebalance_secs
        .saturating_add(i64::from(interval_secs));
    require!(now_secs >= due_secs, BallastError::TooSoon);

    // With neither liquidity nor debt there is nothing to hedge: what lies idle is the owner's own choice.
    require!(
        session.position.liquidity.get() > 0 || !session.position.is_debt_free(),
        BallastError::NoLiquidity
    );
    let before = session.model()?;
    let at_price = before.at(oracle.mid);
    let hedge_error_before = at_price.hedge_error(policy.hedge()).or_range()?;
    let newest = oracle::newest_price(market).filter(|newest| *newest != oracle.mid);
    let need = due::rehedge_due_for(&policy, &before, hedge_error_before, newest)
        .or_range()?
        .ok_or(BallastError::RehedgeNotDue)?;
    let keeper = accounts.keeper.key();
    if session.leave_to_first_keepers(&keeper, need.trade.into(), now_secs)? {
        return session.store();
    }
    let value_before = at_price.value().or_range()?;

    let terms = terms::rehedge(market, &policy, &value_before);
    let mut calls = session
        .calls(&accounts.pool, &accounts.range)
        .swapping(&accounts.swap);
    let done = hedge(&mut calls, &before, pool_price, oracle.mid, &terms)?;

    let after = session.model()?;
    let at_price = at_price.then(&after);
    let hedge_error_after = at_price.hedge_error(policy.hedge()).or_range()?;
    require!(
        if done.complete {
            risk::within_band(&after, hedge_error_after, policy.delta_target_bps)?
        } else {
            hedge_error_after.unsigned_abs() < hedge_error_before.unsigned_abs()
        },
        BallastError::DeltaOutsideTarget
    );
    let value_after = at_price.value().or_range()?;
    let trigger = targets::rehedge_trigger(&market.limits, &policy);
    if value_after.ltv_at_least(trigger) {
        let stressed = |model| risk::stressed_ltv_bps_up(&market.limits, model, oracle.mid);
        require!(
            stressed(&after)? <= stressed(&before)?,
            BallastError::RehedgeRaisesLtv
        );
    }
    risk::require_stress_not_worsened(&market.limits, &before, &after, oracle.mid)?;
    if market.mode_at(now_secs) > MarketMode::Normal {
        risk::require_no_new_risk(&market.limits, &before, &after, oracle.mid)?;
    }

    if !by_owner {
        let allowance = if need.defensive {
            Allowance::Defensive
        } else {
            Allowance::Daily
        };
        let change = Change {
            before: &before,
            after: &after,
            needed_base: need.base.min(done.swapped.base),
            fee_rate_ppm: pool::fee_rate_ppm(&accounts.pool)?,
        };
        let equities = [value_before, value_after].map(|value| value.equity());
        let charge = change.charge_from(equities, oracle.mid, newest);
        let position = &mut session.position;
        risk::charge_loss(market, position, allowance, charge.or_range()?, now_secs)?;
    }
    emit!(Rehedged {
        position: accounts.position.position.key(),
        keeper: accounts.keeper.key(),
        liquidity: done.plan.liquidity,
        hedge_error_before,
        hedge_error_after,
        base_traded: done.swapped.base,
        quote_traded: done.swapped.quote,
        swap_loss: done.swapped.loss,
        ltv_bps: value_after.ltv_bps_up(),
        sqrt_price_x64: oracle.mid.x64(),
    });
    if !done.complete {
        return session.store();
    }
    session.position.attend_to(need.trade.into());
    session.position.last_rebalance_secs = now_secs;
    session.position.rehedges = session.position.rehedges.saturating_add(1);
    session.store_and_pay(&accounts.keeper)
}
