//! What it refuses or warns of.

use super::*;

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
    assert_eq!(refused.code, 2);
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
        ("--lower", "210", 2, "--upper"),
        ("--lower", "", 2, "decimal number"),
        ("--equity", "0", 2, "greater than 0"),
        ("--leverage", "0.5", 2, "below 1"),
        ("--leverage", "x", 2, "decimal number"),
        ("--hedge", "2", 2, "above 1"),
        ("--maintenance", "80", 2, "80%"),
        ("--maintenance", "0", 2, "above 0"),
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
        let shown = unwrapped(&text.out);
        let said = shown.lines().nth(1);
        assert_eq!(said, Some(format!("warning: {warning}").as_str()));
        line.push("--json");
        let run = run(&line);
        let quote = run.json();
        assert_eq!(run.code, 0, "{}", run.err);
        assert_eq!(quote["warnings"][0], *warning);
        assert_eq!(quote["in_range"], false);
        assert_eq!(quote["liquidated_at_once"], false);
    }
    // Below the range all is base, which a full hedge borrows: the range is named as well.
    let refused = changed("--price", "180");
    assert_eq!(refused.code, 2);
    for part in [
        "hedge not affordable",
        "the price 180 is below the range 190 to 210",
    ] {
        assert!(refused.err.contains(part), "{}", refused.err);
    }
    for price in ["190", "209.9"] {
        let said = changed("--price", price).out;
        assert!(!said.contains("the range 190 to 210"), "{said}");
    }
    let quote = example(&["--json", "--deleverage-target", "70%"]).json();
    assert_eq!(quote["warnings"], serde_json::json!([]));
    assert_eq!(
        (&quote["in_range"], &quote["liquidated_at_once"]),
        (&true.into(), &false.into())
    );
}

#[test]
fn a_trigger_that_leaves_less_than_the_stress_distance_is_warned_about() {
    let with = |trigger| {
        let line = ["--json", "--deleverage-target", "70%"];
        example(&[&line[..], &["--deleverage-trigger", trigger]].concat()).json()
    };
    let own = example(&["--json"]).json()["policy"]["deleverage_trigger_ltv_bps"].clone();
    // 80 % less 5 %, and a little for landing and for jumps.
    assert_eq!(own, 7_400);
    assert_eq!(with("75.75%")["warnings"], serde_json::json!([]));
    let warned = with("75.76%");
    assert_eq!(
        warned["warnings"],
        serde_json::json!([
            "from below the deleverage trigger 75.76% a price move of 5.00% can reach maintenance 80.00% before a keeper acts: use \
             a trigger of at most 75.75%"
        ])
    );
    let text = example(&["--deleverage-trigger", "75.76%"]);
    assert_eq!((text.code, text.err.as_str()), (0, ""));
    assert!(
        text.out
            .contains("warning: from below the deleverage trigger")
    );
    // Who lets no keeper act has chosen so.
    let off = example(&["--json", "--deleverage-trigger", "79%", "--keepers", "off"]);
    assert_eq!(off.json()["warnings"], serde_json::json!([]));
}

/// Leverage 3 is LTV 66.67 %, from which the first rehedge comes down to 65 %.
#[test]
fn leverage_above_the_target_is_warned_about() {
    let said = "the position opens at LTV 66.67%, its deleverage target is 65.00%: the first rehedge withdraws liquidity down to \
                it, and leverage above 2.85 does not last; use less leverage, or a higher target in the policy";
    let quote = example(&["--json"]).json();
    assert_eq!(quote["warnings"], serde_json::json!([said]));
    let shown = unwrapped(&example(&[]).out);
    assert!(shown.contains(&format!("warning: {said}\n")), "{shown}");
    for extra in [["--deleverage-target", "66.67%"], ["--keepers", "off"]] {
        let quiet = example(&[&["--json"], &extra[..]].concat()).json();
        assert_eq!(quiet["warnings"], serde_json::json!([]), "{extra:?}");
    }
    let below = changed("--leverage", "2.85");
    assert!(!below.out.contains("warning"), "{}", below.out);
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
        let help = "help: `ballast help quote` says what it takes";
        assert_eq!(text.err, format!("error: {refusal}\n{help}\n"));
        let shown = unwrapped(&text.out);
        assert!(shown.contains(&format!("warning: {refusal}\n")), "{shown}");
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
    assert_eq!((refused.code, refused.out.as_str()), (2, ""));
    assert_eq!(
        refused.err,
        "error: --at 1,500 may be one price or 2\nhelp: write --at 1500, without separators, or --at 1 --at 500\n"
    );
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

/// A number may be typed as it is printed; a comma that may be a decimal one is refused.
#[test]
fn what_is_printed_is_accepted_and_what_may_be_misread_is_not() {
    let plain = |option: &str, value: &str| {
        let mut line = EXAMPLE.to_vec();
        let at = line.iter().position(|part| *part == option).unwrap();
        line[at + 1] = value;
        line.push("--json");
        let run = run(&line);
        assert_eq!(run.code, 0, "{option} {value}: {}", run.err);
        run.json()
    };
    for (option, printed, value) in [
        ("--equity", "1,500", "1500"),
        ("--equity", "1,500.5", "1500.5"),
        ("--leverage", "3.00x", "3"),
        ("--leverage", "2.5 x", "2.5"),
        ("--maintenance", "85 %", "0.85"),
        ("--maintenance", "85.00%", "0.85"),
    ] {
        assert_eq!(
            plain(option, printed),
            plain(option, value),
            "{option} {printed}"
        );
    }
    for (option, wrong) in [
        ("--price", "1,5"),
        ("--equity", "0,500"),
        ("--upper", "1.500,00"),
        ("--leverage", "3y"),
    ] {
        let refused = changed(option, wrong);
        assert_eq!(refused.code, 2, "{option} {wrong}");
        let expected = format!("`{wrong}` is not a decimal number");
        assert!(
            refused.err.contains(&expected) && refused.err.contains(option),
            "{}",
            refused.err
        );
    }
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
