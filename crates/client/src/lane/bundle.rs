//! A block engine that takes bundles, in Jito's JSON-RPC (`sendBundle`, `getBundleStatuses`), with the nodes behind it.
//!
//! A transaction that pays a tip goes to the engine alone first, so that nobody sees it before it is in a block. Where the engine
//! refuses it, does not answer, or has not brought it into a block within [`BundleConfig::patience`], the same bytes go to the nodes, and
//! from then on only there. The engine decides nothing about what became of it: an engine that lies costs the patience.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use solana_sdk::{pubkey::Pubkey, signature::Signature, transaction::VersionedTransaction};
use tokio::time::Instant;

use super::{Lane, PlainLane, tip::tip_lamports};
use crate::{
    chain::{Chain, ChainError},
    endpoint::Endpoint,
    rpc::{RpcChain, RpcConfig},
};

/// Transactions whose way is remembered.
const REMEMBERED: usize = 256;
/// Longest name of a bundle that is believed.
const LONGEST_ID: usize = 128;
/// First time for which an engine that does not answer, or has too much to do, is left alone; doubles.
const FIRST_REST: Duration = Duration::from_secs(1);
/// Longest such time.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// A block engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleConfig {
    /// Where it is asked.
    pub endpoint: Endpoint,
    /// Accounts of which it takes tips. Transactions that tip none of them do not go to it.
    pub tip_accounts: Vec<Pubkey>,
    /// A question to it ends after this.
    pub timeout: Duration,
    /// How long it has for bringing a transaction into a block before the nodes get it as well.
    pub patience: Duration,
}

/// FallbackReason the nodes got a transaction that was for the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FallbackReason {
    /// It refused the transaction, or made no sense.
    Refused(String),
    /// It did not answer, or had too much to do.
    Unanswered(String),
    /// It was left alone, because it has not answered lately.
    Resting,
    /// It took it, and it was in no block in time.
    NotLanded,
}

impl fmt::Display for FallbackReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reason) | Self::Unanswered(reason) => f.write_str(reason),
            Self::Resting => {
                f.write_str("it has not answered lately and is left alone for a while")
            }
            Self::NotLanded => f.write_str("it took the bundle, which was in no block in time"),
        }
    }
}

/// A transaction that was for the engine and went to the nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// Which engine, without credentials.
    pub engine: String,
    /// Which transaction.
    pub signature: Signature,
    /// FallbackReason.
    pub why: FallbackReason,
}

/// Who is told of such transactions.
pub type OnFallback = Arc<dyn Fn(&Fallback) + Send + Sync>;

/// Counts of transactions that pay a tip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BundleTraffic {
    /// That the engine took.
    pub taken: u64,
    /// That went to the nodes, because it refused them.
    pub refused: u64,
    /// That went to the nodes, because it did not answer.
    pub unanswered: u64,
    /// That it took, and that went to the nodes because they did not land.
    pub not_landed: u64,
}

#[derive(Debug, Default)]
struct Counts {
    taken: AtomicU64,
    refused: AtomicU64,
    unanswered: AtomicU64,
    not_landed: AtomicU64,
}

/// The way of a transaction so far.
#[derive(Clone, Debug)]
enum Way {
    /// The engine has it, since then.
    Engine {
        bundle: String,
        since: Instant,
    },
    Nodes,
}

/// How long an engine is left alone that does not answer.
#[derive(Debug, Default)]
struct Rest {
    failures: u32,
    until: Option<Instant>,
}

impl Rest {
    fn is_over(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() >= until)
    }

    fn failed(&mut self) {
        let factor = 1u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        let rest = FIRST_REST.saturating_mul(factor).min(LONGEST_REST);
        self.until = Some(Instant::now() + rest);
    }
}

#[derive(Debug, Default)]
struct Known {
    ways: VecDeque<(Signature, Way)>,
    rest: Rest,
}

/// See the module's description.
pub struct BundleLane {
    config: BundleConfig,
    engine: RpcChain,
    nodes: PlainLane,
    known: Mutex<Known>,
    counts: Counts,
    on_fallback: Option<OnFallback>,
}

impl BundleLane {
    /// An engine with nodes behind it.
    pub fn new(
        config: BundleConfig,
        chain: Arc<dyn Chain>,
        on_fallback: Option<OnFallback>,
    ) -> Self {
        // So that nothing is tried twice: the nodes are there.
        let pause = config.timeout.saturating_mul(4);
        let asked = RpcConfig {
            backoff_first: pause,
            backoff_longest: pause,
            ..RpcConfig::new(config.timeout)
        };
        Self {
            engine: RpcChain::with_config(config.endpoint.clone(), asked, None),
            nodes: PlainLane::new(chain),
            known: Mutex::default(),
            counts: Counts::default(),
            config,
            on_fallback,
        }
    }

    /// Transactions with a tip so far.
    pub fn traffic(&self) -> BundleTraffic {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        BundleTraffic {
            taken: count(&self.counts.taken),
            refused: count(&self.counts.refused),
            unanswered: count(&self.counts.unanswered),
            not_landed: count(&self.counts.not_landed),
        }
    }

    /// The accounts of which the engine says that it takes tips.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn engines_tip_accounts(&self) -> Result<Vec<Pubkey>, ChainError> {
        let what = "getTipAccounts";
        let answer = self.engine.call(what, json!([])).await?;
        let accounts = answer.as_array().map(Vec::as_slice).unwrap_or_default();
        let read = accounts
            .iter()
            .map(|account| account.as_str()?.parse().ok());
        let read: Option<Vec<Pubkey>> = read.collect();
        read.filter(|accounts| !accounts.is_empty())
            .ok_or_else(|| self.bad_answer(what, "no list of addresses"))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Every change of it is whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn way(&self, signature: &Signature) -> Option<Way> {
        let known = self.known();
        let mut ways = known.ways.iter();
        let found = ways.find(|(of, _)| of == signature);
        found.map(|(_, way)| way.clone())
    }

    fn remember(&self, signature: Signature, way: Way) {
        let ways = &mut self.known().ways;
        ways.retain(|(of, _)| *of != signature);
        if ways.len() >= REMEMBERED {
            ways.pop_front();
        }
        ways.push_back((signature, way));
    }

    fn bad_answer(&self, what: &'static str, reason: &str) -> ChainError {
        ChainError::BadAnswer {
            endpoint: self.engine.label(),
            what,
            reason: reason.into(),
        }
    }

    /// Hands it to the engine; its name there.
    async fn send_bundle(
        &self,
        transaction: &VersionedTransaction,
    ) -> Result<String, FallbackReason> {
        if !self.known().rest.is_over() {
            return Err(FallbackReason::Resting);
        }
        let bytes = bincode::serialize(transaction).map_err(|error| {
            FallbackReason::Refused(format!("it cannot be written down: {error}"))
        })?;
        let params = json!([[STANDARD.encode(bytes)], { "encoding": "base64" }]);
        let what = "sendBundle";
        let answer = self.engine.call(what, params).await;
        let answer = answer.and_then(|answer| match answer.as_str() {
            Some(id) if (1..=LONGEST_ID).contains(&id.len()) => Ok(id.to_owned()),
            _ => Err(self.bad_answer(what, "no name of a bundle")),
        });
        let rest = &mut self.known().rest;
        match answer {
            Ok(id) => {
                *rest = Rest::default();
                Ok(id)
            }
            Err(error @ (ChainError::Unreachable { .. } | ChainError::Busy { .. })) => {
                rest.failed();
                Err(FallbackReason::Unanswered(error.to_string()))
            }
            Err(error) => Err(FallbackReason::Refused(error.to_string())),
        }
    }

    /// Whether the engine says that it has brought a bundle into a block.
    async fn says_landed(&self, bundle: &str) -> bool {
        let answer = self
            .engine
            .call("getBundleStatuses", json!([[bundle]]))
            .await;
        let Ok(answer) = answer else {
            return false;
        };
        let all = answer.get("value").and_then(Value::as_array);
        let is_this = |one: &&Value| one.get("bundle_id").and_then(Value::as_str) == Some(bundle);
        let this = all.and_then(|all| all.iter().find(is_this));
        this.is_some_and(|one| one.get("slot").is_some_and(Value::is_u64))
    }

    /// The nodes get it, from now on alone.
    async fn fall_back(
        &self,
        transaction: &VersionedTransaction,
        signature: Signature,
        why: FallbackReason,
    ) -> Result<(), ChainError> {
        let count = match why {
            FallbackReason::Refused(_) => &self.counts.refused,
            FallbackReason::Unanswered(_) | FallbackReason::Resting => &self.counts.unanswered,
            FallbackReason::NotLanded => &self.counts.not_landed,
        };
        count.fetch_add(1, Ordering::Relaxed);
        self.remember(signature, Way::Nodes);
        if let Some(tell) = &self.on_fallback {
            tell(&Fallback {
                engine: self.engine.label(),
                signature,
                why,
            });
        }
        self.nodes.submit(transaction).await
    }
}

#[async_trait]
impl Lane for BundleLane {
    fn label(&self) -> String {
        format!("{}, then {}", self.engine.label(), self.nodes.label())
    }

    async fn submit(&self, transaction: &VersionedTransaction) -> Result<(), ChainError> {
        let signature = transaction.signatures.first().copied().unwrap_or_default();
        if tip_lamports(transaction, &self.config.tip_accounts).is_none() {
            return self.nodes.submit(transaction).await;
        }
        let (since, is_new) = match self.way(&signature) {
            Some(Way::Nodes) => return self.nodes.submit(transaction).await,
            Some(Way::Engine { since, .. }) if since.elapsed() >= self.config.patience => {
                let why = FallbackReason::NotLanded;
                return self.fall_back(transaction, signature, why).await;
            }
            Some(Way::Engine { bundle, since }) => {
                if self.says_landed(&bundle).await {
                    return Ok(());
                }
                (since, false)
            }
            None => (Instant::now(), true),
        };
        match self.send_bundle(transaction).await {
            Ok(bundle) => {
                if is_new {
                    self.counts.taken.fetch_add(1, Ordering::Relaxed);
                }
                self.remember(signature, Way::Engine { bundle, since });
                Ok(())
            }
            Err(why) => self.fall_back(transaction, signature, why).await,
        }
    }
}
