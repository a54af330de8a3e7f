//! A leveraged position: one Whirlpool position, what is owed against it, and what lies idle beside it.

use anchor_lang::prelude::*;
use ballast_clmm::{Amounts, Side};

use super::{Automation, Policy, Wide};

/// What the position was when it was opened, enough for realised profit and loss.
#[zero_copy]
#[derive(Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Entry {
    /// Oracle's square-root price, Q64.64.
    pub sqrt_price_x64: Wide,
    /// Unix time.
    pub opened_at_secs: i64,
    /// Equity at the oracle's price, raw quote units.
    pub equity: u64,
    /// Own base brought in.
    pub own_base: u64,
    /// Own quote brought in.
    pub own_quote: u64,
    /// Base paid out to the owner since.
    pub withdrawn_base: u64,
    /// Quote paid out to the owner since.
    pub withdrawn_quote: u64,
    /// Loss of all swaps so far against the oracle's price, raw quote units.
    pub swap_loss: u64,
    /// Bonuses paid to liquidators so far, raw quote units.
    pub liquidation_bonus: u64,
}

/// One position. PDA: `["position", market, creator, id as 8 little-endian bytes]`.
#[account(zero_copy)]
#[derive(Debug)]
#[repr(C)]
pub struct Position {
    /// Layout version, [`Position::VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// Explicit padding.
    pub padding: [u8; 6],
    /// Chosen by the creator, part of the address.
    pub id: u64,
    /// The market.
    pub market: Pubkey,
    /// Who opened the position (part of the address; no rights).
    pub creator: Pubkey,
    /// Whose equity this is.
    pub owner: Pubkey,
    /// Mint of the Whirlpool position's NFT: PDA `["nft", position]`.
    pub nft_mint: Pubkey,
    /// This position's token account that holds the NFT.
    pub nft_account: Pubkey,
    /// The Whirlpool position.
    pub whirlpool_position: Pubkey,
    /// Token account for idle base: PDA `["tokens", position, base mint]`.
    pub base_account: Pubkey,
    /// Token account for idle quote: PDA `["tokens", position, quote mint]`.
    pub quote_account: Pubkey,
    /// Lower tick of the band.
    pub tick_lower: i32,
    /// Upper tick of the band.
    pub tick_upper: i32,
    /// Liquidity in the Whirlpool position.
    pub liquidity: Wide,
    /// Shares of the base reserve's debt.
    pub base_debt_shares: Wide,
    /// Shares of the quote reserve's debt.
    pub quote_debt_shares: Wide,
    /// Idle base as accounted; what others send to the token account does not count.
    pub idle_base: u64,
    /// Idle quote as accounted.
    pub idle_quote: u64,
    /// The owner's policy.
    pub policy: Policy,
    /// Entry record.
    pub entry: Entry,
    /// Time of the last rehedge.
    pub last_rebalance_secs: i64,
    /// How often it was rehedged.
    pub rehedges: u32,
    /// How often it was deleveraged.
    pub deleverages: u32,
    /// How often it was liquidated, in part or whole.
    pub liquidations: u32,
    /// Explicit padding.
    pub padding_2: [u8; 4],
    /// What keepers may do beyond hedging and deleveraging (since version 2, like all that follows).
    pub automation: Automation,
    /// Who may take the position over; all zero: nobody.
    pub pending_owner: Pubkey,
    /// Time of the last recentering.
    pub last_recenter_secs: i64,
    /// Equity that keepers' actions have lost lately, raw quote units; see [`super::RecentLoss`].
    pub recent_loss: u64,
    /// Time up to which `recent_loss` has faded.
    pub recent_loss_at_secs: i64,
    /// How often it was recentered.
    pub recenters: u32,
    /// How often fees were compounded.
    pub compounds: u32,
    /// How often a keeper took it out of the pool.
    pub exits: u32,
    /// Number of the Whirlpool position: 0 for the first, one more for each that replaced it.
    pub nft_generation: u32,
    /// When a keeper was last rewarded.
    pub last_reward_secs: i64,
    /// Keepers who go first where the owner's policy lets keepers act; all zero: nobody (like all that follows, in room that was
    /// zero before).
    pub first_keepers: [Pubkey; 2],
    /// For how long they go first, once an action is due.
    pub head_start_secs: u32,
    /// What others than the first keepers have found due, as [`super::Need`] stores it; 0: nothing; all ones: a settlement has begun.
    pub due_need: u32,
    /// Since when that is known, or goes on.
    pub due_since_secs: i64,
    /// Equity that defensive rehedges have lost lately, raw quote units.
    pub defensive_loss: u64,
    /// Time up to which `defensive_loss` has faded.
    pub defensive_loss_at_secs: i64,
    /// Base of its debt that the collateral no longer covers, as last shown to the reserve.
    pub shown_loss_base: u64,
    /// The same of its quote debt.
    pub shown_loss_quote: u64,
}

impl Position {
    /// Current layout version.
    pub const VERSION: u8 = 2;
    /// Seed prefix.
    pub const SEED: &'static [u8] = b"position";
    /// Seed prefix of the NFT mint.
    pub const NFT_SEED: &'static [u8] = b"nft";
    /// Seed prefix of the token accounts.
    pub const TOKENS_SEED: &'static [u8] = b"tokens";
    /// Account size with discriminator.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Idle amounts.
    pub fn idle(&self) -> Amounts {
        Amounts {
            base: self.idle_base,
            quote: self.idle_quote,
        }
    }

    /// What of one debt the collateral did not cover when it was last shown.
    pub fn shown_loss(&self, side: Side) -> u64 {
        match side {
            Side::Base => self.shown_loss_base,
            Side::Quote => self.shown_loss_quote,
        }
    }

    /// Whether nothing is owed.
    pub fn is_debt_free(&self) -> bool {
        self.base_debt_shares.get() == 0 && self.quote_debt_shares.get() == 0
    }
}
