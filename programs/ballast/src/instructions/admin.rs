//! `update_market`, `update_reserve`, `set_mode`: what the authority may change; the guardian may only tighten.

use anchor_lang::prelude::*;

use crate::{
    errors::BallastError,
    events::{MarketUpdated, ModeSet, ReserveUpdated},
    session::accrue,
    state::{Market, MarketMode, MarketParams, Reserve, ReserveParams, require_version},
};

#[derive(Accounts)]
pub struct UpdateMarket<'info> {
    pub signer: Signer<'info>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
}

#[derive(Accounts)]
pub struct UpdateReserve<'info> {
    pub signer: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
    pub reserve: AccountLoader<'info, Reserve>,
}

/// Replaces limits and oracle rules.
///
/// # Errors
/// [`BallastError::NotAuthority`], [`BallastError::BadParameters`].
pub(crate) fn update_market(ctx: Context<UpdateMarket>, params: MarketParams) -> Result<()> {
    let mut market = ctx.accounts.market.load_mut()?;
    require_version(market.version, Market::VERSION)?;
    require_keys_eq!(
        ctx.accounts.signer.key(),
        market.authority,
        BallastError::NotAuthority
    );
    market.set_params(&params)?;
    emit!(MarketUpdated {
        market: ctx.accounts.market.key(),
        params
    });
    Ok(())
}

/// Replaces a reserve's curve and caps; interest up to now is booked at the old rates.
///
/// # Errors
/// [`BallastError::NotAuthority`], [`BallastError::WrongReserve`], [`BallastError::BadParameters`].
pub(crate) fn update_reserve(ctx: Context<UpdateReserve>, params: ReserveParams) -> Result<()> {
    let market = ctx.accounts.market.load()?;
    require_version(market.version, Market::VERSION)?;
    require_keys_eq!(
        ctx.accounts.signer.key(),
        market.authority,
        BallastError::NotAuthority
    );
    let mut reserve = ctx.accounts.reserve.load_mut()?;
    require_version(reserve.version, Reserve::VERSION)?;
    require_keys_eq!(
        reserve.market,
        ctx.accounts.market.key(),
        BallastError::WrongReserve
    );
    accrue(
        ctx.accounts.reserve.key(),
        &mut reserve,
        Clock::get()?.unix_timestamp,
    )?;
    reserve.set_params(&params)?;
    emit!(ReserveUpdated {
        reserve: ctx.accounts.reserve.key(),
        params
    });
    Ok(())
}

/// Sets the mode: the authority to any, the guardian only to a stricter one.
///
/// # Errors
/// [`BallastError::NotAuthority`].
pub(crate) fn set_mode(ctx: Context<UpdateMarket>, mode: MarketMode) -> Result<()> {
    let mut market = ctx.accounts.market.load_mut()?;
    require_version(market.version, Market::VERSION)?;
    let signer = ctx.accounts.signer.key();
    let tightens = mode > market.mode();
    // The all-zero guardian means "none"; nobody can sign for that address.
    require!(
        signer == market.authority || (signer == market.guardian && tightens),
        BallastError::NotAuthority
    );
    market.mode = mode as u8;
    emit!(ModeSet {
        market: ctx.accounts.market.key(),
        mode,
        by: signer
    });
    Ok(())
}
