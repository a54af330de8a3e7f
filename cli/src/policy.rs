//! Policies from options.

use anyhow::Result;
use ballast_client::Policy;
pub use ballast_client::default_policy;
pub use ballast_view::PolicyView;
use clap::{Args, ValueEnum};

use crate::{
    decimal::Ratio,
    format::{bps, duration},
    time::Interval,
};

/// What keepers may do with a position, and when. What is left out stays as it is; for a new position it is the
/// market's, with a deleverage trigger that leaves room for a move of the stress distance.
#[derive(Args, Clone, Debug, Default)]
pub struct PolicyArgs {
    /// Part of the pool's base that is borrowed: 1 is delta-neutral [default: 1]
    #[arg(help_heading = "Policy", long, value_name = "RATIO")]
    pub hedge: Option<Ratio>,
    /// Rehedge when the hedge error exceeds this part of the position's full base amount [default: 10%]
    #[arg(help_heading = "Policy", long, value_name = "RATIO")]
    pub delta_band: Option<Ratio>,
    /// Largest hedge error after opening and rehedging, as a part of the same amount [default: 5%]
    #[arg(help_heading = "Policy", long, value_name = "RATIO")]
    pub delta_target: Option<Ratio>,
    /// LTV from which keepers may deleverage [default: leaves room for a move of the market's stress distance, and a jump]
    #[arg(help_heading = "Policy", long, value_name = "LTV")]
    pub deleverage_trigger: Option<Ratio>,
    /// LTV to which they then go, and above which a rehedge leaves no position
    #[arg(help_heading = "Policy", long, value_name = "LTV")]
    pub deleverage_target: Option<Ratio>,
    /// Largest loss of a swap against the oracle's price, fee included
    #[arg(help_heading = "Policy", long, value_name = "RATIO")]
    pub max_swap_loss: Option<Ratio>,
    /// Time between two rehedges at least: 5m, or seconds
    #[arg(help_heading = "Policy", long, value_name = "TIME")]
    pub min_interval: Option<Interval>,
    /// Whether keepers may act at all; liquidation and the market's own deleverage trigger remain
    #[arg(help_heading = "Policy", long, value_enum)]
    pub keepers: Option<Switch>,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

impl PolicyArgs {
    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.hedge.is_none()
            && self.delta_band.is_none()
            && self.delta_target.is_none()
            && self.deleverage_trigger.is_none()
            && self.deleverage_target.is_none()
            && self.max_swap_loss.is_none()
            && self.min_interval.is_none()
            && self.keepers.is_none()
    }

    /// `policy` with what was given.
    ///
    /// # Errors
    /// Ratios that are out of range. Whether the policy makes sense is the program's to say.
    pub fn applied_to(&self, policy: Policy) -> Result<Policy> {
        let or = |ratio: &Option<Ratio>, old: u32| -> Result<u32> {
            ratio
                .as_ref()
                .map_or(Ok(old), |ratio| Ok(ratio.bps_down()?.get()))
        };
        Ok(Policy {
            hedge_bps: or(&self.hedge, policy.hedge_bps)?,
            delta_band_bps: or(&self.delta_band, policy.delta_band_bps)?,
            delta_target_bps: or(&self.delta_target, policy.delta_target_bps)?,
            deleverage_trigger_ltv_bps: or(
                &self.deleverage_trigger,
                policy.deleverage_trigger_ltv_bps,
            )?,
            deleverage_target_ltv_bps: or(
                &self.deleverage_target,
                policy.deleverage_target_ltv_bps,
            )?,
            max_swap_loss_bps: or(&self.max_swap_loss, policy.max_swap_loss_bps)?,
            min_rebalance_interval_secs: self
                .min_interval
                .map_or(policy.min_rebalance_interval_secs, |interval| interval.0),
            keeper_enabled: self.keepers.map_or(policy.keeper_enabled, |keepers| {
                u32::from(keepers == Switch::On)
            }),
        })
    }
}

/// A policy that takes another's place, a line each, before and after where they differ.
pub fn changes(before: &Policy, after: &Policy) -> String {
    let secs = |secs: u32| duration(secs.into());
    let keepers = |enabled: u32| match enabled {
        1 => "allowed".to_owned(),
        _ => "switched off".to_owned(),
    };
    let all = |policy: &Policy| {
        [
            ("hedge", bps(policy.hedge_bps)),
            ("rehedge from", bps(policy.delta_band_bps)),
            ("to within", bps(policy.delta_target_bps)),
            (
                "at least",
                secs(policy.min_rebalance_interval_secs) + " apart",
            ),
            ("loss", bps(policy.max_swap_loss_bps) + " of a swap at most"),
            (
                "deleverage",
                bps(policy.deleverage_trigger_ltv_bps) + " LTV",
            ),
            ("down to", bps(policy.deleverage_target_ltv_bps) + " LTV"),
            ("keepers", keepers(policy.keeper_enabled)),
        ]
    };
    let lines = all(before).into_iter().zip(all(after));
    let lines = lines.map(|((name, old), (_, new))| match old == new {
        true => format!("  {name:<12} {new}\n"),
        false => format!("  {name:<12} {old} → {new}\n"),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_told_before_and_after() {
        let before = Policy {
            hedge_bps: 10_000,
            delta_band_bps: 1_000,
            min_rebalance_interval_secs: 300,
            keeper_enabled: 1,
            ..Policy::default()
        };
        let after = Policy {
            delta_band_bps: 2_000,
            keeper_enabled: 0,
            ..before
        };
        let told = changes(&before, &after);
        for line in [
            "  hedge        100.00%\n",
            "  rehedge from 10.00% → 20.00%\n",
            "  at least     5m 0s apart\n",
            "  keepers      allowed → switched off\n",
        ] {
            assert!(told.contains(line), "{told}");
        }
    }

    #[test]
    fn an_interval_is_written_as_it_is_printed_or_in_seconds() {
        for (text, secs) in [("5m", 300), ("5m 0s", 300), ("90", 90), ("1h30m", 5_400)] {
            assert_eq!(text.parse(), Ok(Interval(secs)), "{text}");
        }
        for wrong in ["", "5 x", "-1", "1.5", "99999999999"] {
            let error = wrong.parse::<Interval>().unwrap_err();
            assert!(error.contains("write a time like"), "{error}");
        }
    }

    #[test]
    fn only_what_was_given_changes() {
        let before = Policy {
            hedge_bps: 5_000,
            keeper_enabled: 1,
            min_rebalance_interval_secs: 7,
            ..Policy::default()
        };
        assert!(PolicyArgs::default().is_empty());
        assert_eq!(PolicyArgs::default().applied_to(before).unwrap(), before);
        let given = PolicyArgs {
            delta_band: Some("12.5%".parse().unwrap()),
            keepers: Some(Switch::Off),
            ..PolicyArgs::default()
        };
        assert!(!given.is_empty());
        let after = given.applied_to(before).unwrap();
        assert_eq!(
            after,
            Policy {
                delta_band_bps: 1_250,
                keeper_enabled: 0,
                ..before
            }
        );
    }
}
