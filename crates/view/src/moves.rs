//! What moves of the price do to a position: at once, and with the keeper on the way.

use ballast::state::Position as Stored;
use ballast_ledger::MarketPool;
use ballast_model::{
    Amounts, Bps, ModelError, Position, SqrtPrice,
    price::{scale_down, scale_up},
};
use ballast_snapshot::MarketSnapshot;
use ballast_strategy::{
    act::{Deed, Rules, carry_out},
    decide::{Action, Decision, assess},
    situation::{Situation, SituationError},
};

use crate::{
    figures::{Figures, leverage, scale},
    what_if::{Kept, MoveState, WhatIf, WhatIfState},
};

/// Moves that are shown of one position.
pub const MOVES_BPS: [i32; 4] = [-1_000, -500, 500, 1_000];
/// Steps in which the price walks there.
const STEPS: u32 = 60;
/// Time that a step takes: a walk is a day.
const STEP_SECS: i64 = 86_400 / STEPS as i64;
/// More actions at one step are not to be expected.
const MOST_ACTIONS: u32 = 8;

/// The price after a move.
///
/// # Errors
/// A price that is none.
pub fn moved(from: SqrtPrice, move_bps: i32) -> Result<SqrtPrice, ModelError> {
    let ratio = Bps::new(Bps::ONE.get().saturating_add_signed(move_bps));
    if move_bps < 0 {
        scale_down(from, ratio)
    } else {
        scale_up(from, ratio)
    }
}

/// The lowest LTV from which a keeper deleverages.
pub fn trigger(market: &MarketSnapshot, stored: &Stored) -> Bps {
    let markets = ballast::targets::MarketRule::of(&market.market).trigger;
    if stored.policy.keeper_enabled == 1 {
        markets.min(Bps::new(stored.policy.deleverage_trigger_ltv_bps))
    } else {
        markets
    }
}

/// How a position stands at a price.
///
/// # Errors
/// Amounts that are out of range.
pub fn state_at(
    market: &MarketSnapshot,
    stored: &Stored,
    model: &Position,
    at: SqrtPrice,
) -> Result<WhatIfState, ModelError> {
    let (value, delta) = model.value_and_delta(at)?;
    let maintenance = Bps::new(market.market.limits.maintenance_ltv_bps);
    let state = if value.ltv_at_least(maintenance) {
        MoveState::Liquidated
    } else if value.ltv_at_least(trigger(market, stored)) {
        MoveState::AboveTrigger
    } else {
        MoveState::Healthy
    };
    Ok(WhatIfState {
        equity: crate::text::signed_amount(value.equity(), market.market.quote_decimals),
        delta: crate::text::signed_amount(delta, market.market.base_decimals),
        ltv_bps: value.ltv_bps_up(),
        leverage_bps: leverage(&value),
        state,
    })
}

/// Every move of [`MOVES_BPS`]. `may_act`: whether the keeper does anything for this position.
///
/// # Errors
/// [`SituationError`].
pub fn what_if(
    figures: &Figures,
    situation: &Situation,
    may_act: bool,
) -> Result<Vec<WhatIf>, SituationError> {
    let Figures {
        market,
        stored,
        model,
        oracle,
        ..
    } = figures;
    MOVES_BPS
        .into_iter()
        .map(|move_bps| {
            let to = moved(*oracle, move_bps)?;
            Ok(WhatIf {
                move_bps,
                price: scale(market).price(to),
                gap: state_at(market, stored, model, to)?,
                kept: if may_act {
                    Some(walk(situation, *oracle, to)?)
                } else {
                    None
                },
            })
        })
        .collect()
}

/// The price walks to `to`, pool and oracle alike, and the keeper acts on the way as it would: decided by its own function, carried
/// out by the ledger for the pool's fee, without impact. Others do nothing, so that whoever reaches maintenance was not saved.
///
/// # Errors
/// [`SituationError`].
pub fn walk(situation: &Situation, from: SqrtPrice, to: SqrtPrice) -> Result<Kept, SituationError> {
    let mut market = situation.market.clone();
    let mut stored = *situation.position;
    let (start, end) = (from.x64() as f64, to.x64() as f64);
    let mut actions = 0;
    for step in 1..=STEPS {
        let part = f64::from(step) / f64::from(STEPS);
        let root = start * ((end / start).ln() * part).exp();
        // `as` saturates.
        let at = if step == STEPS {
            to
        } else {
            SqrtPrice::new(root as u128).map_err(ModelError::from)?
        };
        market.now_secs = market.now_secs.saturating_add(STEP_SECS);
        show(&mut market, situation.market, from, at);
        for _ in 0..MOST_ACTIONS {
            let now = Situation {
                market: &market,
                position: &stored,
                now_secs: market.now_secs,
                ..*situation
            };
            let Decision::Act(action, _) = assess(&now)?.decision else {
                break;
            };
            if matches!(action, Action::Liquidate { .. })
                || !act(&mut market, &mut stored, at, &action)?
            {
                break;
            }
            actions += 1;
        }
    }
    let model = market.position(&stored, market.now_secs)?;
    Ok(Kept {
        after: state_at(&market, &stored, &model, to)?,
        actions,
    })
}

/// Sets oracle and pool to a price, fresh.
fn show(market: &mut MarketSnapshot, before: &MarketSnapshot, from: SqrtPrice, at: SqrtPrice) {
    let ratio = at.x64() as f64 / from.x64() as f64;
    let ratio = ratio * ratio;
    let moved = |price: i64| (price as f64 * ratio).round() as i64;
    market.pool.sqrt_price = at;
    market.pool.tick_current = at.tick().get();
    market.base_price.price = moved(before.base_price.price);
    market.base_price.ema_price = market.base_price.price;
    for update in [&mut market.base_price, &mut market.quote_price] {
        update.publish_time = market.now_secs;
        update.previous_publish_time = market.now_secs - 1;
    }
}

/// Carries an action out; `false`: the program would refuse it.
fn act(
    market: &mut MarketSnapshot,
    stored: &mut Stored,
    at: SqrtPrice,
    action: &Action,
) -> Result<bool, SituationError> {
    let now_secs = market.now_secs;
    let pool = MarketPool::new(at, market.pool.fee_rate_ppm.into(), Amounts::ZERO);
    let mut ledger = market.ledger(stored, now_secs, pool)?;
    let rules = Rules {
        market: &market.market,
        position: stored,
        oracle: at,
        now_secs,
    };
    if carry_out(Deed::from(action), &rules, &mut ledger).is_err() {
        return Ok(false);
    }
    market.book(stored, &ledger);
    match action {
        Action::Recenter(_) => {
            (stored.last_recenter_secs, stored.last_rebalance_secs) = (now_secs, now_secs);
        }
        Action::Rehedge(_) => stored.last_rebalance_secs = now_secs,
        _ => {}
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use ballast_strategy::fixtures;

    use super::*;

    fn situated(test: impl FnOnce(&Figures, &Situation)) {
        let (mut market, position) = (fixtures::snapshot(200), fixtures::position());
        fixtures::book_debts(&mut market, &position);
        let figures = Figures::new(&market, market.address, &position).unwrap();
        test(&figures, &fixtures::situation(&market, &position));
    }

    #[test]
    fn a_gap_is_the_position_untouched_and_a_walk_the_keepers_work() {
        situated(|figures, situation| {
            let moves = what_if(figures, situation, true).unwrap();
            assert_eq!(
                moves.iter().map(|one| one.move_bps).collect::<Vec<_>>(),
                MOVES_BPS
            );
            for one in &moves {
                let at = moved(figures.oracle, one.move_bps).unwrap();
                let untouched = figures.model.value(at).unwrap();
                assert_eq!(one.gap.equity, figures.quote(untouched.equity()));
                assert_eq!(one.gap.ltv_bps, untouched.ltv_bps_up());
                let exact = figures.price() * (1.0 + f64::from(one.move_bps) / 1e4);
                assert!((one.price / exact - 1.0).abs() < 1e-6);
                // Rehedging on the way leaves less delta than the gap does.
                let kept = one.kept.as_ref().unwrap();
                assert!(kept.actions > 0, "{one:?}");
                let size = |text: &str| text.parse::<f64>().unwrap().abs();
                assert!(size(&kept.after.delta) < size(&one.gap.delta), "{one:?}");
            }
            assert!(
                what_if(figures, situation, false)
                    .unwrap()
                    .iter()
                    .all(|one| one.kept.is_none())
            );
        });
    }

    #[test]
    fn a_keeper_that_the_owner_has_switched_off_does_nothing_below_the_markets_trigger() {
        let (mut market, mut position) = (fixtures::snapshot(200), fixtures::position());
        position.policy.keeper_enabled = 0;
        fixtures::book_debts(&mut market, &position);
        let situation = fixtures::situation(&market, &position);
        let from = fixtures::sqrt_price_cents(20_000);
        let kept = walk(&situation, from, moved(from, 500).unwrap()).unwrap();
        assert_eq!(kept.actions, 0);
    }
}
