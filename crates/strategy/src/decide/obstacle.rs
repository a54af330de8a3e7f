use ballast::state::MarketMode;
use ballast_model::{Amounts, Bps, ModelError, Side};

use crate::{
    Tokens,
    prices::PriceFault,
    text::{amount, when},
};

/// Decimals of SOL.
const SOL: u8 = 9;

/// What stands in the way of an action that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The owner has switched keepers off.
    KeeperDisabled,
    /// The last action of its kind was too recent.
    TooSoon {
        /// When the interval ends, Unix seconds.
        due_secs: i64,
    },
    /// The oracle's price is not good enough.
    Price(PriceFault),
    /// Pool and oracle disagree.
    PoolDiverged {
        /// The market's cap.
        max_bps: u32,
    },
    /// The market's mode or its risk stage.
    ModeForbids {
        /// The mode that authority or guardian have set.
        mode: MarketMode,
        /// The risk stage.
        stage: u8,
    },
    /// Fee and distance of the pool's price alone cost more than the cap.
    SwapLoss {
        /// Least loss there is, rounded down.
        loss_bps: u64,
        /// The policy's or the market's cap.
        max_bps: u32,
    },
    /// LTV would rise over the deleverage trigger.
    RaisesLtv {
        /// LTV afterwards, rounded up.
        ltv_bps: u32,
        /// The trigger.
        trigger: Bps,
    },
    /// A move of the market's stress distance would then end in liquidation.
    Stress {
        /// The market's stress distance.
        distance_bps: u32,
    },
    /// The reserve cannot lend what the trade needs.
    ReserveShort {
        /// Which reserve.
        side: Side,
        /// Amount to borrow.
        needed: u64,
        /// What is there.
        liquidity: u64,
    },
    /// No swap-free way to the target.
    NeedsSwap {
        /// The target.
        target: Bps,
    },
    /// Not even a swap would lower LTV.
    LtvNotLowered,
    /// The swap would use up the equity.
    NoEquity,
    /// This keeper does not liquidate.
    LiquidationOff,
    /// This keeper cannot pay even a part.
    LiquidationFunds {
        /// What the liquidator has to bring.
        needed: Amounts,
        /// What it may spend.
        funds: Amounts,
    },
    /// The liquidation would not be worth it.
    GainTooSmall {
        /// What it would gain.
        gain: u128,
        /// What the keeper wants.
        least: u64,
    },
    /// The price's moving average does not confirm what the price says.
    NoSecondWitness {
        /// LTV at the average, rounded up.
        ltv_bps: u32,
        /// What it has to be.
        needed: Bps,
    },
    /// What would cure the position is waited for: only pool or price stand in its way.
    CureAwaited {
        /// Until then, Unix seconds.
        until_secs: i64,
    },
    /// The day's losses would exceed what owner and market allow.
    DailyLoss {
        /// Loss expected.
        loss: u64,
        /// What may still be lost now.
        left: u64,
        /// When earlier losses have faded enough; `None`: it is too much by itself.
        due_secs: Option<i64>,
    },
    /// The owner has named keepers who go first.
    FirstKeepers {
        /// When it ends.
        until_secs: i64,
    },
    /// Due at this price, but not at the newest that the market knows.
    NewerPrice,
    /// Leverage or LTV would be too high for new risk.
    InitialHealth,
    /// The hedge would not hold at the oracle's price.
    DeltaOutsideTarget {
        /// What the policy allows afterwards.
        band_bps: u32,
    },
    /// The hedge alone needs more debt than the leverage allows.
    HedgeNotAffordable {
        /// The leverage aimed at.
        leverage: Bps,
    },
    /// The owner's bounds hold no band.
    NoBand {
        /// Narrowest.
        min: u32,
        /// Widest.
        max: u32,
    },
    /// A recentering would cost as much as it is expected to earn, or more.
    NotWorthIt {
        /// Cost of the swap.
        cost: u128,
        /// Expected fees.
        earned: u128,
        /// Time for it.
        days: u32,
    },
    /// The reward is less than this keeper works for.
    Unpaid {
        /// What there is.
        reward: u64,
        /// What is wanted.
        wanted: u64,
    },
    /// Node or chain have just refused it.
    Refused,
    /// This keeper may not: a person or its configuration says so.
    Forbidden,
    /// The collateral does not repay everything.
    DebtRemains {
        /// What.
        owed: Amounts,
    },
    /// Numbers out of range.
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
    /// In words, in whole tokens; times with their distance from now.
    pub fn told(&self, tokens: Tokens, now_secs: i64) -> String {
        let quote = |raw: u128| tokens.amount(Side::Quote, raw);
        match self {
            Self::KeeperDisabled => "the owner has switched keepers off for this position".into(),
            Self::TooSoon { due_secs } => {
                format!(
                    "too soon after the last one: possible from {}",
                    when(*due_secs, now_secs)
                )
            }
            Self::Price(fault) => fault.to_string(),
            Self::PoolDiverged { max_bps } => format!(
                "the pool's price is more than {max_bps} bps from the oracle's; wait for arbitrage"
            ),
            Self::ModeForbids { mode, stage } => {
                format!("the market does not allow it: mode {mode:?}, risk stage {stage}")
            }
            Self::SwapLoss { loss_bps, max_bps } => format!(
                "the swap would lose at least {loss_bps} bps against the oracle, {max_bps} are allowed; wait for a better pool \
                 price"
            ),
            Self::RaisesLtv { ltv_bps, trigger } => format!(
                "it would raise LTV to {}, the deleverage trigger is {trigger}",
                Bps::new(*ltv_bps)
            ),
            Self::Stress { distance_bps } => format!(
                "a price move of {distance_bps} bps would then end in liquidation; deleverage first, or give back the hedge \
                 ratio"
            ),
            Self::ReserveShort {
                side,
                needed,
                liquidity,
            } => format!(
                "the {} reserve cannot lend {} now ({} are at hand, or a cap is reached); wait for repayments",
                tokens.name(*side),
                tokens.amount(*side, (*needed).into()),
                tokens.whole(*side, (*liquidity).into())
            ),
            Self::NeedsSwap { target } => format!(
                "the tokens do not match the debts: LTV {target} cannot be reached without a swap"
            ),
            Self::LtvNotLowered => {
                "neither repaying nor a swap would lower LTV by a basis point without raising the \
                 stressed one"
                    .into()
            }
            Self::NoEquity => {
                "after the swap no equity would be left; repay without one, or wait for liquidation"
                    .into()
            }
            Self::LiquidationOff => {
                "this keeper does not liquidate; set liquidation.enabled, or leave it to others"
                    .into()
            }
            Self::LiquidationFunds { needed, funds } => format!(
                "liquidating needs {} beyond the collateral, this keeper may pay {}; fund its wallet or raise \
                 liquidation.max_pay",
                tokens.both(*needed),
                tokens.both(*funds)
            ),
            Self::GainTooSmall { gain, least } => format!(
                "the liquidation would gain {}, this keeper wants {}; see liquidation.min_gain",
                quote(*gain),
                tokens.whole(Side::Quote, (*least).into())
            ),
            Self::NoSecondWitness { ltv_bps, needed } => format!(
                "at the price's moving average LTV is {}, {needed} are needed for a liquidation; deleverage, or wait until it \
                 follows",
                Bps::new(*ltv_bps)
            ),
            Self::CureAwaited { until_secs } => format!(
                "a deleverage would cure it, and only pool or price stand in its way: that is waited for until {}",
                when(*until_secs, now_secs)
            ),
            Self::DailyLoss {
                loss,
                left,
                due_secs,
            } => {
                let from = due_secs.map_or_else(String::new, |due_secs| {
                    format!(": possible from {}", when(due_secs, now_secs))
                });
                format!(
                    "it would lose {}, {} are left of what keepers may lose{from}",
                    quote((*loss).into()),
                    tokens.whole(Side::Quote, (*left).into())
                )
            }
            Self::FirstKeepers { until_secs } => format!(
                "the owner's first keepers have their turn until {}",
                when(*until_secs, now_secs)
            ),
            Self::NewerPrice => "it is not due at the newest price that the market knows".into(),
            Self::InitialHealth => {
                "afterwards leverage or LTV, now or after a move of the stress distance, would be \
                 higher than a position may begin with"
                    .into()
            }
            Self::DeltaOutsideTarget { band_bps } => format!(
                "the hedge error would exceed {band_bps} bps at the oracle's price; wait until the pool agrees with it"
            ),
            Self::HedgeNotAffordable { leverage } => format!(
                "the hedge cannot be borrowed within leverage {leverage}; the owner has to raise it or the hedge ratio has to \
                 fall"
            ),
            Self::NoBand { min, max } => format!(
                "no band of {min} to {max} ticks fits the pool's tick spacing; the owner has to widen the bounds"
            ),
            Self::NotWorthIt { cost, earned, days } => format!(
                "it would cost about {}, the new band is expected to earn {} in {days} days",
                quote(*cost),
                tokens.whole(Side::Quote, *earned)
            ),
            Self::Unpaid { reward, wanted } => format!(
                "it is paid {} SOL, this keeper wants {}; set automation.min_reward_lamports, or leave it to others",
                amount(*reward, SOL),
                amount(*wanted, SOL)
            ),
            Self::Refused => "it has just failed; it is tried again after a pause".into(),
            Self::Forbidden => {
                "this keeper's mode does not permit it now; resume it, or leave it to others".into()
            }
            Self::DebtRemains { owed } => format!("{} would still be owed", tokens.both(*owed)),
            Self::Arithmetic(error) => format!("cannot be computed: {error}"),
        }
    }

    /// When to look again.
    pub fn retry(&self) -> Retry {
        match self {
            // The keeper itself ends its pauses.
            Self::KeeperDisabled | Self::Refused => Retry::Position,
            Self::TooSoon { due_secs }
            | Self::FirstKeepers {
                until_secs: due_secs,
            }
            | Self::CureAwaited {
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
