//! What has landed is confirmed, which is not yet final: a fork that wins takes it back. Until it is final nothing that can wait is signed
//! for its subject unless it still stands, and what was taken back is settled anew, as the same bytes, which may land once more.
//!
//! A known outcome is overturned by those only who keep the blocks of its time: who does not know those knows nothing of it.

use std::{mem::discriminant, sync::Arc, time::Duration};

use ballast_client::{ChainError, MarketContext, Standing};
use ballast_strategy::decide::ActionKind;
use solana_sdk::pubkey::Pubkey;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::Instrument;

use super::{
    Executor, Fresh,
    act::action_span,
    not_final::{AGAIN, LONGEST},
};
use crate::journal::{Confirmed, Intent, JournalError, Outcome};

/// A block is final after some 13 seconds.
const FINAL_AFTER: Duration = Duration::from_secs(15);
/// Blocks after the last in which it could land, some seven minutes, from which on an earlier run's is not looked at any more.
const LONG_AGO_BLOCKS: u64 = 1_000;

/// What came of settling anew what a fork seemed to have taken back.
#[derive(Debug)]
pub struct SettledAgain {
    /// What it was.
    pub intent: Intent,
    /// What has become of it now; `None`: it is as it was.
    pub outcome: Result<Option<Outcome>, JournalError>,
    /// Newest accounts, for the book.
    pub fresh: Option<Fresh>,
}

impl Executor {
    /// Watches over what has just been confirmed.
    pub(super) fn watch_over(&self, intent: &Intent, outcome: &Outcome) {
        let (intent, outcome) = (intent.clone(), outcome.clone());
        let look_at = Instant::now() + FINAL_AFTER;
        self.not_final
            .watch(Confirmed { intent, outcome }, look_at, false);
    }

    /// Watches over what was confirmed in an earlier run, from now on.
    pub fn watch_again(&self, confirmed: Confirmed) {
        self.not_final.watch(confirmed, Instant::now(), true);
    }

    /// Whether something that was done to a subject, or was shown of it, is being settled anew.
    pub fn is_settled_anew(&self, subject: &Pubkey, kind: ActionKind) -> bool {
        self.not_final.is_settling(subject, kind)
    }

    async fn standing(&self, of: &Confirmed) -> Result<Standing, ChainError> {
        let signature = &of.intent.signature;
        self.chain.standing(signature, of.outcome.slot()).await
    }

    /// Whether everything is known to stand that was done to a subject and is not final.
    pub(super) async fn all_stands(
        &self,
        subject: &Pubkey,
        kind: ActionKind,
    ) -> Result<bool, ChainError> {
        for (confirmed, settling) in self.not_final.of(subject, kind) {
            if settling {
                return Ok(false);
            }
            match self.standing(&confirmed).await? {
                Standing::Final | Standing::Stands => {}
                Standing::Gone | Standing::Unknown => {
                    self.not_final.look_now(confirmed.intent.id);
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// The next that does not stand any more, as those say who would know. It has to be settled anew.
    pub async fn next_taken_back(&self) -> Confirmed {
        loop {
            let changed = self.not_final.changed();
            let Some(next) = self.not_final.next() else {
                changed.await;
                continue;
            };
            tokio::select! {
                biased;
                () = sleep_until(next.look_at) => {}
                () = changed => continue,
            }
            let id = next.confirmed.intent.id;
            let is_old = match next.earlier {
                true => self.is_long_ago(&next.confirmed.intent).await,
                false => Ok(false),
            };
            let standing = match is_old {
                // Whatever is said of it now.
                Ok(true) => Ok(Standing::Final),
                Ok(false) => self.standing(&next.confirmed).await,
                Err(error) => Err(error),
            };
            match standing {
                Ok(Standing::Gone) => {
                    self.not_final.settles(id);
                    return next.confirmed;
                }
                Ok(Standing::Final) => self.not_final.end(id),
                Ok(Standing::Stands) => self.not_final.goes_on(id, true),
                Ok(Standing::Unknown) | Err(_) => self.not_final.goes_on(id, false),
            }
        }
    }

    async fn is_long_ago(&self, intent: &Intent) -> Result<bool, ChainError> {
        let height = self.chain.block_height().await?;
        let last = intent.last_valid_block_height;
        Ok(height > last.saturating_add(LONG_AGO_BLOCKS))
    }

    /// Settles an intent anew that seems to have been taken back.
    pub async fn settle_again(
        &self,
        confirmed: Confirmed,
        market: Option<Arc<MarketContext>>,
    ) -> SettledAgain {
        let span = action_span(confirmed.intent.position, confirmed.intent.action);
        span.record("intent", confirmed.intent.id.0);
        let settling = async {
            let outcome = self.outcome_again(&confirmed, market.is_some()).await;
            let position = confirmed.intent.position;
            let fresh = match (&outcome, &market) {
                (Ok(Some(outcome)), Some(market)) => {
                    self.look_after(market, position, outcome).await
                }
                _ => None,
            };
            SettledAgain {
                intent: confirmed.intent,
                outcome,
                fresh,
            }
        };
        settling.instrument(span).await
    }

    /// What it has become, if that is something else. That is written down, and counts instead of the outcome before.
    async fn outcome_again(
        &self,
        confirmed: &Confirmed,
        sends: bool,
    ) -> Result<Option<Outcome>, JournalError> {
        let journal = self.journal.as_ref().ok_or(JournalError::Halted)?;
        let intent = &confirmed.intent;
        let &Intent {
            id,
            position,
            action,
            signature,
            ..
        } = intent;
        journal.reopen(intent);
        let Some(outcome) = self.find_again(confirmed, sends).await? else {
            journal.close(id);
            self.not_final.goes_on(id, false);
            return Ok(None);
        };
        self.conclude(journal, intent, &outcome).await?;
        let now = match outcome.slot() {
            0 => "it can land no more".to_owned(),
            slot => format!("now it is in slot {slot}"),
        };
        let slot = confirmed.outcome.slot();
        self.warn(format!(
            "a fork took {action} of {position} back, which was in slot {slot} ({signature}): {now}"
        ));
        Ok(Some(outcome))
    }

    /// `None`: its outcome is the one before.
    async fn find_again(
        &self,
        confirmed: &Confirmed,
        sends: bool,
    ) -> Result<Option<Outcome>, JournalError> {
        let Confirmed { intent, outcome } = confirmed;
        let found = self.find_outcome(intent, sends).await?;
        if found.slot() > 0 {
            let is_same =
                discriminant(&found) == discriminant(outcome) && found.slot() == outcome.slot();
            return Ok((!is_same).then_some(found));
        }
        // Whoever does not keep the blocks of its time says of everything that it can land no more.
        let found_at = Instant::now();
        while found_at.elapsed() < LONGEST {
            match self.standing(confirmed).await {
                Ok(Standing::Gone) => return Ok(Some(found)),
                Ok(Standing::Final | Standing::Stands) => return Ok(None),
                Ok(Standing::Unknown) | Err(_) => sleep(AGAIN).await,
            }
        }
        Ok(None)
    }
}
