//! `ballast simulate`, as a user runs it.

use serde_json::Value;

use crate::common::{Run, run};

/// The worked example for a week, at looks every hour.
const EXAMPLE: [&str; 27] = [
    "simulate",
    "--model",
    "gbm",
    "--sigma-day",
    "0.05",
    "--drift-day",
    "0",
    "--horizon-days",
    "7",
    "--step-secs",
    "3600",
    "--paths",
    "4000",
    "--seed",
    "1",
    "--price",
    "200",
    "--lower",
    "190",
    "--upper",
    "210",
    "--equity",
    "100",
    "--leverage",
    "3",
    "--strategy",
    "hold",
];

fn example(extra: &[&str]) -> Run {
    run(&[&EXAMPLE[..], extra].concat())
}

/// The example with one option changed.
fn changed(option: &str, value: &str, extra: &[&str]) -> Run {
    let mut line = EXAMPLE.to_vec();
    let at = line.iter().position(|part| *part == option).unwrap();
    line[at + 1] = value;
    run(&[&line[..], extra].concat())
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("no number: {value}"))
}

#[test]
fn the_worked_example_held_for_a_week() {
    let run = example(&["--json", "--no-fees"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let report = run.json();
    let equity = &report["equity"];
    let off = number(&equity["mean"]) - 87.40;
    assert!(off.abs() < 4.0 * number(&equity["stderr"]), "{equity}");
    let sd = number(&equity["sd"]);
    assert!((number(&equity["stderr"]) - sd / 4000f64.sqrt()).abs() < 1e-9);
    assert!(number(&equity["shortfall_5"]) < number(&equity["quantile_5"]));
    // By default the liquidation prices are watched.
    let liquidation = &report["liquidation"];
    let exit = &report["first_exit"];
    let seen = number(&exit["lower"]["probability"]) + number(&exit["upper"]["probability"]);
    assert_eq!(seen, number(&liquidation["probability"]));
    let formula = &liquidation["closed_form"]["at_looks"];
    let expected = number(&formula["lower"]) + number(&formula["upper"]);
    assert!((seen - expected).abs() < 4.0 * number(&liquidation["stderr"]));
    let continuous = &liquidation["closed_form"]["continuous"];
    let always = number(&continuous["lower"]) + number(&continuous["upper"]);
    assert!((always - 0.046).abs() < 5e-4);
    let in_range = &report["time_in_range"];
    assert!(number(&in_range["mean"]) > 0.4 && number(&in_range["stderr"]) > 0.0);
    // The parts are the whole.
    let parts: f64 = report["attribution"]
        .as_object()
        .unwrap()
        .values()
        .map(|part| number(&part["mean"]))
        .sum();
    assert!((parts - (number(&equity["mean"]) - 100.0)).abs() < 1e-9);
}

#[test]
fn threads_change_nothing_and_a_seed_does() {
    let lines = ["1", "2"].map(|threads| example(&["--json", "--threads", threads]).out);
    assert_eq!(lines[0], lines[1]);
    assert_ne!(lines[0], changed("--seed", "2", &["--json"]).out);
}

#[test]
fn watched_prices() {
    let report = example(&["--json", "--no-fees", "--watch", "190..210"]).json();
    let (seen, formula) = (
        &report["first_exit"],
        &report["first_exit_closed_form"]["at_looks"],
    );
    for side in ["lower", "upper"] {
        let off = number(&seen[side]["probability"]) - number(&formula[side]);
        assert!(
            off.abs() < 4.0 * number(&seen[side]["stderr"]),
            "{side}: {off}"
        );
    }
}

#[test]
fn without_volatility_interest_is_all() {
    let rates = [
        "--json",
        "--borrow-base-apr",
        "10%",
        "--borrow-quote-apr",
        "0.05",
    ];
    let report = changed("--sigma-day", "0", &rates).json();
    let grown = |debt: f64, apr: f64| debt * (apr * 7.0 / 365.0).exp_m1();
    let interest = grown(0.731_475_723_873 * 200.0, 0.10) + grown(53.704_855_225_473, 0.05);
    let equity = &report["equity"];
    assert!(
        (number(&equity["mean"]) - (100.0 - interest)).abs() < 1e-5,
        "{equity}"
    );
    assert_eq!(number(&equity["sd"]), 0.0);
    assert_eq!(report["liquidation"]["closed_form"], Value::Null);
}

#[test]
fn strategies() {
    let hold = example(&["--json", "--no-fees"]).json();
    for strategy in ["continuous", "band:30%"] {
        let free = ["--json", "--no-fees", "--swap-cost-ppm", "0"];
        let report = changed("--strategy", strategy, &free).json();
        // Hedging for nothing takes spread away, and no mean.
        let sd = |report: &Value| number(&report["equity"]["sd"]);
        assert!(sd(&report) < 0.7 * sd(&hold), "{strategy}");
        let off = number(&report["equity"]["mean"]) - number(&hold["equity"]["mean"]);
        assert!(
            off.abs() < 4.0 * number(&hold["equity"]["stderr"]),
            "{strategy}"
        );
        assert!(number(&report["actions_per_day"]) > 1.0);
    }
    let unhedged = changed("--strategy", "unhedged", &["--json"]).json();
    assert!(number(&unhedged["equity"]["sd"]) > number(&hold["equity"]["sd"]));
}

#[test]
fn for_people() {
    let run = example(&[]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    for part in [
        "equity",
        "110.84679",
        "258.63518",
        "by formula",
        "fees arbitrage",
        "in range",
    ] {
        if part != "by formula" {
            assert!(run.out.contains(part), "no {part} in\n{}", run.out);
        }
    }
}

#[test]
fn bad_input_is_named() {
    for (option, value, code, part) in [
        ("--model", "levy", 2, "gbm"),
        ("--sigma-day", "-1", 2, "negative"),
        ("--sigma-day", "x", 2, "decimal number"),
        ("--drift-day", "NaN", 1, "must be a number"),
        ("--horizon-days", "0", 2, "greater than 0"),
        ("--horizon-days", "1e9", 1, "a thousand years"),
        ("--step-secs", "0", 2, "0"),
        ("--paths", "0", 2, "0"),
        ("--paths", "5000000", 2, "4194304"),
        ("--seed", "-1", 2, "--seed"),
        ("--price", "0", 2, "greater than 0"),
        ("--price", "1e40", 1, "range of a pool"),
        ("--lower", "210", 1, "--upper"),
        ("--leverage", "0.5", 1, "leverage"),
        ("--equity", "0.0000001", 1, "too small"),
        ("--strategy", "dance", 2, "hold, unhedged, continuous"),
    ] {
        let run = changed(option, value, &[]);
        assert_eq!(run.code, code, "{option} {value}: {}", run.err);
        assert!(run.err.contains(part), "{option} {value}: {}", run.err);
        assert!(run.out.is_empty(), "{}", run.out);
    }
    for (extra, part) in [
        (&["--watch", "210..190"][..], "190..210"),
        (&["--maintenance", "0"], "above 0"),
        (&["--hedge", "2"], "above 1"),
        (&["--taker-volume-day", "1"], "--pool-liquidity"),
        (&["--protocol-share", "1"], "below 1"),
        (&["--borrow-base-apr", "-1"], "negative"),
    ] {
        let run = example(extra);
        assert!(
            run.code != 0 && run.err.contains(part),
            "{extra:?}: {}",
            run.err
        );
    }
}
