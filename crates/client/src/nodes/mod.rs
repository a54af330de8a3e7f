//! Several nodes as one [`Chain`].
//!
//! Questions go to the best of them, and to the next when it fails or takes too long; signed bytes go to all. What became of a
//! transaction is what two of them say: one that lags or lies decides nothing. Slots that others cannot have reached are cut. What an answer
//! said of accounts is compared with what the others say of them, where something is to be done about it.
//!
//! A node that has not told what became of transactions for [`NodesConfig::alone_after`] is not waited for any longer: with one node left
//! that one is believed, as where only one is configured.

mod asking;
mod chain;
mod claims;
mod compare;
mod health;
mod reach;
mod ruling;
mod standing;
mod testimony;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use solana_sdk::{hash::Hash, pubkey::Pubkey, signature::Signature};
use tokio::time::{Instant, timeout};

use crate::{
    chain::{Accounts, CLOCK_SYSVAR, Chain, ChainError, parse_clock},
    standing::Kept,
};
use asking::Worth;
pub use health::Condition;
use health::{Health, LEAD_SLOTS, ceiling, conditions, reference};
pub use reach::Reach;

/// Nodes that have to agree, if there are so many.
const WITNESSES: usize = 2;
/// Blocks in which a transaction can land after its blockhash.
const BLOCKHASH_LIFE: u64 = 150;
/// Blocks by which a blockhash may seem to be used up earlier than it is.
const EARLY: u64 = 32;
/// Blocks by which it may seem to be used up later.
const LATE: u64 = 750;
/// Transactions and blockhashes whose origin is remembered.
const REMEMBERED: usize = 64;
/// How long a node has to tell its slot in a survey.
const SURVEY_WITHIN: Duration = Duration::from_secs(4);

/// How several nodes are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodesConfig {
    /// After so long without an answer the next one is asked as well.
    pub patience: Duration,
    /// A node that is so many slots behind is asked last.
    pub lag_slots: u64,
    /// A node that has been asked for so long in vain what became of a transaction is not waited for.
    pub alone_after: Duration,
}

impl Default for NodesConfig {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(1),
            lag_slots: 25,
            alone_after: Duration::from_secs(60),
        }
    }
}

/// A node in a survey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSeen {
    /// Its name for messages, without credentials.
    pub label: String,
    /// The slot that it told, as it told it; `None`: it did not answer.
    pub slot: Option<u64>,
    /// How long that took.
    pub latency_ms: u64,
    /// How it stands among the others.
    pub condition: Condition,
}

#[derive(Default)]
struct Known {
    health: Vec<Health>,
    /// Who gave a blockhash.
    blockhashes: VecDeque<(Hash, usize)>,
    /// Whose blockhash a transaction was signed on.
    signed: VecDeque<(Signature, usize)>,
    /// The first block height that each told while it was asked what became of a transaction.
    first_heights: VecDeque<(Signature, Vec<Option<u64>>)>,
}

/// See the module's description. Cheap to clone.
#[derive(Clone)]
pub struct Nodes {
    members: Arc<[Arc<dyn Chain>]>,
    config: NodesConfig,
    began: Instant,
    known: Arc<Mutex<Known>>,
    /// Of which blocks each knows.
    kept: Arc<[Mutex<Kept>]>,
}

impl Nodes {
    /// Several nodes, the preferred one first. With a single one everything is as if it were asked directly.
    pub fn new(first: Arc<dyn Chain>, more: Vec<Arc<dyn Chain>>, config: NodesConfig) -> Self {
        let members: Vec<_> = [first].into_iter().chain(more).collect();
        let known = Known {
            health: vec![Health::default(); members.len()],
            ..Known::default()
        };
        Self {
            kept: members.iter().map(|_| Mutex::default()).collect(),
            members: members.into(),
            config,
            began: Instant::now(),
            known: Arc::new(Mutex::new(known)),
        }
    }

    /// The nodes, in the order in which they were named.
    pub fn members(&self) -> &[Arc<dyn Chain>] {
        &self.members
    }

    /// Asks all for their slot; how each stands afterwards.
    pub async fn survey(&self) -> Vec<NodeSeen> {
        let ask = |index: usize| async move {
            let asked = Instant::now();
            let answer = self.ask(index, self.members[index].slot());
            let slot = timeout(SURVEY_WITHIN, answer).await;
            if slot.is_err() {
                self.known().health[index].failed();
            }
            let slot = slot.ok().and_then(Result::ok);
            if let Some(slot) = slot {
                let _ = self.told(index, "getSlot", slot);
            }
            (slot, as_ms(asked.elapsed()))
        };
        let told = futures_util::future::join_all((0..self.members.len()).map(ask)).await;
        let conditions = conditions(&self.known().health, self.config.lag_slots, self.now_ms());
        let all = self.members.iter().zip(told).zip(conditions);
        all.map(|((member, (slot, latency_ms)), condition)| NodeSeen {
            label: member.label(),
            slot,
            latency_ms,
            condition,
        })
        .collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Every change of it is whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> u64 {
        as_ms(self.began.elapsed())
    }

    fn is_single(&self) -> bool {
        self.members.len() < WITNESSES
    }

    /// How many have to agree.
    fn needed(&self) -> usize {
        let (for_ms, now_ms) = (as_ms(self.config.alone_after), self.now_ms());
        let known = self.known();
        let speaking = known.health.iter();
        let speaking = speaking.filter(|health| !health.is_silent(for_ms, now_ms));
        speaking.count().clamp(1, WITNESSES)
    }

    /// Notes a slot that a node told; returns it, cut to what it can be. Of whom a false one is known lately it is no answer.
    fn told(&self, index: usize, what: &'static str, slot: u64) -> Result<u64, ChainError> {
        let now_ms = self.now_ms();
        let mut known = self.known();
        if let Some(ahead) = known.health[index].tells_false_slots(now_ms) {
            return Err(self.false_slot(index, what, ahead));
        }
        known.health[index].tells(slot, now_ms);
        let all = known.health.iter().enumerate();
        let others = all.filter(|(other, _)| *other != index).map(|(_, it)| it);
        Ok(ceiling(others, now_ms).map_or(slot, |ceiling| slot.min(ceiling)))
    }

    fn false_slot(&self, index: usize, what: &'static str, ahead: u64) -> ChainError {
        ChainError::BadAnswer {
            endpoint: self.members[index].label(),
            what,
            reason: format!("its slot is {ahead} slots ahead of the cluster's clock in it"),
        }
    }

    /// Compares an answer's slot with the cluster's clock, where that is among the accounts: both are of the same moment. Nothing else
    /// bounds what a node tells while it is the only one that speaks.
    fn by_clock(&self, index: usize, of: &[Pubkey], answer: &Accounts) -> Result<(), ChainError> {
        let place = of.iter().position(|address| *address == CLOCK_SYSVAR);
        let clock = place.and_then(|place| answer.accounts.get(place)?.as_ref());
        let (false, Some(clock)) = (self.is_single(), clock.and_then(parse_clock)) else {
            return Ok(());
        };
        let ahead = answer.slot.saturating_sub(clock.slot);
        let now_ms = self.now_ms();
        let health = &mut self.known().health[index];
        if ahead <= LEAD_SLOTS {
            health.tells_truly();
            return Ok(());
        }
        health.tells_falsely(ahead, now_ms);
        Err(self.false_slot(index, "getMultipleAccounts", ahead))
    }

    /// Above which height a transaction is over for a node: above the last in which it can land, or, where that was taken from a height that
    /// nobody has reached, after so many blocks by the node's own count.
    fn over_above(&self, signature: &Signature, index: usize, height: u64, last: u64) -> u64 {
        let mut known = self.known();
        let firsts = &mut known.first_heights;
        let place = firsts.iter().position(|(known, _)| known == signature);
        let place = place.unwrap_or_else(|| {
            if firsts.len() >= REMEMBERED {
                firsts.pop_front();
            }
            firsts.push_back((*signature, vec![None; self.members.len()]));
            firsts.len() - 1
        });
        let first = *firsts[place].1[index].get_or_insert(height);
        let counted = first.saturating_add(BLOCKHASH_LIFE + LATE);
        last.min(counted)
    }

    /// What an answer of a slot is worth.
    fn worth(&self, slot: u64) -> Worth {
        let known = self.known();
        // Nothing bounds what the only one says that has spoken: another that may answer is asked before it is believed, because a slot
        // from far ahead makes everything that comes later look old.
        let spoken = known.health.iter().filter(|one| one.has_told()).count();
        let may_speak = |one: &Health| !one.has_told() && !one.is_failing();
        if spoken < WITNESSES && known.health.iter().any(may_speak) {
            return Worth::Poor(0);
        }
        match reference(&known.health, self.now_ms()) {
            Some(newest) if slot.saturating_add(self.config.lag_slots) <= newest => {
                Worth::Poor(slot)
            }
            _ => Worth::Good,
        }
    }
}

fn as_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
