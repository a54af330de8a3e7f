//! Events: everything that an indexer needs to rebuild the books. Amounts are raw units, prices Q64.64 square roots.

use anchor_lang::prelude::*;

use crate::state::{MarketMode, MarketParams, Policy, ReserveParams};

/// A market was created.
#[event]
pub struct MarketInitialized {
    pub market: Pubkey,
    pub whirlpool_program: Pubkey,
    pub whirlpool: Pubkey,
    pub base_mint: Pubkey,
    pub quote_mint: Pubkey,
    pub authority: Pubkey,
    pub guardian: Pubkey,
    pub price_receiver: Pubkey,
    pub base_feed: [u8; 32],
    pub quote_feed: [u8; 32],
    pub params: MarketParams,
}

/// A market's parameters changed.
#[event]
pub struct MarketUpdated {
    pub market: Pubkey,
    pub params: MarketParams,
}

/// A market's mode changed.
#[event]
pub struct ModeSet {
    pub market: Pubkey,
    pub mode: MarketMode,
    pub by: Pubkey,
}

/// A reserve was created.
#[event]
pub struct ReserveInitialized {
    pub market: Pubkey,
    pub reserve: Pubkey,
    pub mint: Pubkey,
    pub params: ReserveParams,
}

/// A reserve's parameters changed.
#[event]
pub struct ReserveUpdated {
    pub reserve: Pubkey,
    pub params: ReserveParams,
}

/// Interest was booked.
#[event]
pub struct Accrued {
    pub reserve: Pubkey,
    pub interest: u64,
    pub insurance_share: u64,
    pub borrow_index_x64: u128,
    pub at_secs: i64,
}

/// A lender put tokens in.
#[event]
pub struct Deposited {
    pub reserve: Pubkey,
    pub lender: Pubkey,
    pub amount: u64,
    pub shares: u64,
}

/// A lender took tokens out.
#[event]
pub struct Withdrawn {
    pub reserve: Pubkey,
    pub lender: Pubkey,
    pub amount: u64,
    pub shares: u64,
}

/// A position was opened.
#[event]
pub struct PositionOpened {
    pub position: Pubkey,
    pub market: Pubkey,
    pub owner: Pubkey,
    pub id: u64,
    pub policy: Policy,
    pub tick_lower: i32,
    pub tick_upper: i32,
    pub liquidity: u128,
    pub own_base: u64,
    pub own_quote: u64,
    pub borrowed_base: u64,
    pub borrowed_quote: u64,
    pub swap_loss: u64,
    pub equity: i128,
    pub ltv_bps: u32,
    pub sqrt_price_x64: u128,
}

/// Liquidity was taken out by the owner.
#[event]
pub struct PositionDecreased {
    pub position: Pubkey,
    pub liquidity: u128,
    pub repaid_base: u64,
    pub repaid_quote: u64,
    pub paid_base: u64,
    pub paid_quote: u64,
}

/// A position was closed by its owner.
#[event]
pub struct PositionClosed {
    pub position: Pubkey,
    pub owner: Pubkey,
    pub repaid_base: u64,
    pub repaid_quote: u64,
    pub fees_base: u64,
    pub fees_quote: u64,
    pub paid_base: u64,
    pub paid_quote: u64,
    pub brought_base: u64,
    pub brought_quote: u64,
}

/// A reward of the pool was paid out to the owner.
#[event]
pub struct RewardCollected {
    pub position: Pubkey,
    /// Which of the pool's three rewards.
    pub index: u8,
    pub mint: Pubkey,
    /// What arrived.
    pub amount: u64,
}

/// A position's delta was brought back.
#[event]
pub struct Rehedged {
    pub position: Pubkey,
    pub keeper: Pubkey,
    /// Before the trade; positive: base was sold.
    pub hedge_error_before: i128,
    pub hedge_error_after: i128,
    pub base_traded: u64,
    pub quote_traded: u64,
    pub swap_loss: u64,
    pub ltv_bps: u32,
    pub sqrt_price_x64: u128,
}

/// A position's leverage was brought down without a swap.
#[event]
pub struct Deleveraged {
    pub position: Pubkey,
    pub keeper: Pubkey,
    pub liquidity: u128,
    pub repaid_base: u64,
    pub repaid_quote: u64,
    pub ltv_before_bps: u32,
    pub ltv_after_bps: u32,
    pub sqrt_price_x64: u128,
}

/// A position was liquidated in part or whole.
#[event]
pub struct Liquidated {
    pub position: Pubkey,
    pub liquidator: Pubkey,
    pub full: bool,
    pub liquidity: u128,
    pub repaid_base: u64,
    pub repaid_quote: u64,
    pub seized_base: u64,
    pub seized_quote: u64,
    /// Fees collected first, which happens only if the collateral does not cover the debt.
    pub fees_base: u64,
    pub fees_quote: u64,
    /// Value seized less value repaid, raw quote units.
    pub bonus: u64,
    pub ltv_before_bps: u32,
    pub ltv_after_bps: u32,
    pub sqrt_price_x64: u128,
}

/// Debt that no collateral stood behind was written off.
#[event]
pub struct BadDebtBooked {
    pub reserve: Pubkey,
    pub position: Pubkey,
    pub amount: u64,
    pub from_insurance: u64,
    pub from_lenders: u64,
}

/// The owner changed the policy.
#[event]
pub struct PolicySet {
    pub position: Pubkey,
    pub policy: Policy,
}

/// Result of `check_health`, returned and emitted by nothing else.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// Assets at the oracle's price, rounded down.
    pub assets: u128,
    /// Debt at the oracle's price with interest to now, rounded up.
    pub debt: u128,
    /// Assets less debt.
    pub equity: i128,
    /// Base held less base owed.
    pub delta: i128,
    /// Debt over assets, rounded up.
    pub ltv_bps: u32,
    /// The oracle's square-root price.
    pub sqrt_price_x64: u128,
}
