//! A whole keeper with a hedge on the simulated chain and the paper venue, and what is asked of both.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use ballast_venue::{
    clock::Clock,
    depth::{Depth, Level},
    hedge::journal::{Entry, Journal, file_name},
    hyperliquid::bytes::Address,
    instrument::Instrument,
    paper::{
        exchange::{Exchange, Fees},
        venue::{PaperVenue, Tape},
    },
    venue::{Done, Order, Relay, Venue, VenueError},
};
use rust_decimal::Decimal;
use tokio::time::{Instant, sleep};

use super::{
    Disk, Faults, World,
    scene::{beside, config_with, parts, world},
};
use crate::{
    Keeper, KeeperEvent, Mode, Parts,
    control::Control,
    hedge::{HedgeEvent, HedgeNow, Tools},
};

pub(super) const COIN: &str = "SOL";
pub(super) const BAND: Decimal = Decimal::from_parts(1, 0, 0, false, 1);
pub(super) const NOBODY: Address = Address([0; 20]);
pub(super) const ZERO: Decimal = Decimal::ZERO;

/// The simulation's time.
struct SimClock(Instant);

impl Clock for SimClock {
    fn now_ms(&self) -> u64 {
        1_700_000_000_000 + u64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}

/// Adds a hedge on paper, with its journal in a folder.
pub(super) fn add_hedge(parts: &mut Parts, folder: &Path, began: Instant) {
    let hedge = format!(
        "[hedge]\nvenue = \"paper\"\nevery_ms = 2000\n[[hedge.perps]]\ncoin = \"{COIN}\"\nmarkets = [\"{}\"]\n\
         band = \"{BAND}\"\nmax_position = 20\n",
        super::bytes::context().address
    );
    parts.config.hedge = config_with(Mode::Observe, &hedge).hedge;
    parts.config.journal_dir = folder.to_owned();
    parts.hedge.clock = Some(Arc::new(SimClock(began)));
}

/// A chain, a disk, a folder for the hedge, and a clock.
pub(super) struct Scene {
    pub world: World,
    disk: Disk,
    pub folder: tempfile::TempDir,
    began: Instant,
    tools: Tools,
}

impl Scene {
    pub fn new(seed: u64) -> Self {
        let (world, disk) = world(seed, Faults::default());
        Self {
            world,
            disk,
            folder: tempfile::tempdir().unwrap(),
            began: Instant::now(),
            tools: Tools::default(),
        }
    }

    pub fn parts(&self, mode: Mode) -> Parts {
        let mut parts = parts(&self.world, &self.disk, mode);
        parts.hedge = self.tools.clone();
        add_hedge(&mut parts, self.folder.path(), self.began);
        parts
    }

    /// Runs a keeper beside something; what the hedge was in the end, and what it told.
    pub async fn run<F: Future<Output = ()>>(
        &self,
        mode: Mode,
        act: impl FnOnce(Control) -> F,
    ) -> (HedgeNow, Vec<KeeperEvent>) {
        self.run_parts(self.parts(mode), act).await
    }

    pub async fn run_parts<F: Future<Output = ()>>(
        &self,
        parts: Parts,
        act: impl FnOnce(Control) -> F,
    ) -> (HedgeNow, Vec<KeeperEvent>) {
        let keeper = Keeper::new(parts);
        let (hedge, control, mut events) = (keeper.hedge(), keeper.control(), keeper.events());
        beside(keeper, act(control)).await;
        let now = HedgeNow::clone(&hedge.borrow());
        // The task is gone, and with it the lock on its journal, when others have had their turn.
        sleep(Duration::from_millis(1)).await;
        let mut told = Vec::new();
        while let Ok(event) = events.try_recv() {
            told.push(event);
        }
        (now, told)
    }

    pub fn set_price(&self, dollars: i64) {
        self.world.lock().set_price(dollars);
    }

    pub fn entries(&self) -> Vec<Entry> {
        Journal::read(&self.folder.path().join(file_name("paper", NOBODY, COIN))).unwrap()
    }

    pub fn intents(&self) -> usize {
        let entries = self.entries();
        let intents = entries
            .iter()
            .filter(|entry| matches!(entry, Entry::Intent { .. }));
        intents.count()
    }

    /// With a venue that does not answer one order.
    pub fn muted(mut self, order: usize, breaks: bool) -> Self {
        let venue = self.tools.venue.take().unwrap();
        self.tools.venue = Some(Arc::new(Mute {
            venue,
            placed: AtomicUsize::new(0),
            order,
            breaks,
        }));
        self
    }

    /// A venue of the test's own in place of the keeper's, with what can be done to it.
    pub fn with_tape(mut self) -> (Self, Arc<Mutex<Tape>>) {
        let sol = Instrument {
            coin: COIN.into(),
            asset: 0,
            size_places: 2,
            max_leverage: 10,
        };
        let clock = Arc::new(SimClock(self.began));
        let mut exchange = Exchange::new(clock.now_ms(), Fees::default(), [sol]);
        exchange.deposit(NOBODY, 100_000.into());
        let tape = Arc::new(Mutex::new(Tape::new(exchange, [])));
        self.tools.venue = Some(Arc::new(PaperVenue::new(
            Arc::clone(&tape),
            clock,
            NOBODY,
            0,
        )));
        offer(&tape, 203);
        (self, tape)
    }
}

pub(super) fn offer(tape: &Mutex<Tape>, dollars: i64) {
    let level = |cents: i64| Level {
        price: Decimal::new(cents, 2),
        size: 1_000.into(),
    };
    let depth = Depth {
        bids: vec![level(dollars * 100 - 5)],
        asks: vec![level(dollars * 100 + 5)],
    };
    let mut tape = tape.lock().unwrap();
    let now_ms = 0;
    tape.at(now_ms).set_depth(0, dollars.into(), depth);
}

pub(super) async fn secs(secs: u64) {
    sleep(Duration::from_secs(secs)).await;
}

pub(super) fn position(now: &HedgeNow) -> Decimal {
    now.perps[COIN].position.unwrap_or(ZERO)
}

/// The least and the most of book and perpetual together.
fn net(now: &HedgeNow) -> (Decimal, Decimal) {
    let (low, high) = now.perps[COIN].residual.unwrap();
    (low + position(now), high + position(now))
}

pub(super) fn is_inside(now: &HedgeNow) -> bool {
    let (low, high) = net(now);
    let most = BAND + Decimal::new(1, 2);
    -most <= low && high <= most
}

pub(super) fn orders(told: &[KeeperEvent]) -> usize {
    let sent = |event: &&KeeperEvent| matches!(event, KeeperEvent::Hedge(HedgeEvent::Sent { .. }));
    told.iter().filter(sent).count()
}

/// A venue that does what it is asked and does not say so, once.
struct Mute {
    venue: Arc<dyn Venue>,
    placed: AtomicUsize,
    /// With which order.
    order: usize,
    /// Whether the connection breaks; otherwise the keeper is killed while it waits.
    breaks: bool,
}

#[async_trait]
impl Relay for Mute {
    type Target = dyn Venue;

    fn target(&self) -> &Self::Target {
        self.venue.as_ref()
    }

    async fn place(&self, order: &Order) -> Result<Done, VenueError> {
        let done = self.target().place(order).await?;
        if self.placed.fetch_add(1, Ordering::SeqCst) != self.order {
            return Ok(done);
        }
        if self.breaks {
            return Err(VenueError::Unknown("the connection broke".into()));
        }
        std::future::pending().await
    }
}
