//! The value object against exact rationals: which way each number rounds, and by how little.

use crate::common;

use ballast_model::{Bps, Position, SqrtPrice, value_up};
use common::{config, exact_margin, positions, prices};
use proptest::prelude::*;
use ruint::aliases::U512;

/// `(assets, debt, unit)`: exact values in quote units, times `unit`.
fn exact(position: &Position, at: SqrtPrice) -> (U512, U512, U512) {
    let (assets, debt, unit) = exact_margin(position, at, Bps::new(1));
    (assets, debt / U512::from(Bps::ONE.get()), unit)
}

proptest! {
    #![proptest_config(config(10_000))]

    /// Assets never above what they are and short of it by less than a unit of each amount and of the value; debt never
    /// below and over by less than one unit; equity accordingly.
    #[test]
    fn values_round_against_the_position((position, at) in positions(4..60).prop_flat_map(|p| (Just(p), prices(p.band)))) {
        let value = position.value(at).unwrap();
        let (assets, debt, unit) = exact(&position, at);
        let times = |value: u128| U512::from(value) * unit;
        let below = U512::from(value_up(1, at).unwrap() + 2) * unit;
        prop_assert!(times(value.assets) <= assets && assets < times(value.assets) + below);
        prop_assert!(times(value.debt) >= debt && times(value.debt) < debt + unit);
        prop_assert_eq!(position.assets_down(at), Ok(value.assets));
        prop_assert_eq!(position.debt_up(at), Ok(value.debt));
        prop_assert_eq!(position.equity_down(at), Ok(value.equity()));
        prop_assert_eq!(value.equity(), value.assets as i128 - value.debt as i128);
    }

    /// Equity moves with the price by delta, and delta by gamma: the slopes are those of the values.
    #[test]
    fn slopes((position, at) in positions(50..60).prop_flat_map(|p| (Just(p), prices(p.band)))) {
        let band = position.band;
        let inside = |at: SqrtPrice| band.sqrt_lower() < at && at < band.sqrt_upper();
        // A ten-thousandth of the price to either side.
        let step = |up: bool| SqrtPrice::new(if up { at.x64() + at.x64() / 20_000 } else { at.x64() - at.x64() / 20_000 });
        let (Ok(down), Ok(up)) = (step(false), step(true)) else { return Ok(()) };
        prop_assume!(inside(down) == inside(up) && inside(at) == inside(up) && (down < band.sqrt_lower()) == (up < band.sqrt_lower()));
        let square = |at: SqrtPrice| (at.x64() as f64 / 2f64.powi(64)).powi(2);
        let rise = square(up) - square(down);
        let terms = position.value(up).unwrap();
        let terms = terms.assets.max(terms.debt) as f64;

        let equity = (position.equity_down(up).unwrap() - position.equity_down(down).unwrap()) as f64;
        let delta = position.delta(at).unwrap() as f64;
        prop_assert!((equity - delta * rise).abs() <= 1e-7 * terms + 4.0 * square(up) + 8.0, "{} {}", equity, delta * rise);

        let fall = (position.delta(down).unwrap() - position.delta(up).unwrap()) as f64;
        let gamma = position.gamma_per_percent_up(at).unwrap() as f64;
        let full = position.full_base_up().unwrap() as f64;
        let percents = rise / square(at) * 100.0;
        prop_assert!((fall - gamma * percents).abs() <= 1e-7 * full * percents + 4.0, "{} {}", fall, gamma * percents);
    }

    #[test]
    fn full_amounts_are_those_at_the_ends(position in positions(4..60)) {
        let lower = position.pool_amounts_down(position.band.sqrt_lower()).unwrap();
        let upper = position.pool_amounts_down(position.band.sqrt_upper()).unwrap();
        prop_assert_eq!((lower.quote, upper.base), (0, 0));
        let (base, quote) = (position.full_base_up().unwrap(), position.full_quote_up().unwrap());
        prop_assert!(base - lower.base <= 1 && quote - upper.quote <= 1);
        prop_assert_eq!(position.pool_amounts_down(SqrtPrice::MIN), Ok(lower));
        prop_assert_eq!(position.pool_amounts_down(SqrtPrice::MAX), Ok(upper));
    }
}
