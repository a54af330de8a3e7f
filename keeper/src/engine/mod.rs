//! The loop that ties the parts together: source events into books, changes into assessments, assessments into jobs,
//! reports back into books. One task owns all of it; jobs run beside it and only report.

mod act;
mod again;
mod intake;
mod publish;
mod room;
mod shelf;
mod show;
mod status;
mod withheld;
mod yields;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    mem::Discriminant,
    sync::Arc,
    time::Duration,
};

use ballast_client::MarketContext;
use solana_sdk::pubkey::Pubkey;
use thiserror::Error;
use tokio::{
    sync::{
        mpsc::{self, Receiver},
        watch,
    },
    task::{JoinError, JoinSet},
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};

use ballast_strategy::decide::{ActionKind, Kinds, Obstacle};
pub use status::Status;

use crate::{
    config::Config,
    event::KeeperEvent,
    events::Events,
    execute::{Executor, Report, SettledAgain, Verdict},
    journal::{JournalError, Recovered},
    memory::{Memory, Page},
    pace::Pace,
    picture::{self, Picture},
    sources::{Asked, Doubts, SourceEvent},
    supervisor::{BEAT, Progress},
};
use shelf::Shelf;
use withheld::Refusals;
use yields::Yields;

/// How long a stop waits for transactions in flight; the journal takes care of those that take longer.
const DRAIN: Duration = Duration::from_secs(10);

/// Why the engine ended other than on request.
#[derive(Debug, Error)]
pub enum EngineError {
    /// Nothing may be done any more.
    #[error("keeper halted: {0}")]
    Halted(#[from] JournalError),
    /// A part of the keeper ended or panicked, which it never should.
    #[error("keeper stopped: {0}; please report this")]
    Broken(String),
}

impl From<JoinError> for EngineError {
    fn from(error: JoinError) -> Self {
        Self::Broken(format!("a job failed ({error})"))
    }
}

/// Kinds of what is due, and of the obstacles in its way.
type Obstacles = Vec<(ActionKind, Discriminant<Obstacle>)>;

/// What was last told about a position, so that only changes are told.
type Told = (ActionKind, Option<Obstacles>);

fn keep(page: &Page, events: &Events) {
    if let Err(error) = page.write() {
        events.send(KeeperEvent::Warning {
            message: format!(
                "what was measured of the markets is not kept: {}: {error}",
                page.path().display()
            ),
        });
    }
}

/// What keeps something else from being done meanwhile: of a position, or of a market, only one thing is done at a time. What is merely
/// shown of it stands in the way of nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Lane {
    subject: Pubkey,
    shows: bool,
}

impl Lane {
    fn of(subject: Pubkey, action: ActionKind) -> Self {
        Self {
            subject,
            shows: action == ActionKind::RefreshPrice,
        }
    }

    /// Of all that changes the subject.
    fn acts(subject: Pubkey) -> Self {
        Self {
            subject,
            shows: false,
        }
    }

    /// Of what is shown of it.
    fn shows(subject: Pubkey) -> Self {
        Self {
            subject,
            shows: true,
        }
    }
}

/// Completes when whose positions are has changed; for a keeper that is alone, never.
async fn changed(shards: &mut Option<watch::Receiver<u64>>) {
    if let Some(shards) = shards
        && shards.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

/// See the module's description.
pub struct Engine {
    config: Arc<Config>,
    executor: Executor,
    events: Events,
    status: watch::Sender<Status>,
    doubts: Doubts,
    shelves: BTreeMap<Pubkey, Shelf>,
    /// Jobs and resumed intents.
    flights: HashMap<Lane, u32>,
    jobs: JoinSet<Report>,
    /// What a fork took back. It takes no room of what acts.
    settling: JoinSet<SettledAgain>,
    pace: Pace<(Pubkey, ActionKind)>,
    /// Slots up to which the effects of a position's actions are known.
    min_slots: HashMap<Pubkey, u64>,
    /// The same for all positions, from earlier runs.
    floor_slot: u64,
    /// Transactions in a row that expired.
    expired: HashMap<Lane, u32>,
    /// Where the last transaction landed and failed.
    failed: HashSet<Lane>,
    /// What a simulation or the chain has refused lately, until its pause ends.
    refused: HashMap<Pubkey, Kinds>,
    /// How often in a row each of it was refused.
    refusals: Refusals,
    /// What another keeper does first.
    yields: Yields,
    /// Positions that something is due for while too much is in flight, what is most pressing last.
    waiting: BTreeSet<(ActionKind, Pubkey, Pubkey)>,
    told: HashMap<Pubkey, Told>,
    problems: HashMap<Pubkey, String>,
    /// What was not answered last time, by what was asked.
    troubles: HashMap<(Pubkey, Asked), String>,
    /// What readers see.
    picture: picture::Writer,
    /// Where what was measured of markets outlives a restart.
    memory: Memory,
    /// By which somebody sees that it goes on; `None`: nobody looks.
    progress: Option<Progress>,
}

impl Engine {
    /// An engine for these markets.
    pub fn new(
        config: Arc<Config>,
        executor: Executor,
        events: Events,
        status: watch::Sender<Status>,
        doubts: Doubts,
        markets: Vec<Arc<MarketContext>>,
        pictures: watch::Sender<Option<Arc<Picture>>>,
    ) -> Self {
        let timing = config.timing;
        let picture = picture::Writer::new(pictures, executor.keeper());
        let shelves = markets
            .into_iter()
            .map(|market| (market.address, Shelf::new(market)))
            .collect();
        Self {
            config,
            executor,
            events,
            status,
            doubts,
            shelves,
            flights: HashMap::new(),
            jobs: JoinSet::new(),
            settling: JoinSet::new(),
            pace: Pace::new(timing.backoff_first, timing.backoff_max),
            min_slots: HashMap::new(),
            floor_slot: 0,
            expired: HashMap::new(),
            failed: HashSet::new(),
            refused: HashMap::new(),
            refusals: Refusals::default(),
            yields: Yields::default(),
            waiting: BTreeSet::new(),
            told: HashMap::new(),
            problems: HashMap::new(),
            troubles: HashMap::new(),
            picture,
            memory: Memory::default(),
            progress: None,
        }
    }

    /// Shows that it goes on, also while nothing happens.
    pub fn with_progress(self, progress: Progress) -> Self {
        let progress = Some(progress);
        Self { progress, ..self }
    }

    /// Goes on measuring where an earlier run has ended, and keeps what is measured from now on.
    pub fn with_memory(mut self, memory: Memory) -> Self {
        match memory.read() {
            Ok(mut markets) => {
                for (address, shelf) in &mut self.shelves {
                    if let Some(measured) = markets.remove(&address.to_string()) {
                        shelf.measured = measured;
                    }
                }
            }
            Err(error) => self.events.send(KeeperEvent::Warning {
                message: format!(
                    "what was measured of the markets before is forgotten, because it cannot be read: {error}"
                ),
            }),
        }
        self.memory = memory;
        self
    }

    fn page(&self) -> Option<Page> {
        self.memory.page(|| {
            let shelves = self.shelves.iter();
            let measured =
                shelves.map(|(address, shelf)| (address.to_string(), shelf.measured.clone()));
            measured.collect()
        })
    }

    /// Keeps what was measured, beside everything else.
    fn remember(&self) {
        if let Some(page) = self.page() {
            let events = self.events.clone();
            tokio::task::spawn_blocking(move || keep(&page, &events));
        }
    }

    /// Takes up intents of an earlier run; nothing else is done for their positions before their outcome is known.
    /// Nothing is decided on answers of slots before the newest effect of that run.
    pub fn resume(&mut self, recovered: Recovered) {
        self.floor_slot = recovered.slot;
        for confirmed in recovered.landed {
            self.executor.watch_again(confirmed);
        }
        for intent in recovered.open {
            let market = self.context(&intent.market);
            let lane = Lane::of(intent.position, intent.action);
            *self.flights.entry(lane).or_default() += 1;
            let executor = self.executor.clone();
            self.jobs
                .spawn(async move { executor.resume(intent, market).await });
        }
    }

    /// Runs until `shutdown` completes or something breaks.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn run(
        mut self,
        mut source: Receiver<SourceEvent>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), EngineError> {
        tokio::pin!(shutdown);
        let mut changes = self.executor.control.changes();
        let mut shards = self.executor.shards.changes();
        // It ends with this.
        let mut watching = JoinSet::new();
        let (sender, mut taken_back) = mpsc::channel(1);
        watching.spawn(again::watch_over(self.executor.clone(), sender));
        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if let Some(progress) = &self.progress {
                progress.turned();
            }
            let pause_end = self.pace.next_end();
            let picture_due = self.picture.due();
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(report) = self.jobs.join_next() => self.report(report?)?,
                Some(settled) = self.settling.join_next() => self.settled_again(settled?)?,
                // The sender lives as long as this does.
                Ok(()) = changes.changed() => {
                    self.require_journal()?;
                    self.permitted_anew();
                }
                () = changed(&mut shards) => self.permitted_anew(),
                Some(confirmed) = taken_back.recv() => self.taken_back(confirmed),
                event = source.recv() => match event {
                    Some(event) => self.source_event(event),
                    None => return Err(EngineError::Broken("the sources ended".into())),
                },
                () = sleep_until(pause_end.unwrap_or_else(Instant::now)), if pause_end.is_some() => {}
                () = sleep_until(picture_due.unwrap_or_else(Instant::now)), if picture_due.is_some() => {}
                _ = beats.tick(), if self.progress.is_some() => {}
            }
            self.end_pauses();
            self.publish_status();
        }
        self.drain().await
    }

    /// An override that could not be journaled ends the keeper, as an intent does.
    fn require_journal(&self) -> Result<(), EngineError> {
        match self.executor.control.broken() {
            Some(_) => Err(JournalError::Halted.into()),
            None => Ok(()),
        }
    }

    /// Lets transactions in flight come to their end, for a while.
    async fn drain(&mut self) -> Result<(), EngineError> {
        let jobs = &mut self.jobs;
        let finish = async {
            while let Some(report) = jobs.join_next().await {
                if let Verdict::Halt(error) = report?.verdict {
                    return Err(error.into());
                }
            }
            Ok(())
        };
        let result = timeout(DRAIN, finish).await.unwrap_or(Ok(()));
        if let Some(page) = self.page() {
            keep(&page, &self.events);
        }
        result
    }

    fn end_pauses(&mut self) {
        for (position, action) in self.pace.ended(Instant::now()) {
            if let Some(refused) = self.refused.get_mut(&position) {
                *refused = refused.without(action);
            }
            if let Some(market) = self.market_of(&position) {
                self.evaluate_subject(market, position);
            }
        }
    }

    fn context(&self, market: &Pubkey) -> Option<Arc<MarketContext>> {
        let shelf = self.shelves.get(market)?;
        Some(Arc::clone(&shelf.market))
    }

    fn market_of(&self, position: &Pubkey) -> Option<Pubkey> {
        if self.shelves.contains_key(position) {
            return Some(*position);
        }
        let shelf = self
            .shelves
            .iter()
            .find(|(_, shelf)| shelf.book.position(position).is_some());
        shelf.map(|(market, _)| *market)
    }
}
