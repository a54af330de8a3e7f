//! What a journal that is put aside leaves to the next one, and a restart finds again.

use super::*;

#[test]
fn a_large_journal_is_put_aside_when_nothing_is_open() {
    let directory = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(directory.path(), &header()).unwrap();
    let mut big = intent(journal.next_id().0);
    big.transaction = vec![7; usize::try_from(ROTATE_BYTES).unwrap()];
    journal.write(&Record::Intent(Box::new(big))).unwrap();
    drop(journal);
    // An open intent keeps the file.
    let (mut journal, recovered) = Journal::open(directory.path(), &header()).unwrap();
    assert_eq!(recovered.open.len(), 1);
    journal.write(&outcome(1)).unwrap();
    let later = write_later(&mut journal);
    drop(journal);
    let (journal, recovered) = Journal::open(directory.path(), &header()).unwrap();
    assert!(recovered.open.is_empty());
    assert!(directory.path().join("journal-1.jsonl").exists());
    assert!(journal.storage.length().unwrap() < 2_000);
    // What a fork may still take back is known in the next as well, and what can be no longer is not.
    let left = [Confirmed {
        outcome: Outcome::Landed { slot: 3 },
        intent: later.clone(),
    }];
    assert_eq!(recovered.landed, left);
    // Number and slot go on, also for those who never saw the file put aside.
    drop(journal);
    let (mut journal, recovered) = Journal::open(directory.path(), &header()).unwrap();
    assert_eq!(recovered.slot, 3);
    assert_eq!(recovered.landed, left);
    assert!(journal.has_signature(&later.signature));
    assert_eq!(write_intent(&mut journal).id, IntentId(3));
    drop(journal);
    // Its second outcome is one of an intent that is known.
    let (mut journal, _) = Journal::open(directory.path(), &header()).unwrap();
    let expired = Outcome::Expired {
        block_height: 2_000,
    };
    let record = OutcomeRecord {
        id: later.id,
        outcome: expired,
    };
    journal.write(&Record::Outcome(record)).unwrap();
    drop(journal);
    let (_, recovered) = Journal::open(directory.path(), &header()).unwrap();
    assert_eq!(recovered.landed, []);
}

/// An intent that lands when everything before it is final.
fn write_later(journal: &mut Journal<FileStorage>) -> Intent {
    let later = Intent {
        last_valid_block_height: 1_000,
        ..intent(journal.next_id().0)
    };
    let id = later.id.0;
    journal
        .write(&Record::Intent(Box::new(later.clone())))
        .unwrap();
    journal.write(&outcome(id)).unwrap();
    later
}

#[test]
fn a_journal_put_aside_is_never_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let mut storage = FileStorage::open(directory.path()).unwrap();
    // As in paper mode: no number of an intent tells them apart.
    for round in 1..=3u8 {
        storage.append(&[round]).unwrap();
        storage.rotate(b"begun").unwrap();
        storage.truncate(0).unwrap();
    }
    for round in 1..=3u8 {
        let aside = directory.path().join(format!("journal-{round}.jsonl"));
        assert_eq!(std::fs::read(aside).unwrap(), [round]);
    }
}

/// The hour's budget survives a restart, and a journal that was put aside.
#[test]
fn what_postings_cost_is_recovered_and_their_numbers_are_not_given_again() {
    let directory = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(directory.path(), &header()).unwrap();
    let mut spent = Spending::default();
    fn write(journal: &mut Journal<FileStorage>, spent: &mut Spending, record: Record) {
        journal.write(&record).unwrap();
        spent.fold(&record);
    }
    let mut numbers = Vec::new();
    for end in [
        Some(PostingOutcome::Landed { slot: 3 }),
        // Killed in the middle.
        None,
        Some(PostingOutcome::NotSent {
            error: "why".into(),
        }),
    ] {
        let id = journal.next_id();
        numbers.push(id);
        write(&mut journal, &mut spent, Record::Posting(posting(id.0)));
        if let Some(outcome) = end {
            let posted = PostedRecord {
                outcome,
                ..posted(id.0)
            };
            write(&mut journal, &mut spent, Record::Posted(posted));
        }
    }
    assert_eq!(spent.total(), 2 * posting(1).max_lamports);
    drop(journal);
    let (mut journal, recovered) = Journal::open(directory.path(), &header()).unwrap();
    assert_eq!(recovered.spending, spent);
    assert!(journal.next_id() > *numbers.last().unwrap());
    // Large enough to be put aside.
    let mut big = intent(journal.next_id().0);
    big.inputs.now_secs = 1_000;
    big.transaction = vec![7; usize::try_from(ROTATE_BYTES).unwrap()];
    let id = big.id.0;
    write(&mut journal, &mut spent, Record::Intent(Box::new(big)));
    write(&mut journal, &mut spent, outcome(id));
    let mut later = intent(journal.next_id().0);
    later.inputs.now_secs = 1_000;
    later.last_valid_block_height = 1_000;
    let id = later.id.0;
    write(&mut journal, &mut spent, Record::Intent(Box::new(later)));
    write(&mut journal, &mut spent, outcome(id));
    drop(journal);
    for _ in 0..2 {
        let (journal, recovered) = Journal::open(directory.path(), &header()).unwrap();
        assert!(directory.path().join("journal-1.jsonl").exists());
        assert!(journal.storage.length().unwrap() < 2_000);
        assert_eq!(recovered.spending, spent);
    }
}
