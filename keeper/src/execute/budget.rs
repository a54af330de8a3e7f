//! What the keeper may spend on transactions in an hour: a fault or an attack that makes it send again and again empties no wallet.
//!
//! Counted is what a transaction or a posting costs at most, from the moment it is journaled: signatures, priority fee, tip, and the rent of
//! the price accounts that a posting makes. What turns out never to have landed, or not to have been sent, is given back. A restart goes on
//! from what the journal says. A part is kept for what moves a position away from its loss, so that the rest cannot use it up.

use std::{collections::VecDeque, sync::PoisonError};

use ballast_strategy::decide::ActionKind;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Executor;
use crate::{
    config::{Fees, SIGNATURE_LAMPORTS},
    journal::{Intent, IntentId, Outcome, PostingOutcome, Record},
};

const HOUR_SECS: i64 = 3_600;
/// Transactions of a posting, each with two signatures.
const POSTING_SIGNATURES: u64 = 6;

/// The hour's money is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "{action} would cost up to {needed} lamports and {left} are left of what may be spent in an hour; see \
     fees.max_lamports_per_hour, or wait {wait_secs} s"
)]
pub struct Spent {
    /// What for.
    action: ActionKind,
    /// What it may cost.
    needed: u64,
    /// What is left for it.
    left: u64,
    /// When something comes free.
    wait_secs: i64,
}

/// What was spent lately, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spending(VecDeque<Expense>);

/// For an intent, or for a posting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Expense {
    id: IntentId,
    secs: i64,
    lamports: u64,
}

/// Most that an intent's transaction costs.
fn lamports_up(intent: &Intent) -> u64 {
    fee_lamports_up(1, intent.compute_units, intent.micro_lamports)
        .saturating_add(intent.tip_lamports)
}

fn fee_lamports_up(signatures: u64, compute_units: u32, micro_lamports: u64) -> u64 {
    let priority = (u128::from(compute_units) * u128::from(micro_lamports)).div_ceil(1_000_000);
    u64::try_from(priority)
        .unwrap_or(u64::MAX)
        .saturating_add(signatures.saturating_mul(SIGNATURE_LAMPORTS))
}

/// Most that a posting's transactions cost, the rent of accounts apart.
pub(super) fn posting_lamports_up(compute_units: u32, micro_lamports: u64) -> u64 {
    fee_lamports_up(POSTING_SIGNATURES, compute_units, micro_lamports)
}

/// Whether the reserve is for it: what takes debt or exposure away from a position that may lose by waiting.
pub(super) fn is_reserved_for(action: ActionKind) -> bool {
    action >= ActionKind::Exit
}

impl Spending {
    /// Takes a journaled record in.
    pub fn fold(&mut self, record: &Record) {
        match record {
            Record::Intent(intent) => {
                let secs = intent.inputs.now_secs;
                self.forget(secs);
                self.add(intent.id, secs, lamports_up(intent));
            }
            Record::Outcome(outcome) => self.settle(outcome.id, &outcome.outcome),
            Record::Posting(posting) => {
                self.forget(posting.now_secs);
                self.add(posting.id, posting.now_secs, posting.max_lamports);
            }
            Record::Posted(posted) => {
                if matches!(posted.outcome, PostingOutcome::NotSent { .. }) {
                    self.give_back(posted.id);
                }
            }
            Record::Header(_) | Record::Paper(_) | Record::Override(_) => {}
        }
    }

    /// Whether nothing was spent lately.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, id: IntentId, secs: i64, lamports: u64) {
        self.0.push_back(Expense { id, secs, lamports });
    }

    fn give_back(&mut self, id: IntentId) {
        self.0.retain(|expense| expense.id != id);
    }

    /// What never landed cost nothing.
    fn settle(&mut self, id: IntentId, outcome: &Outcome) {
        if matches!(outcome, Outcome::Expired { .. } | Outcome::Dropped { .. }) {
            self.give_back(id);
        }
    }

    /// Forgets what is older than an hour. A clock that was put back keeps nothing longer than that.
    fn forget(&mut self, now_secs: i64) {
        for expense in &mut self.0 {
            expense.secs = expense.secs.min(now_secs);
        }
        self.0
            .retain(|expense| now_secs.saturating_sub(expense.secs) < HOUR_SECS);
    }

    pub(crate) fn total(&self) -> u64 {
        let all = self.0.iter().map(|expense| expense.lamports);
        all.fold(0, u64::saturating_add)
    }

    /// Counts an expense, if there is still money for it.
    fn spend(
        &mut self,
        fees: &Fees,
        action: ActionKind,
        id: IntentId,
        needed: u64,
        now_secs: i64,
    ) -> Result<(), Spent> {
        self.forget(now_secs);
        let reserved = if is_reserved_for(action) {
            0
        } else {
            fees.reserved_lamports_per_hour
        };
        let most = fees.max_lamports_per_hour.saturating_sub(reserved);
        let left = most.saturating_sub(self.total());
        if needed > left {
            let oldest = self.0.iter().map(|expense| expense.secs).min();
            return Err(Spent {
                action,
                needed,
                left,
                wait_secs: oldest.map_or(HOUR_SECS, |secs| secs + HOUR_SECS - now_secs),
            });
        }
        self.add(id, now_secs, needed);
        Ok(())
    }
}

impl Executor {
    /// Goes on from what an earlier run spent.
    #[must_use]
    pub fn with_spending(self, spending: Spending) -> Self {
        *self.spending() = spending;
        self
    }

    fn spending(&self) -> std::sync::MutexGuard<'_, Spending> {
        // Every change is whole.
        self.spending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what an intent may cost, before it is journaled.
    pub(super) fn spend(&self, intent: &Intent) -> Result<(), Spent> {
        let (fees, now_secs) = (&self.config.fees, self.control.now_secs());
        let (id, needed) = (intent.id, lamports_up(intent));
        self.spending()
            .spend(fees, intent.action, id, needed, now_secs)
    }

    /// Counts what posting a price for that may cost, before it is journaled.
    pub(super) fn spend_on_posting(
        &self,
        posting: IntentId,
        action: ActionKind,
        needed: u64,
    ) -> Result<(), Spent> {
        let (fees, now_secs) = (&self.config.fees, self.control.now_secs());
        self.spending()
            .spend(fees, action, posting, needed, now_secs)
    }

    /// The intent was not journaled, or never landed; of the posting nothing was sent.
    pub(super) fn spent_nothing(&self, id: IntentId) {
        self.spending().give_back(id);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::journal::{IntentId, OutcomeRecord, tests::intent};

    const ID: IntentId = IntentId(0);
    const FEES: Fees = Fees {
        min_micro_lamports: 0,
        max_micro_lamports: 0,
        max_lamports_per_action: 0,
        max_lamports_per_hour: 100,
        reserved_lamports_per_hour: 40,
        warn_below_lamports: 0,
        relaxed_distance_bps: 0,
        urgent_distance_bps: 0,
        relaxed_secs: 0,
        urgent_secs: 0,
        max_stake_bps: 0,
    };

    fn spend(spending: &mut Spending, action: ActionKind, needed: u64, now_secs: i64) -> bool {
        spending.spend(&FEES, action, ID, needed, now_secs).is_ok()
    }

    #[test]
    fn the_reserve_is_for_what_moves_a_position_away_from_loss() {
        use ActionKind::{
            Compound, Deleverage, DeleverageSwap, Exit, Liquidate, Recenter, RefreshPrice,
            RefreshStage, Rehedge,
        };
        for action in [Compound, Recenter, Rehedge, RefreshPrice, RefreshStage] {
            let mut spending = Spending::default();
            assert!(spend(&mut spending, action, 60, 0));
            assert!(!spend(&mut spending, action, 1, 0));
            for urgent in [Exit, Deleverage, DeleverageSwap, Liquidate] {
                let mut spending = spending.clone();
                assert!(spend(&mut spending, urgent, 40, 0));
                assert!(!spend(&mut spending, urgent, 1, 0));
            }
        }
    }

    #[test]
    fn an_hour_later_it_is_free_again_and_who_is_refused_is_told_when() {
        let mut spending = Spending::default();
        assert!(spend(&mut spending, ActionKind::Rehedge, 50, 1_000));
        let refused = spending.spend(&FEES, ActionKind::Rehedge, ID, 20, 2_000);
        let refused = refused.unwrap_err();
        assert_eq!((refused.left, refused.wait_secs), (10, 2_600));
        assert!(refused.to_string().contains("fees.max_lamports_per_hour"));
        assert!(!spend(&mut spending, ActionKind::Rehedge, 20, 4_599));
        assert!(spend(&mut spending, ActionKind::Rehedge, 20, 4_600));
    }

    #[test]
    fn a_clock_that_was_put_back_keeps_it_no_longer_than_an_hour() {
        let mut spending = Spending::default();
        assert!(spend(&mut spending, ActionKind::Rehedge, 60, 1_000_000));
        assert!(!spend(&mut spending, ActionKind::Rehedge, 60, 0));
        assert!(!spend(&mut spending, ActionKind::Rehedge, 60, 3_599));
        assert!(spend(&mut spending, ActionKind::Rehedge, 60, 3_600));
    }

    fn record(id: u64, now_secs: i64) -> Record {
        let mut intent = intent(id);
        intent.inputs.now_secs = now_secs;
        (intent.compute_units, intent.micro_lamports) = (300_000, 7);
        Record::Intent(Box::new(intent))
    }

    fn outcome(id: u64, outcome: Outcome) -> Record {
        Record::Outcome(OutcomeRecord {
            id: IntentId(id),
            outcome,
        })
    }

    #[test]
    fn a_tip_is_counted_as_well() {
        let Record::Intent(mut intent) = record(1, 1_000) else {
            panic!("no intent");
        };
        intent.tip_lamports = 7_000;
        let mut spending = Spending::default();
        spending.fold(&Record::Intent(intent));
        assert_eq!(spending.total(), 12_003);
    }

    #[test]
    fn an_earlier_run_is_counted_and_what_never_landed_is_not() {
        let mut spending = Spending::default();
        spending.fold(&record(1, 1_000));
        // 300,000 units at 7 millionths are 2.1 lamports.
        assert_eq!(spending.total(), 5_003);
        spending.fold(&record(2, 1_500));
        spending.fold(&record(3, 2_000));
        spending.fold(&outcome(2, Outcome::Expired { block_height: 9 }));
        spending.fold(&outcome(3, Outcome::Landed { slot: 9 }));
        assert_eq!(spending.total(), 2 * 5_003);
        spending.fold(&record(4, 4_600));
        assert_eq!(spending.total(), 2 * 5_003);
        let failed = Outcome::Failed {
            slot: 9,
            error: "it did".into(),
        };
        // What failed on chain was paid for.
        spending.fold(&outcome(4, failed));
        assert_eq!(spending.total(), 2 * 5_003);
    }

    proptest! {
        #[test]
        fn in_no_hour_more_is_spent(
            steps in proptest::collection::vec((0i64..2_000, 0u64..80, 0usize..9), 1..60),
        ) {
            let mut spending = Spending::default();
            let (mut now, mut spent) = (0, Vec::new());
            for (pause, needed, kind) in steps {
                now += pause;
                let action = ActionKind::ALL[kind];
                if spend(&mut spending, action, needed, now) {
                    spent.push((now, needed, is_reserved_for(action)));
                }
                let hour = spent.iter().filter(|(secs, ..)| now - secs < HOUR_SECS);
                let total: u64 = hour.clone().map(|(_, lamports, _)| lamports).sum();
                prop_assert!(total <= 100);
                let plain: u64 = hour.filter(|(.., urgent)| !urgent).map(|(_, lamports, _)| lamports).sum();
                prop_assert!(plain <= 60);
            }
        }
    }
}
