//! What is in a block that is not final, and when it is looked at next.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ballast_strategy::decide::ActionKind;
use solana_sdk::pubkey::Pubkey;
use tokio::{
    sync::{Notify, futures::Notified},
    time::Instant,
};

use crate::journal::{Confirmed, IntentId};

/// Between two looks at the same.
pub(super) const AGAIN: Duration = Duration::from_secs(5);
/// What stands after so long is taken for final, also of nodes that call nothing so. Nor does anything wait for longer.
pub(super) const LONGEST: Duration = Duration::from_secs(180);
/// So long it is looked at where nodes say nothing of it: something may be wrong in the journal that they can put right.
const LONGEST_UNHEARD: Duration = Duration::from_secs(1_800);

#[derive(Clone, Debug)]
pub(super) struct Watched {
    pub confirmed: Confirmed,
    pub look_at: Instant,
    /// Of an earlier run, and not looked at yet.
    pub earlier: bool,
    since: Instant,
    /// It is being settled anew: until that has come to an end it does not stand.
    settling: bool,
}

impl Watched {
    fn is_of(&self, subject: &Pubkey, kind: ActionKind) -> bool {
        let shows = |kind| kind == ActionKind::RefreshPrice;
        let intent = &self.confirmed.intent;
        intent.position == *subject && shows(intent.action) == shows(kind)
    }
}

/// Everything that is not final, by the numbers of the intents.
#[derive(Debug, Default)]
pub(super) struct NotFinal {
    watched: Mutex<BTreeMap<IntentId, Watched>>,
    changed: Notify,
}

impl NotFinal {
    fn watched(&self) -> MutexGuard<'_, BTreeMap<IntentId, Watched>> {
        // Every change of it is whole.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Completes when something else may be next.
    pub fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Watches over it from a time on, if it is in a block, and else no longer.
    pub fn watch(&self, confirmed: Confirmed, look_at: Instant, earlier: bool) {
        let id = confirmed.intent.id;
        if confirmed.outcome.slot() == 0 {
            return self.end(id);
        }
        let watched = Watched {
            confirmed,
            look_at,
            earlier,
            since: Instant::now(),
            settling: false,
        };
        self.watched().insert(id, watched);
        self.changed.notify_one();
    }

    /// The next to be looked at.
    pub fn next(&self) -> Option<Watched> {
        let watched = self.watched();
        let all = watched.values().filter(|it| !it.settling);
        all.min_by_key(|it| it.look_at).cloned()
    }

    /// What was done to a subject lately, or what was merely shown of it, and whether that is being settled anew.
    pub fn of(&self, subject: &Pubkey, kind: ActionKind) -> Vec<(Confirmed, bool)> {
        let watched = self.watched();
        let is_late = |it: &Watched| it.settling || it.since.elapsed() < LONGEST;
        let of = watched.values();
        let of = of.filter(|it| it.is_of(subject, kind) && is_late(it));
        of.map(|it| (it.confirmed.clone(), it.settling)).collect()
    }

    /// Whether something is being settled anew that was done to a subject, or was shown of it.
    pub fn is_settling(&self, subject: &Pubkey, kind: ActionKind) -> bool {
        let watched = self.watched();
        watched
            .values()
            .any(|it| it.settling && it.is_of(subject, kind))
    }

    pub fn look_now(&self, id: IntentId) {
        if let Some(watched) = self.watched().get_mut(&id) {
            watched.look_at = Instant::now();
        }
        self.changed.notify_one();
    }

    /// Nothing has overturned it: looked at again later, or, after long enough, no longer. Whether anything was heard of it.
    pub fn goes_on(&self, id: IntentId, heard: bool) {
        let now = Instant::now();
        let longest = if heard { LONGEST } else { LONGEST_UNHEARD };
        self.watched().retain(|of, watched| {
            if *of != id {
                return true;
            }
            watched.look_at = now + AGAIN;
            (watched.settling, watched.earlier) = (false, false);
            now.saturating_duration_since(watched.since) < longest
        });
        self.changed.notify_one();
    }

    pub fn settles(&self, id: IntentId) {
        if let Some(watched) = self.watched().get_mut(&id) {
            watched.settling = true;
        }
    }

    pub fn end(&self, id: IntentId) {
        self.watched().remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::journal::{Outcome, tests::intent};

    fn landed(id: u64, slot: u64) -> Confirmed {
        Confirmed {
            intent: intent(id),
            outcome: Outcome::Landed { slot },
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_nothing_overturns_is_watched_no_longer_than_the_longest_however_often_it_is_settled()
     {
        for (heard, longest) in [(true, LONGEST), (false, LONGEST_UNHEARD)] {
            watched_for(heard, longest).await;
        }
    }

    async fn watched_for(heard: bool, longest: Duration) {
        let all = NotFinal::default();
        let (id, began) = (IntentId(1), Instant::now());
        all.watch(landed(1, 7), began, true);
        assert!(all.next().unwrap().earlier);
        let mut looks = 0;
        while let Some(next) = all.next() {
            advance(next.look_at.saturating_duration_since(Instant::now())).await;
            // As if it were settled anew each time, and were the same.
            all.settles(id);
            assert!(all.next().is_none());
            all.goes_on(id, heard);
            looks += 1;
            // Nothing waits for it any longer.
            let held = !all.of(&intent(1).position, ActionKind::Rehedge).is_empty();
            assert_eq!(held, began.elapsed() < LONGEST);
        }
        assert_eq!(began.elapsed(), longest);
        assert_eq!(looks, longest.as_secs() / AGAIN.as_secs() + 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_in_no_block_any_more_is_not_watched() {
        let all = NotFinal::default();
        all.watch(landed(1, 7), Instant::now(), false);
        let subject = intent(1).position;
        let of = |kind| all.of(&subject, kind).len();
        assert_eq!(
            (of(ActionKind::Compound), of(ActionKind::RefreshPrice)),
            (1, 0)
        );
        all.watch(landed(1, 0), Instant::now(), false);
        assert!(all.next().is_none());
    }
}
