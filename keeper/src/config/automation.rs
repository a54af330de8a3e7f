//! What the keeper does beyond keeping positions hedged and solvent, and what it takes that to be worth.

use std::time::Duration;

use ballast_strategy::situation::Economics;
use serde::{Deserialize, Serialize};

use super::{ConfigError, check::require};

/// Recentering, compounding and risk stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Automation {
    /// When recentering and compounding are worth it.
    pub economics: Economics,
    /// Whether tick arrays that a new band needs are created, at this keeper's expense (they are never given back).
    pub create_tick_arrays: bool,
    /// How often the fees of a position are looked at whose owner wants them compounded.
    pub look_at_fees: Duration,
    /// Whether the markets' risk stages are refreshed.
    pub refresh_stages: bool,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawAutomation {
    expected_fee_bps_per_day: u32,
    payback_days: u32,
    min_reward_lamports: u64,
    create_tick_arrays: bool,
    look_at_fees_secs: u64,
    refresh_stages: bool,
}

impl Default for RawAutomation {
    fn default() -> Self {
        let economics = Economics::default();
        Self {
            expected_fee_bps_per_day: economics.fee_day_bps,
            payback_days: economics.payback_days,
            min_reward_lamports: economics.min_reward_lamports,
            create_tick_arrays: true,
            look_at_fees_secs: 300,
            refresh_stages: true,
        }
    }
}

impl From<RawAutomation> for Automation {
    fn from(raw: RawAutomation) -> Self {
        Self {
            economics: Economics {
                fee_day_bps: raw.expected_fee_bps_per_day,
                payback_days: raw.payback_days,
                min_reward_lamports: raw.min_reward_lamports,
            },
            create_tick_arrays: raw.create_tick_arrays,
            look_at_fees: Duration::from_secs(raw.look_at_fees_secs),
            refresh_stages: raw.refresh_stages,
        }
    }
}

impl Default for Automation {
    fn default() -> Self {
        RawAutomation::default().into()
    }
}

impl Automation {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        require(
            self.economics.fee_day_bps <= 10_000,
            "automation.expected_fee_bps_per_day",
            "is more than a position",
            "use at most 10000",
        )?;
        require(
            (1..=365).contains(&self.economics.payback_days),
            "automation.payback_days",
            "is out of range",
            "use 1 to 365",
        )?;
        require(
            (10..=86_400).contains(&self.look_at_fees.as_secs()),
            "automation.look_at_fees_secs",
            "is out of range",
            "use 10 to 86400",
        )
    }
}
