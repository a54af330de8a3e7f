//! Stand-in for Orca's Whirlpool program on clusters that do not have it: tests and the demo. Never for a public cluster.
//!
//! It has the real program's interface (instructions, accounts, their order, error numbers) and arithmetic for what Ballast
//! sends, and leaves the same bytes in pool, position and tick-array accounts. It was written from the public description
//! of the interface and measured against the real program. Left out: setting up rewards and their accrual (what a test
//! books as owed is paid out, and keeps a position from being closed until then), adaptive fees, transfer fees and
//! transfer hooks of Token-2022 mints (such pools can be created, their tokens are not moved), supplemental tick arrays,
//! events.
//!
//! The program id is the public key of the Ed25519 seed sha256("ballast localnet whirlpool"): anyone can deploy it anywhere,
//! which is one more reason to trust it nowhere.

use anchor_lang::prelude::*;

mod account;
mod error;
mod instructions;
mod mischief;
mod modify;
mod nft;
mod state;
mod token;

pub use error::WhirlpoolError;
pub use instructions::*;

declare_id!("8629MK4JuPbWnMrFqT8RNkPsqZZ55Jy4kMLmTVgY13bQ");

/// Instructions in Whirlpool's own names and argument order; see `ballast_abi::whirlpool::instruction` for their meaning.
#[program]
pub mod localnet_whirlpool {
    use super::*;

    pub fn initialize_config(
        ctx: Context<InitializeConfig>,
        fee_authority: Pubkey,
        collect_protocol_fees_authority: Pubkey,
        reward_emissions_super_authority: Pubkey,
        default_protocol_fee_rate: u16,
    ) -> Result<()> {
        ctx.accounts.handle(
            fee_authority,
            collect_protocol_fees_authority,
            reward_emissions_super_authority,
            default_protocol_fee_rate,
        )
    }

    pub fn initialize_fee_tier(
        ctx: Context<InitializeFeeTier>,
        tick_spacing: u16,
        default_fee_rate: u16,
    ) -> Result<()> {
        ctx.accounts.handle(tick_spacing, default_fee_rate)
    }

    pub fn initialize_pool_v2(
        ctx: Context<InitializePoolV2>,
        tick_spacing: u16,
        initial_sqrt_price: u128,
    ) -> Result<()> {
        ctx.accounts.handle(tick_spacing, initial_sqrt_price)
    }

    pub fn initialize_tick_array(
        ctx: Context<InitializeTickArray>,
        start_tick_index: i32,
    ) -> Result<()> {
        ctx.accounts.handle_fixed(start_tick_index)
    }

    pub fn initialize_dynamic_tick_array(
        ctx: Context<InitializeTickArray>,
        start_tick_index: i32,
        idempotent: bool,
    ) -> Result<()> {
        ctx.accounts.handle_dynamic(start_tick_index, idempotent)
    }

    pub fn open_position_with_token_extensions(
        ctx: Context<OpenPositionWithTokenExtensions>,
        tick_lower_index: i32,
        tick_upper_index: i32,
        with_token_metadata_extension: bool,
    ) -> Result<()> {
        ctx.accounts.handle(
            tick_lower_index,
            tick_upper_index,
            with_token_metadata_extension,
        )
    }

    pub fn reset_position_range(
        ctx: Context<ResetPositionRange>,
        new_tick_lower_index: i32,
        new_tick_upper_index: i32,
    ) -> Result<()> {
        ctx.accounts
            .handle(new_tick_lower_index, new_tick_upper_index)
    }

    pub fn close_position_with_token_extensions(
        ctx: Context<ClosePositionWithTokenExtensions>,
    ) -> Result<()> {
        ctx.accounts.handle()
    }

    pub fn increase_liquidity_v2(
        ctx: Context<ModifyLiquidityV2>,
        liquidity_amount: u128,
        token_max_a: u64,
        token_max_b: u64,
        remaining_accounts_info: Option<RemainingAccountsInfo>,
    ) -> Result<()> {
        RemainingAccountsInfo::expect_none(remaining_accounts_info)?;
        ctx.accounts
            .increase(liquidity_amount, token_max_a, token_max_b)
    }

    pub fn decrease_liquidity_v2(
        ctx: Context<ModifyLiquidityV2>,
        liquidity_amount: u128,
        token_min_a: u64,
        token_min_b: u64,
        remaining_accounts_info: Option<RemainingAccountsInfo>,
    ) -> Result<()> {
        RemainingAccountsInfo::expect_none(remaining_accounts_info)?;
        ctx.accounts
            .decrease(liquidity_amount, token_min_a, token_min_b)
    }

    pub fn reposition_liquidity_v2(
        ctx: Context<RepositionLiquidityV2>,
        new_tick_lower_index: i32,
        new_tick_upper_index: i32,
        method: RepositionLiquidityMethod,
        remaining_accounts_info: Option<RemainingAccountsInfo>,
    ) -> Result<()> {
        RemainingAccountsInfo::expect_none(remaining_accounts_info)?;
        ctx.accounts
            .handle(new_tick_lower_index, new_tick_upper_index, method)
    }

    pub fn update_fees_and_rewards(ctx: Context<UpdateFeesAndRewards>) -> Result<()> {
        ctx.accounts.handle()
    }

    pub fn collect_fees_v2(
        ctx: Context<CollectFeesV2>,
        remaining_accounts_info: Option<RemainingAccountsInfo>,
    ) -> Result<()> {
        RemainingAccountsInfo::expect_none(remaining_accounts_info)?;
        ctx.accounts.handle()
    }

    pub fn collect_reward_v2(
        ctx: Context<CollectRewardV2>,
        reward_index: u8,
        remaining_accounts_info: Option<RemainingAccountsInfo>,
    ) -> Result<()> {
        RemainingAccountsInfo::expect_none(remaining_accounts_info)?;
        ctx.accounts.handle(reward_index)
    }

    pub fn swap_v2(
        ctx: Context<SwapV2>,
        amount: u64,
        other_amount_threshold: u64,
        sqrt_price_limit: u128,
        amount_specified_is_input: bool,
        a_to_b: bool,
        remaining_accounts_info: Option<RemainingAccountsInfo>,
    ) -> Result<()> {
        RemainingAccountsInfo::expect_none(remaining_accounts_info)?;
        ctx.accounts.handle(
            amount,
            other_amount_threshold,
            sqrt_price_limit,
            amount_specified_is_input,
            a_to_b,
        )
    }
}
