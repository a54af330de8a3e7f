//! What people said survives.

use super::*;
use crate::control::{Applied, Mode, Override, OverrideRecord, Scope, Verb};

pub fn said(id: u64, verb: Verb) -> Record {
    Record::Override(Box::new(OverrideRecord {
        applied: Applied {
            entry: Override {
                id,
                secs: 1_000,
                scope: Scope::Keeper,
                mode: verb,
                note: "test".into(),
                by: "test".into(),
                until_secs: None,
            },
            in_flight: Vec::new(),
        },
        key: Some(format!("key {id}")),
    }))
}

#[test]
fn overrides_are_recovered_and_their_numbers_are_not_given_again() {
    let (mut journal, recovered) = open(MemoryStorage::default()).unwrap();
    assert_eq!(recovered.overrides, Overrides::default());
    let intent = write_intent(&mut journal);
    assert_eq!(journal.in_flight()[0].id, intent.id.0);
    let id = journal.next_id().0;
    journal.write(&said(id, Verb::Halt)).unwrap();
    let (mut journal, recovered) = open(journal.storage).unwrap();
    assert_eq!(recovered.overrides.mode(Mode::Active, 1_000), Mode::Halted);
    assert_eq!(
        recovered
            .overrides
            .answer(&format!("key {id}"), 1_000)
            .unwrap()
            .entry
            .id,
        id
    );
    assert!(journal.next_id().0 > id);
    assert_eq!(journal.in_flight().len(), 1);
    journal.write(&outcome(intent.id.0)).unwrap();
    assert_eq!(journal.in_flight(), []);
}

#[test]
fn a_halt_survives_a_large_journal_being_put_aside() {
    let directory = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(directory.path(), &header()).unwrap();
    let id = journal.next_id().0;
    journal.write(&said(id, Verb::Halt)).unwrap();
    drop(journal);
    let path = directory.path().join("journal.jsonl");
    let mut lines = std::fs::read(&path).unwrap();
    let paper = frame::line(&Record::Paper(PaperRecord {
        market: [3; 32].into(),
        position: [4; 32].into(),
        action: ActionKind::Rehedge,
        reason: "x".repeat(1 << 20),
        inputs: intent(1).inputs,
        error: None,
        compute_units: 1,
    }))
    .unwrap();
    while u64::try_from(lines.len()).unwrap() <= ROTATE_BYTES {
        lines.extend_from_slice(&paper);
    }
    std::fs::write(&path, lines).unwrap();
    for _ in 0..3 {
        let (mut journal, recovered) = Journal::open(directory.path(), &header()).unwrap();
        assert_eq!(recovered.overrides.mode(Mode::Active, 1_000), Mode::Halted);
        assert!(
            recovered
                .overrides
                .answer(&format!("key {id}"), 1_000)
                .is_some()
        );
        assert!(journal.next_id().0 > id);
        assert!(std::fs::metadata(&path).unwrap().len() < 10_000);
    }
    assert!(directory.path().join("journal-1.jsonl").exists());
    assert!(!directory.path().join("journal-2.jsonl").exists());
}
