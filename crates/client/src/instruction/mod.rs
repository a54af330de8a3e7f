//! Instructions of the Ballast program. Every function returns one instruction; signers are named in its documentation.
//! Nothing is checked here: arguments that make no sense are refused by the program, with an error that says why.

mod keeper;
mod lend;
mod market;
mod position;
mod tokens;

pub use keeper::{
    check_health, compound, deleverage, deleverage_swap, exit, liquidate, recenter,
    recenter_replacing, refresh_price, rehedge, settle, show_loss,
};
pub use lend::{accrue, cover_bad_debt, deposit, fund_insurance, withdraw};
pub use market::{
    accept_authority, announce_oracle, apply_market_change, apply_oracle_change,
    apply_reserve_change, apply_safety_change, cancel_oracle_change, init_market, init_reserve,
    migrate_market, migrate_position, migrate_reserve, offer_authority, refresh_stage,
    set_guardian, set_mode, update_market, update_reserve, update_safety,
};
pub use position::{
    accept_transfer, close, collect, collect_reward, collect_reward_for, decrease, increase, open,
    reclaim_reward, repay, set_automation, set_first_keepers, set_policy, transfer,
};
pub use tokens::{create_share_wallet, create_tick_array, create_wallet, wrap_sol};

use anchor_lang::{InstructionData, ToAccountMetas};
use ballast::accounts::{
    LendingAccounts, NftAccounts, PoolAccounts, PositionAccounts, PriceAccounts, RangeAccounts,
    SwapAccounts, WalletAccounts,
};
use ballast_abi::{spl, whirlpool::instruction::METADATA_UPDATE_AUTHORITY};
use ballast_model::Side;
use solana_sdk::instruction::Instruction;

use crate::{MarketContext, PositionAddresses, SwapPath, Wallet};

fn instruction(accounts: &impl ToAccountMetas, data: &impl InstructionData) -> Instruction {
    Instruction {
        program_id: ballast::ID,
        accounts: accounts.to_account_metas(None),
        data: data.data(),
    }
}

fn position_accounts(addresses: &PositionAddresses) -> PositionAccounts {
    PositionAccounts {
        position: addresses.position,
        whirlpool_position: addresses.whirlpool_position,
        nft_account: addresses.nft_account,
        base_account: addresses.base_account,
        quote_account: addresses.quote_account,
    }
}

fn lending_accounts(market: &MarketContext) -> LendingAccounts {
    LendingAccounts {
        base_reserve: market.reserve(Side::Base),
        quote_reserve: market.reserve(Side::Quote),
        base_vault: market.vault(Side::Base),
        quote_vault: market.vault(Side::Quote),
        base_mint: market.base.mint,
        quote_mint: market.quote.mint,
        base_token_program: market.base.program,
        quote_token_program: market.quote.program,
    }
}

fn pool_accounts(market: &MarketContext) -> PoolAccounts {
    PoolAccounts {
        whirlpool_program: market.market.whirlpool_program,
        whirlpool: market.market.whirlpool,
        pool_base_vault: market.market.pool_base_vault,
        pool_quote_vault: market.market.pool_quote_vault,
        memo_program: spl::MEMO_PROGRAM,
    }
}

fn range_accounts(market: &MarketContext, ticks: [i32; 2]) -> RangeAccounts {
    let [tick_array_lower, tick_array_upper] = market
        .band_array_starts(ticks)
        .map(|start| market.tick_array(start));
    RangeAccounts {
        tick_array_lower,
        tick_array_upper,
    }
}

fn swap_accounts(path: &SwapPath) -> SwapAccounts {
    let [tick_array_0, tick_array_1, tick_array_2] = path.tick_arrays;
    SwapAccounts {
        tick_array_0,
        tick_array_1,
        tick_array_2,
        whirlpool_oracle: path.whirlpool_oracle,
    }
}

fn nft_accounts() -> NftAccounts {
    NftAccounts {
        token_2022_program: spl::TOKEN_2022_PROGRAM,
        associated_token_program: spl::ASSOCIATED_TOKEN_PROGRAM,
        metadata_update_authority: METADATA_UPDATE_AUTHORITY,
    }
}

fn price_accounts(market: &MarketContext) -> PriceAccounts {
    PriceAccounts {
        base_price: market.prices.base,
        quote_price: market.prices.quote,
    }
}

fn wallet_accounts(wallet: &Wallet) -> WalletAccounts {
    WalletAccounts {
        wallet_base: wallet.base,
        wallet_quote: wallet.quote,
    }
}
