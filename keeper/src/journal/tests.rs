use ballast_strategy::decide::ActionKind;

use super::*;

mod aside;
mod ends;
mod lines;
mod overrides;

use crate::control::{Mode, Verb};
use overrides::said;

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
