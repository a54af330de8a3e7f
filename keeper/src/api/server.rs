//! The server: a thread of its own with a runtime of its own, and what its answers share.

use std::{
    collections::BTreeMap,
    io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use axum::{Router, http::StatusCode, response::Response};
use thiserror::Error;
use tokio::{
    sync::{Semaphore, broadcast, oneshot},
    time::{MissedTickBehavior, interval},
};
use tracing::{error, info};

use super::{
    HEARTBEAT_MS, Sources, Token, TokenError,
    actions::{Log, Told, shown_override},
    guard::Guard,
    problem::Problem,
    route,
    scene::Scene,
    stream::{LAG, Message},
    timed::TimedListener,
    token,
};
use crate::picture::Picture;

/// Answers that are made at a time: readers leave the rest of the machine to the keeper.
const TURNS: usize = 1;

/// Why there is no server.
#[derive(Debug, Error)]
pub enum ServerError {
    /// The address cannot be used.
    #[error(
        "api.listen {address}: {source}; is another keeper using it? Name another port, or leave it out"
    )]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// There is no token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The system gives no thread.
    #[error("the API's thread cannot be started: {0}")]
    Thread(io::Error),
}

/// What answers share.
pub(super) struct Api {
    pub sources: Sources,
    pub guard: Guard,
    pub instance: String,
    pub started_secs: i64,
    /// Who may make an answer now.
    pub turns: Semaphore,
    /// Who may listen to the stream.
    pub streams: Arc<Semaphore>,
    /// Everything for all listeners, written once.
    pub bus: broadcast::Sender<Message>,
    state: Mutex<State>,
    answered: Mutex<BTreeMap<u16, u64>>,
}

#[derive(Default)]
struct State {
    version: u64,
    log: Arc<Log>,
    /// Whether records from before this process were taken in.
    begun: bool,
    scene: Option<Arc<Scene>>,
}

impl Api {
    pub fn new(sources: Sources, guard: Guard) -> Result<Arc<Self>, TokenError> {
        Ok(Arc::new(Self {
            instance: token::random(6)?,
            // A clock before 1970 is of no use anyway.
            started_secs: super::scene::now() as i64,
            turns: Semaphore::new(TURNS),
            streams: Arc::new(Semaphore::new(super::stream::MOST)),
            bus: broadcast::Sender::new(LAG),
            state: Mutex::default(),
            answered: Mutex::default(),
            sources,
            guard,
        }))
    }

    /// What is answered from now.
    pub fn scene(&self) -> Result<Arc<Scene>, Problem> {
        let scene = self
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .scene
            .clone();
        scene
            .filter(|scene| scene.picture.is_whole())
            .ok_or_else(|| Problem::not_ready("the keeper is starting and has not read its markets yet; try again in a moment"))
    }

    /// The newest, whole or not.
    pub fn any_scene(&self) -> Option<Arc<Scene>> {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .scene
            .clone()
    }

    /// Takes in what is new and makes the next version. Tells listeners of actions and overrides.
    pub fn renew(&self) {
        let picture: Option<Arc<Picture>> = self.sources.pictures.borrow().clone();
        let mut told = Vec::new();
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let feed = &self.sources.feed;
            let begun = std::mem::replace(&mut state.begun, true);
            let entries = match feed.after(state.log.sequence) {
                Some(entries) => entries,
                // More was written in a moment than is kept.
                None => feed.all(),
            };
            let log = Arc::make_mut(&mut state.log);
            for entry in &entries {
                // What lies before this process was told by another one.
                if let Some(one) = log.take_in(entry, picture.as_deref())
                    && begun
                {
                    told.push((entry.sequence, one));
                }
            }
            if let Some(picture) = &picture {
                log.look_after(picture);
            }
            if let Some(picture) = picture {
                state.version += 1;
                let log = Arc::clone(&state.log);
                let scene = Scene::new(state.version, picture, log, self.sources.clone());
                state.scene = Some(Arc::new(scene));
            }
        }
        let scene = self.any_scene();
        for (sequence, one) in told {
            // Nobody listening is fine.
            let _ = self.bus.send(message(scene.as_deref(), sequence, &one));
        }
    }

    /// What was journaled after a sequence number, and up to which; `None`: that is not known any more.
    pub fn missed(&self, last: u64) -> Option<(Vec<Message>, u64)> {
        let (log, scene) = {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            (Arc::clone(&state.log), state.scene.clone())
        };
        // What the log does not hold yet is still to come.
        let entries = self.sources.feed.after(last)?;
        let entries = entries
            .iter()
            .filter(|entry| entry.sequence <= log.sequence);
        let messages = entries.filter_map(|entry| {
            let told = log.told(entry)?;
            Some(message(scene.as_deref(), entry.sequence, &told))
        });
        Some((messages.collect(), log.sequence))
    }

    /// Keeps answers up to date, for as long as it is polled.
    async fn follow(&self) {
        let mut pictures = self.sources.pictures.clone();
        let mut newest = self.sources.feed.newest();
        let mut changes = self.sources.control.changes();
        loop {
            self.renew();
            tokio::select! {
                changed = pictures.changed() => if changed.is_err() { std::future::pending().await },
                Ok(()) = newest.changed() => {}
                Ok(()) = changes.changed() => {}
            }
        }
    }

    /// The heartbeat, whether or not anything changes.
    async fn beat(&self) {
        let mut beats = interval(Duration::from_millis(HEARTBEAT_MS));
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beats.tick().await;
            if let Some(scene) = self.any_scene() {
                let _ = self.bus.send(Message::new("tick", None, &scene.tick()));
            }
        }
    }

    /// `/readyz`: whether the keeper can do its work, and why not.
    pub fn ready(&self) -> Response {
        let mut reasons = Vec::new();
        match self.any_scene() {
            None => reasons.push("nothing has been read yet".to_owned()),
            Some(scene) => {
                if !scene.picture.is_whole() {
                    reasons.push("not all markets and positions have been read yet".to_owned());
                }
                let age_ms = scene.slot_age_ms();
                if age_ms > 5_000 {
                    reasons.push(format!(
                        "no new slot for {age_ms} ms: look at the endpoints"
                    ));
                }
            }
        }
        if let Some(broken) = self.sources.control.broken() {
            reasons.push(format!("the journal cannot be written: {broken}"));
        }
        let (status, text) = if reasons.is_empty() {
            (StatusCode::OK, "ready\n".to_owned())
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n")
        };
        route::bytes(status, "text/plain; charset=utf-8", text)
    }

    pub fn count(&self, status: StatusCode) {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        *answered.entry(status.as_u16()).or_default() += 1;
    }

    /// Answers so far, by status.
    pub fn answered(&self) -> BTreeMap<u16, u64> {
        self.answered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// A running server. Dropped, it ends.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    /// Taken by the drop.
    end: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Server {
    /// Listens and answers, if the configuration says where.
    ///
    /// # Errors
    /// [`ServerError`].
    pub fn start(sources: Sources) -> Result<Option<Self>, ServerError> {
        let api = &sources.config.api;
        let Some(address) = api.listen else {
            return Ok(None);
        };
        let write = Token::of_directory(&sources.config.journal_dir)?;
        let read = api.read_token.as_deref().map(Token::read).transpose()?;
        let bound = TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        });
        let (listener, address) =
            bound.map_err(|source| ServerError::Listen { address, source })?;
        let guard = Guard::new(address.port(), &api.hosts, write, read);
        let api = Api::new(sources, guard)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(ServerError::Thread)?;
        let (end, ended) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("api".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    tokio::select! {
                        result = serve(api, listener) => {
                            if let Err(error) = result {
                                error!(%error, "the API has ended");
                            }
                        }
                        // Dropped without a word, it ends as well.
                        _ = ended => {}
                    }
                });
                // Answers that are being made are of no use any more.
                runtime.shutdown_background();
            })
            .map_err(ServerError::Thread)?;
        info!(%address, "the API listens");
        Ok(Some(Self {
            address,
            end: Some(end),
            thread: Some(thread),
        }))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            // It may have ended by itself.
            let _ = end.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn message(scene: Option<&Scene>, sequence: u64, told: &Told) -> Message {
    match told {
        Told::Action(action) => Message::new("action", Some(sequence), action),
        Told::Override(held) => {
            let shown = shown_override(held, scene.map(|scene| scene.picture.as_ref()));
            Message::new("override", Some(sequence), &shown)
        }
    }
}

async fn serve(api: Arc<Api>, listener: TcpListener) -> io::Result<()> {
    let listener = TimedListener::new(tokio::net::TcpListener::from_std(listener)?);
    let router = Router::new()
        .fallback(route::answer)
        .with_state(Arc::clone(&api));
    let served = axum::serve(listener, router).into_future();
    tokio::select! {
        result = served => result,
        () = api.follow() => Ok(()),
        () = api.beat() => Ok(()),
    }
}
