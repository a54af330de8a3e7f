//! The fees: put to work when enough of them wait.

use ballast::{
    oracle::Grade,
    state::{Allowance, Change, MarketMode, Need},
};
use ballast_model::{Amounts, Bps, Position as PositionModel, Side, SqrtPrice, price::within};

use super::{
    Action, ActionKind, Assessment, Obstacle, Reason,
    choose::{Block, Candidate, Way},
    forecast::{
        compounded, growth_room, require_health, require_loss_allowed, require_turn, worth,
    },
    paid_enough,
    swap::lend,
    usable_price,
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
    Ok(Some(match check(situation, at, (fees, worth))? {
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
    fees: (Amounts, u128),
) -> Result<Result<(CompoundPlan, PositionModel), Obstacle>, SituationError> {
    let (plan, after) = match plan(situation, at, fees) {
        Ok(planned) => planned,
        Err(obstacle) => return Ok(Err(obstacle)),
    };
    let borrowed = after.debt.saturating_sub(at.model.debt);
    for side in [Side::Base, Side::Quote] {
        if let Err(obstacle) = lend(situation, (side, borrowed.get(side)), true)? {
            return Ok(Err(obstacle));
        }
    }
    Ok(Ok((plan, after)))
}

fn plan(
    situation: &Situation,
    at: &Assessment,
    (fees, worth): (Amounts, u128),
) -> Result<(CompoundPlan, PositionModel), Obstacle> {
    let market = &situation.market.market;
    let policy = &situation.position.policy;
    paid_enough(situation)?;
    require_turn(situation, Need::Compound)?;
    let grows = market.mode_at(situation.now_secs) == MarketMode::Normal;
    let grade = if grows { Grade::Tight } else { Grade::Loose };
    let oracle: SqrtPrice = usable_price(situation, grade)?;
    let max_bps = market.limits.max_pool_deviation_bps;
    let grows = grows && growth_room(situation, &at.model, fees, oracle)? > 0;
    if grows && !within(at.pool, oracle, Bps::new(max_bps)) {
        return Err(Obstacle::PoolDiverged { max_bps });
    }
    let (after, liquidity) =
        compounded(situation, &at.model, (fees, worth), grows.then_some(oracle))?;
    if liquidity > 0 {
        require_health(situation, &after, oracle, policy.delta_band_bps)?;
    }
    let change = Change {
        before: &at.model.with_idle(fees).map_err(Obstacle::Arithmetic)?,
        after: &after,
        needed_base: 0,
        fee_rate_ppm: 0,
    };
    require_loss_allowed(situation, Allowance::Daily, &change, oracle)?;
    Ok((CompoundPlan { fees, liquidity }, after))
}
