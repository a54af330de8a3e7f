//! `ballast quote`, as a user runs it.

use crate::common::{Run, run, run_with};
use serde_json::Value;

/// The worked example of MATH section 2.
const EXAMPLE: [&str; 15] = [
    "quote",
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
    "--hedge",
    "1",
    "--maintenance",
    "0.8",
];

fn example(extra: &[&str]) -> Run {
    run(&[&EXAMPLE[..], extra].concat())
}

/// The example with one option changed.
fn changed(option: &str, value: &str) -> Run {
    let mut line = EXAMPLE.to_vec();
    let at = line.iter().position(|part| *part == option).unwrap();
    line[at + 1] = value;
    run(&line)
}

#[track_caller]
fn close(value: &Value, expected: f64) {
    // The reference prints 12 decimals.
    let actual = value.as_f64().unwrap();
    assert!(
        (actual - expected).abs() <= 6e-13 * expected.abs().max(1.0),
        "{actual} is not {expected}"
    );
}

#[test]
fn the_worked_example() {
    let run = example(&["--json", "--at", "190,210,250"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let quote = run.json();
    for (field, expected) in [
        ("L", 429.239012648545),
        ("x", 0.731475723873),
        ("y", 153.704855225473),
        ("dx", 0.731475723873),
        ("dy", 53.704855225473),
        ("assets", 300.0),
        ("debt", 200.0),
        ("equity", 100.0),
        ("leverage", 3.0),
        ("ltv", 2.0 / 3.0),
        ("delta", 0.0),
        ("gamma", -0.075879454148),
        ("lower", 110.846787443450),
        ("upper", 258.635186985545),
    ] {
        close(&quote[field], expected);
    }
    let curve = quote["curve"].as_array().unwrap();
    let at = |price: f64| curve.iter().find(|point| point["P"] == price).unwrap();
    close(&at(190.0)["equity"], 96.108106142659);
    close(&at(190.0)["delta"], 0.788489270359);
    close(&at(210.0)["equity"], 96.298012567098);
    close(&at(210.0)["delta"], -0.731475723873);
    close(&at(250.0)["equity"], 67.038983612192);
    close(&at(250.0)["leverage"], 4.528898760789);
    close(&at(250.0)["pnl"], 67.038983612192 - 100.0);
}

#[test]
fn the_raw_plan_is_the_example_to_the_last_unit_that_rounding_allows() {
    let quote = example(&["--json"]).json();
    let plan = &quote["on_chain"];
    let raw = |field: &str| plan[field].as_str().unwrap().parse::<i128>().unwrap();
    // Liquidity in raw units is L * 10^((9 + 6) / 2).
    let liquidity = 429.239012648545 * 10f64.powf(7.5);
    assert!((raw("liquidity") as f64 - liquidity).abs() <= liquidity * 1e-8);
    // What is borrowed rounds up.
    assert!((731_475_723..=731_475_725).contains(&raw("debt_base")));
    assert!((53_704_855..=53_704_857).contains(&raw("debt_quote")));
    assert!((99_999_997..=100_000_000).contains(&raw("equity")));
    assert!((-2..=0).contains(&raw("delta")));
    assert_eq!(plan["ltv_bps"], 6_667);
    let price = |field: &str| (raw(field) as f64 / 2f64.powi(64)).powi(2) * 1e3;
    assert!((price("liquidation_lower_sqrt_price_x64") / 110.846787443450 - 1.0).abs() < 1e-7);
    assert!((price("liquidation_upper_sqrt_price_x64") / 258.635186985545 - 1.0).abs() < 1e-7);
    assert!(plan["tick_lower"].is_null());
    let on_grid = example(&["--json", "--tick-spacing", "64"]).json();
    assert_eq!(on_grid["on_chain"]["tick_lower"].as_i64().unwrap() % 64, 0);
    assert!(on_grid["pa"].as_f64().unwrap() <= 190.0 && on_grid["pb"].as_f64().unwrap() >= 210.0);
}

#[test]
fn a_quote_is_a_line_for_risk() {
    let quoted = example(&["--json"]);
    let answered = run_with(&["risk", "--input", "-"], quoted.out.as_bytes());
    assert_eq!(answered.code, 0, "{}", answered.err);
    let (quote, risk) = (quoted.json(), answered.json());
    for field in [
        "assets", "debt", "equity", "gamma", "leverage", "lower", "upper",
    ] {
        close(&risk[field], quote[field].as_f64().unwrap());
    }
}

#[test]
fn for_people() {
    let run = example(&[]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    for part in [
        "110.8467874",
        "258.635187",
        "0.7314757239",
        "53.70485523",
        "96.108106",
        "liquidation lower",
        "LTV 80.00%",
    ] {
        assert!(run.out.contains(part), "no {part} in\n{}", run.out);
    }
}

#[test]
fn percent_and_other_decimals() {
    let percent = changed("--maintenance", "80%").out;
    assert_eq!(percent, example(&[]).out);
    let other = example(&["--json", "--base-decimals", "6", "--quote-decimals", "9"]).json();
    close(&other["lower"], 110.846787443450);
}

#[test]
fn a_hedge_that_is_not_affordable() {
    let line = [
        "quote",
        "--json",
        "--price",
        "200",
        "--lower",
        "210",
        "--upper",
        "220",
        "--equity",
        "100",
        "--leverage",
        "1.5",
        "--maintenance",
        "0.8",
    ];
    let refused = run(&line);
    assert_eq!(refused.code, 1);
    for part in [
        "not affordable",
        "worth 150",
        "only 50",
        "--leverage",
        "--hedge",
    ] {
        assert!(refused.err.contains(part), "{}", refused.err);
    }
    assert!(
        refused.json()["error"]
            .as_str()
            .unwrap()
            .contains("not affordable")
    );
}

#[test]
fn bad_input_is_named() {
    for (option, value, code, part) in [
        ("--price", "abc", 2, "decimal number"),
        ("--price", "0", 2, "greater than 0"),
        ("--price", "-5", 2, "negative"),
        ("--price", "NaN", 2, "decimal number"),
        ("--price", "1e999", 2, "out of range"),
        ("--lower", "210", 1, "--upper"),
        ("--lower", "", 2, "decimal number"),
        ("--equity", "0", 2, "greater than 0"),
        ("--leverage", "0.5", 1, "below 1"),
        ("--leverage", "x", 2, "decimal number"),
        ("--hedge", "2", 1, "above 1"),
        ("--maintenance", "80", 1, "80%"),
        ("--maintenance", "0", 1, "above 0"),
    ] {
        let run = changed(option, value);
        assert_eq!(run.code, code, "{option} {value}: {}", run.err);
        assert!(
            run.err.contains(option) && run.err.contains(part),
            "{option} {value}: {}",
            run.err
        );
        assert!(run.out.is_empty(), "{}", run.out);
    }
    for extra in [
        ["--tick-spacing", "0"],
        ["--tick-spacing", "x"],
        ["--base-decimals", "300"],
        ["--base-decimals", "200"],
        ["--quote-decimals", "19"],
        ["--points", "100000"],
    ] {
        assert_ne!(example(&extra).code, 0, "{extra:?}");
    }
    assert_eq!(run(&["quote", "--price", "200"]).code, 2);
}

#[test]
fn what_the_program_could_not_open_is_said_before_the_numbers() {
    for (equity, why) in [
        ("1e30", "more than an account can hold"),
        ("1e-9", ""),
        ("1e13", ""),
    ] {
        let run = changed("--equity", equity);
        let said = run
            .out
            .lines()
            .nth(1)
            .filter(|line| line.starts_with("No on-chain plan"));
        assert!(
            run.code == 0 && said.is_some_and(|line| line.contains(why)),
            "{equity}: {}",
            run.out
        );
        let mut line = EXAMPLE.to_vec();
        let at = line.iter().position(|part| *part == "--equity").unwrap();
        line[at + 1] = equity;
        line.push("--json");
        let error = crate::common::run(&line).json()["on_chain"]["error"].clone();
        assert!(error.as_str().is_some_and(|error| error.contains(why)));
    }
    assert!(!example(&[]).out.contains("No on-chain plan"));
}

#[test]
fn a_price_outside_the_range_is_warned_about() {
    for (price, warning) in [
        (
            "189.5",
            "the price 189.5 is below the range 190 to 210: until it comes back the position holds only base and earns no \
             fees",
        ),
        (
            "210",
            "the price 210 is above the range 190 to 210: until it comes back the position holds only quote and earns no \
             fees",
        ),
    ] {
        let mut line = EXAMPLE.to_vec();
        line[2] = price;
        let hedge = line.iter().position(|part| *part == "--hedge").unwrap();
        line[hedge + 1] = "0.5";
        let text = run(&line);
        assert_eq!((text.code, text.err.as_str()), (0, ""));
        let said = text.out.lines().nth(1);
        assert_eq!(said, Some(format!("WARNING: {warning}").as_str()));
        line.push("--json");
        let run = run(&line);
        let quote = run.json();
        assert_eq!(run.code, 0, "{}", run.err);
        assert_eq!(quote["warnings"], serde_json::json!([warning]));
        assert_eq!(quote["in_range"], false);
        assert_eq!(quote["liquidated_at_once"], false);
    }
    // Below the range all is base, which a full hedge borrows: the range is named as well.
    let refused = changed("--price", "180");
    assert_eq!(refused.code, 1);
    for part in [
        "hedge not affordable",
        "the price 180 is below the range 190 to 210",
    ] {
        assert!(refused.err.contains(part), "{}", refused.err);
    }
    for price in ["190", "209.9"] {
        assert!(!changed("--price", price).out.contains("WARNING"));
    }
    let quote = example(&["--json"]).json();
    assert_eq!(quote["warnings"], serde_json::json!([]));
    assert_eq!(
        (&quote["in_range"], &quote["liquidated_at_once"]),
        (&true.into(), &false.into())
    );
}

#[test]
fn a_position_that_would_be_liquidated_at_once_is_shown_and_refused() {
    // 5x is an LTV of 80 %, exactly the maintenance of the example.
    for (leverage, ltv) in [("5", "80.00%"), ("10", "90.00%")] {
        let refusal = format!(
            "LTV {ltv} is at or above maintenance 80.00%: the position would be liquidated at once, use less leverage"
        );
        let text = changed("--leverage", leverage);
        assert_eq!(text.code, 1);
        assert_eq!(text.err, format!("error: {refusal}\n"));
        assert!(text.out.contains(&format!("WARNING: {refusal}\n")));
        assert!(text.out.contains("liquidation  at once"), "{}", text.out);
        let mut line = EXAMPLE.to_vec();
        let at = line.iter().position(|part| *part == "--leverage").unwrap();
        line[at + 1] = leverage;
        line.push("--json");
        let run = run(&line);
        assert_eq!(run.code, 1);
        // One line of JSON, the quote itself.
        let quote = run.json();
        assert_eq!(quote["warnings"], serde_json::json!([refusal]));
        assert_eq!(quote["liquidated_at_once"], true);
        assert_eq!(quote["on_chain"]["liquidatable"], true);
        close(&quote["leverage"], leverage.parse().unwrap());
    }
    let below = changed("--leverage", "4.99");
    assert_eq!((below.code, below.err.as_str()), (0, ""));
}

#[test]
fn prices_with_separators_are_not_taken_for_two() {
    let refused = example(&["--at", "1,500"]);
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    assert_eq!(
        refused.err,
        "error: --at 1,500 may be one price or 2: write --at 1500, without separators, or --at 1 --at 500\n"
    );
    for (option, code) in [("--price", 2), ("--equity", 2), ("--upper", 2)] {
        let refused = changed(option, "1,500");
        assert_eq!(refused.code, code);
        let expected = "`1,500` is not a decimal number: write it without separators and with a decimal point, like 1500 or \
                        1.25";
        assert!(
            refused.err.contains(expected) && refused.err.contains(option),
            "{}",
            refused.err
        );
    }
    let asked = |extra: &[&str]| {
        let quote = example(&[&["--json", "--points", "2"], extra].concat()).json();
        let curve = quote["curve"].as_array().unwrap().clone();
        let asked = curve.iter().filter(|point| point["label"] == "asked for");
        asked
            .map(|point| point["P"].as_f64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(asked(&["--at", "195,205"]), [195.0, 205.0]);
    assert_eq!(asked(&["--at", "1", "--at", "500"]), [1.0, 500.0]);
    assert_eq!(asked(&["--at", "1500"]), [1500.0]);
}

#[test]
fn extremes_have_an_answer_or_an_error() {
    for price in ["1e-45", "1e-20", "1e20", "1e45"] {
        for equity in ["1e-45", "1", "1e45"] {
            for (lower, upper) in [
                ("1e-45", "1e45"),
                ("1e-44", "2e-44"),
                ("190", "190.0000001"),
            ] {
                let line = [
                    "quote",
                    "--json",
                    "--price",
                    price,
                    "--lower",
                    lower,
                    "--upper",
                    upper,
                    "--equity",
                    equity,
                    "--leverage",
                    "3",
                    "--hedge",
                    "0",
                    "--maintenance",
                    "0.8",
                ];
                let run = run(&line);
                assert!(!run.err.contains("panicked"), "{line:?}: {}", run.err);
                // What no pool could hold is said in the quote.
                run.json();
            }
        }
    }
}
