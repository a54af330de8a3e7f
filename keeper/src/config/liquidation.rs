//! Whether and with how much the keeper liquidates.

use ballast_model::Amounts;
use serde::{Deserialize, Serialize};

use super::{ConfigError, check::require};

/// Liquidations by this keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liquidation {
    /// Whether to liquidate at all.
    pub enabled: bool,
    /// Most paid in by one liquidation, raw units.
    pub max_pay: Amounts,
    /// Least gained by one, raw quote units: more than its transaction costs.
    pub min_gain: u64,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLiquidation {
    enabled: bool,
    max_pay_base: u64,
    max_pay_quote: u64,
    min_gain: u64,
}

impl Default for RawLiquidation {
    fn default() -> Self {
        Self {
            enabled: false,
            max_pay_base: 0,
            max_pay_quote: 0,
            min_gain: 10_000,
        }
    }
}

impl From<RawLiquidation> for Liquidation {
    fn from(raw: RawLiquidation) -> Self {
        Self {
            enabled: raw.enabled,
            max_pay: Amounts {
                base: raw.max_pay_base,
                quote: raw.max_pay_quote,
            },
            min_gain: raw.min_gain,
        }
    }
}

impl Liquidation {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        require(
            !self.enabled || self.max_pay != Amounts::ZERO,
            "liquidation.max_pay_base",
            "and max_pay_quote are 0, so that no liquidation could pay anything",
            "set at least one of them, or enabled = false",
        )
    }
}
