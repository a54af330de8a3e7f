//! What to do about one position: a pure function of its [`Situation`].
//!
//! The rules mirror those of the program, so that what is sent is what it accepts. Each module says for its action whether it is
//! due, and either what it would make of the position or what stands in its way; [`choose`] takes the cheapest action after
//! which nothing is due over a day's usual move. Between an action that cures a position and its liquidation, never the
//! liquidation: that costs the owner a bonus. Fees are put to work when nothing else is due.

mod action;
mod choose;
mod compound;
mod exit;
mod explain;
mod forecast;
mod hedged;
mod liquidate;
mod loss;
mod obstacle;
mod patience;
mod quoted;
mod reason;
mod recenter;
mod rehedge;
mod show;
mod solvency;
mod stage;
mod swap;
pub mod width;

use ballast::{oracle::Grade, state::MarketMode};
use ballast_model::{Bps, Position as PositionModel, SqrtPrice, Valuation, quiet::HedgeBand};

pub use action::Action;
pub use compound::{CompoundPlan, is_wanted as compounding_is_wanted};
pub use exit::ExitPlan;
pub use explain::{Explanation, Threshold, explain};
pub use loss::{Loss, loss_to_show};
pub use obstacle::{Obstacle, Retry};
pub use patience::PATIENCE_SECS;
pub use reason::Reason;
pub use recenter::RecenterPlan;
pub use show::{is_newer_than_shown, shown_age_secs};
pub use stage::{refresh_due, refreshed};

pub use crate::kinds::{ActionKind, Kinds};

use self::{
    choose::{Block, Candidate, Way},
    patience::Patience,
};
use crate::{
    Tokens, prices,
    situation::{Situation, SituationError},
};

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
pub struct Others([Option<(ActionKind, Obstacle)>; 6]);

impl Others {
    /// None.
    pub const NONE: Self = Self([None; 6]);

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
    /// What stands in the way of each, the most pressing first; nothing, if nothing is due.
    fn blocked(blocks: &[Block]) -> Self {
        let Some((first, others)) = blocks.split_first() else {
            return Self::Nothing;
        };
        let otherwise = others.iter().fold(Others::NONE, |others, block| {
            others.with(block.kind, block.obstacle)
        });
        Self::Blocked {
            wanted: first.kind,
            reason: first.reason,
            obstacle: first.obstacle,
            otherwise,
        }
    }

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

    /// What stands in the way of each action that is due, in words, the most pressing first.
    pub fn obstacles(&self, tokens: Tokens, now_secs: i64) -> Vec<String> {
        let told = |(index, (kind, obstacle)): (usize, (ActionKind, Obstacle))| {
            let words = obstacle.told(tokens, now_secs);
            match index {
                0 => words,
                _ => format!("nor is a {kind} possible: {words}"),
            }
        };
        self.blocks().enumerate().map(told).collect()
    }
}

/// What an action is expected to make of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The position afterwards, as far as can be told.
    pub after: PositionModel,
    /// What that costs its equity at the oracle's price, quote units.
    pub cost: u128,
}

impl From<Candidate> for (Decision, Option<Expected>) {
    fn from(candidate: Candidate) -> Self {
        let Candidate {
            action,
            reason,
            after,
            cost,
        } = candidate;
        (
            Decision::Act(action, reason),
            Some(Expected { after, cost }),
        )
    }
}

/// A decision with the numbers it was made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// What to do.
    pub decision: Decision,
    /// What that is expected to make of the position; `None` where nothing is done.
    pub expected: Option<Expected>,
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
        expected: None,
        model,
        oracle,
        pool: situation.market.pool.sqrt_price,
        value,
        hedge_error,
        hedge_tolerance: hedge.tolerance_down(&model)?,
        now_secs: situation.now_secs,
        slot: situation.slot,
    };
    let (decision, expected) = decide(situation, &assessment)?;
    Ok(Assessment {
        decision,
        expected,
        ..assessment
    })
}

fn decide(
    situation: &Situation,
    at: &Assessment,
) -> Result<(Decision, Option<Expected>), SituationError> {
    let mut ways = solvency::ways(situation, at)?;
    ways.extend(exit::way(situation, at)?);
    ways.extend(recenter::way(situation, at)?);
    ways.extend(rehedge::way(situation, at)?);
    let (candidates, mut blocks) = split(situation, ways);
    if let Some(found) = cure(situation, at, &candidates)? {
        return Ok(found.into());
    }
    if at.value.ltv_at_least(maintenance(situation)) {
        let patience = Patience::of(situation, at, &candidates, &blocks)?;
        let way = match patience {
            Patience::Retry => None,
            Patience::None | Patience::Until(_) => liquidate::way(situation, at)?,
        };
        match (way, patience) {
            (Some(Ok(liquidation)), _) if forbidden(situation, ActionKind::Liquidate) => {
                blocks.insert(0, liquidation.blocked(Obstacle::Forbidden));
            }
            (Some(Ok(liquidation)), Patience::Until(until_secs)) => {
                blocks.insert(0, liquidation.blocked(Obstacle::CureAwaited { until_secs }));
            }
            (Some(Ok(liquidation)), _) => return Ok(liquidation.into()),
            (Some(Err(block)), _) => blocks.insert(0, block),
            (None, _) => {}
        }
    }
    // What was refused is better than nothing; what it needs may have come.
    if let Some(found) = choose::best(situation, at, candidates.into_iter())? {
        return Ok(found.into());
    }
    if !blocks.iter().any(|block| block.kind == ActionKind::Exit) {
        match compound::way(situation, at)? {
            Some(Ok(found)) if forbidden(situation, ActionKind::Compound) => {
                blocks.push(found.blocked(Obstacle::Forbidden));
            }
            Some(Ok(found)) if !refused(situation, ActionKind::Compound) => return Ok(found.into()),
            Some(Ok(found)) => blocks.push(found.refused()),
            Some(Err(block)) => blocks.push(block),
            None => {}
        }
    }
    Ok((Decision::blocked(&blocks), None))
}

fn maintenance(situation: &Situation) -> Bps {
    Bps::new(situation.market.market.limits.maintenance_ltv_bps)
}

fn refused(situation: &Situation, kind: ActionKind) -> bool {
    situation.outlook.refused.contains(kind)
}

fn forbidden(situation: &Situation, kind: ActionKind) -> bool {
    situation.outlook.forbidden.contains(kind)
}

/// What is possible, and what is not. Who is to leave the pool is not put into it anew, and an exit or a new band that has just
/// been refused leaves the others their turn.
fn split(situation: &Situation, ways: Vec<Way>) -> (Vec<Candidate>, Vec<Block>) {
    let (mut candidates, mut blocks) = (Vec::new(), Vec::new());
    let leaves = ways.iter().any(|way| match way {
        Ok(candidate) => candidate.action.kind() == ActionKind::Exit,
        Err(block) => block.kind == ActionKind::Exit,
    });
    for way in ways {
        match way {
            Ok(candidate) => {
                let kind = candidate.action.kind();
                if kind == ActionKind::Recenter && leaves {
                    continue;
                }
                let steps_back = matches!(kind, ActionKind::Exit | ActionKind::Recenter);
                if forbidden(situation, kind) {
                    blocks.push(candidate.blocked(Obstacle::Forbidden));
                } else if steps_back && refused(situation, kind) {
                    blocks.push(candidate.refused());
                } else {
                    candidates.push(candidate);
                }
            }
            Err(block) if block.kind == ActionKind::Recenter && leaves => {}
            Err(block) => blocks.push(block),
        }
    }
    (candidates, blocks)
}

/// The best of what has not been refused. From maintenance on, what ends below it comes before what only lowers LTV: a keeper
/// liquidates no position that it can cure.
fn cure(
    situation: &Situation,
    at: &Assessment,
    candidates: &[Candidate],
) -> Result<Option<Candidate>, SituationError> {
    let untried = || {
        let all = candidates.iter().copied();
        all.filter(|candidate| !refused(situation, candidate.action.kind()))
    };
    let maintenance = maintenance(situation);
    if !at.value.ltv_at_least(maintenance) {
        return choose::best(situation, at, untried());
    }
    let ltv_after = |candidate: &Candidate| candidate.after.value(at.oracle);
    let cures = |candidate: &Candidate| {
        ltv_after(candidate).is_ok_and(|value| !value.ltv_at_least(maintenance))
    };
    if let Some(found) = choose::best(situation, at, untried().filter(cures))? {
        return Ok(Some(found));
    }
    let before = at.value.ltv_bps_up();
    let lowers =
        |candidate: &Candidate| ltv_after(candidate).is_ok_and(|value| value.ltv_bps_up() < before);
    choose::best(situation, at, untried().filter(lowers))
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
