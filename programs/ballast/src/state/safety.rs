//! Rules of the safety net that came after [`super::MarketParams`]: which prices may be used for what, and what keeps owners and
//! lenders from paying for each other's misfortune. Markets that have never set them have them all zero: each zero stands for
//! the default beside it, so that no account has to be migrated.

use anchor_lang::prelude::*;
use bytemuck::{Pod, Zeroable};

use crate::errors::BallastError;

/// See the module's description. Announced and applied like the other parameters of a market.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, Pod, Zeroable,
)]
#[repr(C)]
pub struct SafetyRules {
    /// How much older than the newest price shown to the market a price may be; what adds risk, swaps or writes debt off allows half.
    /// 0: [`Self::DEFAULT_GRACE_SECS`].
    pub grace_secs: u32,
    /// Oldest price for swaps of keepers and for writing debt off. 0: [`Self::DEFAULT_SWAP_AGE_SECS`].
    pub max_age_swap_secs: u32,
    /// Oldest price for liquidations. 0: [`Self::DEFAULT_LIQUIDATION_AGE_SECS`].
    pub max_age_liquidation_secs: u32,
    /// What booking a loss pays out of insurance, on the debt repaid and lost, and no more than what is lost. 0: [`Self::DEFAULT_WRITE_OFF_BONUS_BPS`].
    pub write_off_bonus_bps: u32,
    /// Part of equity that defensive rehedges (hedge error outside twice the band) may lose, beside the other actions' limit; it
    /// fades as that does. 0: [`Self::DEFAULT_DEFENSIVE_LOSS_BPS`].
    pub max_defensive_loss_bps: u32,
    /// Room.
    pub reserved: u32,
}

/// Announced [`SafetyRules`].
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, Pod, Zeroable,
)]
#[repr(C)]
pub struct PendingSafety {
    /// What will be in force.
    pub rules: SafetyRules,
    /// From when anyone may put it in force. 0: nothing is announced.
    pub effective_at_secs: i64,
}

impl SafetyRules {
    /// Enough for a keeper whose node is a few slots behind the one who shows the newest price.
    pub const DEFAULT_GRACE_SECS: u32 = 10;
    /// Largest [`Self::grace_secs`].
    pub const LONGEST_GRACE_SECS: u32 = 30;
    /// For markets whose keepers post prices themselves.
    pub const DEFAULT_SWAP_AGE_SECS: u32 = 15;
    /// Least [`Self::max_age_swap_secs`]: a younger price nobody has when a transaction lands.
    pub const SHORTEST_SWAP_AGE_SECS: u32 = 5;
    /// Largest [`Self::max_age_swap_secs`]: sponsored accounts move every minute.
    pub const LONGEST_SWAP_AGE_SECS: u32 = 60;
    /// See [`Self::max_age_liquidation_secs`].
    pub const DEFAULT_LIQUIDATION_AGE_SECS: u32 = 30;
    /// Least [`Self::max_age_liquidation_secs`].
    pub const SHORTEST_LIQUIDATION_AGE_SECS: u32 = 10;
    /// Largest [`Self::max_age_liquidation_secs`].
    pub const LONGEST_LIQUIDATION_AGE_SECS: u32 = 30;
    /// See [`Self::write_off_bonus_bps`].
    pub const DEFAULT_WRITE_OFF_BONUS_BPS: u32 = 100;
    /// Largest [`Self::write_off_bonus_bps`].
    pub const LARGEST_WRITE_OFF_BONUS_BPS: u32 = 500;
    /// See [`Self::max_defensive_loss_bps`].
    pub const DEFAULT_DEFENSIVE_LOSS_BPS: u32 = 20;
    /// Largest [`Self::max_defensive_loss_bps`].
    pub const LARGEST_DEFENSIVE_LOSS_BPS: u32 = 1_000;

    /// The same with every zero replaced by its default.
    #[must_use]
    pub fn effective(&self) -> Self {
        let or = |value: u32, default: u32| if value == 0 { default } else { value };
        Self {
            grace_secs: or(self.grace_secs, Self::DEFAULT_GRACE_SECS),
            max_age_swap_secs: or(self.max_age_swap_secs, Self::DEFAULT_SWAP_AGE_SECS),
            max_age_liquidation_secs: or(
                self.max_age_liquidation_secs,
                Self::DEFAULT_LIQUIDATION_AGE_SECS,
            ),
            write_off_bonus_bps: or(self.write_off_bonus_bps, Self::DEFAULT_WRITE_OFF_BONUS_BPS),
            max_defensive_loss_bps: or(
                self.max_defensive_loss_bps,
                Self::DEFAULT_DEFENSIVE_LOSS_BPS,
            ),
            reserved: 0,
        }
    }

    /// # Errors
    /// [`BallastError::BadParameters`]; the log names the rule.
    pub fn check(&self) -> Result<()> {
        let rules = self.effective();
        let rules = [
            (
                self.grace_secs <= Self::LONGEST_GRACE_SECS,
                "grace_secs must not exceed 30",
            ),
            (
                (Self::SHORTEST_SWAP_AGE_SECS..=Self::LONGEST_SWAP_AGE_SECS)
                    .contains(&rules.max_age_swap_secs),
                "max_age_swap_secs must lie in 5..=60",
            ),
            (
                (Self::SHORTEST_LIQUIDATION_AGE_SECS..=Self::LONGEST_LIQUIDATION_AGE_SECS)
                    .contains(&rules.max_age_liquidation_secs),
                "max_age_liquidation_secs must lie in 10..=30",
            ),
            (
                self.write_off_bonus_bps <= Self::LARGEST_WRITE_OFF_BONUS_BPS,
                "write_off_bonus_bps must not exceed 500",
            ),
            (
                self.max_defensive_loss_bps <= Self::LARGEST_DEFENSIVE_LOSS_BPS,
                "max_defensive_loss_bps must not exceed 1000",
            ),
            (self.reserved == 0, "safety.reserved must be 0"),
        ];
        for (holds, rule) in rules {
            if !holds {
                msg!("Safety rules refused: {}", rule);
                return err!(BallastError::BadParameters);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_fires_and_its_edge_passes() {
        let edge = SafetyRules {
            grace_secs: 30,
            max_age_swap_secs: 60,
            max_age_liquidation_secs: 30,
            write_off_bonus_bps: 500,
            max_defensive_loss_bps: 1_000,
            reserved: 0,
        };
        edge.check().unwrap();
        let least = SafetyRules {
            max_age_swap_secs: 5,
            max_age_liquidation_secs: 10,
            ..edge
        };
        least.check().unwrap();
        type Change = fn(&mut SafetyRules);
        let refused: [Change; 8] = [
            |r| r.max_age_swap_secs = 4,
            |r| r.max_age_liquidation_secs = 9,
            |r| r.grace_secs += 1,
            |r| r.max_age_swap_secs += 1,
            |r| r.max_age_liquidation_secs += 1,
            |r| r.write_off_bonus_bps += 1,
            |r| r.max_defensive_loss_bps += 1,
            |r| r.reserved = 1,
        ];
        for (number, change) in refused.into_iter().enumerate() {
            let mut rules = edge;
            change(&mut rules);
            assert!(rules.check().is_err(), "change {number}");
        }
    }

    #[test]
    fn zero_stands_for_the_default_and_nothing_else_is_changed() {
        let defaults = SafetyRules::default().effective();
        assert_eq!(defaults.effective(), defaults);
        defaults.check().unwrap();
        let set = SafetyRules {
            grace_secs: 1,
            ..SafetyRules::default()
        };
        assert_eq!(set.effective().grace_secs, 1);
        assert_eq!(set.effective().max_age_swap_secs, 15);
    }
}
