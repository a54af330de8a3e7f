//! What `--json` says has one name and one shape, in every command and in the keeper's API.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    common::names::{NAMES, kind},
    node::{Node, OPEN, trader},
};

/// The shapes of the API's answers, as its own tests hold it to them.
const API: &str = include_str!("../../../keeper/src/api/contract.json");

/// What the same names mean something else in.
fn clashes(shape: &Value, value: &Value, at: &str) -> Vec<String> {
    match (shape, value) {
        (_, Value::Null) => Vec::new(),
        (Value::String(named), value) => {
            let named = named.trim_end_matches('?');
            let fits = named == "any" || named == kind(value);
            let clash = format!("{at}: {} here, {named} in the API", kind(value));
            Vec::from_iter((!fits).then_some(clash))
        }
        (Value::Array(each), Value::Array(values)) => {
            let all = values.iter().zip(each.iter().cycle());
            all.flat_map(|(value, each)| clashes(each, value, &format!("{at}[]")))
                .collect()
        }
        (Value::Object(fields), Value::Object(values)) => values
            .iter()
            .filter_map(|(name, value)| {
                let shape = fields
                    .get(name)
                    .or_else(|| fields.get(&format!("{name}?")))?;
                Some(clashes(shape, value, &format!("{at}.{name}")))
            })
            .flatten()
            .collect(),
        (shape, value) => vec![format!("{at}: {} here, {shape} in the API", kind(value))],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_means_the_same_in_every_command_and_in_the_api() {
    let node = Node::start().await;
    let world = node.world().await;
    let alice = trader(&world, "alice").await;
    let alice = &alice.keypair;
    let opened = node.json(alice, &OPEN).await;
    let position = opened["position"]["position"].as_str().unwrap();
    let api: Value = serde_json::from_str(API).unwrap();

    let listed = node.json(alice, &["positions"]).await;
    let row = &listed["positions"][0];
    // The names that every answer of every test is held to are those of this one, all of them.
    let fields = row.as_object().unwrap();
    assert_eq!(fields.len(), NAMES.len(), "{row}");
    for (name, wanted) in NAMES {
        let value = &fields[name];
        assert!(value.is_null() || kind(value) == wanted, "{name}: {value}");
    }
    let explained = node.json(alice, &["explain", position]).await;
    let market = node.json(alice, &["market", "show"]).await;
    let mut found = Vec::new();
    for (what, shape, value) in [
        ("positions", &api["position"], row),
        ("open", &api["position"], &opened["position"]),
        ("explain.position", &api["position"], &explained["position"]),
        ("explain", &api["position"], &explained),
        ("market show", &api["market"], &market),
    ] {
        assert!(value.is_object() && shape.is_object(), "{what}");
        found.extend(clashes(shape, value, what));
    }
    // What a position is in `explain` is a member; in the API it is the whole answer, and its address.
    found.retain(|clash| !clash.starts_with("explain.position: object here"));
    assert_eq!(found, Vec::<String>::new());

    // All of the keeper's decision and of what comes next is there, and nothing under a second name.
    for part in ["decision", "next"] {
        let names = |value: &Value| -> BTreeSet<String> {
            let names = value.as_object().unwrap().keys();
            names
                .map(|name| name.trim_end_matches('?').to_owned())
                .collect()
        };
        let mut api = names(&api["position"][part]);
        // What the action would move: the API tells it of the position alone, where there is an action.
        api.extend((part == "decision").then(|| "details".into()));
        assert_eq!(names(&explained[part]), api, "{part}");
    }
    for name in api["market"]["reserves"][0].as_object().unwrap().keys() {
        let reserve = &market["reserves"][0];
        assert!(reserve.get(name).is_some(), "reserves.{name}");
    }
    assert_eq!(market["mode"], "normal");
}

/// Every run of these tests is held to the names; these are the commands that show or plan something, and a few that send.
#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_names_of_positions() {
    let node = Node::start().await;
    let world = node.world().await;
    let alice = trader(&world, "alice").await;
    let alice = &alice.keypair;
    let opened = node.json(alice, &OPEN).await;
    let position = opened["position"]["position"].as_str().unwrap();
    let signature = opened["signature"].as_str().unwrap();
    let market = world.market.address.to_string();
    let planned = [&OPEN[..], &["--dry-run"]].concat().join(" ");
    for line in [
        "positions --all",
        "explain POSITION",
        "market show",
        "lend show",
        "policy show POSITION",
        "automation show POSITION",
        "first-keepers show POSITION",
        "tx SIGNATURE",
        "quote --market MARKET --lower 190 --upper 210 --equity 100 --leverage 3",
        "stress calm --live",
        &planned,
        "increase POSITION --own-quote 1",
        "decrease POSITION --part 10%",
        "repay POSITION --base 0.001",
        "collect POSITION",
        "lend deposit quote 1",
        "lend withdraw quote all",
        "close POSITION",
        "doctor",
    ] {
        let line = line.replace("POSITION", position);
        let line = line.replace("SIGNATURE", signature);
        let line = line.replace("MARKET", &market);
        let words: Vec<&str> = ["--json"].into_iter().chain(line.split(' ')).collect();
        // Names are looked at in every run; what is refused answers as well.
        let run = node.ballast(alice, &words).await;
        assert_ne!(run.code, 2, "{line}: {}", run.err);
        assert!(run.json().is_object(), "{line}: {}{}", run.out, run.err);
    }
}
