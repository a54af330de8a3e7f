//! When red flags are raised, what follows, and what is kept ready for a gap.

use std::collections::BTreeMap;

use ballast_client::Endpoint;
use ballast_flags::{Flag, Limits, Rules};
use ballast_model::Bps;
use serde::{Deserialize, Serialize};
use solana_sdk::pubkey::Pubkey;

use super::{ConfigError, Fees, check::require, invalid};

/// Red flags and contingency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flags {
    /// Thresholds, windows, and when the keeper reduces.
    pub rules: Rules,
    /// Other nodes, which are asked for their slot only.
    pub other_rpc_urls: Vec<Endpoint>,
    /// By market, the other pools of its pair, whose flow is compared with that of the market's own.
    pub pair_pools: BTreeMap<Pubkey, Vec<Pubkey>>,
    /// The gap of the price, to either side, that the contingency is for.
    pub gap: Bps,
}

#[derive(Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawLimits {
    raise_at: Option<u64>,
    clear_at: Option<u64>,
    window_secs: Option<u32>,
    calm_secs: Option<u32>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawFlags {
    reduce_at: u32,
    resume_holds_secs: u32,
    hedge_late_ms: u64,
    other_rpc_urls: Vec<String>,
    oracle_stall: RawLimits,
    depth_drop: RawLimits,
    funding_spike: RawLimits,
    routing_shift: RawLimits,
    hedge_fills: RawLimits,
    stream_lag: RawLimits,
    endpoints_disagree: RawLimits,
    own_sol_low: RawLimits,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawContingency {
    gap_bps: u32,
}

impl Default for RawContingency {
    fn default() -> Self {
        Self { gap_bps: 1_000 }
    }
}

impl Default for RawFlags {
    fn default() -> Self {
        let rules = Rules::default();
        let limits = RawLimits::default();
        Self {
            reduce_at: rules.reduce_at,
            resume_holds_secs: rules.resume_holds_secs,
            hedge_late_ms: rules.hedge_late_ms,
            other_rpc_urls: Vec::new(),
            oracle_stall: limits,
            depth_drop: limits,
            funding_spike: limits,
            routing_shift: limits,
            hedge_fills: limits,
            stream_lag: limits,
            endpoints_disagree: limits,
            own_sol_low: limits,
        }
    }
}

impl RawLimits {
    /// What is left out is as by default; the end of a flag moves with its beginning.
    fn over(self, default: Limits) -> Limits {
        let raise_at = self.raise_at.unwrap_or(default.raise_at);
        let in_step = || {
            let scaled = u128::from(raise_at) * u128::from(default.clear_at);
            let scaled = scaled / u128::from(default.raise_at.max(1));
            u64::try_from(scaled).unwrap_or(u64::MAX)
        };
        Limits {
            raise_at,
            clear_at: self.clear_at.unwrap_or_else(in_step),
            window_secs: self.window_secs.unwrap_or(default.window_secs),
            calm_secs: self.calm_secs.unwrap_or(default.calm_secs),
        }
    }
}

impl Default for Flags {
    fn default() -> Self {
        let lamports = Fees::default().warn_below_lamports;
        Self::new(
            RawFlags::default(),
            &RawContingency::default(),
            BTreeMap::new(),
            lamports,
        )
    }
}

impl Flags {
    pub(super) fn new(
        raw: RawFlags,
        contingency: &RawContingency,
        pair_pools: BTreeMap<Pubkey, Vec<Pubkey>>,
        warn_below_lamports: u64,
    ) -> Self {
        let mut rules = Rules {
            reduce_at: raw.reduce_at,
            resume_holds_secs: raw.resume_holds_secs,
            hedge_late_ms: raw.hedge_late_ms,
            ..Rules::default()
        };
        for flag in Flag::ALL {
            let limits = match flag {
                Flag::OracleStall => raw.oracle_stall,
                Flag::DepthDrop => raw.depth_drop,
                Flag::FundingSpike => raw.funding_spike,
                Flag::RoutingShift => raw.routing_shift,
                Flag::HedgeFills => raw.hedge_fills,
                Flag::StreamLag => raw.stream_lag,
                Flag::EndpointsDisagree => raw.endpoints_disagree,
                Flag::OwnSolLow => RawLimits {
                    raise_at: raw.own_sol_low.raise_at.or(Some(warn_below_lamports)),
                    ..raw.own_sol_low
                },
            };
            rules = rules.with(flag, limits.over(flag.default_limits()));
        }
        Self {
            rules,
            other_rpc_urls: raw.other_rpc_urls.into_iter().map(Endpoint::new).collect(),
            pair_pools,
            gap: Bps::new(contingency.gap_bps),
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for flag in Flag::ALL {
            self.rules.of(flag).check(flag).map_err(|error| {
                invalid(
                    format!("flags.{}", flag.name()),
                    error.to_string(),
                    "change it, or leave it out for the default",
                )
            })?;
        }
        let most = u32::try_from(Flag::ALL.len()).unwrap_or(u32::MAX);
        require(
            self.rules.reduce_at <= most,
            "flags.reduce_at",
            "is more than there are flags",
            "use 2, or 0 for never",
        )?;
        require(
            self.rules.resume_holds_secs <= 86_400,
            "flags.resume_holds_secs",
            "is out of range",
            "use at most 86400",
        )?;
        require(
            (100..=600_000).contains(&self.rules.hedge_late_ms),
            "flags.hedge_late_ms",
            "is out of range",
            "use 100 to 600000",
        )?;
        require(
            self.other_rpc_urls.iter().all(|url| {
                let url = url.expose();
                url.starts_with("http://") || url.starts_with("https://")
            }),
            "flags.other_rpc_urls",
            "has one that is not an http address",
            "write http://HOST:PORT or https://HOST",
        )?;
        require(
            self.other_rpc_urls.len() <= 8,
            "flags.other_rpc_urls",
            "has too many",
            "use at most 8",
        )?;
        require(
            self.pair_pools.values().all(|pools| pools.len() <= 20),
            "markets.pair_pools",
            "has too many",
            "use at most 20",
        )?;
        require(
            (1..=9_000).contains(&self.gap.get()),
            "contingency.gap_bps",
            "is out of range",
            "use 1 to 9000",
        )
    }
}
