//! The fees: put to work when enough of them wait.

use ballast::{
    oracle::Grade,
    state::{Allowance, Change, MarketMode, Need},
};
use ballast_model::{Amounts, Position as PositionModel, SqrtPrice};

use super::{
    Action, ActionKind, Assessment, Obstacle, Reason,
    choose::{Block, Candidate, Way},
    forecast::{compounded, require_health, require_loss_allowed, require_turn, worth},
    paid_enough, usable_price,
};
use crate::situation::{Situation, SituationError};

/// What compounding does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompoundPlan {
    /// Fees that wait.
    pub fees: Amounts,
    /// Liquidity that is added; the rest repays debts.
    pub liquidity: u128,
}

/// Whether the owner wants fees compounded, so that it is worth looking at them.
pub fn is_wanted(situation: &Situation) -> bool {
    let position = situation.position;
    position.automation.compound_min_value > 0
        && position.liquidity.get() > 0
        && situation.allowed_by_owner()
}

/// What the fees that were seen ask for.
pub(super) fn way(situation: &Situation, at: &Assessment) -> Result<Option<Way>, SituationError> {
    let least = situation.position.automation.compound_min_value;
    let Some(fees) = situation.outlook.fees.filter(|_| is_wanted(situation)) else {
        return Ok(None);
    };
    let worth = worth(fees, at.oracle)?;
    if worth < u128::from(least) {
        return Ok(None);
    }
    let reason = Reason::Fees { worth, least };
    Ok(Some(match check(situation, at, fees)? {
        Ok((plan, after)) => Ok(Candidate {
            action: Action::Compound(plan),
            reason,
            after,
            cost: 0,
        }),
        Err(obstacle) => Err(Block {
            kind: ActionKind::Compound,
            reason,
            obstacle,
        }),
    }))
}

/// The preconditions of `ballast::instructions::collect::compound`.
fn check(
    situation: &Situation,
    at: &Assessment,
    fees: Amounts,
) -> Result<Result<(CompoundPlan, PositionModel), Obstacle>, SituationError> {
    let market = &situation.market.market;
    let grows = market.mode_at(situation.now_secs) == MarketMode::Normal;
    let oracle = match timely(situation, grows) {
        Ok(oracle) => oracle,
        Err(obstacle) => return Ok(Err(obstacle)),
    };
    let found = compounded(situation, oracle, grows)?;
    Ok(found.and_then(|(after, liquidity)| {
        accepted(situation, at, (fees, liquidity), &after, oracle)?;
        Ok((CompoundPlan { fees, liquidity }, after))
    }))
}

fn timely(situation: &Situation, grows: bool) -> Result<SqrtPrice, Obstacle> {
    paid_enough(situation)?;
    require_turn(situation, Need::Compound)?;
    let grade = if grows { Grade::Tight } else { Grade::Loose };
    usable_price(situation, grade)
}

/// What must hold afterwards.
fn accepted(
    situation: &Situation,
    at: &Assessment,
    (fees, liquidity): (Amounts, u128),
    after: &PositionModel,
    oracle: SqrtPrice,
) -> Result<(), Obstacle> {
    if liquidity > 0 {
        let band_bps = situation.position.policy.delta_band_bps;
        require_health(situation, after, oracle, band_bps)?;
    } else if situation.keeper != situation.position.owner {
        let value = after.value(oracle).map_err(Obstacle::Arithmetic)?;
        if value.debt > value.assets {
            return Err(Obstacle::LtvNotLowered);
        }
    }
    let change = Change {
        before: &at.model.with_idle(fees).map_err(Obstacle::Arithmetic)?,
        after,
        needed_base: 0,
        fee_rate_ppm: 0,
    };
    require_loss_allowed(situation, Allowance::Daily, &change, oracle)
}
