//! `reposition_liquidity_v2`.

use anchor_lang::prelude::*;
use ballast_abi::whirlpool::fees::PerToken;

use super::{
    change::{Parties, Purse, change_liquidity, signed},
    reset_position_range::{move_band, top_up},
};
use crate::{
    WhirlpoolError,
    account::Creation,
    state::{PoolAccount, PositionAccount},
};

/// How the liquidity in the new band is determined; the order is the wire format.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepositionLiquidityMethod {
    ByLiquidity {
        new_liquidity_amount: u128,
        existing_range_token_min_a: u64,
        existing_range_token_min_b: u64,
        new_range_token_max_a: u64,
        new_range_token_max_b: u64,
    },
}

#[derive(Accounts)]
pub struct RepositionLiquidityV2<'info> {
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
    #[account(mut)]
    pub funder: Signer<'info>,
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
    pub existing_tick_array_lower: UncheckedAccount<'info>,
    /// CHECK: owner, discriminator and pool.
    #[account(mut)]
    pub existing_tick_array_upper: UncheckedAccount<'info>,
    /// CHECK: owner, discriminator and pool.
    #[account(mut)]
    pub new_tick_array_lower: UncheckedAccount<'info>,
    /// CHECK: owner, discriminator and pool.
    #[account(mut)]
    pub new_tick_array_upper: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
}

impl<'info> RepositionLiquidityV2<'info> {
    pub fn handle(&self, lower: i32, upper: i32, method: RepositionLiquidityMethod) -> Result<()> {
        let RepositionLiquidityMethod::ByLiquidity {
            new_liquidity_amount: liquidity,
            existing_range_token_min_a: min_a,
            existing_range_token_min_b: min_b,
            new_range_token_max_a: max_a,
            new_range_token_max_b: max_b,
        } = method;
        require!(liquidity != 0, WhirlpoolError::LiquidityZero);
        let purses = self.parties().check()?;

        let before = self.empty()?;
        require_gte!(before.a, min_a, WhirlpoolError::TokenMinSubceeded);
        require_gte!(before.b, min_b, WhirlpoolError::TokenMinSubceeded);
        let creation = Creation {
            funder: &self.funder,
            system_program: &self.system_program,
        };
        top_up(&creation, &self.position)?;
        let tick_spacing = PoolAccount(&self.whirlpool).with(|pool| Ok(pool.tick_spacing()))?;
        move_band(tick_spacing, &self.position, lower, upper)?;
        let after = change_liquidity(
            &self.whirlpool,
            &self.position,
            [&self.new_tick_array_lower, &self.new_tick_array_upper],
            signed(liquidity)?,
        )?;
        require_gte!(max_a, after.a, WhirlpoolError::TokenMaxExceeded);
        require_gte!(max_b, after.b, WhirlpoolError::TokenMaxExceeded);
        settle(&purses.a, before.a, after.a)?;
        settle(&purses.b, before.b, after.b)
    }

    /// Takes all liquidity out of the present band, whose tick arrays do not matter when there is none.
    fn empty(&self) -> Result<PerToken<u64>> {
        match PositionAccount(&self.position).with(|position| Ok(position.liquidity()))? {
            0 => Ok(PerToken::default()),
            liquidity => change_liquidity(
                &self.whirlpool,
                &self.position,
                [
                    &self.existing_tick_array_lower,
                    &self.existing_tick_array_upper,
                ],
                -signed(liquidity)?,
            ),
        }
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
}

/// Moves the difference between what came out of the old band and what went into the new one.
fn settle(purse: &Purse, before: u64, after: u64) -> Result<()> {
    if before > after {
        purse.pay_out(before - after)
    } else {
        purse.pay_in(after - before)
    }
}
