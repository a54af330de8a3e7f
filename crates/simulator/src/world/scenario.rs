//! What happens to a market: a scenario as a file says it.

mod check;

use serde::Deserialize;
use thiserror::Error;

pub use crate::{
    perp::{PartAt, PerpShock},
    takers::OtherPool,
};

/// Why a scenario cannot be played.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ScenarioError {
    /// Not TOML, or an unknown key, or a value of another type.
    #[error("{0}")]
    Toml(String),
    /// A value that makes no sense.
    #[error("{name} = {value} {problem}")]
    Value {
        /// Key.
        name: &'static str,
        /// Value.
        value: f64,
        /// What is wrong, and what would be right.
        problem: &'static str,
    },
}

/// A time between two others, in seconds after the start.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// From here on,
    pub from_secs: u64,
    /// until here.
    pub to_secs: u64,
}

impl Span {
    /// Whether a time lies in it.
    pub fn holds(self, secs: u64) -> bool {
        self.from_secs <= secs && secs < self.to_secs
    }
}

/// The price outside, where arbitrageurs trade and the oracle looks.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct MarketShock {
    /// Points of seconds and price, as a multiple of the first one; straight lines of its logarithm between them.
    pub path: Vec<[f64; 2]>,
    /// Standard deviation of a day's move beyond that.
    pub sigma_day: f64,
    /// Quote that moves this price by 1 % when it is traded against it; none: nothing does.
    pub depth_quote: Option<f64>,
    /// Time in which half of such a move is gone.
    pub recovery_secs: f64,
}

impl Default for MarketShock {
    fn default() -> Self {
        Self {
            path: Vec::new(),
            sigma_day: 0.0,
            depth_quote: None,
            recovery_secs: 600.0,
        }
    }
}

/// How the oracle follows that price.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct OracleTerms {
    /// Age of a price when it is published.
    pub delay_secs: u64,
    /// Time between two prices.
    pub interval_secs: u64,
    /// When none comes.
    pub stalls: Vec<Span>,
    /// Confidence interval over price when the market is calm.
    pub confidence_bps: f64,
    /// How much wider it is per basis point of standard deviation of a minute's move.
    pub confidence_per_move: f64,
}

impl Default for OracleTerms {
    fn default() -> Self {
        Self {
            delay_secs: 1,
            interval_secs: 5,
            stalls: Vec::new(),
            confidence_bps: 3.0,
            confidence_per_move: 0.2,
        }
    }
}

/// What others do in the pool.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct PoolShock {
    /// Part of their liquidity that they leave in it, from a time on.
    pub others: Vec<PartAt>,
    /// How late arbitrageurs trade on the price outside.
    pub arbitrage_delay_secs: u64,
    /// What a trade costs them beside the pool's fee, in whole quote tokens: for less they do not trade.
    pub arbitrage_cost: f64,
    /// What takers trade in a day, in whole quote tokens, as often in either direction.
    pub taker_volume_day: f64,
    /// Another pool, over which they split their trades; none: all comes here.
    pub other_pool: Option<OtherPool>,
    /// Points of seconds and of that pool's liquidity, over its usual one; straight lines between them.
    pub other_depth: Vec<[f64; 2]>,
    /// A part of their volume that goes elsewhere, from a time on.
    pub routing_shift: Option<PartAt>,
}

impl Default for PoolShock {
    fn default() -> Self {
        Self {
            others: Vec::new(),
            arbitrage_delay_secs: 5,
            arbitrage_cost: 0.0,
            taker_volume_day: 0.0,
            other_pool: None,
            other_depth: Vec::new(),
            routing_shift: None,
        }
    }
}

/// How keepers and liquidators get through.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct KeeperShock {
    /// From deciding to landing, in a calm market.
    pub latency_secs: f64,
    /// Chance that a transaction does not land, in a calm market.
    pub miss: f64,
    /// How much both grow with each multiple of the usual move.
    pub worsens: f64,
    /// Standard deviation of a day's move at which a market is calm, and which keepers have measured when the scenario begins; from there on they measure.
    pub usual_sigma_day: f64,
    /// When keepers do not act at all.
    pub outages: Vec<Span>,
    /// Seconds before a liquidator lands after a position is one for him.
    pub liquidator_latency_secs: f64,
}

impl Default for KeeperShock {
    fn default() -> Self {
        Self {
            latency_secs: 2.0,
            miss: 0.05,
            worsens: 0.25,
            usual_sigma_day: 0.05,
            outages: Vec::new(),
            liquidator_latency_secs: 5.0,
        }
    }
}

/// What lenders do.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct LendingShock {
    /// Part of what the base reserve has at hand that lenders take out, at a time.
    pub base_withdrawals: Vec<PartAt>,
    /// The same of the quote reserve.
    pub quote_withdrawals: Vec<PartAt>,
}

/// A scenario.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub summary: String,
    /// How long it takes.
    pub duration_secs: u64,
    /// How often something can happen.
    #[serde(default = "step_secs")]
    pub step_secs: u64,
    /// See there.
    #[serde(default)]
    pub market: MarketShock,
    /// See there.
    #[serde(default)]
    pub oracle: OracleTerms,
    /// See there.
    #[serde(default)]
    pub pool: PoolShock,
    /// See there.
    #[serde(default)]
    pub keepers: KeeperShock,
    /// See there.
    #[serde(default)]
    pub lending: LendingShock,
    /// See there.
    #[serde(default)]
    pub perp: PerpShock,
}

const fn step_secs() -> u64 {
    5
}

/// Scenarios that are built in, by the names of their files.
const BUILT_IN: [(&str, &str); 9] = [
    ("calm", include_str!("../../scenarios/calm.toml")),
    (
        "flash-crash",
        include_str!("../../scenarios/flash-crash.toml"),
    ),
    (
        "slow-bleed",
        include_str!("../../scenarios/slow-bleed.toml"),
    ),
    ("chop", include_str!("../../scenarios/chop.toml")),
    (
        "funding-flip",
        include_str!("../../scenarios/funding-flip.toml"),
    ),
    (
        "depth-gone",
        include_str!("../../scenarios/depth-gone.toml"),
    ),
    (
        "oracle-stall",
        include_str!("../../scenarios/oracle-stall.toml"),
    ),
    (
        "correlated-unwind",
        include_str!("../../scenarios/correlated-unwind.toml"),
    ),
    (
        "full-utilisation",
        include_str!("../../scenarios/full-utilisation.toml"),
    ),
];

impl Scenario {
    /// Whether it does something to who holds a perp.
    pub fn moves_the_venue(&self) -> bool {
        self.perp != PerpShock::default()
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`ScenarioError`].
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let read: Self =
            toml::from_str(text).map_err(|error| ScenarioError::Toml(error.to_string()))?;
        read.check()?;
        Ok(read)
    }

    /// Names of those that are built in.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// One that is built in, as its file says it.
    pub fn text(name: &str) -> Option<&'static str> {
        let found = BUILT_IN.iter().find(|(known, _)| *known == name);
        found.map(|(_, text)| *text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_are_built_in_can_be_played() {
        for name in Scenario::names() {
            let scenario = Scenario::parse(Scenario::text(name).unwrap());
            let scenario = scenario.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(scenario.name, name);
            assert!(scenario.summary.len() > 20, "{name}");
        }
        assert_eq!(Scenario::text("nothing"), None);
    }
}
