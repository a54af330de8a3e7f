//! When a flag is raised and when it is quiet again.

use crate::flag::{Flag, Unit};

/// Threshold, window and hysteresis of one flag, in the flag's own unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Raised when the value is this bad or worse.
    pub raise_at: u64,
    /// Quiet again when the value is this good or better, for [`Self::calm_secs`].
    pub clear_at: u64,
    /// What the value looks back on; for values of one moment, how long they must have been that bad.
    pub window_secs: u32,
    /// How long all must be well before a raised flag is quiet.
    pub calm_secs: u32,
}

/// The limits of all flags, and what follows from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// So many raised flags put the keeper into reducing mode. 0: none do.
    pub reduce_at: u32,
    /// For so long after a person's `resume` the flags that were raised at that time do not reduce again.
    pub resume_holds_secs: u32,
    /// An order of the hedge that takes longer is late.
    pub hedge_late_ms: u64,
    /// By flag, in the order of [`Flag::ALL`].
    pub limits: [Limits; Flag::ALL.len()],
}

/// Limits that contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitsError {
    /// Raised and quiet at the same time.
    #[error("clear_at {clear_at} is as bad as raise_at {raise_at}: a flag could never be quiet")]
    Crossed {
        /// Quiet from here on.
        clear_at: u64,
        /// Raised from here on.
        raise_at: u64,
    },
    /// A threshold that everything reaches.
    #[error("raise_at 0 raises the flag for ever: leave it out for the default")]
    Always,
    /// A fall below nothing.
    #[error("raise_at {0} is more than all there is: use at most 10000")]
    MoreThanAll(u64),
    /// A window or calm beyond what is remembered.
    #[error("{what} {secs} is out of range: use {least} to 86400")]
    Window {
        /// Which.
        what: &'static str,
        /// Its value.
        secs: u32,
        /// The least that makes sense.
        least: u32,
    },
}

impl Limits {
    /// Whether a value of this unit is bad enough to raise the flag.
    #[must_use]
    pub const fn is_bad(&self, unit: Unit, value: u64) -> bool {
        if unit.low_is_bad() {
            value <= self.raise_at
        } else {
            value >= self.raise_at
        }
    }

    /// Whether a value of this unit is good enough to clear it.
    #[must_use]
    pub const fn is_good(&self, unit: Unit, value: u64) -> bool {
        if unit.low_is_bad() {
            value >= self.clear_at
        } else {
            value <= self.clear_at
        }
    }

    /// Whether they make sense for a flag.
    ///
    /// # Errors
    /// [`LimitsError`].
    pub fn check(&self, flag: Flag) -> Result<(), LimitsError> {
        let (raise_at, clear_at) = (self.raise_at, self.clear_at);
        if raise_at == 0 && !flag.unit().low_is_bad() {
            return Err(LimitsError::Always);
        }
        if flag.unit() == Unit::BpsDown && raise_at > 10_000 {
            return Err(LimitsError::MoreThanAll(raise_at));
        }
        if self.is_bad(flag.unit(), clear_at) {
            return Err(LimitsError::Crossed { clear_at, raise_at });
        }
        let least = if flag.looks_back() { 60 } else { 0 };
        for (what, secs, least) in [
            ("window_secs", self.window_secs, least),
            ("calm_secs", self.calm_secs, 0),
        ] {
            if !(least..=86_400).contains(&secs) {
                return Err(LimitsError::Window { what, secs, least });
            }
        }
        Ok(())
    }
}

impl Flag {
    /// Whether its value is one of a whole window, not of a moment.
    #[must_use]
    pub const fn looks_back(self) -> bool {
        match self {
            Self::DepthDrop | Self::FundingSpike | Self::RoutingShift | Self::HedgeFills => true,
            Self::OracleStall | Self::StreamLag | Self::EndpointsDisagree | Self::OwnSolLow => {
                false
            }
        }
    }

    /// The limits that hold unless others are configured.
    #[must_use]
    pub const fn default_limits(self) -> Limits {
        let (raise_at, clear_at, window_secs, calm_secs) = match self {
            // Sponsored price accounts follow every 60 s: two missed updates.
            Self::OracleStall => (120, 75, 10, 60),
            Self::DepthDrop => (5_000, 3_500, 300, 600),
            // The venue's interest alone is about 11 % a year.
            Self::FundingSpike => (5_000, 3_000, 10_800, 3_600),
            Self::RoutingShift => (5_000, 3_500, 900, 900),
            Self::HedgeFills => (2, 0, 900, 300),
            // A few slots of one leader in a row may be skipped: 1.6 s.
            Self::StreamLag => (10, 3, 5, 60),
            // 10 s of slots; nodes of one provider differ by a few.
            Self::EndpointsDisagree => (25, 8, 30, 120),
            // What 20 actions may cost by default, and half as much again.
            Self::OwnSolLow => (4_100_000, 6_150_000, 0, 0),
        };
        Limits {
            raise_at,
            clear_at,
            window_secs,
            calm_secs,
        }
    }
}

impl Rules {
    /// The limits of a flag.
    #[must_use]
    pub const fn of(&self, flag: Flag) -> &Limits {
        &self.limits[flag as usize]
    }

    /// The same with other limits for a flag.
    #[must_use]
    pub const fn with(mut self, flag: Flag, limits: Limits) -> Self {
        self.limits[flag as usize] = limits;
        self
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            reduce_at: 2,
            resume_holds_secs: 3_600,
            hedge_late_ms: 5_000,
            limits: Flag::ALL.map(Flag::default_limits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_make_sense_and_are_found_by_flag() {
        let rules = Rules::default();
        for flag in Flag::ALL {
            assert_eq!(rules.of(flag), &flag.default_limits());
            assert_eq!(rules.of(flag).check(flag), Ok(()));
        }
        let other = Limits {
            raise_at: 7,
            ..Flag::StreamLag.default_limits()
        };
        let rules = rules.with(Flag::StreamLag, other);
        assert_eq!(rules.of(Flag::StreamLag).raise_at, 7);
        assert_eq!(
            rules.of(Flag::EndpointsDisagree),
            &Flag::EndpointsDisagree.default_limits()
        );
    }

    #[test]
    fn limits_that_contradict_each_other_are_refused() {
        let with = |flag: Flag, change: fn(&mut Limits)| {
            let mut limits = flag.default_limits();
            change(&mut limits);
            limits.check(flag).unwrap_err()
        };
        assert!(matches!(
            with(Flag::StreamLag, |limits| limits.clear_at = 10),
            LimitsError::Crossed { .. }
        ));
        // Of the balance less is worse.
        assert!(matches!(
            with(Flag::OwnSolLow, |limits| limits.clear_at = 4_100_000),
            LimitsError::Crossed { .. }
        ));
        assert_eq!(
            with(Flag::OracleStall, |limits| limits.raise_at = 0),
            LimitsError::Always
        );
        assert_eq!(
            with(Flag::DepthDrop, |limits| limits.raise_at = 10_001),
            LimitsError::MoreThanAll(10_001)
        );
        assert!(matches!(
            with(Flag::DepthDrop, |limits| limits.window_secs = 59),
            LimitsError::Window { .. }
        ));
        assert!(matches!(
            with(Flag::StreamLag, |limits| limits.calm_secs = 86_401),
            LimitsError::Window { .. }
        ));
    }
}
