//! What an owner lets keepers do, as files say it: beside a keeper's configuration, and in a book.

use ballast::state::{Automation, Policy};
use ballast_model::Bps;
use serde::Deserialize;

/// See the program's `Policy`. What is left out stays as it is.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyTable {
    /// Part of the pool's base that is borrowed.
    pub hedge_bps: Option<u32>,
    /// When to rehedge.
    pub delta_band_bps: Option<u32>,
    /// How exact a rehedge has to be.
    pub delta_target_bps: Option<u32>,
    /// When to deleverage.
    pub deleverage_trigger_ltv_bps: Option<u32>,
    /// How far.
    pub deleverage_target_ltv_bps: Option<u32>,
    /// Largest loss of a swap.
    pub max_swap_loss_bps: Option<u32>,
    /// Seconds between two rehedges.
    pub min_rebalance_interval_secs: Option<u32>,
}

impl PolicyTable {
    /// A policy with what is given here.
    #[must_use]
    pub fn applied_to(self, policy: Policy) -> Policy {
        Policy {
            hedge_bps: self.hedge_bps.unwrap_or(policy.hedge_bps),
            delta_band_bps: self.delta_band_bps.unwrap_or(policy.delta_band_bps),
            delta_target_bps: self.delta_target_bps.unwrap_or(policy.delta_target_bps),
            deleverage_trigger_ltv_bps: self
                .deleverage_trigger_ltv_bps
                .unwrap_or(policy.deleverage_trigger_ltv_bps),
            deleverage_target_ltv_bps: self
                .deleverage_target_ltv_bps
                .unwrap_or(policy.deleverage_target_ltv_bps),
            max_swap_loss_bps: self.max_swap_loss_bps.unwrap_or(policy.max_swap_loss_bps),
            min_rebalance_interval_secs: self
                .min_rebalance_interval_secs
                .unwrap_or(policy.min_rebalance_interval_secs),
            ..policy
        }
    }
}

/// See the program's `Automation`. What is left out is nothing that keepers may do.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct OwnerTable {
    /// Leverage that recentering and compounding go to; that of opening, if it is left out.
    pub leverage_bps: Option<u32>,
    /// Narrowest band of a recentering.
    pub min_width_ticks: u32,
    /// Widest; 0: none.
    pub max_width_ticks: u32,
    /// Part of the band at its ends in which one is due.
    pub edge_bps: u32,
    /// Seconds between two.
    pub recenter_cooldown_secs: u32,
    /// Fees that are worth compounding, raw quote units; 0: never.
    pub compound_min_value: u64,
}

impl OwnerTable {
    /// For a position that was opened with this leverage.
    pub fn automation(self, opened: Bps) -> Automation {
        Automation {
            leverage_bps: self.leverage_bps.unwrap_or(opened.get()),
            min_width_ticks: self.min_width_ticks,
            max_width_ticks: self.max_width_ticks,
            edge_bps: self.edge_bps,
            recenter_cooldown_secs: self.recenter_cooldown_secs,
            compound_min_value: self.compound_min_value,
            ..Automation::OFF
        }
    }
}
