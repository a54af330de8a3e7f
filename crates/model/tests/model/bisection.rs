//! Boundaries are where plain bisection of all prices finds them, bit for bit: the closed forms only save its steps.

use crate::common;

use ballast_model::{Boundaries, Bps, ModelError, Position, SqrtPrice};
use common::{config, positions, sqrt_price};
use proptest::prelude::*;
use ruint::aliases::U512;

/// The price at which `threshold * assets - debt` is largest, as the bisection starts from it.
fn peak(position: &Position, threshold: Bps) -> SqrtPrice {
    let wide = |value: u128| U512::from(value);
    let amount = |amount: u64, weight: u32| wide(u128::from(amount) * u128::from(weight));
    let owed = amount(position.debt.base, Bps::ONE.get());
    let owned = amount(position.idle.base, threshold.get());
    if owed <= owned {
        return SqrtPrice::MAX;
    }
    let short = owed - owned;
    let (lower, upper) = (
        wide(position.band.sqrt_lower().x64()),
        wide(position.band.sqrt_upper().x64()),
    );
    let weight = (wide(position.liquidity) * wide(threshold.get().into())) << 64usize;
    if short * lower * upper >= weight * (upper - lower) {
        return SqrtPrice::MIN;
    }
    sqrt_price(u128::try_from(weight * upper / (weight + short * upper)).unwrap())
}

/// The price next to where `check` begins to hold between one at which it fails and one at which it holds.
fn flip(fails: SqrtPrice, holds: SqrtPrice, check: impl Fn(SqrtPrice) -> bool) -> SqrtPrice {
    let (mut fails, mut holds) = (fails, holds);
    while fails.x64().abs_diff(holds.x64()) > 1 {
        let middle = sqrt_price(fails.x64().midpoint(holds.x64()));
        *(if check(middle) {
            &mut holds
        } else {
            &mut fails
        }) = middle;
    }
    fails
}

fn around(peak: SqrtPrice, holds: impl Fn(SqrtPrice) -> bool) -> Boundaries {
    if !holds(peak) {
        return Boundaries::Empty;
    }
    let end = |end| (!holds(end)).then(|| flip(end, peak, &holds));
    Boundaries::Interval {
        lower: end(SqrtPrice::MIN),
        upper: end(SqrtPrice::MAX),
    }
}

fn boundaries(position: &Position, threshold: Bps) -> Result<Boundaries, ModelError> {
    if position.debt.is_zero() {
        return Ok(Boundaries::ALL);
    }
    let peak = peak(position, threshold);
    position.value(peak)?;
    Ok(around(peak, |at| {
        position
            .value(at)
            .is_ok_and(|value| !value.ltv_at_least(threshold))
    }))
}

fn equity_boundaries(position: &Position, floor: i128) -> Result<Boundaries, ModelError> {
    let peak = peak(position, Bps::ONE);
    position.value(peak)?;
    Ok(around(peak, |at| {
        position.value(at).is_ok_and(|value| value.equity() > floor)
    }))
}

fn hedge_boundaries(position: &Position, hedge: Bps, tolerance: u64) -> Boundaries {
    let error = |at| position.hedge_error(at, hedge).unwrap();
    let tolerance = i128::from(tolerance);
    let (low, high) = (position.band.sqrt_lower(), position.band.sqrt_upper());
    if error(high) > tolerance || error(low) < -tolerance {
        return Boundaries::Empty;
    }
    let lower = error(low) > tolerance;
    let upper = error(high) < -tolerance;
    Boundaries::Interval {
        lower: lower.then(|| flip(low, high, |at| error(at) <= tolerance)),
        upper: upper.then(|| flip(high, low, |at| error(at) >= -tolerance)),
    }
}

proptest! {
    #![proptest_config(config(4_000))]

    /// From single units, of which every one blurs, to amounts near the end of their types, where there is no closed form.
    #[test]
    fn of_a_threshold(
        position in prop_oneof![positions(1..20), positions(10..56), positions(50..64)],
        threshold in prop_oneof![4 => 5_000u32..10_000, 1 => 1u32..20_000, 1 => Just(u32::MAX)],
    ) {
        let threshold = Bps::new(threshold);
        prop_assert_eq!(position.boundaries(threshold), boundaries(&position, threshold));
    }

    #[test]
    fn of_a_floor(
        position in prop_oneof![positions(1..20), positions(10..56), positions(50..64)],
        part in prop_oneof![4 => -0.5f64..1.0, 1 => Just(0.0), 1 => Just(f64::MAX)],
    ) {
        let assets = position.value(position.band.sqrt_lower()).unwrap().assets;
        let floor = (assets as f64 * part) as i128;
        for floor in [floor, -floor] {
            prop_assert_eq!(position.equity_boundaries(floor), equity_boundaries(&position, floor));
        }
    }

    #[test]
    fn of_a_hedge(
        position in prop_oneof![positions(1..20), positions(10..62)],
        hedge in prop_oneof![4 => 0u32..12_000, 1 => Just(10_000u32), 1 => Just(0u32)],
        part in prop_oneof![4 => 0u32..10_000, 1 => Just(0u32)],
    ) {
        let hedge = Bps::new(hedge);
        let full = position.full_base_up().unwrap();
        let tolerance = (u128::from(full) * u128::from(part) / 10_000) as u64;
        let expected = hedge_boundaries(&position, hedge, tolerance);
        prop_assert_eq!(position.hedge_boundaries(hedge, tolerance), Ok(expected));
    }
}
