//! What the program would make of a position, and what must hold then.

use ballast::{
    oracle::{OraclePrice, confidence_ppm_up},
    risk,
    state::{Allowance, Change, Charge, Need, Reaction, Turn},
    terms,
};
use ballast_ledger::Values;
use ballast_model::{
    Amounts, Band, Bps, ModelError, Position as PositionModel, SqrtPrice, price::within, value_down,
};

use super::{
    Assessment, Obstacle,
    quoted::{Ends, Quoted, after, ledger},
    swap::BestSwap,
};
use crate::{
    prices::newest,
    situation::{Situation, SituationError},
};

/// A position afterwards, and the swap on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Forecast {
    pub after: PositionModel,
    pub swap: Option<BestSwap>,
}

fn arithmetic(error: impl Into<ModelError>) -> Obstacle {
    Obstacle::Arithmetic(error.into())
}

/// What `recenter` makes of the position.
pub(super) fn recentered(
    situation: &Situation,
    at: &Assessment,
    band: Band,
    oracle: SqrtPrice,
) -> Result<Result<Forecast, Obstacle>, SituationError> {
    let (market, position) = (&situation.market.market, situation.position);
    let terms = terms::recenter(
        &market.limits,
        &position.policy,
        &position.automation,
        oracle,
    );
    let mut ledger = ledger(situation, oracle, terms.max_loss)?;
    let done = ballast_ledger::recenter(&mut ledger, at.value.assets, &terms, |ledger| {
        ledger.band = band;
        Ok(())
    });
    Ok(forecast(&ledger, done.map(|_| ())))
}

/// What `compound` makes of the position, and the liquidity that it adds. `grows`: the market allows new risk.
pub(super) fn compounded(
    situation: &Situation,
    oracle: SqrtPrice,
    grows: bool,
) -> Result<Result<(PositionModel, u128), Obstacle>, SituationError> {
    let (limits, position) = (&situation.market.market.limits, situation.position);
    let terms = terms::compound(
        limits,
        &position.policy,
        &position.automation,
        oracle,
        grows,
    );
    let mut ledger = ledger(situation, oracle, Bps::ZERO)?;
    let done = ballast_ledger::compound(&mut ledger, &terms, |_| {
        Ok(require_near(situation, oracle)?)
    });
    Ok(done
        .map_err(|ends| ends.obstacle(&ledger))
        .and_then(|done| Ok((after(&ledger)?, done.liquidity))))
}

/// What `exit` makes of the position. The swap is the larger one, if it takes two.
pub(super) fn exited(
    situation: &Situation,
    reaction: Reaction,
    oracle: SqrtPrice,
) -> Result<Result<Forecast, Obstacle>, SituationError> {
    let (limits, position) = (&situation.market.market.limits, situation.position);
    let newest = newest(situation.market, oracle);
    let terms = terms::exit(limits, &position.automation, reaction, oracle, newest);
    let mut ledger = ledger(situation, oracle, terms.max_loss)?;
    let done = ballast_ledger::exit(&mut ledger, &terms, |_| {
        Ok(require_near(situation, oracle)?)
    });
    Ok(forecast(&ledger, done.map(|_| ())))
}

fn forecast(ledger: &Values<Quoted>, done: Result<(), Ends>) -> Result<Forecast, Obstacle> {
    done.map_err(|ends| ends.obstacle(ledger))?;
    Ok(Forecast {
        after: after(ledger)?,
        swap: ledger.pool.largest,
    })
}

fn require_near(situation: &Situation, oracle: SqrtPrice) -> Result<(), Obstacle> {
    let max_bps = situation.market.market.limits.max_pool_deviation_bps;
    if !within(situation.market.pool.sqrt_price, oracle, Bps::new(max_bps)) {
        return Err(Obstacle::PoolDiverged { max_bps });
    }
    Ok(())
}

/// The oracle's price with its confidence interval, as `ballast::oracle` computes it.
pub(super) fn interval(situation: &Situation, mid: SqrtPrice) -> Result<OraclePrice, Obstacle> {
    let market = situation.market;
    let overflow = || arithmetic(ModelError::Overflow("confidence"));
    let ppm = |update| confidence_ppm_up(update).map_err(|_| overflow());
    let ppm = ppm(&market.base_price)?.saturating_add(ppm(&market.quote_price)?);
    OraclePrice::around(mid, ppm).map_err(|_| overflow())
}

/// What must hold after everything that adds risk.
pub(super) fn require_health(
    situation: &Situation,
    after: &PositionModel,
    oracle: SqrtPrice,
    hedge_band_bps: u32,
) -> Result<(), Obstacle> {
    let policy = &situation.position.policy;
    let limits = &situation.market.market.limits;
    let price = interval(situation, oracle)?;
    let pool = situation.market.pool.sqrt_price;
    let newest = newest(situation.market, oracle);
    risk::require_initial_health(limits, after, &price, pool, newest)
        .map_err(|_| Obstacle::InitialHealth)?;
    risk::require_hedged(policy, after, oracle, hedge_band_bps).map_err(|_| {
        Obstacle::DeltaOutsideTarget {
            band_bps: hedge_band_bps,
        }
    })?;
    Ok(())
}

/// Whether the allowance for losses covers what an action makes of the position.
pub(super) fn require_loss_allowed(
    situation: &Situation,
    allowance: Allowance,
    change: &Change,
    oracle: SqrtPrice,
) -> Result<(), Obstacle> {
    let (market, position) = (&situation.market.market, situation.position);
    if situation.keeper == position.owner {
        return Ok(());
    }
    let Charge { loss, equity } = change
        .charge(oracle, newest(situation.market, oracle))
        .map_err(arithmetic)?;
    let (recent, max_bps) = (
        allowance.recent(position),
        allowance.max_bps(market, position),
    );
    let now_secs = situation.now_secs;
    if recent.charged(loss, equity, max_bps, now_secs).is_some() {
        return Ok(());
    }
    let allowed = Bps::new(max_bps).of_down(equity).unwrap_or(0);
    let allowed = u64::try_from(allowed).unwrap_or(u64::MAX);
    Err(Obstacle::DailyLoss {
        loss,
        left: allowed.saturating_sub(recent.left_up(now_secs)),
        due_secs: recent
            .charged_from_secs(loss, allowed)
            .map(|due_secs| due_secs.max(now_secs.saturating_add(1))),
    })
}

/// Whether the owner's first keepers have had their time for a need that is due: who is told so notes it, if nobody has yet.
pub(super) fn require_turn(situation: &Situation, need: Need) -> Result<(), Obstacle> {
    let position = situation.position;
    match position.turn(&situation.keeper, need, situation.now_secs) {
        Turn::Wait { until_secs } => Err(Obstacle::FirstKeepers { until_secs }),
        Turn::Act | Turn::Note => Ok(()),
    }
}

/// Value of amounts at a price, rounded down.
pub(super) fn worth(amounts: Amounts, at: SqrtPrice) -> Result<u128, ModelError> {
    Ok(value_down(amounts.base, at)?.saturating_add(u128::from(amounts.quote)))
}
