//! What keepers are paid: lamports that the owner has put on the position's account beyond its rent. Neither reserve nor
//! pool is ever touched for it, so no lender pays and no valuation changes.

use anchor_lang::prelude::*;

use crate::{
    errors::BallastError,
    events::KeeperRewarded,
    state::{Market, Position},
};

/// Lamports on the position's account beyond its rent. Anyone may send more; all of it is the owner's.
///
/// # Errors
/// Those of the rent sysvar.
pub fn available(position: &AccountInfo) -> Result<u64> {
    let rent = Rent::get()?.minimum_balance(Position::SPACE);
    Ok(position.lamports().saturating_sub(rent))
}

/// Pays a keeper for an action: as much as owner and market allow, and as there is. Call it last: accounts must balance
/// at every call of another program.
///
/// # Errors
/// Those of the rent sysvar.
pub fn pay<'info>(
    position_info: &AccountInfo<'info>,
    keeper: &AccountInfo<'info>,
    market: &Market,
    position: &mut Position,
) -> Result<()> {
    if keeper.key() == position.owner || position.policy.keeper_enabled == 0 {
        return Ok(());
    }
    // However often something is due, it is paid for no more often than a rehedge may be.
    let now_secs = Clock::get()?.unix_timestamp;
    let interval_secs = position
        .policy
        .min_rebalance_interval_secs
        .max(market.limits.min_rebalance_interval_secs);
    let next_secs = position
        .last_reward_secs
        .saturating_add(i64::from(interval_secs));
    if now_secs < next_secs {
        return Ok(());
    }
    let lamports = position
        .automation
        .reward_lamports
        .min(market.keepers.max_reward_lamports);
    if lamports == 0 {
        return Ok(());
    }
    let lamports = lamports.min(available(position_info)?);
    if lamports == 0 {
        return Ok(());
    }
    take(position_info, keeper, lamports)?;
    position.last_reward_secs = now_secs;
    emit!(KeeperRewarded {
        position: position_info.key(),
        keeper: keeper.key(),
        lamports,
    });
    Ok(())
}

/// Moves lamports beyond the rent from the position's account.
///
/// # Errors
/// [`BallastError::RewardTooSmall`] if there are fewer.
pub fn take<'info>(
    position: &AccountInfo<'info>,
    to: &AccountInfo<'info>,
    lamports: u64,
) -> Result<()> {
    require!(
        lamports <= available(position)?,
        BallastError::RewardTooSmall
    );
    let left = position.lamports().checked_sub(lamports);
    let more = to.lamports().checked_add(lamports);
    let (Some(left), Some(more)) = (left, more) else {
        return err!(BallastError::OutOfRange);
    };
    **position.try_borrow_mut_lamports()? = left;
    **to.try_borrow_mut_lamports()? = more;
    Ok(())
}
