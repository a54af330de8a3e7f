//! What may be done to a position, and to a market.

use ballast_model::{Amounts, Bps, DeleveragePlan, HedgedPlan, LiquidationPlan};

use super::{CompoundPlan, ExitPlan, RecenterPlan};

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

/// An action with the amounts it is expected to move; the chain computes them again from its own state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Withdraw that much, if anything, and swap that much base.
    Rehedge(HedgedPlan),
    /// Move to that band.
    Recenter(RecenterPlan),
    /// Put that to work.
    Compound(CompoundPlan),
    /// Get out of the pool.
    Exit(ExitPlan),
    /// Withdraw and repay that much.
    Deleverage {
        /// LTV aimed at: the policy's or the market's target.
        target: Bps,
        /// Amounts.
        plan: DeleveragePlan,
    },
    /// Withdraw that much, swap that much base, and repay with everything.
    DeleverageSwap {
        /// LTV aimed at: the policy's or the market's target.
        target: Bps,
        /// Amounts.
        plan: HedgedPlan,
    },
    /// Close that much.
    Liquidate {
        /// Amounts.
        plan: LiquidationPlan,
        /// Most that the signer is ready to pay in.
        max_pay: Amounts,
    },
}

impl Action {
    /// Its kind.
    pub fn kind(&self) -> ActionKind {
        match self {
            Self::Compound(_) => ActionKind::Compound,
            Self::Recenter(_) => ActionKind::Recenter,
            Self::Rehedge(_) => ActionKind::Rehedge,
            Self::Exit(_) => ActionKind::Exit,
            Self::Deleverage { .. } => ActionKind::Deleverage,
            Self::DeleverageSwap { .. } => ActionKind::DeleverageSwap,
            Self::Liquidate { .. } => ActionKind::Liquidate,
        }
    }
}
