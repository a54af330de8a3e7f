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

/// Conditions under which everything is known.
const KNOWN: [&str; 12] = [
    "--sigma-day",
    "5%",
    "--borrow-base-apr",
    "8%",
    "--funding-hour",
    "-0.00205",
    "--edge",
    "10%",
    "--low",
    "150",
    "--floor",
    "85",
];

/// 100,000 of liquidity in whole tokens around 200.
const DEPTH: &str = "sqrt_price_x64,8249634742471189717\nliquidity,3162277660168\nfee_rate_ppm,400\ntick,liquidity_net\n\
                     -40000,3162277660168\n0,-3162277660168\n";

#[test]
fn everything_that_is_to_be_known() {
    let folder = tempfile::tempdir().unwrap();
    let depth = folder.path().join("depth.csv");
    std::fs::write(&depth, DEPTH).unwrap();
    let run = example(&[&KNOWN[..], &["--json", "--depth", depth.to_str().unwrap()]].concat());
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let quote = run.json();
    let near = |value: &Value, expected: f64| {
        let actual = value.as_f64().unwrap_or_else(|| panic!("{value}"));
        assert!(
            (actual / expected - 1.0).abs() < 2e-3,
            "{actual} is not {expected}"
        );
    };
    // L sigma^2 s / 4; 13.5 % of it are kept by arbitrageurs, 13 % of the rest go to the protocol.
    near(
        &quote["carry"]["curvature"],
        429.239 * 0.0025 * 200f64.sqrt() / 4.0,
    );
    near(&quote["carry"]["arbitrage_fees"], 3.79397 * 0.865 * 0.87);
    near(&quote["carry"]["interest_base"], 146.295 * 0.08 / 365.0);
    near(&quote["carry"]["share_of_pool"], 429.239 / 100_429.2);
    near(
        &quote["rehedging"]["per_day"],
        (429.239f64 * 0.05 / 0.151996).powi(2) / 800.0,
    );
    near(&quote["rehedging"]["lower"]["swap"]["base"], 0.151996);
    let week = &quote["chances"][1];
    assert_eq!(week["days"], 7.0);
    near(&week["liquidation"]["either"], 0.0456);
    assert!(quote["opening"]["swap"].is_null() && quote["opening"]["base"] == 0.0);
    near(
        &quote["hedge_cost"]["perpetual_day"],
        146.295 * 0.00205 * 24.0,
    );
    let kinds = |kind: &str| {
        let triggers = quote["triggers"].as_array().unwrap().iter();
        triggers.filter(|trigger| trigger["kind"] == kind).count()
    };
    for (kind, count) in [
        ("liquidation", 2),
        ("deleverage", 2),
        ("rehedge", 2),
        ("recenter", 2),
        ("window", 1),
        ("floor", 2),
    ] {
        assert_eq!(kinds(kind), count, "{kind}");
    }
    // Halved, and half as much again: both are liquidated in part.
    let gaps = quote["gaps"].as_array().unwrap();
    assert_eq!(gaps.len(), 10);
    for gap in [&gaps[0], &gaps[9]] {
        assert_eq!(gap["settlement"], "partly_liquidated");
        assert!(
            gap["owner"].as_f64().unwrap() > 20.0 && gap["bad_debt"] == 0.0,
            "{gap}"
        );
    }
    let unwinding = quote["unwinding"].as_array().unwrap();
    let now = unwinding
        .iter()
        .find(|at| at["label"] == "price now")
        .unwrap();
    assert_eq!(now["cost_of_equity"], 0.0);
    let low = unwinding
        .iter()
        .find(|at| at["label"] == "stop-loss")
        .unwrap();
    // 0.788 base against 100,000 of liquidity at 150: fee 4 bp, impact base s / L.
    near(&low["swap"]["fee"], 0.788489 * 150.0 * 0.0004);
    near(
        &low["swap"]["impact"],
        0.788489f64.powi(2) * 150f64.powf(1.5) / 1e5,
    );
}

#[test]
fn the_names_of_positions_stand_beside_the_old_ones() {
    let quote = example(&["--json", "--tick-spacing", "4"]).json();
    for (name, expected) in [
        ("price", "200.0"),
        ("maintenance_ltv_bps", "8000"),
        ("ltv_bps", "6667"),
        ("idle_base", "\"0.000000000\""),
        ("entry_price", "200.0"),
    ] {
        assert_eq!(quote[name].to_string(), expected, "{name}");
    }
    let number = |name: &str| quote[name].as_str().unwrap().parse::<f64>().unwrap();
    assert!((number("debt_base") - quote["dx"].as_f64().unwrap()).abs() < 1e-8);
    assert!((number("pool_quote") - quote["y"].as_f64().unwrap()).abs() < 1e-5);
    assert!((number("entry_equity") - 100.0).abs() < 1e-5);
    for (new, old) in [
        ("range_lower", "pa"),
        ("range_upper", "pb"),
        ("liquidation_lower", "lower"),
        ("liquidation_upper", "upper"),
    ] {
        assert_eq!(quote[new], quote[old]);
    }
    assert_eq!(quote["liquidity"], quote["on_chain"]["liquidity"]);
    assert_eq!(quote["tick_lower"], quote["on_chain"]["tick_lower"]);
}

#[test]
fn text_is_at_most_100_columns_wide() {
    for extra in [
        &[][..],
        &KNOWN,
        &["--hedge", "0.3", "--sigma-day", "0.2"],
        &[
            "--gaps",
            "0.5%,95%",
            "--horizon-days",
            "365",
            "--sigma-day",
            "1%",
        ],
    ] {
        for equity in ["100", "1234567.891", "0.01"] {
            let mut line = EXAMPLE.to_vec();
            let at = line.iter().position(|part| *part == "--equity").unwrap();
            line[at + 1] = equity;
            // A hedge stands on the line once.
            if extra.contains(&"--hedge") {
                let hedge = line.iter().position(|part| *part == "--hedge").unwrap();
                line.drain(hedge..hedge + 2);
            }
            let run = run(&[&line[..], extra].concat());
            assert_eq!(run.code, 0, "{}", run.err);
            for line in run.out.lines() {
                assert!(
                    line.chars().count() <= 100,
                    "{}: {line}",
                    line.chars().count()
                );
            }
            for heading in [
                "Equity against price",
                "Where something happens",
                "After an instant move",
            ] {
                assert!(run.out.contains(heading), "no {heading} in\n{}", run.out);
            }
        }
    }
}

#[test]
fn pictures_are_files_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let (svg, html) = (folder.path().join("q.svg"), folder.path().join("q.html"));
    let files = [
        "--svg",
        svg.to_str().unwrap(),
        "--html",
        html.to_str().unwrap(),
    ];
    let run = example(&[&KNOWN[..], &files].concat());
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let (svg, html) = (
        std::fs::read_to_string(svg).unwrap(),
        std::fs::read_to_string(html).unwrap(),
    );
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"));
    assert!(html.starts_with("<!DOCTYPE html>") && html.matches("<svg").count() == 8);
    for part in [
        "liquidation 110.85",
        "liquidation 258.64",
        "range 190",
        "now 200",
    ] {
        assert!(svg.contains(part) && html.contains(part), "{part}");
    }
    for part in [
        "Keeping the hedge",
        "How likely",
        "After an instant move",
        "Opening and closing",
    ] {
        assert!(html.contains(part), "{part}");
    }
    for text in [
        svg.replace("http://www.w3.org/2000/svg", ""),
        html.replace("http://www.w3.org/2000/svg", ""),
    ] {
        for foreign in [
            "http:", "https:", "src=", "href", "@import", "<script", "NaN",
        ] {
            assert!(!text.contains(foreign), "{foreign}");
        }
    }
    let nowhere = example(&["--svg", "/nonexistent/q.svg"]);
    assert_eq!(nowhere.code, 1);
    assert!(
        nowhere.err.contains("--svg /nonexistent/q.svg"),
        "{}",
        nowhere.err
    );
}

#[test]
fn what_is_left_out_has_a_default_and_what_is_missing_is_named() {
    let without = |option: &str| {
        let mut line = EXAMPLE.to_vec();
        let at = line.iter().position(|part| *part == option).unwrap();
        line.drain(at..at + 2);
        run(&line)
    };
    assert_eq!(without("--maintenance").out, example(&[]).out);
    assert_eq!(without("--hedge").out, example(&[]).out);
    let no_price = without("--price");
    assert_eq!(no_price.code, 2);
    assert!(no_price.err.contains("--price"), "{}", no_price.err);
    for (extra, code, part) in [
        (&["--depth", "/nonexistent"][..], 1, "--depth /nonexistent"),
        (&["--candles", "/nonexistent"], 1, "--candles /nonexistent"),
        (&["--save-depth", "x"], 2, "--market"),
        (&["--market", "--base-decimals", "6"], 2, "--base-decimals"),
        (&["--protocol-share", "150%"], 1, "--protocol-share"),
    ] {
        let run = example(extra);
        assert_eq!(run.code, code, "{extra:?}: {}", run.err);
        assert!(run.err.contains(part), "{extra:?}: {}", run.err);
    }
}

#[test]
fn volatility_is_measured_in_candles() {
    let folder = tempfile::tempdir().unwrap();
    let candles = folder.path().join("candles.csv");
    // One per cent up and down each hour: 4.9 % a day.
    let mut text = "time,open,high,low,close\n".to_owned();
    for hour in 0..48 {
        let (open, close) = if hour % 2 == 0 {
            (100.0, 101.0)
        } else {
            (101.0, 100.0)
        };
        text += &format!("{},{open},101,100,{close}\n", 1_700_000_000 + 3_600 * hour);
    }
    std::fs::write(&candles, text).unwrap();
    let quote = example(&["--json", "--candles", candles.to_str().unwrap()]).json();
    let sigma = quote["conditions"]["sigma_day"].as_f64().unwrap();
    assert!(
        (sigma - 1.01f64.ln() * 24f64.sqrt()).abs() < 1e-6,
        "{sigma}"
    );
    assert!(
        quote["conditions"]["sigma_source"]
            .as_str()
            .unwrap()
            .contains("48 candles")
    );
    let bad = folder.path().join("bad.csv");
    std::fs::write(&bad, "tick,liquidity_net\n").unwrap();
    let refused = example(&["--depth", bad.to_str().unwrap()]);
    assert!(
        refused.code == 1 && refused.err.contains("sqrt_price_x64"),
        "{}",
        refused.err
    );
}
