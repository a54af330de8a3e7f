//! The loop that ties the parts together: source events into books, changes into assessments, assessments into jobs,
//! reports back into books. One task owns all of it; jobs run beside it and only report.

mod room;
mod shelf;
mod status;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    mem::{Discriminant, discriminant},
    sync::Arc,
    time::Duration,
};

use ballast_client::MarketContext;
use solana_sdk::pubkey::Pubkey;
use thiserror::Error;
use tokio::{
    sync::{mpsc::Receiver, watch},
    task::{JoinError, JoinSet},
    time::{Instant, sleep_until, timeout},
};

pub use status::Status;

use crate::{
    book::{Change, Problem},
    config::{Config, Mode},
    decide::{ActionKind, Assessment, Decision, Obstacle},
    event::{DecisionEvent, KeeperEvent},
    events::Events,
    execute::{Executor, Fresh, Job, Report, Verdict},
    journal::{JournalError, Outcome, Recovered},
    pace::Pace,
    sources::{Asked, Doubts, SourceEvent},
};
use room::room;
use shelf::Shelf;

/// How long a stop waits for transactions in flight; the journal takes care of those that take longer.
const DRAIN: Duration = Duration::from_secs(10);

/// Longest pause after a deleverage or liquidation for which nothing was sent.
const LONGEST_UNSENT: Duration = Duration::from_secs(2);

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

/// Kinds of the obstacles in the way of what is due, and of a rehedge instead.
type Obstacles = (Discriminant<Obstacle>, Option<Discriminant<Obstacle>>);

/// What was last told about a position, so that only changes are told.
type Told = (ActionKind, Option<Obstacles>);

/// See the module's description.
pub struct Engine {
    config: Arc<Config>,
    executor: Executor,
    events: Events,
    status: watch::Sender<Status>,
    doubts: Doubts,
    shelves: BTreeMap<Pubkey, Shelf>,
    /// Jobs and resumed intents per position.
    flights: HashMap<Pubkey, u32>,
    jobs: JoinSet<Report>,
    pace: Pace<(Pubkey, ActionKind)>,
    /// Slots up to which the effects of a position's actions are known.
    min_slots: HashMap<Pubkey, u64>,
    /// The same for all positions, from earlier runs.
    floor_slot: u64,
    /// Transactions in a row that expired.
    expired: HashMap<Pubkey, u32>,
    /// Positions whose last transaction landed and failed.
    failed: HashSet<Pubkey>,
    /// Positions that something is due for while too much is in flight, what is most pressing last.
    waiting: BTreeSet<(ActionKind, Pubkey, Pubkey)>,
    told: HashMap<Pubkey, Told>,
    problems: HashMap<Pubkey, String>,
    /// What was not answered last time, by what was asked.
    troubles: HashMap<(Pubkey, Asked), String>,
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
    ) -> Self {
        let timing = config.timing;
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
            pace: Pace::new(timing.backoff_first, timing.backoff_max),
            min_slots: HashMap::new(),
            floor_slot: 0,
            expired: HashMap::new(),
            failed: HashSet::new(),
            waiting: BTreeSet::new(),
            told: HashMap::new(),
            problems: HashMap::new(),
            troubles: HashMap::new(),
        }
    }

    /// Takes up intents of an earlier run; nothing else is done for their positions before their outcome is known.
    /// Nothing is decided on answers of slots before the newest effect of that run.
    pub fn resume(&mut self, recovered: Recovered) {
        self.floor_slot = recovered.slot;
        for intent in recovered.open {
            let market = self
                .shelves
                .get(&intent.market)
                .map(|shelf| Arc::clone(&shelf.market));
            *self.flights.entry(intent.position).or_default() += 1;
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
        loop {
            let pause_end = self.pace.next_end();
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(report) = self.jobs.join_next() => self.report(report?)?,
                event = source.recv() => match event {
                    Some(event) => self.source_event(event),
                    None => return Err(EngineError::Broken("the sources ended".into())),
                },
                () = sleep_until(pause_end.unwrap_or_else(Instant::now)), if pause_end.is_some() => {}
            }
            self.end_pauses();
            self.publish_status();
        }
        self.drain().await
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
        timeout(DRAIN, finish).await.unwrap_or(Ok(()))
    }

    fn source_event(&mut self, event: SourceEvent) {
        match event {
            SourceEvent::Account {
                market,
                address,
                slot,
                account,
            } => {
                if let Some(shelf) = self.shelves.get_mut(&market) {
                    let change = shelf.book.account(&address, slot, account);
                    self.take_in(market, address, change);
                }
            }
            SourceEvent::Market { address, accounts } => {
                if let Some(shelf) = self.shelves.get_mut(&address) {
                    let change = shelf.book.market_accounts(&accounts);
                    self.take_in(address, address, change);
                }
                self.recovered(address, Asked::Accounts);
            }
            SourceEvent::Positions {
                market,
                slot,
                positions,
            } => {
                self.recovered(market, Asked::Positions);
                self.recovered(market, Asked::Stream);
                let Some(shelf) = self.shelves.get_mut(&market) else {
                    return;
                };
                let (changed, missing, problems) = shelf.book.all_positions(slot, positions);
                let positions = shelf.book.len();
                self.events.send(KeeperEvent::Resync {
                    market,
                    slot,
                    positions,
                });
                for problem in problems {
                    self.problem(problem.address(), &problem.to_string());
                }
                // Closed, or left out: that is settled by asking for each.
                for position in missing {
                    self.doubts.tell(market, position);
                }
                for position in changed {
                    self.evaluate(market, position);
                }
            }
            SourceEvent::Missing {
                market,
                position,
                slot,
            } => {
                let shelf = self.shelves.get_mut(&market);
                if shelf.is_some_and(|shelf| shelf.book.remove(&position, slot)) {
                    self.forget(market, position);
                }
            }
            SourceEvent::StreamLost { reason } => {
                self.events.send(KeeperEvent::StreamLost { reason })
            }
            SourceEvent::Trouble {
                market,
                asked,
                reason,
            } => self.trouble(market, asked, reason),
        }
    }

    /// Warns that a node does not answer, once for as long as it says the same.
    fn trouble(&mut self, market: Pubkey, asked: Asked, reason: String) {
        let last = self.troubles.insert((market, asked), reason.clone());
        if last.as_ref() != Some(&reason) {
            self.events.send(KeeperEvent::Warning { message: reason });
        }
    }

    fn recovered(&mut self, market: Pubkey, asked: Asked) {
        if let Some(reason) = self.troubles.remove(&(market, asked)) {
            self.events.send(KeeperEvent::Recovered { market, reason });
        }
    }

    fn take_in(&mut self, market: Pubkey, address: Pubkey, change: Result<Change, Problem>) {
        match change {
            Ok(Change::Doubtful) => self.doubts.tell(market, address),
            Ok(change) => {
                self.problems.remove(&address);
                self.react(market, change);
            }
            Err(problem) => self.problem(address, &problem.to_string()),
        }
    }

    /// Warns, once for as long as it stays the same.
    fn problem(&mut self, address: Pubkey, message: &str) {
        if self
            .problems
            .get(&address)
            .is_none_or(|last| last != message)
        {
            self.problems.insert(address, message.to_owned());
            self.events.send(KeeperEvent::Warning {
                message: message.to_owned(),
            });
        }
    }

    fn react(&mut self, market: Pubkey, change: Change) {
        let Some(shelf) = self.shelves.get(&market) else {
            return;
        };
        for position in shelf.due(change) {
            self.evaluate(market, position);
        }
    }

    fn end_pauses(&mut self) {
        for (position, _) in self.pace.ended(Instant::now()) {
            if let Some(market) = self.market_of(&position) {
                self.evaluate(market, position);
            }
        }
    }

    fn market_of(&self, position: &Pubkey) -> Option<Pubkey> {
        let shelf = self
            .shelves
            .iter()
            .find(|(_, shelf)| shelf.book.position(position).is_some());
        shelf.map(|(market, _)| *market)
    }

    fn forget(&mut self, market: Pubkey, position: Pubkey) {
        if let Some(shelf) = self.shelves.get_mut(&market) {
            shelf.index.remove(position);
        }
        self.calm(&position);
        self.told.remove(&position);
        self.min_slots.remove(&position);
    }

    /// Nothing is due for a position: what failed before does not count any more.
    fn calm(&mut self, position: &Pubkey) {
        for action in [
            ActionKind::Rehedge,
            ActionKind::Deleverage,
            ActionKind::Liquidate,
        ] {
            self.pace.succeeded(&(*position, action));
        }
        self.expired.remove(position);
        self.failed.remove(position);
    }

    /// Assesses a position and does what follows from it.
    fn evaluate(&mut self, market: Pubkey, position: Pubkey) {
        let Some(shelf) = self.shelves.get_mut(&market) else {
            return;
        };
        // What is in flight is looked at again when it has come to its end.
        if self.flights.contains_key(&position) {
            shelf.index.remove(position);
            return;
        }
        let funds = self
            .config
            .liquidation
            .enabled
            .then_some(self.config.liquidation.max_pay);
        let assessed = shelf.assess(
            &position,
            self.executor.keeper(),
            funds,
            self.config.timing.horizon_secs,
        );
        let at = match assessed {
            None => return,
            Some(Ok(at)) => at,
            Some(Err(error)) => {
                return self.problem(
                    position,
                    &format!("position {position} cannot be assessed: {error}"),
                );
            }
        };
        self.tell(market, position, &at);
        match at.decision {
            Decision::Nothing => self.calm(&position),
            Decision::Blocked { .. } => {}
            Decision::Act(action, _) => self.dispatch(market, position, action.kind()),
        }
    }

    /// Tells about a decision that differs from the last one told. What leads to an action is told when it is taken.
    fn tell(&mut self, market: Pubkey, position: Pubkey, at: &Assessment) {
        let told = match at.decision {
            Decision::Nothing => None,
            Decision::Act(action, _) => Some((action.kind(), None)),
            Decision::Blocked {
                wanted,
                obstacle,
                otherwise,
                ..
            } => {
                let obstacles = (
                    discriminant(&obstacle),
                    otherwise.as_ref().map(discriminant),
                );
                Some((wanted, Some(obstacles)))
            }
        };
        let before = match told {
            Some(told) => self.told.insert(position, told),
            None => self.told.remove(&position),
        };
        let acts = matches!(at.decision, Decision::Act(..)) && self.config.mode != Mode::Observe;
        if before != told && !acts {
            self.events.send(KeeperEvent::Decision(DecisionEvent::new(
                market, position, at,
            )));
        }
    }

    fn dispatch(&mut self, market: Pubkey, position: Pubkey, action: ActionKind) {
        if self.config.mode == Mode::Observe
            || self.pace.is_pausing(&(position, action), Instant::now())
        {
            return;
        }
        if self.jobs.len() >= room(self.config.max_in_flight, action) {
            self.waiting.insert((action, market, position));
            return;
        }
        let Some(shelf) = self.shelves.get_mut(&market) else {
            return;
        };
        shelf.index.remove(position);
        let job = Job {
            market: Arc::clone(&shelf.market),
            position,
            action,
            min_slot: self
                .min_slots
                .get(&position)
                .copied()
                .unwrap_or_default()
                .max(self.floor_slot),
            attempt: self.expired.get(&position).copied().unwrap_or_default(),
            has_failed: self.failed.contains(&position),
        };
        *self.flights.entry(position).or_default() += 1;
        let executor = self.executor.clone();
        self.jobs.spawn(async move { executor.act(job).await });
    }

    fn report(&mut self, report: Report) -> Result<(), EngineError> {
        let Report {
            market,
            position,
            action,
            verdict,
            fresh,
        } = report;
        if let Some(flights) = self.flights.get_mut(&position) {
            *flights = flights.saturating_sub(1);
            if *flights == 0 {
                self.flights.remove(&position);
            }
        }
        let key = (position, action);
        let now = Instant::now();
        // What keeps a position solvent waits for long only if it costs something to try.
        let longest_unsent = match action {
            ActionKind::Rehedge => self.config.timing.backoff_max,
            ActionKind::Deleverage | ActionKind::Liquidate => LONGEST_UNSENT,
        };
        if !matches!(verdict, Verdict::Unavailable(_)) {
            self.problems.remove(&position);
        }
        match verdict {
            Verdict::Halt(error) => return Err(error.into()),
            Verdict::Resolved(outcome) => {
                if self.resolved(position, &outcome) {
                    self.pace.succeeded(&key);
                } else {
                    self.pace.failed(key, now);
                }
            }
            Verdict::Paper => self.pace.failed(key, now),
            Verdict::NotDue | Verdict::Refused => {
                self.pace.failed_at_most(key, now, longest_unsent);
            }
            Verdict::Unavailable(error) => {
                self.pace.failed_at_most(key, now, longest_unsent);
                self.problem(position, &format!("{action} of {position}: {error}"));
            }
        }
        if let Some(fresh) = fresh {
            self.take_in_fresh(market, position, fresh);
        }
        self.evaluate(market, position);
        self.admit_waiting();
        Ok(())
    }

    /// Looks at waiting positions again, the most pressing first, for as long as there is room.
    fn admit_waiting(&mut self) {
        while let Some(&next) = self.waiting.last()
            && self.jobs.len() < room(self.config.max_in_flight, next.0)
        {
            self.waiting.remove(&next);
            self.evaluate(next.1, next.2);
        }
    }

    /// Notes an outcome; returns whether the action was done.
    fn resolved(&mut self, position: Pubkey, outcome: &Outcome) -> bool {
        let min_slot = self.min_slots.entry(position).or_default();
        *min_slot = outcome.slot().max(*min_slot);
        match outcome {
            Outcome::Landed { .. } => {
                self.expired.remove(&position);
                self.failed.remove(&position);
                true
            }
            Outcome::Expired { .. } | Outcome::Dropped { .. } => {
                let expired = self.expired.entry(position).or_default();
                *expired = expired.saturating_add(1);
                false
            }
            Outcome::Failed { .. } => {
                self.failed.insert(position);
                false
            }
            Outcome::Raced { .. } => false,
        }
    }

    fn take_in_fresh(&mut self, market: Pubkey, position: Pubkey, fresh: Fresh) {
        let Some(shelf) = self.shelves.get_mut(&market) else {
            return;
        };
        let slot = fresh.market.slot;
        let gone = match fresh.position {
            Some(account) => {
                let change = shelf.book.account(&position, slot, account);
                if let Err(problem) = change {
                    self.problem(position, &problem.to_string());
                }
                false
            }
            None => shelf.book.remove(&position, slot),
        };
        if gone {
            self.forget(market, position);
        }
        if let Some(shelf) = self.shelves.get_mut(&market) {
            let change = shelf.book.market_accounts(&fresh.market);
            self.take_in(market, market, change);
        }
    }

    fn publish_status(&self) {
        let status = Status {
            mode: self.config.mode,
            markets: self.shelves.len(),
            positions: self.shelves.values().map(|shelf| shelf.book.len()).sum(),
            in_flight: self.jobs.len(),
            waiting: self.waiting.len(),
            not_quiet: self.told.len(),
            slot: self
                .shelves
                .values()
                .filter_map(|shelf| Some(shelf.book.snapshot()?.slot))
                .max()
                .unwrap_or(0),
        };
        self.status
            .send_if_modified(|last| std::mem::replace(last, status) != status);
    }
}
