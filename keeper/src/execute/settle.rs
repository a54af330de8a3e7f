//! From a signed transaction to a certain outcome.

use ballast_client::{BallastError, EXPIRY_MARGIN, Expiry, Failure, Outcome as Sent, Prepared};
use tokio::time::sleep;

use super::Executor;
use crate::{
    control::{Control, Permission},
    event::KeeperEvent,
    journal::{Intent, JournalError, Outcome, OutcomeRecord, Record, SharedJournal},
};

impl Executor {
    /// Finds the outcome of a journaled intent and writes it down.
    pub(super) async fn settle(
        &self,
        intent: &Intent,
        sends: bool,
        resumed: bool,
    ) -> Result<Outcome, JournalError> {
        let journal = self.journal.as_ref().ok_or(JournalError::Halted)?;
        let &Intent {
            position,
            action,
            signature,
            attempt,
            ..
        } = intent;
        if sends {
            self.events.send(KeeperEvent::Sent {
                position,
                action,
                signature,
                attempt,
                resumed,
            });
        }
        let outcome = self.find_outcome(intent, sends).await?;
        self.conclude(journal, intent, &outcome).await?;
        Ok(outcome)
    }

    /// Writes an outcome down, the first one or another, and tells it.
    pub(super) async fn conclude(
        &self,
        journal: &SharedJournal,
        intent: &Intent,
        outcome: &Outcome,
    ) -> Result<(), JournalError> {
        journal
            .write(Record::Outcome(OutcomeRecord {
                id: intent.id,
                outcome: outcome.clone(),
            }))
            .await?;
        self.watch_over(intent, outcome);
        self.events.send(KeeperEvent::Resolved {
            position: intent.position,
            action: intent.action,
            reason: intent.reason.clone(),
            signature: intent.signature,
            outcome: outcome.clone(),
        });
        self.has_ended(intent, outcome).await;
        Ok(())
    }

    /// Tells other keepers what became of it, and counts no money for what is in no block.
    async fn has_ended(&self, intent: &Intent, outcome: &Outcome) {
        let (position, action) = (&intent.position, intent.action);
        self.shards
            .ended(position, action, &intent.signature, Some(outcome))
            .await;
        if matches!(outcome, Outcome::Expired { .. } | Outcome::Dropped { .. }) {
            self.spent_nothing(intent.id);
            self.check_balance().await;
        }
    }

    /// Sends the intent's bytes again and again (or only looks, for as long as it must not send) until they are in a block or can
    /// never be. Trouble with the node is waited out: giving up would mean not knowing.
    pub(super) async fn find_outcome(
        &self,
        intent: &Intent,
        sends: bool,
    ) -> Result<Outcome, JournalError> {
        let prepared = Prepared::from_bytes(&intent.transaction, intent.last_valid_block_height);
        let prepared = prepared.map_err(|error| JournalError::BadIntent {
            id: intent.id.0,
            reason: error.to_string(),
        })?;
        let mut refusal = None;
        loop {
            // Whoever holds the lease now: these bytes cannot land after the one that they were signed under.
            let permission =
                |control: &Control| control.permission(&intent.position, intent.action);
            let may_send = || sends && permission(&self.control) == Permission::Send;
            let found = if may_send() {
                Some(self.sender.deliver_while(&prepared, may_send).await)
            } else {
                self.look_up(&prepared).await
            };
            match found {
                Some(Sent::Landed { slot }) => return Ok(Outcome::Landed { slot }),
                Some(Sent::Failed { slot, failure }) => return Ok(failed(slot, &failure)),
                Some(Sent::Expired) => return Ok(self.after_expiry(&prepared, refusal).await),
                Some(Sent::Dropped { last_error }) => {
                    refusal = last_error.map(|error| error.to_string());
                    let why = refusal.as_deref().unwrap_or("no node has seen it");
                    self.warn(format!(
                        "transaction {} is neither landed nor expired: {why}",
                        prepared.signature()
                    ));
                }
                None => sleep(self.config.timing.poll_interval).await,
            }
        }
    }

    async fn look_up(&self, prepared: &Prepared) -> Option<Sent> {
        match self.sender.look_up(prepared).await {
            Ok(found) => found,
            Err(error) => {
                self.warn(format!("transaction {}: {error}", prepared.signature()));
                None
            }
        }
    }

    /// Waits until lagging nodes have passed the last valid height too, and looks once more.
    async fn after_expiry(&self, prepared: &Prepared, refusal: Option<String>) -> Outcome {
        let certain = prepared
            .last_valid_block_height()
            .saturating_add(EXPIRY_MARGIN);
        let signature = prepared.signature();
        loop {
            sleep(self.config.timing.poll_interval).await;
            let block_height = match self.chain.expiry(&signature, certain).await {
                Ok(Expiry::Expired { block_height }) => block_height,
                Ok(Expiry::Landed(status)) => {
                    return match self.sender.outcome(prepared, status).await {
                        Sent::Failed { slot, failure } => failed(slot, &failure),
                        Sent::Landed { slot } => Outcome::Landed { slot },
                        // What is in a block is neither.
                        Sent::Expired | Sent::Dropped { .. } => continue,
                    };
                }
                Ok(Expiry::NotYet | Expiry::Unconfirmed) | Err(_) => continue,
            };
            return match refusal {
                Some(error) => Outcome::Dropped {
                    block_height,
                    error,
                },
                None => Outcome::Expired { block_height },
            };
        }
    }

    pub(super) fn warn(&self, message: String) {
        self.events.send(KeeperEvent::Warning { message });
    }
}

/// A failure on chain, by whether somebody else has made the action unnecessary.
pub(super) fn failed(slot: u64, failure: &Failure) -> Outcome {
    let error = failure.to_string();
    let raced = [
        BallastError::RehedgeNotDue,
        BallastError::TooSoon,
        BallastError::DeleverageNotDue,
        BallastError::NotLiquidatable,
        BallastError::RecenterNotDue,
        BallastError::ExitNotDue,
        BallastError::CompoundNotDue,
        BallastError::NoLiquidity,
    ];
    if raced.into_iter().any(|not_due| failure.is(not_due)) {
        Outcome::Raced { slot, error }
    } else {
        Outcome::Failed { slot, error }
    }
}
