//! Where LTV stays below its trigger: ends in `f64`, a little inside of the true ones, and a certificate that they are.
//!
//! The exact ends cost a hundred valuations, and a watch needs none of their last digits: an interval inside of the true one only makes a
//! position be looked at a little sooner, and what is decided then is exact. The floating point is not trusted. It proposes two prices,
//! and exact valuations there say whether everything between them is below the trigger.
//!
//! Let `M = t A - D` at a price `P`, without rounding. `A` is concave in `P` and `D` linear, so that `M` is concave. Whole units take at
//! most `R = t (P + 3) + 1` of it, which is linear, so that `M - R` is concave too: where it is not below 0 at two prices, it is not
//! between them. So if the margin in whole units exceeds `R` at both, it is above 0 at every price between, which is what
//! [`ballast_model::Valuation::ltv_at_least`] asks. Amounts near the ends of their types are left to the exact way: they saturate.

use ballast_model::{
    Boundaries, Bps, ModelError, Position, Price, SqrtPrice,
    screen::{RiskInput, risk},
};

/// How far inside of the true ends, as a part of the price: far more than `f64` loses, and little for a price to move.
const INSIDE: f64 = 1e-6;
/// Base amounts of fewer bits, and values of fewer, do not saturate; see [`Position::boundaries`].
const AMOUNT_BITS: u32 = 61;
const VALUE_BITS: u32 = 94;

/// Prices at which debt / assets is below `trigger`, with `at` among them if it is one: not all of them where a few at the ends are
/// dear to find.
///
/// # Errors
/// As [`Position::boundaries`].
pub(super) fn below(
    position: &Position,
    trigger: Bps,
    at: SqrtPrice,
) -> Result<Boundaries, ModelError> {
    match certified(position, trigger, at) {
        Some(found) if found.contains(at) => Ok(found),
        _ => position.boundaries(trigger),
    }
}

fn certified(position: &Position, trigger: Bps, at: SqrtPrice) -> Option<Boundaries> {
    let amounts = [
        position.full_base_up().ok()?,
        position.idle.base,
        position.debt.base,
    ];
    if amounts.iter().any(|amount| amount >> AMOUNT_BITS != 0) {
        return None;
    }
    position.full_quote_up().ok()?;
    let report = risk(&RiskInput::<f64>::new(position, at, trigger));
    let inside = |end: Option<f64>, factor: f64| match end {
        Some(price) => root(price * factor).map(Some),
        None => Some(None),
    };
    let (lower, upper) = (
        inside(report.lower, 1.0 + INSIDE)?,
        inside(report.upper, 1.0 - INSIDE)?,
    );
    let ends = [
        lower.unwrap_or(SqrtPrice::MIN),
        upper.unwrap_or(SqrtPrice::MAX),
    ];
    ends.iter()
        .all(|end| has_room(position, trigger, *end))
        .then_some(Boundaries::Interval { lower, upper })
}

/// Whether the margin exceeds what whole units may take.
fn has_room(position: &Position, trigger: Bps, at: SqrtPrice) -> bool {
    let Ok(value) = position.value(at) else {
        return false;
    };
    let whole = Price::from(at).value_up(1);
    let most = value.assets.max(value.debt).max(whole);
    if most >> VALUE_BITS != 0 {
        return false;
    }
    // In parts of a quote unit: values of 94 bits and a weight of 32 fit.
    let (of_assets, of_debt) = (u128::from(trigger.get()), u128::from(Bps::ONE.get()));
    let room = (whole + 3) * of_assets + of_debt;
    value.assets * of_assets > value.debt * of_debt + room
}

/// The square-root price of a price in raw units.
fn root(price: f64) -> Option<SqrtPrice> {
    let x64 = price.sqrt() * 2f64.powi(64);
    // Saturates, and is 0 for what is no number.
    SqrtPrice::new(x64 as u128).ok()
}

#[cfg(test)]
mod tests {
    use ballast_model::{Amounts, Tick};
    use proptest::prelude::*;

    use super::*;
    use crate::random::positions;

    /// As positions are: the debt is a part of what the liquidity holds somewhere in its band.
    fn usual() -> impl Strategy<Value = (Position, SqrtPrice)> {
        (positions(70, 63), 0.0..1.0f64, 0.1..0.95f64, 0.0..2.0f64).prop_filter_map(
            "amounts of 64 bits",
            |(mut position, along, ltv, hedge)| {
                let (low, high) = (position.band.sqrt_lower(), position.band.sqrt_upper());
                let wide = (high.x64() - low.x64()) as f64;
                let at = SqrtPrice::new(low.x64() + (wide * along) as u128).ok()?;
                position.idle = Amounts::ZERO;
                position.debt = Amounts::ZERO;
                let pooled = position.pool_amounts_down(at).ok()?;
                let assets = position.value(at).ok()?.assets as f64;
                let price = (at.x64() as f64 / 2f64.powi(64)).powi(2);
                let base = (pooled.base as f64 * hedge).min(assets * ltv / price);
                position.debt = Amounts {
                    base: base as u64,
                    quote: (assets * ltv - base * price) as u64,
                };
                Some((position, at))
            },
        )
    }

    /// Prices of a side, from its end inwards and over all of it.
    fn within(interval: Boundaries, parts: &[f64]) -> Vec<SqrtPrice> {
        let Boundaries::Interval { lower, upper } = interval else {
            return Vec::new();
        };
        let low = lower.unwrap_or(SqrtPrice::MIN).x64() + 1;
        let high = upper.unwrap_or(SqrtPrice::MAX).x64() - 1;
        let between = parts.iter().map(|part| {
            // By powers, so that every size of price has its turn.
            let logs = [(low as f64).ln(), (high as f64).ln()];
            (logs[0] + (logs[1] - logs[0]) * part).exp() as u128
        });
        let all = [low, low + 1, high - 1, high].into_iter().chain(between);
        all.map(|x64| SqrtPrice::new(x64.clamp(low, high)).unwrap())
            .collect()
    }

    fn check(
        position: &Position,
        trigger: Bps,
        at: SqrtPrice,
        parts: &[f64],
    ) -> Result<(), TestCaseError> {
        // At every price of a certified interval it is so.
        if let Some(found) = certified(position, trigger, at) {
            for price in within(found, parts) {
                let value = position.value(price).unwrap();
                prop_assert!(
                    !value.ltv_at_least(trigger),
                    "{position:?} {trigger:?} {found:?} {price:?}"
                );
            }
        }
        // And whoever asks is told the same of the price that it is asked for.
        let (told, exact) = (below(position, trigger, at), position.boundaries(trigger));
        prop_assert_eq!(told.is_ok(), exact.is_ok());
        if let (Ok(told), Ok(exact)) = (told, exact) {
            prop_assert_eq!(told.contains(at), exact.contains(at), "{:?}", position);
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 5_000,
            max_global_rejects: 1_000_000,
            ..ProptestConfig::default()
        })]
        #[test]
        fn what_is_certified_is_so_at_every_price(
            position in positions(70, 63),
            trigger in prop_oneof![Just(10_000u32), 1u32..20_000],
            tick in -60_000i32..60_000,
            parts in proptest::collection::vec(0.0..1.0f64, 8),
        ) {
            let at = Tick::new(tick).unwrap().sqrt_price();
            check(&position, Bps::new(trigger), at, &parts)?;
        }

        #[test]
        fn of_usual_positions_too(
            (position, at) in usual(),
            trigger in 1_000u32..10_000,
            parts in proptest::collection::vec(0.0..1.0f64, 8),
        ) {
            check(&position, Bps::new(trigger), at, &parts)?;
        }

        #[test]
        fn a_position_of_any_size_that_is_looked_after_is_certified_and_loses_a_millionth(
            (position, at) in usual(),
            trigger in 9_600u32..10_000,
        ) {
            let trigger = Bps::new(trigger);
            let value = position.value(at).unwrap();
            let whole = Price::from(at).value_up(1);
            // A margin of a hundredth that whole units are nothing to, and more than dust of either debt.
            let owed = position.debt_up(at).unwrap() - u128::from(position.debt.quote);
            prop_assume!(value.assets > 100_000_000_000 * whole && owed > 1_000_000_000);
            prop_assume!(position.debt.base > 100_000_000 && position.debt.quote > 100_000_000);
            prop_assume!(position.full_base_up().is_ok_and(|base| base >> AMOUNT_BITS == 0));
            prop_assume!(position.full_quote_up().is_ok());
            let found = certified(&position, trigger, at);
            let Some(Boundaries::Interval { lower: Some(lower), upper: Some(upper) }) = found else {
                return Err(TestCaseError::fail(format!("{position:?} {found:?}")));
            };
            let Boundaries::Interval { lower: Some(low), upper: Some(high) } =
                position.boundaries(trigger).unwrap()
            else {
                return Err(TestCaseError::fail(format!("{position:?}")));
            };
            for (end, exact) in [(lower, low), (upper, high)] {
                let apart = end.x64().abs_diff(exact.x64()) as f64 / exact.x64() as f64;
                prop_assert!(apart < 1.1 * INSIDE / 2.0 + 1e-9, "{apart} {position:?}");
            }
        }
    }
}
