//! `collect_reward_v2`.

use anchor_lang::prelude::*;
use ballast_abi::spl::TokenAccountView;

use crate::{
    WhirlpoolError,
    error::layout,
    state::{PoolAccount, PositionAccount},
    token::{self, CheckedMint},
};

#[derive(Accounts)]
pub struct CollectRewardV2<'info> {
    /// CHECK: owner and discriminator.
    pub whirlpool: UncheckedAccount<'info>,
    pub position_authority: Signer<'info>,
    /// CHECK: owner, discriminator and pool.
    #[account(mut)]
    pub position: UncheckedAccount<'info>,
    /// CHECK: mint, amount and authority.
    pub position_token_account: UncheckedAccount<'info>,
    /// CHECK: mint.
    #[account(mut)]
    pub reward_owner_account: UncheckedAccount<'info>,
    /// CHECK: address.
    pub reward_mint: UncheckedAccount<'info>,
    /// CHECK: address.
    #[account(mut)]
    pub reward_vault: UncheckedAccount<'info>,
    /// CHECK: owner of the mint.
    pub reward_token_program: UncheckedAccount<'info>,
    /// CHECK: address.
    pub memo_program: UncheckedAccount<'info>,
}

impl CollectRewardV2<'_> {
    /// Pays what is owed as far as the vault goes; the rest stays owed.
    pub fn handle(&self, reward_index: u8) -> Result<()> {
        token::check_memo_program(&self.memo_program)?;
        let (pool, position) = (
            PoolAccount(&self.whirlpool),
            PositionAccount(&self.position),
        );
        let index = usize::from(reward_index);
        let reward = pool
            .with(|pool| Ok(pool.rewards().get(index).copied()))?
            .ok_or(WhirlpoolError::InvalidRewardIndex)?;
        let (of_pool, position_mint, owed) = position.with(|position| {
            let owed = position.rewards_owed().get(index).copied();
            Ok((position.pool(), position.mint(), owed.unwrap_or_default()))
        })?;
        require_keys_eq!(of_pool, *self.whirlpool.key, ErrorCode::ConstraintHasOne);
        // An account of the default mint does not exist: the real program refuses a slot without a reward here, too.
        require!(reward.is_initialized(), ErrorCode::ConstraintRaw);
        let mint = CheckedMint::new(&self.reward_mint, &self.reward_token_program, reward.mint)?;
        mint.check_account(&self.reward_owner_account)?;
        require_keys_eq!(
            reward.vault,
            *self.reward_vault.key,
            ErrorCode::ConstraintAddress
        );
        token::check_position_authority(
            &self.position_token_account,
            position_mint,
            self.position_authority.key,
        )?;
        let paid = {
            let data = self.reward_vault.try_borrow_data()?;
            owed.min(TokenAccountView::parse(&data).map_err(layout)?.amount())
        };
        position.set_reward_owed(index, owed - paid)?;
        pool.with_seeds(|seeds| {
            mint.transfer(
                &self.reward_vault,
                &self.reward_owner_account,
                &self.whirlpool,
                paid,
                &[seeds],
            )
        })
    }
}
