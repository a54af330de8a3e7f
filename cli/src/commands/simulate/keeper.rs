//! The keeper's own strategy, from its configuration.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use ballast_client::{Automation, Policy};
use ballast_migrations::Migrations;
use ballast_model::Bps;
use ballast_simulator::{Keeper, KeeperTerms, Terms};
use ballast_strategy::situation::Economics;
use serde::Deserialize;

use super::scenario::{ScenarioArgs, Shape};
use crate::policy::default_policy;

/// Whose market's limits and rules apply.
const CLUSTER: &str = "devnet";

/// What of a keeper's configuration matters here, and beside it what is the owner's: both tables may be left out, so that the
/// file which a keeper runs with can be taken as it is.
#[derive(Deserialize)]
struct File {
    #[serde(default)]
    automation: RawEconomics,
    #[serde(default)]
    policy: RawPolicy,
    #[serde(default)]
    owner: RawOwner,
}

/// The keeper's table `automation`; its other keys do not matter here.
#[derive(Deserialize)]
#[serde(default)]
struct RawEconomics {
    expected_fee_bps_per_day: u32,
    payback_days: u32,
    min_reward_lamports: u64,
}

impl Default for RawEconomics {
    fn default() -> Self {
        let economics = Economics::default();
        Self {
            expected_fee_bps_per_day: economics.fee_day_bps,
            payback_days: economics.payback_days,
            min_reward_lamports: economics.min_reward_lamports,
        }
    }
}

/// The position's policy; what is left out is what a new position has.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawPolicy {
    hedge_bps: Option<u32>,
    delta_band_bps: Option<u32>,
    delta_target_bps: Option<u32>,
    deleverage_trigger_ltv_bps: Option<u32>,
    deleverage_target_ltv_bps: Option<u32>,
    max_swap_loss_bps: Option<u32>,
    min_rebalance_interval_secs: Option<u32>,
}

impl RawPolicy {
    fn applied_to(&self, policy: Policy) -> Policy {
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

/// What the owner lets keepers do beyond hedging and deleveraging; at first nothing.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawOwner {
    leverage_bps: Option<u32>,
    min_width_ticks: u32,
    max_width_ticks: u32,
    edge_bps: u32,
    recenter_cooldown_secs: u32,
    compound_min_value: u64,
}

impl RawOwner {
    fn automation(&self, leverage: Bps) -> Automation {
        Automation {
            leverage_bps: self.leverage_bps.unwrap_or(leverage.get()),
            min_width_ticks: self.min_width_ticks,
            max_width_ticks: self.max_width_ticks,
            edge_bps: self.edge_bps,
            recenter_cooldown_secs: self.recenter_cooldown_secs,
            compound_min_value: self.compound_min_value,
            ..Automation::OFF
        }
    }
}

impl RawEconomics {
    fn economics(&self) -> Economics {
        Economics {
            fee_day_bps: self.expected_fee_bps_per_day,
            payback_days: self.payback_days,
            min_reward_lamports: self.min_reward_lamports,
        }
    }
}

/// What a keeper with this configuration takes recentering and compounding to be worth.
///
/// # Errors
/// A file that cannot be read.
pub fn economics(path: &Path) -> Result<Economics> {
    let named = || format!("--keeper {}", path.display());
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read {}: check the path", named()))?;
    let file: File = toml::from_str(&text).with_context(named)?;
    Ok(file.automation.economics())
}

/// A keeper as the file says, in a market with the limits and rules of the one on devnet.
///
/// # Errors
/// A file that cannot be read.
pub fn keeper(path: &Path, args: &ScenarioArgs, shape: &Shape, terms: &Terms) -> Result<Keeper> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read keeper:{}: check the path", path.display()))?;
    let file: File = toml::from_str(&text).with_context(|| format!("keeper:{}", path.display()))?;
    let rules = Migrations::built_in(CLUSTER)?.desired()?;
    let mut market = rules.market_params();
    market.limits.maintenance_ltv_bps = args.maintenance.bps_down()?.get();
    let mut policy = file.policy.applied_to(Policy {
        hedge_bps: shape.hedge.get(),
        ..default_policy(&market.limits)
    });
    if let Some(band) = shape.delta_band {
        // The target is as far within the band as it was.
        policy.delta_target_bps = (u64::from(policy.delta_target_bps) * u64::from(band.get())
            / u64::from(policy.delta_band_bps.max(1))) as u32;
        policy.delta_band_bps = band.get();
        policy.hedge_bps = shape.hedge.get();
    }
    let tick = 1.0001f64.ln();
    let keeper = KeeperTerms {
        safety: rules.safety.into(),
        policy,
        automation: file.owner.automation(shape.leverage),
        economics: file.automation.economics(),
        volatility_ticks: args
            .models
            .measured_sigma_day()
            .map(|sigma| (sigma / tick) as u32),
        fee_ppm: u16::try_from(args.fees.fee_ppm)
            .context("--fee-ppm: a keeper's pool has at most 65535")?,
        tick_spacing: args.tick_spacing,
        market,
    };
    Ok(Keeper::new(&keeper, terms))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example's file is one that a keeper runs with.
    #[test]
    fn a_keepers_own_file_is_taken_as_it_is() {
        let text = include_str!("../../../../keeper/keeper.example.toml");
        let file: File = toml::from_str(text).unwrap();
        let economics = Economics::default();
        assert_eq!(file.automation.payback_days, economics.payback_days);
        assert_eq!(file.owner.automation(Bps::new(30_000)).max_width_ticks, 0);
        let other: File = toml::from_str(
            "[policy]\ndelta_band_bps = 77\n[owner]\nmax_width_ticks = 5\n[automation]\npayback_days = 9\n",
        )
        .unwrap();
        assert_eq!(other.automation.payback_days, 9);
        assert_eq!(other.policy.delta_band_bps, Some(77));
        assert_eq!(other.owner.automation(Bps::ONE).max_width_ticks, 5);
        assert!(toml::from_str::<File>("[policy]\ndelta = 1\n").is_err());
    }
}
