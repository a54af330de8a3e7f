//! The end of the waterfall: the part of a liquidation that can be paid for, where nothing cures the position.

use ballast::{
    due,
    oracle::{Grade, average},
    terms,
    witness::needed_to_liquidate_at_both,
};
use ballast_ledger::{LedgerError, LiquidationTerms, liquidate};
use ballast_model::{
    Amounts, Bps, LiquidationError, LiquidationPlan, ModelError, Position as PositionModel,
    SqrtPrice, Valuation, plan_liquidation,
};

use super::{
    Action, ActionKind, Assessment, Obstacle, Reason,
    choose::{Block, Candidate, Way},
    quoted::{self, Ends},
    usable_price,
};
use crate::{
    prices::of_liquidation,
    situation::{Situation, SituationError},
};

/// What is left from maintenance on; `None` if the market would leave the position as it is.
pub(super) fn way(situation: &Situation, at: &Assessment) -> Result<Option<Way>, SituationError> {
    let limits = &situation.market.market.limits;
    let reason = Reason::Maintenance {
        ltv_bps: at.value.ltv_bps_up(),
        maintenance: Bps::new(limits.maintenance_ltv_bps),
    };
    Ok(Some(match check(situation, at)? {
        Ok(None) => return Ok(None),
        Ok(Some((plan, max_pay, after))) => Ok(Candidate {
            action: Action::Liquidate { plan, max_pay },
            reason,
            after,
            // The bonus.
            cost: after.value(at.oracle).map_or(0, |after| {
                let lost = at.value.equity().saturating_sub(after.equity());
                u128::try_from(lost).unwrap_or(0)
            }),
        }),
        Err(obstacle) => Err(Block {
            kind: ActionKind::Liquidate,
            reason,
            obstacle,
        }),
    }))
}

type Found = (LiquidationPlan, Amounts, PositionModel);

/// The preconditions of `ballast::instructions::liquidate`, and what it would do.
fn check(
    situation: &Situation,
    at: &Assessment,
) -> Result<Result<Option<Found>, Obstacle>, SituationError> {
    let (price, funds, plan) = match planned(situation, at) {
        Ok(Some(planned)) => planned,
        Ok(None) => return Ok(Ok(None)),
        Err(obstacle) => return Ok(Err(obstacle)),
    };
    let mut ledger = quoted::ledger(situation, price, Bps::ZERO)?;
    ledger.payer = funds;
    let terms = terms::liquidation(&situation.market.market, price, funds);
    let done = match liquidate(&mut ledger, &at.model, plan, &terms) {
        Ok(done) => done,
        Err(Ends::Ledger(LedgerError::NothingToPayWith)) => {
            let needed = needed(at, &plan, &terms);
            return Ok(needed.map_or_else(
                |error| Err(Obstacle::Arithmetic(error)),
                |needed| Err(Obstacle::LiquidationFunds { needed, funds }),
            ));
        }
        Err(ends) => return Ok(Err(ends.obstacle(&ledger))),
    };
    let books = plan.insolvent() && done.full;
    if done.gain < u128::from(situation.min_gain) && !books {
        return Ok(Err(Obstacle::GainTooSmall {
            gain: done.gain,
            least: situation.min_gain,
        }));
    }
    Ok(quoted::after(&ledger).map(|after| Some((done.plan, funds, after))))
}

/// The price at which it is done, what can be paid, and the plan without regard to that; `None` if the market would leave the position as it is.
fn planned(
    situation: &Situation,
    at: &Assessment,
) -> Result<Option<(SqrtPrice, Amounts, LiquidationPlan)>, Obstacle> {
    let limits = &situation.market.market.limits;
    let funds = situation.funds.ok_or(Obstacle::LiquidationOff)?;
    let oracle = usable_price(situation, Grade::Liquidation)?;
    let (target, bonus) = (
        Bps::new(limits.target_ltv_bps),
        Bps::new(limits.liquidation_bonus_bps),
    );
    let prices = of_liquidation(situation.market, oracle);
    let price = prices[0];
    let plan = match plan_liquidation(&at.model, price, target, bonus) {
        Ok(plan) => plan,
        Err(LiquidationError::Model(error)) => return Err(Obstacle::Arithmetic(error)),
        Err(LiquidationError::NotNeeded { .. } | LiquidationError::BadTarget { .. }) => {
            return Ok(None);
        }
    };
    let other = due::value_at_other(&at.model, prices, &plan.before);
    let other = other.map_err(Obstacle::Arithmetic)?;
    let both = [&other, &plan.before];
    if !due::liquidation_due(limits, both) {
        return Err(Obstacle::NewerPrice);
    }
    witnessed(situation, at, both)?;
    if plan.insolvent() {
        usable_price(situation, Grade::Final)?;
    }
    Ok(Some((price, funds, plan)))
}

/// What all of it would take from the payer.
fn needed(
    at: &Assessment,
    plan: &LiquidationPlan,
    terms: &LiquidationTerms,
) -> Result<Amounts, ModelError> {
    let withdrawn = at
        .model
        .band
        .amounts_down(plan.withdraw_liquidity, at.pool)?;
    let pot = plan.seize_idle.checked_add(withdrawn)?;
    let exchange = plan.exchange(at.model.debt, pot, terms.bonus, terms.oracle)?;
    Ok(exchange.brought())
}

/// The price's moving average has to confirm what the price says.
fn witnessed(
    situation: &Situation,
    at: &Assessment,
    both: [&Valuation; 2],
) -> Result<(), Obstacle> {
    let snapshot = situation.market;
    let Some(needed) = needed_to_liquidate_at_both(&snapshot.market.limits, both) else {
        return Ok(());
    };
    let overflow = Obstacle::Arithmetic(ModelError::Overflow("average price"));
    let average: SqrtPrice = average(
        &snapshot.market,
        &snapshot.base_price,
        &snapshot.quote_price,
    )
    .map_err(|_| overflow)?;
    let value = at.model.value(average).map_err(Obstacle::Arithmetic)?;
    if value.ltv_at_least(needed) {
        return Ok(());
    }
    Err(Obstacle::NoSecondWitness {
        ltv_bps: value.ltv_bps_up(),
        needed,
    })
}
