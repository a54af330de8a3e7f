//! What withdrawing, one swap and repaying with everything would make of a position: rehedging and deleveraging with a swap share
//! it.

use ballast_ledger::{HedgeTerms, hedge};
use ballast_model::{HedgedPlan, Position as PositionModel, SqrtPrice};

use super::{
    Assessment, Obstacle,
    quoted::{after, ledger},
    swap::swap_cost,
};
use crate::situation::{Situation, SituationError};

/// A plan and what it would make of the position, without impact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hedged {
    pub plan: HedgedPlan,
    pub after: PositionModel,
    /// What the swap loses, its impact included, quote units.
    pub cost: u128,
}

/// Plans it and computes what it comes to.
pub(super) fn hedged(
    situation: &Situation,
    at: &Assessment,
    oracle: SqrtPrice,
    terms: &HedgeTerms,
) -> Result<Result<Hedged, Obstacle>, SituationError> {
    let mut ledger = ledger(situation, oracle, terms.max_loss)?;
    let done = hedge(&mut ledger, &at.model, at.pool, oracle, terms);
    let found = done
        .map_err(|ends| ends.obstacle(&ledger))
        .and_then(|done| {
            let pool = &situation.market.pool;
            Ok(Hedged {
                plan: done.plan,
                after: after(&ledger)?,
                cost: ledger
                    .pool
                    .largest
                    .map_or(0, |swap| swap_cost(pool, &swap, oracle)),
            })
        });
    Ok(found)
}
