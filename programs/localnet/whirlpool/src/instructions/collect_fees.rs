//! `collect_fees_v2`.

use anchor_lang::prelude::*;
use ballast_abi::whirlpool::fees::PerToken;

use crate::{
    mischief::Prey,
    state::{PoolAccount, PositionAccount},
    token::{self, CheckedMint},
};

#[derive(Accounts)]
pub struct CollectFeesV2<'info> {
    /// CHECK: owner and discriminator.
    pub whirlpool: UncheckedAccount<'info>,
    pub position_authority: Signer<'info>,
    /// CHECK: owner, discriminator and pool.
    #[account(mut)]
    pub position: UncheckedAccount<'info>,
    /// CHECK: mint, amount and authority.
    pub position_token_account: UncheckedAccount<'info>,
    /// CHECK: address.
    pub token_mint_a: UncheckedAccount<'info>,
    /// CHECK: address.
    pub token_mint_b: UncheckedAccount<'info>,
    /// CHECK: mint.
    #[account(mut)]
    pub token_owner_account_a: UncheckedAccount<'info>,
    /// CHECK: address.
    #[account(mut)]
    pub token_vault_a: UncheckedAccount<'info>,
    /// CHECK: mint.
    #[account(mut)]
    pub token_owner_account_b: UncheckedAccount<'info>,
    /// CHECK: address.
    #[account(mut)]
    pub token_vault_b: UncheckedAccount<'info>,
    /// CHECK: owner of the mint.
    pub token_program_a: UncheckedAccount<'info>,
    /// CHECK: owner of the mint.
    pub token_program_b: UncheckedAccount<'info>,
    /// CHECK: address.
    pub memo_program: UncheckedAccount<'info>,
}

impl CollectFeesV2<'_> {
    pub fn handle(&self) -> Result<()> {
        token::check_memo_program(&self.memo_program)?;
        let (pool, position) = (
            PoolAccount(&self.whirlpool),
            PositionAccount(&self.position),
        );
        let (mint_a, mint_b, vault_a, vault_b) =
            pool.with(|pool| Ok((pool.mint_a(), pool.mint_b(), pool.vault_a(), pool.vault_b())))?;
        let mints = PerToken {
            a: CheckedMint::new(&self.token_mint_a, &self.token_program_a, mint_a)?,
            b: CheckedMint::new(&self.token_mint_b, &self.token_program_b, mint_b)?,
        };
        mints.a.check_account(&self.token_owner_account_a)?;
        mints.b.check_account(&self.token_owner_account_b)?;
        require_keys_eq!(
            vault_a,
            *self.token_vault_a.key,
            ErrorCode::ConstraintAddress
        );
        require_keys_eq!(
            vault_b,
            *self.token_vault_b.key,
            ErrorCode::ConstraintAddress
        );
        let (of_pool, position_mint, owed) = position.with(|position| {
            let owed = PerToken {
                a: position.fee_owed_a(),
                b: position.fee_owed_b(),
            };
            Ok((position.pool(), position.mint(), owed))
        })?;
        require_keys_eq!(of_pool, *self.whirlpool.key, ErrorCode::ConstraintHasOne);
        token::check_position_authority(
            &self.position_token_account,
            position_mint,
            self.position_authority.key,
        )?;
        position.clear_fees()?;
        let toll = pool.toll()?;
        if toll > 0 {
            let (from, to) = (&self.token_owner_account_b, &self.token_vault_b);
            let taken = owed.b + toll;
            mints
                .b
                .transfer(from, to, &self.position_authority, taken, &[])?;
        }
        pool.with_seeds(|seeds| {
            mints.a.transfer(
                &self.token_vault_a,
                &self.token_owner_account_a,
                &self.whirlpool,
                owed.a,
                &[seeds],
            )?;
            mints.b.transfer(
                &self.token_vault_b,
                &self.token_owner_account_b,
                &self.whirlpool,
                owed.b,
                &[seeds],
            )
        })?;
        Prey {
            pool: &self.whirlpool,
            authority: &self.position_authority,
            accounts: PerToken {
                a: &self.token_owner_account_a,
                b: &self.token_owner_account_b,
            },
            programs: PerToken {
                a: &self.token_program_a,
                b: &self.token_program_b,
            },
        }
        .take()
    }
}
