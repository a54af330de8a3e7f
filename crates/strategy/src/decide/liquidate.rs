//! The end of the waterfall: the part of a liquidation that can be paid for, where nothing cures the position.

use ballast::{
    oracle::{Grade, average},
    witness::needed_to_liquidate,
};
use ballast_model::{
    Amounts, Bps, LiquidationError, LiquidationPlan, ModelError, Position as PositionModel,
    SqrtPrice, plan_liquidation,
};

use super::{
    Action, ActionKind, Assessment, Obstacle, Reason,
    choose::{Block, Candidate, Way},
    usable_price,
};
use crate::situation::Situation;

/// What is left from maintenance on; `None` if the market would leave the position as it is.
pub(super) fn way(situation: &Situation, at: &Assessment) -> Option<Way> {
    let limits = &situation.market.market.limits;
    let reason = Reason::Maintenance {
        ltv_bps: at.value.ltv_bps_up(),
        maintenance: Bps::new(limits.maintenance_ltv_bps),
    };
    Some(match check(situation, at) {
        Ok(None) => return None,
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
    })
}

type Found = (LiquidationPlan, Amounts, PositionModel);

/// The preconditions of `ballast::instructions::liquidate`. Fees that the program collects from insolvent positions are left out,
/// so it may give a little more.
fn check(situation: &Situation, at: &Assessment) -> Result<Option<Found>, Obstacle> {
    let market = &situation.market.market;
    let limits = &market.limits;
    let funds = situation.funds.ok_or(Obstacle::LiquidationOff)?;
    let oracle = usable_price(situation, Grade::Liquidation)?;
    let (target, bonus) = (
        Bps::new(limits.target_ltv_bps),
        Bps::new(limits.liquidation_bonus_bps),
    );
    let plan = match plan_liquidation(&at.model, oracle, target, bonus) {
        Ok(plan) => plan,
        Err(LiquidationError::Model(error)) => return Err(Obstacle::Arithmetic(error)),
        Err(LiquidationError::NotNeeded { .. } | LiquidationError::BadTarget { .. }) => {
            return Ok(None);
        }
    };
    witnessed(situation, at)?;
    if plan.insolvent() {
        usable_price(situation, Grade::Final)?;
    }
    let arithmetic = Obstacle::Arithmetic;
    let part = plan
        .paid_by(&at.model, oracle, at.pool, bonus, funds)
        .map_err(arithmetic)?;
    let exchange = |plan: &LiquidationPlan| {
        let withdrawn = at
            .model
            .band
            .amounts_down(plan.withdraw_liquidity, at.pool)?;
        let pot = plan.seize_idle.checked_add(withdrawn)?;
        plan.exchange(at.model.debt, pot, bonus, oracle)
    };
    let done = exchange(&part).map_err(arithmetic)?;
    let books = part.insolvent() && part.part.is_all();
    if done.repay.is_zero() && !books {
        let needed = exchange(&plan).map_err(arithmetic)?.brought();
        return Err(Obstacle::LiquidationFunds { needed, funds });
    }
    let gain = done.gain(oracle).map_err(arithmetic)?;
    if gain < u128::from(situation.min_gain) && !books {
        return Err(Obstacle::GainTooSmall {
            gain,
            least: situation.min_gain,
        });
    }
    let after = part.apply(&at.model).map_err(arithmetic)?;
    Ok(Some((part, funds, after)))
}

/// The price's moving average has to confirm what the price says.
fn witnessed(situation: &Situation, at: &Assessment) -> Result<(), Obstacle> {
    let snapshot = situation.market;
    let Some(needed) = needed_to_liquidate(&snapshot.market.limits, &at.value) else {
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
