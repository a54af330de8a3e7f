//! `announce_oracle`, `apply_oracle_change`, `cancel_oracle_change`: a market's prices come from elsewhere, after notice. So a
//! feed, a receiver program or a sponsored account that is retired does not leave a market without prices for good.

use anchor_lang::prelude::*;

use super::admin::{notice_ends, require_authority, require_notice_over};
use crate::{
    errors::BallastError,
    events::{OracleChangeAnnounced, OracleChangeCancelled, OracleChanged},
    state::{Market, OracleChange, OracleSource, require_version},
};

#[derive(Accounts)]
pub struct AnnounceOracle<'info> {
    #[account(mut)]
    pub authority: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    #[account(
        init,
        payer = authority,
        space = OracleChange::SPACE,
        seeds = [OracleChange::SEED, market.key().as_ref()],
        bump
    )]
    pub change: AccountLoader<'info, OracleChange>,
    pub system_program: Program<'info, System>,
}

#[derive(Accounts)]
pub struct ApplyOracleChange<'info> {
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    #[account(mut, close = payer)]
    pub change: AccountLoader<'info, OracleChange>,
    /// CHECK: address stored in the announcement.
    #[account(mut)]
    pub payer: UncheckedAccount<'info>,
}

#[derive(Accounts)]
pub struct CancelOracleChange<'info> {
    pub authority: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    #[account(mut, close = payer)]
    pub change: AccountLoader<'info, OracleChange>,
    /// CHECK: address stored in the announcement.
    #[account(mut)]
    pub payer: UncheckedAccount<'info>,
}

/// Announces where prices will come from. An announcement that stands has to be cancelled first.
///
/// # Errors
/// [`BallastError::NotAuthority`], [`BallastError::BadParameters`] for a source that cannot be one, or is in force already. If an
/// announcement stands, the system program refuses to create its account.
pub(crate) fn announce_oracle(ctx: Context<AnnounceOracle>, source: OracleSource) -> Result<()> {
    let accounts = &ctx.accounts;
    let market = accounts.market.load()?;
    require_authority(&market, &accounts.authority)?;
    source.check()?;
    require!(
        source != market.oracle_source(),
        BallastError::BadParameters
    );
    let effective_at_secs = notice_ends()?;
    let mut change = accounts.change.load_init()?;
    change.version = OracleChange::VERSION;
    change.bump = ctx.bumps.change;
    change.market = accounts.market.key();
    change.payer = accounts.authority.key();
    change.effective_at_secs = effective_at_secs;
    change.source = source;
    emit!(OracleChangeAnnounced {
        market: accounts.market.key(),
        source,
        effective_at_secs,
    });
    Ok(())
}

/// Takes prices from where it was announced, and gives the announcement's rent back. Anyone.
///
/// # Errors
/// [`BallastError::NothingAnnounced`], also for an announcement of another market or one that has lapsed,
/// [`BallastError::NoticeNotOver`], [`BallastError::WrongVersion`].
pub(crate) fn apply_oracle_change(ctx: Context<ApplyOracleChange>) -> Result<()> {
    let accounts = &ctx.accounts;
    let mut market = accounts.market.load_mut()?;
    require_version(market.version, Market::VERSION)?;
    let change = accounts.change.load()?;
    check(&change, &accounts.market.key(), accounts.payer.key)?;
    require_notice_over(change.effective_at_secs)?;
    market.set_oracle_source(&change.source, Clock::get()?.unix_timestamp);
    emit!(OracleChanged {
        market: accounts.market.key(),
        source: change.source,
    });
    Ok(())
}

/// Takes an announcement back, and gives its rent back.
///
/// # Errors
/// [`BallastError::NotAuthority`], [`BallastError::NothingAnnounced`] for an announcement of another market.
pub(crate) fn cancel_oracle_change(ctx: Context<CancelOracleChange>) -> Result<()> {
    let accounts = &ctx.accounts;
    require_authority(&*accounts.market.load()?, &accounts.authority)?;
    let change = accounts.change.load()?;
    check(&change, &accounts.market.key(), accounts.payer.key)?;
    emit!(OracleChangeCancelled {
        market: accounts.market.key(),
    });
    Ok(())
}

/// The announcement is this market's, and its rent goes back to whoever paid it.
fn check(change: &OracleChange, market: &Pubkey, payer: &Pubkey) -> Result<()> {
    require_version(change.version, OracleChange::VERSION)?;
    require_keys_eq!(change.market, *market, BallastError::NothingAnnounced);
    require_keys_eq!(change.payer, *payer, BallastError::NothingAnnounced);
    Ok(())
}
