//! The flags by name.

use serde::{Deserialize, Serialize};

/// A red flag. The order is that of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// See [`crate::oracle_stall`].
    OracleStall,
    /// See [`crate::depth_drop`].
    DepthDrop,
    /// See [`crate::funding_spike`].
    FundingSpike,
    /// See [`crate::routing_shift`].
    RoutingShift,
    /// See [`crate::hedge_fills`].
    HedgeFills,
    /// See [`crate::stream_lag`].
    StreamLag,
    /// See [`crate::endpoints`].
    EndpointsDisagree,
    /// See [`crate::own_sol`].
    OwnSolLow,
}

/// In what a flag's value is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Secs,
    /// Basis points of what is usual, shown as a fall.
    BpsDown,
    /// Basis points a year.
    BpsPerYear,
    /// Orders.
    Orders,
    /// Slots.
    Slots,
    /// Lamports; here less is worse.
    Lamports,
}

impl Flag {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::OracleStall,
        Self::DepthDrop,
        Self::FundingSpike,
        Self::RoutingShift,
        Self::HedgeFills,
        Self::StreamLag,
        Self::EndpointsDisagree,
        Self::OwnSolLow,
    ];

    /// Its name in configuration, API and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OracleStall => "oracle_stall",
            Self::DepthDrop => "depth_drop",
            Self::FundingSpike => "funding_spike",
            Self::RoutingShift => "routing_shift",
            Self::HedgeFills => "hedge_fills",
            Self::StreamLag => "stream_lag",
            Self::EndpointsDisagree => "endpoints_disagree",
            Self::OwnSolLow => "own_sol_low",
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::OracleStall => "Oracle stall",
            Self::DepthDrop => "Pool depth drop",
            Self::FundingSpike => "Funding spike",
            Self::RoutingShift => "Routing shift",
            Self::HedgeFills => "Hedge fills failing or late",
            Self::StreamLag => "Stream lag",
            Self::EndpointsDisagree => "Endpoints disagree",
            Self::OwnSolLow => "Own SOL low",
        }
    }

    /// In what its value is counted.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::OracleStall | Self::StreamLag => Unit::Secs,
            Self::DepthDrop | Self::RoutingShift => Unit::BpsDown,
            Self::FundingSpike => Unit::BpsPerYear,
            Self::HedgeFills => Unit::Orders,
            Self::EndpointsDisagree => Unit::Slots,
            Self::OwnSolLow => Unit::Lamports,
        }
    }
}

impl Unit {
    /// Whether a smaller value is the worse one.
    #[must_use]
    pub const fn low_is_bad(self) -> bool {
        matches!(self, Self::Lamports)
    }

    /// A value with its unit.
    #[must_use]
    pub fn show(self, value: u64) -> String {
        let percent = |sign: &str| format!("{sign}{}.{:02} %", value / 100, value % 100);
        match self {
            Self::Secs => format!("{value} s"),
            Self::BpsDown => percent(if value == 0 { "" } else { "-" }),
            Self::BpsPerYear => format!("{} a year", percent("")),
            Self::Orders => format!("{value} orders"),
            Self::Slots => format!("{value} slots"),
            // All places that count, and no zeros behind them.
            Self::Lamports => {
                let sol = format!("{}.{:09}", value / 1_000_000_000, value % 1_000_000_000);
                format!("{} SOL", sol.trim_end_matches('0').trim_end_matches('.'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_serde_and_each_is_listed_once() {
        for flag in Flag::ALL {
            let written = serde_json::to_value(flag).unwrap();
            assert_eq!(written, flag.name());
            let same = Flag::ALL.iter().filter(|other| **other == flag);
            assert_eq!(same.count(), 1);
        }
    }

    #[test]
    fn values_are_shown_with_their_units() {
        for (unit, value, shown) in [
            (Unit::Secs, 75, "75 s"),
            (Unit::BpsDown, 5_005, "-50.05 %"),
            (Unit::BpsDown, 0, "0.00 %"),
            (Unit::BpsPerYear, 2_510, "25.10 % a year"),
            (Unit::Orders, 2, "2 orders"),
            (Unit::Slots, 25, "25 slots"),
            (Unit::Lamports, 4_100_000, "0.0041 SOL"),
            (Unit::Lamports, 10_000_000_000, "10 SOL"),
            (Unit::Lamports, 0, "0 SOL"),
        ] {
            assert_eq!(unit.show(value), shown);
        }
    }
}
