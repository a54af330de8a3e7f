//! Several nodes as one [`Chain`].
//!
//! Questions go to the best of them, and to the next when it fails or takes too long; signed bytes go to all. What became of a
//! transaction is what two of them say: one that lags or lies decides nothing. Slots that others cannot have reached are cut.
//!
//! A node that has not told what became of transactions for [`NodesConfig::alone_after`] is not waited for any longer: with one node left
//! that one is believed, as where only one is configured.

mod health;
mod ruling;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{StreamExt, stream::FuturesUnordered};
use solana_sdk::{
    hash::Hash, pubkey::Pubkey, signature::Signature, transaction::VersionedTransaction,
};
use tokio::time::{Instant, timeout, timeout_at};

use crate::chain::{
    AccountFilter, Accounts, Blockhash, Chain, ChainError, Expiry, OwnedAccounts, PastTransaction,
    Simulation, TransactionRecord, TransactionStatus,
};
pub use health::Condition;
use health::{Health, ceiling, conditions, order, reference};
use ruling::{Ruling, Witness, rule, seen};

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
}

/// See the module's description. Cheap to clone.
#[derive(Clone)]
pub struct Nodes {
    members: Arc<[Arc<dyn Chain>]>,
    config: NodesConfig,
    began: Instant,
    known: Arc<Mutex<Known>>,
}

/// What an answer is worth.
enum Worth {
    Good,
    /// To be taken if there is none better, the higher the better.
    Poor(u64),
    Nothing(&'static str),
}

type Answers<T> = Vec<Option<Result<T, ChainError>>>;

impl Nodes {
    /// Several nodes, the preferred one first. With a single one everything is as if it were asked directly.
    pub fn new(first: Arc<dyn Chain>, more: Vec<Arc<dyn Chain>>, config: NodesConfig) -> Self {
        let members: Vec<_> = [first].into_iter().chain(more).collect();
        let known = Known {
            health: vec![Health::default(); members.len()],
            ..Known::default()
        };
        Self {
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
                self.told(index, slot);
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

    /// Notes a slot that a node told; returns it, cut to what it can be.
    fn told(&self, index: usize, slot: u64) -> u64 {
        let now_ms = self.now_ms();
        let mut known = self.known();
        known.health[index].tells(slot, now_ms);
        let all = known.health.iter().enumerate();
        let others = all.filter(|(other, _)| *other != index).map(|(_, it)| it);
        ceiling(others, now_ms).map_or(slot, |ceiling| slot.min(ceiling))
    }

    /// What an answer of a slot is worth.
    fn worth(&self, slot: u64) -> Worth {
        match reference(&self.known().health, self.now_ms()) {
            Some(newest) if slot.saturating_add(self.config.lag_slots) <= newest => {
                Worth::Poor(slot)
            }
            _ => Worth::Good,
        }
    }

    /// Asks one, and notes how it did.
    async fn ask<T>(
        &self,
        index: usize,
        answer: impl Future<Output = Result<T, ChainError>>,
    ) -> Result<T, ChainError> {
        let asked = Instant::now();
        let answer = answer.await;
        let mut known = self.known();
        match &answer {
            // A refusal is an answer.
            Ok(_) | Err(ChainError::Refused { .. }) => {
                known.health[index].answered(as_ms(asked.elapsed()));
            }
            Err(_) => known.health[index].failed(),
        }
        answer
    }

    /// The first good answer. The next one is asked as well when one fails, is not good, or takes too long.
    async fn first<T, F: Future<Output = Result<T, ChainError>>>(
        &self,
        what: &'static str,
        question: impl Fn(usize, Arc<dyn Chain>) -> F,
        worth: impl Fn(&T) -> Worth,
    ) -> Result<T, ChainError> {
        let ask = |index: usize| {
            let answer = question(index, Arc::clone(&self.members[index]));
            async move { (index, self.ask(index, answer).await) }
        };
        if self.is_single() {
            return ask(0).await.1;
        }
        let order = order(&self.known().health, self.config.lag_slots, self.now_ms());
        let mut left = order.into_iter();
        let mut running = FuturesUnordered::new();
        let mut waited_for = left.next();
        running.extend(waited_for.map(ask));
        let (mut best, mut error): (Option<(u64, T)>, Option<ChainError>) = (None, None);
        loop {
            let waiting = running.next();
            let answer = match left.len() {
                0 => waiting.await,
                _ => match timeout(self.config.patience, waiting).await {
                    Ok(answer) => answer,
                    Err(_) => {
                        if let Some(slow) = waited_for {
                            self.known().health[slow].failed();
                        }
                        waited_for = left.next();
                        running.extend(waited_for.map(ask));
                        continue;
                    }
                },
            };
            match answer {
                Some((index, Ok(answer))) => match worth(&answer) {
                    Worth::Good => return Ok(answer),
                    Worth::Poor(rank) if best.as_ref().is_none_or(|(best, _)| *best < rank) => {
                        best = Some((rank, answer));
                    }
                    Worth::Poor(_) => {}
                    Worth::Nothing(reason) => {
                        error.get_or_insert(ChainError::BadAnswer {
                            endpoint: self.members[index].label(),
                            what,
                            reason: reason.into(),
                        });
                    }
                },
                // What the preferred one says says most.
                Some((_, Err(failed))) => {
                    error.get_or_insert(failed);
                }
                None => break,
            }
            waited_for = left.next();
            running.extend(waited_for.map(ask));
        }
        match (best, error) {
            (Some((_, best)), _) => Ok(best),
            (None, Some(error)) => Err(error),
            (None, None) => Err(ChainError::Unreachable {
                endpoint: self.label(),
                reason: "no node is configured".into(),
            }),
        }
    }

    /// What all say of a transaction, or as many as answer in time: all that are well, and `needed` at least while that takes no longer
    /// than our patience.
    async fn gather<T, F: Future<Output = Result<T, ChainError>>>(
        &self,
        question: impl Fn(Arc<dyn Chain>) -> F,
        enough: impl Fn(&Answers<T>) -> bool,
    ) -> Answers<T> {
        let mut answers: Answers<T> = self.members.iter().map(|_| None).collect();
        let well: Vec<bool> = {
            let known = self.known();
            known.health.iter().map(|it| !it.is_failing()).collect()
        };
        let ask = |(index, member): (usize, &Arc<dyn Chain>)| {
            let answer = question(Arc::clone(member));
            async move { (index, self.ask(index, answer).await) }
        };
        let mut running: FuturesUnordered<_> = self.members.iter().enumerate().map(ask).collect();
        let until = Instant::now() + self.config.patience;
        loop {
            let said = answers.iter().flatten().filter(|it| it.is_ok()).count();
            let next = match said {
                0 => running.next().await,
                _ => match timeout_at(until, running.next()).await {
                    Ok(next) => next,
                    Err(_) => {
                        let mut known = self.known();
                        for (health, answer) in known.health.iter_mut().zip(&answers) {
                            if answer.is_none() {
                                health.failed();
                            }
                        }
                        break;
                    }
                },
            };
            let Some((index, answer)) = next else { break };
            answers[index] = Some(answer);
            let mut awaited = answers.iter().zip(&well);
            let said = answers.iter().flatten().filter(|it| it.is_ok()).count();
            let all_well = awaited.all(|(answer, well)| answer.is_some() || !well);
            if enough(&answers) || (all_well && said >= WITNESSES) {
                break;
            }
        }
        answers
    }

    /// As [`Self::gather`], noting who bears witness.
    async fn witnesses<T, F: Future<Output = Result<T, ChainError>>>(
        &self,
        question: impl Fn(Arc<dyn Chain>) -> F,
        enough: impl Fn(&Answers<T>) -> bool,
    ) -> Result<Vec<Option<T>>, ChainError> {
        let answers = self.gather(question, &enough).await;
        let (now_ms, cut_short) = (self.now_ms(), enough(&answers));
        {
            let mut known = self.known();
            for (health, answer) in known.health.iter_mut().zip(&answers) {
                let said = answer.as_ref().is_some_and(Result::is_ok);
                if said || !cut_short {
                    health.bears_witness(said, now_ms);
                }
            }
        }
        let heard = answers.iter().flatten().any(Result::is_ok);
        let mut error = None;
        let said = answers
            .into_iter()
            .map(|answer| match answer {
                Some(Ok(answer)) => Some(answer),
                Some(Err(failed)) => {
                    error.get_or_insert(failed);
                    None
                }
                None => None,
            })
            .collect();
        match error {
            Some(error) if !heard => Err(error),
            _ => Ok(said),
        }
    }

    fn contradict(&self, index: usize) {
        let now_ms = self.now_ms();
        self.known().health[index].contradicted(now_ms);
    }

    /// Whether whoever claims that a transaction landed has the transaction itself.
    async fn is_borne_out(&self, by: usize, signature: &Signature, slot: u64) -> bool {
        let record = self.members[by].transaction(signature).await;
        record.is_ok_and(|record| record.is_some_and(|record| record.slot == slot))
    }

    /// A slot of a transaction, no higher than it can be.
    fn cut(&self, status: TransactionStatus) -> TransactionStatus {
        let known = self.known();
        let highest = ceiling(known.health.iter(), self.now_ms());
        TransactionStatus {
            slot: highest.map_or(status.slot, |highest| status.slot.min(highest)),
            ..status
        }
    }

    /// On whose blockhash a transaction was signed that expired: others' are preferred next time.
    fn blame(&self, signature: &Signature) {
        let now_ms = self.now_ms();
        let mut known = self.known();
        let signed = known.signed.iter().find(|(it, _)| it == signature);
        if let Some((_, index)) = signed.copied() {
            known.health[index].misled(now_ms);
        }
    }
}

fn as_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn remember<K: PartialEq>(ring: &mut VecDeque<(K, usize)>, key: K, index: usize) {
    if ring.iter().any(|(known, _)| *known == key) {
        return;
    }
    if ring.len() >= REMEMBERED {
        ring.pop_front();
    }
    ring.push_back((key, index));
}

/// Something is better than nothing.
fn if_any<T>(found: &Option<T>) -> Worth {
    match found {
        Some(_) => Worth::Good,
        None => Worth::Poor(0),
    }
}

#[async_trait]
impl Chain for Nodes {
    fn label(&self) -> String {
        let labels: Vec<String> = self.members.iter().map(|it| it.label()).collect();
        labels.join(", ")
    }

    async fn accounts(&self, addresses: &[Pubkey]) -> Result<Accounts, ChainError> {
        let question = |index, chain: Arc<dyn Chain>| async move {
            let answer = chain.accounts(addresses).await?;
            let slot = self.told(index, answer.slot);
            Ok(Accounts { slot, ..answer })
        };
        let worth = |answer: &Accounts| self.worth(answer.slot);
        self.first("getMultipleAccounts", question, worth).await
    }

    async fn program_accounts(
        &self,
        program: &Pubkey,
        filters: &[AccountFilter],
    ) -> Result<OwnedAccounts, ChainError> {
        let question = |index, chain: Arc<dyn Chain>| async move {
            let answer = chain.program_accounts(program, filters).await?;
            let slot = answer.slot.map(|slot| self.told(index, slot));
            Ok(OwnedAccounts { slot, ..answer })
        };
        let worth = |answer: &OwnedAccounts| answer.slot.map_or(Worth::Good, |it| self.worth(it));
        self.first("getProgramAccounts", question, worth).await
    }

    async fn latest_blockhash(&self) -> Result<Blockhash, ChainError> {
        if self.is_single() {
            return self.members[0].latest_blockhash().await;
        }
        let heights = self
            .gather(|chain| async move { chain.block_height().await }, |_| false)
            .await;
        let heights = || heights.iter().flatten().flatten();
        let (low, high) = (heights().min().copied(), heights().max().copied());
        let question = |index, chain: Arc<dyn Chain>| async move {
            let answer = chain.latest_blockhash().await?;
            remember(&mut self.known().blockhashes, answer.hash, index);
            Ok(answer)
        };
        let worth = |answer: &Blockhash| {
            let last = answer.last_valid_block_height;
            let too_late = low.is_some_and(|low| last > low.saturating_add(BLOCKHASH_LIFE + LATE));
            let too_early = high
                .is_some_and(|high| last.saturating_add(EARLY) < high.saturating_add(BLOCKHASH_LIFE));
            match (too_late, too_early) {
                (true, _) => Worth::Nothing("its blockhash would last longer than any"),
                (_, true) => Worth::Poor(last),
                _ => Worth::Good,
            }
        };
        self.first("getLatestBlockhash", question, worth).await
    }

    /// What two have reached.
    async fn block_height(&self) -> Result<u64, ChainError> {
        if self.is_single() {
            return self.members[0].block_height().await;
        }
        let question = |chain: Arc<dyn Chain>| async move { chain.block_height().await };
        let told = self.witnesses(question, |_| false).await?;
        let mut heights: Vec<u64> = told.into_iter().flatten().collect();
        heights.sort_unstable_by(|a, b| b.cmp(a));
        let reached = heights.get(self.needed() - 1).copied();
        reached.ok_or_else(|| ChainError::Unreachable {
            endpoint: self.label(),
            reason: "only one of them tells its block height".into(),
        })
    }

    async fn slot(&self) -> Result<u64, ChainError> {
        let question = |index, chain: Arc<dyn Chain>| async move {
            let slot = chain.slot().await?;
            Ok(self.told(index, slot))
        };
        self.first("getSlot", question, |slot| self.worth(*slot))
            .await
    }

    /// A refusal counts only if no other node would take it.
    async fn simulate(&self, transaction: &VersionedTransaction) -> Result<Simulation, ChainError> {
        let question = |_, chain: Arc<dyn Chain>| async move { chain.simulate(transaction).await };
        let worth = |answer: &Simulation| match answer.error {
            None => Worth::Good,
            Some(_) => Worth::Poor(0),
        };
        self.first("simulateTransaction", question, worth).await
    }

    /// To all; one that takes it is enough.
    async fn submit(&self, transaction: &VersionedTransaction) -> Result<(), ChainError> {
        if self.is_single() {
            return self.members[0].submit(transaction).await;
        }
        {
            let mut known = self.known();
            let hash = transaction.message.recent_blockhash();
            let from = known.blockhashes.iter().find(|(it, _)| it == hash);
            if let (Some((_, index)), Some(signature)) =
                (from.copied(), transaction.signatures.first())
            {
                remember(&mut known.signed, *signature, index);
            }
        }
        // On their own, so that one that hangs holds nobody up and is not cut off either.
        let mut sending = FuturesUnordered::new();
        for index in 0..self.members.len() {
            let (nodes, transaction) = (self.clone(), transaction.clone());
            sending.push(tokio::spawn(async move {
                let member = Arc::clone(&nodes.members[index]);
                nodes.ask(index, member.submit(&transaction)).await
            }));
        }
        let mut error = None;
        while let Some(sent) = sending.next().await {
            match sent {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(failed)) => {
                    error.get_or_insert(failed);
                }
                // It ends with the program.
                Err(_) => {}
            }
        }
        Err(error.unwrap_or_else(|| ChainError::Unreachable {
            endpoint: self.label(),
            reason: "sending was cut short".into(),
        }))
    }

    async fn status(
        &self,
        signature: &Signature,
        search_history: bool,
    ) -> Result<Option<TransactionStatus>, ChainError> {
        if self.is_single() {
            return self.members[0].status(signature, search_history).await;
        }
        let question =
            |chain: Arc<dyn Chain>| async move { chain.status(signature, search_history).await };
        let settled = |answers: &Answers<Option<TransactionStatus>>| {
            let said = answers.iter().flatten().flatten();
            let said: Vec<_> = said.cloned().collect();
            let needed = WITNESSES;
            seen(&said, needed).is_some_and(|status| {
                status.confirmation >= crate::chain::Confirmation::Confirmed
            })
        };
        let said = self.witnesses(question, settled).await?;
        let said: Vec<_> = said.into_iter().flatten().collect();
        Ok(seen(&said, self.needed()).map(|status| self.cut(status)))
    }

    async fn expiry(&self, signature: &Signature, over_above: u64) -> Result<Expiry, ChainError> {
        if self.is_single() {
            return self.members[0].expiry(signature, over_above).await;
        }
        let question = |chain: Arc<dyn Chain>| async move {
            let height = chain.block_height().await?;
            let status = match height > over_above {
                true => chain.status(signature, true).await?,
                false => None,
            };
            Ok(Witness { height, status })
        };
        let witnesses = self.witnesses(question, |_| false).await?;
        let (ruling, against) = rule(&witnesses, over_above, self.needed());
        for index in against {
            self.contradict(index);
        }
        let expiry = match ruling {
            Ruling::Is(expiry) => expiry,
            Ruling::Claims { of, otherwise } => {
                let mut shown = otherwise;
                for (by, status) in of {
                    if self.is_borne_out(by, signature, status.slot).await {
                        shown = Expiry::Landed(status);
                    } else {
                        self.contradict(by);
                    }
                }
                shown
            }
        };
        Ok(match expiry {
            Expiry::Landed(status) => Expiry::Landed(self.cut(status)),
            Expiry::Expired { .. } => {
                self.blame(signature);
                expiry
            }
            other => other,
        })
    }

    async fn transaction(
        &self,
        signature: &Signature,
    ) -> Result<Option<TransactionRecord>, ChainError> {
        let question = |_, chain: Arc<dyn Chain>| async move { chain.transaction(signature).await };
        self.first("getTransaction", question, if_any).await
    }

    async fn recent_fees(&self, writable: &[Pubkey]) -> Result<Vec<u64>, ChainError> {
        let question = |_, chain: Arc<dyn Chain>| async move { chain.recent_fees(writable).await };
        self.first("getRecentPrioritizationFees", question, |_| Worth::Good)
            .await
    }

    async fn rent_lamports(&self, length: usize) -> Result<u64, ChainError> {
        let question = |_, chain: Arc<dyn Chain>| async move { chain.rent_lamports(length).await };
        self.first("getMinimumBalanceForRentExemption", question, |_| Worth::Good)
            .await
    }

    async fn newest_signature(&self, address: &Pubkey) -> Result<Option<Signature>, ChainError> {
        let question =
            |_, chain: Arc<dyn Chain>| async move { chain.newest_signature(address).await };
        self.first("getSignaturesForAddress", question, if_any)
            .await
    }

    async fn signatures(
        &self,
        address: &Pubkey,
        limit: usize,
    ) -> Result<Vec<Signature>, ChainError> {
        let question =
            |_, chain: Arc<dyn Chain>| async move { chain.signatures(address, limit).await };
        self.first("getSignaturesForAddress", question, |_| Worth::Good)
            .await
    }

    async fn history(
        &self,
        address: &Pubkey,
        before: Option<&Signature>,
        limit: usize,
    ) -> Result<Option<Vec<PastTransaction>>, ChainError> {
        let question =
            |_, chain: Arc<dyn Chain>| async move { chain.history(address, before, limit).await };
        self.first("getSignaturesForAddress", question, if_any)
            .await
    }

    async fn signed_transaction(
        &self,
        signature: &Signature,
    ) -> Result<Option<VersionedTransaction>, ChainError> {
        let question =
            |_, chain: Arc<dyn Chain>| async move { chain.signed_transaction(signature).await };
        self.first("getTransaction", question, if_any).await
    }
}
