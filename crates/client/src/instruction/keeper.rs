//! What keepers and liquidators do with a position.

use ballast::{accounts, instruction as data};
use solana_sdk::{instruction::Instruction, pubkey::Pubkey};

use super::{
    instruction, lending_accounts, pool_accounts, position_accounts, price_accounts,
    range_accounts, swap_accounts, wallet_accounts,
};
use crate::{MarketContext, PositionContext, SwapPath, Wallet};
use ballast_model::Side;

/// Brings delta back to the policy's target with one swap, along [`MarketContext::swap_path`] of the trade that
/// [`ballast_model::plan_rehedge`] names. `keeper` signs.
pub fn rehedge(
    market: &MarketContext,
    position: &PositionContext,
    keeper: &Pubkey,
    path: &SwapPath,
) -> Instruction {
    let accounts = accounts::Rehedge {
        keeper: *keeper,
        market: market.address,
        position: position_accounts(&position.addresses()),
        lending: lending_accounts(market),
        pool: pool_accounts(market),
        swap: swap_accounts(path),
        prices: price_accounts(market),
    };
    instruction(&accounts, &data::Rehedge {})
}

/// Brings LTV down to the target without a swap. `keeper` signs.
pub fn deleverage(
    market: &MarketContext,
    position: &PositionContext,
    keeper: &Pubkey,
) -> Instruction {
    let accounts = accounts::Deleverage {
        keeper: *keeper,
        market: market.address,
        position: position_accounts(&position.addresses()),
        lending: lending_accounts(market),
        pool: pool_accounts(market),
        range: range_accounts(market, position.ticks()),
        prices: price_accounts(market),
    };
    instruction(&accounts, &data::Deleverage {})
}

/// Closes as much of an unhealthy position as restores the target LTV. `liquidator` signs; `wallet` pays at most
/// `max_pay_base` and `max_pay_quote` and receives collateral.
pub fn liquidate(
    market: &MarketContext,
    position: &PositionContext,
    liquidator: &Pubkey,
    wallet: &Wallet,
    max_pay_base: u64,
    max_pay_quote: u64,
) -> Instruction {
    let accounts = accounts::Liquidate {
        liquidator: *liquidator,
        market: market.address,
        position: position_accounts(&position.addresses()),
        wallet: wallet_accounts(wallet),
        lending: lending_accounts(market),
        pool: pool_accounts(market),
        range: range_accounts(market, position.ticks()),
        prices: price_accounts(market),
    };
    let data = data::Liquidate {
        max_pay_base,
        max_pay_quote,
    };
    instruction(&accounts, &data)
}

/// Shows the market the newest prices, after which it takes no older ones. Nobody needs to sign.
pub fn refresh_price(market: &MarketContext) -> Instruction {
    let accounts = accounts::RefreshPrice {
        market: market.address,
        prices: price_accounts(market),
    };
    instruction(&accounts, &data::RefreshPrice {})
}

/// Values a position and fails above `max_ltv_bps`; [`ballast::Health`] is returned as return data. Nobody needs to sign.
pub fn check_health(market: &MarketContext, position: &Pubkey, max_ltv_bps: u32) -> Instruction {
    let accounts = accounts::CheckHealth {
        market: market.address,
        position: *position,
        base_reserve: market.reserve(Side::Base),
        quote_reserve: market.reserve(Side::Quote),
        prices: price_accounts(market),
    };
    instruction(&accounts, &data::CheckHealth { max_ltv_bps })
}
