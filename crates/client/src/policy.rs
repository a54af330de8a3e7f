//! The policy of a new position.

use crate::{Limits, Policy};

/// Room for the fee of the usual pools and a little impact.
const DEFAULT_MAX_SWAP_LOSS_BPS: u32 = 50;
/// What a swap may lose beyond what a market leaves for its pool's fee, where that is much.
const BEYOND_FEE_BPS: u32 = 15;

/// The policy of a new position unless its owner says otherwise.
pub fn default_policy(limits: &Limits) -> Policy {
    let fee_bps = limits
        .max_swap_loss_bps
        .saturating_sub(limits.max_pool_deviation_bps);
    let enough_bps = DEFAULT_MAX_SWAP_LOSS_BPS.max(fee_bps.saturating_add(BEYOND_FEE_BPS));
    Policy {
        hedge_bps: 10_000,
        delta_band_bps: 1_000,
        delta_target_bps: 500,
        deleverage_trigger_ltv_bps: limits.deleverage_ltv_bps,
        deleverage_target_ltv_bps: limits.target_ltv_bps,
        // What a swap may lose is also what somebody who moves the pool around it can gain.
        max_swap_loss_bps: limits.max_swap_loss_bps.min(enough_bps),
        min_rebalance_interval_secs: limits.min_rebalance_interval_secs,
        keeper_enabled: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keepers_swap_may_pay_the_pools_fee() {
        // Pools of a fee of 4, 30 and 100 bps, as markets for them are made.
        for (deviation, loss, expected) in
            [(94, 100, 50), (68, 100, 50), (50, 153, 118), (40, 45, 45)]
        {
            let limits = Limits {
                max_pool_deviation_bps: deviation,
                max_swap_loss_bps: loss,
                ..Limits::default()
            };
            assert_eq!(default_policy(&limits).max_swap_loss_bps, expected);
        }
    }
}
