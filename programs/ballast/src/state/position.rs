//! A leveraged position: one Whirlpool position, what is owed against it, and what lies idle beside it.

use anchor_lang::prelude::*;
use ballast_clmm::{Amounts, Side};
use ballast_model::Bps;

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
    /// Equity that keepers' actions have lost lately, raw quote units; see [`Position::charge_loss`].
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
    /// Explicit padding.
    pub padding_3: u32,
    /// Since when something is known to be due that others than the first keepers want to do; 0: nothing is.
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

    /// Counts a loss of equity that a keeper's action has brought, and says whether the day's losses still lie within
    /// `max_bps` of `equity`. Earlier losses fade: evenly over a day after a single one, ever more slowly when
    /// there are many (each charge fades what is left by the part of a day since the last). So no day ever sees more than
    /// twice the limit.
    #[must_use]
    pub fn charge_loss(&mut self, loss: u64, equity: u128, max_bps: u32, now_secs: i64) -> bool {
        let elapsed = now_secs
            .saturating_sub(self.recent_loss_at_secs)
            .clamp(0, SECS_PER_DAY);
        let left = (SECS_PER_DAY - elapsed) as u128;
        let faded = (u128::from(self.recent_loss) * left).div_ceil(SECS_PER_DAY as u128);
        let total = faded + u128::from(loss);
        self.recent_loss = u64::try_from(total).unwrap_or(u64::MAX);
        self.recent_loss_at_secs = now_secs;
        // The part is rounded down by comparing products.
        total.saturating_mul(u128::from(Bps::ONE.get()))
            <= equity.saturating_mul(u128::from(max_bps))
    }
}

const SECS_PER_DAY: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_add_up_and_fade_within_a_day() {
        let mut position: Position = bytemuck::Zeroable::zeroed();
        // 1 % of 10 000 a day.
        let mut charge = |loss, now| position.charge_loss(loss, 10_000, 100, now);
        assert!(charge(100, 1_000_000));
        assert!(!charge(1, 1_000_000));
        // The refused loss was counted in memory only; a refused action is not stored.
        assert!(!charge(0, 1_000_000));
        assert!(charge(49, 1_043_200));
        assert!(!charge(2, 1_043_200));
        assert!(charge(100, 2_000_000));
        assert!(!charge(u64::MAX, 3_000_000));
    }
}
