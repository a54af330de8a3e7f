//! What may be done to a position, with its amounts.

use ballast_model::{Amounts, Bps, DeleveragePlan, HedgedPlan, LiquidationPlan};

use super::{ActionKind, CompoundPlan, ExitPlan, RecenterPlan};

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
