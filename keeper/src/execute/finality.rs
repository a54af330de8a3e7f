//! What has landed is confirmed, which is not yet final: a fork that wins takes it back. Until it is final nothing that can wait is signed
//! for its subject unless it still stands, and what was taken back is settled anew, as the same bytes, which may land once more.

use std::{
    collections::BTreeMap,
    mem::discriminant,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ballast_client::{ChainError, Confirmation, MarketContext};
use ballast_strategy::decide::ActionKind;
use solana_sdk::pubkey::Pubkey;
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};
use tracing::Instrument;

use super::{Executor, Report, act::action_span};
use crate::{
    event::KeeperEvent,
    journal::{Confirmed, Intent, IntentId, JournalError, Outcome, OutcomeRecord, Record},
};

/// A block is final after some 13 seconds.
const FINAL_AFTER: Duration = Duration::from_secs(15);
/// Between two looks after that.
const AGAIN: Duration = Duration::from_secs(5);
/// What still stands after so long is taken for final, also of nodes that call nothing so.
const LONGEST: Duration = Duration::from_secs(120);

#[derive(Debug)]
struct Watched {
    confirmed: Confirmed,
    since: Instant,
    look_at: Instant,
    /// It is being settled anew: until that has come to an end it does not stand.
    settling: bool,
}

/// Everything that is not final, by the numbers of the intents.
#[derive(Debug, Default)]
pub(super) struct NotFinal {
    watched: Mutex<BTreeMap<IntentId, Watched>>,
    changed: Notify,
}

/// How something that was confirmed stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Final,
    Stands,
    /// No node shows it, or another block has it.
    Gone,
}

impl NotFinal {
    fn watched(&self) -> MutexGuard<'_, BTreeMap<IntentId, Watched>> {
        // Every change of it is whole.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches over it from a time on, if it is in a block, and else no longer.
    fn watch(&self, confirmed: Confirmed, look_at: Instant) {
        let id = confirmed.intent.id;
        if confirmed.outcome.slot() == 0 {
            return self.end(id);
        }
        let watched = Watched {
            confirmed,
            since: Instant::now(),
            look_at,
            settling: false,
        };
        self.watched().insert(id, watched);
        self.changed.notify_one();
    }

    /// The next to be looked at, and when.
    fn next(&self) -> Option<(Confirmed, Instant)> {
        let watched = self.watched();
        let all = watched.values().filter(|it| !it.settling);
        let next = all.min_by_key(|it| it.look_at);
        next.map(|it| (it.confirmed.clone(), it.look_at))
    }

    /// What was done to a subject, or what was merely shown of it.
    fn of(&self, subject: &Pubkey, kind: ActionKind) -> Vec<Confirmed> {
        let shows = |kind| kind == ActionKind::RefreshPrice;
        let watched = self.watched();
        let all = watched.values().map(|it| &it.confirmed);
        all.filter(|it| it.intent.position == *subject)
            .filter(|it| shows(it.intent.action) == shows(kind))
            .cloned()
            .collect()
    }

    fn look_at(&self, id: IntentId, at: Instant) {
        if let Some(watched) = self.watched().get_mut(&id) {
            watched.look_at = at;
        }
        self.changed.notify_one();
    }

    /// It stands: looked at again later, or no longer.
    fn stands(&self, id: IntentId) {
        let now = Instant::now();
        self.watched().retain(|of, watched| {
            if *of != id {
                return true;
            }
            watched.look_at = now + AGAIN;
            now.saturating_duration_since(watched.since) < LONGEST
        });
    }

    fn settles(&self, id: IntentId) {
        if let Some(watched) = self.watched().get_mut(&id) {
            watched.settling = true;
        }
    }

    fn end(&self, id: IntentId) {
        self.watched().remove(&id);
    }
}

impl Executor {
    /// Watches over what has just been confirmed.
    pub(super) fn watch_over(&self, intent: &Intent, outcome: &Outcome) {
        let (intent, outcome) = (intent.clone(), outcome.clone());
        let look_at = Instant::now() + FINAL_AFTER;
        self.not_final.watch(Confirmed { intent, outcome }, look_at);
    }

    /// Watches over what was confirmed in an earlier run, from now on.
    pub fn watch_again(&self, confirmed: Confirmed) {
        self.not_final.watch(confirmed, Instant::now());
    }

    async fn standing(&self, of: &Confirmed) -> Result<Standing, ChainError> {
        let (signature, slot) = (&of.intent.signature, of.outcome.slot());
        let status = self.chain.status(signature, true).await?;
        let status = status
            .filter(|status| status.slot == slot && status.confirmation >= Confirmation::Confirmed);
        if let Some(status) = status {
            return Ok(match status.confirmation {
                Confirmation::Finalized => Standing::Final,
                _ => Standing::Stands,
            });
        }
        // Nodes that say different things say nothing together: whoever has the transaction itself decides.
        let record = self.chain.transaction(signature).await?;
        Ok(match record {
            Some(record) if record.slot == slot => Standing::Stands,
            _ => Standing::Gone,
        })
    }

    /// Whether everything still stands that was done to a subject and is not final.
    pub(super) async fn all_stands(
        &self,
        subject: &Pubkey,
        kind: ActionKind,
    ) -> Result<bool, ChainError> {
        for confirmed in self.not_final.of(subject, kind) {
            if self.standing(&confirmed).await? == Standing::Gone {
                let id = confirmed.intent.id;
                self.not_final.look_at(id, Instant::now());
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The next that does not stand any more, as far as nodes say. It has to be settled anew.
    pub async fn next_taken_back(&self) -> Confirmed {
        loop {
            let changed = self.not_final.changed.notified();
            let Some((confirmed, look_at)) = self.not_final.next() else {
                changed.await;
                continue;
            };
            tokio::select! {
                biased;
                () = sleep_until(look_at) => {}
                () = changed => continue,
            }
            let id = confirmed.intent.id;
            match self.standing(&confirmed).await {
                Ok(Standing::Gone) => {
                    self.not_final.settles(id);
                    return confirmed;
                }
                Ok(Standing::Final) => self.not_final.end(id),
                Ok(Standing::Stands) => self.not_final.stands(id),
                Err(_) => self.not_final.look_at(id, Instant::now() + AGAIN),
            }
        }
    }

    /// Settles an intent anew that seems to have been taken back.
    pub async fn settle_again(
        &self,
        confirmed: Confirmed,
        market: Option<Arc<MarketContext>>,
    ) -> Report {
        let Confirmed { intent, outcome } = confirmed;
        let span = action_span(intent.position, intent.action);
        span.record("intent", intent.id.0);
        let settling = async {
            let settled = self.outcome_again(&intent, &outcome, market.is_some());
            let settled = settled.await;
            self.reported(&intent, market, settled).await
        };
        settling.instrument(span).await
    }

    /// The outcome now. One that differs is written down, and counts instead of the one before.
    async fn outcome_again(
        &self,
        intent: &Intent,
        before: &Outcome,
        sends: bool,
    ) -> Result<Outcome, JournalError> {
        let outcome = self.find_outcome(intent, sends).await?;
        let is_same =
            discriminant(&outcome) == discriminant(before) && outcome.slot() == before.slot();
        if !is_same {
            let journal = self.journal.as_ref().ok_or(JournalError::Halted)?;
            let record = OutcomeRecord {
                id: intent.id,
                outcome: outcome.clone(),
            };
            journal.write(Record::Outcome(record)).await?;
            let &Intent {
                position,
                action,
                signature,
                ..
            } = intent;
            self.warn(format!(
                "a fork took {action} of {position} back, which was in slot {} ({signature})",
                before.slot()
            ));
            self.events.send(KeeperEvent::Resolved {
                position,
                action,
                reason: intent.reason.clone(),
                signature,
                outcome: outcome.clone(),
            });
        }
        self.watch_over(intent, &outcome);
        Ok(outcome)
    }
}
