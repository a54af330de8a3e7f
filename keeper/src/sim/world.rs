//! The cluster's state by slot: its clock, what people and markets do, how badly it behaves. What transactions do is
//! [`super::execution`]'s.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ballast_client::{Account, Blockhash, MarketSnapshot, Position, VersionedTransaction};
use ballast_model::Amounts;
use solana_sdk::{hash::Hash, pubkey::Pubkey, signature::Signature, transaction::TransactionError};
use tokio::time::Instant;

use super::{Crash, fork::Forks, seeds::draw, state::State};
use crate::control::SystemClock;
use ballast_strategy::{
    decide::ActionKind,
    fixtures::{self, NOW, SLOT},
};

const SLOT_TIME: Duration = Duration::from_millis(400);
/// What the keeper has at first, lamports.
const PURSE: u64 = 1_000_000_000;
/// Slots without a block before the test began.
pub(super) const SKIPPED_SLOTS: u64 = 500;
/// Slots by which `confirmed` trails.
pub const CONFIRMED_LAG: u64 = 2;
/// Slots by which what is final trails.
pub const FINAL_LAG: u64 = 32;

/// How badly the cluster and its nodes behave, in percent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// A question is not answered, or the answer is lost.
    pub no_answer: u64,
    /// A transaction is taken by the node and then lost.
    pub lost: u64,
    /// A transaction lands and fails.
    pub fails: u64,
    /// An answer comes from a node that lags.
    pub lags: u64,
    /// By at most so many slots; by exactly so many if all nodes lag.
    pub lag_slots: u64,
}

/// A transaction that somebody handed in.
#[derive(Clone, Debug)]
pub struct Transaction {
    pub position: Pubkey,
    pub action: ActionKind,
    pub last_valid_block_height: u64,
    /// Slot in which it is included.
    pub lands_at: Option<u64>,
    /// Once it has taken effect.
    pub result: Option<Result<(), TransactionError>>,
    /// When a fork last took that back.
    pub taken_back_at: Option<u64>,
}

/// An action that took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Landing {
    pub position: Pubkey,
    pub action: ActionKind,
    pub slot: u64,
}

pub struct Inner {
    random: u64,
    began: Instant,
    /// When people or markets last did something, which every fork takes in at once.
    pub(super) outside_at: u64,
    pub(super) forks: Forks,
    pub keeper: Pubkey,
    pub faults: Faults,
    pub(super) history: Vec<(u64, State)>,
    pub(super) blockhashes: HashMap<Hash, u64>,
    pub transactions: BTreeMap<Signature, Transaction>,
    pub landings: Vec<Landing>,
    pub violations: Vec<String>,
    /// What was simulated.
    pub simulated: Vec<VersionedTransaction>,
    /// Accounts beside those of the market.
    pub others: HashMap<Pubkey, Account>,
    /// The node gives the same blockhash again and again.
    pub blockhash_stands: bool,
    pub(super) last_blockhash: Option<Blockhash>,
    /// The node finds no position, unless asked for by its address.
    pub finds_nothing: bool,
    /// A simulation of such fails.
    pub refuses: Option<ActionKind>,
    /// Such a transaction is taken by the node and then lost.
    pub loses: Option<ActionKind>,
    /// The pool program does not know how to move a position.
    pub cannot_reset_range: bool,
    /// Positions that were replaced instead.
    pub replaced: usize,
    /// The node keeps no history of transactions.
    pub no_history: bool,
    /// What else the node refuses, by the name of the question.
    pub refused: BTreeSet<&'static str>,
    /// Lookup tables.
    pub tables: BTreeMap<Pubkey, Account>,
    /// The newest transaction that the node lists.
    pub newest: Option<Signature>,
    /// When the oracle fell silent.
    silent_since_secs: Option<i64>,
    /// The slot at which the node stands still.
    pub(super) stands_at: Option<u64>,
    /// How often a node was handed a transaction.
    pub submits: usize,
    /// By how much the keeper's clock is wrong.
    pub clock_off_secs: i64,
    /// What happened, a line each, where that is wanted.
    pub trace: Option<Vec<String>>,
}

/// Where the market's lookup table is at first.
pub const TABLE: Pubkey = Pubkey::new_from_array([41; 32]);

#[derive(Clone)]
pub struct World {
    inner: Arc<Mutex<Inner>>,
    pub crash: Crash,
    /// Slots by which the node lags through which the world is seen.
    pub lag: Arc<AtomicU64>,
    /// The lowest slot whose block that node keeps: it began with a snapshot.
    pub first_slot: Arc<AtomicU64>,
}

impl World {
    /// Positions of the worked example in a market at 200 whose rates are 0.
    pub fn new(seed: u64, keeper: Pubkey, positions: u8, faults: Faults) -> Self {
        let mut market = fixtures::snapshot(200);
        // It was shown a price just before.
        for shown_secs in [
            &mut market.market.last_base_publish_secs,
            &mut market.market.last_quote_publish_secs,
        ] {
            *shown_secs = market.now_secs - 1;
        }
        for reserve in [&mut market.base_reserve, &mut market.quote_reserve] {
            reserve.rate_at_zero_bps = 0;
            reserve.rate_at_kink_bps = 0;
            reserve.rate_at_full_bps = 0;
        }
        market.market.limits.min_rebalance_interval_secs = 0;
        let position = |number: u8| {
            let address = Pubkey::new_from_array([100 + number; 32]);
            (address, super::bytes::position_at(&address))
        };
        let mut state = State {
            market,
            positions: (0..positions).map(position).collect(),
            fees: BTreeMap::new(),
        };
        state.book_debts();
        let inner = Inner {
            random: seed,
            began: Instant::now(),
            outside_at: 0,
            forks: Forks::new(seed),
            keeper,
            faults,
            history: vec![(0, state)],
            blockhashes: HashMap::new(),
            transactions: BTreeMap::new(),
            landings: Vec::new(),
            violations: Vec::new(),
            simulated: Vec::new(),
            others: HashMap::from([(keeper, super::bytes::lamports(PURSE))]),
            blockhash_stands: false,
            last_blockhash: None,
            finds_nothing: false,
            refuses: None,
            loses: None,
            cannot_reset_range: false,
            replaced: 0,
            no_history: false,
            refused: BTreeSet::new(),
            tables: BTreeMap::from([(TABLE, super::bytes::lookup_table())]),
            newest: None,
            silent_since_secs: None,
            stands_at: None,
            submits: 0,
            clock_off_secs: 0,
            trace: None,
        };
        Self {
            inner: Arc::new(Mutex::new(inner)),
            crash: Crash::default(),
            lag: Arc::default(),
            first_slot: Arc::default(),
        }
    }

    /// The same world through another node, which may lag.
    pub fn through_another_node(&self) -> Self {
        Self {
            lag: Arc::default(),
            first_slot: Arc::default(),
            ..self.clone()
        }
    }

    /// From now on its node knows of no block before this moment.
    pub fn begins_anew(&self) {
        let slot = self.lock().slot();
        self.first_slot.store(slot, Ordering::Relaxed);
    }

    /// The clock of the machines on which keepers run.
    pub fn system_clock(&self) -> SystemClock {
        let world = self.clone();
        Arc::new(move || {
            let inner = world.inner.lock().unwrap();
            NOW + i64::try_from(inner.began.elapsed().as_secs()).unwrap() + inner.clock_off_secs
        })
    }

    /// Adds a line to the trace, if there is one. Nothing else happens: what is traced goes as it does untraced.
    pub fn note(&self, line: impl FnOnce() -> String) {
        self.inner.lock().unwrap().note(line);
    }

    /// The world, with everything done that is due by now.
    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock().unwrap();
        inner.advance();
        inner
    }
}

impl Inner {
    /// A number below `bound`.
    pub fn random(&mut self, bound: u64) -> u64 {
        draw(&mut self.random, bound)
    }

    /// Adds a line to the trace, if there is one.
    pub fn note(&mut self, line: impl FnOnce() -> String) {
        let (at, slot) = (self.began.elapsed(), self.slot());
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>9.3} {slot} {}", at.as_secs_f64(), line()));
        }
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.random(100) < percent
    }

    pub fn slot(&self) -> u64 {
        SLOT + u64::try_from(self.began.elapsed().as_millis() / SLOT_TIME.as_millis()).unwrap()
    }

    pub fn block_height(&self) -> u64 {
        self.slot() - SKIPPED_SLOTS
    }

    pub fn confirmed_slot(&self) -> u64 {
        self.slot() - CONFIRMED_LAG
    }

    /// The state at a slot, with the clock and fresh prices of that slot.
    pub fn state_at(&self, slot: u64) -> State {
        let (_, state) = self
            .history
            .iter()
            .rev()
            .find(|(since, _)| *since <= slot)
            .unwrap();
        let mut state = state.clone();
        let elapsed = SLOT_TIME * u32::try_from(slot - (SLOT - CONFIRMED_LAG).min(slot)).unwrap();
        state.market.now_secs = NOW + i64::try_from(elapsed.as_secs()).unwrap();
        state.market.slot = slot;
        let published = self.silent_since_secs.unwrap_or(i64::MAX);
        let published = published.min(state.market.now_secs);
        state.market.base_price.publish_time = published;
        state.market.quote_price.publish_time = published;
        state
    }

    /// No new price is published from now on.
    pub fn silence_oracle(&mut self) {
        let now_secs = self.state_at(self.slot()).market.now_secs;
        self.silent_since_secs = Some(now_secs);
    }

    /// Prices are published again.
    pub fn wake_oracle(&mut self) {
        self.silent_since_secs = None;
    }

    /// The node answers, but learns of nothing new.
    pub fn stand_still(&mut self) {
        self.stands_at = Some(self.confirmed_slot());
    }

    pub(super) fn change(&mut self, slot: u64, change: impl FnOnce(&mut State)) {
        let mut state = self.state_at(slot);
        change(&mut state);
        state.book_debts();
        self.history.push((slot, state));
    }

    /// People or markets do something now.
    fn change_now(&mut self, change: impl FnOnce(&mut State)) {
        let slot = self.slot();
        self.outside_at = slot;
        self.change(slot, change);
    }

    /// Lets every position earn.
    pub fn earn(&mut self, fees: Amounts) {
        self.change_now(|state| {
            for address in state.positions.keys() {
                state.fees.insert(*address, fees);
            }
        });
    }

    /// Lets the owners change their positions.
    pub fn change_positions(&mut self, change: impl Fn(&mut Position)) {
        self.change_now(|state| state.positions.values_mut().for_each(change));
    }

    /// Changes the market.
    pub fn change_market(&mut self, change: impl FnOnce(&mut MarketSnapshot)) {
        self.change_now(|state| change(&mut state.market));
    }

    /// Moves oracle and pool.
    pub fn set_price(&mut self, dollars: i64) {
        let new = fixtures::snapshot(dollars);
        self.change_now(|state| {
            state.market.pool = new.pool;
            state.market.base_price = new.base_price;
        });
    }

    /// Undoes everything that was done to the positions.
    pub fn restore_positions(&mut self) {
        self.change_now(|state| {
            for (address, position) in &mut state.positions {
                *position = super::bytes::position_at(address);
            }
        });
    }

    /// A blockhash that is none: what is signed on it lands nowhere.
    pub fn unknown_blockhash(&mut self) -> Hash {
        let mut hash = [0xff; 32];
        hash[..8].copy_from_slice(&self.random(u64::MAX).to_le_bytes());
        let hash = hash.into();
        self.blockhashes.insert(hash, 0);
        hash
    }

    pub fn blockhash(&mut self) -> Blockhash {
        if let Some(last) = self.last_blockhash.filter(|_| self.blockhash_stands) {
            return last;
        }
        let last_valid_block_height = self.block_height() + 150;
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&last_valid_block_height.to_le_bytes());
        hash[8..16].copy_from_slice(&self.random(u64::MAX).to_le_bytes());
        let hash = hash.into();
        self.blockhashes.insert(hash, last_valid_block_height);
        let new = Blockhash {
            hash,
            last_valid_block_height,
        };
        self.last_blockhash = Some(new);
        new
    }
}
