//! The floating-point twin against the exact fixed point.

use crate::common;

use ballast_model::screen::{Double, Real, RiskInput, RiskReport, risk};
use ballast_model::{Boundaries, Bps, Position, SqrtPrice};
use common::{config, positions, price, prices};
use proptest::prelude::*;

/// What rounding to whole units may cost: a unit of each of the pool's amounts and of the value, and as much of the debt.
fn units(at: SqrtPrice) -> f64 {
    price(at) + 3.0
}

fn compare(
    position: &Position,
    at: SqrtPrice,
    threshold: Bps,
    report: &RiskReport,
    relative: f64,
) -> Result<(), TestCaseError> {
    let value = position.value(at).unwrap();
    let terms = value.assets.max(value.debt) as f64;
    let near = |actual: f64, exact: f64, scale: f64, units: f64| {
        (actual - exact).abs() <= relative * scale + units
    };
    prop_assert!(
        near(report.assets, value.assets as f64, terms, units(at)),
        "assets {} {:?}",
        report.assets,
        value
    );
    prop_assert!(
        near(report.debt, value.debt as f64, terms, 1.0),
        "debt {} {:?}",
        report.debt,
        value
    );
    prop_assert!(
        near(report.equity, value.equity() as f64, terms, 1.0 + units(at)),
        "equity {} {:?}",
        report.equity,
        value
    );
    let delta = position.delta(at).unwrap() as f64;
    let base = position
        .full_base_up()
        .unwrap()
        .max(position.idle.base)
        .max(position.debt.base) as f64;
    prop_assert!(
        near(report.delta, delta, base, 1.0),
        "delta {} {delta}",
        report.delta
    );
    if position.band.contains(at) && at != position.band.sqrt_lower() {
        let gamma = position.gamma_per_percent_up(at).unwrap() as f64;
        prop_assert!(near(-report.gamma * price(at) / 100.0, gamma, gamma, 1.0));
    }

    // The closed form's ends: the exact margin there is rounding, its own units and the twin's relative error.
    let ends = [report.lower, report.upper].into_iter().flatten();
    for end in ends.filter(|end| *end > 1e-18 && *end < 1e18) {
        let Ok(at) = SqrtPrice::new((end.sqrt() * 2f64.powi(64)) as u128) else {
            continue;
        };
        let Ok(value) = position.value(at) else {
            continue;
        };
        let margin = value.assets as f64 * f64::from(threshold.get()) / 1e4 - value.debt as f64;
        // The price itself is rounded to f64 on the way: 2^-52 of each term.
        let slack = (relative + 1e-15) * value.assets.max(value.debt) as f64 + 2.0 * units(at);
        prop_assert!(
            margin.abs() <= slack,
            "margin {margin} at {end}, {slack} allowed: {value:?}"
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(5_000))]

    /// With doubles: 1e-15 of the terms, the last bits of the `f64` it answers with, and the fixed point's whole units.
    #[test]
    fn doubles_agree(
        (position, at) in positions(20..60).prop_flat_map(|p| (Just(p), prices(p.band))),
        threshold in 1_000u32..10_000,
    ) {
        let threshold = Bps::new(threshold);
        let report = risk(&RiskInput::<Double>::new(&position, at, threshold));
        compare(&position, at, threshold, &report, 1e-15)?;
    }

    /// With `f64`: 1e-15 of the terms times what the band's width magnifies, as its ends are differences of prices.
    #[test]
    fn floats_agree(
        (position, at) in positions(20..60).prop_flat_map(|p| (Just(p), prices(p.band))),
        threshold in 1_000u32..10_000,
    ) {
        let threshold = Bps::new(threshold);
        let report = risk(&RiskInput::<f64>::new(&position, at, threshold));
        let (lower, upper) = (price(position.band.sqrt_lower()), price(position.band.sqrt_upper()));
        // Liquidity times the error of a square root, relative to what the band holds.
        let magnified = 8e-16 * upper / (upper - lower);
        let exact = RiskReport { lower: None, upper: None, ..report };
        compare(&position, at, threshold, &exact, magnified)?;
    }

    /// Both say the same about which ends there are, wherever rounding does not decide it.
    #[test]
    fn sides_agree(position in positions(40..60), threshold in 1_000u32..10_000) {
        let threshold = Bps::new(threshold);
        let report = risk(&RiskInput::<Double>::new(&position, position.band.sqrt_lower(), threshold));
        let found = position.boundaries(threshold).unwrap();
        let matter = |end: f64| {
            // Ends beyond all square-root prices, or where the position is worth little more than rounding, do not count.
            SqrtPrice::new((end.sqrt() * 2f64.powi(64)) as u128)
                .is_ok_and(|at| position.value(at).is_ok_and(|value| value.assets as f64 > 1e6 * units(at)))
        };
        match found {
            Boundaries::Empty => prop_assert!(
                !report.solvable || report.lower.is_none_or(|e| !matter(e)) || report.upper.is_none_or(|e| !matter(e))
            ),
            Boundaries::Interval { lower, upper } => {
                prop_assert!(report.solvable);
                for (exact, twin) in [(lower, report.lower), (upper, report.upper)] {
                    if let Some(exact) = exact.map(price).filter(|exact| matter(*exact)) {
                        let twin = twin.expect("an end that the fixed point has");
                        prop_assert!(matter(twin), "{exact} {twin}");
                    } else if let Some(twin) = twin.filter(|twin| matter(*twin)) {
                        prop_assert!(false, "{:?} {twin}", exact);
                    }
                }
            }
        }
    }
}

#[test]
fn inputs_convert_exactly() {
    let input = RiskInput::<Double>::new(
        &Position {
            band: ballast_model::Band::from_sqrt_prices(
                common::sqrt_price(1 << 64),
                common::sqrt_price(1 << 65),
            )
            .unwrap(),
            liquidity: (1 << 100) + 1,
            idle: ballast_model::Amounts {
                base: u64::MAX,
                quote: 1,
            },
            debt: ballast_model::Amounts {
                base: 3,
                quote: u64::MAX - 1,
            },
        },
        common::sqrt_price(3 << 63),
        Bps::new(8_300),
    );
    let is = |actual: Double, expected: u128| actual - Double::from_u128(expected) == Double::ZERO;
    assert!(is(input.price * Double::new(4.0), 9) && is(input.lower, 1) && is(input.upper, 4));
    assert!(is(input.liquidity, (1 << 100) + 1));
    assert!(is(input.idle_base, u128::from(u64::MAX)) && is(input.idle_quote, 1));
    assert!(is(input.debt_base, 3) && is(input.debt_quote, u128::from(u64::MAX - 1)));
    assert_eq!(input.threshold.to_f64(), 0.83);
}
