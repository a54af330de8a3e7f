//! Nothing is done on accounts that one node says are so while another says that they are not.
//!
//! Where no other node answers, the one that does is believed, as where only one is configured. What protects somebody waits for
//! [`NodesConfig::alone_after`](ballast_client::NodesConfig) at most: the program refuses what is not due, and a position that nobody protects
//! because somebody lies is what a liar would want. It is simulated then, however urgent it is.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use ballast_client::{Agreement, Claim, Claimed, Difference};
use ballast_strategy::decide::ActionKind;
use solana_sdk::pubkey::Pubkey;
use thiserror::Error;
use tokio::time::Instant;

use super::{Executor, Job, View};

/// How many of a snapshot's accounts are compared: all but the cluster's clock, which comes last.
const COMPARED: usize = 6;

/// Why nothing is done.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unbacked {
    /// A node says something else.
    #[error(
        "nodes say different things of account {0}: nothing is done on it while they do. Compare them, and take the bad one out of rpc_url or \
         nodes.more_rpc_urls"
    )]
    Disputed(Difference),
    /// The one that was asked is the odd one out.
    #[error("account {0} is not what two other nodes say: those are asked first from now on")]
    Outvoted(Difference),
    /// It is not known yet whether another one lags or says something else.
    #[error(
        "account {0} is another one by another node, which may lag: it is looked at again in a moment"
    )]
    Unsettled(Difference),
}

/// How far accounts can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backing {
    /// Act.
    Sure,
    /// Act only if a simulation succeeds.
    Unsure,
    /// They are others by now.
    Changed,
}

/// Since when nodes say different things of a position.
#[derive(Debug, Default)]
pub(super) struct Disputes(Mutex<HashMap<Pubkey, Dispute>>);

#[derive(Clone, Copy, Debug)]
struct Dispute {
    since: Instant,
    last: Instant,
}

/// A dispute that nobody has looked at for so long is another one.
const ANOTHER: Duration = Duration::from_secs(30);

impl Disputes {
    /// There is one; how long it has lasted.
    fn lasts(&self, subject: Pubkey, now: Instant) -> Duration {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, dispute| now.duration_since(dispute.last) < ANOTHER);
        let dispute = all.entry(subject).or_insert(Dispute {
            since: now,
            last: now,
        });
        dispute.last = now;
        now.duration_since(dispute.since)
    }

    fn end(&self, subject: &Pubkey) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(subject);
    }
}

/// What follows from what nodes say, for something that has been disputed for so long.
fn backing(
    agreement: Agreement,
    action: ActionKind,
    disputed: impl FnOnce() -> Duration,
    bound: Duration,
) -> Result<Backing, Unbacked> {
    let protects = action.protects();
    match agreement {
        Agreement::Backed | Agreement::Alone => Ok(Backing::Sure),
        // The program looks once more.
        Agreement::Changed | Agreement::Unsettled(_) if protects => Ok(Backing::Unsure),
        Agreement::Changed => Ok(Backing::Changed),
        Agreement::Unsettled(difference) => Err(Unbacked::Unsettled(difference)),
        Agreement::Outvoted(difference) => Err(Unbacked::Outvoted(difference)),
        Agreement::Disputed(difference) => match disputed() >= bound && protects {
            true => Ok(Backing::Unsure),
            false => Err(Unbacked::Disputed(difference)),
        },
    }
}

impl Executor {
    /// Whether other nodes say the same of what was looked at.
    pub(super) async fn backing(&self, job: &Job, view: &View) -> Result<Backing, Unbacked> {
        let agreement = self.chain.agreement(&claim(job, view)).await;
        if !matches!(agreement, Agreement::Disputed(_)) {
            self.disputes.end(&job.position);
        }
        let disputed = || self.disputes.lasts(job.position, Instant::now());
        let bound = self.config.nodes.asked.alone_after;
        backing(agreement, job.action, disputed, bound)
    }
}

/// The position, or the market where there is none, and what may change with every slot: the market's other accounts.
fn claim(job: &Job, view: &View) -> Claim {
    let addresses = job.market.snapshot_addresses();
    let of_market = addresses.into_iter().zip(&view.fresh.market.accounts);
    let has_position = view.position.is_some();
    let of_market = of_market.take(COMPARED).map(|(address, account)| Claimed {
        address,
        account: account.clone(),
        moves: has_position || address != job.market.address,
    });
    let position = has_position.then(|| Claimed {
        address: job.position,
        account: view.fresh.position.clone(),
        moves: false,
    });
    Claim {
        slot: view.fresh.market.slot,
        accounts: of_market.chain(position).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Duration = Duration::from_secs(60);

    fn difference() -> Difference {
        Difference {
            address: Pubkey::new_from_array([1; 32]),
            nodes: vec!["http://a".into(), "http://b".into()],
        }
    }

    #[test]
    fn what_is_disputed_is_not_done_and_what_protects_only_after_a_while_and_simulated() {
        use ActionKind::{Deleverage, Rehedge};
        let after = |action, secs| {
            let disputed = Agreement::Disputed(difference());
            backing(disputed, action, || Duration::from_secs(secs), BOUND)
        };
        for action in [Rehedge, Deleverage] {
            let refused = after(action, 59).unwrap_err();
            assert_eq!(refused, Unbacked::Disputed(difference()));
            let said = refused.to_string();
            assert!(said.contains("http://a and by http://b"), "{said}");
        }
        assert!(after(Rehedge, 600).is_err());
        assert_eq!(after(Deleverage, 60), Ok(Backing::Unsure));
    }

    #[test]
    fn who_is_outvoted_is_not_believed_and_who_is_alone_is() {
        use ActionKind::{Deleverage, Rehedge};
        let of = |agreement: &Agreement, action| {
            backing(agreement.clone(), action, || Duration::ZERO, BOUND)
        };
        let outvoted = Agreement::Outvoted(difference());
        let unsettled = Agreement::Unsettled(difference());
        for action in [Rehedge, Deleverage] {
            assert!(of(&outvoted, action).is_err());
            assert_eq!(of(&Agreement::Alone, action), Ok(Backing::Sure));
            assert_eq!(of(&Agreement::Backed, action), Ok(Backing::Sure));
        }
        assert_eq!(of(&Agreement::Changed, Rehedge), Ok(Backing::Changed));
        assert!(of(&unsettled, Rehedge).is_err());
        assert_eq!(of(&unsettled, Deleverage), Ok(Backing::Unsure));
        assert_eq!(of(&Agreement::Changed, Deleverage), Ok(Backing::Unsure));
    }

    #[test]
    fn a_dispute_is_counted_from_when_it_began_and_anew_after_it_ended() {
        let (disputes, subject) = (Disputes::default(), Pubkey::new_from_array([1; 32]));
        let start = Instant::now();
        let secs = |secs| start + Duration::from_secs(secs);
        let lasts = |at| disputes.lasts(subject, secs(at)).as_secs();
        assert_eq!([0, 2, 29, 58].map(lasts), [0, 2, 29, 58]);
        // Nobody looked for a while.
        assert_eq!([88, 90].map(lasts), [0, 2]);
        disputes.end(&subject);
        assert_eq!(lasts(91), 0);
    }
}
