//! Boundaries in fixed point: exact to neighbouring prices, and wrong nowhere by more than rounding.

use crate::common;

use ballast_model::quiet::{HedgeBand, Triggers, quiet_interval};
use ballast_model::{Amounts, Band, Boundaries, Bps, Position, SqrtPrice, Tick};
use common::{config, exact_margin, positions, price, prices, sqrt_price};
use proptest::prelude::*;
use ruint::aliases::U512;

fn neighbour(at: SqrtPrice, up: bool) -> SqrtPrice {
    sqrt_price(if up { at.x64() + 1 } else { at.x64() - 1 })
}

/// Whether `|t A - D|`, exactly, is at most `t (P + 2) + 1` quote units at the larger of two prices.
fn within_rounding(position: &Position, at: SqrtPrice, end: SqrtPrice, threshold: Bps) -> bool {
    let (plus, minus, unit) = exact_margin(position, at, threshold);
    let whole = |at: SqrtPrice| U512::from(ballast_model::value_up(1, at).unwrap());
    let units = (whole(at.max(end)) + U512::from(2)) * U512::from(threshold.get())
        + U512::from(Bps::ONE.get());
    plus.abs_diff(minus) <= units * unit
}

proptest! {
    #![proptest_config(config(3_000))]

    /// Both sides of each end are checked with the health check itself; any other price agrees or is within rounding.
    #[test]
    fn ends_are_exact(
        (position, probes) in positions(10..56)
            .prop_flat_map(|p| (Just(p), proptest::collection::vec(prices(p.band), 20))),
        threshold in prop_oneof![Just(8_300u32), 1u32..10_000],
    ) {
        let threshold = Bps::new(threshold);
        let healthy = |at: SqrtPrice| !position.value(at).unwrap().ltv_at_least(threshold);
        let found = position.boundaries(threshold).unwrap();
        let (lower, upper) = match found {
            Boundaries::Empty => {
                // The margin is largest inside the band, or never exceeds what it is at its end.
                let peak = position.band.sqrt_upper();
                for at in probes {
                    let (plus, minus, _) = exact_margin(&position, at, threshold);
                    prop_assert!(!healthy(at) || plus > minus);
                    prop_assert!(plus <= minus || within_rounding(&position, at, peak, threshold));
                }
                return Ok(());
            }
            Boundaries::Interval { lower, upper } => (lower, upper),
        };
        if let Some(lower) = lower {
            prop_assert!(!healthy(lower) && healthy(neighbour(lower, true)));
        }
        if let Some(upper) = upper {
            prop_assert!(!healthy(upper) && healthy(neighbour(upper, false)));
        }
        prop_assert_eq!(healthy(SqrtPrice::MIN), lower.is_none());
        prop_assert_eq!(healthy(SqrtPrice::MAX), upper.is_none());
        for at in probes {
            if healthy(at) != found.contains(at) {
                let end = if upper.is_some_and(|upper| at >= upper) { upper } else { lower };
                prop_assert!(within_rounding(&position, at, end.unwrap_or(at), threshold), "{:?}", at);
            }
        }
    }

    #[test]
    fn equity_floors_are_exact(
        (position, probes) in positions(10..56)
            .prop_flat_map(|p| (Just(p), proptest::collection::vec(prices(p.band), 20))),
        part in -0.5f64..1.0,
    ) {
        let assets = position.value(position.band.sqrt_lower()).unwrap().assets;
        let floor = (assets as f64 * part) as i128;
        let above = |at: SqrtPrice| position.value(at).unwrap().equity() > floor;
        let found = position.equity_boundaries(floor).unwrap();
        if let Boundaries::Interval { lower, upper } = found {
            if let Some(lower) = lower {
                prop_assert!(!above(lower) && above(neighbour(lower, true)));
            }
            if let Some(upper) = upper {
                prop_assert!(!above(upper) && above(neighbour(upper, false)));
            }
        }
        for at in probes {
            if above(at) != found.contains(at) {
                let distance = position.value(at).unwrap().equity().abs_diff(floor) as f64;
                prop_assert!(distance <= 2.0 * (price(at) + 2.0) + 1.0, "{:?} {}", at, distance);
            }
        }
    }

    #[test]
    fn hedge_bands_are_exact_everywhere(
        (position, probes) in positions(10..56)
            .prop_flat_map(|p| (Just(p), proptest::collection::vec(prices(p.band), 20))),
        hedge in 0u32..12_000, band in 0u32..10_000,
    ) {
        let hedge = Bps::new(hedge);
        let tolerance = HedgeBand { hedge, band: Bps::new(band) }.tolerance_down(&position).unwrap();
        let quiet = |at: SqrtPrice| {
            position.hedge_error(at, hedge).unwrap().unsigned_abs() <= u128::from(tolerance)
        };
        let found = position.hedge_boundaries(hedge, tolerance).unwrap();
        if let Boundaries::Interval { lower, upper } = found {
            for end in [lower, upper].into_iter().flatten() {
                prop_assert!(!quiet(end));
                prop_assert!(quiet(neighbour(end, Some(end) == lower)) || tolerance == 0);
            }
        }
        for at in probes {
            prop_assert_eq!(quiet(at), found.contains(at), "{:?}", at);
        }
    }

    /// The quiet interval is where every single trigger is quiet.
    #[test]
    fn quiet_is_the_conjunction(
        (position, probes, stops) in positions(20..56)
            .prop_flat_map(|p| (Just(p), proptest::collection::vec(prices(p.band), 20), [prices(p.band), prices(p.band)])),
        edge in 0u32..5_000, band in 0u32..10_000, ltv in 5_000u32..10_000,
    ) {
        let triggers = Triggers {
            ltv: Some(Bps::new(ltv)),
            hedge: Some(HedgeBand { hedge: Bps::ONE, band: Bps::new(band) }),
            edge: Some(Bps::new(edge)),
            stop_loss: Some(stops[0]),
            take_profit: Some(stops[1]),
            equity_floor: Some(0),
        };
        let alone = [
            Triggers { ltv: triggers.ltv, ..Triggers::default() },
            Triggers { hedge: triggers.hedge, ..Triggers::default() },
            Triggers { edge: triggers.edge, ..Triggers::default() },
            Triggers { stop_loss: triggers.stop_loss, ..Triggers::default() },
            Triggers { take_profit: triggers.take_profit, ..Triggers::default() },
            Triggers { equity_floor: triggers.equity_floor, ..Triggers::default() },
        ];
        let each: Vec<_> = alone.iter().map(|one| quiet_interval(&position, one).unwrap()).collect();
        let all = quiet_interval(&position, &triggers).unwrap();
        for at in probes {
            prop_assert_eq!(all.contains(at), each.iter().all(|one| one.contains(at)));
        }
        prop_assert_eq!(quiet_interval(&position, &Triggers::default()).unwrap(), Boundaries::ALL);
    }

    /// More debt never makes a price quiet: debts grown to a horizon are on the safe side.
    #[test]
    fn interest_narrows(position in positions(10..56), growth: u64) {
        let factor = (1u128 << 64) + u128::from(growth);
        let grown = position.grown(factor, factor).unwrap();
        prop_assert!(grown.debt.base >= position.debt.base && grown.debt.quote >= position.debt.quote);
        let threshold = Bps::new(8_000);
        if let Boundaries::Interval { lower, upper } = grown.boundaries(threshold).unwrap() {
            let just_inside = [
                lower.map_or(SqrtPrice::MIN, |lower| neighbour(lower, true)),
                upper.map_or(SqrtPrice::MAX, |upper| neighbour(upper, false)),
            ];
            for at in just_inside {
                prop_assert!(!position.value(at).unwrap().ltv_at_least(threshold));
            }
        }
    }
}

/// Published cases in raw units of 9 decimals, and a trap: sides decided by the present price come out swapped.
#[test]
fn published_cases() {
    const UNIT: f64 = 1e9;
    let band = Band::new(Tick::new(51_972).unwrap(), Tick::new(54_193).unwrap()).unwrap();
    let root = price(band.sqrt_lower()).sqrt();
    let liquidity = (10_000.0 / (213.41f64.sqrt() - root) * UNIT) as u128;
    let cases: [(f64, f64, Option<f64>, Option<f64>); 6] = [
        (0.0, 9_807.0, Some(176.12814791), None),
        (20.0, 0.0, None, Some(562.21941046)),
        (10.0, 5_000.0, Some(109.45457976), Some(624.43882092)),
        (0.0, 11_000.0, Some(204.60489061), None),
        (51.0, 0.0, None, Some(220.16318080)),
        (11.5, 8_700.0, Some(210.75514574), Some(219.48595453)),
    ];
    let check = |position: &Position, low: Option<f64>, high: Option<f64>, exactness: f64| {
        let Boundaries::Interval { lower, upper } = position.boundaries(Bps::new(8_300)).unwrap()
        else {
            panic!("{position:?} has no boundaries")
        };
        // Without quote debt LTV stays below the threshold down to prices at which the position is worth single units.
        let lower = lower.filter(|lower| position.value(*lower).unwrap().assets > 10);
        for (actual, expected) in [(lower, low), (upper, high)] {
            assert_eq!(actual.is_some(), expected.is_some(), "{position:?}");
            if let (Some(actual), Some(expected)) = (actual, expected) {
                assert!(
                    (price(actual) / expected - 1.0).abs() < exactness,
                    "{} {expected}",
                    price(actual)
                );
            }
        }
    };
    for (dx, dy, low, high) in cases {
        let debt = Amounts {
            base: (dx * UNIT) as u64,
            quote: (dy * UNIT) as u64,
        };
        check(
            &Position {
                band,
                liquidity,
                idle: Amounts::ZERO,
                debt,
            },
            low,
            high,
            1e-9,
        );
    }
    let trap = Position {
        band: Band::new(Tick::new(1_392).unwrap(), Tick::new(4_022).unwrap()).unwrap(),
        liquidity: 1_000_000_000_000,
        idle: Amounts {
            base: 140_019_496_059,
            quote: 0,
        },
        debt: Amounts {
            base: 91_421_552_666,
            quote: 168_342_465_975,
        },
    };
    check(&trap, Some(1.7461571518889), None, 1e-10);
}

#[test]
fn ends_of_everything() {
    let all = Band::new(Tick::MIN, Tick::MAX).unwrap();
    let position = |liquidity, idle: u64, debt: u64| Position {
        band: all,
        liquidity,
        idle: Amounts {
            base: idle,
            quote: idle,
        },
        debt: Amounts {
            base: debt,
            quote: debt,
        },
    };
    let half = Bps::new(5_000);
    // Nothing owed: quiet everywhere, even with nothing owned.
    assert_eq!(position(0, 0, 0).boundaries(half), Ok(Boundaries::ALL));
    assert_eq!(
        position(u128::MAX, u64::MAX, 0).boundaries(half),
        Ok(Boundaries::ALL)
    );
    // Only debt.
    assert_eq!(position(0, 0, 1).boundaries(half), Ok(Boundaries::Empty));
    assert_eq!(
        position(0, 0, u64::MAX).boundaries(half),
        Ok(Boundaries::Empty)
    );
    assert_eq!(position(0, 10, 6).boundaries(half), Ok(Boundaries::Empty));
    assert_eq!(
        position(0, u64::MAX, u64::MAX).boundaries(half),
        Ok(Boundaries::Empty)
    );
    // Liquidity beyond any amount: valued as u64::MAX of each, not an error.
    let huge = position(u128::MAX, 0, 1 << 62).boundaries(half).unwrap();
    assert!(huge.contains(SqrtPrice::ONE));
    assert!(
        position(u128::MAX, 0, 1)
            .hedge_boundaries(Bps::ONE, 1)
            .is_err()
    );
    assert!(
        position(1 << 60, 0, 1)
            .boundaries(Bps::new(u32::MAX))
            .unwrap()
            .contains(SqrtPrice::ONE)
    );
    assert_eq!(
        position(1 << 60, 0, 1).boundaries(Bps::ZERO),
        Ok(Boundaries::Empty)
    );
}

#[test]
fn stop_above_target_is_never_quiet() {
    let band = Band::new(Tick::new(-10).unwrap(), Tick::new(10).unwrap()).unwrap();
    let position = Position {
        band,
        liquidity: 1 << 40,
        idle: Amounts::ZERO,
        debt: Amounts::ZERO,
    };
    let stops = |low, high| {
        let triggers = Triggers {
            stop_loss: Some(sqrt_price(low)),
            take_profit: Some(sqrt_price(high)),
            ..Triggers::default()
        };
        quiet_interval(&position, &triggers).unwrap()
    };
    assert_eq!(stops(1 << 65, 1 << 64), Boundaries::Empty);
    assert_eq!(stops(1 << 64, (1 << 64) + 1), Boundaries::Empty);
    assert!(stops(1 << 64, (1 << 64) + 2).contains(sqrt_price((1 << 64) + 1)));
    for edge in [5_000, u32::MAX] {
        let triggers = Triggers {
            edge: Some(Bps::new(edge)),
            ..Triggers::default()
        };
        assert_eq!(
            quiet_interval(&position, &triggers).unwrap(),
            Boundaries::Empty
        );
    }
    let triggers = Triggers {
        edge: Some(Bps::ZERO),
        ..Triggers::default()
    };
    assert_eq!(
        quiet_interval(&position, &triggers).unwrap(),
        Boundaries::Interval {
            lower: Some(band.sqrt_lower()),
            upper: Some(band.sqrt_upper())
        }
    );
    // A part of the width off either end, rounded inwards.
    let (lower, upper) = (band.sqrt_lower().x64(), band.sqrt_upper().x64());
    let margin = ((upper - lower) * 777).div_ceil(10_000);
    let triggers = Triggers {
        edge: Some(Bps::new(777)),
        ..Triggers::default()
    };
    assert_ne!((upper - lower) * 777 % 10_000, 0);
    assert_eq!(
        quiet_interval(&position, &triggers).unwrap(),
        Boundaries::Interval {
            lower: Some(sqrt_price(lower + margin)),
            upper: Some(sqrt_price(upper - margin))
        }
    );
}
