//! Liquidity in and out, and the fees that it earns.

use anchor_lang::prelude::*;
use ballast_abi::whirlpool::instruction::{
    CollectFeesV2, CollectFeesV2Accounts, DecreaseLiquidityV2, IncreaseLiquidityV2,
    ModifyLiquidityV2Accounts, UpdateFeesAndRewards, UpdateFeesAndRewardsAccounts,
};
use ballast_clmm::Amounts;

use super::{call, check, require_not_lent};
use crate::{
    call::invoke,
    groups::{LendingAccounts, PoolAccounts, PositionAccounts, RangeAccounts},
    state::Market,
};

/// Accounts of both liquidity instructions, as keys and as infos.
fn modify_accounts<'info>(
    pool: &PoolAccounts<'info>,
    range: &RangeAccounts<'info>,
    position: &PositionAccounts<'info>,
    lending: &LendingAccounts<'info>,
) -> Result<(ModifyLiquidityV2Accounts, [AccountInfo<'info>; 15])> {
    require_not_lent(lending, &[&range.tick_array_lower, &range.tick_array_upper])?;
    let keys = ModifyLiquidityV2Accounts {
        pool: pool.whirlpool.key(),
        token_program_a: lending.base_token_program.key(),
        token_program_b: lending.quote_token_program.key(),
        memo_program: pool.memo_program.key(),
        position_authority: position.position.key(),
        position: position.whirlpool_position.key(),
        position_token_account: position.nft_account.key(),
        mint_a: lending.base_mint.key(),
        mint_b: lending.quote_mint.key(),
        owner_account_a: position.base_account.key(),
        owner_account_b: position.quote_account.key(),
        vault_a: pool.pool_base_vault.key(),
        vault_b: pool.pool_quote_vault.key(),
        tick_array_lower: range.tick_array_lower.key(),
        tick_array_upper: range.tick_array_upper.key(),
    };
    let infos = [
        pool.whirlpool.to_account_info(),
        lending.base_token_program.to_account_info(),
        lending.quote_token_program.to_account_info(),
        pool.memo_program.to_account_info(),
        position.position.to_account_info(),
        position.whirlpool_position.to_account_info(),
        position.nft_account.to_account_info(),
        lending.base_mint.to_account_info(),
        lending.quote_mint.to_account_info(),
        position.base_account.to_account_info(),
        position.quote_account.to_account_info(),
        pool.pool_base_vault.to_account_info(),
        pool.pool_quote_vault.to_account_info(),
        range.tick_array_lower.to_account_info(),
        range.tick_array_upper.to_account_info(),
    ];
    Ok((keys, infos))
}

/// Adds liquidity, paying at most `most`.
///
/// # Errors
/// [`BallastError::WrongPool`] and those of the Whirlpool program.
#[allow(
    clippy::too_many_arguments,
    reason = "groups of accounts, as they come"
)]
pub fn increase_liquidity<'info>(
    pool: &PoolAccounts<'info>,
    market: &Market,
    range: &RangeAccounts<'info>,
    position: &PositionAccounts<'info>,
    lending: &LendingAccounts<'info>,
    liquidity: u128,
    most: Amounts,
    seeds: &[&[u8]],
) -> Result<()> {
    check(pool, market)?;
    let (keys, infos) = modify_accounts(pool, range, position, lending)?;
    let args = IncreaseLiquidityV2 {
        liquidity,
        max_a: most.base,
        max_b: most.quote,
    };
    call(
        &args.instruction(pool.whirlpool_program.key(), &keys),
        &infos,
        seeds,
    )
}

/// Removes liquidity, receiving at least `least`. Called after [`super::sqrt_price`] has checked the accounts.
///
/// # Errors
/// Those of the Whirlpool program.
pub fn decrease_liquidity<'info>(
    pool: &PoolAccounts<'info>,
    range: &RangeAccounts<'info>,
    position: &PositionAccounts<'info>,
    lending: &LendingAccounts<'info>,
    liquidity: u128,
    least: Amounts,
    seeds: &[&[u8]],
) -> Result<()> {
    let (keys, infos) = modify_accounts(pool, range, position, lending)?;
    let args = DecreaseLiquidityV2 {
        liquidity,
        min_a: least.base,
        min_b: least.quote,
    };
    call(
        &args.instruction(pool.whirlpool_program.key(), &keys),
        &infos,
        seeds,
    )
}

/// Books what the Whirlpool position has earned since its liquidity last changed. The pool program refuses it without
/// liquidity, and then there is nothing to book.
///
/// # Errors
/// [`BallastError::WrongPool`] and those of the Whirlpool program.
pub fn update_fees<'info>(
    pool: &PoolAccounts<'info>,
    market: &Market,
    range: &RangeAccounts<'info>,
    position: &PositionAccounts<'info>,
    lending: &LendingAccounts<'info>,
) -> Result<()> {
    check(pool, market)?;
    require_not_lent(lending, &[&range.tick_array_lower, &range.tick_array_upper])?;
    let keys = UpdateFeesAndRewardsAccounts {
        pool: pool.whirlpool.key(),
        position: position.whirlpool_position.key(),
        tick_array_lower: range.tick_array_lower.key(),
        tick_array_upper: range.tick_array_upper.key(),
    };
    let infos = [
        pool.whirlpool.to_account_info(),
        position.whirlpool_position.to_account_info(),
        range.tick_array_lower.to_account_info(),
        range.tick_array_upper.to_account_info(),
    ];
    let update = UpdateFeesAndRewards {}.instruction(market.whirlpool_program, &keys);
    invoke(&update, &infos, &[])
}

/// Collects the fees that are booked on the Whirlpool position.
///
/// # Errors
/// [`BallastError::WrongPool`] and those of the Whirlpool program.
pub fn collect_fees<'info>(
    pool: &PoolAccounts<'info>,
    market: &Market,
    position: &PositionAccounts<'info>,
    lending: &LendingAccounts<'info>,
    seeds: &[&[u8]],
) -> Result<()> {
    check(pool, market)?;
    let keys = CollectFeesV2Accounts {
        pool: pool.whirlpool.key(),
        position_authority: position.position.key(),
        position: position.whirlpool_position.key(),
        position_token_account: position.nft_account.key(),
        mint_a: lending.base_mint.key(),
        mint_b: lending.quote_mint.key(),
        owner_account_a: position.base_account.key(),
        vault_a: pool.pool_base_vault.key(),
        owner_account_b: position.quote_account.key(),
        vault_b: pool.pool_quote_vault.key(),
        token_program_a: lending.base_token_program.key(),
        token_program_b: lending.quote_token_program.key(),
        memo_program: pool.memo_program.key(),
    };
    let infos = [
        pool.whirlpool.to_account_info(),
        position.position.to_account_info(),
        position.whirlpool_position.to_account_info(),
        position.nft_account.to_account_info(),
        lending.base_mint.to_account_info(),
        lending.quote_mint.to_account_info(),
        position.base_account.to_account_info(),
        pool.pool_base_vault.to_account_info(),
        position.quote_account.to_account_info(),
        pool.pool_quote_vault.to_account_info(),
        lending.base_token_program.to_account_info(),
        lending.quote_token_program.to_account_info(),
        pool.memo_program.to_account_info(),
    ];
    call(
        &CollectFeesV2 {}.instruction(market.whirlpool_program, &keys),
        &infos,
        seeds,
    )
}
