//! The SOL that the keeper pays its fees from.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::Executor;

/// How often it is looked at while the keeper runs.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// How often it is warned of while it stays low.
const WARN_EVERY: Duration = Duration::from_secs(3_600);

/// What was last seen.
#[derive(Debug, Default)]
pub(super) struct Balance(Mutex<Seen>);

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    lamports: Option<u64>,
    /// While it is low.
    warned: Option<Instant>,
}

impl Balance {
    /// Lamports when it was last looked at.
    pub fn lamports(&self) -> Option<u64> {
        self.seen().lamports
    }

    /// Notes what is there; whether to warn: always where that is `wanted`, else when it has just become low and then
    /// once an hour.
    fn note(&self, lamports: u64, least: u64, wanted: bool) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.lamports = Some(lamports);
        if lamports >= least {
            seen.warned = None;
            return false;
        }
        let now = Instant::now();
        let warns = wanted || seen.warned.is_none_or(|warned| now >= warned + WARN_EVERY);
        if warns {
            seen.warned = Some(now);
        }
        warns
    }

    fn seen(&self) -> Seen {
        // Replaced field by field, each whole.
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Executor {
    /// Warns if the keeper has too little to pay for many more actions.
    pub async fn check_balance(&self) {
        self.look_at_balance(true).await;
    }

    /// Looks at the balance now and then, for ever.
    pub async fn watch_balance(&self) {
        loop {
            sleep(LOOK_EVERY).await;
            self.look_at_balance(false).await;
        }
    }

    /// Lamports of the keeper when they were last looked at.
    pub fn lamports(&self) -> Option<u64> {
        self.balance.lamports()
    }

    /// A node that does not answer is no reason to warn.
    async fn look_at_balance(&self, wanted: bool) {
        let keeper = self.keeper();
        let Ok(account) = self.chain.account(&keeper).await else {
            return;
        };
        let lamports = account.map_or(0, |account| account.lamports);
        let least = self.config.fees.warn_below_lamports;
        if self.balance.note(lamports, least, wanted) {
            self.warn(format!(
                "keeper {keeper} has {lamports} lamports, less than fees.warn_below_lamports = {least}: without SOL it \
                 cannot act, send it some"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_warned_of_when_it_becomes_low_and_then_every_hour() {
        let balance = Balance::default();
        assert!(!balance.note(10, 10, false));
        assert!(balance.note(9, 10, false));
        assert!(!balance.note(8, 10, false));
        assert!(balance.note(8, 10, true));
        advance(WARN_EVERY).await;
        assert!(balance.note(8, 10, false));
        // Filled up and spent again.
        assert!(!balance.note(11, 10, true));
        assert!(balance.note(9, 10, false));
        assert_eq!(balance.lamports(), Some(9));
    }
}
