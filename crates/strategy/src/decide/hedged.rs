//! What withdrawing, one swap and repaying with everything would make of a position, as `ballast::session::hedge` carries it out:
//! rehedging and deleveraging with a swap share it.

use ballast::session::room_down;
use ballast_model::{
    Amounts, Bps, HedgedError, HedgedPlan, HedgedRequest, ModelError, Position as PositionModel,
    Side, SqrtPrice, plan_hedged,
};

use super::{
    Assessment, Obstacle,
    swap::{best_swap, swap_cost},
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

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Largest LTV afterwards.
    pub target: Bps,
    /// Loss of the swap that LTV allows for.
    pub loss: Bps,
    /// Largest loss of the swap.
    pub max_loss: Bps,
}

/// What the reserves would lend for that, as the program computes it.
pub(super) fn room(situation: &Situation) -> Result<Result<Amounts, Obstacle>, SituationError> {
    let mut room = Amounts::ZERO;
    for side in [Side::Base, Side::Quote] {
        let mut reserve = *situation.reserve(side);
        reserve.set_state(&situation.accrued(side)?);
        let Ok(amount) = room_down(&reserve) else {
            let error = ModelError::Overflow("room to borrow");
            return Ok(Err(Obstacle::Arithmetic(error)));
        };
        room = match side {
            Side::Base => Amounts {
                base: amount,
                ..room
            },
            Side::Quote => Amounts {
                quote: amount,
                ..room
            },
        };
    }
    Ok(Ok(room))
}

/// Plans it and computes what it comes to.
pub(super) fn hedged(
    situation: &Situation,
    at: &Assessment,
    oracle: SqrtPrice,
    wanted: Wanted,
    room: Amounts,
) -> Result<Hedged, Obstacle> {
    let pool = &situation.market.pool;
    let Wanted {
        target,
        loss,
        max_loss,
    } = wanted;
    let request = HedgedRequest {
        hedge: situation.position.policy.hedge(),
        target,
        loss,
        max_loss,
        room,
    };
    let plan = plan_hedged(&at.model, oracle, at.pool, &request).map_err(|error| match error {
        HedgedError::NoEquity => Obstacle::NoEquity,
        HedgedError::BadTarget(target) => Obstacle::NeedsSwap { target },
        HedgedError::Model(error) => Obstacle::Arithmetic(error),
    })?;
    let swap = match plan.trade {
        Some(trade) => Some(best_swap(
            pool,
            (trade.trade, trade.base),
            oracle,
            max_loss.get(),
        )?),
        None => None,
    };
    let (base, quote) = swap.map_or((0, 0), |swap| (swap.base, swap.quote));
    Ok(Hedged {
        plan,
        after: plan
            .after(&at.model, base, quote)
            .map_err(Obstacle::Arithmetic)?,
        cost: swap.map_or(0, |swap| swap_cost(pool, &swap, oracle)),
    })
}
