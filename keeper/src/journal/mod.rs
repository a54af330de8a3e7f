//! The journal: what the keeper is about to do is on disk before it does it.
//!
//! Append-only lines, each with a checksum, each forced to disk before the call returns. A journal that cannot be
//! written refuses everything from then on, which halts the keeper: it must not act without a record. What a crash cut
//! off at the end is dropped; nothing was sent for it. Anything else that does not read back is an error. What is read back
//! is forced to disk again before it is relied on: the process that wrote it may have been killed before it did so.

mod error;
pub mod feed;
pub mod follow;
pub(crate) mod frame;
mod landed;
mod posting;
mod record;
mod shared;
mod storage;
pub mod verify;

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    path::{Path, PathBuf},
};

use solana_sdk::{pubkey::Pubkey, signature::Signature};

pub use error::JournalError;
pub use feed::Feed;
pub use frame::{Damage, Scan, Tail, scan};
pub use landed::Confirmed;
pub use posting::{PostedRecord, PostingOutcome, PostingRecord};
pub use record::{
    Continued, Header, Inputs, Intent, IntentId, Outcome, OutcomeRecord, PaperRecord, Record, text,
};
pub use shared::SharedJournal;
pub use storage::{FileStorage, Storage};

pub(crate) use landed::Landed;

use crate::{
    control::{InFlight, Overrides},
    execute::budget::Spending,
};

/// Format of the file.
pub const VERSION: u32 = 1;
/// From this size on a journal without open intents is put aside and a new one begun.
const ROTATE_BYTES: u64 = 64 << 20;

/// Newest signatures remembered. More cannot be signed on one blockhash in its life.
const SIGNATURES: usize = 4_096;

/// An open journal.
pub struct Journal<S> {
    storage: S,
    path: PathBuf,
    /// Whose it is.
    keeper: Pubkey,
    next_id: u64,
    halted: bool,
    suspect: Option<Suspect>,
    /// Of the newest intents, oldest first.
    signatures: VecDeque<Signature>,
    /// Intents without an outcome.
    flights: BTreeMap<IntentId, InFlight>,
    /// Records but headers, those of the journals before included.
    sequence: u64,
    feed: Feed,
}

/// A damaged last line. It stays on disk until nothing it may have been can land any more, so that a restart finds it.
struct Suspect {
    valid_length: u64,
    /// Written after it is dropped, if nothing else is left or it was an observer's.
    header: Option<Header>,
}

/// What an existing journal said.
#[derive(Debug, Default)]
pub struct Recovered {
    /// Intents without an outcome, oldest first: they may or may not have been sent, and may yet land.
    pub open: Vec<Intent>,
    /// Whether the end was cut off, and how.
    pub tail: Tail,
    /// Newest slot at which an action took effect: answers of earlier slots do not show all that was done.
    pub slot: u64,
    /// What people said.
    pub overrides: Overrides,
    /// What was spent in the last hour before it ended.
    pub spending: Spending,
    /// What was in a block that a fork might still take back, oldest first.
    pub landed: Vec<Confirmed>,
}

impl Journal<FileStorage> {
    /// Opens the journal of a directory, which is created if missing and locked for as long as the journal lives.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn open(directory: &Path, header: &Header) -> Result<(Self, Recovered), JournalError> {
        let storage = FileStorage::open(directory)?;
        let path = storage.path().to_owned();
        let (mut journal, recovered) = Self::with_storage(storage, path, header)?;
        if recovered.open.is_empty()
            && journal.suspect.is_none()
            && journal
                .storage
                .length()
                .is_ok_and(|length| length > ROTATE_BYTES)
        {
            let carried = recovered.overrides.carried();
            let repeated = u64::try_from(carried.len()).unwrap_or(u64::MAX);
            let continues = Some(Continued {
                next_id: journal.next_id,
                slot: recovered.slot,
                // What is carried over is read again after it.
                sequence: journal.sequence.saturating_sub(repeated),
                spent: recovered.spending.clone(),
                landed: recovered.landed.clone(),
            });
            let mut first = vec![Record::Header(Header {
                continues,
                keeper: journal.keeper,
                ..header.clone()
            })];
            first.extend(
                carried
                    .into_iter()
                    .map(|record| Record::Override(Box::new(record))),
            );
            let lines: Result<Vec<_>, _> = first.iter().map(frame::line).collect();
            let lines = lines.map_err(io::Error::from);
            journal.checked(|storage| storage.rotate(&lines?.concat()))?;
        }
        Ok((journal, recovered))
    }
}

impl<S: Storage> Journal<S> {
    /// Reads what is there, drops a torn end, and writes the header of a new journal. `path` is for messages. A suspect end
    /// stays, and nothing can be written, until [`Self::drop_suspect_tail`].
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn with_storage(
        storage: S,
        path: PathBuf,
        header: &Header,
    ) -> Result<(Self, Recovered), JournalError> {
        let mut journal = Self {
            storage,
            path,
            keeper: header.keeper,
            next_id: 1,
            halted: false,
            suspect: None,
            signatures: VecDeque::new(),
            flights: BTreeMap::new(),
            sequence: 0,
            feed: Feed::default(),
        };
        let bytes = journal.checked(Storage::read)?;
        // What a killed process wrote and did not sync reads back like the rest. Relied on, it must outlive a power failure.
        journal.checked(Storage::sync)?;
        let scan = scan(&bytes).map_err(|offset| JournalError::Damaged {
            path: journal.path.clone(),
            offset,
        })?;
        // A length in memory fits 64 bits.
        let valid_length = scan.valid_length as u64;
        match scan.tail {
            Tail::Clean => {}
            Tail::Torn { .. } => journal.cut(valid_length)?,
            Tail::Suspect { .. } => {
                journal.suspect = Some(Suspect {
                    valid_length,
                    header: scan.records.is_empty().then(|| header.clone()),
                });
            }
        }
        let mut records = scan.records.into_iter();
        let mut slot = 0;
        let mut spending = Spending::default();
        let mut found = None;
        let mut landed = Landed::default();
        match records.next() {
            None if journal.suspect.is_some() => {}
            None => journal.write(&Record::Header(header.clone()))?,
            Some(Record::Header(first)) => {
                let first = found.insert(first);
                if let Some(before) = &first.continues {
                    (journal.next_id, slot) = (before.next_id, before.slot);
                    spending = before.spent.clone();
                    landed = Landed::of(&before.landed);
                    let signed = before.landed.iter().map(|it| it.intent.signature);
                    signed.for_each(|signature| journal.remember(signature));
                    journal.sequence = before.sequence;
                    journal.feed.begin(before.sequence);
                }
            }
            Some(_) => {
                return Err(JournalError::Damaged {
                    path: journal.path,
                    offset: 0,
                });
            }
        }
        let mut open = BTreeMap::new();
        let mut overrides = Overrides::default();
        for record in records {
            spending.fold(&record);
            journal.tell(&record);
            match record {
                Record::Intent(intent) => {
                    journal.pass(intent.id);
                    journal.remember(intent.signature);
                    open.insert(intent.id, *intent);
                }
                Record::Outcome(outcome) => {
                    landed.take_in(open.remove(&outcome.id), &outcome);
                    slot = slot.max(outcome.outcome.slot());
                }
                Record::Override(record) => {
                    journal.pass(IntentId(record.applied.entry.id));
                    overrides.fold(&record);
                }
                // An observer's journal that a keeper with a key has taken over.
                Record::Header(later) => found = Some(later),
                Record::Posting(posting) => journal.pass(posting.id),
                Record::Paper(_) | Record::Posted(_) => {}
            }
        }
        if let Some(found) = found {
            journal.take_over(&found, header)?;
        }
        journal.flights = open.values().map(in_flight).collect();
        Ok((
            journal,
            Recovered {
                open: open.into_values().collect(),
                tail: scan.tail,
                slot,
                overrides,
                spending,
                landed: landed.lately(),
            },
        ))
    }

    /// A keeper without a key only observes: its journal may become that of any key, and it may go on with that of any.
    fn take_over(&mut self, found: &Header, header: &Header) -> Result<(), JournalError> {
        let nobody = Pubkey::default();
        if header.keeper == nobody {
            self.keeper = found.keeper;
        }
        let expected = Header {
            keeper: self.keeper,
            ..header.clone()
        };
        if found.keeper != nobody || self.keeper == nobody {
            return self.require_same(found, &expected);
        }
        let before = Header {
            keeper: nobody,
            ..expected.clone()
        };
        self.require_same(found, &before)?;
        match &mut self.suspect {
            Some(suspect) => suspect.header = Some(expected),
            None => self.write(&Record::Header(expected))?,
        }
        Ok(())
    }

    fn require_same(&self, found: &Header, expected: &Header) -> Result<(), JournalError> {
        let differs = [
            (
                "version",
                found.version.to_string(),
                expected.version.to_string(),
            ),
            (
                "genesis hash",
                found.genesis_hash.to_string(),
                expected.genesis_hash.to_string(),
            ),
            (
                "keeper",
                found.keeper.to_string(),
                expected.keeper.to_string(),
            ),
        ];
        match differs
            .into_iter()
            .find(|(_, found, expected)| found != expected)
        {
            None => Ok(()),
            Some((what, found, expected)) => Err(JournalError::Foreign {
                path: self.path.clone(),
                what,
                found,
                expected,
            }),
        }
    }

    /// A number for the next intent, never given before in this journal.
    pub fn next_id(&mut self) -> IntentId {
        let id = IntentId(self.next_id);
        self.next_id = self.next_id.saturating_add(1);
        id
    }

    /// A number was given in an earlier run.
    fn pass(&mut self, given: IntentId) {
        self.next_id = self.next_id.max(given.0.saturating_add(1));
    }

    /// Drops a suspect end, if there is one. Only once nothing signed before can land any more.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn drop_suspect_tail(&mut self) -> Result<(), JournalError> {
        let Some(suspect) = self.suspect.take() else {
            return Ok(());
        };
        self.cut(suspect.valid_length)?;
        match suspect.header {
            Some(header) => self.write(&Record::Header(header)),
            None => Ok(()),
        }
    }

    fn cut(&mut self, length: u64) -> Result<(), JournalError> {
        self.checked(|storage| storage.truncate(length).and_then(|()| storage.sync()))
    }

    /// Appends a record and forces it to disk. After a failure everything is refused.
    ///
    /// # Errors
    /// [`JournalError::Io`] the first time, [`JournalError::Halted`] from then on; [`JournalError::SuspectTail`].
    pub fn write(&mut self, record: &Record) -> Result<(), JournalError> {
        if self.suspect.is_some() {
            return Err(JournalError::SuspectTail);
        }
        let line = frame::line(record).map_err(io::Error::from);
        self.checked(|storage| storage.append(&line?).and_then(|()| storage.sync()))?;
        self.tell(record);
        match record {
            Record::Intent(intent) => {
                self.remember(intent.signature);
                self.flights.extend([in_flight(intent)]);
            }
            Record::Outcome(outcome) => {
                self.flights.remove(&outcome.id);
            }
            Record::Header(_)
            | Record::Paper(_)
            | Record::Override(_)
            | Record::Posting(_)
            | Record::Posted(_) => {}
        }
        Ok(())
    }

    /// Tells readers of a record that is on disk.
    fn tell(&mut self, record: &Record) {
        if !matches!(record, Record::Header(_)) {
            self.sequence = self.sequence.saturating_add(1);
            self.feed.push(self.sequence, record);
        }
    }

    /// What is journaled, for readers.
    pub fn feed(&self) -> Feed {
        self.feed.clone()
    }

    /// What is in a block is sent again, because a fork seems to have taken it back: until its outcome is known anew it is in flight.
    pub fn reopen(&mut self, intent: &Intent) {
        self.flights.extend([in_flight(intent)]);
    }

    /// It was not taken back: its outcome is the one before.
    pub fn close(&mut self, id: IntentId) {
        self.flights.remove(&id);
    }

    /// What was signed and has no outcome yet.
    pub fn in_flight(&self) -> Vec<InFlight> {
        self.flights.values().copied().collect()
    }

    /// Whether one of the newest intents has this signature: its outcome would be taken for that of a new one.
    pub fn has_signature(&self, signature: &Signature) -> bool {
        self.signatures.contains(signature)
    }

    fn remember(&mut self, signature: Signature) {
        if self.signatures.len() >= SIGNATURES {
            self.signatures.pop_front();
        }
        self.signatures.push_back(signature);
    }

    fn checked<T>(
        &mut self,
        work: impl FnOnce(&mut S) -> io::Result<T>,
    ) -> Result<T, JournalError> {
        if self.halted {
            return Err(JournalError::Halted);
        }
        work(&mut self.storage).map_err(|source| {
            // What a failed write or sync left on disk is unknown, so that nothing may follow it.
            self.halted = true;
            JournalError::Io {
                path: self.path.clone(),
                source,
            }
        })
    }
}

fn in_flight(intent: &Intent) -> (IntentId, InFlight) {
    let &Intent {
        id,
        position,
        action,
        signature,
        ..
    } = intent;
    let flight = InFlight {
        id: id.0,
        position,
        action,
        signature,
    };
    (id, flight)
}

#[cfg(test)]
pub(crate) mod tests;
