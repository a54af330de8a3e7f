//! What to do about one position: a pure function of its [`Situation`].
//!
//! The rules mirror those of the program, so that what is sent is what it accepts. What keeps lenders whole comes first:
//! deleverage (no swap, equity unchanged), and a liquidation, which costs the owner a bonus, only where deleveraging cannot
//! do it. Then what protects the owner: an exit at the window's edges or the equity floor. Then a new band where the present
//! one was left and that pays, which brings the hedge along, or else a rehedge. Last the fees.

mod compound;
mod exit;
mod explain;
mod forecast;
mod kinds;
mod obstacle;
mod reason;
mod recenter;
mod rehedge;
mod show;
mod solvency;
mod stage;
mod swap;
pub mod width;

use ballast::{oracle::Grade, state::MarketMode};
use ballast_model::{
    Amounts, Bps, DeleveragePlan, LiquidationPlan, Position as PositionModel, RehedgePlan,
    SqrtPrice, Valuation, quiet::HedgeBand,
};

pub use compound::{CompoundPlan, is_wanted as compounding_is_wanted};
pub use exit::ExitPlan;
pub use explain::{Explanation, Threshold, explain};
pub use kinds::Kinds;
pub use obstacle::{Obstacle, Retry};
pub use reason::Reason;
pub use recenter::RecenterPlan;
pub use show::{is_newer_than_shown, shown_age_secs};
pub use stage::refresh_due;
#[cfg(test)]
pub(crate) use stage::refreshed;

use crate::{
    prices,
    situation::{Situation, SituationError},
};

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
    /// An unhealthy position is closed, in part or whole.
    Liquidate,
}

impl ActionKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Compound,
        Self::Recenter,
        Self::Rehedge,
        Self::RefreshPrice,
        Self::RefreshStage,
        Self::Exit,
        Self::Deleverage,
        Self::Liquidate,
    ];

    /// Whether the outcome depends on a swap in the pool.
    pub fn swaps(self) -> bool {
        matches!(self, Self::Recenter | Self::Rehedge | Self::Exit)
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
            Self::Liquidate => "liquidate",
        })
    }
}

/// An action with the amounts it is expected to move; the chain computes them again from its own state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Swap that much base.
    Rehedge(RehedgePlan),
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
            Self::Liquidate { .. } => ActionKind::Liquidate,
        }
    }
}

/// What to do.
#[allow(clippy::large_enum_variant, reason = "one of a position at a time")]
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
        /// What else is due, is less pressing, and cannot be done either.
        otherwise: Others,
    },
}

/// Further actions that are due, each with what stands in its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Others([Option<(ActionKind, Obstacle)>; 4]);

impl Others {
    /// None.
    pub const NONE: Self = Self([None; 4]);

    /// With one more. There is room for every kind that can be due beside another.
    #[must_use]
    pub fn with(mut self, kind: ActionKind, obstacle: Obstacle) -> Self {
        if let Some(free) = self.0.iter_mut().find(|other| other.is_none()) {
            *free = Some((kind, obstacle));
        }
        self
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (ActionKind, Obstacle)> {
        self.0.into_iter().flatten()
    }
}

impl Decision {
    /// What is due first, possible or not.
    pub fn kind(&self) -> Option<ActionKind> {
        match self {
            Self::Nothing => None,
            Self::Act(action, _) => Some(action.kind()),
            Self::Blocked { wanted, .. } => Some(*wanted),
        }
    }

    /// Every action that is due and cannot be done, with what stands in its way, the most pressing first.
    pub fn blocks(&self) -> impl Iterator<Item = (ActionKind, Obstacle)> {
        let (first, others) = match self {
            Self::Blocked {
                wanted,
                obstacle,
                otherwise,
                ..
            } => (Some((*wanted, *obstacle)), *otherwise),
            Self::Nothing | Self::Act(..) => (None, Others::NONE),
        };
        first.into_iter().chain(others.0.into_iter().flatten())
    }

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
        let mut text = obstacle.to_string();
        for (kind, other) in otherwise.iter() {
            text.push_str(&format!("; nor is a {kind} possible: {other}"));
        }
        Some(text)
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
    type Step = fn(&Situation, &Assessment) -> Result<Decision, SituationError>;
    let steps: [Step; 5] = [
        solvency::decide,
        exit::decide,
        recenter::decide,
        rehedge::decide,
        compound::decide,
    ];
    let mut due = Decision::Nothing;
    for step in steps {
        let next = without_refused(situation, step(situation, at)?);
        if next.kind().is_some_and(|kind| leaves(&due, kind)) {
            continue;
        }
        match (due, next) {
            (_, Decision::Act(..)) => return Ok(next),
            (_, Decision::Nothing) => {}
            (
                Decision::Blocked {
                    wanted,
                    reason,
                    obstacle,
                    otherwise,
                },
                Decision::Blocked {
                    wanted: kind,
                    obstacle: of_next,
                    ..
                },
            ) => {
                due = Decision::Blocked {
                    wanted,
                    reason,
                    obstacle,
                    otherwise: otherwise.with(kind, of_next),
                };
            }
            (_, Decision::Blocked { .. }) => due = next,
        }
    }
    Ok(due)
}

/// What has just been refused is not tried at once again, so that what is less pressing may do instead. Margin and hedge have
/// nothing that could do instead.
fn without_refused(situation: &Situation, decision: Decision) -> Decision {
    match decision {
        Decision::Act(action, reason)
            if matches!(
                action.kind(),
                ActionKind::Exit | ActionKind::Recenter | ActionKind::Compound
            ) && situation.outlook.refused.contains(action.kind()) =>
        {
            Decision::Blocked {
                wanted: action.kind(),
                reason,
                obstacle: Obstacle::Refused,
                otherwise: Others::NONE,
            }
        }
        other => other,
    }
}

/// Whether what cannot be done now would be thwarted by another action: who is to leave the pool is not put into it anew.
fn leaves(due: &Decision, other: ActionKind) -> bool {
    matches!(other, ActionKind::Recenter | ActionKind::Compound)
        && due.blocks().any(|(kind, _)| kind == ActionKind::Exit)
}

/// Whether mode and risk stage allow what needs at most this mode.
fn mode_allows(situation: &Situation, most: MarketMode) -> Result<(), Obstacle> {
    let market = &situation.market.market;
    if market.mode_at(situation.now_secs) > most {
        return Err(Obstacle::ModeForbids {
            mode: market.mode_set_at(situation.now_secs),
            stage: market.stage.stage,
        });
    }
    Ok(())
}

/// Whether what can wait is paid as much as the keeper wants.
fn paid_enough(situation: &Situation) -> Result<(), Obstacle> {
    let wanted = situation.outlook.economics.min_reward_lamports;
    let reward = situation.reward_lamports();
    if reward < wanted {
        return Err(Obstacle::Unpaid { reward, wanted });
    }
    Ok(())
}

/// Judges the price and turns a fault into an obstacle.
fn usable_price(situation: &Situation, grade: Grade) -> Result<SqrtPrice, Obstacle> {
    prices::judge(situation.market, situation.now_secs, grade).map_err(Obstacle::Price)
}

#[cfg(test)]
mod tests;
