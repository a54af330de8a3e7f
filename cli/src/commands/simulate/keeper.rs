//! The keeper's own strategy, from its configuration.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use ballast_client::{Bps, MarketParams, Policy, SafetyRules};
use ballast_simulator::{BandRule, Keeper, KeeperTerms, OwnerTable, PolicyTable, Terms};
use ballast_strategy::situation::Economics;
use serde::Deserialize;

use super::scenario::{ScenarioArgs, Shape};
use crate::{market_rules::RulesArgs, policy::default_policy, trouble::misuse};

/// What of a keeper's configuration matters here, and beside it what is the owner's: both tables may be left out, so that the
/// file which a keeper runs with can be taken as it is.
#[derive(Default, Deserialize)]
struct File {
    #[serde(default)]
    automation: RawEconomics,
    /// What is left out is what a new position has.
    #[serde(default)]
    policy: PolicyTable,
    #[serde(default)]
    owner: OwnerTable,
    #[serde(default)]
    study: StudyTable,
}

/// Of no keeper's configuration: what is set beside the keeper's own rules.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct StudyTable {
    band_rule: BandRule,
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

/// LTV above which a rehedge leaves no new position in a market with these rules.
///
/// # Errors
/// If they cannot be read.
pub fn rehedge_ltv(rules: &RulesArgs) -> Result<Bps> {
    let limits = rules.desired()?.market_params().limits;
    // The default policy's, whatever the pool's fee.
    Ok(Bps::new(limits.target_ltv_bps))
}

/// What a file says of a keeper, and of the market whose limits and rules apply; without a file everything is as by default.
struct Read {
    file: File,
    market: MarketParams,
    safety: SafetyRules,
    policy: Policy,
    fee_ppm: u16,
}

fn read_file(path: &Path) -> Result<File> {
    let named = || format!("keeper:{}", path.display());
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read {}: check the path", named()))?;
    toml::from_str(&text).with_context(named)
}

fn read(path: Option<&Path>, args: &ScenarioArgs, shape: &Shape) -> Result<Read> {
    let file = path.map(read_file).transpose()?.unwrap_or_default();
    let rules = args.rules.desired()?;
    let mut market = rules.market_params();
    market.limits.maintenance_ltv_bps = args.maintenance.bps_down()?.get();
    let fee_ppm =
        u16::try_from(args.fees.fee_ppm).context("--fee-ppm: a keeper's pool has at most 65535")?;
    let mut policy = file.policy.applied_to(Policy {
        hedge_bps: shape.hedge.get(),
        ..default_policy(&market.limits, fee_ppm)
    });
    if let Some(path) = path {
        possible(&policy, &file.policy, &market)
            .map_err(|wrong| misuse!("keeper:{}: {wrong}", path.display()))?;
    }
    if let Some(band) = shape.delta_band {
        // The target is as far within the band as it was.
        policy.delta_target_bps = (u64::from(policy.delta_target_bps) * u64::from(band.get())
            / u64::from(policy.delta_band_bps.max(1))) as u32;
        policy.delta_band_bps = band.get();
        policy.hedge_bps = shape.hedge.get();
    }
    Ok(Read {
        file,
        safety: rules.safety.into(),
        market,
        policy,
        fee_ppm,
    })
}

/// Says what no program would take of a policy that a file names.
fn possible(policy: &Policy, file: &PolicyTable, market: &MarketParams) -> Result<(), String> {
    let (trigger, target) = (
        policy.deleverage_trigger_ltv_bps,
        policy.deleverage_target_ltv_bps,
    );
    let maintenance = market.limits.maintenance_ltv_bps;
    if target >= trigger {
        return Err(format!(
            "deleverage_target_ltv_bps {target} is not below deleverage_trigger_ltv_bps {trigger}: lower the target, or raise the \
             trigger"
        ));
    }
    if file.deleverage_trigger_ltv_bps.is_some() && trigger >= maintenance {
        return Err(format!(
            "deleverage_trigger_ltv_bps {trigger} is not below the market's maintenance of {maintenance} (--maintenance): lower it"
        ));
    }
    Ok(())
}

/// The LTV from which that keeper deleverages: the owner's, or the market's where that is lower.
///
/// # Errors
/// A file that cannot be read.
pub fn deleverage_trigger(path: Option<&Path>, args: &ScenarioArgs, shape: &Shape) -> Result<Bps> {
    let Read { market, policy, .. } = read(path, args, shape)?;
    let markets = market.limits.deleverage_ltv_bps;
    Ok(Bps::new(markets.min(policy.deleverage_trigger_ltv_bps)))
}

/// What is worth knowing of opening at that LTV under that keeper.
///
/// # Errors
/// A file that cannot be read.
pub fn opening_warning(
    path: Option<&Path>,
    args: &ScenarioArgs,
    shape: &Shape,
    ltv: Bps,
) -> Result<Option<String>> {
    let Read { market, policy, .. } = read(path, args, shape)?;
    Ok(ballast_client::opening_warning(
        &market.limits,
        &policy,
        ltv,
    ))
}

/// A keeper as the file says, in a market with the limits and rules that are asked for; without a file everything is as by default.
///
/// # Errors
/// A file that cannot be read.
pub fn keeper(
    path: Option<&Path>,
    args: &ScenarioArgs,
    shape: &Shape,
    terms: &Terms,
) -> Result<Keeper> {
    let Read {
        file,
        market,
        safety,
        policy,
        fee_ppm,
    } = read(path, args, shape)?;
    let keeper = KeeperTerms {
        safety,
        policy,
        automation: file.owner.automation(shape.leverage, args.units())?,
        economics: file.automation.economics(),
        band_rule: file.study.band_rule,
        fee_ppm,
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
        let units = ballast_simulator::Units {
            base_decimals: 9,
            quote_decimals: 6,
        };
        let automation = |file: &File| file.owner.automation(Bps::new(30_000), units).unwrap();
        assert_eq!(automation(&file).max_width_ticks, 0);
        let other: File = toml::from_str(
            "[policy]\ndelta_band_bps = 77\n[owner]\nmax_width_ticks = 5\n[automation]\npayback_days = 9\n",
        )
        .unwrap();
        assert_eq!(other.automation.payback_days, 9);
        assert_eq!(other.policy.delta_band_bps, Some(77));
        assert_eq!(automation(&other).max_width_ticks, 5);
        assert!(toml::from_str::<File>("[policy]\ndelta = 1\n").is_err());
        let study: File = toml::from_str("[study]\nband_rule = \"fees-by-regime\"\n").unwrap();
        assert_eq!(study.study.band_rule, BandRule::FeesByRegime);
    }
}
