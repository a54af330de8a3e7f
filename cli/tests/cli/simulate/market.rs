//! Prices, takers and what they pay.

use super::*;
use crate::common::decimal;

#[test]
fn the_worked_example_held_for_a_week() {
    let run = example(&["--json", "--no-fees"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let report = run.json();
    let equity = &report["equity"];
    let off = number(&equity["mean"]) - 87.40;
    assert!(off.abs() < 4.0 * number(&equity["stderr"]), "{equity}");
    let sd = number(&equity["sd"]);
    assert!((number(&equity["stderr"]) - sd / 2000f64.sqrt()).abs() < 1e-9);
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

/// With fees and interest there is no formula for what happens, but there is one beside it for what would without fees; debts that have
/// grown come to their boundaries more often.
#[test]
fn the_formula_stands_beside_every_run_of_that_model() {
    let chance = |extra: &[&str]| {
        let report = example(&[&["--json"], extra].concat()).json();
        let form = &report["liquidation"]["closed_form"]["continuous"];
        number(&form["lower"]) + number(&form["upper"])
    };
    let free = chance(&["--no-fees"]);
    assert_eq!(chance(&[]), free);
    let dear = chance(&["--borrow-base-apr", "50%", "--borrow-quote-apr", "50%"]);
    assert!(dear > free * 1.05 && dear < free * 2.0, "{dear} {free}");
    let said = example(&[]).out;
    assert!(
        said.contains("if nobody acted and nothing were earned, by formula"),
        "{said}"
    );
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

/// Blocks as long as steps: arbitrageurs trade one by one, and pay what the formula says.
#[test]
fn blocks_as_long_as_steps() {
    let fees = |extra: &[&str]| {
        let line = [
            &["--json", "--fee-ppm", "3000", "--protocol-share", "0"],
            extra,
        ]
        .concat();
        number(
            &changed("--step-secs", "600", &line).json()["attribution"]["fees_arbitrage"]["mean"],
        )
    };
    let (each, formula) = (
        fees(&["--block-secs", "600"]),
        fees(&["--block-secs", "600.001"]),
    );
    assert!(
        each != formula && (each / formula - 1.0).abs() < 0.03,
        "{each} {formula}"
    );
    // Random blocks leave arbitrageurs more time.
    assert!(fees(&["--block-secs", "600", "--poisson-blocks"]) < formula);
}

#[test]
fn takers_and_where_they_go() {
    let fees = |extra: &[&str]| {
        let line = [
            "--json",
            "--taker-volume-day",
            "1e6",
            "--pool-liquidity",
            "1e12",
        ];
        // Liquidity is a whole number.
        let line = line.map(|part| {
            if part == "1e12" {
                "1000000000000"
            } else {
                part
            }
        });
        let report = changed("--paths", "200", &[&line[..], extra].concat());
        assert_eq!(report.code, 0, "{}", report.err);
        number(&report.json()["attribution"]["fees_takers"]["mean"])
    };
    let all = fees(&[]);
    assert!(all > 0.0);
    let same_pool = [
        "--other-pool-fee-ppm",
        "400",
        "--other-pool-liquidity",
        "1013573928905",
    ];
    let split = fees(&[&same_pool[..], &["--taker-size", "1000"]].concat());
    assert!((split / all - 0.5).abs() < 1e-3, "{split} {all}");
    let gone = fees(&["--routing-shift", "100%:0"]);
    assert_eq!(gone, 0.0);
    let later = fees(&["--routing-shift", "50%:3.5"]);
    assert!(later < all && later > 0.5 * all);
}

#[test]
fn liquidators() {
    let report = example(&["--json", "--no-fees", "--liquidate"]).json();
    let lost = number(&report["attribution"]["liquidation"]["mean"]);
    let chance = number(&report["liquidation"]["probability"]);
    // 3 % of what is repaid, about 110 each time.
    assert!(
        lost < -2.0 * chance && lost > -15.0 * chance,
        "{lost} {chance}"
    );
    let draw_down = &report["draw_down"];
    assert!(number(&draw_down["quantile_95"]) > number(&draw_down["mean"]));
    assert!(number(&draw_down["mean"]) > 100.0 - number(&report["equity"]["mean"]));
    let worst = report["worst_paths"].as_array().unwrap();
    assert_eq!(worst.len(), 5);
    assert!(
        worst
            .windows(2)
            .all(|pair| decimal(&pair[0]["equity"]) <= decimal(&pair[1]["equity"]))
    );
    let wrong = example(&["--liquidate", "--liquidation-target", "99%"]);
    assert!(
        wrong.code == 1 && wrong.err.contains("must satisfy"),
        "{}",
        wrong.err
    );
}

#[test]
fn other_models() {
    let with = |model: &str, extra: &[&str]| {
        let report = changed(
            "--model",
            model,
            &[&["--json", "--no-fees"], extra].concat(),
        );
        assert_eq!(report.code, 0, "{}", report.err);
        report.json()
    };
    let sd = |report: &Value| number(&report["equity"]["sd"]);
    let plain = with("gbm", &[]);
    let jumps = with("jumps", &["--jumps-day", "0.5", "--jump-sd", "0.1"]);
    assert!(sd(&jumps) > 1.2 * sd(&plain));
    assert_eq!(jumps["liquidation"]["closed_form"], Value::Null);
    let wild = with("regimes", &["--regime", "2%:3", "--regime", "15%:1:4"]);
    assert!(sd(&wild) > sd(&plain));
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("candles.csv");
    let mut text = String::from("time,open,high,low,close\n");
    for hour in 0..200 {
        let open = 100.0 + f64::from(hour % 7);
        let close = 100.0 + f64::from((hour + 1) % 7);
        text += &format!(
            "{},{open},{},{},{close}\n",
            hour * 3_600,
            open.max(close) + 1.0,
            open.min(close) - 1.0
        );
    }
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    // All paths of a replay end where the record does.
    assert_eq!(sd(&with("replay", &["--candles", file])), 0.0);
    assert!(
        sd(&with(
            "bootstrap",
            &["--candles", file, "--block-candles", "5"]
        )) > 0.0
    );
    for (model, extra, part) in [
        ("regimes", &["--regime", "2%:3"][..], "2 or more"),
        ("regimes", &["--regime", "2%"], "no regime"),
        ("replay", &[], "--candles"),
        ("replay", &["--candles", "/nonexistent"], "check the path"),
        ("jumps", &["--jumps-day", "-1"], "0 or more"),
    ] {
        let refused = changed("--model", model, extra);
        assert!(
            refused.code != 0 && refused.err.contains(part),
            "{}",
            refused.err
        );
    }
    let long = changed("--horizon-days", "30", &["--candles", file]);
    assert_eq!(long.code, 0);
}
