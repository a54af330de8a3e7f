//! The closed forms of the floating-point twin against the reference model's bisection at 50 digits.
//!
//! `BALLAST_VECTORS=FILE` with `--ignored` checks another file of the same form, of any length:
//! `python3 reference/model.py vectors 50000 > FILE`.

use std::path::PathBuf;

use ballast_model::screen::{RiskReport, parse_risk_line, risk, risk_line};
use serde_json::Value;

/// Largest relative error of a value.
const RELATIVE: f64 = 1e-9;
/// Differences that cancel are known to this part of their terms: the vectors' inputs have 31 digits.
const CANCELLED: f64 = 1e-27;

fn number(line: &Value, field: &str) -> Option<f64> {
    match &line[field] {
        Value::Null => None,
        value => Some(value.as_str().unwrap().parse().unwrap()),
    }
}

/// Largest errors seen.
#[derive(Default)]
struct Worst {
    cases: usize,
    value: f64,
    boundary: f64,
}

impl Worst {
    fn compare(&mut self, text: &str) {
        let line: Value = serde_json::from_str(text).unwrap();
        let report = risk(&parse_risk_line(text).unwrap());
        let get = |field| number(&line, field).unwrap();
        let (assets, debt) = (get("assets"), get("debt"));
        let RiskReport { leverage, ltv, .. } = report;
        let base = (assets / get("P")).max(get("dx"));
        let values = [
            ("assets", report.assets, assets, assets),
            ("debt", report.debt, debt, debt),
            ("equity", report.equity, get("equity"), assets.max(debt)),
            ("delta", report.delta, get("delta"), base),
            ("gamma", report.gamma, get("gamma"), 0.0),
            ("ltv", ltv.unwrap(), debt / assets, 0.0),
        ];
        for (field, actual, expected, terms) in values {
            self.value = self
                .value
                .max(check(field, actual, expected, terms * CANCELLED, text));
        }
        let equity = get("equity");
        assert_eq!(leverage.is_some(), equity > 0.0, "leverage of {text}");
        if let Some(leverage) = leverage.filter(|_| equity > assets * 1e-12) {
            check("leverage", leverage, assets / equity, 0.0, text);
        }
        assert_eq!(
            Value::Bool(report.solvable),
            line["solvable"],
            "solvable of {text}"
        );
        for (side, actual) in [("lower", report.lower), ("upper", report.upper)] {
            let expected = number(&line, side);
            assert_eq!(
                actual.is_some(),
                expected.is_some(),
                "{side} of {text}: {actual:?}"
            );
            if let (Some(actual), Some(expected)) = (actual, expected) {
                self.boundary = self.boundary.max(check(side, actual, expected, 0.0, text));
            }
        }
        self.cases += 1;
    }

    fn file(path: &PathBuf) -> Self {
        let mut worst = Self::default();
        for line in std::fs::read_to_string(path).unwrap().lines() {
            worst.compare(line);
        }
        println!(
            "{}: {} cases, 0 wrong sides, 0 missing boundaries; largest relative error {:.1e} of values, {:.1e} of boundaries",
            path.display(),
            worst.cases,
            worst.value,
            worst.boundary
        );
        worst
    }
}

/// The relative error beyond `noise`, checked.
fn check(field: &str, actual: f64, expected: f64, noise: f64, text: &str) -> f64 {
    let error = ((actual - expected).abs() - noise).max(0.0);
    let relative = if error == 0.0 {
        0.0
    } else {
        error / expected.abs()
    };
    assert!(
        relative <= RELATIVE,
        "{field} is {actual}, should be {expected} ({relative:e}): {text}"
    );
    relative
}

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

#[test]
fn random_positions() {
    let worst = Worst::file(&golden("vectors.jsonl"));
    assert!(worst.cases >= 1_000);
    // Far inside the required 1e-9.
    assert!(worst.value < 1e-14 && worst.boundary < 1e-14);
}

#[test]
fn hard_positions() {
    let worst = Worst::file(&golden("hard.jsonl"));
    assert!(worst.cases >= 500);
    assert!(worst.value < 1e-12 && worst.boundary < 1e-12);
}

#[test]
#[ignore = "needs a file: BALLAST_VECTORS"]
fn file_named_by_the_environment() {
    let path = std::env::var_os("BALLAST_VECTORS").expect("BALLAST_VECTORS=FILE names no file");
    assert!(Worst::file(&PathBuf::from(path)).cases > 0);
}

/// Both boundaries of published cases: ticks 51972..54193 as equal-decimals prices, P = 213.41,
/// L = 10000 / (sqrt(P) - sa), t = 0.83; and its trap, where sides decided by the present price come out swapped.
#[test]
fn published_cases() {
    let (price, lower, upper) = (213.41f64, 1.0001f64.powi(51_972), 1.0001f64.powi(54_193));
    let liquidity = 10_000.0 / (price.sqrt() - lower.sqrt());
    let cases: [(f64, f64, Option<f64>, Option<f64>); 6] = [
        (0.0, 9_807.0, Some(176.12814791), None),
        (20.0, 0.0, None, Some(562.21941046)),
        (10.0, 5_000.0, Some(109.45457976), Some(624.43882092)),
        (0.0, 11_000.0, Some(204.60489061), None),
        (51.0, 0.0, None, Some(220.16318080)),
        (11.5, 8_700.0, Some(210.75514574), Some(219.48595453)),
    ];
    let near = |actual: Option<f64>, expected: Option<f64>| {
        assert_eq!(actual.is_some(), expected.is_some());
        if let (Some(actual), Some(expected)) = (actual, expected) {
            assert!((actual - expected).abs() < 1e-8, "{actual} {expected}");
        }
    };
    for (dx, dy, low, high) in cases {
        let line = format!(
            r#"{{"P":{price},"pa":{lower},"pb":{upper},"L":{liquidity},"lx":0,"ly":0,"dx":{dx},"dy":{dy},"t":0.83}}"#
        );
        let report = risk(&parse_risk_line(&line).unwrap());
        near(report.lower, low);
        near(report.upper, high);
    }

    let (lower, upper) = (1.0001f64.powi(1_392), 1.0001f64.powi(4_022));
    let line = format!(
        r#"{{"P":1.92814,"pa":{lower},"pb":{upper},"L":1e12,"lx":140019496059,"ly":0,"dx":91421552666,"dy":168342465975,"t":"0.83"}}"#
    );
    let report = risk(&parse_risk_line(&line).unwrap());
    assert!(report.solvable && report.upper.is_none());
    assert!((report.lower.unwrap() - 1.7461571518889).abs() < 1e-12);
}

/// What `reference/model.py` prints without arguments.
#[test]
fn worked_example() {
    let example = |price: &str| {
        let line = format!(
            r#"{{"P":"{price}","pa":"190","pb":"210","L":"429.2390126485445","lx":"0","ly":"0","dx":"0.7314757238731","dy":"53.7048552254728","t":"0.8"}}"#
        );
        risk(&parse_risk_line(&line).unwrap())
    };
    let near = |actual: f64, expected: f64| {
        assert!((actual - expected).abs() < 1e-9, "{actual} {expected}")
    };
    let at = example("190");
    near(at.equity, 96.108106142659);
    near(at.delta, 0.788489270359);
    let at = example("200");
    near(at.equity, 100.0);
    near(at.delta, 0.0);
    near(at.gamma, -0.075879454148);
    near(at.leverage.unwrap(), 3.0);
    near(at.lower.unwrap(), 110.846787443450);
    near(at.upper.unwrap(), 258.635186985545);
    let at = example("250");
    near(at.equity, 67.038983612192);
    near(at.leverage.unwrap(), 4.528898760789);
    assert_eq!(at.gamma, 0.0);
}

#[test]
fn a_line_in_gives_a_line_out() {
    let line = std::fs::read_to_string(golden("vectors.jsonl")).unwrap();
    let answer: Value =
        serde_json::from_str(&risk_line(line.lines().next().unwrap()).unwrap()).unwrap();
    let fields: Vec<_> = answer
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let mut expected = [
        "assets", "debt", "equity", "delta", "gamma", "leverage", "ltv", "lower", "upper",
        "solvable",
    ];
    expected.sort_unstable();
    assert_eq!(fields, expected);
}

#[test]
fn no_equity_no_leverage_and_no_boundaries() {
    let line =
        r#"{"P":"1","pa":"0.9","pb":"1.1","L":"10","lx":"0","ly":"0","dx":"5","dy":"5","t":"0.8"}"#;
    let answer: Value = serde_json::from_str(&risk_line(line).unwrap()).unwrap();
    assert!(answer["equity"].as_f64().unwrap() < 0.0);
    assert_eq!(
        (&answer["leverage"], &answer["lower"], &answer["upper"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(answer["solvable"], Value::Bool(false));
    // Nothing owned: no ratio.
    let line =
        r#"{"P":"1","pa":"0.9","pb":"1.1","L":"0","lx":"0","ly":"0","dx":"5","dy":"5","t":"0.8"}"#;
    let answer: Value = serde_json::from_str(&risk_line(line).unwrap()).unwrap();
    assert_eq!(
        (&answer["ltv"], &answer["leverage"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn bad_lines_name_the_field_and_the_fix() {
    let good = r#"{"P":"1","pa":"0.9","pb":"1.1","L":"10","lx":"0","ly":"0","dx":"1","dy":"1","t":"0.8","note":[1,{}]}"#;
    risk_line(good).unwrap();
    for (from, to, expected) in [
        (
            r#""P":"1""#,
            r#""P":"NaN""#,
            r#"field P: "NaN" is not a decimal number: write it like 1.25, -3 or 1.25E+3"#,
        ),
        (
            r#""P":"1""#,
            r#""P":"Infinity""#,
            r#"field P: "Infinity" is not a decimal number"#,
        ),
        (
            r#""P":"1""#,
            r#""P":null"#,
            "field P: null is not a decimal number",
        ),
        (
            r#""P":"1""#,
            r#""P":[1,2]"#,
            "field P: a list is not a decimal number",
        ),
        (
            r#""P":"1""#,
            r#""P":{"a":1}"#,
            "field P: an object is not a decimal number",
        ),
        (
            r#""P":"1""#,
            r#""P":true"#,
            "field P: true is not a decimal number",
        ),
        (
            r#""P":"1""#,
            r#""P":"0""#,
            "field P: 0 must be greater than 0",
        ),
        (
            r#""P":"1""#,
            r#""P":-2"#,
            "field P: -2 must be greater than 0",
        ),
        (
            r#""P":"1","#,
            "",
            "field P is missing: every position needs",
        ),
        (
            r#""P":"1""#,
            r#""P":"1e300""#,
            r#"field P: "1e300" is out of range: magnitudes from 1E-45 to 1E+45"#,
        ),
        (
            r#""pa":"0.9""#,
            r#""pa":"1.1""#,
            "fields pa, pb: the range 1.1..1.1 is empty: pa must be below pb",
        ),
        (
            r#""pa":"0.9""#,
            r#""pa":"2""#,
            "fields pa, pb: the range 2..1.1 is empty",
        ),
        (
            r#""pa":"0.9""#,
            r#""pa":"-1""#,
            "field pa: -1 must be greater than 0",
        ),
        (
            r#""L":"10""#,
            r#""L":"-10""#,
            "field L: -10 is negative: amounts are 0 or more",
        ),
        (
            r#""dx":"1""#,
            r#""dx":"-1e-9""#,
            "field dx: -0.000000001 is negative",
        ),
        (
            r#""t":"0.8""#,
            r#""t":"80""#,
            "field t: 80 must not exceed 1: it is a ratio",
        ),
        (
            r#""t":"0.8""#,
            r#""t":"0""#,
            "field t: 0 must be greater than 0",
        ),
        (
            r#""lx":"0""#,
            r#""lx":"0","lx":"1""#,
            "field lx is given twice",
        ),
        (
            good,
            "",
            "not a JSON object with the fields P, pa, pb, L, lx, ly, dx, dy, t: EOF",
        ),
        (good, "[1]", "sequence, expected a JSON object"),
        (good, "{", "not a JSON object"),
        (good, "null", "not a JSON object"),
    ] {
        let bad = good.replace(from, to);
        let error = risk_line(&bad).expect_err(&bad).to_string();
        assert!(error.contains(expected), "{bad}: {error}");
    }
}

/// `cargo test --release -p ballast-model --test model throughput -- --ignored --nocapture`
#[test]
#[ignore = "measures; what it prints depends on the machine"]
fn throughput() {
    let text = std::fs::read_to_string(golden("vectors.jsonl")).unwrap();
    let rounds = 100;
    let start = std::time::Instant::now();
    let mut written = 0;
    for _ in 0..rounds {
        written += text
            .lines()
            .map(|line| risk_line(line).unwrap().len())
            .sum::<usize>();
    }
    let lines = (rounds * text.lines().count()) as f64;
    println!(
        "{:.0} positions/s from text to text, {written} bytes written",
        lines / start.elapsed().as_secs_f64()
    );

    let inputs: Vec<_> = text
        .lines()
        .map(|line| parse_risk_line(line).unwrap())
        .collect();
    let start = std::time::Instant::now();
    let solvable: usize = (0..rounds)
        .flat_map(|_| &inputs)
        .map(|input| usize::from(risk(input).solvable))
        .sum();
    println!(
        "{:.0} positions/s of the formulas, {solvable} solvable",
        lines / start.elapsed().as_secs_f64()
    );
}
