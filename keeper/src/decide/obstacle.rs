use ballast_model::{Amounts, Bps, ModelError, Side};
use thiserror::Error;

use crate::prices::PriceFault;

/// What stands in the way of an action that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Obstacle {
    /// The owner has switched keepers off.
    #[error("the owner has switched keepers off for this position")]
    KeeperDisabled,
    /// The last rehedge was too recent.
    #[error("too soon after the last rehedge: possible from {due_secs}")]
    TooSoon {
        /// When the interval ends, Unix seconds.
        due_secs: i64,
    },
    /// The oracle's price is not good enough.
    #[error(transparent)]
    Price(PriceFault),
    /// Pool and oracle disagree.
    #[error("the pool's price is more than {max_bps} bps from the oracle's; wait for arbitrage")]
    PoolDiverged {
        /// The market's cap.
        max_bps: u32,
    },
    /// The market's mode.
    #[error("the market is in a mode that does not allow it")]
    ModeForbids,
    /// Fee and distance of the pool's price alone cost more than the cap.
    #[error(
        "the swap would lose at least {loss_bps} bps against the oracle, {max_bps} are allowed; wait for a better pool price"
    )]
    SwapLoss {
        /// Least loss there is, rounded down.
        loss_bps: u64,
        /// The policy's or the market's cap.
        max_bps: u32,
    },
    /// LTV would rise over the deleverage trigger.
    #[error("it would raise LTV to {ltv_bps} bps, the deleverage trigger is {trigger}")]
    RaisesLtv {
        /// LTV afterwards, rounded up.
        ltv_bps: u32,
        /// The trigger.
        trigger: Bps,
    },
    /// A move of the market's stress distance would then end in liquidation.
    #[error(
        "a price move of {distance_bps} bps would then end in liquidation; deleverage first, or give back the hedge ratio"
    )]
    Stress {
        /// The market's stress distance.
        distance_bps: u32,
    },
    /// The reserve cannot lend what the trade needs.
    #[error(
        "the {side} reserve cannot lend {needed} now (liquidity {liquidity}, or a cap); wait for repayments"
    )]
    ReserveShort {
        /// Which reserve.
        side: Side,
        /// Amount to borrow.
        needed: u64,
        /// What is there.
        liquidity: u64,
    },
    /// No swap-free way to the target.
    #[error("the tokens do not match the debts: LTV {target} cannot be reached without a swap")]
    NeedsSwap {
        /// The target.
        target: Bps,
    },
    /// This keeper does not liquidate.
    #[error("this keeper does not liquidate; set liquidation.enabled, or leave it to others")]
    LiquidationOff,
    /// This keeper cannot pay.
    #[error(
        "liquidating needs {needed:?} beyond the collateral, this keeper may pay {funds:?}; fund its wallet or raise liquidation.max_pay"
    )]
    LiquidationFunds {
        /// What the liquidator has to bring.
        needed: Amounts,
        /// What it may spend.
        funds: Amounts,
    },
    /// Numbers out of range.
    #[error("cannot be computed: {0}")]
    Arithmetic(ModelError),
}

/// When an obstacle may have gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// When the position itself changes.
    Position,
    /// At this time.
    At(i64),
    /// With any change of market, pool, prices or reserves.
    Market,
}

impl Obstacle {
    /// When to look again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::KeeperDisabled => Retry::Position,
            Self::TooSoon { due_secs } => Retry::At(*due_secs),
            _ => Retry::Market,
        }
    }
}
