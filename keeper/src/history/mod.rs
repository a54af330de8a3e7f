//! The history of positions: a hook beside the engine, which it never slows.
//!
//! 1. [`sights`] makes of the engine's newest picture what the history needs of it.
//! 2. [`writer`], a thread of its own, keeps sums up ([`ballast_history::Ledger`]), follows the journal for what was done and
//!    ordered ([`rows`]), and writes both to the store in one transaction a second.
//! 3. [`backfill`] reads what happened before a position was first seen from the node's transaction history ([`events`]), and
//!    [`others`] what others do to it later.
//!
//! What the [`hedge`](mod@hedge) on a venue is goes the same way.
//!
//! Pictures wait for the writer in a bounded [`queue`]. What finds it full is dropped, counted, and noted on every position as a gap:
//! sums then still add up, but in one longer step. A store that does not answer is tried again; until then everything waits in
//! memory, up to a bound.

pub mod answers;
mod backfill;
pub mod events;
pub(crate) mod hedge;
mod others;
mod queue;
mod rows;
mod sights;
mod writer;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, RwLock, mpsc},
    time::Duration,
};

use ballast_client::Chain;
use ballast_history::{
    Frame, HedgePoint, Point, Reading, Track,
    store::{Location, Store, StoreError},
};
use solana_sdk::pubkey::Pubkey;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use crate::{events::Events, hedge::HedgeWatch, picture::Pictures};
use hedge::HedgeSights;
use queue::{Length, Sender};

/// Pictures that may wait for the writer.
const QUEUE: usize = 16;
/// Least time between two pictures that are taken.
const TAKE_EVERY: Duration = Duration::from_secs(1);

/// Where a history is kept, for whom, and how.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The store.
    pub location: Location,
    /// Cluster and key: a store is of one.
    pub whose: String,
    /// Where the journal is followed.
    pub journal_dir: PathBuf,
    /// After so many days points and actions are deleted; 0: never.
    pub keep_days: u32,
    /// Whether the past is read from the node.
    pub backfill: bool,
}

/// How the history fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Whether the store was open when it was last needed.
    pub open: bool,
    /// What it said last, if it refused.
    pub error: Option<String>,
    /// Pictures that found the queue full.
    pub lost_pictures: u64,
    /// Points that found no room while the store did not answer.
    pub lost_points: u64,
    /// Transactions with the store since the start.
    pub writes: u64,
    /// Tries since the start that it refused, openings among them.
    pub failures: u64,
    /// When it last had all that was known, or the start.
    pub settled: Option<std::time::Instant>,
    /// What waits for the writer.
    pub queue: usize,
    /// Rows that wait for the store.
    pub rows_waiting: usize,
    /// Positions with a record.
    pub positions: usize,
    /// Of those that are open, the ones of whose time before the first sight only the account's own counters are known.
    pub pasts_open: usize,
    /// Changes of positions by others that the node could not tell of.
    pub unread_changes: u64,
}

/// A position's sums as they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its market.
    pub market: Pubkey,
    /// Its record.
    pub track: Track,
    /// The first point of the last 24 hours.
    pub day: Option<Point>,
}

type Standings = Arc<RwLock<HashMap<Pubkey, Standing>>>;

/// What readers ask: sums from memory, everything else from the store by a connection of their own.
#[derive(Clone)]
pub struct HistoryReader {
    location: Location,
    standings: Standings,
    health: watch::Receiver<Health>,
    queue: Length,
}

impl HistoryReader {
    /// A position's sums. Never waits for the store.
    pub fn standing(&self, position: &Pubkey) -> Option<Standing> {
        let standings = self.standings.read().ok()?;
        standings.get(position).copied()
    }

    /// How the history fares.
    pub fn health(&self) -> Health {
        Health {
            queue: self.queue.get(),
            ..self.health.borrow().clone()
        }
    }

    /// Asks the store, off the asynchronous threads.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let location = self.location.clone();
        let asked = tokio::task::spawn_blocking(move || {
            // A connection for every question: a lost one needs no care, and readers never wait for each other.
            let mut store = location.open_to_read()?;
            question(store.as_mut())
        });
        // The task neither panics nor is aborted, except when the runtime is shut down.
        asked
            .await
            .unwrap_or_else(|_| Err(StoreError::Url("the keeper is stopping".into())))
    }
}

/// What comes to the writer.
enum Input {
    Frames(Vec<Frame>),
    /// How far a position's past has been read, and what was done in it.
    Past(Pubkey, Box<Reading>, Vec<ballast_history::ActionRow>),
    /// What others have done.
    Others(Vec<ballast_history::ActionRow>),
    /// What the hedge is.
    Hedge(Vec<HedgePoint>),
}

/// The hook: begins when it is polled and ends with the engine's last picture.
pub struct History {
    setting: Setting,
    reader: HistoryReader,
    health: watch::Sender<Health>,
    hedge: Option<HedgeWatch>,
}

impl History {
    /// A history that has not begun.
    pub fn new(setting: Setting) -> Self {
        let begun = Health {
            settled: Some(std::time::Instant::now()),
            ..Health::default()
        };
        let (health, told) = watch::channel(begun);
        Self {
            reader: HistoryReader {
                location: setting.location.clone(),
                standings: Standings::default(),
                health: told,
                queue: Length::default(),
            },
            setting,
            health,
            hedge: None,
        }
    }

    /// With the hedge on a venue.
    #[must_use]
    pub fn with_hedge(self, hedge: Option<HedgeWatch>) -> Self {
        Self { hedge, ..self }
    }

    /// For those who ask.
    pub fn reader(&self) -> HistoryReader {
        self.reader.clone()
    }

    /// Runs until the engine's pictures end; what is known by then is written.
    pub async fn run(self, mut pictures: Pictures, chain: Arc<dyn Chain>, events: Events) {
        let Self {
            setting,
            reader,
            health,
            hedge,
        } = self;
        let (sender, receiver) = queue::bounded(QUEUE, &reader.queue);
        let backfills = setting.backfill;
        let (ask, asked) = tokio::sync::mpsc::channel(others::QUEUE);
        let writer = writer::Writer::new(
            setting,
            Arc::clone(&reader.standings),
            health.clone(),
            events.clone(),
            ask,
        );
        let thread = std::thread::Builder::new()
            .name("history".into())
            .spawn(move || writer.run(&receiver));
        let thread = match thread {
            Ok(thread) => thread,
            Err(error) => {
                health.send_modify(|health| health.error = Some(error.to_string()));
                return;
            }
        };
        let takes = take(&mut pictures, HedgeSights::new(hedge), &sender, &health);
        if backfills {
            let past = backfill::run(Arc::clone(&chain), reader, sender.clone());
            let others = others::run(chain, asked, sender.clone(), health.clone());
            tokio::select! {
                () = takes => {}
                () = past => {}
                () = others => {}
            }
        } else {
            drop(asked);
            takes.await;
        }
        let last = pictures.borrow().clone();
        let end = tokio::task::spawn_blocking(move || {
            if let Some(picture) = last {
                // There is room soon: nobody else sends.
                let _ = sender.send(Input::Frames(sights::frames(&picture)));
            }
            drop(sender);
            // It ends as soon as it has written the rest.
            let _ = thread.join();
        });
        let _ = end.await;
    }
}

/// Hands pictures to the writer until they end.
async fn take(
    pictures: &mut Pictures,
    mut hedge: HedgeSights,
    sender: &Sender,
    health: &watch::Sender<Health>,
) {
    loop {
        let began = Instant::now();
        let newest = pictures.borrow_and_update().clone();
        if let Some(picture) = newest {
            let frames = sights::frames(&picture);
            let secs = frames.iter().map(|frame| frame.moment.secs).max();
            match sender.try_send(Input::Frames(frames)) {
                Ok(()) => {}
                Err(mpsc::TrySendError::Full(_)) => {
                    health.send_modify(|health| health.lost_pictures += 1);
                }
                Err(mpsc::TrySendError::Disconnected(_)) => return,
            }
            if let Some(secs) = secs {
                hedge.take(secs, sender);
            }
        }
        if pictures.changed().await.is_err() {
            return;
        }
        sleep((began + TAKE_EVERY).saturating_duration_since(Instant::now())).await;
    }
}

#[cfg(test)]
mod tests;
