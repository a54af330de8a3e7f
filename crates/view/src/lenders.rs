//! What threatens those who lend to a market.

use ballast_model::{Amounts, ModelError, Side, SqrtPrice, lending::uncovered_up, value_up};
use ballast_snapshot::{MarketSnapshot, SnapshotError};
use ballast_strategy::{Tokens, prices::PriceFault, situation::SituationError};
use serde::Serialize;

use crate::{
    detail::maintenance,
    figures::scale,
    lending::ReserveView,
    moves::moved,
    sums::Line,
    text::{amount, signed_amount},
};

/// Distances, in days of usual movement.
const SIGMA_DAYS: [f64; 2] = [1.0, 2.0];
/// Moves of the price at once.
const GAPS_BPS: [i32; 4] = [-2_000, -1_000, 1_000, 2_000];

/// Debt of positions whose nearer maintenance boundary is at most so far away.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NearDebt {
    /// So far, in days of usual movement.
    pub sigma_days: f64,
    /// How many.
    pub positions: usize,
    /// Base that they owe.
    pub debt_base: String,
    /// Quote that they owe.
    pub debt_quote: String,
    /// Both, in quote.
    pub debt_value: String,
    /// The same as a part of all that is owed.
    pub share_bps: u32,
}

/// The price jumps, and nobody acts on the way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LenderGap {
    /// The move.
    pub move_bps: i32,
    /// Where it ends.
    pub price: f64,
    /// Positions at or above maintenance.
    pub positions_liquidated: usize,
    /// Positions whose assets do not cover their debts.
    pub positions_insolvent: usize,
    /// Base that is owed and not covered.
    pub shortfall_base: String,
    /// Quote that is owed and not covered.
    pub shortfall_quote: String,
    /// Both, in quote.
    pub shortfall_value: String,
    /// What is set aside against it, in quote.
    pub insurance_value: String,
    /// What lenders would lose, each token's insurance spent first.
    pub lenders_lose_value: String,
    /// The same as a part of what is lent.
    pub lenders_lose_bps: u32,
}

/// A market as its lenders see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LendersView {
    /// Of the answer.
    pub version: u64,
    /// The oracle's price.
    pub price: f64,
    /// A usual day's move, as a part of the price.
    pub sigma_day: f64,
    /// Base and quote.
    pub reserves: Vec<ReserveView>,
    /// What is lent near to liquidation.
    pub near: Vec<NearDebt>,
    /// What jumps would cost.
    pub gaps: Vec<LenderGap>,
}

/// Worth of amounts in quote, rounded up.
fn worth_up(amounts: Amounts, at: SqrtPrice) -> Result<u128, ModelError> {
    Ok(value_up(amounts.base, at)?.saturating_add(amounts.quote.into()))
}

fn share_bps_up(part: u128, whole: u128) -> u32 {
    if part == 0 {
        return 0;
    }
    let share = part.saturating_mul(10_000).div_ceil(whole.max(1));
    u32::try_from(share).unwrap_or(u32::MAX)
}

/// The view, from the lines of all positions.
///
/// # Errors
/// [`SituationError`].
pub fn lenders(
    version: u64,
    market: &MarketSnapshot,
    tokens: Tokens,
    sigma_day: f64,
    lines: &[Line],
) -> Result<LendersView, SituationError> {
    let oracle = market.oracle_sqrt_price().map_err(PriceFault::from)?;
    let (scale, (base, quote)) = (scale(market), tokens.decimals);
    let shown = |value: u128| signed_amount(i128::try_from(value).unwrap_or(i128::MAX), quote);
    let total = |of: &mut dyn Iterator<Item = Amounts>| {
        of.fold(Amounts::ZERO, |sum, one| Amounts {
            base: sum.base.saturating_add(one.base),
            quote: sum.quote.saturating_add(one.quote),
        })
    };
    let owed = total(&mut lines.iter().map(|line| line.model.debt));
    let lent = worth_up(owed, oracle)?;
    let mut near = Vec::new();
    for sigma_days in SIGMA_DAYS {
        let close = |line: &&Line| {
            let nearest = line.nearest;
            nearest.is_some_and(|nearest| nearest.sigma_days <= sigma_days)
        };
        let debt = total(&mut lines.iter().filter(close).map(|line| line.model.debt));
        let value = worth_up(debt, oracle)?;
        near.push(NearDebt {
            sigma_days,
            positions: lines.iter().filter(close).count(),
            debt_base: amount(debt.base, base),
            debt_quote: amount(debt.quote, quote),
            debt_value: shown(value),
            share_bps: share_bps_up(value, lent),
        });
    }
    let [base_state, quote_state] = market.reserves_at(market.now_secs)?;
    let insurance = Amounts {
        base: base_state.insurance,
        quote: quote_state.insurance,
    };
    let lending = |side| move |error| SnapshotError::Lending { side, error };
    let supplied = Amounts {
        base: base_state
            .total_assets_down()
            .map_err(lending(Side::Base))?,
        quote: quote_state
            .total_assets_down()
            .map_err(lending(Side::Quote))?,
    };
    let mut gaps = Vec::new();
    for move_bps in GAPS_BPS {
        let to = moved(oracle, move_bps)?;
        let (mut liquidated, mut insolvent, mut short) = (0, 0, Vec::new());
        for line in lines {
            let value = line.model.value(to)?;
            liquidated += usize::from(value.ltv_at_least(maintenance(market)));
            if value.assets < value.debt {
                insolvent += 1;
                // As the program books it.
                short.push(uncovered_up(line.model.debt, &value));
            }
        }
        let short = total(&mut short.into_iter());
        let lost = Amounts {
            base: short.base.saturating_sub(insurance.base),
            quote: short.quote.saturating_sub(insurance.quote),
        };
        let lost = worth_up(lost, to)?;
        gaps.push(LenderGap {
            move_bps,
            price: scale.price(to),
            positions_liquidated: liquidated,
            positions_insolvent: insolvent,
            shortfall_base: amount(short.base, base),
            shortfall_quote: amount(short.quote, quote),
            shortfall_value: shown(worth_up(short, to)?),
            insurance_value: shown(worth_up(insurance, to)?),
            lenders_lose_value: shown(lost),
            lenders_lose_bps: share_bps_up(lost, worth_up(supplied, to)?),
        });
    }
    Ok(LendersView {
        version,
        price: scale.price(oracle),
        sigma_day,
        reserves: vec![
            ReserveView::new(market, Side::Base, tokens.base)?,
            ReserveView::new(market, Side::Quote, tokens.quote)?,
        ],
        near,
        gaps,
    })
}

#[cfg(test)]
mod tests {
    use ballast_strategy::fixtures::{self, TOKENS};

    use super::*;
    use crate::sums::Lines;

    fn of_book(insurance: u64, sigma_day: f64) -> LendersView {
        of_book_at(200, insurance, sigma_day)
    }

    fn of_book_at(dollars: i64, insurance: u64, sigma_day: f64) -> LendersView {
        let (mut market, position) = (fixtures::snapshot(dollars), fixtures::position());
        fixtures::book_debts(&mut market, &position);
        market.quote_reserve.insurance = insurance;
        let lines = Lines::new(&market, sigma_day).unwrap();
        let line = lines.line(market.address, &position).unwrap();
        lenders(4, &market, TOKENS, sigma_day, &[line]).unwrap()
    }

    #[test]
    fn what_is_lent_near_to_liquidation_is_shown_by_the_markets_usual_move() {
        // The boundaries are further away than two small days and nearer than one large one.
        let (small, large) = (of_book(0, 0.001), of_book(0, 10.0));
        assert_eq!(
            small
                .near
                .iter()
                .map(|near| near.positions)
                .collect::<Vec<_>>(),
            [0, 0]
        );
        assert_eq!(
            (small.near[0].share_bps, large.near[0].share_bps),
            (0, 10_000)
        );
        assert_eq!(large.near[0].positions, 1);
    }

    #[test]
    fn no_gap_of_a_fifth_costs_lenders_of_the_worked_example_anything() {
        for gap in of_book(0, 0.04).gaps {
            assert_eq!(
                (gap.positions_insolvent, gap.lenders_lose_bps),
                (0, 0),
                "{gap:?}"
            );
            assert_eq!(gap.lenders_lose_value, "0.000000");
        }
    }

    #[test]
    fn a_gap_beyond_the_collateral_costs_lenders_of_both_tokens_their_part() {
        // Far above its band the position owes more than the quote that it holds.
        let number = |text: &str| text.parse::<f64>().unwrap();
        let lost = |insurance| {
            let view = of_book_at(290, insurance, 0.04);
            let gap = view.gaps.into_iter().find(|gap| gap.move_bps == 2_000);
            gap.unwrap()
        };
        let gap = lost(0);
        assert_eq!((gap.positions_liquidated, gap.positions_insolvent), (1, 1));
        let (base, quote) = (number(&gap.shortfall_base), number(&gap.shortfall_quote));
        // In proportion to what is owed.
        assert!(base > 0.0 && quote > 0.0, "{gap:?}");
        let (mut market, position) = (fixtures::snapshot(290), fixtures::position());
        fixtures::book_debts(&mut market, &position);
        let debt = market.position(&position, market.now_secs).unwrap().debt;
        let owed = debt.base as f64 / 1e9 / (debt.quote as f64 / 1e6);
        assert!((base / quote / owed - 1.0).abs() < 1e-4, "{gap:?}");
        let value = number(&gap.shortfall_value);
        assert!((base * gap.price + quote - value).abs() < 1e-5, "{gap:?}");
        assert_eq!(gap.lenders_lose_value, gap.shortfall_value);
        assert!(gap.lenders_lose_bps > 0);
        // Insurance in quote pays for quote alone.
        let insured = lost(1_000_000_000);
        let left = number(&insured.lenders_lose_value);
        assert!((left - base * gap.price).abs() < 1e-5, "{insured:?}");
    }
}
