//! What a keeper left behind: its journal, and on the chain.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use ballast_client::{BallastEvent, Chain, Pubkey, RpcChain, Signature};
use ballast_keeper::journal::{Intent, IntentId, Outcome, Record};
use ballast_localnet::Localnet;
use ballast_strategy::decide::ActionKind;
use solana_client::{
    rpc_client::GetConfirmedSignaturesForAddress2Config, rpc_config::CommitmentConfig,
};

use crate::{keeper::KeeperProcess, side::Side};

/// Most transactions that a node lists at once.
const MOST_LISTED: usize = 1_000;

/// An action that took effect, as the program tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deed {
    /// What was done.
    pub action: ActionKind,
    /// At this oracle price (square root, Q64.64), which is why it was done.
    pub sqrt_price_x64: u128,
}

/// Everything that a keeper did, told twice.
pub struct Trail {
    /// Its journal.
    pub records: Vec<Record>,
    /// Every transaction on the chain that names its key, but the one that funded it; whether it succeeded.
    pub transactions: BTreeMap<Signature, bool>,
    /// What those that succeeded did, oldest first.
    pub deeds: Vec<Deed>,
    /// How often the position itself says that it was rehedged and deleveraged.
    pub counters: [u32; 2],
}

impl Trail {
    /// Collects it.
    pub async fn collect(net: &dyn Localnet, side: &Side, keeper: &KeeperProcess) -> Result<Self> {
        let endpoints = net.endpoints().context("the cluster has no RPC")?;
        let chain = RpcChain::new(&endpoints.rpc_url, std::time::Duration::from_secs(20));
        let config = GetConfirmedSignaturesForAddress2Config {
            commitment: Some(CommitmentConfig::confirmed()),
            limit: Some(MOST_LISTED),
            ..GetConfirmedSignaturesForAddress2Config::default()
        };
        let client = chain.client();
        let listed = client.get_signatures_for_address_with_config(&keeper.key, config);
        let listed = listed.await.context("listing a keeper's transactions")?;
        ensure!(listed.len() < MOST_LISTED, "too many transactions to list");
        let (mut transactions, mut deeds) = (BTreeMap::new(), Vec::new());
        for found in listed.iter().rev() {
            let signature: Signature = found.signature.parse()?;
            if signature == keeper.funding {
                continue;
            }
            let before = transactions.insert(signature, found.err.is_none());
            ensure!(before.is_none(), "{signature} is listed twice");
            if found.err.is_none() {
                deeds.push(deed(&chain, &signature, &side.position.address, &keeper.key).await?);
            }
        }
        Ok(Self {
            records: keeper.journal().records()?,
            transactions,
            deeds,
            counters: side.sample().await?.actions(),
        })
    }

    /// Nothing was done behind the journal's back. Returns what landed.
    ///
    /// - At no time were there two open intents, and every intent has exactly one outcome and its own transaction.
    /// - Every transaction of the keeper's on the chain is that of exactly one intent, and succeeded or failed as the
    ///   intent's outcome says; what expired or was dropped is not there.
    pub fn assert_the_journal_is_what_happened(&self) -> Vec<ActionKind> {
        let (mut on_chain, mut landed) = (BTreeMap::new(), Vec::new());
        for (intent, outcome) in &self.settled() {
            match outcome {
                Outcome::Landed { .. } => {
                    assert_eq!(on_chain.insert(intent.signature, true), None, "{intent:?}");
                    landed.push(intent.action);
                }
                Outcome::Failed { .. } | Outcome::Raced { .. } => {
                    assert_eq!(on_chain.insert(intent.signature, false), None, "{intent:?}");
                }
                Outcome::Expired { .. } | Outcome::Dropped { .. } => {}
            }
        }
        assert_eq!(self.transactions, on_chain, "chain (left) against journal");
        let done: Vec<_> = self.deeds.iter().map(|deed| deed.action).collect();
        assert_eq!(done, landed, "events (left) against journal");
        landed
    }

    /// How often it tried what another one had just made unnecessary.
    pub fn raced(&self) -> usize {
        let settled = self.settled();
        let raced = settled
            .iter()
            .filter(|(_, outcome)| matches!(outcome, Outcome::Raced { .. }));
        raced.count()
    }

    /// Nothing was done twice by the only keeper of the position.
    ///
    /// - The journal is what happened.
    /// - The position counts as many rehedges and deleverages as landed.
    /// - No two of them were of one kind at one price. (Prices are passed once each.)
    pub fn assert_nothing_was_done_twice(&self) {
        let landed = self.assert_the_journal_is_what_happened();
        let count = |kind| landed.iter().filter(|action| **action == kind).count();
        let counts = [ActionKind::Rehedge, ActionKind::Deleverage].map(count);
        assert_eq!(
            self.counters.map(|count| count as usize),
            counts,
            "the position's own counters (left) against journal"
        );
        let causes: BTreeSet<_> = self.deeds.iter().collect();
        assert_eq!(
            causes.len(),
            self.deeds.len(),
            "done twice for one cause: {:?}",
            self.deeds
        );
    }

    /// Intents with their outcomes, in the journal's order.
    fn settled(&self) -> Vec<(&Intent, &Outcome)> {
        let mut settled = Vec::new();
        let mut open: Option<&Intent> = None;
        let mut last = IntentId(0);
        for (index, record) in self.records.iter().enumerate() {
            match record {
                Record::Header(_) => assert_eq!(index, 0, "a second header"),
                Record::Intent(intent) => {
                    assert!(open.is_none(), "{:?} while {open:?} is open", intent.id);
                    assert!(intent.id > last, "{:?} after {last:?}", intent.id);
                    last = intent.id;
                    open = Some(intent);
                }
                Record::Outcome(record) => {
                    let intent = open.take().expect("an outcome without an open intent");
                    assert_eq!(intent.id, record.id);
                    settled.push((intent, &record.outcome));
                }
                Record::Paper(record) => panic!("in active mode: {record:?}"),
                Record::Override(record) => panic!("nobody gave one: {record:?}"),
                Record::Posting(_) | Record::Posted(_) => {}
            }
        }
        assert!(open.is_none(), "still open: {open:?}");
        settled
    }
}

/// What a transaction did: one action on the keeper's position.
async fn deed(
    chain: &dyn Chain,
    signature: &Signature,
    position: &Pubkey,
    keeper: &Pubkey,
) -> Result<Deed> {
    let record = chain.transaction(signature).await?;
    let record = record.with_context(|| format!("{signature} is listed but not there"))?;
    let mut deeds = Vec::new();
    for event in BallastEvent::in_logs(&record.logs) {
        let (action, of, by, sqrt_price_x64) = match event {
            BallastEvent::Rehedged(event) => (
                ActionKind::Rehedge,
                event.position,
                event.keeper,
                event.sqrt_price_x64,
            ),
            BallastEvent::Deleveraged(event) => (
                ActionKind::Deleverage,
                event.position,
                event.keeper,
                event.sqrt_price_x64,
            ),
            BallastEvent::Accrued(_) => continue,
            other => bail!("{signature} did something else: {other:?}"),
        };
        ensure!(
            of == *position && by == *keeper,
            "{signature}: {action} of {of} by {by}"
        );
        deeds.push(Deed {
            action,
            sqrt_price_x64,
        });
    }
    match deeds[..] {
        [deed] => Ok(deed),
        _ => bail!("{signature} is not one action but {deeds:?}"),
    }
}
