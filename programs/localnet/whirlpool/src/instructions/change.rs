//! What the instructions that change a position's liquidity share.

use anchor_lang::prelude::*;
use ballast_abi::whirlpool::{
    PoolView, PositionView,
    fees::{PerToken, TickAt},
};

use crate::{
    WhirlpoolError, account,
    mischief::Prey,
    modify::{ModifyUpdate, Rounding, modify_liquidity, token_amounts},
    state::{PoolAccount, PositionAccount, TickArrayAccount, check_time},
    token::{self, CheckedMint},
};

/// The accounts around a position, not yet checked.
pub(super) struct Parties<'a, 'info> {
    pub pool: &'a AccountInfo<'info>,
    pub memo_program: &'a AccountInfo<'info>,
    pub authority: &'a AccountInfo<'info>,
    pub position: &'a AccountInfo<'info>,
    pub position_token_account: &'a AccountInfo<'info>,
    pub programs: PerToken<&'a AccountInfo<'info>>,
    pub mints: PerToken<&'a AccountInfo<'info>>,
    pub owner_accounts: PerToken<&'a AccountInfo<'info>>,
    pub vaults: PerToken<&'a AccountInfo<'info>>,
}

impl<'a, 'info> Parties<'a, 'info> {
    /// Checks all of them but the owner's accounts, which are the token program's to check.
    pub fn check(&self) -> Result<PerToken<Purse<'a, 'info>>> {
        token::check_memo_program(self.memo_program)?;
        let (mint_a, mint_b, vault_a, vault_b) = PoolAccount(self.pool)
            .with(|pool| Ok((pool.mint_a(), pool.mint_b(), pool.vault_a(), pool.vault_b())))?;
        let mint_a = CheckedMint::new(self.mints.a, self.programs.a, mint_a)?;
        let mint_b = CheckedMint::new(self.mints.b, self.programs.b, mint_b)?;
        require_keys_eq!(vault_a, *self.vaults.a.key, ErrorCode::ConstraintAddress);
        require_keys_eq!(vault_b, *self.vaults.b.key, ErrorCode::ConstraintAddress);
        let (pool, position_mint) = PositionAccount(self.position)
            .with(|position| Ok((position.pool(), position.mint())))?;
        require_keys_eq!(pool, *self.pool.key, ErrorCode::ConstraintAddress);
        token::check_position_authority(
            self.position_token_account,
            position_mint,
            self.authority.key,
        )?;
        let purse = |mint, owner_account, vault| Purse {
            pool: self.pool,
            authority: self.authority,
            mint,
            owner_account,
            vault,
        };
        Ok(PerToken {
            a: purse(mint_a, self.owner_accounts.a, self.vaults.a),
            b: purse(mint_b, self.owner_accounts.b, self.vaults.b),
        })
    }
}

impl<'info> Parties<'_, 'info> {
    /// What a dishonest program could take.
    pub fn prey(&self) -> Prey<'_, 'info> {
        Prey {
            pool: self.pool,
            authority: self.authority,
            accounts: PerToken {
                a: self.owner_accounts.a,
                b: self.owner_accounts.b,
            },
            programs: PerToken {
                a: self.programs.a,
                b: self.programs.b,
            },
        }
    }
}

/// Where one of the pool's tokens comes from and goes to.
pub(super) struct Purse<'a, 'info> {
    pool: &'a AccountInfo<'info>,
    authority: &'a AccountInfo<'info>,
    mint: CheckedMint<'a, 'info>,
    owner_account: &'a AccountInfo<'info>,
    vault: &'a AccountInfo<'info>,
}

impl Purse<'_, '_> {
    /// From the owner into the vault.
    pub fn pay_in(&self, amount: u64) -> Result<()> {
        let (from, to) = (self.owner_account, self.vault);
        let toll = PoolAccount(self.pool).toll()?;
        self.mint
            .transfer(from, to, self.authority, amount + toll, &[])
    }

    /// From the vault to the owner.
    pub fn pay_out(&self, amount: u64) -> Result<()> {
        let (pool, from, to) = (PoolAccount(self.pool), self.vault, self.owner_account);
        let amount = amount.saturating_sub(pool.toll()?);
        pool.with_seeds(|seeds| self.mint.transfer(from, to, self.pool, amount, &[seeds]))
    }
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

/// Changes the liquidity of position, pool and ticks; returns what the tokens have to follow, rounded against the owner.
pub(super) fn change_liquidity(
    pool: &AccountInfo,
    position: &AccountInfo,
    arrays: [&AccountInfo; 2],
    delta: i128,
) -> Result<PerToken<u64>> {
    let rounding = if delta < 0 {
        Rounding::Down
    } else {
        Rounding::Up
    };
    let arrays = arrays.map(TickArrayAccount);
    let now = account::now()?;
    let plan = PoolAccount(pool).with(|pool_view| {
        PositionAccount(position).with(|position_view| {
            check_time(pool_view, now)?;
            let [lower, upper] = band_ticks(pool_view, pool.key, position_view, &arrays)?;
            Ok(Plan {
                update: modify_liquidity(pool_view, position_view, lower, upper, delta)?,
                amounts: token_amounts(pool_view, position_view, delta.unsigned_abs(), rounding)?,
                liquidity_before: position_view.liquidity(),
                tick_spacing: pool_view.tick_spacing(),
                lower: lower.index,
                upper: upper.index,
            })
        })
    })?;
    PoolAccount(pool).set_liquidity(plan.update.pool_liquidity, now)?;
    PositionAccount(position).apply(&plan.update.position)?;
    let [lower_array, upper_array] = &arrays;
    lower_array.set(plan.lower, plan.tick_spacing, plan.update.lower.as_ref())?;
    upper_array.set(plan.upper, plan.tick_spacing, plan.update.upper.as_ref())?;
    for array in &arrays {
        array.settle_rent(
            position,
            plan.liquidity_before,
            plan.update.position.liquidity,
        )?;
    }
    Ok(plan.amounts)
}

/// A change of liquidity as a signed number.
pub(super) fn signed(liquidity: u128) -> Result<i128> {
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
