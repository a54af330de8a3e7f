//! Instructions of other programs that Ballast's need beforehand.

use ballast_abi::{
    spl, system,
    whirlpool::instruction::{InitializeDynamicTickArray, InitializeDynamicTickArrayAccounts},
};
use ballast_model::Side;
use solana_sdk::{
    instruction::{AccountMeta, Instruction},
    pubkey::Pubkey,
};

use crate::MarketContext;

/// Creates `owner`'s token account of one side unless it exists. `payer` signs.
pub fn create_wallet(
    market: &MarketContext,
    payer: &Pubkey,
    owner: &Pubkey,
    side: Side,
) -> Instruction {
    let token = market.token(side);
    spl::create_associated_token_account_idempotent(*payer, *owner, token.mint, token.program)
}

/// Creates `owner`'s account for shares of one side's reserve unless it exists. `payer` signs.
pub fn create_share_wallet(
    market: &MarketContext,
    payer: &Pubkey,
    owner: &Pubkey,
    side: Side,
) -> Instruction {
    spl::create_associated_token_account_idempotent(
        *payer,
        *owner,
        market.share_mint(side),
        spl::TOKEN_PROGRAM,
    )
}

/// Creates the pool's tick array that begins at `start` unless it exists. `payer` signs.
pub fn create_tick_array(market: &MarketContext, payer: &Pubkey, start: i32) -> Instruction {
    let accounts = InitializeDynamicTickArrayAccounts {
        pool: market.market.whirlpool,
        funder: *payer,
        tick_array: market.tick_array(start),
        system_program: spl::SYSTEM_PROGRAM,
    };
    let args = InitializeDynamicTickArray {
        start,
        idempotent: true,
    };
    args.instruction(market.market.whirlpool_program, &accounts)
}

/// Moves lamports into a wrapped-SOL account and books them. `payer` signs.
pub fn wrap_sol(payer: &Pubkey, account: &Pubkey, lamports: u64) -> [Instruction; 2] {
    // SPL Token, instruction 17: SyncNative.
    let sync = Instruction {
        program_id: spl::TOKEN_PROGRAM,
        accounts: vec![AccountMeta::new(*account, false)],
        data: vec![17],
    };
    [system::transfer(*payer, *account, lamports), sync]
}
