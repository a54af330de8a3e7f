//! Setting up and changing markets and reserves.

use ballast::{
    InitMarketArgs, MarketMode, MarketParams, ReserveParams, accounts, instruction as data,
};
use ballast_abi::spl;
use ballast_model::Side;
use solana_sdk::{instruction::Instruction, pubkey::Pubkey};

use super::instruction;
use crate::{MarketContext, PoolAddresses, pda};

/// Creates the market of a pool, at [`pda::market`]. `authority` signs, pays and will be the market's authority.
pub fn init_market(authority: &Pubkey, pool: &PoolAddresses, args: InitMarketArgs) -> Instruction {
    let accounts = accounts::InitMarket {
        authority: *authority,
        market: pda::market(authority, &pool.whirlpool),
        whirlpool_program: pool.program,
        whirlpool: pool.whirlpool,
        base_mint: pool.base_mint,
        quote_mint: pool.quote_mint,
        system_program: spl::SYSTEM_PROGRAM,
    };
    instruction(&accounts, &data::InitMarket { args })
}

/// Creates the reserve of one side. The market's authority signs and pays.
pub fn init_reserve(
    market: &MarketContext,
    authority: &Pubkey,
    side: Side,
    params: ReserveParams,
) -> Instruction {
    let token = market.token(side);
    let accounts = accounts::InitReserve {
        authority: *authority,
        market: market.address,
        reserve: market.reserve(side),
        mint: token.mint,
        vault: market.vault(side),
        share_mint: market.share_mint(side),
        token_program: token.program,
        share_token_program: spl::TOKEN_PROGRAM,
        system_program: spl::SYSTEM_PROGRAM,
    };
    instruction(&accounts, &data::InitReserve { params })
}

/// Replaces limits and oracle rules. The market's authority signs.
pub fn update_market(market: &Pubkey, authority: &Pubkey, params: MarketParams) -> Instruction {
    instruction(&update(market, authority), &data::UpdateMarket { params })
}

/// Sets the mode. The authority signs; the guardian may only tighten.
pub fn set_mode(market: &Pubkey, signer: &Pubkey, mode: MarketMode) -> Instruction {
    instruction(&update(market, signer), &data::SetMode { mode })
}

fn update(market: &Pubkey, signer: &Pubkey) -> accounts::UpdateMarket {
    accounts::UpdateMarket {
        signer: *signer,
        market: *market,
    }
}

/// Replaces a reserve's curve and caps. The market's authority signs.
pub fn update_reserve(
    market: &MarketContext,
    authority: &Pubkey,
    side: Side,
    params: ReserveParams,
) -> Instruction {
    let accounts = accounts::UpdateReserve {
        signer: *authority,
        market: market.address,
        reserve: market.reserve(side),
    };
    instruction(&accounts, &data::UpdateReserve { params })
}
