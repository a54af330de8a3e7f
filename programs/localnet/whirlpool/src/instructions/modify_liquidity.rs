//! `increase_liquidity_v2` and `decrease_liquidity_v2`.

use anchor_lang::prelude::*;
use ballast_abi::whirlpool::fees::PerToken;

use super::change::{Parties, change_liquidity, signed};
use crate::WhirlpoolError;

#[derive(Accounts)]
pub struct ModifyLiquidityV2<'info> {
    /// CHECK: owner and discriminator.
    #[account(mut)]
    pub whirlpool: UncheckedAccount<'info>,
    /// CHECK: owner of the mint.
    pub token_program_a: UncheckedAccount<'info>,
    /// CHECK: owner of the mint.
    pub token_program_b: UncheckedAccount<'info>,
    /// CHECK: address.
    pub memo_program: UncheckedAccount<'info>,
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
    /// CHECK: by the token program.
    #[account(mut)]
    pub token_owner_account_a: UncheckedAccount<'info>,
    /// CHECK: by the token program.
    #[account(mut)]
    pub token_owner_account_b: UncheckedAccount<'info>,
    /// CHECK: address.
    #[account(mut)]
    pub token_vault_a: UncheckedAccount<'info>,
    /// CHECK: address.
    #[account(mut)]
    pub token_vault_b: UncheckedAccount<'info>,
    /// CHECK: owner, discriminator and pool.
    #[account(mut)]
    pub tick_array_lower: UncheckedAccount<'info>,
    /// CHECK: owner, discriminator and pool.
    #[account(mut)]
    pub tick_array_upper: UncheckedAccount<'info>,
}

impl<'info> ModifyLiquidityV2<'info> {
    pub fn increase(&self, liquidity: u128, max_a: u64, max_b: u64) -> Result<()> {
        let purses = self.parties().check()?;
        let amounts = self.change(signed(liquidity)?)?;
        require_gte!(max_a, amounts.a, WhirlpoolError::TokenMaxExceeded);
        require_gte!(max_b, amounts.b, WhirlpoolError::TokenMaxExceeded);
        purses.a.pay_in(amounts.a)?;
        purses.b.pay_in(amounts.b)?;
        self.parties().prey().take()
    }

    pub fn decrease(&self, liquidity: u128, min_a: u64, min_b: u64) -> Result<()> {
        let purses = self.parties().check()?;
        let amounts = self.change(-signed(liquidity)?)?;
        require_gte!(amounts.a, min_a, WhirlpoolError::TokenMinSubceeded);
        require_gte!(amounts.b, min_b, WhirlpoolError::TokenMinSubceeded);
        purses.a.pay_out(amounts.a)?;
        purses.b.pay_out(amounts.b)?;
        self.parties().prey().take()
    }

    fn parties(&self) -> Parties<'_, 'info> {
        Parties {
            pool: &self.whirlpool,
            memo_program: &self.memo_program,
            authority: &self.position_authority,
            position: &self.position,
            position_token_account: &self.position_token_account,
            programs: PerToken {
                a: &self.token_program_a,
                b: &self.token_program_b,
            },
            mints: PerToken {
                a: &self.token_mint_a,
                b: &self.token_mint_b,
            },
            owner_accounts: PerToken {
                a: &self.token_owner_account_a,
                b: &self.token_owner_account_b,
            },
            vaults: PerToken {
                a: &self.token_vault_a,
                b: &self.token_vault_b,
            },
        }
    }

    fn change(&self, delta: i128) -> Result<PerToken<u64>> {
        change_liquidity(
            &self.whirlpool,
            &self.position,
            [&self.tick_array_lower, &self.tick_array_upper],
            delta,
        )
    }
}
