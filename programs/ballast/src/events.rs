//! Events: everything that an indexer needs to rebuild the books. Amounts are raw units, prices Q64.64 square roots.

use anchor_lang::prelude::*;

use crate::state::{
    Automation, MarketMode, MarketParams, Need, OracleSource, Policy, Reaction, ReserveParams,
    SafetyRules,
};

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
    pub safety: SafetyRules,
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
    /// When it ends by itself.
    pub until_secs: i64,
    pub by: Pubkey,
}

/// A change of a market's parameters was announced.
#[event]
pub struct MarketChangeAnnounced {
    pub market: Pubkey,
    pub params: MarketParams,
    pub effective_at_secs: i64,
}

/// The rules of a market's safety net changed.
#[event]
pub struct SafetyUpdated {
    pub market: Pubkey,
    pub rules: SafetyRules,
}

/// A change of the rules of a market's safety net was announced.
#[event]
pub struct SafetyChangeAnnounced {
    pub market: Pubkey,
    pub rules: SafetyRules,
    pub effective_at_secs: i64,
}

/// It was announced that a market's prices will come from elsewhere.
#[event]
pub struct OracleChangeAnnounced {
    pub market: Pubkey,
    pub source: OracleSource,
    pub effective_at_secs: i64,
}

/// A market's prices come from elsewhere.
#[event]
pub struct OracleChanged {
    pub market: Pubkey,
    pub source: OracleSource,
}

/// The announcement that a market's prices will come from elsewhere was taken back.
#[event]
pub struct OracleChangeCancelled {
    pub market: Pubkey,
}

/// A change of a reserve's parameters was announced.
#[event]
pub struct ReserveChangeAnnounced {
    pub reserve: Pubkey,
    pub params: ReserveParams,
    pub effective_at_secs: i64,
}

/// The authority was offered to somebody.
#[event]
pub struct AuthorityOffered {
    pub market: Pubkey,
    pub to: Pubkey,
}

/// Somebody took the authority over.
#[event]
pub struct AuthorityAccepted {
    pub market: Pubkey,
    pub authority: Pubkey,
}

/// Another guardian was named.
#[event]
pub struct GuardianSet {
    pub market: Pubkey,
    pub guardian: Pubkey,
}

/// The risk stage changed.
#[event]
pub struct StageChanged {
    pub market: Pubkey,
    pub from: u8,
    pub to: u8,
    /// Stage that the oracle's evidence asks for.
    pub oracle_evidence: u8,
    /// Whether there was evidence of the market.
    pub market_evidence: bool,
}

/// An account of an earlier version was brought to this one.
#[event]
pub struct Migrated {
    pub account: Pubkey,
    pub from: u8,
    pub to: u8,
}

/// Lenders were paid for bad debt that had been booked.
#[event]
pub struct BadDebtCovered {
    pub reserve: Pubkey,
    pub amount: u64,
    /// Bad debt that remains.
    pub left: u64,
}

/// Somebody added to a reserve's insurance.
#[event]
pub struct InsuranceFunded {
    pub reserve: Pubkey,
    pub by: Pubkey,
    pub amount: u64,
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
    /// Liquidity withdrawn, because borrowing would have raised LTV too much or reserves have no more to lend.
    pub liquidity: u128,
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

/// A position's leverage was brought down with a swap.
#[event]
pub struct DeleveragedWithSwap {
    pub position: Pubkey,
    pub keeper: Pubkey,
    pub liquidity: u128,
    /// Whether base was sold, and not bought.
    pub sold: bool,
    pub base_traded: u64,
    pub quote_traded: u64,
    pub swap_loss: u64,
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

/// The owner changed what keepers may do beyond hedging.
#[event]
pub struct AutomationSet {
    pub position: Pubkey,
    pub automation: Automation,
}

/// The owner brought more funds.
#[event]
pub struct PositionIncreased {
    pub position: Pubkey,
    pub own_base: u64,
    pub own_quote: u64,
    /// Liquidity added.
    pub liquidity: u128,
    pub debt_base: u64,
    pub debt_quote: u64,
    pub swap_loss: u64,
    pub ltv_bps: u32,
    pub sqrt_price_x64: u128,
}

/// The owner repaid from the wallet.
#[event]
pub struct PositionRepaid {
    pub position: Pubkey,
    pub base: u64,
    pub quote: u64,
}

/// A position was moved to a new band.
#[event]
pub struct Recentered {
    pub position: Pubkey,
    pub keeper: Pubkey,
    pub tick_lower_before: i32,
    pub tick_upper_before: i32,
    pub tick_lower: i32,
    pub tick_upper: i32,
    pub liquidity: u128,
    pub fees_base: u64,
    pub fees_quote: u64,
    /// Swapped, and at which loss against the oracle's price.
    pub base_traded: u64,
    pub quote_traded: u64,
    pub swap_loss: u64,
    /// Equity at the oracle's price, fees included, before and after.
    pub equity_before: i128,
    pub equity_after: i128,
    pub ltv_bps: u32,
    pub sqrt_price_x64: u128,
}

/// Fees were put to work.
#[event]
pub struct Compounded {
    pub position: Pubkey,
    pub keeper: Pubkey,
    pub fees_base: u64,
    pub fees_quote: u64,
    /// Liquidity added.
    pub liquidity: u128,
    pub ltv_bps: u32,
    pub sqrt_price_x64: u128,
}

/// Fees were collected by the owner.
#[event]
pub struct FeesCollected {
    pub position: Pubkey,
    pub base: u64,
    pub quote: u64,
}

/// Why a keeper took a position out of the pool.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitReason {
    /// Equity at or below the floor.
    Floor,
    /// Price at or below the window.
    Low,
    /// Price at or above the window.
    High,
}

/// A position was taken out of the pool; what is left of it lies idle for its owner.
#[event]
pub struct Exited {
    pub position: Pubkey,
    pub keeper: Pubkey,
    pub reason: ExitReason,
    pub reaction: Reaction,
    pub repaid_base: u64,
    pub repaid_quote: u64,
    pub fees_base: u64,
    pub fees_quote: u64,
    pub idle_base: u64,
    pub idle_quote: u64,
    pub swap_loss: u64,
    pub sqrt_price_x64: u128,
}

/// A position was offered to somebody.
#[event]
pub struct PositionOffered {
    pub position: Pubkey,
    pub to: Pubkey,
}

/// A position has a new owner.
#[event]
pub struct PositionTransferred {
    pub position: Pubkey,
    pub from: Pubkey,
    pub to: Pubkey,
}

/// A keeper was paid for an action.
#[event]
pub struct KeeperRewarded {
    pub position: Pubkey,
    pub keeper: Pubkey,
    pub lamports: u64,
}

/// Whoever booked a loss was paid for it out of the reserve's insurance.
#[event]
pub struct WriteOffRewarded {
    pub reserve: Pubkey,
    pub position: Pubkey,
    pub to: Pubkey,
    pub amount: u64,
}

/// What of a position's debts its collateral does not cover was shown to the reserves; zero: it covers them again.
#[event]
pub struct LossShown {
    pub position: Pubkey,
    pub loss_base: u64,
    pub loss_quote: u64,
    pub ltv_bps: u32,
    pub sqrt_price_x64: u128,
}

/// A position was settled at the last price of a market that has had none for long.
#[event]
pub struct Settled {
    pub position: Pubkey,
    pub by: Pubkey,
    /// Everything that its tokens pay for is repaid.
    pub complete: bool,
    pub liquidity: u128,
    pub fees_base: u64,
    pub fees_quote: u64,
    pub repaid_base: u64,
    pub repaid_quote: u64,
    /// What the one who settled brought and received.
    pub brought_base: u64,
    pub brought_quote: u64,
    pub received_base: u64,
    pub received_quote: u64,
    pub sqrt_price_x64: u128,
    /// What the one who settled earned on what was brought, as far as equity went.
    pub bonus_bps: u32,
    /// And at the expense of lenders.
    pub lenders_bonus_bps: u32,
}

/// The owner named keepers who go first; all zero: nobody.
#[event]
pub struct FirstKeepersSet {
    pub position: Pubkey,
    pub keepers: [Pubkey; 2],
    pub head_start_secs: u32,
}

/// Something is due that a keeper has left to the owner's first keepers: nothing else has happened.
#[event]
pub struct LeftToFirstKeepers {
    pub position: Pubkey,
    pub keeper: Pubkey,
    pub need: Need,
    /// From when on others may act.
    pub others_from_secs: i64,
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
