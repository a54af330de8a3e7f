//! `transfer`, `accept_transfer`: a position changes hands in two steps, so that none is lost to a mistyped address.
//! `reclaim_reward`: the owner takes lamports back that were meant for keepers.

use anchor_lang::prelude::*;

use crate::{
    errors::BallastError,
    events::{PositionOffered, PositionTransferred},
    reward,
    state::{Position, require_version},
};

#[derive(Accounts)]
pub struct OwnPosition<'info> {
    /// The owner; the one it was offered to, for `accept_transfer`.
    #[account(mut)]
    pub signer: Signer<'info>,
    #[account(mut)]
    pub position: AccountLoader<'info, Position>,
}

/// Offers the position to `to`; the all-zero address takes an offer back. Nothing changes until it is accepted.
///
/// # Errors
/// [`BallastError::NotOwner`].
pub(crate) fn transfer(ctx: Context<OwnPosition>, to: Pubkey) -> Result<()> {
    let accounts = &ctx.accounts;
    let mut position = accounts.position.load_mut()?;
    require_version(position.version, Position::VERSION)?;
    require_keys_eq!(
        accounts.signer.key(),
        position.owner,
        BallastError::NotOwner
    );
    position.pending_owner = to;
    emit!(PositionOffered {
        position: accounts.position.key(),
        to,
    });
    Ok(())
}

/// Takes over a position that was offered, with all that it owes.
///
/// # Errors
/// [`BallastError::NotOffered`].
pub(crate) fn accept_transfer(ctx: Context<OwnPosition>) -> Result<()> {
    let accounts = &ctx.accounts;
    let mut position = accounts.position.load_mut()?;
    require_version(position.version, Position::VERSION)?;
    // Nobody can sign for the all-zero address, which means "nobody".
    require_keys_eq!(
        accounts.signer.key(),
        position.pending_owner,
        BallastError::NotOffered
    );
    let from = position.owner;
    position.owner = position.pending_owner;
    position.pending_owner = Pubkey::default();
    // They were the former owner's.
    position.set_first_keepers([Pubkey::default(); 2], 0)?;
    emit!(PositionTransferred {
        position: accounts.position.key(),
        from,
        to: position.owner,
    });
    Ok(())
}

/// Takes lamports back from the position's account; `u64::MAX` takes all that lie there beyond the rent.
///
/// # Errors
/// [`BallastError::NotOwner`], [`BallastError::RewardTooSmall`], [`BallastError::ZeroAmount`] if there are none.
pub(crate) fn reclaim_reward(ctx: Context<OwnPosition>, lamports: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    {
        let position = accounts.position.load()?;
        require_version(position.version, Position::VERSION)?;
        require_keys_eq!(
            accounts.signer.key(),
            position.owner,
            BallastError::NotOwner
        );
    }
    let lamports = match lamports {
        u64::MAX => reward::available(accounts.position.as_ref())?,
        some => some,
    };
    require!(lamports > 0, BallastError::ZeroAmount);
    reward::take(accounts.position.as_ref(), &accounts.signer, lamports)
}
