//! A small chain with a history for tests of streams, and a stream of it that is told what to leave out. Time is simulated: a slot every
//! 400 ms.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use ballast_client::{
    Account, AccountFilter, Accounts, Blockhash, Chain, ChainError, OwnedAccounts, PastTransaction,
    Position, Simulation, TransactionRecord, TransactionStatus, VersionedTransaction,
};
use ballast_feed::{Feed, FeedError, Update, Updates, Wanted};
use ballast_strategy::fixtures;
use solana_sdk::{
    instruction::{AccountMeta, Instruction},
    message::{Message, VersionedMessage},
    pubkey::Pubkey,
    signature::Signature,
};
use tokio::time::{Instant, sleep, sleep_until};

use crate::sim::bytes;

const SLOT_TIME: Duration = Duration::from_millis(400);
const FIRST_SLOT: u64 = 1_000;

/// A change of a position in a transaction.
struct Change {
    slot: u64,
    address: Pubkey,
    /// `None`: closed.
    position: Option<Position>,
    /// Whether it was undone since, because its slot died.
    dead: bool,
}

struct Inner {
    began: Instant,
    changes: Vec<Change>,
    /// Slots by which the node that answers questions lags.
    lag: u64,
    /// Whether the node lists transactions and shows them.
    lists: bool,
    shows: bool,
    reads_of_all: usize,
}

/// See the module's description.
#[derive(Clone)]
pub struct Ledger(Arc<Mutex<Inner>>);

impl Ledger {
    /// With these positions.
    pub fn new(positions: &[Pubkey]) -> Self {
        let changes = positions.iter().map(|address| Change {
            slot: 0,
            address: *address,
            position: Some(bytes::position_at(address)),
            dead: false,
        });
        Self(Arc::new(Mutex::new(Inner {
            began: Instant::now(),
            changes: changes.collect(),
            lag: 0,
            lists: true,
            shows: true,
            reads_of_all: 0,
        })))
    }

    /// The node that answers questions is so many slots behind the one that streams.
    pub fn lag(&self, slots: u64) {
        self.0.lock().unwrap().lag = slots;
    }

    /// The node does not list transactions.
    pub fn lists_nothing(&self) {
        self.0.lock().unwrap().lists = false;
    }

    /// The node lists transactions, but does not have them.
    pub fn shows_nothing(&self) {
        self.0.lock().unwrap().shows = false;
    }

    /// How often all positions were asked for.
    pub fn reads_of_all(&self) -> usize {
        self.0.lock().unwrap().reads_of_all
    }

    /// The slot now.
    pub fn now(&self) -> u64 {
        let elapsed = self.0.lock().unwrap().began.elapsed();
        FIRST_SLOT + u64::try_from(elapsed.as_millis() / SLOT_TIME.as_millis()).unwrap()
    }

    /// Writes a position.
    pub fn write(&self, address: Pubkey, change: impl FnOnce(&mut Position)) {
        let mut position = bytes::position_at(&address);
        change(&mut position);
        self.push(address, Some(position));
    }

    /// Closes one.
    pub fn close(&self, address: Pubkey) {
        self.push(address, None);
    }

    fn push(&self, address: Pubkey, position: Option<Position>) {
        let slot = self.now();
        self.0.lock().unwrap().changes.push(Change {
            slot,
            address,
            position,
            dead: false,
        });
    }

    /// What was done in this slot has not happened.
    pub fn die(&self, slot: u64) {
        let mut inner = self.0.lock().unwrap();
        let died = inner
            .changes
            .iter_mut()
            .filter(|change| change.slot == slot);
        died.for_each(|change| change.dead = true);
    }

    fn answering(&self) -> u64 {
        let now = self.now();
        now - self.0.lock().unwrap().lag
    }

    fn account(&self, address: &Pubkey, slot: u64) -> Option<Account> {
        let context = bytes::context();
        let known = context.snapshot_addresses();
        if let Some(index) = known.iter().position(|known| known == address) {
            let market = bytes::market_accounts(&fixtures::snapshot(200), slot);
            return market.accounts[index].clone();
        }
        let inner = self.0.lock().unwrap();
        let changes = inner.changes.iter().rev();
        let mut standing = changes.filter(|change| !change.dead && change.slot <= slot);
        let newest = standing.find(|change| change.address == *address)?;
        newest.position.as_ref().map(bytes::position_account)
    }

    fn refused<T>(what: &'static str) -> Result<T, ChainError> {
        Err(ChainError::Refused {
            endpoint: "ledger".into(),
            what,
            reason: "it is not known here".into(),
        })
    }
}

#[async_trait]
impl Chain for Ledger {
    fn label(&self) -> String {
        "ledger".into()
    }

    async fn accounts(&self, addresses: &[Pubkey]) -> Result<Accounts, ChainError> {
        sleep(Duration::from_millis(5)).await;
        let slot = self.answering();
        let accounts = addresses.iter().map(|address| self.account(address, slot));
        Ok(Accounts {
            slot,
            accounts: accounts.collect(),
        })
    }

    async fn program_accounts(
        &self,
        _: &Pubkey,
        _: &[AccountFilter],
    ) -> Result<OwnedAccounts, ChainError> {
        sleep(Duration::from_millis(20)).await;
        let slot = self.answering();
        let mut addresses: Vec<Pubkey> = {
            let mut inner = self.0.lock().unwrap();
            inner.reads_of_all += 1;
            inner.changes.iter().map(|change| change.address).collect()
        };
        addresses.sort_unstable();
        addresses.dedup();
        let found = addresses.into_iter();
        let found = found.filter_map(|address| Some((address, self.account(&address, slot)?)));
        Ok(OwnedAccounts {
            slot: Some(slot),
            accounts: found.collect(),
        })
    }

    async fn slot(&self) -> Result<u64, ChainError> {
        sleep(Duration::from_millis(1)).await;
        Ok(self.answering())
    }

    async fn history(
        &self,
        _: &Pubkey,
        _: Option<&Signature>,
        limit: usize,
    ) -> Result<Option<Vec<PastTransaction>>, ChainError> {
        let now = self.answering();
        let inner = self.0.lock().unwrap();
        if !inner.lists {
            return Self::refused("getSignaturesForAddress");
        }
        let listed = inner.changes.iter().enumerate().rev();
        let listed = listed.filter(|(_, change)| !change.dead && (1..=now).contains(&change.slot));
        let listed = listed.map(|(index, change)| PastTransaction {
            signature: Signature::from([u8::try_from(index).unwrap(); 64]),
            slot: change.slot,
            secs: None,
            failed: false,
        });
        Ok(Some(listed.take(limit).collect()))
    }

    async fn signed_transaction(
        &self,
        signature: &Signature,
    ) -> Result<Option<VersionedTransaction>, ChainError> {
        let inner = self.0.lock().unwrap();
        if !inner.shows {
            return Ok(None);
        }
        let change = &inner.changes[usize::from(signature.as_ref()[0])];
        let accounts = [bytes::context().address, change.address];
        let accounts = accounts.map(|address| AccountMeta::new(address, false));
        let instruction = Instruction::new_with_bytes(ballast::ID, &[], accounts.to_vec());
        Ok(Some(VersionedTransaction {
            signatures: vec![*signature],
            message: VersionedMessage::Legacy(Message::new(&[instruction], None)),
        }))
    }

    async fn latest_blockhash(&self) -> Result<Blockhash, ChainError> {
        Self::refused("getLatestBlockhash")
    }

    async fn block_height(&self) -> Result<u64, ChainError> {
        Self::refused("getBlockHeight")
    }

    async fn simulate(&self, _: &VersionedTransaction) -> Result<Simulation, ChainError> {
        Self::refused("simulateTransaction")
    }

    async fn submit(&self, _: &VersionedTransaction) -> Result<(), ChainError> {
        Self::refused("sendTransaction")
    }

    async fn status(
        &self,
        _: &Signature,
        _: bool,
    ) -> Result<Option<TransactionStatus>, ChainError> {
        Self::refused("getSignatureStatuses")
    }

    async fn transaction(&self, _: &Signature) -> Result<Option<TransactionRecord>, ChainError> {
        Self::refused("getTransaction")
    }

    async fn recent_fees(&self, _: &[Pubkey]) -> Result<Vec<u64>, ChainError> {
        Self::refused("getRecentPrioritizationFees")
    }

    async fn rent_lamports(&self, _: usize) -> Result<u64, ChainError> {
        Self::refused("getMinimumBalanceForRentExemption")
    }
}

/// What a stream tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// Every position that changes, and the clock.
    All,
    /// The clock, and slots.
    Clock,
    /// Slots, and nothing else.
    Slots,
    /// The clock for so many slots, then slots alone.
    ClockUntil(u64),
}

/// Streams of a ledger.
pub struct LedgerFeed {
    pub ledger: Ledger,
    pub tells: Tells,
    /// So many slots after a change it tells that its slot is dead.
    pub dies_after: Option<u64>,
}

#[async_trait]
impl Feed for LedgerFeed {
    fn label(&self) -> String {
        "ledger".into()
    }

    async fn subscribe(&self, wanted: &[Wanted]) -> Result<Box<dyn Updates>, FeedError> {
        sleep(Duration::from_millis(30)).await;
        Ok(Box::new(LedgerUpdates {
            market: wanted[0].market,
            began: self.ledger.now(),
            told: self.ledger.now(),
            ledger: self.ledger.clone(),
            tells: self.tells,
            dies_after: self.dies_after,
            queue: VecDeque::new(),
        }))
    }
}

struct LedgerUpdates {
    market: Pubkey,
    began: u64,
    /// Slot up to which everything was told.
    told: u64,
    ledger: Ledger,
    tells: Tells,
    dies_after: Option<u64>,
    queue: VecDeque<Update>,
}

impl LedgerUpdates {
    fn tell(&mut self, slot: u64) {
        self.queue.push_back(Update::Slot(slot));
        let market = self.market;
        let clock = solana_sdk::sysvar::clock::ID;
        let tells_clock = match self.tells {
            Tells::All | Tells::Clock => true,
            Tells::Slots => false,
            Tells::ClockUntil(slots) => slot < self.began + slots,
        };
        let update = |address, account| Update::Account {
            market,
            address,
            slot,
            write_version: None,
            account,
        };
        if tells_clock {
            let account = self.ledger.account(&clock, slot).unwrap();
            self.queue.push_back(update(clock, account));
        }
        if self.tells != Tells::All {
            return;
        }
        let inner = self.ledger.0.lock().unwrap();
        // That one is closed no stream tells: it belongs to the program no longer.
        for change in inner.changes.iter().filter(|change| change.slot == slot) {
            if let Some(position) = &change.position {
                let account = bytes::position_account(position);
                self.queue.push_back(update(change.address, account));
            }
        }
        if let Some(died) = self.dies_after.and_then(|after| slot.checked_sub(after))
            && inner.changes.iter().any(|change| change.slot == died)
        {
            self.queue.push_back(Update::Dead(died));
        }
    }
}

#[async_trait]
impl Updates for LedgerUpdates {
    async fn next(&mut self) -> Result<Update, FeedError> {
        loop {
            if let Some(update) = self.queue.pop_front() {
                return Ok(update);
            }
            // A slot is told once it is over.
            let slot = self.told + 1;
            let ends = self.ledger.0.lock().unwrap().began
                + SLOT_TIME * u32::try_from(slot + 1 - FIRST_SLOT).unwrap();
            sleep_until(ends).await;
            self.told = slot;
            self.tell(slot);
        }
    }
}
