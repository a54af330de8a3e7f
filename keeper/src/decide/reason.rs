use std::fmt;

use ballast_model::Bps;

/// Why something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// LTV reached a deleverage trigger.
    Leverage {
        /// LTV, rounded up.
        ltv_bps: u32,
        /// The trigger.
        trigger: Bps,
        /// Whether it is the market's, which binds everybody, or the policy's.
        by_market: bool,
    },
    /// LTV reached maintenance.
    Maintenance {
        /// LTV, rounded up.
        ltv_bps: u32,
        /// The threshold.
        maintenance: Bps,
    },
    /// The hedge error left its band.
    Hedge {
        /// Base units, positive: too long.
        error: i128,
        /// Largest error that is left alone.
        tolerance: u64,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leverage {
                ltv_bps,
                trigger,
                by_market,
            } => {
                let whose = if *by_market { "market" } else { "policy" };
                write!(
                    f,
                    "LTV {} at or above the {whose}'s trigger {trigger}",
                    Bps::new(*ltv_bps)
                )
            }
            Self::Maintenance {
                ltv_bps,
                maintenance,
            } => {
                write!(
                    f,
                    "LTV {} at or above maintenance {maintenance}",
                    Bps::new(*ltv_bps)
                )
            }
            Self::Hedge { error, tolerance } => {
                let side = if *error > 0 { "long" } else { "short" };
                write!(
                    f,
                    "{side} by {} base units, {tolerance} are tolerated",
                    error.unsigned_abs()
                )
            }
        }
    }
}
