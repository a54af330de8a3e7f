//! The owner's window and floor: out of the pool when one of them is reached.

use ballast::state::Reaction;
use ballast::{due, events::ExitReason, oracle::Grade};
use ballast_model::{SqrtPrice, Trade};

use super::{
    Action, ActionKind, Assessment, Obstacle, Reason,
    choose::{Block, Candidate, Way},
    forecast::{Forecast, exited},
    swap::swap_cost,
    usable_price,
};
use crate::{
    prices::newest,
    situation::{Situation, SituationError},
};

/// An exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitPlan {
    /// What the owner wants.
    pub reaction: Reaction,
    /// The larger of the swaps on the way; `None`: none is expected.
    pub swap: Option<(Trade, u64)>,
    /// What will lie idle, as far as can be told.
    pub idle: ballast_model::Amounts,
}

/// The exit that is due, whoever may do it.
pub(super) fn due(situation: &Situation, at: &Assessment) -> Option<(ExitReason, Reaction)> {
    if at.model.liquidity == 0 && at.model.debt.is_zero() {
        return None;
    }
    due_by(situation, at, None)
}

/// As the program counts it: with the fees.
fn due_by(
    situation: &Situation,
    at: &Assessment,
    newest: Option<SqrtPrice>,
) -> Option<(ExitReason, Reaction)> {
    let owned = at.model.with_idle(situation.fees_for_floor()).ok()?;
    due::exit_due_for(&situation.position.automation, &owned, at.oracle, newest).ok()?
}

/// What price and equity ask for.
pub(super) fn way(situation: &Situation, at: &Assessment) -> Result<Option<Way>, SituationError> {
    let Some((by, reaction)) = due(situation, at) else {
        return Ok(None);
    };
    let reason = Reason::Exit { by, reaction };
    Ok(Some(match check(situation, at, reaction)? {
        Ok(Forecast { after, swap }) => Ok(Candidate {
            action: Action::Exit(ExitPlan {
                reaction,
                swap: swap.map(|swap| (swap.trade, swap.base)),
                idle: after.idle,
            }),
            reason,
            after,
            cost: swap.map_or(0, |swap| {
                swap_cost(&situation.market.pool, &swap, at.oracle)
            }),
        }),
        Err(obstacle) => Err(Block {
            kind: ActionKind::Exit,
            reason,
            obstacle,
        }),
    }))
}

/// The preconditions of `ballast::instructions::exit`.
fn check(
    situation: &Situation,
    at: &Assessment,
    reaction: Reaction,
) -> Result<Result<Forecast, Obstacle>, SituationError> {
    if !situation.allowed_by_owner() {
        return Ok(Err(Obstacle::KeeperDisabled));
    }
    let oracle = match usable_price(situation, Grade::Loose) {
        Ok(oracle) => oracle,
        Err(obstacle) => return Ok(Err(obstacle)),
    };
    if due_by(situation, at, newest(situation.market, oracle)).is_none() {
        return Ok(Err(Obstacle::NewerPrice));
    }
    Ok(exited(situation, reaction, oracle)?.and_then(|forecast| {
        if forecast.swap.is_some() {
            // Losses are measured against a price of the last seconds.
            usable_price(situation, Grade::Swap)?;
        }
        Ok(forecast)
    }))
}
