//! A market: one Whirlpool, its two isolated reserves, and the limits that every position in it obeys.

use anchor_lang::prelude::*;
use ballast_clmm::Side;
use bytemuck::{Pod, Zeroable};

use super::{
    KeeperRules, Limits, MarketParams, OracleRules, PendingSafety, SafetyRules, StageRules,
    StageState, Wide,
};
use crate::errors::BallastError;

/// A change of parameters that has been announced.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable, AnchorSerialize, AnchorDeserialize,
)]
#[repr(C)]
pub struct PendingParams {
    /// What will be in force.
    pub params: MarketParams,
    /// From when anyone may put it in force. 0: nothing is announced.
    pub effective_at_secs: i64,
}

/// How much a market allows.
#[derive(
    AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord,
)]
pub enum MarketMode {
    /// Everything that the limits allow.
    Normal,
    /// No opening, and no withdrawal of equity from an indebted position. Rehedges go on that leave the position no more dependent on the
    /// price, or its stressed LTV no higher.
    NoNewRisk,
    /// Nothing that adds risk: rehedge, deleverage, exit, repay, close, liquidate. Lenders may deposit and withdraw as ever.
    ReduceOnly,
}

impl MarketMode {
    /// From its stored byte; an unknown one counts as the strictest.
    pub const fn from_byte(byte: u8) -> Self {
        match byte {
            0 => Self::Normal,
            1 => Self::NoNewRisk,
            _ => Self::ReduceOnly,
        }
    }
}

/// One market. PDA: `["market", creator, whirlpool]`.
#[account(zero_copy)]
#[derive(Debug)]
#[repr(C)]
pub struct Market {
    /// Layout version, [`Market::VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// [`MarketMode`] as a byte, as the authority has set it.
    pub mode: u8,
    /// Decimals of the base mint.
    pub base_decimals: u8,
    /// Decimals of the quote mint.
    pub quote_decimals: u8,
    /// [`MarketMode`] as a byte, as the guardian has set it; it ends with the guardian's own time (since version 2, zero before).
    pub guardian_mode: u8,
    /// The Whirlpool's tick spacing.
    pub tick_spacing: u16,
    /// Who created the market (part of its address; no rights).
    pub creator: Pubkey,
    /// May change parameters and mode.
    pub authority: Pubkey,
    /// May only tighten the mode. All zero: none.
    pub guardian: Pubkey,
    /// The Whirlpool program this market trusts.
    pub whirlpool_program: Pubkey,
    /// The pool.
    pub whirlpool: Pubkey,
    /// Base mint, the pool's token A.
    pub base_mint: Pubkey,
    /// Quote mint, the pool's token B.
    pub quote_mint: Pubkey,
    /// The pool's own vault of token A.
    pub pool_base_vault: Pubkey,
    /// The pool's own vault of token B.
    pub pool_quote_vault: Pubkey,
    /// Program that owns genuine price accounts.
    pub price_receiver: Pubkey,
    /// Feed id of base/USD.
    pub base_feed: [u8; 32],
    /// Feed id of quote/USD.
    pub quote_feed: [u8; 32],
    /// Reserve that lends base; all zero until it is initialised.
    pub base_reserve: Pubkey,
    /// Reserve that lends quote; all zero until it is initialised.
    pub quote_reserve: Pubkey,
    /// Risk limits.
    pub limits: Limits,
    /// Demands on prices.
    pub oracle_rules: OracleRules,
    /// Publish time of the newest base price ever shown here; ones older by more than a grace are refused.
    pub last_base_publish_secs: i64,
    /// Publish time of the newest quote price ever shown here; ones older by more than a grace are refused.
    pub last_quote_publish_secs: i64,
    /// Open positions.
    pub open_positions: u64,
    /// What keepers may do (since version 2, like all that follows).
    pub keepers: KeeperRules,
    /// Rules of the risk stages.
    pub stages: StageRules,
    /// The risk stage and what it rests on.
    pub stage: StageState,
    /// Announced parameters.
    pub pending: PendingParams,
    /// Who may take over as authority; all zero: nobody.
    pub pending_authority: Pubkey,
    /// Price account of base/USD whose silence is evidence; all zero: none is.
    pub base_price_account: Pubkey,
    /// Price account of quote/USD whose silence is evidence; all zero: none is.
    pub quote_price_account: Pubkey,
    /// When the authority's `mode` ends by itself.
    pub mode_until_secs: i64,
    /// Until when the guardian, having tightened the mode, may not do so again.
    pub guardian_rests_until_secs: i64,
    /// Oracle's square-root price, Q64.64, of the newest prices ever shown: losses count against it, and a market without prices
    /// is settled at it. 0: none yet (like all that follows, in room that was zero before).
    pub newest_sqrt_price_x64: Wide,
    /// Rules of the safety net.
    pub safety: SafetyRules,
    /// Announced rules of the safety net.
    pub pending_safety: PendingSafety,
    /// What the last looks at the pool saw.
    pub looks: LookMemory,
    /// Since when the pool's average depth is being measured. 0: not yet.
    pub depth_since_secs: i64,
    /// Of each feed, base and quote, the newest price shown, in 64 bits ([`ballast_model::oracle::FeedPrice::packed`]). 0: none of the
    /// feed in force.
    pub newest_feed_prices: [u64; 2],
}

/// What was seen of the market's evidence in the last slot that anyone looked in; a look counts only against the one before it, so
/// that what somebody puts up within a slot and takes away again proves nothing.
#[zero_copy]
#[derive(Default, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct LookMemory {
    /// Slot of the newest look.
    pub slot: u64,
    /// What it saw: 0 nothing yet, 1 no evidence, 2 evidence, 3 both in one slot.
    pub seen: u8,
    /// What the newest look of an earlier slot saw, likewise.
    pub seen_before: u8,
    /// Explicit padding.
    pub padding: [u8; 6],
}

impl LookMemory {
    const fn bit(evidence: bool) -> u8 {
        if evidence { 2 } else { 1 }
    }

    /// Whether the newest look of an earlier slot saw the same, and nothing else.
    pub fn agrees(&self, slot: u64, evidence: bool) -> bool {
        let earlier = if self.slot < slot {
            self.seen
        } else {
            self.seen_before
        };
        earlier == Self::bit(evidence)
    }

    /// Whether the newest look saw only the opposite of what the stage has last been told: evidence where it knows of none, none
    /// where it knows of some.
    pub fn contradicts(&self, stage: &StageState) -> bool {
        let known = stage.last_seen == Self::bit(true);
        self.seen == Self::bit(!known)
    }

    /// Takes note of what a look in this slot saw.
    pub fn note(&mut self, slot: u64, evidence: bool) {
        if self.slot < slot {
            self.seen_before = self.seen;
            (self.slot, self.seen) = (slot, 0);
        }
        self.seen |= Self::bit(evidence);
    }
}

impl Market {
    /// Current layout version.
    pub const VERSION: u8 = 2;
    /// How long before it takes effect a change is announced that may hurt somebody.
    pub const NOTICE_SECS: i64 = 2 * 86_400;
    /// For how long after its notice a change may be put in force.
    pub const LAPSE_SECS: i64 = 7 * 86_400;
    /// Longest time for which the authority may set a mode; it may do so again.
    pub const LONGEST_PAUSE_SECS: u32 = 7 * 86_400;
    /// Longest time for which the guardian may set a mode. Afterwards it rests as long.
    pub const LONGEST_GUARDIAN_PAUSE_SECS: u32 = 86_400;
    /// How long a market must have been without a price before it is settled at the last one.
    pub const SETTLEMENT_SECS: i64 = 7 * 86_400;
    /// The same for a market that names no price accounts of its own, where only what people show tells of the feeds.
    pub const SETTLEMENT_UNNAMED_SECS: i64 = 28 * 86_400;
    /// For how long only the owner brings what a settlement found missing, and only where that leaves no loss. Whoever takes a position out
    /// of the pool picks where the pool is then, so that he must not trade with it at the last price in the same transaction.
    pub const SETTLEMENT_OWNER_FIRST_SECS: i64 = 86_400;
    /// What is added to the liquidation bonus, as a part of the price, for each day that a settlement waits for somebody who brings what is
    /// missing: the last price may be far from what the tokens are worth, and at some bonus somebody does.
    pub const SETTLEMENT_BONUS_BPS_A_DAY: i64 = 500;
    /// At ten times the last price the bonus grows no longer by a part of it: it doubles every [`Self::SETTLEMENT_DOUBLING_SECS`].
    pub const STEADY_SETTLEMENT_BONUS_BPS: u32 = 90_000;
    /// See [`Self::STEADY_SETTLEMENT_BONUS_BPS`].
    pub const SETTLEMENT_DOUBLING_SECS: i64 = 30 * 86_400;
    /// How often it doubles: to some 300 000 times the last price.
    pub const SETTLEMENT_DOUBLINGS: i64 = 15;
    /// Seed prefix.
    pub const SEED: &'static [u8] = b"market";
    /// Account size with discriminator.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// For how long what a settlement's bonus grows by comes out of the owner's equity only: as long as the last price may be right, a
    /// position that it leaves solvent by the liquidation bonus costs its lenders nothing, whoever waits.
    pub const LENDERS_SPARED_SECS: i64 = 30 * 86_400;

    /// What the one who settles earns on what is brought, of a position for which anybody could bring it for `open_secs`. However little
    /// its tokens are worth by now, in the end so little is to be brought for them that somebody does.
    pub fn settlement_bonus_bps(&self, open_secs: i64) -> u32 {
        let open_secs = open_secs.max(0);
        let (steady, a_day) = (
            i64::from(Self::STEADY_SETTLEMENT_BONUS_BPS),
            Self::SETTLEMENT_BONUS_BPS_A_DAY,
        );
        let more_until_steady = steady - i64::from(self.limits.liquidation_bonus_bps);
        let more = open_secs.saturating_mul(a_day) / 86_400;
        if more < more_until_steady {
            let more = u32::try_from(more).unwrap_or(u32::MAX);
            return self.limits.liquidation_bonus_bps.saturating_add(more);
        }
        let since_secs = open_secs - more_until_steady * 86_400 / a_day;
        let doublings = since_secs / Self::SETTLEMENT_DOUBLING_SECS;
        Self::STEADY_SETTLEMENT_BONUS_BPS << doublings.min(Self::SETTLEMENT_DOUBLINGS)
    }

    /// What is allowed at a time: the stricter of the mode that authority or guardian have set, until it ends by itself, and
    /// what the risk stage demands.
    pub fn mode_at(&self, now_secs: i64) -> MarketMode {
        self.mode_set_at(now_secs)
            .max(MarketMode::from_byte(self.stage.stage))
    }

    /// The stricter of the modes that authority and guardian have set, each until it ends by itself.
    pub fn mode_set_at(&self, now_secs: i64) -> MarketMode {
        let until = |ends_secs: i64, mode: u8| {
            if now_secs < ends_secs {
                MarketMode::from_byte(mode)
            } else {
                MarketMode::Normal
            }
        };
        until(self.mode_until_secs, self.mode)
            .max(until(self.guardian_until_secs(), self.guardian_mode))
    }

    /// When the guardian's mode ends: as long before it may set one again as it rests.
    pub fn guardian_until_secs(&self) -> i64 {
        self.guardian_rests_until_secs
            .saturating_sub(i64::from(Self::LONGEST_GUARDIAN_PAUSE_SECS))
    }

    /// Whether there is nothing yet to lend to or to borrow from.
    pub fn has_no_reserve(&self) -> bool {
        self.base_reserve == Pubkey::default() && self.quote_reserve == Pubkey::default()
    }

    /// Mint of one side.
    pub fn mint(&self, side: Side) -> Pubkey {
        match side {
            Side::Base => self.base_mint,
            Side::Quote => self.quote_mint,
        }
    }

    /// Reserve of one side.
    pub fn reserve(&self, side: Side) -> Pubkey {
        match side {
            Side::Base => self.base_reserve,
            Side::Quote => self.quote_reserve,
        }
    }

    /// The parameters in force.
    pub fn params(&self) -> MarketParams {
        MarketParams {
            limits: self.limits,
            oracle_rules: self.oracle_rules,
            keepers: self.keepers,
            stages: self.stages,
        }
    }

    /// Whether parameters make sense for this market. One that has wider caps than its pool reaches keeps them, and may change
    /// everything else. Those in force, or those with smaller new positions, always do.
    ///
    /// # Errors
    /// [`BallastError::BadParameters`] if [`MarketParams::check`] or [`Limits::check_reach`] refuses them.
    pub fn check_params(&self, params: &MarketParams) -> Result<()> {
        if params.only_restrains(&self.params()) {
            // Those in force, and smaller new positions: allowed also to a market that a newer rule would refuse.
            let limits = &params.limits;
            require!(
                limits.min_position_value <= limits.max_position_value,
                BallastError::BadParameters
            );
            return Ok(());
        }
        params.check()?;
        let (now, then) = (&self.limits, &params.limits);
        if then.max_pool_deviation_bps <= now.max_pool_deviation_bps
            && then.max_swap_loss_bps <= now.max_swap_loss_bps
        {
            return Ok(());
        }
        then.check_reach(self.tick_spacing)
    }

    /// Whether caps leave room for the pool's fee. A market whose caps never did, or no longer do because the fee has risen, may change
    /// everything else.
    ///
    /// # Errors
    /// [`BallastError::BadParameters`] if [`Limits::check_fee`] refuses them and they fall shorter of it than those in force.
    pub fn check_fee(&self, params: &MarketParams, fee_rate_ppm: u16) -> Result<()> {
        params.limits.check_fee_after(&self.limits, fee_rate_ppm)
    }

    /// Puts checked parameters in force.
    ///
    /// # Errors
    /// As [`Market::check_params`].
    pub fn set_params(&mut self, params: &MarketParams) -> Result<()> {
        self.check_params(params)?;
        self.limits = params.limits;
        self.oracle_rules = params.oracle_rules;
        self.keepers = params.keepers;
        self.stages = params.stages;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;

    use super::*;

    #[test]
    fn the_strictest_of_authority_guardian_and_stage_counts() {
        use MarketMode::{NoNewRisk, Normal, ReduceOnly};
        let now = 1_700_000_000;
        let rest = i64::from(Market::LONGEST_GUARDIAN_PAUSE_SECS);
        for (authoritys, guardians, stage, expected) in [
            (Normal, Normal, 0, Normal),
            (NoNewRisk, Normal, 0, NoNewRisk),
            (Normal, NoNewRisk, 0, NoNewRisk),
            (Normal, Normal, 1, NoNewRisk),
            (Normal, Normal, 2, ReduceOnly),
            (Normal, Normal, 3, ReduceOnly),
            (ReduceOnly, NoNewRisk, 1, ReduceOnly),
            (NoNewRisk, ReduceOnly, 1, ReduceOnly),
            (NoNewRisk, NoNewRisk, 2, ReduceOnly),
        ] {
            let mut market = Market::zeroed();
            (market.mode, market.mode_until_secs) = (authoritys as u8, now + 1);
            market.guardian_mode = guardians as u8;
            market.guardian_rests_until_secs = now + 1 + rest;
            market.stage.stage = stage;
            assert_eq!(market.mode_at(now), expected);
            // What was set ends, what the chain sees does not.
            assert_eq!(market.mode_at(now + 1), MarketMode::from_byte(stage));
        }
    }
}
