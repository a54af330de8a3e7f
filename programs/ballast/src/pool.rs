//! The adapter to the Whirlpool program: reads its accounts and calls it with the position's own address as authority.
//! Neither a reserve nor its vault is ever among the accounts of a call, whatever the caller passes.

mod position;
mod rewards;

use anchor_lang::prelude::*;
use anchor_lang::solana_program::{instruction::Instruction, program::invoke_signed};
use ballast_abi::{
    LayoutError,
    whirlpool::{
        PoolView, PositionView,
        instruction::{
            CollectFeesV2, CollectFeesV2Accounts, DecreaseLiquidityV2, IncreaseLiquidityV2,
            ModifyLiquidityV2Accounts, SwapV2, SwapV2Accounts, UpdateFeesAndRewards,
            UpdateFeesAndRewardsAccounts,
        },
    },
};
use ballast_clmm::{Amounts, SqrtPrice};

use crate::{
    errors::BallastError,
    evidence::PoolLook,
    groups::{LendingAccounts, PoolAccounts, PositionAccounts, RangeAccounts, SwapAccounts},
    state::Market,
};

pub use position::{NftHolder, Opening, close_position, open_position, reset_range};
pub use rewards::{collect_reward, reward, reward_owed};

/// What creating a market needs to know of its pool.
pub struct PoolFacts {
    /// The pool's tick spacing.
    pub tick_spacing: u16,
    /// Active liquidity.
    pub liquidity: u128,
    /// Token A.
    pub mint_a: Pubkey,
    /// Token B.
    pub mint_b: Pubkey,
    /// The pool's vault of token A.
    pub vault_a: Pubkey,
    /// The pool's vault of token B.
    pub vault_b: Pubkey,
}

fn malformed(_: LayoutError) -> Error {
    error!(BallastError::MalformedPoolAccount)
}

/// Reads a pool whose owner the caller has checked.
///
/// # Errors
/// [`BallastError::MalformedPoolAccount`].
pub fn read(whirlpool: &AccountInfo) -> Result<PoolFacts> {
    let data = whirlpool.try_borrow_data()?;
    let view = PoolView::parse(&data).map_err(malformed)?;
    Ok(PoolFacts {
        tick_spacing: view.tick_spacing(),
        liquidity: view.liquidity(),
        mint_a: view.mint_a(),
        mint_b: view.mint_b(),
        vault_a: view.vault_a(),
        vault_b: view.vault_b(),
    })
}

/// The pool's price now. The address is the market's, so the account is genuine; its owner is checked all the same.
///
/// # Errors
/// [`BallastError::WrongPool`], [`BallastError::MalformedPoolAccount`].
pub fn sqrt_price(accounts: &PoolAccounts, market: &Market) -> Result<SqrtPrice> {
    check(accounts, market)?;
    let data = accounts.whirlpool.try_borrow_data()?;
    Ok(PoolView::parse(&data).map_err(malformed)?.sqrt_price())
}

/// A look at the market's own pool.
///
/// # Errors
/// [`BallastError::WrongPool`], [`BallastError::MalformedPoolAccount`].
pub fn look(whirlpool: &AccountInfo, market: &Market) -> Result<PoolLook> {
    require_keys_eq!(*whirlpool.key, market.whirlpool, BallastError::WrongPool);
    require_keys_eq!(
        *whirlpool.owner,
        market.whirlpool_program,
        BallastError::WrongPool
    );
    let data = whirlpool.try_borrow_data()?;
    let view = PoolView::parse(&data).map_err(malformed)?;
    Ok(PoolLook {
        sqrt_price: view.sqrt_price(),
        liquidity: view.liquidity(),
        touched_secs: view.reward_last_updated_secs(),
    })
}

/// The pool's fee in millionths of what is paid in; of a pool whose fee moves, the least. Called after [`sqrt_price`] has checked the
/// accounts.
///
/// # Errors
/// [`BallastError::MalformedPoolAccount`].
pub fn fee_rate_ppm(accounts: &PoolAccounts) -> Result<u16> {
    let data = accounts.whirlpool.try_borrow_data()?;
    Ok(PoolView::parse(&data).map_err(malformed)?.fee_rate_ppm())
}

/// The fees that the Whirlpool program has booked for a position.
///
/// # Errors
/// As [`position_liquidity`].
pub fn fees_owed(whirlpool_position: &AccountInfo, market: &Market) -> Result<Amounts> {
    require_keys_eq!(
        *whirlpool_position.owner,
        market.whirlpool_program,
        BallastError::WrongPool
    );
    let data = whirlpool_position.try_borrow_data()?;
    let view = PositionView::parse(&data).map_err(malformed)?;
    Ok(Amounts {
        base: view.fee_owed_a(),
        quote: view.fee_owed_b(),
    })
}

/// The liquidity that the Whirlpool program has booked for a position.
///
/// # Errors
/// [`BallastError::WrongPool`] if the account is not the pool program's, [`BallastError::MalformedPoolAccount`].
pub fn position_liquidity(whirlpool_position: &AccountInfo, market: &Market) -> Result<u128> {
    require_keys_eq!(
        *whirlpool_position.owner,
        market.whirlpool_program,
        BallastError::WrongPool
    );
    let data = whirlpool_position.try_borrow_data()?;
    Ok(PositionView::parse(&data).map_err(malformed)?.liquidity())
}

/// Every address that decides where a call goes must be the market's own.
fn check(accounts: &PoolAccounts, market: &Market) -> Result<()> {
    for (account, stored) in [
        (&accounts.whirlpool_program, market.whirlpool_program),
        (&accounts.whirlpool, market.whirlpool),
        (&accounts.pool_base_vault, market.pool_base_vault),
        (&accounts.pool_quote_vault, market.pool_quote_vault),
    ] {
        require_keys_eq!(account.key(), stored, BallastError::WrongPool);
    }
    require_keys_eq!(
        *accounts.whirlpool.owner,
        market.whirlpool_program,
        BallastError::WrongPool
    );
    Ok(())
}

/// Accounts that are only passed on must not be what the lenders have lent.
fn require_not_lent(lending: &LendingAccounts, passed_on: &[&AccountInfo]) -> Result<()> {
    let lent = [
        lending.base_vault.key,
        lending.quote_vault.key,
        lending.base_reserve.as_ref().key,
        lending.quote_reserve.as_ref().key,
    ];
    for account in passed_on {
        require!(!lent.contains(&account.key), BallastError::WrongPool);
    }
    Ok(())
}

fn call(instruction: &Instruction, infos: &[AccountInfo], seeds: &[&[u8]]) -> Result<()> {
    invoke_signed(instruction, infos, &[seeds]).map_err(Into::into)
}

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
/// Those of the Whirlpool program.
pub fn increase_liquidity<'info>(
    pool: &PoolAccounts<'info>,
    range: &RangeAccounts<'info>,
    position: &PositionAccounts<'info>,
    lending: &LendingAccounts<'info>,
    liquidity: u128,
    most: Amounts,
    seeds: &[&[u8]],
) -> Result<()> {
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

/// Removes liquidity, receiving at least `least`. Called after [`sqrt_price`] has checked the accounts.
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
    invoke_signed(&update, &infos, &[]).map_err(Into::into)
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

/// What a swap moves exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// This much base in.
    SellBase(u64),
    /// This much base out.
    BuyBase(u64),
    /// This much quote in.
    SpendQuote(u64),
}

/// The pool's price, and its fee in millionths of what is paid in.
///
/// # Errors
/// As [`sqrt_price`].
pub fn price_and_fee(accounts: &PoolAccounts, market: &Market) -> Result<(SqrtPrice, u32)> {
    check(accounts, market)?;
    let data = accounts.whirlpool.try_borrow_data()?;
    let view = PoolView::parse(&data).map_err(malformed)?;
    Ok((view.sqrt_price(), u32::from(view.fee_rate_ppm())))
}

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
        Order::SellBase(amount) => (amount, true, true),
        Order::BuyBase(amount) => (amount, false, false),
        Order::SpendQuote(amount) => (amount, true, false),
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
