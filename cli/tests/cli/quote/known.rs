//! What it says where more is known: depth, funding, keepers.

use super::*;

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
        ("lower", "pa"),
        ("upper", "pb"),
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
        (&["--protocol-share", "150%"], 2, "--protocol-share"),
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
