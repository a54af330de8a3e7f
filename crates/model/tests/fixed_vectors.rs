//! The exact fixed point against the reference model: every golden position in raw units of up to 10^17, so that rounding
//! to whole units costs about 1e-16 of a value. `BALLAST_VECTORS=FILE` checks another file.

use std::path::PathBuf;

use ballast_model::{Amounts, Band, Boundaries, Bps, Position, SqrtPrice};
use ruint::aliases::{U256, U512};
use serde_json::Value;

/// Largest relative error.
const RELATIVE: f64 = 1e-9;

/// A decimal number, exactly: mantissa times a power of ten.
struct Exact {
    mantissa: U512,
    exponent: i32,
}

impl Exact {
    fn new(text: &str) -> Self {
        let (number, exponent) = text.split_once(['E', 'e']).unwrap_or((text, "0"));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let mantissa = format!("{whole}{fraction}").parse().unwrap();
        let exponent: i32 = exponent.parse().unwrap();
        Self {
            mantissa,
            exponent: exponent - fraction.len() as i32,
        }
    }

    /// `self * 10^power * 2^shift`, rounded down.
    fn scaled_down(&self, power: i32, shift: usize) -> U512 {
        let power = power + self.exponent;
        let ten = U512::from(10).pow(U512::from(power.unsigned_abs()));
        let mantissa = self.mantissa << shift;
        if power >= 0 {
            mantissa * ten
        } else {
            mantissa / ten
        }
    }
}

/// A golden position in raw units, with the decimals that make them.
struct Case {
    position: Position,
    at: SqrtPrice,
    threshold: Bps,
    base_power: i32,
    quote_power: i32,
}

impl Case {
    fn new(line: &Value) -> Self {
        let text = |field: &str| line[field].as_str().unwrap();
        let float = |field: &str| text(field).parse::<f64>().unwrap();
        let (sa, sb) = (float("pa").sqrt(), float("pb").sqrt());
        let liquidity = float("L");
        let decimals =
            |amounts: [f64; 3]| 17 - amounts.into_iter().fold(0.0, f64::max).log10().ceil() as i32;
        let mut base_power =
            decimals([liquidity * (1.0 / sa - 1.0 / sb), float("lx"), float("dx")]);
        let quote_power = decimals([liquidity * (sb - sa), float("ly"), float("dy")]);
        base_power -= (base_power + quote_power).rem_euclid(2);

        let sqrt = |field: &str| {
            let price = Exact::new(text(field)).scaled_down(quote_power - base_power, 128);
            SqrtPrice::new(ballast_clmm::wide::isqrt_down(price.to::<U256>())).unwrap()
        };
        let amount =
            |field: &str, power: i32| Exact::new(text(field)).scaled_down(power, 0).to::<u64>();
        let amounts = |base: &str, quote: &str| Amounts {
            base: amount(base, base_power),
            quote: amount(quote, quote_power),
        };
        let liquidity = Exact::new(text("L")).scaled_down((base_power + quote_power) / 2, 0);
        Self {
            position: Position {
                band: Band::from_sqrt_prices(sqrt("pa"), sqrt("pb")).unwrap(),
                liquidity: liquidity.to(),
                idle: amounts("lx", "ly"),
                debt: amounts("dx", "dy"),
            },
            at: sqrt("P"),
            threshold: Bps::new((float("t") * 1e4).round() as u32),
            base_power,
            quote_power,
        }
    }

    fn price(&self, at: SqrtPrice) -> f64 {
        (at.x64() as f64 / 2f64.powi(64)).powi(2) * 10f64.powi(self.base_power - self.quote_power)
    }
}

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
fn file_named_by_the_environment() {
    if let Some(path) = std::env::var_os("BALLAST_VECTORS") {
        file(PathBuf::from(path));
    }
}
