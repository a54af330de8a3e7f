//! The keeper as a whole: opens the journal, recovers, and runs sources and engine until it is told to stop.

mod bundles;
mod connect;
mod error;
mod parts;
mod places;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use ballast_client::{Chain, Lane, Nodes};
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    task::JoinSet,
    time::timeout,
};

use crate::{
    api::{self, Nobody, Past, Server},
    config::Mode,
    control::Control,
    engine::{Engine, EngineError, Status},
    event::KeeperEvent,
    events::Events,
    execute::Executor,
    flags::{FlagsNow, FlagsWatch, Heard, Shown, Watcher},
    hedge::{Desk, HedgeNow, HedgeWatch, desk::Around},
    history::{History, HistoryReader},
    journal::{Header, Tail, VERSION},
    memory::Memory,
    notify::Notifier,
    picture::{Picture, Pictures},
    shards::{Shards, table},
    sources::{Doubts, Sources},
    start,
    supervisor::Progress,
    updates,
};

pub use connect::grpc;
pub use error::KeeperError;
pub use parts::Parts;

use places::{history_setting, open_journal, recorder};

/// Source events that may wait for the engine.
const QUEUE: usize = 10_000;
/// How long the history may take to write what it knows.
const LAST_WRITE: Duration = Duration::from_secs(10);

/// A keeper that is ready to run.
pub struct Keeper {
    parts: Parts,
    events: Events,
    status: watch::Sender<Status>,
    pictures: watch::Sender<Option<Arc<Picture>>>,
    past: Arc<dyn Past>,
    api_address: watch::Sender<Option<SocketAddr>>,
    control: Control,
    red_flags: watch::Sender<Arc<FlagsNow>>,
    hedged: watch::Sender<Arc<HedgeNow>>,
    ear: (mpsc::Sender<Heard>, mpsc::Receiver<Heard>),
    history: Option<History>,
}

impl Keeper {
    /// A keeper from its parts.
    pub fn new(parts: Parts) -> Self {
        Self::with_events(parts, Events::default())
    }

    fn with_events(parts: Parts, events: Events) -> Self {
        let mode = parts.config.mode;
        let status = Status {
            mode,
            ..Status::default()
        };
        let control = Control::new(mode, events.clone(), parts.clock.clone());
        let history = history_setting(&parts).map(History::new);
        Self {
            parts,
            events,
            status: watch::Sender::new(status),
            pictures: watch::Sender::new(None),
            red_flags: watch::Sender::default(),
            hedged: watch::Sender::default(),
            ear: Watcher::ear(),
            past: match &history {
                Some(history) => Arc::new(history.reader()),
                None => Arc::new(Nobody),
            },
            api_address: watch::Sender::new(None),
            control,
            history,
        }
    }

    /// What has become of positions; `None`: nobody keeps it.
    pub fn history(&self) -> Option<HistoryReader> {
        self.history.as_ref().map(History::reader)
    }

    /// By which it is told to halt, reduce, pause and resume.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Everything that happens from now on.
    pub fn events(&self) -> broadcast::Receiver<KeeperEvent> {
        self.events.subscribe()
    }

    /// The keeper in numbers.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Where the API listens; `None` before it does, or if it does not.
    pub fn api_address(&self) -> watch::Receiver<Option<SocketAddr>> {
        self.api_address.subscribe()
    }

    /// All that the engine knows, a few times a second.
    pub fn pictures(&self) -> Pictures {
        self.pictures.subscribe()
    }

    /// The red flags, once a second.
    pub fn flags(&self) -> FlagsWatch {
        self.red_flags.subscribe()
    }

    /// The hedge, after each of its steps.
    pub fn hedge(&self) -> HedgeWatch {
        self.hedged.subscribe()
    }

    /// Where the flags are told what the engine does not know.
    #[cfg(test)]
    pub(crate) fn flags_ear(&self) -> mpsc::Sender<Heard> {
        self.ear.0.clone()
    }

    /// Runs until `shutdown` completes.
    ///
    /// Start-up is recovery: intents of an earlier run are resolved first, each before anything else is done for its
    /// position.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), KeeperError> {
        let events = self.events.clone();
        let signer = self.parts.signer.as_ref();
        let keeper = signer.map(|signer| signer.address()).unwrap_or_default();
        let notify = &self.parts.config.notify;
        let notifier = Notifier::start(notify, keeper, self.control.clone(), &events);
        let result = self.run_inner(shutdown).await;
        if let Err(error) = &result {
            events.send(KeeperEvent::Halted {
                reason: error.to_string(),
            });
        }
        events.send(KeeperEvent::Stopped);
        notifier.finish().await;
        result
    }

    async fn run_inner(self, shutdown: impl Future<Output = ()>) -> Result<(), KeeperError> {
        let Self {
            parts,
            events,
            status,
            pictures,
            control,
            history,
            past,
            api_address,
            red_flags,
            hedged,
            ear,
        } = self;
        let Parts {
            config,
            chain,
            more_nodes,
            genesis_hash,
            signer,
            feeds,
            storage,
            halt_dir,
            clock: _,
            other_nodes,
            hedge: tools,
            leases,
            lane,
            meters,
            supervisor,
        } = parts;
        let config = Arc::new(config);
        let keeper = signer
            .as_ref()
            .map(|signer| signer.address())
            .unwrap_or_default();
        let supervisor = supervisor.map(Arc::new);
        let told = supervisor.clone();
        let shutdown = async move {
            shutdown.await;
            if let Some(told) = told {
                told.stops();
            }
        };
        tokio::pin!(shutdown);

        let shards = config.shards.as_ref().map(|group| {
            let connect = leases.unwrap_or_else(|| table::in_postgres(group));
            Shards::member(&group.member, connect)
        });
        let has_group = shards.is_some();
        let shards = shards.unwrap_or_default();
        let nodes = Nodes::new(chain, more_nodes, config.nodes.asked);
        let chain: Arc<dyn Chain> = Arc::new(nodes.clone());
        if config.mode.sends() {
            let pause = config.timing.poll_interval;
            start::require_nodes(&nodes, &config.markets, pause, &events).await?;
        }
        let bundles = match lane {
            Some(_) => None,
            None => bundles::lane(&config, Arc::clone(&chain), &events),
        };
        if let Some(bundles) = bundles.as_ref().filter(|_| config.mode.sends()) {
            bundles::require_tip_accounts(&config, bundles, &events).await?;
        }
        let header = Header {
            version: VERSION,
            genesis_hash,
            keeper,
            continues: None,
        };
        let has_files = storage.is_none();
        let (journal, mut recovered) = open_journal(&config, storage, &header)?;
        let recorder = recorder(&config, has_files, &events);
        let markets = start::markets(chain.as_ref(), &config, &events).await?;
        if matches!(recovered.tail, Tail::Suspect { .. }) {
            let message = "the journal's last line is damaged: waiting until nothing signed before can land any more; what the \
                           keeper was told last has to be told again";
            events.send(KeeperEvent::Warning {
                message: message.into(),
            });
            tokio::select! {
                biased;
                () = &mut shutdown => return Ok(()),
                () = start::outlive_blockhashes(chain.as_ref(), config.timing.poll_interval) => {}
            }
            // Not before: killed while waiting, the next run has to wait as well.
            journal.drop_suspect_tail().await?;
        }
        control.open(journal.clone(), std::mem::take(&mut recovered.overrides));
        // Before anything is decided.
        control.look_at(halt_dir.as_deref()).await;
        let hedge_now = config.hedge.is_some().then(|| hedged.subscribe());
        let desk = config.hedge.as_ref().map(|hedge| {
            let around = Around {
                control: control.clone(),
                pictures: pictures.subscribe(),
                events: events.clone(),
                ear: ear.0.clone(),
                now: hedged,
            };
            Desk::open(&config, hedge, tools, around)
        });
        let desk = desk.transpose()?;
        let server = Server::start(api::Sources {
            config: Arc::clone(&config),
            genesis_hash,
            pictures: pictures.subscribe(),
            control: control.clone(),
            feed: journal.feed(),
            past,
            flags: Arc::new(Shown(red_flags.subscribe())),
            hedge: hedge_now.clone(),
            shards: shards.clone(),
            bundles: bundles.clone(),
            nodes: meters,
        })?;
        api_address.send_replace(server.as_ref().map(Server::address));
        // Who only observes leaves them to a keeper that acts.
        if config.mode < Mode::Paper {
            recovered.open.clear();
            recovered.landed.clear();
        }
        let open_intents = recovered.open.len();
        events.send(KeeperEvent::Started {
            mode: control.mode(),
            keeper,
            open_intents,
        });

        let leasing = shards.watch(nodes.clone(), control.clone(), events.clone());
        let sources = Sources::new(Arc::clone(&chain), feeds, markets.clone(), config.timing);
        let (doubts, doubts_heard) = Doubts::new();
        let watcher = Watcher {
            config: Arc::clone(&config),
            control: control.clone(),
            pictures: pictures.subscribe(),
            events: events.clone(),
            nodes,
            others: other_nodes,
            markets: markets.clone(),
            doubts: doubts.clone(),
            hedged: config.hedge.is_some(),
            now: red_flags,
        };
        let asked = Arc::clone(&chain);
        let mut executor = Executor::new(
            chain,
            Some(journal),
            signer,
            Arc::clone(&config),
            events.clone(),
        )
        .with_control(control.clone())
        .with_shards(shards.clone())
        .with_spending(std::mem::take(&mut recovered.spending))
        .with_recorder(recorder.clone());
        if let Some(lane) = lane.or_else(|| bundles.map(|it| it as Arc<dyn Lane>)) {
            executor = executor.with_lane(lane);
        }
        let service = config.prices.source()?;
        if let Some(service) = &service {
            executor = executor.with_updates(Arc::clone(service));
        }
        let watches_balance = config.mode >= Mode::Paper;
        if watches_balance {
            executor.check_balance().await;
        }
        let balance = executor.clone();
        let poll = config.prices.poll;
        let watched = markets.clone();
        let history = history.map(|history| {
            let (seen, chain) = (pictures.subscribe(), Arc::clone(&asked));
            let history = history.with_hedge(hedge_now);
            tokio::spawn(history.run(seen, chain, events.clone()))
        });
        let memory = if has_files {
            Memory::beside(&config.journal_dir)
        } else {
            Memory::default()
        };
        let (progress, numbers) = (Progress::default(), status.subscribe());
        let mut engine = Engine::new(config, executor, events, status, doubts, markets, pictures)
            .with_memory(memory);
        let mut supervising = JoinSet::new();
        if let Some(supervisor) = supervisor.clone() {
            engine = engine.with_progress(progress.clone());
            // A task of its own, which an engine that hangs does not stop, and which sees that it hangs.
            supervising.spawn(async move { supervisor.watch(&progress, &numbers).await });
        }
        engine.resume(recovered);
        let (sender, receiver) = mpsc::channel(QUEUE);
        let published = sender.clone();
        let sources = async {
            let updates = async {
                if let Some(service) = service {
                    updates::watch(service, watched, poll, published).await;
                }
            };
            tokio::join!(sources.run(sender, doubts_heard), updates);
        };
        let engine = engine.run(receiver, shutdown);
        let balance = balance.watch_balance();
        let overrides = control.watch(halt_dir.as_deref());
        let flags = watcher.run(ear);
        tokio::pin!(sources, engine, balance, overrides, flags, leasing);
        // A task of its own: what it writes and computes keeps nobody here waiting.
        let mut hedging = JoinSet::new();
        let (stop_hedging, stopped) = oneshot::channel();
        if let Some(desk) = desk {
            hedging.spawn(desk.run(stopped));
        }
        let mut sources_ended = false;
        let result = loop {
            // None of them is ready again and again, so that each has its turn.
            tokio::select! {
                biased;
                result = &mut engine => break result,
                // Only when the engine has dropped its end; it is about to return.
                () = &mut sources, if !sources_ended => sources_ended = true,
                () = &mut balance, if watches_balance => {}
                () = &mut overrides => {}
                () = &mut flags => {}
                () = &mut leasing, if has_group => {}
                // Only a panic ends it.
                Some(Err(error)) = hedging.join_next() => {
                    break Err(EngineError::Broken(format!("the hedge failed ({error})")));
                }
            }
        };
        drop(server);
        let _ = timeout(LAST_WRITE, shards.leave()).await;
        supervising.abort_all();
        if let Some(supervisor) = supervisor {
            supervisor.stops();
        }
        // An order that waits for its answer gets it, or is found out at the next start.
        drop(stop_hedging);
        let _ = timeout(LAST_WRITE, hedging.join_next()).await;
        // The engine's pictures have ended, and with them the history: it writes what it knows.
        recorder.close();
        if let Some(history) = history {
            let _ = timeout(LAST_WRITE, history).await;
        }
        Ok(result?)
    }
}
