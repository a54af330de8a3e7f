//! `increase_liquidity_v2` and `decrease_liquidity_v2`.

use anchor_lang::prelude::*;
use ballast_abi::whirlpool::{
    PoolView, PositionView,
    fees::{PerToken, TickAt},
};

use crate::{
    WhirlpoolError, account,
    modify::{ModifyUpdate, Rounding, modify_liquidity, token_amounts},
    state::{PoolAccount, PositionAccount, TickArrayAccount, check_time},
    token::{self, CheckedMint, Mints},
};

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

/// A checked change, not yet applied.
struct Plan {
    update: ModifyUpdate,
    amounts: PerToken<u64>,
    liquidity_before: u128,
    tick_spacing: u16,
    lower: i32,
    upper: i32,
}

impl<'info> ModifyLiquidityV2<'info> {
    pub fn increase(&self, liquidity: u128, max_a: u64, max_b: u64) -> Result<()> {
        let mints = self.check()?;
        let delta = signed(liquidity)?;
        let amounts = self.modify(delta, liquidity, Rounding::Up)?;
        require_gte!(max_a, amounts.a, WhirlpoolError::TokenMaxExceeded);
        require_gte!(max_b, amounts.b, WhirlpoolError::TokenMaxExceeded);
        let toll = PoolAccount(&self.whirlpool).toll()?;
        mints.a.transfer(
            &self.token_owner_account_a,
            &self.token_vault_a,
            &self.position_authority,
            amounts.a + toll,
            &[],
        )?;
        mints.b.transfer(
            &self.token_owner_account_b,
            &self.token_vault_b,
            &self.position_authority,
            amounts.b + toll,
            &[],
        )
    }

    pub fn decrease(&self, liquidity: u128, min_a: u64, min_b: u64) -> Result<()> {
        let mints = self.check()?;
        let delta = -signed(liquidity)?;
        let amounts = self.modify(delta, liquidity, Rounding::Down)?;
        require_gte!(amounts.a, min_a, WhirlpoolError::TokenMinSubceeded);
        require_gte!(amounts.b, min_b, WhirlpoolError::TokenMinSubceeded);
        let toll = PoolAccount(&self.whirlpool).toll()?;
        PoolAccount(&self.whirlpool).with_seeds(|seeds| {
            mints.a.transfer(
                &self.token_vault_a,
                &self.token_owner_account_a,
                &self.whirlpool,
                amounts.a.saturating_sub(toll),
                &[seeds],
            )?;
            mints.b.transfer(
                &self.token_vault_b,
                &self.token_owner_account_b,
                &self.whirlpool,
                amounts.b.saturating_sub(toll),
                &[seeds],
            )
        })
    }

    /// Checks of the accounts around the position.
    fn check(&self) -> Result<Mints<'_, 'info>> {
        token::check_memo_program(&self.memo_program)?;
        let (mint_a, mint_b, vault_a, vault_b) = PoolAccount(&self.whirlpool)
            .with(|pool| Ok((pool.mint_a(), pool.mint_b(), pool.vault_a(), pool.vault_b())))?;
        let mints = PerToken {
            a: CheckedMint::new(&self.token_mint_a, &self.token_program_a, mint_a)?,
            b: CheckedMint::new(&self.token_mint_b, &self.token_program_b, mint_b)?,
        };
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
        let (pool, position_mint) = PositionAccount(&self.position)
            .with(|position| Ok((position.pool(), position.mint())))?;
        require_keys_eq!(pool, *self.whirlpool.key, ErrorCode::ConstraintAddress);
        token::check_position_authority(
            &self.position_token_account,
            position_mint,
            self.position_authority.key,
        )?;
        Ok(mints)
    }

    /// Changes the liquidity of position, pool and ticks; returns what the tokens have to follow.
    fn modify(&self, delta: i128, liquidity: u128, rounding: Rounding) -> Result<PerToken<u64>> {
        let (pool, position) = (
            PoolAccount(&self.whirlpool),
            PositionAccount(&self.position),
        );
        let arrays = [
            TickArrayAccount(&self.tick_array_lower),
            TickArrayAccount(&self.tick_array_upper),
        ];
        let now = account::now()?;
        let plan = pool.with(|pool_view| {
            position.with(|position_view| {
                check_time(pool_view, now)?;
                let [lower, upper] =
                    band_ticks(pool_view, self.whirlpool.key, position_view, &arrays)?;
                Ok(Plan {
                    update: modify_liquidity(pool_view, position_view, lower, upper, delta)?,
                    amounts: token_amounts(pool_view, position_view, liquidity, rounding)?,
                    liquidity_before: position_view.liquidity(),
                    tick_spacing: pool_view.tick_spacing(),
                    lower: lower.index,
                    upper: upper.index,
                })
            })
        })?;
        pool.set_liquidity(plan.update.pool_liquidity, now)?;
        position.apply(&plan.update.position)?;
        let [lower_array, upper_array] = &arrays;
        lower_array.set(plan.lower, plan.tick_spacing, plan.update.lower.as_ref())?;
        upper_array.set(plan.upper, plan.tick_spacing, plan.update.upper.as_ref())?;
        for array in &arrays {
            array.settle_rent(
                &self.position,
                plan.liquidity_before,
                plan.update.position.liquidity,
            )?;
        }
        Ok(plan.amounts)
    }
}

fn signed(liquidity: u128) -> Result<i128> {
    require!(liquidity != 0, WhirlpoolError::LiquidityZero);
    Ok(i128::try_from(liquidity).map_err(|_| WhirlpoolError::LiquidityTooHigh)?)
}

/// Reads the ends of a position's band from the arrays that hold them.
pub(super) fn band_ticks(
    pool: &PoolView,
    pool_address: &Pubkey,
    position: &PositionView,
    arrays: &[TickArrayAccount; 2],
) -> Result<[TickAt; 2]> {
    let [lower_array, upper_array] = arrays;
    let spacing = pool.tick_spacing();
    let (lower, upper) = (position.lower().get(), position.upper().get());
    Ok([
        TickAt {
            index: lower,
            state: lower_array.get(pool_address, lower, spacing)?,
        },
        TickAt {
            index: upper,
            state: upper_array.get(pool_address, upper, spacing)?,
        },
    ])
}
