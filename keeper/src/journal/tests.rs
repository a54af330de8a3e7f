use ballast_strategy::decide::ActionKind;
use proptest::prelude::*;

use super::*;
use crate::control::{Applied, Mode, Override, OverrideRecord, Scope, Verb};

pub(crate) fn header() -> Header {
    Header {
        version: VERSION,
        genesis_hash: [1; 32].into(),
        keeper: [2; 32].into(),
        continues: None,
    }
}

pub(crate) fn intent(id: u64) -> Intent {
    Intent {
        id: IntentId(id),
        market: [3; 32].into(),
        position: [4; 32].into(),
        action: ActionKind::Rehedge,
        reason: "test".into(),
        inputs: Inputs {
            slot: 5,
            now_secs: 6,
            oracle_x64: u128::MAX,
            pool_x64: 1 << 100,
            ltv_bps: 7,
            equity: -8,
            hedge_error: i128::MIN,
        },
        attempt: 0,
        signature: [9; 64].into(),
        last_valid_block_height: 10,
        compute_units: 11,
        micro_lamports: 12,
        tip_lamports: 0,
        transaction: vec![0, 1, 2, 255],
    }
}

pub(crate) fn posting(id: u64) -> PostingRecord {
    PostingRecord {
        id: IntentId(id),
        market: [3; 32].into(),
        subject: [4; 32].into(),
        action: ActionKind::Rehedge,
        now_secs: 1_000,
        max_lamports: 30_000,
    }
}

pub(crate) fn posted(id: u64) -> PostedRecord {
    PostedRecord {
        id: IntentId(id),
        outcome: PostingOutcome::Landed { slot: 3 },
        signatures: vec!["1".repeat(64)],
    }
}

fn outcome(id: u64) -> Record {
    Record::Outcome(OutcomeRecord {
        id: IntentId(id),
        outcome: Outcome::Landed { slot: 3 },
    })
}

fn write_intent(journal: &mut Journal<impl Storage>) -> Intent {
    let intent = intent(journal.next_id().0);
    journal
        .write(&Record::Intent(Box::new(intent.clone())))
        .unwrap();
    intent
}

/// A disk in memory that can fail, and that forgets what was not synced.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryStorage {
    pub written: Vec<u8>,
    pub synced: usize,
    pub fail_append: bool,
    pub fail_sync: bool,
}

impl Storage for MemoryStorage {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        Ok(self.written.clone())
    }
    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.written.truncate(usize::try_from(length).unwrap());
        Ok(())
    }
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.fail_append {
            return Err(io::Error::other("disk full"));
        }
        self.written.extend_from_slice(bytes);
        Ok(())
    }
    fn sync(&mut self) -> io::Result<()> {
        if self.fail_sync {
            return Err(io::Error::other("disk gone"));
        }
        self.synced = self.written.len();
        Ok(())
    }
}

fn open(storage: MemoryStorage) -> Result<(Journal<MemoryStorage>, Recovered), JournalError> {
    Journal::with_storage(storage, "memory".into(), &header())
}

#[test]
fn what_is_written_is_read_back_from_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deep/journal");
    let (mut journal, recovered) = Journal::open(&path, &header()).unwrap();
    assert_eq!((recovered.open.len(), recovered.tail), (0, Tail::Clean));
    let first = write_intent(&mut journal);
    let second = write_intent(&mut journal);
    assert_ne!(first.id, second.id);
    journal.write(&outcome(first.id.0)).unwrap();
    drop(journal);
    let (mut journal, recovered) = Journal::open(&path, &header()).unwrap();
    assert_eq!(recovered.open, std::slice::from_ref(&second));
    assert_eq!(recovered.slot, 3);
    assert!(journal.next_id() > second.id);
}

#[test]
fn what_is_relied_on_is_on_disk() {
    let (mut journal, _) = open(MemoryStorage::default()).unwrap();
    let intent = write_intent(&mut journal);
    // Written by a process that was killed before it could sync.
    let unsynced = MemoryStorage {
        synced: 0,
        ..journal.storage
    };
    let (journal, recovered) = open(unsynced.clone()).unwrap();
    assert_eq!(recovered.open, [intent]);
    assert_eq!(journal.storage.synced, journal.storage.written.len());
    let broken = MemoryStorage {
        fail_sync: true,
        ..unsynced
    };
    assert!(matches!(open(broken), Err(JournalError::Io { .. })));
}

#[test]
fn a_directory_has_one_keeper() {
    let directory = tempfile::tempdir().unwrap();
    let (first, _) = Journal::open(directory.path(), &header()).unwrap();
    assert!(matches!(
        Journal::open(directory.path(), &header()),
        Err(JournalError::InUse { .. })
    ));
    drop(first);
    Journal::open(directory.path(), &header()).unwrap();
}

#[test]
fn another_cluster_or_key_is_refused() {
    let (journal, _) = open(MemoryStorage::default()).unwrap();
    let bytes = journal.storage;
    let other = Header {
        genesis_hash: [5; 32].into(),
        ..header()
    };
    let error = Journal::with_storage(bytes.clone(), "memory".into(), &other)
        .err()
        .unwrap();
    assert!(
        matches!(
            error,
            JournalError::Foreign {
                what: "genesis hash",
                ..
            }
        ),
        "{error}"
    );
    let other = Header {
        keeper: [5; 32].into(),
        ..header()
    };
    let error = Journal::with_storage(bytes, "memory".into(), &other)
        .err()
        .unwrap();
    assert!(
        matches!(error, JournalError::Foreign { what: "keeper", .. }),
        "{error}"
    );
}

#[test]
fn a_journal_that_cannot_be_written_refuses_everything_from_then_on() {
    let break_it: [fn(&mut MemoryStorage); 2] = [|s| s.fail_append = true, |s| s.fail_sync = true];
    for break_it in break_it {
        let (mut journal, _) = open(MemoryStorage::default()).unwrap();
        break_it(&mut journal.storage);
        assert!(matches!(
            journal.write(&outcome(1)),
            Err(JournalError::Io { .. })
        ));
        // Even if the disk is well again: what is on it is unknown.
        journal.storage.fail_append = false;
        journal.storage.fail_sync = false;
        assert!(matches!(
            journal.write(&outcome(1)),
            Err(JournalError::Halted)
        ));
    }
    let broken = MemoryStorage {
        fail_append: true,
        ..MemoryStorage::default()
    };
    assert!(matches!(open(broken), Err(JournalError::Io { .. })));
}

#[tokio::test]
async fn a_shared_journal_halts_all_its_users() {
    let (mut journal, _) = open(MemoryStorage::default()).unwrap();
    journal.storage.fail_sync = true;
    let shared = SharedJournal::new(journal);
    assert!(matches!(
        shared.clone().write(outcome(1)).await,
        Err(JournalError::Io { .. })
    ));
    assert!(matches!(
        shared.write(outcome(1)).await,
        Err(JournalError::Halted)
    ));
}

/// A journal with two intents, the first resolved; and where its lines end.
fn sample() -> (Vec<u8>, Vec<usize>) {
    let (mut journal, _) = open(MemoryStorage::default()).unwrap();
    write_intent(&mut journal);
    write_intent(&mut journal);
    journal.write(&outcome(1)).unwrap();
    let bytes = journal.storage.written;
    let ends = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at + 1)
        .collect();
    (bytes, ends)
}

fn reopen(bytes: Vec<u8>) -> Result<(Journal<MemoryStorage>, Recovered), JournalError> {
    open(MemoryStorage {
        synced: bytes.len(),
        written: bytes,
        ..MemoryStorage::default()
    })
}

#[test]
fn a_torn_end_is_dropped_at_every_byte() {
    let (bytes, ends) = sample();
    for length in 0..bytes.len() {
        let (mut journal, recovered) = reopen(bytes[..length].to_vec()).unwrap();
        let lines = ends.iter().filter(|end| **end <= length).count();
        let open: Vec<u64> = recovered.open.iter().map(|intent| intent.id.0).collect();
        let expected: &[u64] = match lines {
            0 | 1 => &[],
            2 => &[1],
            _ => &[1, 2],
        };
        assert_eq!(open, expected, "cut at {length}");
        let whole = length == 0 || ends.contains(&length);
        assert_eq!(recovered.tail == Tail::Clean, whole, "cut at {length}");
        // It can be written on, and reads back.
        let added = write_intent(&mut journal);
        let (_, recovered) = reopen(journal.storage.written).unwrap();
        assert_eq!(
            recovered.open.last().map(|intent| intent.id),
            Some(added.id)
        );
        assert_eq!(recovered.tail, Tail::Clean);
    }
}

#[test]
fn zeros_after_the_end_are_a_torn_write() {
    let (mut bytes, _) = sample();
    bytes.extend([0; 4096]);
    assert_eq!(reopen(bytes).unwrap().1.tail, Tail::Torn { bytes: 4096 });
}

#[test]
fn damage_in_the_middle_is_an_error_and_at_the_end_it_is_suspect() {
    let (bytes, ends) = sample();
    for line in 0..ends.len() {
        let start = if line == 0 { 0 } else { ends[line - 1] };
        for at in start..ends[line] - 1 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            if damaged[at] == b'\n' {
                continue;
            }
            match reopen(damaged) {
                Err(JournalError::Damaged { offset, .. }) => {
                    assert!(line < 3 && offset == start, "{at}")
                }
                Ok((_, recovered)) => {
                    assert_eq!(
                        (line, recovered.tail),
                        (
                            3,
                            Tail::Suspect {
                                bytes: bytes.len() - start
                            }
                        ),
                        "{at}"
                    );
                    // The outcome is gone, so that the intent is open again.
                    assert_eq!(recovered.open.len(), 2);
                }
                Err(other) => panic!("{at}: {other}"),
            }
        }
    }
}

#[test]
fn a_suspect_end_stays_until_it_is_dropped() {
    let (mut bytes, ends) = sample();
    for last in [3, 0] {
        bytes.truncate(ends[last]);
        let at = bytes.len() - 5;
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        let (journal, first) = reopen(damaged).unwrap();
        assert!(matches!(first.tail, Tail::Suspect { .. }));
        // Another restart finds the same.
        let (mut journal, again) = reopen(journal.storage.written).unwrap();
        assert_eq!((again.tail, &again.open), (first.tail, &first.open));
        assert!(matches!(
            journal.write(&outcome(1)),
            Err(JournalError::SuspectTail)
        ));
        journal.drop_suspect_tail().unwrap();
        let (mut journal, dropped) = reopen(journal.storage.written).unwrap();
        assert_eq!((dropped.tail, &dropped.open), (Tail::Clean, &first.open));
        write_intent(&mut journal);
    }
}

#[test]
fn a_journal_without_header_is_damaged() {
    let (bytes, ends) = sample();
    assert!(matches!(
        reopen(bytes[ends[0]..].to_vec()),
        Err(JournalError::Damaged { offset: 0, .. })
    ));
}

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
    drop(journal);
    let (journal, recovered) = Journal::open(directory.path(), &header()).unwrap();
    assert!(recovered.open.is_empty());
    assert!(directory.path().join("journal-1.jsonl").exists());
    assert!(journal.storage.length().unwrap() < 1_000);
    // Number and slot go on, also for those who never saw the file put aside.
    drop(journal);
    let (mut journal, recovered) = Journal::open(directory.path(), &header()).unwrap();
    assert_eq!(recovered.slot, 3);
    assert_eq!(write_intent(&mut journal).id, IntentId(2));
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

proptest! {
    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        // Whatever it is, it is no record: all of it is tail, or an error.
        if let Ok(scan) = scan(&bytes) {
            prop_assert_eq!(scan.valid_length, 0);
            prop_assert!(scan.records.is_empty());
        }
    }
}

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

fn said(id: u64, verb: Verb) -> Record {
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

#[test]
fn an_observers_journal_becomes_that_of_the_first_key_and_of_no_other() {
    let observer = Header {
        keeper: Pubkey::default(),
        ..header()
    };
    let (mut journal, _) =
        Journal::with_storage(MemoryStorage::default(), "memory".into(), &observer).unwrap();
    journal.write(&said(1, Verb::Halt)).unwrap();
    let with = |bytes: &MemoryStorage, header: &Header| {
        Journal::with_storage(bytes.clone(), "memory".into(), header)
    };
    let other_cluster = Header {
        genesis_hash: [5; 32].into(),
        ..header()
    };
    assert!(with(&journal.storage, &other_cluster).is_err());
    let (journal, recovered) = with(&journal.storage, &header()).unwrap();
    assert_eq!(recovered.overrides.mode(Mode::Active, 1_000), Mode::Halted);
    let other = Header {
        keeper: [6; 32].into(),
        ..header()
    };
    assert!(matches!(
        with(&journal.storage, &other),
        Err(JournalError::Foreign { what: "keeper", .. })
    ));
    // The observer still reads it, and leaves it what it is.
    let (journal, recovered) = with(&journal.storage, &observer).unwrap();
    assert_eq!(recovered.overrides.mode(Mode::Active, 1_000), Mode::Halted);
    assert!(matches!(
        with(&journal.storage, &other),
        Err(JournalError::Foreign { .. })
    ));
    let before = journal.storage.written.len();
    let (journal, _) = with(&journal.storage, &header()).unwrap();
    assert_eq!(journal.storage.written.len(), before);
}

#[tokio::test]
async fn what_is_not_permitted_any_more_is_not_written() {
    let (journal, _) = open(MemoryStorage::default()).unwrap();
    let shared = SharedJournal::new(journal);
    let record = |id| Record::Intent(Box::new(intent(id)));
    assert!(!shared.write_if(record(1), || false).await.unwrap());
    assert_eq!(shared.in_flight(), []);
    assert!(shared.write_if(record(1), || true).await.unwrap());
    assert_eq!(shared.in_flight().len(), 1);
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
    drop(journal);
    for _ in 0..2 {
        let (journal, recovered) = Journal::open(directory.path(), &header()).unwrap();
        assert!(directory.path().join("journal-1.jsonl").exists());
        assert!(journal.storage.length().unwrap() < 1_000);
        assert_eq!(recovered.spending, spent);
    }
}
