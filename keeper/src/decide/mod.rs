//! What to do about one position: a pure function of its [`Situation`].
//!
//! The rules mirror those of the program, so that what is sent is what it accepts. Of several sufficient actions the
//! cheapest is taken, in the order of the waterfall: deleverage (no swap, equity unchanged), then rehedge, and a
//! liquidation, which costs the owner a bonus, only where deleveraging cannot do it.

mod explain;
mod obstacle;
mod reason;
mod rehedge;
mod solvency;

use ballast::oracle::Grade;
use ballast_model::{
    Amounts, Bps, DeleveragePlan, LiquidationPlan, Position as PositionModel, RehedgePlan,
    SqrtPrice, Valuation, quiet::HedgeBand,
};

pub use explain::{Explanation, Threshold, explain};
pub use obstacle::{Obstacle, Retry};
pub use reason::Reason;

use crate::{
    prices,
    situation::{Situation, SituationError},
};

/// The kinds of action.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum ActionKind {
    /// One swap that brings the hedge error back to zero.
    Rehedge,
    /// Liquidity is withdrawn and both debts are repaid with it.
    Deleverage,
    /// An unhealthy position is closed, in part or whole.
    Liquidate,
}

impl std::fmt::Display for ActionKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Rehedge => "rehedge",
            Self::Deleverage => "deleverage",
            Self::Liquidate => "liquidate",
        })
    }
}

/// An action with the amounts it is expected to move; the chain computes them again from its own state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Swap that much base.
    Rehedge(RehedgePlan),
    /// Withdraw and repay that much.
    Deleverage {
        /// LTV aimed at: the policy's or the market's target.
        target: Bps,
        /// Amounts.
        plan: DeleveragePlan,
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
            Self::Rehedge(_) => ActionKind::Rehedge,
            Self::Deleverage { .. } => ActionKind::Deleverage,
            Self::Liquidate { .. } => ActionKind::Liquidate,
        }
    }
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing is due.
    Nothing,
    /// This, and why.
    Act(Action, Reason),
    /// Something is due but cannot be done now.
    Blocked {
        /// What is due.
        wanted: ActionKind,
        /// Why it is due.
        reason: Reason,
        /// What stands in its way.
        obstacle: Obstacle,
        /// What stands in the way of a rehedge that is due as well and might do instead.
        otherwise: Option<Obstacle>,
    },
}

impl Decision {
    /// All that stands in the way of what is due, in words.
    pub fn obstacles(&self) -> Option<String> {
        let Self::Blocked {
            obstacle,
            otherwise,
            ..
        } = self
        else {
            return None;
        };
        Some(match otherwise {
            None => obstacle.to_string(),
            Some(otherwise) => format!("{obstacle}; nor is a rehedge possible: {otherwise}"),
        })
    }
}

/// A decision with the numbers it was made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// What to do.
    pub decision: Decision,
    /// The position, debts with interest up to now.
    pub model: PositionModel,
    /// The oracle's price, whether or not it may be used.
    pub oracle: SqrtPrice,
    /// The pool's price.
    pub pool: SqrtPrice,
    /// Value at the oracle's price.
    pub value: Valuation,
    /// Hedge error at the oracle's price, base units; positive: too long.
    pub hedge_error: i128,
    /// Largest hedge error that the policy leaves alone, base units.
    pub hedge_tolerance: u64,
    /// The cluster's clock.
    pub now_secs: i64,
    /// Newest slot of the data.
    pub slot: u64,
}

/// Decides. `Err` when the data contradict each other or the oracle's price cannot even be computed.
///
/// # Errors
/// [`SituationError`].
pub fn assess(situation: &Situation) -> Result<Assessment, SituationError> {
    let model = situation.model()?;
    let oracle = situation.oracle()?;
    let value = model.value(oracle)?;
    let policy = &situation.position.policy;
    let hedge_error = model.hedge_error(oracle, policy.hedge())?;
    let hedge = HedgeBand {
        hedge: policy.hedge(),
        band: Bps::new(policy.delta_band_bps),
    };
    let assessment = Assessment {
        decision: Decision::Nothing,
        model,
        oracle,
        pool: situation.market.pool.sqrt_price,
        value,
        hedge_error,
        hedge_tolerance: hedge.tolerance_down(&model)?,
        now_secs: situation.now_secs,
        slot: situation.slot,
    };
    Ok(Assessment {
        decision: decide(situation, &assessment)?,
        ..assessment
    })
}

fn decide(situation: &Situation, at: &Assessment) -> Result<Decision, SituationError> {
    let margin = solvency::decide(situation, at)?;
    if !matches!(margin, Decision::Blocked { .. } | Decision::Nothing) {
        return Ok(margin);
    }
    // A rehedge may bring tokens and debts together where deleveraging alone cannot.
    let hedge = rehedge::decide(situation, at)?;
    Ok(match (margin, hedge) {
        (_, Decision::Act(..)) => hedge,
        (
            Decision::Blocked {
                wanted,
                reason,
                obstacle,
                ..
            },
            Decision::Blocked {
                obstacle: of_hedge, ..
            },
        ) => Decision::Blocked {
            wanted,
            reason,
            obstacle,
            otherwise: Some(of_hedge),
        },
        (Decision::Blocked { .. }, _) => margin,
        _ => hedge,
    })
}

/// Judges the price and turns a fault into an obstacle.
fn usable_price(situation: &Situation, grade: Grade) -> Result<SqrtPrice, Obstacle> {
    prices::judge(situation.market, situation.now_secs, grade).map_err(Obstacle::Price)
}

#[cfg(test)]
mod tests;
