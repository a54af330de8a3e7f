//! One of several nodes of the simulated cluster, with manners of its own: it may lag, hang, lie, or pass transactions on too late or twice.

use std::{
    sync::{Arc, Mutex, MutexGuard, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use ballast_client::{
    Account, AccountFilter, Accounts, BallastError, Blockhash, Chain, ChainError, Confirmation,
    OwnedAccounts, Position, Simulation, TransactionRecord, TransactionStatus,
    VersionedTransaction, decode,
};
use solana_sdk::{pubkey::Pubkey, signature::Signature};
use tokio::{sync::watch, time::sleep};

use super::{World, execution::custom};

/// How long a client waits for a node that hangs.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How a node behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manners {
    /// Slots by which it lags.
    pub lag: u64,
    /// How it answers.
    pub answers: Answers,
    /// What it says that is not so.
    pub lie: Lie,
    /// What it does with transactions.
    pub passes_on: PassesOn,
}

/// How a node answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answers {
    /// At once.
    #[default]
    Well,
    /// Not at all; the connection stays open.
    Hangs,
    /// Nobody is there.
    Gone,
    /// "Too many requests", in so many percent of its answers.
    Busy(u64),
    /// Something that is no answer, in so many percent of its answers.
    Garbage(u64),
}

/// What a node says that is not so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lie {
    /// Nothing.
    #[default]
    None,
    /// That every transaction has landed, finally.
    Landed,
    /// As before, and that the clock of blocks is far ahead: what has not landed has expired.
    Expired,
    /// That no transaction is known.
    Unknown,
    /// Slots of the future.
    Slots(u64),
    /// That blockhashes have been used up.
    ShortBlockhash,
    /// Blockhashes that are none.
    NoBlockhash,
    /// That every transaction would fail.
    WouldFail,
    /// That so many more blocks have been made.
    Ahead(u64),
    /// A fork that nobody else is on: transactions are confirmed at once, and gone after this many slots.
    Fork(u64),
    /// That every position has a little more than it has.
    Positions,
}

/// What a node does with transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PassesOn {
    /// Passes them on.
    #[default]
    AtOnce,
    /// After so many seconds, when it has long said that it did not take them.
    Later(u64),
    /// Twice.
    Twice,
    /// Not, though it says so.
    Never,
}

/// See the module's description.
#[derive(Clone)]
pub struct Node {
    world: World,
    name: String,
    manners: Arc<Mutex<Manners>>,
    seen: Arc<Mutex<Vec<(Signature, u64)>>>,
    /// Whether whoever asks it is paused: its questions wait, before and after.
    paused: watch::Sender<bool>,
}

impl Node {
    /// Another way to see a world.
    pub fn of(world: &World, number: usize, manners: Manners) -> Self {
        let node = Self {
            world: world.through_another_node(),
            name: format!("http://node-{number}"),
            manners: Arc::default(),
            seen: Arc::default(),
            paused: watch::Sender::new(false),
        };
        node.behave(manners);
        node
    }

    /// Changes its manners.
    pub fn behave(&self, manners: Manners) {
        self.world.lag.store(manners.lag, Ordering::Relaxed);
        *self.manners.lock().unwrap() = manners;
        let line = || format!("{} behaves: {manners:?}", self.name);
        self.world.note(line);
    }

    /// It is set up anew, with a snapshot of now.
    pub fn begins_anew(&self) {
        self.world.begins_anew();
    }

    /// With who asks another one, pauses and goes on.
    pub fn paused_by(self, paused: watch::Sender<bool>) -> Self {
        Self { paused, ..self }
    }

    async fn goes_on(&self) {
        let mut paused = self.paused.subscribe();
        // The sender is this one's own.
        let _ = paused.wait_for(|paused| !paused).await;
    }

    fn manners(&self) -> Manners {
        *self.manners.lock().unwrap()
    }

    fn seen(&self) -> MutexGuard<'_, Vec<(Signature, u64)>> {
        self.seen.lock().unwrap()
    }

    /// Whether it answers this time.
    async fn answers(&self, what: &'static str) -> Result<(), ChainError> {
        let endpoint = self.label();
        match self.manners().answers {
            Answers::Busy(percent) if self.world.lock().chance(percent) => Err(ChainError::Busy {
                endpoint,
                what,
                reason: "HTTP 429 Too Many Requests".into(),
            }),
            Answers::Garbage(percent) if self.world.lock().chance(percent) => {
                Err(ChainError::BadAnswer {
                    endpoint,
                    what,
                    reason: "17 bytes that are no JSON-RPC".into(),
                })
            }
            Answers::Well | Answers::Busy(_) | Answers::Garbage(_) => Ok(()),
            Answers::Hangs => {
                sleep(REQUEST_TIMEOUT).await;
                Err(ChainError::Unreachable {
                    endpoint,
                    reason: "no answer within 10s".into(),
                })
            }
            Answers::Gone => Err(ChainError::Unreachable {
                endpoint,
                reason: "connection refused".into(),
            }),
        }
    }

    /// What it says, if it answers, which is noted.
    async fn tell<T>(
        &self,
        what: &'static str,
        told: impl Future<Output = Result<T, ChainError>>,
        brief: impl FnOnce(&T) -> String,
    ) -> Result<T, ChainError> {
        self.goes_on().await;
        let told = match self.answers(what).await {
            Ok(()) => told.await,
            Err(error) => Err(error),
        };
        self.goes_on().await;
        self.world.note(|| {
            let brief = match &told {
                Ok(told) => brief(told),
                Err(error) => error.to_string(),
            };
            format!("{} {what}: {brief}", self.name)
        });
        told
    }

    /// An account as it tells it.
    fn account_told(&self, account: Account) -> Account {
        let lies = self.manners().lie == Lie::Positions;
        match decode::<Position>(&Pubkey::default(), &account) {
            Ok(mut position) if lies => {
                position.idle_quote += 1;
                super::bytes::position_account(&position)
            }
            _ => account,
        }
    }

    /// A slot as it tells it.
    fn slot_told(&self, slot: u64) -> u64 {
        match self.manners().lie {
            Lie::Slots(ahead) => slot.saturating_add(ahead),
            _ => slot,
        }
    }
}

#[async_trait]
impl Chain for Node {
    fn label(&self) -> String {
        self.name.clone()
    }

    async fn accounts(&self, addresses: &[Pubkey]) -> Result<Accounts, ChainError> {
        let told = async {
            let answer = self.world.accounts(addresses).await?;
            let slot = self.slot_told(answer.slot);
            let accounts = answer.accounts.into_iter();
            let accounts = accounts.map(|account| Some(self.account_told(account?)));
            Ok(Accounts {
                slot,
                accounts: accounts.collect(),
            })
        };
        let brief = |told: &Accounts| format!("{} at {}", addresses.len(), told.slot);
        self.tell("getMultipleAccounts", told, brief).await
    }

    async fn program_accounts(
        &self,
        program: &Pubkey,
        filters: &[AccountFilter],
    ) -> Result<OwnedAccounts, ChainError> {
        let told = async {
            let answer = self.world.program_accounts(program, filters).await?;
            let slot = answer.slot.map(|slot| self.slot_told(slot));
            let accounts = answer.accounts.into_iter();
            let accounts = accounts.map(|(address, account)| (address, self.account_told(account)));
            Ok(OwnedAccounts {
                slot,
                accounts: accounts.collect(),
            })
        };
        let brief = |told: &OwnedAccounts| format!("at {:?}", told.slot);
        self.tell("getProgramAccounts", told, brief).await
    }

    async fn latest_blockhash(&self) -> Result<Blockhash, ChainError> {
        let told = async {
            let answer = self.world.latest_blockhash().await?;
            let last = answer.last_valid_block_height;
            Ok(match self.manners().lie {
                Lie::ShortBlockhash => Blockhash {
                    last_valid_block_height: last - 400,
                    ..answer
                },
                Lie::NoBlockhash => Blockhash {
                    hash: self.world.lock().unknown_blockhash(),
                    ..answer
                },
                _ => answer,
            })
        };
        let brief = |told: &Blockhash| format!("{told:?}");
        self.tell("getLatestBlockhash", told, brief).await
    }

    async fn block_height(&self) -> Result<u64, ChainError> {
        let told = async {
            let height = self.world.block_height().await?;
            Ok(match self.manners().lie {
                Lie::Expired => height.saturating_add(1_000_000),
                Lie::Ahead(blocks) => height.saturating_add(blocks),
                _ => height,
            })
        };
        self.tell("getBlockHeight", told, u64::to_string).await
    }

    async fn slot(&self) -> Result<u64, ChainError> {
        let told = async { Ok(self.slot_told(self.world.slot().await?)) };
        self.tell("getSlot", told, u64::to_string).await
    }

    async fn first_available_slot(&self) -> Result<Option<u64>, ChainError> {
        let told = self.world.first_available_slot();
        let brief = |told: &Option<u64>| format!("{told:?}");
        self.tell("getFirstAvailableBlock", told, brief).await
    }

    async fn simulate(&self, transaction: &VersionedTransaction) -> Result<Simulation, ChainError> {
        let told = async {
            let answer = self.world.simulate(transaction).await?;
            Ok(match self.manners().lie {
                Lie::WouldFail => Simulation {
                    error: Some(custom(BallastError::SwapLossTooHigh)),
                    ..answer
                },
                _ => answer,
            })
        };
        let brief = |told: &Simulation| format!("{:?}", told.error);
        self.tell("simulateTransaction", told, brief).await
    }

    async fn submit(&self, transaction: &VersionedTransaction) -> Result<(), ChainError> {
        let manners = self.manners();
        let signature = transaction.signatures[0];
        if !self.seen().iter().any(|(seen, _)| *seen == signature) {
            let slot = self.world.lock().slot();
            self.seen().push((signature, slot));
        }
        match manners.passes_on {
            PassesOn::AtOnce => {}
            PassesOn::Twice => self.world.submit(transaction).await?,
            PassesOn::Never => return Ok(()),
            PassesOn::Later(secs) => {
                let (world, transaction) = (self.world.clone(), transaction.clone());
                tokio::spawn(async move {
                    sleep(Duration::from_secs(secs)).await;
                    // Long out of the keeper's hands: no crash of its stops it.
                    world.lock().submit(&transaction);
                });
                return Err(ChainError::Unreachable {
                    endpoint: self.label(),
                    reason: "the connection broke".into(),
                });
            }
        }
        let sent = self.world.submit(transaction);
        self.tell("sendTransaction", sent, |()| signature.to_string())
            .await
    }

    async fn status(
        &self,
        signature: &Signature,
        search_history: bool,
    ) -> Result<Option<TransactionStatus>, ChainError> {
        let told = async {
            let truth = self.world.status(signature, search_history).await?;
            let sent = self
                .seen()
                .iter()
                .find(|(seen, _)| seen == signature)
                .copied();
            let claim = |slot| {
                sent.map(|_| TransactionStatus {
                    slot,
                    error: None,
                    confirmation: Confirmation::Finalized,
                })
            };
            Ok(match self.manners().lie {
                Lie::Landed => claim(u64::MAX),
                Lie::Expired | Lie::Unknown => None,
                Lie::Fork(lives) => {
                    let slot = self.world.lock().slot();
                    let on_fork = sent.filter(|(_, at)| slot < at + lives);
                    on_fork.map_or(truth, |(_, at)| claim(at))
                }
                _ => truth,
            })
        };
        let brief = |told: &Option<TransactionStatus>| format!("{signature} {told:?}");
        self.tell("getSignatureStatuses", told, brief).await
    }

    async fn transaction(
        &self,
        signature: &Signature,
    ) -> Result<Option<TransactionRecord>, ChainError> {
        // Nobody makes up what a transaction did, only that it did.
        let told = async {
            let truth = self.world.status(signature, true).await?;
            Ok(truth.map(|status| TransactionRecord {
                slot: status.slot,
                error: status.error,
                logs: Vec::new(),
                units: None,
                fee_lamports: 5_000,
            }))
        };
        let brief = |told: &Option<TransactionRecord>| {
            format!("{signature} {:?}", told.as_ref().map(|it| it.slot))
        };
        self.tell("getTransaction", told, brief).await
    }

    async fn newest_signature(&self, address: &Pubkey) -> Result<Option<Signature>, ChainError> {
        let told = self.world.newest_signature(address);
        let brief = |told: &Option<Signature>| format!("{told:?}");
        self.tell("getSignaturesForAddress", told, brief).await
    }

    async fn recent_fees(&self, writable: &[Pubkey]) -> Result<Vec<u64>, ChainError> {
        self.world.recent_fees(writable).await
    }

    async fn rent_lamports(&self, length: usize) -> Result<u64, ChainError> {
        let told = self.world.rent_lamports(length);
        self.tell("getMinimumBalanceForRentExemption", told, u64::to_string)
            .await
    }
}
