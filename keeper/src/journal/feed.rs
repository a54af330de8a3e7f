//! What was journaled, for readers: the newest records with their sequence numbers, and those to come.
//!
//! A sequence number is a record's place among all records but headers, from 1, over all journals that continue each other. So
//! it says, after a restart too, what a reader has seen.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use super::Record;

/// Records kept.
const KEPT: usize = 4_096;

/// A record without its transaction's bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// See the module's description.
    pub sequence: u64,
    /// The record.
    pub record: Arc<Record>,
}

/// See the module's description. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Feed(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kept: Mutex<VecDeque<Entry>>,
    newest: watch::Sender<u64>,
}

impl Default for Feed {
    fn default() -> Self {
        Self(Arc::new(Inner {
            kept: Mutex::default(),
            newest: watch::Sender::new(0),
        }))
    }
}

impl Feed {
    fn kept(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        // A push is a single insertion.
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a record that is on disk.
    pub(super) fn push(&self, sequence: u64, record: &Record) {
        let mut record = record.clone();
        if let Record::Intent(intent) = &mut record {
            intent.transaction = Vec::new();
        }
        let mut kept = self.kept();
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(Entry {
            sequence,
            record: Arc::new(record),
        });
        drop(kept);
        self.0.newest.send_replace(sequence);
    }

    /// Where a journal without records begins.
    pub(super) fn begin(&self, sequence: u64) {
        self.0.newest.send_replace(sequence);
    }

    /// The newest sequence number; 0 before the first record.
    pub fn newest(&self) -> watch::Receiver<u64> {
        self.0.newest.subscribe()
    }

    /// The records after a sequence number, oldest first; `None` if some of them are not kept any more.
    pub fn after(&self, sequence: u64) -> Option<Vec<Entry>> {
        let kept = self.kept();
        let newest = *self.0.newest.borrow();
        let first = kept.front().map_or(newest + 1, |entry| entry.sequence);
        if sequence + 1 < first || sequence > newest {
            return None;
        }
        let later = kept.iter().filter(|entry| entry.sequence > sequence);
        Some(later.cloned().collect())
    }

    /// All that is kept, oldest first.
    pub fn all(&self) -> Vec<Entry> {
        self.kept().iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{IntentId, Outcome, OutcomeRecord};

    fn record(id: u64) -> Record {
        Record::Outcome(OutcomeRecord {
            id: IntentId(id),
            outcome: Outcome::Landed { slot: id },
        })
    }

    #[test]
    fn a_reader_gets_what_it_has_not_seen_or_is_told_that_it_cannot() {
        let feed = Feed::default();
        assert_eq!(feed.after(0), Some(Vec::new()));
        feed.begin(10);
        assert_eq!(feed.after(10), Some(Vec::new()));
        assert_eq!((feed.after(9), feed.after(11)), (None, None));
        let newest = feed.newest();
        for sequence in 11..=13 {
            feed.push(sequence, &record(sequence));
        }
        assert_eq!(*newest.borrow(), 13);
        let seen = |after| {
            let entries = feed.after(after)?;
            Some(
                entries
                    .iter()
                    .map(|entry| entry.sequence)
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(seen(10), Some(vec![11, 12, 13]));
        assert_eq!(seen(12), Some(vec![13]));
        assert_eq!(seen(13), Some(vec![]));
        assert_eq!((seen(9), seen(14)), (None, None));
        for sequence in 14..14 + KEPT as u64 {
            feed.push(sequence, &record(sequence));
        }
        assert_eq!((seen(12), feed.all().len()), (None, KEPT));
        assert_eq!(seen(13).map(|seen| seen.len()), Some(KEPT));
    }
}
