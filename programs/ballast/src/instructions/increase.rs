//! `increase`: the owner brings more funds and brings the position to a leverage; `repay`: only pays debts back.

use anchor_lang::prelude::*;
use ballast_clmm::{Amounts, Side};
use ballast_ledger::{grow, mix};
use ballast_model::Bps;

use crate::{
    errors::BallastError,
    events::{PositionIncreased, PositionRepaid},
    groups::*,
    oracle::{self, Grade},
    pool, risk,
    session::Session,
    state::{Market, MarketMode},
};

/// How much to bring, and what the result may be.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct IncreaseArgs {
    /// Own base brought in.
    pub own_base: u64,
    /// Own quote brought in.
    pub own_quote: u64,
    /// Assets over equity afterwards; where leverage is higher already no liquidity is added, and the funds repay debt.
    pub leverage_bps: u32,
    /// Least liquidity added that is accepted.
    pub min_liquidity: u128,
    /// Largest base debt accepted afterwards.
    pub max_base_debt: u64,
    /// Largest quote debt accepted afterwards.
    pub max_quote_debt: u64,
}

#[derive(Accounts)]
pub struct Increase<'info> {
    pub owner: Signer<'info>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    pub position: PositionAccounts<'info>,
    pub wallet: WalletAccounts<'info>,
    pub lending: LendingAccounts<'info>,
    pub pool: PoolAccounts<'info>,
    pub range: RangeAccounts<'info>,
    pub swap: SwapAccounts<'info>,
    pub prices: PriceAccounts<'info>,
}

#[derive(Accounts)]
pub struct Repay<'info> {
    pub owner: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    pub position: PositionAccounts<'info>,
    pub wallet: WalletAccounts<'info>,
    pub lending: LendingAccounts<'info>,
}

/// Takes funds in (or none: then only leverage changes), swaps what the hedge asks for, borrows and provides up to the
/// leverage. Checked like opening.
///
/// # Errors
/// [`BallastError::NotOwner`], [`BallastError::SlippageExceeded`], and those of opening.
pub(crate) fn increase(ctx: Context<Increase>, args: IncreaseArgs) -> Result<()> {
    let accounts = &ctx.accounts;
    let now_secs = Clock::get()?.unix_timestamp;
    let mut market = accounts.market.load_mut()?;
    risk::require_mode(&market, MarketMode::Normal, now_secs)?;
    require!(
        args.leverage_bps <= market.limits.max_leverage_bps,
        BallastError::LeverageTooHigh
    );
    require!(
        args.leverage_bps >= Bps::ONE.get(),
        BallastError::BadParameters
    );
    let oracle = oracle::read_price(&mut market, &accounts.prices, now_secs, Grade::Tight)?;
    let market = &*market;
    let near = |session: &Session| {
        let pool_price = pool::sqrt_price(&accounts.pool, session.market)?;
        risk::require_pool_near_oracle(&session.market.limits, pool_price, oracle.mid)?;
        Ok::<_, Error>(pool_price)
    };
    let mut session = Session::load(
        accounts.market.key(),
        market,
        &accounts.position,
        &accounts.lending,
        now_secs,
    )?;
    require_keys_eq!(
        accounts.owner.key(),
        session.position.owner,
        BallastError::NotOwner
    );
    near(&session)?;
    let loss_before = session.position.entry.swap_loss;
    take_own(
        &mut session,
        &accounts.wallet,
        &accounts.owner,
        Amounts {
            base: args.own_base,
            quote: args.own_quote,
        },
    )?;
    let leverage = Bps::new(args.leverage_bps);
    let brings = args.own_base > 0 || args.own_quote > 0;
    let policy = session.position.policy;
    let max_loss_bps = policy
        .max_swap_loss_bps
        .min(market.limits.max_swap_loss_bps);
    let mut calls = session
        .calls(&accounts.pool, &accounts.range)
        .swapping(&accounts.swap);
    mix(
        &mut calls,
        (leverage, policy.hedge()),
        policy.left_alone(),
        oracle.mid,
        Bps::new(max_loss_bps),
    )?;
    let pool_price = near(&session)?;
    let mut calls = session.calls(&accounts.pool, &accounts.range);
    let liquidity = grow(&mut calls, leverage, u128::MAX)?;
    require!(brings || liquidity > 0, BallastError::ZeroAmount);

    let model = session.model()?;
    require!(
        liquidity >= args.min_liquidity
            && model.debt.base <= args.max_base_debt
            && model.debt.quote <= args.max_quote_debt,
        BallastError::SlippageExceeded
    );
    let after = model.at(oracle.mid);
    let newest = oracle::newest_price(market);
    let value =
        risk::require_initial_health_at(&market.limits, &after, &oracle, pool_price, newest)?;
    risk::require_hedged_at(&policy, &after, policy.delta_target_bps)?;
    risk::require_size(&market.limits, value.assets)?;
    emit!(PositionIncreased {
        position: accounts.position.position.key(),
        own_base: args.own_base,
        own_quote: args.own_quote,
        liquidity,
        debt_base: model.debt.base,
        debt_quote: model.debt.quote,
        swap_loss: session.position.entry.swap_loss - loss_before,
        ltv_bps: value.ltv_bps_up(),
        sqrt_price_x64: oracle.mid.x64(),
    });
    session.store()
}

/// Repays up to so much of either debt from the owner's wallet. Only reduces risk, so it needs no price and works in every
/// mode.
///
/// # Errors
/// [`BallastError::NotOwner`], [`BallastError::ZeroAmount`] if nothing of it is owed, [`BallastError::RoundsToZero`],
/// [`BallastError::InvariantBroken`] if other amounts would be repaid than were taken.
pub(crate) fn repay(ctx: Context<Repay>, max_base: u64, max_quote: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let now_secs = Clock::get()?.unix_timestamp;
    let market = accounts.market.load()?;
    let mut session = Session::load(
        accounts.market.key(),
        &market,
        &accounts.position,
        &accounts.lending,
        now_secs,
    )?;
    require_keys_eq!(
        accounts.owner.key(),
        session.position.owner,
        BallastError::NotOwner
    );
    let amounts = Amounts {
        base: session.owed(Side::Base)?.min(max_base),
        quote: session.owed(Side::Quote)?.min(max_quote),
    };
    require!(amounts != Amounts::ZERO, BallastError::ZeroAmount);
    take_own(&mut session, &accounts.wallet, &accounts.owner, amounts)?;
    for side in [Side::Base, Side::Quote] {
        let amount = amounts.get(side);
        let repaid = session.repay(side, amount)?;
        require!(repaid == amount, BallastError::InvariantBroken);
    }
    emit!(PositionRepaid {
        position: accounts.position.position.key(),
        base: amounts.base,
        quote: amounts.quote,
    });
    session.store()
}

/// Takes the owner's funds in and remembers that they are the owner's.
fn take_own<'info>(
    session: &mut Session<'_, 'info>,
    wallet: &WalletAccounts<'info>,
    owner: &Signer<'info>,
    own: Amounts,
) -> Result<()> {
    for side in [Side::Base, Side::Quote] {
        session.take_in(side, own.get(side), wallet.tokens(side), owner)?;
    }
    let entry = &mut session.position.entry;
    entry.own_base = entry.own_base.saturating_add(own.base);
    entry.own_quote = entry.own_quote.saturating_add(own.quote);
    Ok(())
}
