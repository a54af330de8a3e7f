//! Swaps.

use anchor_lang::prelude::*;
use ballast_abi::whirlpool::instruction::{SwapV2, SwapV2Accounts};
use ballast_clmm::SqrtPrice;
use ballast_ledger::Order;

use super::{call, check, require_not_lent};
use crate::{
    groups::{LendingAccounts, PoolAccounts, PositionAccounts, SwapAccounts},
    state::Market,
};

/// Swaps what the order says: exactly, or as much of it as is possible up to `limit`. The other amount is not limited here: the
/// caller compares balances and refuses a bad price with an error that says so.
///
/// # Errors
/// [`BallastError::WrongPool`] and those of the Whirlpool program.
pub fn swap<'info>(
    pool: &PoolAccounts<'info>,
    market: &Market,
    arrays: &SwapAccounts<'info>,
    position: &PositionAccounts<'info>,
    lending: &LendingAccounts<'info>,
    (order, limit): (Order, Option<SqrtPrice>),
    seeds: &[&[u8]],
) -> Result<()> {
    check(pool, market)?;
    require_not_lent(
        lending,
        &[
            &arrays.tick_array_0,
            &arrays.tick_array_1,
            &arrays.tick_array_2,
            &arrays.whirlpool_oracle,
        ],
    )?;
    let keys = SwapV2Accounts {
        token_program_a: lending.base_token_program.key(),
        token_program_b: lending.quote_token_program.key(),
        memo_program: pool.memo_program.key(),
        token_authority: position.position.key(),
        pool: pool.whirlpool.key(),
        mint_a: lending.base_mint.key(),
        mint_b: lending.quote_mint.key(),
        owner_account_a: position.base_account.key(),
        vault_a: pool.pool_base_vault.key(),
        owner_account_b: position.quote_account.key(),
        vault_b: pool.pool_quote_vault.key(),
        tick_array_0: arrays.tick_array_0.key(),
        tick_array_1: arrays.tick_array_1.key(),
        tick_array_2: arrays.tick_array_2.key(),
        oracle: arrays.whirlpool_oracle.key(),
    };
    let infos = [
        lending.base_token_program.to_account_info(),
        lending.quote_token_program.to_account_info(),
        pool.memo_program.to_account_info(),
        position.position.to_account_info(),
        pool.whirlpool.to_account_info(),
        lending.base_mint.to_account_info(),
        lending.quote_mint.to_account_info(),
        position.base_account.to_account_info(),
        pool.pool_base_vault.to_account_info(),
        position.quote_account.to_account_info(),
        pool.pool_quote_vault.to_account_info(),
        arrays.tick_array_0.to_account_info(),
        arrays.tick_array_1.to_account_info(),
        arrays.tick_array_2.to_account_info(),
        arrays.whirlpool_oracle.to_account_info(),
    ];
    let (amount, amount_is_input, a_to_b) = match order {
        Order::Sell(amount) => (amount, true, true),
        Order::Buy(amount) => (amount, false, false),
        Order::Spend(amount) => (amount, true, false),
    };
    let args = SwapV2 {
        amount,
        other_amount_threshold: if amount_is_input { 0 } else { u64::MAX },
        sqrt_price_limit: limit.map_or(0, SqrtPrice::x64),
        amount_is_input,
        a_to_b,
    };
    call(
        &args.instruction(market.whirlpool_program, &keys),
        &infos,
        seeds,
    )
}
