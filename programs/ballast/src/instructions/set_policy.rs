//! `set_policy`: the owner says what keepers may do.

use anchor_lang::prelude::*;

use crate::{
    errors::BallastError,
    events::PolicySet,
    state::{Market, Policy, Position, require_version},
};

#[derive(Accounts)]
pub struct SetPolicy<'info> {
    pub owner: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
    pub position: AccountLoader<'info, Position>,
}

/// Replaces the policy. It moves nothing and loosens no limit of the market: what follows from it, a rehedge to another hedge
/// ratio for instance, is checked when it is done. So it is always allowed.
///
/// # Errors
/// [`BallastError::NotOwner`], [`BallastError::WrongPositionAccount`], [`BallastError::BadPolicy`].
pub(crate) fn set_policy(ctx: Context<SetPolicy>, policy: Policy) -> Result<()> {
    let market = ctx.accounts.market.load()?;
    let mut position = ctx.accounts.position.load_mut()?;
    require_version(market.version, Market::VERSION)?;
    require_version(position.version, Position::VERSION)?;
    require_keys_eq!(
        ctx.accounts.owner.key(),
        position.owner,
        BallastError::NotOwner
    );
    require_keys_eq!(
        position.market,
        ctx.accounts.market.key(),
        BallastError::WrongPositionAccount
    );
    policy.check(&market.limits)?;
    position.policy = policy;
    emit!(PolicySet {
        position: ctx.accounts.position.key(),
        policy
    });
    Ok(())
}
