//! Several nodes, asked as one.

use std::{collections::VecDeque, sync::Arc};

use async_trait::async_trait;
use futures_util::{StreamExt, stream::FuturesUnordered};
use solana_sdk::{pubkey::Pubkey, signature::Signature, transaction::VersionedTransaction};
use tracing::Instrument;

use super::{
    BLOCKHASH_LIFE, EARLY, LATE, Nodes, REMEMBERED, WITNESSES,
    asking::{Answers, Worth},
    ruling::{Ruling, Witness, rule, seen},
    standing::{Verdict, judge},
};
use crate::chain::{
    AccountFilter, Accounts, Blockhash, Chain, ChainError, Confirmation, Expiry, OwnedAccounts,
    PastTransaction, Simulation, Standing, TransactionRecord, TransactionStatus,
};
use crate::{
    agreement::{Agreement, Claim},
    standing,
};

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
            self.by_clock(index, addresses, &answer)?;
            let slot = self.told(index, "getMultipleAccounts", answer.slot)?;
            Ok(Accounts { slot, ..answer })
        };
        let worth = |answer: &Accounts| self.worth(answer.slot);
        self.first("getMultipleAccounts", question, worth).await
    }

    async fn agreement(&self, claim: &Claim) -> Agreement {
        self.agree(claim).await
    }

    async fn program_accounts(
        &self,
        program: &Pubkey,
        filters: &[AccountFilter],
    ) -> Result<OwnedAccounts, ChainError> {
        let question = |index, chain: Arc<dyn Chain>| async move {
            let answer = chain.program_accounts(program, filters).await?;
            let told = |slot| self.told(index, "getProgramAccounts", slot);
            let slot = answer.slot.map(told).transpose()?;
            Ok(OwnedAccounts { slot, ..answer })
        };
        let worth = |answer: &OwnedAccounts| answer.slot.map_or(Worth::Good, |it| self.worth(it));
        self.first("getProgramAccounts", question, worth).await
    }

    async fn latest_blockhash(&self) -> Result<Blockhash, ChainError> {
        if self.is_single() {
            return self.members[0].latest_blockhash().await;
        }
        let question = |_, chain: Arc<dyn Chain>| async move { chain.block_height().await };
        let told = self.gather(question, |_| false).await;
        let heights = || told.iter().flatten().flatten().copied();
        let low = heights().min();
        // Who gives a blockhash may say that it is used up too early: without a height nothing contradicts that.
        if let (None, Some(Err(error))) = (low, told.iter().flatten().next()) {
            return Err(error.clone());
        }
        // One that is far beyond the lowest says nothing of the others.
        let reached = heights()
            .filter(|height| low.is_some_and(|low| *height <= low.saturating_add(LATE)))
            .max();
        let question = |index, chain: Arc<dyn Chain>| async move {
            let answer = chain.latest_blockhash().await?;
            remember(&mut self.known().blockhashes, answer.hash, index);
            Ok(answer)
        };
        let lives_to = |height: u64| height.saturating_add(BLOCKHASH_LIFE);
        let worth = |answer: &Blockhash| {
            let last = answer.last_valid_block_height;
            let too_late = low.is_some_and(|low| last > lives_to(low).saturating_add(LATE));
            let too_early =
                reached.is_some_and(|reached| last.saturating_add(EARLY) < lives_to(reached));
            match (too_late, too_early) {
                (true, _) => Worth::Nothing("its blockhash would last longer than any"),
                (_, true) => Worth::Poor(last),
                _ => Worth::Good,
            }
        };
        let answer = self.first("getLatestBlockhash", question, worth).await?;
        // A blockhash that is said to be used up too early would have what is signed on it taken for expired while it can land.
        let least = reached.map_or(0, lives_to);
        // Where a single node tells a height that no blockhash is of, what is signed would be waited for that long. Soon another tells its.
        if least.saturating_sub(answer.last_valid_block_height) > LATE {
            return Err(ChainError::BadAnswer {
                endpoint: self.label(),
                what: "getLatestBlockhash",
                reason: format!(
                    "it can be used to block {}, but block {} is said to have been reached",
                    answer.last_valid_block_height,
                    reached.unwrap_or_default()
                ),
            });
        }
        Ok(Blockhash {
            last_valid_block_height: answer.last_valid_block_height.max(least),
            ..answer
        })
    }

    /// What two have reached.
    async fn block_height(&self) -> Result<u64, ChainError> {
        if self.is_single() {
            return self.members[0].block_height().await;
        }
        let question = |_, chain: Arc<dyn Chain>| async move { chain.block_height().await };
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
            self.told(index, "getSlot", slot)
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
            let sent = async move {
                let member = Arc::clone(&nodes.members[index]);
                nodes.ask(index, member.submit(&transaction)).await
            };
            // What is logged on the way belongs to whoever sends.
            sending.push(tokio::spawn(sent.in_current_span()));
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
            |_, chain: Arc<dyn Chain>| async move { chain.status(signature, search_history).await };
        let settled = |answers: &Answers<Option<TransactionStatus>>| {
            let said = answers.iter().flatten().flatten();
            let said: Vec<_> = said.cloned().collect();
            let needed = WITNESSES;
            seen(&said, needed).is_some_and(|status| status.confirmation >= Confirmation::Confirmed)
        };
        let said = self.witnesses(question, settled).await?;
        let said: Vec<_> = said.into_iter().flatten().collect();
        Ok(seen(&said, self.needed()).map(|status| self.cut(status)))
    }

    async fn expiry(&self, signature: &Signature, over_above: u64) -> Result<Expiry, ChainError> {
        if self.is_single() {
            return self.members[0].expiry(signature, over_above).await;
        }
        let above = |index, height| self.over_above(signature, index, height, over_above);
        let question = |index: usize, chain: Arc<dyn Chain>| async move {
            let kept = &self.kept[index];
            // Long over, it need not be told again in the same breath: no node falls back so far.
            let lately = standing::lock(kept)
                .height()
                .filter(|height| height.saturating_sub(BLOCKHASH_LIFE) > above(index, *height));
            let height = match lately {
                Some(height) => height,
                None => {
                    let height = chain.block_height().await?;
                    standing::lock(kept).tells_height(height);
                    height
                }
            };
            let is_over = height > above(index, height);
            let status = match is_over {
                true => chain.status(signature, true).await?,
                false => None,
            };
            Ok(Witness {
                height,
                is_over,
                status,
            })
        };
        let witnesses = self.witnesses(question, |_| false).await?;
        let (ruling, against) = rule(&witnesses, self.needed());
        for index in against {
            self.contradict(index);
        }
        let expiry = match ruling {
            Ruling::Is(expiry) => expiry,
            Ruling::Claims { of, otherwise } => self.settle_claims(signature, of, otherwise).await,
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

    async fn first_available_slot(&self) -> Result<Option<u64>, ChainError> {
        let question = |_, chain: Arc<dyn Chain>| async move { chain.first_available_slot().await };
        self.first("getFirstAvailableBlock", question, if_any).await
    }

    async fn standing(&self, signature: &Signature, slot: u64) -> Result<Standing, ChainError> {
        let question = |index: usize, chain: Arc<dyn Chain>| async move {
            standing::ask(&*chain, &self.kept[index], signature, slot).await
        };
        if self.is_single() {
            return question(0, Arc::clone(&self.members[0])).await;
        }
        let said = self.witnesses(question, |_| false).await?;
        Ok(match judge(&said, self.needed()) {
            Verdict::Is(standing) => standing,
            Verdict::Split { have, deny } => {
                self.settle_standing(signature, slot, (have, deny)).await
            }
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
        self.first("getMinimumBalanceForRentExemption", question, |_| {
            Worth::Good
        })
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
