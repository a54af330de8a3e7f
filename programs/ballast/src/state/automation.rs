//! What keepers may do beyond hedging and deleveraging: recenter, exit, compound; and what they are paid for it.

use anchor_lang::prelude::*;
use ballast_clmm::Tick;
use ballast_ledger::Payout;
use ballast_model::Bps;
use bytemuck::{Pod, Zeroable};

use super::{KeeperRules, Limits};
use crate::errors::BallastError;

/// What happens when a price edge or the equity floor is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize)]
pub enum Reaction {
    /// The position stays where it is; beyond a price edge it is not recentered any more.
    Hold,
    /// Liquidity is withdrawn and debts are repaid, with a swap only where that needs one.
    ExitAsIs,
    /// The same, and all is swapped into base.
    ExitIntoBase,
    /// The same, and all is swapped into quote.
    ExitIntoQuote,
}

impl Reaction {
    /// From its stored byte.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Hold),
            1 => Some(Self::ExitAsIs),
            2 => Some(Self::ExitIntoBase),
            3 => Some(Self::ExitIntoQuote),
            _ => None,
        }
    }

    /// What an exit leaves behind.
    pub const fn payout(self) -> Payout {
        match self {
            Self::Hold | Self::ExitAsIs => Payout::AsIs,
            Self::ExitIntoBase => Payout::Base,
            Self::ExitIntoQuote => Payout::Quote,
        }
    }
}

/// Set by the owner. All zero but for the ticks ([`Automation::OFF`]) nothing of it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, Pod, Zeroable)]
#[repr(C)]
pub struct Automation {
    /// Draw-down floor: at or below this equity, in raw quote units at the oracle's price, `at_floor` happens. 0: no floor.
    pub min_equity: u64,
    /// Fees worth at least this, in raw quote units, may be compounded. 0: never.
    pub compound_min_value: u64,
    /// Lamports that a keeper is paid for each action, out of the lamports that the position holds beyond its rent.
    pub reward_lamports: u64,
    /// Lower edge of the price window; [`Automation::NO_LOW`]: none. At or below it `at_low` happens.
    pub window_low_tick: i32,
    /// Upper edge of the price window; [`Automation::NO_HIGH`]: none. At or above it `at_high` happens.
    pub window_high_tick: i32,
    /// Leverage that recentering and compounding go to.
    pub leverage_bps: u32,
    /// Narrowest band that a keeper may recenter to, in ticks. 0: keepers may not recenter.
    pub min_width_ticks: u32,
    /// Widest band that a keeper may recenter to, in ticks.
    pub max_width_ticks: u32,
    /// Part of the band (of its width in square-root price) next to either edge in which recentering is due already.
    pub edge_bps: u32,
    /// Shortest time between two recenterings; the market's own minimum applies as well.
    pub recenter_cooldown_secs: u32,
    /// Largest loss of an exit's swap against the oracle's price, on the value traded. 0: exits may not swap.
    pub max_exit_loss_bps: u32,
    /// Largest part of equity that keepers' actions may lose beyond what a fair price costs, 0: as much as the market allows. What was lost
    /// fades over a week.
    /// Not counted are exits, which end the position, and rehedges outside twice the band, which defend it: they have limits of
    /// their own.
    pub max_daily_loss_bps: u32,
    /// [`Reaction`] as a byte.
    pub at_low: u8,
    /// [`Reaction`] as a byte.
    pub at_high: u8,
    /// [`Reaction`] as a byte.
    pub at_floor: u8,
    /// Explicit padding, zero.
    pub padding: u8,
}

impl Automation {
    /// No lower edge.
    pub const NO_LOW: i32 = i32::MIN;
    /// No upper edge.
    pub const NO_HIGH: i32 = i32::MAX;
    /// Nothing happens by itself.
    pub const OFF: Self = Self {
        min_equity: 0,
        compound_min_value: 0,
        reward_lamports: 0,
        window_low_tick: Self::NO_LOW,
        window_high_tick: Self::NO_HIGH,
        leverage_bps: Bps::ONE.get(),
        min_width_ticks: 0,
        max_width_ticks: 0,
        edge_bps: 0,
        recenter_cooldown_secs: 0,
        max_exit_loss_bps: 0,
        max_daily_loss_bps: 0,
        at_low: 0,
        at_high: 0,
        at_floor: 0,
        padding: 0,
    };

    /// Leverage that recentering and compounding go to, never beyond what the market allows now.
    pub fn leverage(&self, limits: &Limits) -> Bps {
        Bps::new(self.leverage_bps.min(limits.max_leverage_bps)).max(Bps::ONE)
    }

    /// # Errors
    /// [`BallastError::BadPolicy`]; the log names the rule.
    pub fn check(&self, limits: &Limits, keepers: &KeeperRules) -> Result<()> {
        let one = Bps::ONE.get();
        let tick = |tick: i32, none: i32| tick == none || Tick::new(tick).is_ok();
        let reactions = [self.at_low, self.at_high, self.at_floor];
        let rules = [
            (
                (one..=limits.max_leverage_bps).contains(&self.leverage_bps),
                "leverage_bps must lie in 10000..= the market's max_leverage_bps",
            ),
            (
                self.min_width_ticks <= self.max_width_ticks
                    && (self.min_width_ticks > 0 || self.max_width_ticks == 0),
                "min_width_ticks must not exceed max_width_ticks, and be 0 only together with it",
            ),
            (
                self.edge_bps < one / 2,
                "edge_bps must be below 5000: the middle of a band is no edge",
            ),
            (
                tick(self.window_low_tick, Self::NO_LOW)
                    && tick(self.window_high_tick, Self::NO_HIGH),
                "window ticks must be ticks, or none",
            ),
            (
                self.window_low_tick < self.window_high_tick,
                "window_low_tick must be below window_high_tick",
            ),
            (
                reactions
                    .iter()
                    .all(|byte| Reaction::from_byte(*byte).is_some()),
                "reactions must be 0 hold, 1 exit as is, 2 exit into base or 3 exit into quote",
            ),
            (
                self.at_floor == 0 || self.min_equity > 0,
                "at_floor needs a min_equity",
            ),
            (
                (self.at_low == 0 || self.window_low_tick != Self::NO_LOW)
                    && (self.at_high == 0 || self.window_high_tick != Self::NO_HIGH),
                "at_low and at_high need an edge",
            ),
            (
                self.max_exit_loss_bps <= limits.max_swap_loss_bps,
                "max_exit_loss_bps must not exceed the market's max_swap_loss_bps",
            ),
            (
                self.max_daily_loss_bps <= keepers.max_daily_loss_bps,
                "max_daily_loss_bps must not exceed the market's",
            ),
            (
                self.reward_lamports <= keepers.max_reward_lamports,
                "reward_lamports must not exceed the market's max_reward_lamports",
            ),
            (self.padding == 0, "padding must be 0"),
        ];
        for (holds, rule) in rules {
            if !holds {
                msg!("Automation refused: {}", rule);
                return err!(BallastError::BadPolicy);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leverage_follows_a_market_that_allows_less() {
        let leverage = |owners, markets| {
            let automation = Automation {
                leverage_bps: owners,
                ..Automation::OFF
            };
            let limits = Limits {
                max_leverage_bps: markets,
                ..Limits::default()
            };
            automation.leverage(&limits).get()
        };
        assert_eq!(leverage(30_000, 40_000), 30_000);
        assert_eq!(leverage(30_000, 20_000), 20_000);
        // There is none below one.
        assert_eq!(leverage(0, 40_000), 10_000);
    }
}
