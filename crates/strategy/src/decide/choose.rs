//! Which of the possible actions to take: the cheapest after which nothing is due over a day's usual move.
//!
//! Let P be the oracle's price and v the standard deviation of a day's move in ticks ([`Outlook::volatility`], or
//! [`DEFAULT_VOLATILITY_TICKS`] as long as it is not known). The *move* is every price from `P * 1.0001^-v` to `P * 1.0001^v`.
//! A [`Candidate`] carries the position as it will be (`after`: its plan applied to the model) and what that costs its equity
//! (`cost`, quote units: what the swap loses against P, by the pool's fee and by the impact in the liquidity active now).
//! Each candidate is one transaction, so that the network's fees do not tell them apart; a second transaction is needed where
//! something is still due afterwards, which [`Rest`] counts before any cost.
//!
//! What is quiet for how long is read off the quiet interval of `after`, with the triggers of [`crate::watch`]. An interval
//! that contains both ends of the move contains the move. Among candidates that are equally quiet the cheapest is taken; where
//! none is quiet over the move, the one with the lowest LTV at its worst price in the move.
//!
//! [`Outlook::volatility`]: crate::situation::Outlook::volatility

use ballast_model::{Boundaries, Position as PositionModel, SqrtPrice, Tick, quiet::Triggers};

use super::{Action, ActionKind, Assessment, Obstacle, Reason};
use crate::{
    situation::{Situation, SituationError},
    watch::{quiet, triggers},
};

/// A day's standard deviation that is assumed until the market's own is known: 5 %.
const DEFAULT_VOLATILITY_TICKS: u32 = 500;
/// A day's move is taken for no larger than this, 22 %: beyond it no leverage is quiet, and the choice would be about nothing else.
const LARGEST_MOVE_TICKS: u32 = 2_000;

/// Something that could be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub action: Action,
    pub reason: Reason,
    /// The position afterwards, as far as can be told.
    pub after: PositionModel,
    /// What of its equity that costs, quote units.
    pub cost: u128,
}

/// Something that is due and cannot be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub kind: ActionKind,
    pub reason: Reason,
    pub obstacle: Obstacle,
}

impl Candidate {
    /// As something that has just been refused.
    pub fn refused(&self) -> Block {
        self.blocked(Obstacle::Refused)
    }

    /// As something in whose way that stands.
    pub fn blocked(&self, obstacle: Obstacle) -> Block {
        Block {
            kind: self.action.kind(),
            reason: self.reason,
            obstacle,
        }
    }
}

/// A way to deal with what is due.
pub(super) type Way = Result<Candidate, Block>;

/// How long nothing is due afterwards, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rest {
    /// Over the whole move.
    Move,
    /// Now; LTV stays below its trigger over the whole move. Inside its band no hedge lasts over a day's move.
    Margin,
    /// LTV stays below its trigger over the whole move, and something else is still due now.
    MarginOnly,
    /// Now.
    Now,
    /// Something is still due.
    Due,
}

/// How a position stands, at a price and over the move around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    rest: Rest,
    /// LTV at its worst price in the move, rounded up.
    worst_ltv_bps: u32,
}

impl Standing {
    /// Of a position in a situation.
    fn of(
        situation: &Situation,
        oracle: SqrtPrice,
        model: &PositionModel,
    ) -> Result<Self, SituationError> {
        let [low, high] = usual_move(oracle, situation.outlook.volatility);
        let all = triggers(situation, model, oracle, &[]);
        let margin = Triggers {
            ltv: all.ltv,
            ..Triggers::default()
        };
        let interval = quiet(situation, model, &all)?;
        let lasts = |quiet: Boundaries| quiet.contains(low) && quiet.contains(high);
        let (now, margin) = (
            interval.contains(oracle),
            lasts(quiet(situation, model, &margin)?),
        );
        let rest = match (lasts(interval), margin, now) {
            (true, _, _) => Rest::Move,
            (_, true, true) => Rest::Margin,
            (_, true, false) => Rest::MarginOnly,
            (_, false, true) => Rest::Now,
            (_, false, false) => Rest::Due,
        };
        // Debt over assets has no maximum between two prices that neither of them has.
        let ltv = |at| model.value(at).map(|value| value.ltv_bps_up());
        Ok(Self {
            rest,
            worst_ltv_bps: ltv(low)?.max(ltv(high)?),
        })
    }
}

/// The ends of the move around a price.
fn usual_move(oracle: SqrtPrice, volatility: Option<u32>) -> [SqrtPrice; 2] {
    let ticks = volatility
        .unwrap_or(DEFAULT_VOLATILITY_TICKS)
        .clamp(1, LARGEST_MOVE_TICKS)
        .cast_signed();
    let tick = oracle.tick().get();
    // A price lies between its tick's and the next one's.
    let end = |tick: i32, beyond| Tick::new(tick).map_or(beyond, Tick::sqrt_price);
    [
        end(tick - ticks, SqrtPrice::MIN),
        end(tick + ticks + 1, SqrtPrice::MAX),
    ]
}

/// The best of the candidates; `None` if there are none. What was refused lately comes last.
pub(super) fn best(
    situation: &Situation,
    at: &Assessment,
    candidates: impl Iterator<Item = Candidate>,
) -> Result<Option<Candidate>, SituationError> {
    let mut best: Option<(_, Candidate)> = None;
    for candidate in candidates {
        let standing = Standing::of(situation, at.oracle, &candidate.after)?;
        let worst = standing.worst_ltv_bps;
        let quiet = standing.rest <= Rest::Margin;
        let kind = candidate.action.kind();
        let rank = (
            situation.outlook.refused.contains(kind),
            standing.rest,
            if quiet { 0 } else { worst },
            candidate.cost,
            worst,
        );
        if best.as_ref().is_none_or(|(least, _)| rank < *least) {
            best = Some((rank, candidate));
        }
    }
    Ok(best.map(|(_, candidate)| candidate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_move_is_so_many_ticks_either_way() {
        let price = |tick| Tick::new(tick).unwrap().sqrt_price();
        let within = SqrtPrice::new(price(7).x64() + 1).unwrap();
        for at in [price(7), within] {
            assert_eq!(usual_move(at, Some(100)), [price(-93), price(108)]);
            // At least a tick.
            assert_eq!(usual_move(at, Some(0)), [price(6), price(9)]);
        }
        let ticks = DEFAULT_VOLATILITY_TICKS.cast_signed();
        assert_eq!(
            usual_move(price(0), None),
            [price(-ticks), price(ticks + 1)]
        );
        assert_eq!(
            usual_move(price(443_600), Some(100)),
            [price(443_500), SqrtPrice::MAX]
        );
        assert_eq!(usual_move(price(-443_600), Some(100))[0], SqrtPrice::MIN);
    }

    #[test]
    fn a_margin_lasts_exactly_where_ltv_stays_below_its_trigger() {
        let position = crate::fixtures::position();
        let (mut lasts, mut ends) = (0, 0);
        for dollars in 120..320 {
            let mut market = crate::fixtures::snapshot(dollars);
            crate::fixtures::book_debts(&mut market, &position);
            let situation = crate::fixtures::situation(&market, &position);
            let at = crate::decide::assess(&situation).unwrap();
            let standing = Standing::of(&situation, at.oracle, &at.model).unwrap();
            let trigger = triggers(&situation, &at.model, at.oracle, &[]).ltv.unwrap();
            let below = standing.worst_ltv_bps < trigger.get();
            let margin = matches!(standing.rest, Rest::Move | Rest::Margin | Rest::MarginOnly);
            assert_eq!(margin, below, "{dollars}: {standing:?}");
            *(if below { &mut lasts } else { &mut ends }) += 1;
        }
        assert!(lasts > 5 && ends > 5, "{lasts} {ends}");
    }
}
