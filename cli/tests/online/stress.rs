//! `ballast stress --live`: what a bad day would do to the positions of a market as it is.

use crate::node::{Node, OPEN, number, trader};

/// A market that moves at once, so that the test is short.
const CRASH: &str = r#"
name = "crash"
summary = "The price falls by a quarter within five minutes."
duration_secs = 900
step_secs = 5
[market]
path = [[0, 1.0], [60, 1.0], [360, 0.75]]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_live_market_is_read_and_played_with() {
    let node = Node::start().await;
    let world = node.world().await;
    let alice = &trader(&world, "alice").await.keypair;
    let directory = tempfile::tempdir().unwrap();
    let scenario = directory.path().join("crash.toml");
    std::fs::write(&scenario, CRASH).unwrap();
    let stress = ["stress", "--live", "--scenario", scenario.to_str().unwrap()];

    let empty = node.refused(alice, &stress).await;
    assert!(empty.contains("has no positions"), "{empty}");

    let opened = node.json(alice, &OPEN).await;
    let address = &opened["position"]["position"];
    let report = node.json(alice, &stress).await;
    let played = &report["scenarios"][0];
    let with = &played["with_keepers"];
    let position = &with["positions"][0];
    let f = |value: &serde_json::Value| value.as_f64().unwrap();
    assert_eq!(&position["name"], address);
    assert_eq!(
        position["before"]["liquidity"],
        opened["position"]["liquidity"]
    );
    assert!(
        (number(&position["before"]["equity"]) - 100.0).abs() < 0.01,
        "{position}"
    );
    assert!((f(&with["price_before"]) - 200.0).abs() < 0.01);
    assert!((f(&with["price_after"]) - 150.0).abs() < 0.01);
    // Somebody hedges on the way; nothing of it has happened on chain.
    assert!(f(&position["actions"]["rehedge"]) >= 1.0, "{position}");
    let alone = &played["without_keepers"]["positions"][0];
    let delta = |position: &serde_json::Value| number(&position["after"]["delta"]).abs();
    assert!(delta(position) < delta(alone), "{position} {alone}");
    assert_eq!(with["lenders"].as_array().unwrap().len(), 2);
    assert!(f(&with["lenders"][0]["before"]) > 0.0);
    // What is held elsewhere the chain does not say: without the options funding touches nobody, and that is told.
    let flip = ["stress", "funding-flip", "--live"];
    let told = node.ballast(alice, &flip).await;
    assert!(told.err.contains("nothing is held there"), "{}", told.err);
    let short = ["--perp-size=-2", "--perp-margin=150"];
    let held = node.json(alice, &[&flip[..], &short].concat()).await;
    let perp = &held["scenarios"][0]["with_keepers"]["perp"];
    assert!(f(&perp["funding"]) < 0.0, "{perp}");
    // What was read is written down, and says the same without a node.
    let out = directory.path().join("out");
    let out = out.to_str().unwrap();
    let there = node
        .json(alice, &[&stress[..], &["--out", out]].concat())
        .await;
    let accounts = format!("{out}/accounts.json");
    let run: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(format!("{out}/run.json")).unwrap()).unwrap();
    let files = run["files"].as_array().unwrap();
    assert!(
        files.iter().any(|file| file["name"] == "accounts.json"),
        "{run}"
    );
    let nobody = ["--json", "--url", "http://127.0.0.1:1", "stress"];
    let line = [
        "--scenario",
        scenario.to_str().unwrap(),
        "--accounts",
        &accounts,
    ];
    let again = crate::common::run(&[&nobody[..], &line].concat());
    assert_eq!(again.code, 0, "{}", again.err);
    assert_eq!(again.json(), there);
    let still = node.json(alice, &["positions"]).await;
    assert_eq!(
        still["positions"][0]["liquidity"],
        opened["position"]["liquidity"]
    );
}
