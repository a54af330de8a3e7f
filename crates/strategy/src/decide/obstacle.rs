use ballast::state::MarketMode;
use ballast_model::{Amounts, Bps, ModelError, Side};
use thiserror::Error;

use crate::prices::PriceFault;

/// What stands in the way of an action that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Obstacle {
    /// The owner has switched keepers off.
    #[error("the owner has switched keepers off for this position")]
    KeeperDisabled,
    /// The last action of its kind was too recent.
    #[error("too soon after the last one: possible from {due_secs}")]
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
    /// The market's mode or its risk stage.
    #[error("the market does not allow it: mode {mode:?}, risk stage {stage}")]
    ModeForbids {
        /// The mode that authority or guardian have set.
        mode: MarketMode,
        /// The risk stage.
        stage: u8,
    },
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
    /// Not even a swap would lower LTV.
    #[error(
        "neither repaying nor a swap would lower LTV by a basis point without raising the stressed one"
    )]
    LtvNotLowered,
    /// The swap would use up the equity.
    #[error("after the swap no equity would be left; repay without one, or wait for liquidation")]
    NoEquity,
    /// This keeper does not liquidate.
    #[error("this keeper does not liquidate; set liquidation.enabled, or leave it to others")]
    LiquidationOff,
    /// This keeper cannot pay even a part.
    #[error(
        "liquidating needs {needed:?} beyond the collateral, this keeper may pay {funds:?}; fund its wallet or raise liquidation.max_pay"
    )]
    LiquidationFunds {
        /// What the liquidator has to bring.
        needed: Amounts,
        /// What it may spend.
        funds: Amounts,
    },
    /// The liquidation would not be worth it.
    #[error(
        "the liquidation would gain {gain} quote units, this keeper wants {least}; see liquidation.min_gain"
    )]
    GainTooSmall {
        /// What it would gain.
        gain: u128,
        /// What the keeper wants.
        least: u64,
    },
    /// The price's moving average does not confirm what the price says.
    #[error(
        "at the price's moving average LTV is {ltv_bps} bps, {needed} are needed for a liquidation; deleverage, or wait until it follows"
    )]
    NoSecondWitness {
        /// LTV at the average, rounded up.
        ltv_bps: u32,
        /// What it has to be.
        needed: Bps,
    },
    /// The day's losses would exceed what owner and market allow.
    #[error("it would lose {loss} quote units, {left} are left of what keepers may lose{}", from(*.due_secs))]
    DailyLoss {
        /// Loss expected.
        loss: u64,
        /// What may still be lost now.
        left: u64,
        /// When earlier losses have faded enough; `None`: it is too much by itself.
        due_secs: Option<i64>,
    },
    /// The owner has named keepers who go first.
    #[error("the owner's first keepers have their turn until {until_secs}")]
    FirstKeepers {
        /// When it ends.
        until_secs: i64,
    },
    /// Due at this price, but not at the newest that the market knows.
    #[error("it is not due at the newest price that the market knows")]
    NewerPrice,
    /// Leverage or LTV would be too high for new risk.
    #[error(
        "afterwards leverage or LTV, now or after a move of the stress distance, would be higher than a position may begin with"
    )]
    InitialHealth,
    /// The hedge would not hold at the oracle's price.
    #[error(
        "the hedge error would exceed {band_bps} bps at the oracle's price; wait until the pool agrees with it"
    )]
    DeltaOutsideTarget {
        /// What the policy allows afterwards.
        band_bps: u32,
    },
    /// The hedge alone needs more debt than the leverage allows.
    #[error(
        "the hedge cannot be borrowed within leverage {leverage}; the owner has to raise it or the hedge ratio has to fall"
    )]
    HedgeNotAffordable {
        /// The leverage aimed at.
        leverage: Bps,
    },
    /// The owner's bounds hold no band.
    #[error(
        "no band of {min} to {max} ticks fits the pool's tick spacing; the owner has to widen the bounds"
    )]
    NoBand {
        /// Narrowest.
        min: u32,
        /// Widest.
        max: u32,
    },
    /// A recentering would cost more than it is expected to earn.
    #[error(
        "it would cost about {cost} quote units, the new band is expected to earn {earned} in {days} days"
    )]
    NotWorthIt {
        /// Cost of the swap.
        cost: u128,
        /// Expected fees.
        earned: u128,
        /// Time for it.
        days: u32,
    },
    /// The reward is less than this keeper works for.
    #[error(
        "it is paid {reward} lamports, this keeper wants {wanted}; set automation.min_reward_lamports, or leave it to others"
    )]
    Unpaid {
        /// What there is.
        reward: u64,
        /// What is wanted.
        wanted: u64,
    },
    /// Node or chain have just refused it.
    #[error("it has just failed; it is tried again after a pause")]
    Refused,
    /// This keeper may not: a person or its configuration says so.
    #[error("this keeper's mode does not permit it now; resume it, or leave it to others")]
    Forbidden,
    /// The collateral does not repay everything.
    #[error("{owed:?} would still be owed")]
    DebtRemains {
        /// What.
        owed: Amounts,
    },
    /// Numbers out of range.
    #[error("cannot be computed: {0}")]
    Arithmetic(ModelError),
}

fn from(due_secs: Option<i64>) -> String {
    due_secs.map_or_else(String::new, |due_secs| {
        format!(": possible from {due_secs}")
    })
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
            // The keeper itself ends its pauses.
            Self::KeeperDisabled | Self::Refused => Retry::Position,
            Self::TooSoon { due_secs }
            | Self::FirstKeepers {
                until_secs: due_secs,
            }
            | Self::DailyLoss {
                due_secs: Some(due_secs),
                ..
            } => Retry::At(*due_secs),
            _ => Retry::Market,
        }
    }
}
