//! The exact fixed point against the reference model: every golden position in raw units of up to 10^17, so that rounding
//! to whole units costs about 1e-16 of a value. `BALLAST_VECTORS=FILE` with `--ignored` checks another file.

use crate::common;

use std::path::PathBuf;

use ballast_model::Boundaries;
use common::golden::Case;
use serde_json::Value;

/// Largest relative error.
const RELATIVE: f64 = 1e-9;

/// The relative error beyond `units` of rounding, checked.
fn check(what: &str, actual: f64, expected: f64, units: f64) -> f64 {
    let relative =
        ((actual - expected).abs() - units).max(0.0) / expected.abs().max(f64::MIN_POSITIVE);
    assert!(
        relative <= RELATIVE,
        "{what} is {actual}, should be {expected} ({relative:e})"
    );
    relative
}

fn compare(line: &Value) -> (f64, f64) {
    let number = |field: &str| line[field].as_str().unwrap().parse::<f64>().unwrap();
    let case = Case::new(line);
    let Case {
        position,
        at,
        threshold,
        ..
    } = case;
    let (base, quote) = (10f64.powi(case.base_power), 10f64.powi(case.quote_power));
    let value = position.value(at).unwrap();
    // A unit of base is worth P units of quote; the inputs are themselves cut to whole units.
    let unit = number("P") * quote / base;
    let units = 4.0 * unit + 6.0;
    let mut worst = check(
        "assets",
        value.assets as f64,
        number("assets") * quote,
        units,
    )
    .max(check(
        "debt",
        value.debt as f64,
        number("debt") * quote,
        units,
    ))
    .max(check(
        "equity",
        value.equity() as f64,
        number("equity") * quote,
        2.0 * units,
    ))
    .max(check(
        "delta",
        position.delta(at).unwrap() as f64,
        number("delta") * base,
        4.0,
    ));
    let gamma = position.gamma_per_percent_up(at).unwrap() as f64;
    worst = worst.max(check(
        "gamma",
        gamma,
        -number("gamma") * number("P") / 100.0 * base,
        4.0,
    ));
    let (ltv, leverage) = (
        number("debt") / number("assets"),
        number("assets") / number("equity"),
    );
    worst = worst.max(check("LTV", f64::from(value.ltv_bps_up()), ltv * 1e4, 1.0));
    worst = worst.max(check(
        "leverage",
        value.leverage_bps_up() as f64,
        leverage * 1e4,
        1.0,
    ));

    let bounds = position.boundaries(threshold).unwrap();
    assert_eq!(
        bounds != Boundaries::Empty,
        line["solvable"].as_bool().unwrap()
    );
    let mut furthest = 0f64;
    if let Boundaries::Interval { lower, upper } = bounds {
        // Where 1e17 units are worth only 1e7 any more, rounding alone may end the interval.
        let lower = lower.filter(|lower| position.value(*lower).unwrap().assets > 10_000_000);
        for (side, actual) in [("lower", lower), ("upper", upper)] {
            let expected = line[side].as_str().map(|text| text.parse::<f64>().unwrap());
            assert_eq!(actual.is_some(), expected.is_some(), "{side}: {actual:?}");
            if let (Some(actual), Some(expected)) = (actual, expected) {
                furthest = furthest.max(check(side, case.price(actual), expected, 0.0));
            }
        }
    }
    (worst, furthest)
}

fn file(path: PathBuf) {
    let (mut cases, mut values, mut boundaries) = (0, 0f64, 0f64);
    for text in std::fs::read_to_string(&path).unwrap().lines() {
        let line: Value = serde_json::from_str(text).unwrap();
        let (value, boundary) =
            std::panic::catch_unwind(|| compare(&line)).unwrap_or_else(|_| panic!("in {text}"));
        (cases, values, boundaries) = (cases + 1, values.max(value), boundaries.max(boundary));
    }
    println!(
        "{}: {cases} cases in fixed point, 0 wrong sides, 0 missing boundaries; largest relative error {values:.1e} of values, \
         {boundaries:.1e} of boundaries",
        path.display()
    );
    assert!(cases > 0);
}

#[test]
fn random_positions() {
    file(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/vectors.jsonl"));
}

#[test]
#[ignore = "needs a file: BALLAST_VECTORS"]
fn file_named_by_the_environment() {
    let path = std::env::var_os("BALLAST_VECTORS").expect("BALLAST_VECTORS=FILE names no file");
    file(PathBuf::from(path));
}
