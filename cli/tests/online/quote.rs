//! A quote from a live market.

use crate::node::{Node, OPEN, number, trader};

const ASKED: [&str; 9] = [
    "quote",
    "--lower",
    "190",
    "--upper",
    "210",
    "--equity",
    "100",
    "--leverage",
    "3",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_market_fills_in_what_is_not_asked_for() {
    let node = Node::start().await;
    let world = node.world().await;
    let alice = &trader(&world, "alice").await.keypair;
    let folder = tempfile::tempdir().unwrap();
    let depth = folder.path().join("depth.csv");
    let depth = depth.to_str().unwrap();

    let market = ["--market", "--save-depth", depth, "--sigma-day", "5%"];
    let quote = node.json(alice, &[&ASKED[..], &market].concat()).await;
    let shown = node.json(alice, &["market", "show"]).await;
    assert_eq!(quote["market"], shown["market"]);
    assert!(
        (quote["price"].as_f64().unwrap() - 200.0).abs() < 1e-6,
        "{quote}"
    );
    assert_eq!(quote["conditions"]["depth"], true);
    assert!(quote["conditions"]["fee"].as_f64().unwrap() > 0.0);
    assert!(quote["tick_lower"].is_i64() && quote["range_lower"].as_f64().unwrap() <= 190.0);
    assert!(quote["carry"]["share_of_pool"].as_f64().unwrap() > 0.0);

    // What it says is what opening does.
    let opened = node.json(alice, &OPEN).await;
    let view = &opened["position"];
    for name in [
        "liquidity",
        "tick_lower",
        "tick_upper",
        "ltv_bps",
        "maintenance_ltv_bps",
    ] {
        assert_eq!(quote[name], view[name], "{name}");
    }
    for name in ["debt_base", "debt_quote", "pool_base", "pool_quote"] {
        assert!(
            (number(&quote[name]) - number(&view[name])).abs() < 1e-5,
            "{name}"
        );
    }

    // Every name of `positions` is there, but for the range's, which an older meaning has, and for what only an open position has.
    let open_only = [
        "position",
        "id",
        "owner",
        "slot",
        "open_secs",
        "rehedges",
        "deleverages",
        "liquidations",
        "pnl_total",
    ];
    for name in view.as_object().unwrap().keys() {
        let there = quote.get(name).is_some();
        assert_ne!(there, open_only.contains(&name.as_str()), "{name}");
    }
    for (name, there) in [
        ("lower", "lower"),
        ("upper", "upper"),
        ("range_lower", "lower"),
    ] {
        assert_eq!(quote[name], view[there], "{name}");
    }
    for name in ["keepers_allowed", "base", "quote"] {
        assert_eq!(quote[name], view[name], "{name}");
    }
    let [distance, opened_at] = [&quote, view].map(|of| of["distance_bps"].as_i64().unwrap());
    assert!(distance.abs_diff(opened_at) <= 1, "{distance} {opened_at}");
    let days = quote["distance_bps"].as_f64().unwrap().abs() / 1e4 / 0.05;
    let told = quote["sigma_days"].as_f64().unwrap();
    assert!((told - days).abs() < 0.01, "{told} {days}");

    // The depth as a file says the same of closing without a node.
    let price = quote["price"].to_string();
    let spacing = shown["tick_spacing"].to_string();
    let offline = [
        "--price",
        &price,
        "--tick-spacing",
        &spacing,
        "--depth",
        depth,
        "--sigma-day",
        "5%",
    ];
    let again = node.json(alice, &[&ASKED[..], &offline].concat()).await;
    let costs = |quote: &serde_json::Value| -> Vec<(String, f64)> {
        let rows = quote["unwinding"].as_array().unwrap().iter();
        rows.filter_map(|at| Some((at["label"].to_string(), at["swap"]["cost"].as_f64()?)))
            .collect()
    };
    let (online, offline) = (costs(&quote), costs(&again));
    assert!(
        online.len() > 4 && online.len() == offline.len(),
        "{online:?} {offline:?}"
    );
    for (a, b) in online.iter().zip(&offline) {
        assert!(a.0 == b.0 && (a.1 / b.1 - 1.0).abs() < 1e-4, "{a:?} {b:?}");
    }

    // Too few prices were posted here to measure volatility: what needs it is left out, the rest is said.
    let bare = node
        .json(alice, &[&ASKED[..], &["--market"]].concat())
        .await;
    assert!(
        bare["carry"].is_null() && bare["conditions"]["sigma_day"].is_null(),
        "{bare}"
    );
    assert_eq!(costs(&bare).len(), online.len());
}
