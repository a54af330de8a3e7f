//! What keepers and liquidators do with a position.

use ballast::{RecenterArgs, accounts, instruction as data};
use ballast_abi::spl;
use solana_sdk::{instruction::Instruction, pubkey::Pubkey};

use super::{
    instruction, lending_accounts, nft_accounts, pool_accounts, position_accounts, price_accounts,
    range_accounts, swap_accounts, wallet_accounts,
};
use crate::{MarketContext, PositionContext, SwapPath, Wallet, pda};
use ballast_model::{Amounts, Side};

/// Brings delta back to the policy's target with one swap, along [`MarketContext::swap_path`] of the trade that
/// [`ballast_model::plan_hedged`] names. `keeper` signs.
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
        range: range_accounts(market, position.ticks()),
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

/// Brings LTV down to the target with a swap where it takes one, along [`MarketContext::swap_path`] of the trade that
/// [`ballast_model::plan_hedged`] names. `keeper` signs.
pub fn deleverage_swap(
    market: &MarketContext,
    position: &PositionContext,
    keeper: &Pubkey,
    path: &SwapPath,
) -> Instruction {
    let accounts = accounts::DeleverageSwap {
        keeper: *keeper,
        market: market.address,
        position: position_accounts(&position.addresses()),
        lending: lending_accounts(market),
        pool: pool_accounts(market),
        range: range_accounts(market, position.ticks()),
        swap: swap_accounts(path),
        prices: price_accounts(market),
    };
    instruction(&accounts, &data::DeleverageSwap {})
}

/// Moves a position to a new band, along [`MarketContext::swap_path`] of the trade that [`ballast_model::plan_target`]
/// names for the empty position. The tick arrays of the new band must exist. `keeper` signs.
///
/// Together with signatures this fits a transaction only with the market's lookup table.
pub fn recenter(
    market: &MarketContext,
    position: &PositionContext,
    keeper: &Pubkey,
    args: RecenterArgs,
    path: &SwapPath,
) -> Instruction {
    let accounts = recenter_accounts(market, position, keeper, args, path);
    instruction(&accounts, &data::Recenter { args })
}

/// The same for a pool program that cannot move a position to other ticks: another Whirlpool position takes its place.
pub fn recenter_replacing(
    market: &MarketContext,
    position: &PositionContext,
    keeper: &Pubkey,
    args: RecenterArgs,
    path: &SwapPath,
) -> Instruction {
    let stored = &position.position;
    let new_mint = pda::next_nft_mint(&position.address, stored.nft_generation.wrapping_add(1));
    let accounts = accounts::RecenterReplacing {
        recenter: recenter_accounts(market, position, keeper, args, path),
        nft_mint: stored.nft_mint,
        new_whirlpool_position: pda::whirlpool_position(
            &market.market.whirlpool_program,
            &new_mint,
        ),
        new_nft_mint: new_mint,
        new_nft_account: pda::nft_account(&position.address, &new_mint),
        nft: nft_accounts(),
    };
    instruction(&accounts, &data::RecenterReplacing { args })
}

fn recenter_accounts(
    market: &MarketContext,
    position: &PositionContext,
    keeper: &Pubkey,
    args: RecenterArgs,
    path: &SwapPath,
) -> accounts::Recenter {
    accounts::Recenter {
        keeper: *keeper,
        market: market.address,
        position: position_accounts(&position.addresses()),
        lending: lending_accounts(market),
        pool: pool_accounts(market),
        range: range_accounts(market, position.ticks()),
        new_range: range_accounts(market, [args.tick_lower, args.tick_upper]),
        swap: swap_accounts(path),
        prices: price_accounts(market),
        system_program: spl::SYSTEM_PROGRAM,
    }
}

/// Puts the fees to work. `keeper` signs.
pub fn compound(
    market: &MarketContext,
    position: &PositionContext,
    keeper: &Pubkey,
) -> Instruction {
    let accounts = accounts::Compound {
        keeper: *keeper,
        market: market.address,
        position: position_accounts(&position.addresses()),
        lending: lending_accounts(market),
        pool: pool_accounts(market),
        range: range_accounts(market, position.ticks()),
        prices: price_accounts(market),
    };
    instruction(&accounts, &data::Compound {})
}

/// Takes a position out of the pool, along [`MarketContext::exit_path`] of the first trade that it takes. `keeper` signs.
pub fn exit(
    market: &MarketContext,
    position: &PositionContext,
    keeper: &Pubkey,
    path: &SwapPath,
) -> Instruction {
    let accounts = accounts::Exit {
        keeper: *keeper,
        market: market.address,
        position: position_accounts(&position.addresses()),
        lending: lending_accounts(market),
        pool: pool_accounts(market),
        range: range_accounts(market, position.ticks()),
        swap: swap_accounts(path),
        prices: price_accounts(market),
    };
    instruction(&accounts, &data::Exit {})
}

/// Closes as much of an unhealthy position as restores the target LTV and is paid for. `liquidator` signs; `wallet` pays at
/// most `max_pay` and what it holds, and receives collateral, in all worth at least `min_gain` more (raw quote units).
pub fn liquidate(
    market: &MarketContext,
    position: &PositionContext,
    liquidator: &Pubkey,
    wallet: &Wallet,
    max_pay: Amounts,
    min_gain: u64,
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
        max_pay_base: max_pay.base,
        max_pay_quote: max_pay.quote,
        min_gain,
    };
    instruction(&accounts, &data)
}

/// Shows the reserves what of a position's debts its collateral does not cover. Nobody needs to sign.
pub fn show_loss(market: &MarketContext, position: &Pubkey) -> Instruction {
    let accounts = accounts::ShowLoss {
        market: market.address,
        position: *position,
        base_reserve: market.reserve(Side::Base),
        quote_reserve: market.reserve(Side::Quote),
        prices: price_accounts(market),
    };
    instruction(&accounts, &data::ShowLoss {})
}

/// Closes a position at the last price of a market that has had none for a week. `settler` signs; `wallet` pays at most
/// `max_pay` and what it holds, and receives the position's other token for it: at least `min_received`, or nothing is done.
pub fn settle(
    market: &MarketContext,
    position: &PositionContext,
    settler: &Pubkey,
    wallet: &Wallet,
    max_pay: Amounts,
    min_received: Amounts,
) -> Instruction {
    let accounts = accounts::Settle {
        settler: *settler,
        market: market.address,
        position: position_accounts(&position.addresses()),
        wallet: wallet_accounts(wallet),
        lending: lending_accounts(market),
        pool: pool_accounts(market),
        range: range_accounts(market, position.ticks()),
        prices: price_accounts(market),
    };
    let data = data::Settle {
        max_pay_base: max_pay.base,
        max_pay_quote: max_pay.quote,
        min_received_base: min_received.base,
        min_received_quote: min_received.quote,
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
