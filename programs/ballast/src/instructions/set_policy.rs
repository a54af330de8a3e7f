//! `set_policy`, `set_automation`, `set_first_keepers`: the owner says what keepers may do, and who of them goes first.

use anchor_lang::prelude::*;

use crate::{
    errors::BallastError,
    events::{AutomationSet, FirstKeepersSet, PolicySet},
    state::{Automation, Market, Policy, Position, require_version},
};

#[derive(Accounts)]
pub struct SetPolicy<'info> {
    pub owner: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
    pub position: AccountLoader<'info, Position>,
}

impl SetPolicy<'_> {
    fn require_owner(&self, market: &Market, position: &Position) -> Result<()> {
        require_version(market.version, Market::VERSION)?;
        require_version(position.version, Position::VERSION)?;
        require_keys_eq!(self.owner.key(), position.owner, BallastError::NotOwner);
        require_keys_eq!(
            position.market,
            self.market.key(),
            BallastError::WrongPositionAccount
        );
        Ok(())
    }
}

/// Replaces the policy. It moves nothing and loosens no limit of the market: what follows from it, a rehedge to another hedge
/// ratio for instance, is checked when it is done. So it is always allowed.
///
/// # Errors
/// [`BallastError::NotOwner`], [`BallastError::WrongPositionAccount`], [`BallastError::BadPolicy`].
pub(crate) fn set_policy(ctx: Context<SetPolicy>, policy: Policy) -> Result<()> {
    let market = ctx.accounts.market.load()?;
    let mut position = ctx.accounts.position.load_mut()?;
    ctx.accounts.require_owner(&market, &position)?;
    policy.check(&market.limits)?;
    position.policy = policy;
    emit!(PolicySet {
        position: ctx.accounts.position.key(),
        policy
    });
    Ok(())
}

/// Replaces what keepers may do beyond hedging and deleveraging. Always allowed, as [`set_policy`].
///
/// # Errors
/// As [`set_policy`].
pub(crate) fn set_automation(ctx: Context<SetPolicy>, automation: Automation) -> Result<()> {
    let market = ctx.accounts.market.load()?;
    let mut position = ctx.accounts.position.load_mut()?;
    ctx.accounts.require_owner(&market, &position)?;
    automation.check(&market.limits, &market.keepers)?;
    position.automation = automation;
    emit!(AutomationSet {
        position: ctx.accounts.position.key(),
        automation
    });
    Ok(())
}

/// Names up to two keepers who go first: for `head_start_secs` after it was noted that something is due, nobody but they and the
/// owner rehedges, recenters or compounds. All zero with 0: nobody. Deleveraging, exits and liquidation wait for nobody.
///
/// # Errors
/// As [`set_policy`].
pub(crate) fn set_first_keepers(
    ctx: Context<SetPolicy>,
    keepers: [Pubkey; 2],
    head_start_secs: u32,
) -> Result<()> {
    let market = ctx.accounts.market.load()?;
    let mut position = ctx.accounts.position.load_mut()?;
    ctx.accounts.require_owner(&market, &position)?;
    position.set_first_keepers(keepers, head_start_secs)?;
    emit!(FirstKeepersSet {
        position: ctx.accounts.position.key(),
        keepers,
        head_start_secs,
    });
    Ok(())
}
