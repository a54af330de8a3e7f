//! The pool's rewards.

use anchor_lang::prelude::*;
use ballast_abi::whirlpool::{
    PoolView, PositionView, RewardView,
    instruction::{CollectRewardV2, CollectRewardV2Accounts},
};

use super::{call, malformed};
use crate::{errors::BallastError, instructions::collect_reward::CollectReward, state::Market};

/// One of the pool's rewards; `None` if the pool has no such reward.
///
/// # Errors
/// [`BallastError::WrongPool`] if the account is not the market's pool, [`BallastError::MalformedPoolAccount`].
pub fn reward(whirlpool: &AccountInfo, market: &Market, index: u8) -> Result<Option<RewardView>> {
    require_keys_eq!(*whirlpool.key, market.whirlpool, BallastError::WrongPool);
    require_keys_eq!(
        *whirlpool.owner,
        market.whirlpool_program,
        BallastError::WrongPool
    );
    let data = whirlpool.try_borrow_data()?;
    let rewards = PoolView::parse(&data).map_err(malformed)?.rewards();
    let reward = rewards.get(usize::from(index));
    Ok(reward.copied().filter(RewardView::is_initialized))
}

/// What the Whirlpool program has booked for a position of one reward.
///
/// # Errors
/// [`BallastError::WrongPool`] if the account is not the pool program's, [`BallastError::MalformedPoolAccount`].
pub fn reward_owed(whirlpool_position: &AccountInfo, market: &Market, index: u8) -> Result<u64> {
    require_keys_eq!(
        *whirlpool_position.owner,
        market.whirlpool_program,
        BallastError::WrongPool
    );
    let data = whirlpool_position.try_borrow_data()?;
    let owed = PositionView::parse(&data)
        .map_err(malformed)?
        .rewards_owed();
    Ok(owed.get(usize::from(index)).copied().unwrap_or_default())
}

/// Pays out what is booked of one reward. The caller has checked every address.
///
/// # Errors
/// Those of the Whirlpool program.
pub fn collect_reward(accounts: &CollectReward<'_>, index: u8, seeds: &[&[u8]]) -> Result<()> {
    let keys = CollectRewardV2Accounts {
        pool: accounts.whirlpool.key(),
        position_authority: accounts.position.key(),
        position: accounts.whirlpool_position.key(),
        position_token_account: accounts.nft_account.key(),
        reward_owner_account: accounts.reward_owner_account.key(),
        reward_mint: accounts.reward_mint.key(),
        reward_vault: accounts.reward_vault.key(),
        reward_token_program: accounts.reward_token_program.key(),
        memo_program: accounts.memo_program.key(),
    };
    let infos = [
        accounts.whirlpool.to_account_info(),
        accounts.position.to_account_info(),
        accounts.whirlpool_position.to_account_info(),
        accounts.nft_account.to_account_info(),
        accounts.reward_owner_account.to_account_info(),
        accounts.reward_mint.to_account_info(),
        accounts.reward_vault.to_account_info(),
        accounts.reward_token_program.to_account_info(),
        accounts.memo_program.to_account_info(),
    ];
    let args = CollectRewardV2 {
        reward_index: index,
    };
    call(
        &args.instruction(accounts.whirlpool_program.key(), &keys),
        &infos,
        seeds,
    )
}
