//! One journal for several tasks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use solana_sdk::signature::Signature;

use super::{Feed, Intent, IntentId, Journal, JournalError, Record, Storage};
use crate::control::InFlight;

/// A journal that several tasks write to.
#[derive(Clone)]
pub struct SharedJournal {
    journal: Arc<Mutex<Journal<Box<dyn Storage>>>>,
    /// See [`Storage::waits`].
    waits: bool,
}

impl SharedJournal {
    /// Shares a journal.
    pub fn new<S: Storage + 'static>(journal: Journal<S>) -> Self {
        let Journal {
            storage,
            path,
            keeper,
            next_id,
            halted,
            suspect,
            signatures,
            flights,
            sequence,
            feed,
        } = journal;
        let waits = storage.waits();
        let journal = Journal {
            storage: Box::new(storage) as Box<dyn Storage>,
            path,
            keeper,
            next_id,
            halted,
            suspect,
            signatures,
            flights,
            sequence,
            feed,
        };
        Self {
            journal: Arc::new(Mutex::new(journal)),
            waits,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Journal<Box<dyn Storage>>> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`Journal::feed`].
    pub fn feed(&self) -> Feed {
        self.lock().feed()
    }

    /// As [`Journal::next_id`].
    pub fn next_id(&self) -> IntentId {
        self.lock().next_id()
    }

    /// As [`Journal::has_signature`].
    pub fn has_signature(&self, signature: &Signature) -> bool {
        self.lock().has_signature(signature)
    }

    /// As [`Journal::write`], off the asynchronous threads. Once begun it runs to its end even if the caller is dropped.
    ///
    /// # Errors
    /// As [`Journal::write`].
    pub async fn write(&self, record: Record) -> Result<(), JournalError> {
        self.blocking(move |journal| journal.write(&record)).await
    }

    /// As [`Journal::drop_suspect_tail`], like [`Self::write`].
    ///
    /// # Errors
    /// As [`Journal::drop_suspect_tail`].
    pub async fn drop_suspect_tail(&self) -> Result<(), JournalError> {
        self.blocking(Journal::drop_suspect_tail).await
    }

    /// As [`Journal::write`], but only if `permitted` says so once nobody else can write: what it goes by cannot change before the
    /// record is there. Returns whether it was written.
    ///
    /// # Errors
    /// As [`Journal::write`].
    pub async fn write_if(
        &self,
        record: Record,
        permitted: impl FnOnce() -> bool + Send + 'static,
    ) -> Result<bool, JournalError> {
        let written = self.with(move |journal| {
            if !permitted() {
                return Ok(false);
            }
            journal.write(&record).map(|()| true)
        });
        written.await.unwrap_or(Err(JournalError::Halted))
    }

    /// As [`Journal::reopen`].
    pub fn reopen(&self, intent: &Intent) {
        self.lock().reopen(intent);
    }

    /// As [`Journal::close`].
    pub fn close(&self, id: IntentId) {
        self.lock().close(id);
    }

    /// What was signed and has no outcome yet.
    pub fn in_flight(&self) -> Vec<InFlight> {
        self.lock().in_flight()
    }

    async fn blocking(
        &self,
        work: impl FnOnce(&mut Journal<Box<dyn Storage>>) -> Result<(), JournalError> + Send + 'static,
    ) -> Result<(), JournalError> {
        self.with(work).await.unwrap_or(Err(JournalError::Halted))
    }

    /// Does something with the journal, off the asynchronous threads. `None` only when the runtime is shut down: the task is not
    /// aborted otherwise, and does not panic.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Journal<Box<dyn Storage>>) -> T + Send + 'static,
    ) -> Option<T> {
        let journal = self.clone();
        let work = move || work(&mut journal.lock());
        // A task of its own in either case: it runs to its end.
        let done = match self.waits {
            true => tokio::task::spawn_blocking(work),
            false => tokio::spawn(async move { work() }),
        };
        done.await.ok()
    }
}
