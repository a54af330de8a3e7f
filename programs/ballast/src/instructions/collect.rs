//! `collect`: the owner takes the fees; `compound`: a keeper puts them to work.

use anchor_lang::prelude::*;
use ballast_clmm::{Amounts, Side};
use ballast_model::worth_down;

use super::decrease::require_payout;
use crate::{
    errors::BallastError,
    events::{Compounded, FeesCollected},
    groups::*,
    math::ToProgramError,
    oracle::{self, Grade},
    pool, risk,
    session::{Failed, Session},
    state::{Allowance, Change, Market, MarketMode, Need},
    terms,
};

#[derive(Accounts)]
pub struct Collect<'info> {
    pub owner: Signer<'info>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    pub position: PositionAccounts<'info>,
    pub wallet: WalletAccounts<'info>,
    pub lending: LendingAccounts<'info>,
    pub pool: PoolAccounts<'info>,
    pub range: RangeAccounts<'info>,
    pub prices: PriceAccounts<'info>,
}

#[derive(Accounts)]
pub struct Compound<'info> {
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

/// Books the fees earned until now and pays them out. A position that owes must be as healthy afterwards as one that is
/// opened; one that does not needs no price.
///
/// # Errors
/// [`BallastError::NotOwner`], [`BallastError::ZeroAmount`] if there are no fees; of an indebted position the risk and price
/// errors of opening.
pub(crate) fn collect(ctx: Context<Collect>) -> Result<()> {
    let accounts = &ctx.accounts;
    let now_secs = Clock::get()?.unix_timestamp;
    let mut market = accounts.market.load_mut()?;
    let indebted = {
        let position = accounts.position.position.load()?;
        require_keys_eq!(accounts.owner.key(), position.owner, BallastError::NotOwner);
        !position.is_debt_free()
    };
    let oracle = indebted
        .then(|| oracle::read_price(&mut market, &accounts.prices, now_secs, Grade::Tight))
        .transpose()?;
    let mut session = Session::load(
        accounts.market.key(),
        &market,
        &accounts.position,
        &accounts.lending,
        now_secs,
    )?;
    let fees = session.harvest(&accounts.pool, &accounts.range)?;
    require!(fees != Amounts::ZERO, BallastError::ZeroAmount);
    for side in [Side::Base, Side::Quote] {
        session.pay_out(side, fees.get(side), accounts.wallet.tokens(side))?;
    }
    let entry = &mut session.position.entry;
    entry.withdrawn_base = entry.withdrawn_base.saturating_add(fees.base);
    entry.withdrawn_quote = entry.withdrawn_quote.saturating_add(fees.quote);
    if let Some(oracle) = oracle {
        require_payout(&session, &accounts.pool, &oracle, now_secs)?;
    }
    emit!(FeesCollected {
        position: accounts.position.position.key(),
        base: fees.base,
        quote: fees.quote,
    });
    session.store()
}

/// Books and collects the fees and repays debt with them. Where the market allows new risk, leverage is below the owner's, and
/// the position is hedged and has room ([`ballast_ledger::GrowthLimits`]), liquidity is added, at most so much that assets grow by the
/// fees times that leverage. No swap. The owner may do it for any fees.
///
/// # Errors
/// [`BallastError::KeeperDisabled`], [`BallastError::NoLiquidity`], [`BallastError::CompoundNotDue`],
/// [`BallastError::DailyLossExceeded`], [`BallastError::FirstKeepersTurn`], [`BallastError::LtvNotLowered`] of what is insolvent, the risk
/// errors of opening, [`BallastError::DeltaOutsideTarget`], price errors.
pub(crate) fn compound(ctx: Context<Compound>) -> Result<()> {
    let accounts = &ctx.accounts;
    let now_secs = Clock::get()?.unix_timestamp;
    let mut market = accounts.market.load_mut()?;
    let grows = market.mode_at(now_secs) == MarketMode::Normal;
    let grade = if grows { Grade::Tight } else { Grade::Loose };
    let oracle = oracle::read_price(&mut market, &accounts.prices, now_secs, grade)?;
    let market = &*market;
    let mut session = Session::load(
        accounts.market.key(),
        market,
        &accounts.position,
        &accounts.lending,
        now_secs,
    )?;
    require!(
        session.position.liquidity.get() > 0,
        BallastError::NoLiquidity
    );
    let (policy, automation) = (session.position.policy, session.position.automation);
    let by_owner = accounts.keeper.key() == session.position.owner;
    require!(
        by_owner || (policy.keeper_enabled == 1 && automation.compound_min_value > 0),
        BallastError::KeeperDisabled
    );
    let before = session.model()?;
    session.book_fees(&accounts.pool, &accounts.range)?;
    let fees = session.fees_owed()?;
    let worth = worth_down(fees, oracle.mid).or_range()?;
    let least = if by_owner {
        1
    } else {
        u128::from(automation.compound_min_value)
    };
    require!(worth >= least, BallastError::CompoundNotDue);
    let keeper = accounts.keeper.key();
    if session.leave_to_first_keepers(&keeper, Need::Compound, now_secs)? {
        return session.store();
    }
    session.position.attend_to(Need::Compound);
    let terms = terms::compound(&market.limits, &policy, &automation, oracle.mid, grows);
    let pool_price = pool::sqrt_price(&accounts.pool, market)?;
    let mut calls = session.calls(&accounts.pool, &accounts.range);
    let ballast_ledger::Compounded { fees, liquidity } =
        ballast_ledger::compound(&mut calls, &terms, |_| {
            risk::require_pool_near_oracle(&market.limits, pool_price, oracle.mid)
                .map_err(Failed::from)
        })?;
    let model = session.model()?;
    let after = model.at(oracle.mid);
    let newest = oracle::newest_price(market);
    let value = if liquidity > 0 {
        // Repaying base with fees and borrowing it again leaves delta where the fees have put it: inside the band.
        risk::require_hedged_at(&policy, &after, policy.delta_band_bps)?;
        risk::require_initial_health_at(&market.limits, &after, &oracle, pool_price, newest)?
    } else {
        let value = after.value().or_range()?;
        // Of what is insolvent it would make the lenders of one token whole at the expense of the other's.
        require!(
            by_owner || value.debt <= value.assets,
            BallastError::LtvNotLowered
        );
        value
    };
    if !by_owner {
        // What is provided at the pool's price is worth less at the oracle's.
        let change = Change {
            before: &before.with_idle(fees).or_range()?,
            after: &model,
            needed_base: 0,
            fee_rate_ppm: 0,
        };
        let charge = change.charge(oracle.mid, newest);
        let (position, daily) = (&mut session.position, Allowance::Daily);
        risk::charge_loss(market, position, daily, charge.or_range()?, now_secs)?;
    }
    session.position.compounds = session.position.compounds.saturating_add(1);
    emit!(Compounded {
        position: accounts.position.position.key(),
        keeper: accounts.keeper.key(),
        fees_base: fees.base,
        fees_quote: fees.quote,
        liquidity,
        ltv_bps: value.ltv_bps_up(),
        sqrt_price_x64: oracle.mid.x64(),
    });
    session.store_and_pay(&accounts.keeper)
}
