//! What an owner does with a position.

use ballast::{
    Automation, DecreaseArgs, IncreaseArgs, OpenArgs, Policy, accounts, instruction as data,
};
use ballast_abi::spl;
use solana_sdk::{instruction::Instruction, pubkey::Pubkey};

use super::{
    instruction, lending_accounts, nft_accounts, pool_accounts, position_accounts, price_accounts,
    range_accounts, swap_accounts, wallet_accounts,
};
use crate::{MarketContext, PositionAddresses, PositionContext, Reward, SwapPath, Wallet};

/// Opens a position at [`PositionAddresses::new`]. `owner` signs and pays rent; own funds come from `wallet`. The tick
/// arrays of the band must exist ([`super::create_tick_array`]). `path` is only used if the own funds have to be swapped
/// into the hedge's mix; with quote-only funds and a full hedge any will do.
///
/// Together with signatures this fits a transaction only with the market's lookup table.
pub fn open(
    market: &MarketContext,
    owner: &Pubkey,
    wallet: &Wallet,
    args: OpenArgs,
    path: &SwapPath,
) -> Instruction {
    let addresses = PositionAddresses::new(market, owner, args.id);
    let accounts = accounts::Open {
        owner: *owner,
        market: market.address,
        position: addresses.position,
        nft_mint: addresses.nft_mint,
        nft_account: addresses.nft_account,
        whirlpool_position: addresses.whirlpool_position,
        base_account: addresses.base_account,
        quote_account: addresses.quote_account,
        wallet: wallet_accounts(wallet),
        lending: lending_accounts(market),
        pool: pool_accounts(market),
        range: range_accounts(market, [args.tick_lower, args.tick_upper]),
        swap: swap_accounts(path),
        prices: price_accounts(market),
        nft: nft_accounts(),
        system_program: spl::SYSTEM_PROGRAM,
    };
    instruction(&accounts, &data::Open { args })
}

/// Brings more funds out of `wallet`, or only other leverage. The owner signs.
pub fn increase(
    market: &MarketContext,
    position: &PositionContext,
    wallet: &Wallet,
    args: IncreaseArgs,
    path: &SwapPath,
) -> Instruction {
    let accounts = accounts::Increase {
        owner: position.position.owner,
        market: market.address,
        position: position_accounts(&position.addresses()),
        wallet: wallet_accounts(wallet),
        lending: lending_accounts(market),
        pool: pool_accounts(market),
        range: range_accounts(market, position.ticks()),
        swap: swap_accounts(path),
        prices: price_accounts(market),
    };
    instruction(&accounts, &data::Increase { args })
}

/// Repays at most so much of either debt out of `wallet`. The owner signs.
pub fn repay(
    market: &MarketContext,
    position: &PositionContext,
    wallet: &Wallet,
    max_base: u64,
    max_quote: u64,
) -> Instruction {
    let accounts = accounts::Repay {
        owner: position.position.owner,
        market: market.address,
        position: position_accounts(&position.addresses()),
        wallet: wallet_accounts(wallet),
        lending: lending_accounts(market),
    };
    let data = data::Repay {
        max_base,
        max_quote,
    };
    instruction(&accounts, &data)
}

/// Pays the fees out to `wallet`. The owner signs.
pub fn collect(market: &MarketContext, position: &PositionContext, wallet: &Wallet) -> Instruction {
    let accounts = accounts::Collect {
        owner: position.position.owner,
        market: market.address,
        position: position_accounts(&position.addresses()),
        wallet: wallet_accounts(wallet),
        lending: lending_accounts(market),
        pool: pool_accounts(market),
        range: range_accounts(market, position.ticks()),
        prices: price_accounts(market),
    };
    instruction(&accounts, &data::Collect {})
}

/// Replaces what keepers may do beyond hedging and deleveraging. The owner signs.
pub fn set_automation(
    market: &Pubkey,
    owner: &Pubkey,
    position: &Pubkey,
    automation: Automation,
) -> Instruction {
    let accounts = accounts::SetPolicy {
        owner: *owner,
        market: *market,
        position: *position,
    };
    instruction(&accounts, &data::SetAutomation { automation })
}

/// Names keepers who go first for `head_start_secs`; all zero with 0: nobody. The owner signs.
pub fn set_first_keepers(
    market: &Pubkey,
    owner: &Pubkey,
    position: &Pubkey,
    keepers: [Pubkey; 2],
    head_start_secs: u32,
) -> Instruction {
    let accounts = accounts::SetPolicy {
        owner: *owner,
        market: *market,
        position: *position,
    };
    let data = data::SetFirstKeepers {
        keepers,
        head_start_secs,
    };
    instruction(&accounts, &data)
}

/// Offers a position to `to`; all zero takes an offer back. The owner signs.
pub fn transfer(owner: &Pubkey, position: &Pubkey, to: Pubkey) -> Instruction {
    instruction(&own(owner, position), &data::Transfer { to })
}

/// Takes an offered position over. The one it was offered to signs.
pub fn accept_transfer(new_owner: &Pubkey, position: &Pubkey) -> Instruction {
    instruction(&own(new_owner, position), &data::AcceptTransfer {})
}

/// Takes lamports back that were meant for keepers; `u64::MAX`: all. The owner signs.
///
/// To put some there send lamports to the position's address.
pub fn reclaim_reward(owner: &Pubkey, position: &Pubkey, lamports: u64) -> Instruction {
    instruction(&own(owner, position), &data::ReclaimReward { lamports })
}

fn own(signer: &Pubkey, position: &Pubkey) -> accounts::OwnPosition {
    accounts::OwnPosition {
        signer: *signer,
        position: *position,
    }
}

/// Takes liquidity out, repays, pays out to `wallet`. The owner signs.
pub fn decrease(
    market: &MarketContext,
    position: &PositionContext,
    wallet: &Wallet,
    args: DecreaseArgs,
) -> Instruction {
    let accounts = accounts::Decrease {
        owner: position.position.owner,
        market: market.address,
        position: position_accounts(&position.addresses()),
        wallet: wallet_accounts(wallet),
        lending: lending_accounts(market),
        pool: pool_accounts(market),
        range: range_accounts(market, position.ticks()),
        prices: price_accounts(market),
    };
    instruction(&accounts, &data::Decrease { args })
}

/// Ends a position: everything goes to `wallet`, which pays at most `max_pay_base` and `max_pay_quote` of what the
/// position cannot repay itself. The owner signs and gets the rent.
pub fn close(
    market: &MarketContext,
    position: &PositionContext,
    wallet: &Wallet,
    max_pay_base: u64,
    max_pay_quote: u64,
) -> Instruction {
    let accounts = accounts::Close {
        owner: position.position.owner,
        market: market.address,
        position: position_accounts(&position.addresses()),
        nft_mint: position.position.nft_mint,
        wallet: wallet_accounts(wallet),
        lending: lending_accounts(market),
        pool: pool_accounts(market),
        range: range_accounts(market, position.ticks()),
        token_2022_program: spl::TOKEN_2022_PROGRAM,
    };
    let data = data::Close {
        max_pay_base,
        max_pay_quote,
    };
    instruction(&accounts, &data)
}

/// Pays out what the pool owes a position of one of its rewards, to any token account of the reward's mint. The owner
/// signs; anyone else may instead, for the owner's associated token account: [`collect_reward_for`]. Refused if nothing is owed; a decrease books what has grown until then.
///
/// A position is not closed while a reward is owed: take all liquidity out, collect and close in one transaction.
pub fn collect_reward(
    market: &MarketContext,
    position: &PositionContext,
    reward: &Reward,
    destination: &Pubkey,
) -> Instruction {
    let owner = position.position.owner;
    collect_reward_to(market, position, reward, &owner, destination)
}

/// Pays out what the pool owes a position of one of its rewards to the owner's associated token account, which must exist.
/// Anyone may sign. A position that is owed a reward can be neither recentered nor closed.
pub fn collect_reward_for(
    market: &MarketContext,
    position: &PositionContext,
    reward: &Reward,
    signer: &Pubkey,
) -> Instruction {
    let owner = &position.position.owner;
    let (account, _) = spl::associated_token_account(owner, &reward.mint, &reward.token_program);
    collect_reward_to(market, position, reward, signer, &account)
}

fn collect_reward_to(
    market: &MarketContext,
    position: &PositionContext,
    reward: &Reward,
    signer: &Pubkey,
    destination: &Pubkey,
) -> Instruction {
    let addresses = position.addresses();
    let accounts = accounts::CollectReward {
        signer: *signer,
        market: market.address,
        position: position.address,
        whirlpool_position: addresses.whirlpool_position,
        nft_account: addresses.nft_account,
        whirlpool_program: market.market.whirlpool_program,
        whirlpool: market.market.whirlpool,
        reward_owner_account: *destination,
        reward_mint: reward.mint,
        reward_vault: reward.vault,
        reward_token_program: reward.token_program,
        memo_program: spl::MEMO_PROGRAM,
    };
    let data = data::CollectReward {
        reward_index: reward.index,
    };
    instruction(&accounts, &data)
}

/// Replaces a position's policy. The owner signs.
pub fn set_policy(
    market: &Pubkey,
    owner: &Pubkey,
    position: &Pubkey,
    policy: Policy,
) -> Instruction {
    let accounts = accounts::SetPolicy {
        owner: *owner,
        market: *market,
        position: *position,
    };
    instruction(&accounts, &data::SetPolicy { policy })
}
