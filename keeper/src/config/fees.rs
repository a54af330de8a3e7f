//! Priority fees, and what transactions may cost in an hour.

use serde::{Deserialize, Serialize};

use super::{ConfigError, SIGNATURE_LAMPORTS, check::require};

/// With less than these may cost the keeper warns, unless the configuration names another amount.
const ACTIONS_TO_AFFORD: u64 = 20;

/// Priority fees, in millionths of a lamport per compute unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// Paid when there is no hurry.
    pub min_micro_lamports: u64,
    /// Paid at the boundary. Never more.
    pub max_micro_lamports: u64,
    /// Most that one transaction's priority fee may cost, whatever the above.
    pub max_lamports_per_action: u64,
    /// Most that all transactions of an hour may cost.
    pub max_lamports_per_hour: u64,
    /// The part of that which is kept for exits, deleverages and liquidations.
    pub reserved_lamports_per_hour: u64,
    /// With less SOL than this the keeper warns.
    pub warn_below_lamports: u64,
    /// Price distance to the liquidation boundary from which the fee begins to rise.
    pub relaxed_distance_bps: u32,
    /// Price distance to the liquidation boundary within which nothing is simulated before it is sent.
    pub urgent_distance_bps: u32,
    /// Time in which a usual move reaches the boundary, from which the fee begins to rise as well.
    pub relaxed_secs: u32,
    /// Such a time within which nothing is simulated before it is sent.
    pub urgent_secs: u32,
    /// Most of what a liquidation would take that one transaction's priority fee may cost, where that is known in SOL.
    pub max_stake_bps: u32,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawFees {
    min_micro_lamports: u64,
    max_micro_lamports: u64,
    max_lamports_per_action: u64,
    max_lamports_per_hour: u64,
    reserved_lamports_per_hour: Option<u64>,
    warn_below_lamports: Option<u64>,
    relaxed_distance_bps: u32,
    urgent_distance_bps: u32,
    relaxed_secs: u32,
    urgent_secs: u32,
    max_stake_bps: u32,
}

impl Default for RawFees {
    fn default() -> Self {
        Self {
            min_micro_lamports: 1_000,
            max_micro_lamports: 1_000_000,
            max_lamports_per_action: 200_000,
            max_lamports_per_hour: 1_000_000_000,
            reserved_lamports_per_hour: None,
            warn_below_lamports: None,
            relaxed_distance_bps: 1_000,
            urgent_distance_bps: 100,
            relaxed_secs: 21_600,
            urgent_secs: 600,
            max_stake_bps: 1_000,
        }
    }
}

impl From<RawFees> for Fees {
    fn from(raw: RawFees) -> Self {
        Self {
            min_micro_lamports: raw.min_micro_lamports,
            max_micro_lamports: raw.max_micro_lamports,
            max_lamports_per_action: raw.max_lamports_per_action,
            max_lamports_per_hour: raw.max_lamports_per_hour,
            reserved_lamports_per_hour: raw
                .reserved_lamports_per_hour
                .unwrap_or(raw.max_lamports_per_hour / 2),
            warn_below_lamports: raw.warn_below_lamports.unwrap_or_else(|| {
                let action = raw
                    .max_lamports_per_action
                    .saturating_add(SIGNATURE_LAMPORTS);
                action.saturating_mul(ACTIONS_TO_AFFORD)
            }),
            relaxed_distance_bps: raw.relaxed_distance_bps,
            urgent_distance_bps: raw.urgent_distance_bps,
            relaxed_secs: raw.relaxed_secs,
            urgent_secs: raw.urgent_secs,
            max_stake_bps: raw.max_stake_bps,
        }
    }
}

impl Default for Fees {
    fn default() -> Self {
        RawFees::default().into()
    }
}

impl Fees {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        require(
            self.min_micro_lamports <= self.max_micro_lamports,
            "fees.min_micro_lamports",
            "exceeds max_micro_lamports",
            "lower it or raise max_micro_lamports",
        )?;
        require(
            self.max_lamports_per_action <= 1_000_000_000,
            "fees.max_lamports_per_action",
            "is more than 1 SOL",
            "use at most 1000000000",
        )?;
        let action = self
            .max_lamports_per_action
            .saturating_add(SIGNATURE_LAMPORTS);
        require(
            self.max_lamports_per_hour >= action,
            "fees.max_lamports_per_hour",
            "is less than one action may cost",
            "use at least max_lamports_per_action and a signature of 5000, times the actions of a bad hour",
        )?;
        require(
            self.reserved_lamports_per_hour <= self.max_lamports_per_hour,
            "fees.reserved_lamports_per_hour",
            "exceeds max_lamports_per_hour",
            "lower it or raise max_lamports_per_hour",
        )?;
        require(
            self.urgent_distance_bps <= self.relaxed_distance_bps
                && self.relaxed_distance_bps <= 10_000,
            "fees.relaxed_distance_bps",
            "is out of range",
            "use at least urgent_distance_bps and at most 10000",
        )?;
        require(
            self.urgent_secs <= self.relaxed_secs && self.relaxed_secs <= 2_592_000,
            "fees.relaxed_secs",
            "is out of range",
            "use at least urgent_secs and at most 2592000",
        )?;
        require(
            self.max_stake_bps <= 10_000,
            "fees.max_stake_bps",
            "is more than all of it",
            "use at most 10000",
        )
    }
}
