//! The owner's policy: what a keeper may do with a position, and when.

use anchor_lang::prelude::*;
use ballast_model::Bps;
use bytemuck::{Pod, Zeroable};

use super::Limits;
use crate::errors::BallastError;

/// Set by the owner, obeyed by the chain. Ratios in basis points.
///
/// The hedge error is `h*x + lx - dx` (MATH section 4); its band and target are stated in basis points of the base
/// amount that the position holds at its lower edge, so that they scale with the position and not with the price.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, Pod, Zeroable,
)]
#[repr(C)]
pub struct Policy {
    /// Part of the pool's base that is borrowed; 10 000 = delta-neutral.
    pub hedge_bps: u32,
    /// A rehedge is due when the hedge error leaves this band.
    pub delta_band_bps: u32,
    /// A rehedge must bring the hedge error within this.
    pub delta_target_bps: u32,
    /// LTV from which a keeper may deleverage.
    pub deleverage_trigger_ltv_bps: u32,
    /// LTV to which it then goes.
    pub deleverage_target_ltv_bps: u32,
    /// Largest loss of a rehedge's swap against the oracle's price, on the value traded.
    pub max_swap_loss_bps: u32,
    /// Shortest time between two rehedges; the market's own minimum applies as well.
    pub min_rebalance_interval_secs: u32,
    /// 1: keepers may act. 0: only the owner, and liquidators.
    pub keeper_enabled: u32,
}

impl Policy {
    /// # Errors
    /// [`BallastError::BadPolicy`]; the log names the rule.
    pub fn check(&self, limits: &Limits) -> Result<()> {
        let one = Bps::ONE.get();
        let rules = [
            (self.hedge_bps <= one, "hedge_bps must not exceed 10000"),
            (
                self.delta_target_bps < self.delta_band_bps,
                "delta_target_bps must be below delta_band_bps",
            ),
            (
                self.delta_band_bps <= one,
                "delta_band_bps must not exceed 10000",
            ),
            (
                self.delta_target_bps > 0,
                "delta_target_bps must be positive",
            ),
            (
                self.deleverage_target_ltv_bps < self.deleverage_trigger_ltv_bps,
                "deleverage_target_ltv_bps must be below deleverage_trigger_ltv_bps",
            ),
            (
                self.deleverage_target_ltv_bps > 0,
                "deleverage_target_ltv_bps must be positive",
            ),
            (
                self.deleverage_trigger_ltv_bps < limits.maintenance_ltv_bps,
                "deleverage_trigger_ltv_bps must be below the market's maintenance_ltv_bps",
            ),
            (
                self.max_swap_loss_bps > 0 && self.max_swap_loss_bps <= limits.max_swap_loss_bps,
                "max_swap_loss_bps must lie in 1..= the market's max_swap_loss_bps",
            ),
            (self.keeper_enabled <= 1, "keeper_enabled must be 0 or 1"),
        ];
        for (holds, rule) in rules {
            if !holds {
                msg!("Policy refused: {}", rule);
                return err!(BallastError::BadPolicy);
            }
        }
        Ok(())
    }

    /// Hedge ratio.
    pub fn hedge(&self) -> Bps {
        Bps::new(self.hedge_bps)
    }

    /// Hedge error that opening and recentering leave alone, well within the target.
    pub fn left_alone(&self) -> Bps {
        Bps::new(self.delta_target_bps / 2)
    }
}
