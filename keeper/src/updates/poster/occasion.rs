//! For what prices are posted: who may send, what is counted, and who goes first.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use ballast_client::Signature;
use tokio::sync::watch;

use super::{PostError, Posted};
use crate::journal::{JournalError, PostingOutcome};

/// Why what can wait ends.
pub(super) const GOES_FIRST: &str = "something urgent goes first";

/// Who posts, and what that is allowed.
#[async_trait]
pub trait Occasion: Sync {
    /// Whether it cannot wait: others then break off between two transactions.
    fn is_urgent(&self) -> bool;
    /// Whether something may be sent now.
    fn may_send(&self) -> bool;
    /// Something is sent now.
    fn sent(&self) {}
    /// Counts what the posting may cost, with the rent of accounts that it makes, and writes it down. Nothing is sent before.
    ///
    /// # Errors
    /// [`PostError::Spent`]: there is no money for it. [`PostError::Journal`].
    async fn begin(&self, rent_lamports: u64) -> Result<(), PostError>;
    /// Writes down what became of it, and what was sent.
    ///
    /// # Errors
    /// [`JournalError`].
    async fn end(&self, outcome: PostingOutcome, sent: &[Signature]) -> Result<(), JournalError>;
}

/// An occasion, and what was sent.
pub(super) struct Permit<'a> {
    occasion: &'a dyn Occasion,
    /// How many urgent ones wait for their turn.
    urgent: &'a watch::Sender<usize>,
    /// Signatures, in their order.
    sent: Mutex<Vec<Signature>>,
}

impl<'a> Permit<'a> {
    pub fn new(occasion: &'a dyn Occasion, urgent: &'a watch::Sender<usize>) -> Self {
        Self {
            occasion,
            urgent,
            sent: Mutex::default(),
        }
    }

    fn sent(&self) -> MutexGuard<'_, Vec<Signature>> {
        // Every change of it is a single insertion.
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asked before every time that bytes are sent.
    pub fn may_send(&self, signature: Signature) -> bool {
        let may = self.occasion.may_send();
        if may {
            let mut sent = self.sent();
            if sent.last() != Some(&signature) {
                sent.push(signature);
            }
            self.occasion.sent();
        }
        may
    }

    /// Tells the occasion how the posting ended.
    pub async fn end(&self, posted: &Result<Posted, PostError>) -> Result<(), JournalError> {
        let sent = self.sent().clone();
        let outcome = match posted {
            Ok(posted) => PostingOutcome::Landed { slot: posted.slot },
            Err(error) => {
                let error = error.to_string();
                match sent.is_empty() {
                    true => PostingOutcome::NotSent { error },
                    false => PostingOutcome::BrokenOff { error },
                }
            }
        };
        self.occasion.end(outcome, &sent).await
    }

    /// Why no further transaction is begun.
    pub fn obstacle(&self) -> Option<&'static str> {
        if !self.occasion.may_send() {
            return Some("the keeper may not send now");
        }
        let stands_back = !self.occasion.is_urgent() && *self.urgent.borrow() > 0;
        stands_back.then_some(GOES_FIRST)
    }

    /// Ends when something urgent waits for this to end.
    pub async fn gives_way(&self) {
        let mut urgent = self.urgent.subscribe();
        // Never, where this cannot wait either: the other has its turn afterwards.
        let waits = !self.occasion.is_urgent() && urgent.wait_for(|count| *count > 0).await.is_ok();
        if !waits {
            std::future::pending::<()>().await;
        }
    }
}

/// Counts who waits, for as long as it does.
pub(super) struct Waiting<'a>(&'a watch::Sender<usize>);

impl<'a> Waiting<'a> {
    pub fn new(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed {
        urgent: bool,
        may_send: bool,
    }

    #[async_trait]
    impl Occasion for Fixed {
        fn is_urgent(&self) -> bool {
            self.urgent
        }
        fn may_send(&self) -> bool {
            self.may_send
        }
        async fn begin(&self, _: u64) -> Result<(), PostError> {
            Ok(())
        }
        async fn end(&self, _: PostingOutcome, _: &[Signature]) -> Result<(), JournalError> {
            Ok(())
        }
    }

    #[test]
    fn what_can_wait_breaks_off_for_what_cannot_and_nobody_sends_who_may_not() {
        let waiting = watch::Sender::new(0);
        let goes_on = |urgent, may_send| {
            let occasion = Fixed { urgent, may_send };
            Permit::new(&occasion, &waiting).obstacle().is_none()
        };
        assert!(goes_on(false, true) && goes_on(true, true));
        assert!(!goes_on(false, false) && !goes_on(true, false));
        let one = Waiting::new(&waiting);
        assert!(!goes_on(false, true) && goes_on(true, true));
        drop(one);
        assert!(goes_on(false, true));
    }
}
