//! Lines as they were written stay readable.

use super::*;
use crate::control::{Scope, Verb};

#[test]
fn every_kind_has_its_own_name_and_those_of_old_journals_still_read() {
    let names = ActionKind::ALL.map(|kind| serde_json::to_string(&kind).unwrap());
    assert_eq!(
        names,
        [
            "\"compound\"",
            "\"recenter\"",
            "\"rehedge\"",
            "\"refresh_price\"",
            "\"refresh_stage\"",
            "\"exit\"",
            "\"deleverage\"",
            "\"deleverage_swap\"",
            "\"liquidate\""
        ]
    );
    for (kind, name) in ActionKind::ALL.into_iter().zip(names) {
        assert_eq!(serde_json::from_str::<ActionKind>(&name).unwrap(), kind);
        assert_eq!(format!("\"{kind}\""), name);
    }
    // A record as it was written before there were others than these three.
    let old = r#"{"intent":{"id":7,"market":"11111111111111111111111111111111","position":"11111111111111111111111111111111","action":"deleverage","reason":"r","inputs":{"slot":1,"now_secs":2,"oracle_x64":"3","pool_x64":"4","ltv_bps":5,"equity":"6","hedge_error":"-7"},"attempt":0,"signature":"1111111111111111111111111111111111111111111111111111111111111111","last_valid_block_height":8,"compute_units":9,"micro_lamports":10,"transaction":"AAEC"}}"#;
    let Record::Intent(intent) = serde_json::from_str(old).unwrap() else {
        panic!("no intent");
    };
    assert_eq!(
        (intent.action, intent.inputs.hedge_error),
        (ActionKind::Deleverage, -7)
    );
    assert_eq!(serde_json::to_string(&Record::Intent(intent)).unwrap(), old);
}

#[test]
fn an_override_is_one_line_that_later_versions_still_read() {
    let line = r#"{"override":{"id":7,"secs":1000,"scope":"position","position":"11111111111111111111111111111111","mode":"pause","note":"why","by":"cli","until_secs":2000,"in_flight":[{"id":6,"position":"11111111111111111111111111111111","action":"rehedge","signature":"1111111111111111111111111111111111111111111111111111111111111111"}],"key":"k"}}"#;
    let record: Record = serde_json::from_str(line).unwrap();
    assert_eq!(serde_json::to_string(&record).unwrap(), line);
    let Record::Override(record) = record else {
        panic!("no override");
    };
    let position = Pubkey::default();
    let entry = &record.applied.entry;
    assert_eq!(
        (entry.scope, entry.mode),
        (Scope::Position { position }, Verb::Pause)
    );
    // Without what may be left out.
    let least = r#"{"override":{"id":7,"secs":1000,"scope":"keeper","mode":"halt","note":"why","by":"cli","in_flight":[]}}"#;
    let record: Record = serde_json::from_str(least).unwrap();
    assert_eq!(serde_json::to_string(&record).unwrap(), least);
}

#[test]
fn a_posting_is_two_lines_that_later_versions_still_read() {
    let lines = [
        r#"{"posting":{"id":7,"market":"11111111111111111111111111111111","subject":"11111111111111111111111111111111","action":"rehedge","now_secs":1000,"max_lamports":30000}}"#,
        r#"{"posted":{"id":7,"outcome":{"landed":{"slot":9}},"signatures":["abc"]}}"#,
        r#"{"posted":{"id":7,"outcome":{"not_sent":{"error":"why"}}}}"#,
        r#"{"posted":{"id":7,"outcome":{"broken_off":{"error":"why"}},"signatures":["abc"]}}"#,
    ];
    for line in lines {
        let record: Record = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&record).unwrap(), line);
    }
}
