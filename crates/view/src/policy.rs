//! A policy, from its account and as text.

use crate::{
    position::PolicyView,
    text::{bps, duration},
};

impl From<&ballast::Policy> for PolicyView {
    fn from(policy: &ballast::Policy) -> Self {
        Self {
            hedge_bps: policy.hedge_bps,
            delta_band_bps: policy.delta_band_bps,
            delta_target_bps: policy.delta_target_bps,
            deleverage_trigger_ltv_bps: policy.deleverage_trigger_ltv_bps,
            deleverage_target_ltv_bps: policy.deleverage_target_ltv_bps,
            max_swap_loss_bps: policy.max_swap_loss_bps,
            min_rebalance_interval_secs: policy.min_rebalance_interval_secs,
            keepers_allowed: policy.keeper_enabled == 1,
        }
    }
}

impl std::fmt::Display for PolicyView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "  policy       hedge {}, rehedge beyond {} (to within {}) of the full base amount, at least {} apart, \
             losing at most {} per swap;",
            bps(self.hedge_bps),
            bps(self.delta_band_bps),
            bps(self.delta_target_bps),
            duration(self.min_rebalance_interval_secs.into()),
            bps(self.max_swap_loss_bps),
        )?;
        writeln!(
            f,
            "               deleverage from LTV {} to {}; keepers {}",
            bps(self.deleverage_trigger_ltv_bps),
            bps(self.deleverage_target_ltv_bps),
            if self.keepers_allowed {
                "allowed"
            } else {
                "switched off"
            }
        )
    }
}
