//! What it says of the worked example.

use super::*;

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
        ("liquidation_lower", 110.846787443450),
        ("liquidation_upper", 258.635186985545),
        ("lower", 190.0),
        ("upper", 210.0),
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
    for field in ["assets", "debt", "equity", "gamma", "leverage"] {
        close(&risk[field], quote[field].as_f64().unwrap());
    }
    for field in ["lower", "upper"] {
        let liquidation = &quote[format!("liquidation_{field}")];
        close(&risk[field], liquidation.as_f64().unwrap());
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
    close(&other["liquidation_lower"], 110.846787443450);
}
