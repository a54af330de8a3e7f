//! The adapter to the Whirlpool program: reads its accounts and calls it with the position's own address as authority.
//! Neither a reserve nor its vault is ever among the accounts of a call, whatever the caller passes.

mod liquidity;
mod position;
mod rewards;
mod swap;

use anchor_lang::prelude::*;
use anchor_lang::solana_program::instruction::Instruction;
use ballast_abi::{
    LayoutError,
    whirlpool::{PoolView, PositionView},
};
use ballast_clmm::{Amounts, SqrtPrice};

use crate::{
    call::invoke,
    errors::BallastError,
    evidence::PoolLook,
    groups::{LendingAccounts, PoolAccounts},
    state::Market,
};

pub use liquidity::{collect_fees, decrease_liquidity, increase_liquidity, update_fees};
pub use position::{NftHolder, Opening, close_position, open_position, reset_range};
pub use rewards::{collect_reward, reward, reward_owed};
pub use swap::swap;

/// What creating a market, and changing its parameters, needs to know of its pool.
pub struct PoolFacts {
    /// The pool's tick spacing.
    pub tick_spacing: u16,
    /// Its fee, in millionths of what is paid in.
    pub fee_rate_ppm: u16,
    /// Whether its fee moves with volatility.
    pub adaptive_fee: bool,
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
        fee_rate_ppm: view.fee_rate_ppm(),
        adaptive_fee: view.has_adaptive_fee(),
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
    let program = &market.whirlpool_program;
    // By reference: this runs before every call, and copies of ten keys cost more than comparing them.
    require!(
        accounts.whirlpool_program.key == program
            && accounts.whirlpool.owner == program
            && *accounts.whirlpool.key == market.whirlpool
            && *accounts.pool_base_vault.key == market.pool_base_vault
            && *accounts.pool_quote_vault.key == market.pool_quote_vault,
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
    invoke(instruction, infos, &[seeds])
}
