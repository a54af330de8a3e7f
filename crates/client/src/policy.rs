//! The policy of a new position.

use crate::{Limits, Policy};

/// Room for the fee of the usual pools and a little impact.
const DEFAULT_MAX_SWAP_LOSS_BPS: u32 = 50;

/// The policy of a new position unless its owner says otherwise.
pub fn default_policy(limits: &Limits) -> Policy {
    Policy {
        hedge_bps: 10_000,
        delta_band_bps: 1_000,
        delta_target_bps: 500,
        deleverage_trigger_ltv_bps: limits.deleverage_ltv_bps,
        deleverage_target_ltv_bps: limits.target_ltv_bps,
        // What a swap may lose is also what somebody who moves the pool around it can gain.
        max_swap_loss_bps: limits.max_swap_loss_bps.min(DEFAULT_MAX_SWAP_LOSS_BPS),
        min_rebalance_interval_secs: limits.min_rebalance_interval_secs,
        keeper_enabled: 1,
    }
}
