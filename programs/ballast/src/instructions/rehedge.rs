//! `rehedge`: a keeper brings the hedge error back to zero with one swap; liquidity stays as it is.

use anchor_lang::prelude::*;
use ballast_clmm::Side;
use ballast_model::{Bps, Trade, plan_rehedge};

use crate::{
    due,
    errors::BallastError,
    events::Rehedged,
    groups::*,
    math::ToProgramError,
    oracle::{self, Grade},
    pool, risk,
    session::{Session, quote_bound},
    state::{Allowance, Change, Market, MarketMode},
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
    pub swap: SwapAccounts<'info>,
    pub prices: PriceAccounts<'info>,
}

/// Sells the excess base (borrowing it where it is not idle) or buys the missing base back, exactly the hedge error at
/// the oracle's price, and repays debt with what comes in. The owner may call it too, also with keepers switched off.
///
/// # Errors
/// [`BallastError::KeeperDisabled`], [`BallastError::TooSoon`], [`BallastError::RehedgeNotDue`],
/// [`BallastError::NoLiquidity`], [`BallastError::SwapLossTooHigh`], [`BallastError::DailyLossExceeded`],
/// [`BallastError::FirstKeepersTurn`], [`BallastError::RehedgeRaisesLtv`], [`BallastError::StressLtvExceeded`], price and pool errors.
pub(crate) fn rehedge(ctx: Context<Rehedge>) -> Result<()> {
    let accounts = &ctx.accounts;
    let now_secs = Clock::get()?.unix_timestamp;
    let mut market = accounts.market.load_mut()?;
    risk::require_mode(&market, MarketMode::NoNewRisk, now_secs)?;
    let oracle = oracle::read_price(&mut market, &accounts.prices, now_secs, Grade::Tight)?;
    let market = &*market;
    risk::require_pool_near_oracle(
        &market.limits,
        pool::sqrt_price(&accounts.pool, market)?,
        oracle.mid,
    )?;

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
    let hedge_error_before = before.hedge_error(oracle.mid, policy.hedge()).or_range()?;
    let need = due::rehedge_due(&policy, &before, oracle.mid, market.newest_sqrt_price())
        .or_range()?
        .ok_or(BallastError::RehedgeNotDue)?;
    let keeper = accounts.keeper.key();
    if session.leave_to_first_keepers(&keeper, need.trade.into(), now_secs)? {
        return Ok(());
    }
    let value_before = before.value(oracle.mid).or_range()?;

    let plan = plan_rehedge(&before, oracle.mid, policy.hedge())
        .map_err(|_| BallastError::RehedgeNotDue)?;
    let max_loss_bps = policy
        .max_swap_loss_bps
        .min(market.limits.max_swap_loss_bps);
    fund(&mut session, plan.trade, plan.base, &oracle, max_loss_bps)?;
    let swapped = session.swap(
        &accounts.pool,
        &accounts.swap,
        plan.trade,
        plan.base,
        &oracle,
        max_loss_bps,
    )?;
    session.settle()?;

    let after = session.model()?;
    let hedge_error_after =
        risk::require_hedged(&policy, &after, oracle.mid, policy.delta_target_bps)?;
    let value_after = after.value(oracle.mid).or_range()?;
    let trigger = Bps::new(
        policy
            .deleverage_trigger_ltv_bps
            .min(market.limits.deleverage_ltv_bps),
    );
    let raised = value_after.ltv_bps_up() > value_before.ltv_bps_up();
    require!(
        !(raised && value_after.ltv_at_least(trigger)),
        BallastError::RehedgeRaisesLtv
    );

    risk::require_stress_not_worsened(&market.limits, &before, &after, oracle.mid)?;

    if !by_owner {
        let allowance = if need.defensive {
            Allowance::Defensive
        } else {
            Allowance::Daily
        };
        let change = Change {
            before: &before,
            after: &after,
            needed_base: need.base.min(swapped.base),
            fee_rate_ppm: pool::fee_rate_ppm(&accounts.pool)?,
        };
        let position = &mut session.position;
        risk::charge_loss(market, position, allowance, &change, oracle.mid, now_secs)?;
    }
    session.position.last_rebalance_secs = now_secs;
    session.position.rehedges = session.position.rehedges.saturating_add(1);
    emit!(Rehedged {
        position: accounts.position.position.key(),
        keeper: accounts.keeper.key(),
        hedge_error_before,
        hedge_error_after,
        base_traded: swapped.base,
        quote_traded: swapped.quote,
        swap_loss: swapped.loss,
        ltv_bps: value_after.ltv_bps_up(),
        sqrt_price_x64: oracle.mid.x64(),
    });
    session.store_and_pay(&accounts.keeper)
}

/// Borrows what the trade needs beyond what lies idle; what a purchase does not use is repaid afterwards.
fn fund(
    session: &mut Session,
    trade: Trade,
    base: u64,
    oracle: &oracle::OraclePrice,
    max_loss_bps: u32,
) -> Result<()> {
    let (side, needed) = match trade {
        Trade::SellBase => (Side::Base, base),
        Trade::BuyBase => (Side::Quote, quote_bound(trade, base, oracle, max_loss_bps)?),
    };
    let idle = session.position.idle().get(side);
    // One debt for the other: the reserves' caps are for new risk.
    session.borrow_beyond_caps(side, needed.saturating_sub(idle))
}
