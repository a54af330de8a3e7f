//! Signatures against those of the venue's own Python client: vectors that lie beside this file, made with it, and a recorded file of
//! others where `BALLAST_DATA` names the folder that holds it.

use ballast_venue::hyperliquid::{
    action::Action,
    case::{CaseError, sign_case},
    sign::{Network, Signable, Signature, user_signer},
    user_action::UserAction,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const OWN: &str = include_str!("signing.jsonl");

fn own() -> Vec<Value> {
    OWN.lines()
        .map(|line| serde_json::from_str(line).expect("a case a line"))
        .collect()
}

fn check(case: &Value) {
    let answer = sign_case(&case.to_string()).unwrap_or_else(|error| panic!("{error}: {case}"));
    let answer = serde_json::to_value(answer).expect("an answer is JSON");
    for (ours, theirs) in [
        ("connectionId", "connection_id"),
        ("r", "r"),
        ("s", "s"),
        ("v", "v"),
    ] {
        assert_eq!(
            answer[ours],
            *case.get(theirs).unwrap_or(&Value::Null),
            "{ours} of {case}"
        );
    }
}

#[test]
fn signs_like_the_venues_own_client() {
    let cases = own();
    let kinds: BTreeSet<&str> = cases
        .iter()
        .filter_map(|case| case["action"]["type"].as_str())
        .collect();
    assert!(kinds.len() > 30, "a case for nearly every kind: {kinds:?}");
    for case in &cases {
        check(case);
    }
}

#[test]
fn signs_the_recorded_vectors() {
    let Some(file) = ballast_skip::recorded("hyperliquid-signing.json") else {
        return;
    };
    let text = std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let recorded: Value = serde_json::from_str(&text).expect("JSON");
    let vectors = recorded["vectors"].as_array().expect("a list of vectors");
    assert!(!vectors.is_empty());
    for case in vectors {
        check(case);
    }
}

#[test]
fn the_signer_is_found_from_the_signature_and_only_from_the_same_action() {
    for case in own() {
        let network: Network = serde_json::from_value(case["network"].clone()).unwrap();
        let signature: Signature =
            serde_json::from_value(json!({ "r": case["r"], "s": case["s"], "v": case["v"] }))
                .unwrap();
        let key = case["private_key"].as_str().unwrap();
        let address = ballast_venue::hyperliquid::sign::PrivateKey::from_hex(key)
            .unwrap()
            .address();
        if case["scheme"] == "user" {
            let action = UserAction::from_json(case["action"].clone()).unwrap();
            assert_eq!(user_signer(&action, &signature, network).unwrap(), address);
            continue;
        }
        let action = Action::from_json(case["action"].clone()).unwrap();
        let vault = serde_json::from_value(case["vault"].clone()).unwrap();
        let nonce = case["nonce"].as_u64().unwrap();
        let signable = Signable {
            action: &action,
            nonce,
            vault,
            expires_after: case["expires_after"].as_u64(),
        };
        assert_eq!(signable.signer(&signature, network).unwrap(), address);
        let later = Signable {
            nonce: nonce + 1,
            ..signable
        };
        assert_ne!(later.signer(&signature, network).ok(), Some(address));
        // What is sent is what was signed.
        assert_eq!(
            Action::from_json(serde_json::to_value(&action).unwrap()).unwrap(),
            action
        );
    }
}

fn order(price: Value, size: Value) -> Value {
    json!({
        "scheme": "l1", "network": "testnet", "nonce": 1,
        "private_key": "0x0000000000000000000000000000000000000000000000000000000000000001",
        "action": {
            "type": "order", "grouping": "na",
            "orders": [{ "a": 5, "b": true, "p": price, "s": size, "r": false, "t": { "limit": { "tif": "Ioc" } } }],
        },
    })
}

#[test]
fn equal_numbers_are_signed_alike_and_too_fine_ones_are_refused() {
    let sign = |price, size| sign_case(&order(price, size).to_string());
    let expected = sign(json!("189.05"), json!("7")).unwrap();
    for (price, size) in [
        (json!("189.0500"), json!("7.0")),
        (json!(189.05), json!(7)),
        (json!("0189.05"), json!(7.0)),
    ] {
        assert_eq!(sign(price, size).unwrap(), expected);
    }
    for (price, size) in [
        (json!("189.050000001"), json!("7")),
        (json!(1e-9), json!("7")),
        (json!("-1"), json!("7")),
        (json!(null), json!("7")),
    ] {
        assert!(matches!(sign(price, size), Err(CaseError::Action(_))));
    }
}

#[test]
fn what_is_not_understood_is_not_signed() {
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut case = order(json!("1"), json!("1"));
        change(&mut case);
        sign_case(&case.to_string()).unwrap_err().to_string()
    };
    assert!(refused(&|case| case["action"]["type"] = json!("orders")).contains("no action"));
    assert!(refused(&|case| case["action"]["orders"][0]["x"] = json!(1)).contains("unknown field"));
    assert!(
        refused(&|case| case["action"]["orders"][0]["t"] = json!({ "limit": { "tif": "Fok" } }))
            .contains("Fok")
    );
    assert!(refused(&|case| case["action"] = json!([])).contains("object"));
    assert!(
        refused(&|case| case["action"] = json!({ "type": "noop", "x": 1 }))
            .contains("unknown field")
    );
    assert!(refused(&|case| case["private_key"] = json!("0x00")).contains("private key"));
    assert!(refused(&|case| case["vault"] = json!("0x00")).contains("address"));
    let mut user = own()
        .into_iter()
        .find(|case| case["scheme"] == "user")
        .expect("a case that is signed by its fields");
    user["network"] = json!(if user["network"] == "mainnet" {
        "testnet"
    } else {
        "mainnet"
    });
    assert!(
        sign_case(&user.to_string())
            .unwrap_err()
            .to_string()
            .contains("network")
    );
    user["fields"][1][1] = json!("string");
    user["network"] = json!(
        user["action"]["hyperliquidChain"]
            .as_str()
            .unwrap()
            .to_lowercase()
    );
    assert!(
        sign_case(&user.to_string())
            .unwrap_err()
            .to_string()
            .contains("signed as")
    );
}
