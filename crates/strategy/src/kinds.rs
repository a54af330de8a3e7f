//! The kinds of action: what may be done to a position, and to a market.

/// The kinds of action, the most pressing last.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// Fees are put to work.
    Compound,
    /// The position is moved to a new band, hedged and leveraged anew.
    Recenter,
    /// One swap that brings the hedge error back to zero.
    Rehedge,
    /// The market is shown the newest price; of no position.
    RefreshPrice,
    /// The market's risk stage is refreshed; of no position.
    RefreshStage,
    /// Everything is withdrawn and repaid, and swapped into what the owner wants.
    Exit,
    /// Liquidity is withdrawn and both debts are repaid with it.
    Deleverage,
    /// As much liquidity is withdrawn, and as much base swapped, as leaves the position hedged at the target LTV.
    DeleverageSwap,
    /// An unhealthy position is closed, in part or whole.
    Liquidate,
}

impl ActionKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Compound,
        Self::Recenter,
        Self::Rehedge,
        Self::RefreshPrice,
        Self::RefreshStage,
        Self::Exit,
        Self::Deleverage,
        Self::DeleverageSwap,
        Self::Liquidate,
    ];

    /// Whether the outcome depends on a swap in the pool.
    pub fn swaps(self) -> bool {
        matches!(
            self,
            Self::Recenter | Self::Rehedge | Self::Exit | Self::DeleverageSwap
        )
    }

    /// Whether lenders or the owner may lose what waiting costs.
    pub fn protects(self) -> bool {
        self >= Self::RefreshPrice
    }
}

impl std::fmt::Display for ActionKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Compound => "compound",
            Self::Recenter => "recenter",
            Self::Rehedge => "rehedge",
            Self::RefreshPrice => "refresh_price",
            Self::RefreshStage => "refresh_stage",
            Self::Exit => "exit",
            Self::Deleverage => "deleverage",
            Self::DeleverageSwap => "deleverage_swap",
            Self::Liquidate => "liquidate",
        })
    }
}

/// A set of kinds of action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u16);

impl Kinds {
    /// None.
    pub const NONE: Self = Self(0);

    /// As a number.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// From a number.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// With one more.
    #[must_use]
    pub const fn with(self, kind: ActionKind) -> Self {
        Self(self.0 | 1 << kind as u16)
    }

    /// Without one.
    #[must_use]
    pub const fn without(self, kind: ActionKind) -> Self {
        Self(self.0 & !(1 << kind as u16))
    }

    /// Whether it is among them.
    pub const fn contains(self, kind: ActionKind) -> bool {
        self.0 & 1 << kind as u16 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_an_element_of_its_own() {
        let mut all = Kinds::NONE;
        for kind in ActionKind::ALL {
            assert!(!all.contains(kind));
            all = all.with(kind);
            assert!(all.contains(kind) && !all.without(kind).contains(kind));
        }
        for kind in ActionKind::ALL {
            all = all.without(kind);
        }
        assert_eq!(all, Kinds::NONE);
    }
}
