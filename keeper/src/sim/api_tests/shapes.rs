//! Every answer has the shape that `api/contract.json` says.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::running::Running;
use crate::Mode;

/// Compares an answer with what `api/contract.json` says of its shape. Fields that it does not name may be there.
pub(super) fn check(shape: &Value, value: &Value, at: &str) -> Vec<String> {
    match shape {
        Value::String(kind) => {
            let (kind, or_null) = match kind.strip_suffix('?') {
                Some(kind) => (kind, true),
                None => (kind.as_str(), false),
            };
            let found = match value {
                Value::Null => "null",
                Value::Bool(_) => "boolean",
                Value::Number(_) => "number",
                Value::String(_) => "string",
                Value::Array(_) => "array",
                Value::Object(_) => "object",
            };
            let fits = kind == "any" || kind == found || (or_null && value.is_null());
            if fits {
                Vec::new()
            } else {
                vec![format!("{at}: {found} instead of {kind}")]
            }
        }
        Value::Array(each) => match value {
            Value::Array(values) => {
                let each = &each[0];
                let all = values.iter().enumerate();
                all.flat_map(|(index, value)| check(each, value, &format!("{at}[{index}]")))
                    .collect()
            }
            other => vec![format!("{at}: {other} instead of a list")],
        },
        Value::Object(fields) => match value {
            Value::Null if fields.contains_key("?") => Vec::new(),
            Value::Object(values) => fields
                .iter()
                .filter(|(name, _)| name.as_str() != "?")
                .flat_map(|(name, shape)| {
                    let (name, optional) = match name.strip_suffix('?') {
                        Some(name) => (name, true),
                        None => (name.as_str(), false),
                    };
                    match values.get(name) {
                        Some(value) => check(shape, value, &format!("{at}.{name}")),
                        None if optional => Vec::new(),
                        None => vec![format!("{at}.{name}: missing")],
                    }
                })
                .collect(),
            other => vec![format!("{at}: {other} instead of an object")],
        },
        other => panic!("{other} is no shape"),
    }
}

pub(super) fn contract() -> Value {
    serde_json::from_str(include_str!("../../api/contract.json")).unwrap()
}

#[test]
fn the_comparison_of_shapes_can_fail() {
    let shape = json!({"a": "number", "b?": "string", "c": [{"d": "string?", "?": "may be null"}]});
    let wrong = |value: Value| check(&shape, &value, "x");
    assert!(wrong(json!({"a": 1, "c": [], "more": true})).is_empty());
    assert!(wrong(json!({"a": 1, "b": "", "c": [null, {"d": null}, {"d": "e"}]})).is_empty());
    assert_eq!(wrong(json!({"c": []})), ["x.a: missing"]);
    assert_eq!(
        wrong(json!({"a": "1", "c": [{}]})),
        ["x.a: string instead of number", "x.c[0].d: missing"]
    );
    assert_eq!(
        wrong(json!({"a": 1, "b": null, "c": 2})),
        ["x.b: null instead of string", "x.c: 2 instead of a list"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_shape_of_the_contract() {
    let running = Running::start(Mode::Active).await;
    // Something is due, done, and its outcome known.
    running.world.lock().set_price(206);
    running
        .until("an action has landed", async |running| {
            let actions = running.read("actions").await;
            let first = actions["rows"].get(0);
            first.is_some_and(|action| action["outcome"] == "landed" && action["after"].is_object())
        })
        .await;
    let address = running.first_position().await;
    let body = json!({"scope": "position", "position": address, "mode": "pause", "note": "for the contract"});
    let (status, paused) = running.order("/api/v1/overrides", &body, None).await;
    assert_eq!(status, 201, "{paused}");
    let (status, preview) = running
        .order("/api/v1/overrides/preview", &body, None)
        .await;
    assert_eq!(status, 200, "{preview}");
    let market = running.read("status").await["markets"][0]["market"]
        .as_str()
        .unwrap()
        .to_owned();
    let contract = contract();
    let mut wrong = check(&contract["override"], &paused, "override");
    wrong.extend(check(&contract["preview"], &preview, "preview"));
    let mut version = 0;
    for (name, path) in [
        ("status", "status".to_owned()),
        ("book", "book".into()),
        ("flags", "flags".into()),
        ("positions", "positions".into()),
        ("position", format!("positions/{address}")),
        ("history", format!("positions/{address}/history")),
        ("actions", "actions".into()),
        ("overrides", "overrides".into()),
        ("market", format!("markets/{market}")),
        (
            "liquidity",
            format!("markets/{market}/liquidity?position={address}"),
        ),
        ("funding", format!("markets/{market}/funding")),
        ("lenders", format!("markets/{market}/lenders")),
        ("hedge", format!("markets/{market}/hedge")),
    ] {
        let answer = running.read(&path).await;
        wrong.extend(check(&contract[name], &answer, name));
        let next = answer["version"].as_u64().unwrap();
        assert!(next >= version, "{name}");
        version = next;
    }
    let missing = running.get("/api/v1/positions/nobody").await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    let body = missing.json().await.unwrap();
    wrong.extend(check(&contract["error"], &body, "error"));
    assert_eq!(body["error"]["code"], "no_such_position");
    assert!(wrong.is_empty(), "{wrong:#?}");
    running.end().await;
}
