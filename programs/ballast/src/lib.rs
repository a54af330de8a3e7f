//! Ballast: leveraged, delta-neutral concentrated liquidity. The protocol's only production program.
//!
//! Reading order: [`state`] (what is stored), [`session`] (how tokens move and are booked), [`risk`] (the rules),
//! [`instructions`] (who may do what, and what must hold afterwards). All arithmetic lives in `ballast-clmm` and
//! `ballast-model`, shared with the keeper and the command line.
#![forbid(unsafe_code)]
// Anchor's macros generate code with these.
#![allow(unexpected_cfgs, clippy::diverging_sub_expression)]

use anchor_lang::prelude::*;

mod call;
pub mod due;
pub mod errors;
pub mod events;
pub mod evidence;
pub mod groups;
pub mod instructions;
pub mod loss;
mod math;
pub mod oracle;
mod pool;
mod reward;
pub mod risk;
mod security_txt;
pub mod session;
pub mod state;
pub mod targets;
pub mod terms;
mod token;
pub mod witness;

pub use groups::*;
pub use instructions::{
    admin::*, check_health::*, close::*, collect::*, collect_reward::*, decrease::*, deleverage::*,
    deleverage_swap::*, exit::*, increase::*, init_market::*, init_reserve::*, insurance::*,
    lend::*, liquidate::*, migrate::*, open::*, oracle_change::*, recenter::*, refresh_price::*,
    refresh_stage::*, rehedge::*, set_policy::*, settle::*, show_loss::*, transfer::*,
};
pub use security_txt::SOURCES;
pub use state::{
    Automation, KeeperRules, MarketMode, MarketParams, OracleSource, Policy, ReserveParams,
    RulesSinceVersion2, SafetyRules, StageRules,
};

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

    /// Replaces limits and rules, with notice where that may hurt. Authority.
    pub fn update_market(ctx: Context<UpdateParams>, params: MarketParams) -> Result<()> {
        instructions::admin::update_market(ctx, params)
    }

    /// Puts announced parameters of a market in force once their notice is over. Anyone.
    pub fn apply_market_change(ctx: Context<ApplyParams>) -> Result<()> {
        instructions::admin::apply_market_change(ctx)
    }

    /// Replaces the rules of the safety net, with notice. Authority.
    pub fn update_safety(ctx: Context<UpdateMarket>, rules: SafetyRules) -> Result<()> {
        instructions::safety::update_safety(ctx, rules)
    }

    /// Puts announced rules of the safety net in force once their notice is over. Anyone.
    pub fn apply_safety_change(ctx: Context<ApplyMarketChange>) -> Result<()> {
        instructions::safety::apply_safety_change(ctx)
    }

    /// Announces that prices will come from elsewhere. Authority.
    pub fn announce_oracle(ctx: Context<AnnounceOracle>, source: OracleSource) -> Result<()> {
        instructions::oracle_change::announce_oracle(ctx, source)
    }

    /// Takes prices from where it was announced once the notice is over. Anyone.
    pub fn apply_oracle_change(ctx: Context<ApplyOracleChange>) -> Result<()> {
        instructions::oracle_change::apply_oracle_change(ctx)
    }

    /// Takes back the announcement that prices will come from elsewhere. Authority.
    pub fn cancel_oracle_change(ctx: Context<CancelOracleChange>) -> Result<()> {
        instructions::oracle_change::cancel_oracle_change(ctx)
    }

    /// Replaces a reserve's curve and caps, with notice where that may hurt. Authority.
    pub fn update_reserve(ctx: Context<UpdateReserve>, params: ReserveParams) -> Result<()> {
        instructions::admin::update_reserve(ctx, params)
    }

    /// Puts announced parameters of a reserve in force once their notice is over. Anyone.
    pub fn apply_reserve_change(ctx: Context<ApplyReserveChange>) -> Result<()> {
        instructions::admin::apply_reserve_change(ctx)
    }

    /// Sets the market's mode for a while. Authority; the guardian only to a stricter one.
    pub fn set_mode(ctx: Context<UpdateMarket>, mode: MarketMode, secs: u32) -> Result<()> {
        instructions::admin::set_mode(ctx, mode, secs)
    }

    /// Offers the authority to somebody. Authority.
    pub fn offer_authority(ctx: Context<UpdateMarket>, to: Pubkey) -> Result<()> {
        instructions::admin::offer_authority(ctx, to)
    }

    /// Takes an offered authority over. The one it was offered to.
    pub fn accept_authority(ctx: Context<UpdateMarket>) -> Result<()> {
        instructions::admin::accept_authority(ctx)
    }

    /// Names another guardian. Authority.
    pub fn set_guardian(ctx: Context<UpdateMarket>, guardian: Pubkey) -> Result<()> {
        instructions::admin::set_guardian(ctx, guardian)
    }

    /// Brings a market of the earlier version to this one: with rules of its choice the authority, without anyone.
    pub fn migrate_market(
        ctx: Context<MigrateMarket>,
        rules: Option<RulesSinceVersion2>,
    ) -> Result<()> {
        instructions::migrate::migrate_market(ctx, rules)
    }

    /// Brings a reserve of the earlier version to this one. Anyone.
    pub fn migrate_reserve(ctx: Context<MigrateReserve>) -> Result<()> {
        instructions::migrate::migrate_reserve(ctx)
    }

    /// Brings a position of the earlier version to this one. Anyone.
    pub fn migrate_position(ctx: Context<MigratePosition>) -> Result<()> {
        instructions::migrate::migrate_position(ctx)
    }

    /// Pays lenders for bad debt that was booked. Anyone.
    pub fn cover_bad_debt(ctx: Context<Insure>, amount: u64) -> Result<()> {
        instructions::insurance::cover_bad_debt(ctx, amount)
    }

    /// Adds to a reserve's insurance. Anyone.
    pub fn fund_insurance(ctx: Context<Insure>, amount: u64) -> Result<()> {
        instructions::insurance::fund_insurance(ctx, amount)
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

    /// Brings more funds, or only other leverage. Owner.
    pub fn increase(ctx: Context<Increase>, args: IncreaseArgs) -> Result<()> {
        instructions::increase::increase(ctx, args)
    }

    /// Repays debts from the wallet. Owner.
    pub fn repay(ctx: Context<Repay>, max_base: u64, max_quote: u64) -> Result<()> {
        instructions::increase::repay(ctx, max_base, max_quote)
    }

    /// Takes liquidity out, repays, pays out. Owner.
    pub fn decrease(ctx: Context<Decrease>, args: DecreaseArgs) -> Result<()> {
        instructions::decrease::decrease(ctx, args)
    }

    /// Ends a position. Owner.
    pub fn close(ctx: Context<Close>, max_pay_base: u64, max_pay_quote: u64) -> Result<()> {
        instructions::close::close(ctx, max_pay_base, max_pay_quote)
    }

    /// Pays out the fees. Owner.
    pub fn collect(ctx: Context<Collect>) -> Result<()> {
        instructions::collect::collect(ctx)
    }

    /// Pays out what the pool owes a position of one of its rewards. Owner.
    pub fn collect_reward(ctx: Context<CollectReward>, reward_index: u8) -> Result<()> {
        instructions::collect_reward::collect_reward(ctx, reward_index)
    }

    /// Replaces the policy. Owner.
    pub fn set_policy(ctx: Context<SetPolicy>, policy: Policy) -> Result<()> {
        instructions::set_policy::set_policy(ctx, policy)
    }

    /// Replaces what keepers may do beyond hedging and deleveraging. Owner.
    pub fn set_automation(ctx: Context<SetPolicy>, automation: Automation) -> Result<()> {
        instructions::set_policy::set_automation(ctx, automation)
    }

    /// Names keepers who go first for some seconds. Owner.
    pub fn set_first_keepers(
        ctx: Context<SetPolicy>,
        keepers: [Pubkey; 2],
        head_start_secs: u32,
    ) -> Result<()> {
        instructions::set_policy::set_first_keepers(ctx, keepers, head_start_secs)
    }

    /// Offers the position to somebody. Owner.
    pub fn transfer(ctx: Context<OwnPosition>, to: Pubkey) -> Result<()> {
        instructions::transfer::transfer(ctx, to)
    }

    /// Takes an offered position over. The one it was offered to.
    pub fn accept_transfer(ctx: Context<OwnPosition>) -> Result<()> {
        instructions::transfer::accept_transfer(ctx)
    }

    /// Takes back lamports that were meant for keepers. Owner.
    pub fn reclaim_reward(ctx: Context<OwnPosition>, lamports: u64) -> Result<()> {
        instructions::transfer::reclaim_reward(ctx, lamports)
    }

    /// Brings delta back to the policy's target with one swap, and own liquidity where loans will not do. Anyone the policy allows.
    pub fn rehedge(ctx: Context<Rehedge>) -> Result<()> {
        instructions::rehedge::rehedge(ctx)
    }

    /// Brings LTV down to the target without a swap, or as far as that goes. Anyone the policy or the market allows.
    pub fn deleverage(ctx: Context<Deleverage>) -> Result<()> {
        instructions::deleverage::deleverage(ctx)
    }

    /// Brings LTV down to the target with a swap where it takes one. Anyone the policy or the market allows.
    pub fn deleverage_swap(ctx: Context<DeleverageSwap>) -> Result<()> {
        instructions::deleverage_swap::deleverage_swap(ctx)
    }

    /// Moves a position to a new band around the price. Anyone the owner allows.
    pub fn recenter(ctx: Context<Recenter>, args: RecenterArgs) -> Result<()> {
        instructions::recenter::recenter(ctx, args)
    }

    /// The same for pool programs that cannot move a position. Anyone the owner allows.
    pub fn recenter_replacing(ctx: Context<RecenterReplacing>, args: RecenterArgs) -> Result<()> {
        instructions::recenter::recenter_replacing(ctx, args)
    }

    /// Puts the fees to work. Anyone the owner allows.
    pub fn compound(ctx: Context<Compound>) -> Result<()> {
        instructions::collect::compound(ctx)
    }

    /// Takes a position out of the pool when its window or floor is reached. Anyone the owner allows.
    pub fn exit(ctx: Context<Exit>) -> Result<()> {
        instructions::exit::exit(ctx)
    }

    /// Closes as much of an unhealthy position as restores the target LTV. Anyone.
    pub fn liquidate(
        ctx: Context<Liquidate>,
        max_pay_base: u64,
        max_pay_quote: u64,
        min_gain: u64,
    ) -> Result<()> {
        instructions::liquidate::liquidate(ctx, [max_pay_base, max_pay_quote], min_gain)
    }

    /// Shows the reserves what of a position's debts its collateral does not cover. Anyone.
    pub fn show_loss(ctx: Context<ShowLoss>) -> Result<()> {
        instructions::show_loss::show_loss(ctx)
    }

    /// Closes a position at the last price of a market that has had none for a week. Anyone.
    pub fn settle(
        ctx: Context<Settle>,
        max_pay_base: u64,
        max_pay_quote: u64,
        min_received_base: u64,
        min_received_quote: u64,
    ) -> Result<()> {
        instructions::settle::settle(
            ctx,
            [max_pay_base, max_pay_quote],
            [min_received_base, min_received_quote],
        )
    }

    /// Shows the market the newest prices, after which it takes no older ones. Anyone.
    pub fn refresh_price(ctx: Context<RefreshPrice>) -> Result<()> {
        instructions::refresh_price::refresh_price(ctx)
    }

    /// Shows the market the evidence that its risk stage rests on. Anyone.
    pub fn refresh_stage(ctx: Context<RefreshStage>) -> Result<()> {
        instructions::refresh_stage::refresh_stage(ctx)
    }

    /// Values a position at the oracle's price and returns the result. Anyone.
    pub fn check_health(ctx: Context<CheckHealth>, max_ltv_bps: u32) -> Result<Health> {
        instructions::check_health::check_health(ctx, max_ltv_bps)
    }
}

pub use events::Health;
