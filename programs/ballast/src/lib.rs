//! Ballast: leveraged, delta-neutral concentrated liquidity. The protocol's only production program.
//!
//! Reading order: [`state`] (what is stored), [`session`] (how tokens move and are booked), [`risk`] (the rules),
//! [`instructions`] (who may do what, and what must hold afterwards). All arithmetic lives in `ballast-clmm` and
//! `ballast-model`, shared with the keeper and the command line.
#![forbid(unsafe_code)]
// Anchor's macros generate code with these.
#![allow(unexpected_cfgs, clippy::diverging_sub_expression)]

use anchor_lang::prelude::*;

pub mod errors;
pub mod events;
pub mod groups;
pub mod instructions;
mod math;
pub mod oracle;
mod pool;
pub mod risk;
pub mod session;
pub mod state;
pub mod targets;
mod token;

pub use groups::*;
pub use instructions::{
    admin::*, check_health::*, close::*, collect_reward::*, decrease::*, deleverage::*,
    init_market::*, init_reserve::*, lend::*, liquidate::*, open::*, refresh_price::*, rehedge::*,
    set_policy::*,
};
pub use state::{MarketMode, MarketParams, Policy, ReserveParams};

declare_id!("J4xB5xqyzeXTZfuzA5S2F8PF8VtjyyHWLvZbzGHMxM4D");

/// The instructions; each is documented where it is implemented, under [`instructions`].
#[program]
pub mod ballast {
    use super::*;

    /// Creates a market for a pool. Anyone.
    pub fn init_market(ctx: Context<InitMarket>, args: InitMarketArgs) -> Result<()> {
        instructions::init_market::init_market(ctx, args)
    }

    /// Creates one of a market's two reserves. Authority.
    pub fn init_reserve(ctx: Context<InitReserve>, params: ReserveParams) -> Result<()> {
        instructions::init_reserve::init_reserve(ctx, params)
    }

    /// Replaces limits and oracle rules. Authority.
    pub fn update_market(ctx: Context<UpdateMarket>, params: MarketParams) -> Result<()> {
        instructions::admin::update_market(ctx, params)
    }

    /// Replaces a reserve's curve and caps. Authority.
    pub fn update_reserve(ctx: Context<UpdateReserve>, params: ReserveParams) -> Result<()> {
        instructions::admin::update_reserve(ctx, params)
    }

    /// Sets the market's mode. Authority; the guardian only to a stricter one.
    pub fn set_mode(ctx: Context<UpdateMarket>, mode: MarketMode) -> Result<()> {
        instructions::admin::set_mode(ctx, mode)
    }

    /// Lends to a reserve. Anyone.
    pub fn deposit(ctx: Context<Lend>, amount: u64, min_shares: u64) -> Result<()> {
        instructions::lend::deposit(ctx, amount, min_shares)
    }

    /// Takes lent tokens back. Holder of shares.
    pub fn withdraw(ctx: Context<Lend>, shares: u64, min_amount: u64) -> Result<()> {
        instructions::lend::withdraw(ctx, shares, min_amount)
    }

    /// Books a reserve's interest up to now. Anyone.
    pub fn accrue(ctx: Context<Accrue>) -> Result<()> {
        instructions::lend::accrue(ctx)
    }

    /// Opens a leveraged position. Anyone, as its owner.
    pub fn open(ctx: Context<Open>, args: OpenArgs) -> Result<()> {
        instructions::open::open(ctx, args)
    }

    /// Takes liquidity out, repays, pays out. Owner.
    pub fn decrease(ctx: Context<Decrease>, args: DecreaseArgs) -> Result<()> {
        instructions::decrease::decrease(ctx, args)
    }

    /// Ends a position. Owner.
    pub fn close(ctx: Context<Close>, max_pay_base: u64, max_pay_quote: u64) -> Result<()> {
        instructions::close::close(ctx, max_pay_base, max_pay_quote)
    }

    /// Pays out what the pool owes a position of one of its rewards. Owner.
    pub fn collect_reward(ctx: Context<CollectReward>, reward_index: u8) -> Result<()> {
        instructions::collect_reward::collect_reward(ctx, reward_index)
    }

    /// Replaces the policy. Owner.
    pub fn set_policy(ctx: Context<SetPolicy>, policy: Policy) -> Result<()> {
        instructions::set_policy::set_policy(ctx, policy)
    }

    /// Brings delta back to the policy's target with one swap. Anyone the policy allows.
    pub fn rehedge(ctx: Context<Rehedge>) -> Result<()> {
        instructions::rehedge::rehedge(ctx)
    }

    /// Brings LTV down to the target without a swap. Anyone the policy or the market allows.
    pub fn deleverage(ctx: Context<Deleverage>) -> Result<()> {
        instructions::deleverage::deleverage(ctx)
    }

    /// Closes as much of an unhealthy position as restores the target LTV. Anyone.
    pub fn liquidate(ctx: Context<Liquidate>, max_pay_base: u64, max_pay_quote: u64) -> Result<()> {
        instructions::liquidate::liquidate(ctx, max_pay_base, max_pay_quote)
    }

    /// Shows the market the newest prices, after which it takes no older ones. Anyone.
    pub fn refresh_price(ctx: Context<RefreshPrice>) -> Result<()> {
        instructions::refresh_price::refresh_price(ctx)
    }

    /// Values a position at the oracle's price and returns the result. Anyone.
    pub fn check_health(ctx: Context<CheckHealth>, max_ltv_bps: u32) -> Result<Health> {
        instructions::check_health::check_health(ctx, max_ltv_bps)
    }
}

pub use events::Health;
