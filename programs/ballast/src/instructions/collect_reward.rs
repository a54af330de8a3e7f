//! `collect_reward`: the owner takes what a pool's rewards have brought, or anyone hands it to the owner. Rewards are no
//! collateral: they count in no valuation, and collecting them changes no risk and needs no price. They have to be collected
//! before `close` and `recenter`, because the Whirlpool program lets neither happen while a reward is owed.

use anchor_lang::prelude::*;
use ballast_abi::spl;

use crate::{
    errors::BallastError,
    events::RewardCollected,
    pool,
    state::{Market, Position, require_version},
    token,
};

#[derive(Accounts)]
pub struct CollectReward<'info> {
    /// The owner, who takes it to any account; or anyone, who brings it to the owner's associated one.
    pub signer: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    pub position: AccountLoader<'info, Position>,
    /// CHECK: address stored in the position.
    #[account(mut)]
    pub whirlpool_position: UncheckedAccount<'info>,
    /// CHECK: address stored in the position.
    pub nft_account: UncheckedAccount<'info>,
    /// CHECK: address stored in the market.
    pub whirlpool_program: UncheckedAccount<'info>,
    /// CHECK: address stored in the market.
    pub whirlpool: UncheckedAccount<'info>,
    /// CHECK: any token account but the position's and the reserves' own; the Whirlpool program checks its mint.
    #[account(mut)]
    pub reward_owner_account: UncheckedAccount<'info>,
    /// CHECK: address stored in the pool.
    pub reward_mint: UncheckedAccount<'info>,
    /// CHECK: address stored in the pool.
    #[account(mut)]
    pub reward_vault: UncheckedAccount<'info>,
    /// CHECK: must own the mint.
    pub reward_token_program: UncheckedAccount<'info>,
    /// CHECK: address.
    #[account(address = spl::MEMO_PROGRAM @ BallastError::WrongPool)]
    pub memo_program: UncheckedAccount<'info>,
}

impl CollectReward<'_> {
    /// Whether the destination is the associated token account of `owner`, and still the owner's.
    fn brings_it_to(&self, owner: &Pubkey) -> Result<bool> {
        let (mint, program) = (self.reward_mint.key, self.reward_token_program.key);
        let (associated, _) = spl::associated_token_account(owner, mint, program);
        let account = &self.reward_owner_account;
        Ok(account.key() == associated && token::authority(account)? == *owner)
    }
}

/// Pays out what is booked of one reward, to a token account of the owner's choice. Anyone else may have it paid to the
/// owner's associated token account: a position that is owed a reward can be neither recentered nor closed, so keepers need
/// to. What has grown since the last change of liquidity is not booked yet: the Whirlpool program's
/// `update_fees_and_rewards`, which anyone may send, books it, and so does a decrease.
///
/// # Errors
/// [`BallastError::NotOwner`] unless it goes to the owner's associated account, [`BallastError::BadParameters`] if the pool has
/// no such reward, [`BallastError::ZeroAmount`] if nothing is owed or the reward's vault is empty, and those of the address checks.
pub(crate) fn collect_reward(ctx: Context<CollectReward>, reward_index: u8) -> Result<()> {
    let accounts = &ctx.accounts;
    let market = accounts.market.load()?;
    require_version(market.version, Market::VERSION)?;
    // Copied: the position signs the call below and must not be borrowed then.
    let (creator, id, bump) = {
        let position = accounts.position.load()?;
        require_version(position.version, Position::VERSION)?;
        let by_owner = accounts.signer.key() == position.owner;
        require!(
            by_owner || accounts.brings_it_to(&position.owner)?,
            BallastError::NotOwner
        );
        for (found, stored) in [
            (accounts.market.key(), position.market),
            (
                accounts.whirlpool_position.key(),
                position.whirlpool_position,
            ),
            (accounts.nft_account.key(), position.nft_account),
        ] {
            require_keys_eq!(found, stored, BallastError::WrongPositionAccount);
        }
        (position.creator, position.id.to_le_bytes(), position.bump)
    };
    require_keys_eq!(
        accounts.whirlpool_program.key(),
        market.whirlpool_program,
        BallastError::WrongPool
    );
    let Some(reward) = pool::reward(&accounts.whirlpool, &market, reward_index)? else {
        msg!("Reward refused: the pool has no reward {}", reward_index);
        return err!(BallastError::BadParameters);
    };
    for (found, stored) in [
        (accounts.reward_mint.key(), reward.mint),
        (accounts.reward_vault.key(), reward.vault),
    ] {
        require_keys_eq!(found, stored, BallastError::WrongPool);
    }
    require_keys_eq!(
        *accounts.reward_mint.owner,
        accounts.reward_token_program.key(),
        BallastError::WrongTokenProgram
    );
    // The position signs: nothing that it commands may be writable in the call, and nothing that a reserve does.
    for account in [&accounts.reward_owner_account, &accounts.reward_vault] {
        let authority = token::authority(account)?;
        let own = [
            accounts.position.key(),
            market.base_reserve,
            market.quote_reserve,
        ];
        require!(!own.contains(&authority), BallastError::WrongTokenAccount);
    }

    let owed = || pool::reward_owed(&accounts.whirlpool_position, &market, reward_index);
    let balance = || token::balance(&accounts.reward_owner_account);
    let (owed_before, balance_before) = (owed()?, balance()?);
    require!(owed_before > 0, BallastError::ZeroAmount);
    let market_key = accounts.market.key();
    let seeds = [
        Position::SEED,
        market_key.as_ref(),
        creator.as_ref(),
        &id,
        &[bump],
    ];
    pool::collect_reward(accounts, reward_index, &seeds)?;
    // Not by what arrived: a mint with a transfer fee may keep all of a few units, and they are collected all the same.
    require!(owed()? < owed_before, BallastError::ZeroAmount);
    let amount = balance()?
        .checked_sub(balance_before)
        .ok_or(BallastError::UnexpectedBalance)?;
    emit!(RewardCollected {
        position: accounts.position.key(),
        index: reward_index,
        mint: reward.mint,
        amount,
    });
    Ok(())
}
