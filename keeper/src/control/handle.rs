//! The handle by which requests come in and by which the keeper asks what it may do.

use std::{
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{SystemTime, UNIX_EPOCH},
};

use ballast_strategy::decide::{ActionKind, Kinds};
use solana_sdk::pubkey::Pubkey;
use tokio::{sync::watch, time::Instant};

use super::{
    Applied, Clock, InFlight, Mode, Override, OverrideRecord, Overrides, Permission, Refused,
    Request, Scope, files::Files,
};
use crate::{
    event::KeeperEvent,
    events::Events,
    journal::{Journal, JournalError, Record, SharedJournal, Storage},
};

/// The system's clock, Unix seconds; another one in simulations.
pub type SystemClock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What binds the keeper now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The mode in force.
    pub mode: Mode,
    /// What made it so, in words: `configured`, or the override.
    pub reason: String,
    /// The override that stands, whether or not the configuration binds more.
    pub by: Option<Override>,
}

/// See the module's description. Cheap to clone.
#[derive(Clone)]
pub struct Control(Arc<Inner>);

struct Inner {
    configured: Mode,
    system: SystemClock,
    state: RwLock<State>,
    /// Grows with everything that may change what is permitted.
    changed: watch::Sender<u64>,
    events: Events,
}

struct State {
    /// Once it is open.
    journal: Option<SharedJournal>,
    overrides: Overrides,
    clock: Clock,
    /// The counter's zero.
    began: Instant,
    files: Files,
    /// Why nothing may be done any more.
    broken: Option<String>,
    /// The mode last told.
    told: Mode,
    /// When the next override ends by itself, as last looked at.
    next_end_secs: Option<i64>,
}

impl State {
    fn now_secs(&self) -> i64 {
        self.clock.secs(self.began.elapsed())
    }

    /// The most that configuration, files and disk leave.
    fn most(&self, configured: Mode) -> Mode {
        if self.broken.is_some() {
            return Mode::Halted;
        }
        configured.min(self.files.bound())
    }

    fn mode(&self, configured: Mode) -> Mode {
        let now_secs = self.now_secs();
        self.overrides.mode(self.most(configured), now_secs)
    }
}

fn system_secs() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

impl Control {
    /// A handle of a keeper whose configuration allows that much. Until [`Self::open`] it refuses everything.
    pub fn new(configured: Mode, events: Events, system: Option<SystemClock>) -> Self {
        let system = system.unwrap_or_else(|| Arc::new(system_secs));
        let state = State {
            journal: None,
            overrides: Overrides::default(),
            clock: Clock::new(system(), 0),
            began: Instant::now(),
            files: Files::default(),
            broken: None,
            told: configured,
            next_end_secs: None,
        };
        Self(Arc::new(Inner {
            configured,
            system,
            state: RwLock::new(state),
            changed: watch::Sender::new(0),
            events,
        }))
    }

    /// Takes up what the journal said; from now on requests are written into it.
    pub fn open(&self, journal: SharedJournal, overrides: Overrides) {
        {
            let mut state = self.write();
            state.clock = Clock::new((self.0.system)(), overrides.newest_secs());
            state.began = Instant::now();
            state.overrides = overrides;
            state.journal = Some(journal);
        }
        self.tell_changes(true);
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        // Every change is whole.
        self.0.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what is asked: it is on disk and binds before this returns. A request whose key was answered before gets the same
    /// answer and changes nothing.
    ///
    /// Whether a position exists is for the caller to check: the journal does not know.
    ///
    /// # Errors
    /// [`Refused`]. After [`Refused::Journal`] the keeper sends nothing any more.
    pub async fn apply(&self, request: Request) -> Result<Applied, Refused> {
        self.apply_as(request, false).await
    }

    /// As [`Self::apply`]; what a file asks for is not held against it.
    pub(super) async fn apply_as(&self, request: Request, file: bool) -> Result<Applied, Refused> {
        let request = request.checked()?;
        let journal = self.read().journal.clone().ok_or(Refused::NotReady)?;
        let control = self.clone();
        let done = journal
            .with(move |journal| control.journal(journal, request, file))
            .await;
        // The task is neither aborted nor does it panic, except when the process ends.
        done.unwrap_or(Err(Refused::NotReady))
    }

    /// Under the journal's lock, so that what is decided here still holds when it is written.
    fn journal<S: Storage>(
        &self,
        journal: &mut Journal<S>,
        request: Request,
        file: bool,
    ) -> Result<Applied, Refused> {
        let secs = {
            let state = self.read();
            let now_secs = state.now_secs();
            if let Some(key) = &request.key
                && let Some(answer) = state.overrides.answer(key, now_secs)
            {
                request.require_same(answer)?;
                return Ok(answer.clone());
            }
            request.check_end(now_secs)?;
            self.require_expected(&state, &request)?;
            if !file {
                state.files.require_left(&request)?;
            }
            now_secs
        };
        let record = OverrideRecord {
            applied: Applied {
                entry: Override {
                    id: journal.next_id().0,
                    secs,
                    scope: request.scope,
                    mode: request.verb,
                    note: request.note,
                    by: request.by,
                    until_secs: request.until_secs,
                },
                in_flight: journal.in_flight(),
            },
            key: request.key,
        };
        if let Err(error) = journal.write(&Record::Override(Box::new(record.clone()))) {
            return Err(self.not_journaled(&error));
        }
        self.write().overrides.fold(&record);
        let applied = record.applied;
        self.0
            .events
            .send(KeeperEvent::Override(applied.entry.clone()));
        self.tell_changes(true);
        Ok(applied)
    }

    fn not_journaled(&self, error: &JournalError) -> Refused {
        if matches!(error, JournalError::SuspectTail) {
            return Refused::NotReady;
        }
        self.write().broken = Some(error.to_string());
        self.tell_changes(true);
        Refused::Journal(error.to_string())
    }

    fn require_expected(&self, state: &State, request: &Request) -> Result<(), Refused> {
        let Some(expected) = request.expect_mode else {
            return Ok(());
        };
        let now_secs = state.now_secs();
        let (found, latest) = match request.scope {
            Scope::Keeper => (
                state.mode(self.0.configured),
                state.overrides.keeper(now_secs),
            ),
            Scope::Position { position } => (
                self.position_mode_in(state, &position),
                state.overrides.binding(&position, now_secs),
            ),
        };
        if found == expected {
            return Ok(());
        }
        Err(Refused::ModeChanged {
            scope: request.scope,
            expected,
            found,
            latest: latest.cloned().map(Box::new),
        })
    }

    /// The mode in force.
    pub fn mode(&self) -> Mode {
        self.read().mode(self.0.configured)
    }

    /// The configuration's mode, the upper bound.
    pub fn configured(&self) -> Mode {
        self.0.configured
    }

    /// The mode in force, and why.
    pub fn standing(&self) -> Standing {
        let state = self.read();
        let mode = state.mode(self.0.configured);
        let by = state.overrides.keeper(state.now_secs()).cloned();
        let reason = match (&state.broken, &by) {
            (Some(broken), _) => broken.clone(),
            (None, Some(entry)) if entry.mode.bound().is_some_and(|bound| bound <= mode) => {
                format!("override #{} by {}: {}", entry.id, entry.by, entry.note)
            }
            _ if mode == self.0.configured => "configured".to_owned(),
            _ => state.files.reason(),
        };
        Standing { mode, reason, by }
    }

    /// The mode of a position: the keeper's, or less.
    pub fn position_mode(&self, position: &Pubkey) -> Mode {
        self.position_mode_in(&self.read(), position)
    }

    fn position_mode_in(&self, state: &State, position: &Pubkey) -> Mode {
        let bound = state.overrides.position_bound(position, state.now_secs());
        state.most(self.0.configured).min(bound)
    }

    /// The override that binds a position by itself.
    pub fn position(&self, position: &Pubkey) -> Option<Override> {
        let state = self.read();
        let entry = state.overrides.position(position, state.now_secs());
        entry.cloned()
    }

    /// What was signed and may land yet, as the journal knows it. It waits for what is being written.
    pub fn in_flight(&self) -> Vec<InFlight> {
        let journal = self.read().journal.clone();
        journal.map_or_else(Vec::new, |journal| journal.in_flight())
    }

    /// All that was said, as it is now.
    pub fn overrides(&self) -> Overrides {
        self.read().overrides.clone()
    }

    /// The keeper's time, Unix seconds.
    pub fn now_secs(&self) -> i64 {
        self.read().now_secs()
    }

    /// A number that grows with everything that may change what is permitted.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// Why nothing may be done any more, if an override could not be journaled.
    pub fn broken(&self) -> Option<String> {
        self.read().broken.clone()
    }

    /// What may be done with an action of a position, or of a market or price account.
    pub fn permission(&self, subject: &Pubkey, kind: ActionKind) -> Permission {
        self.permissions(subject)(kind)
    }

    /// The same for every kind, as of now.
    fn permissions(&self, subject: &Pubkey) -> impl Fn(ActionKind) -> Permission {
        let state = self.read();
        let bound = state.overrides.position_bound(subject, state.now_secs());
        let most = state.most(self.0.configured);
        // Not of the lesser mode: paper with a reduction simulates only what reduces.
        move |kind| most.permission(kind).min(bound.permission(kind))
    }

    /// What is not to be decided on for a position, because something else is to take its place. Where nothing is done at all,
    /// nothing is left out: decisions are shown as they would be.
    pub fn forbidden(&self, position: &Pubkey) -> Kinds {
        let permission = self.permissions(position);
        let forbidden = ActionKind::ALL.map(|kind| permission(kind) == Permission::Nothing);
        if forbidden.iter().all(|forbidden| *forbidden) {
            return Kinds::NONE;
        }
        let kinds = ActionKind::ALL.into_iter().zip(forbidden);
        kinds
            .filter(|(_, forbidden)| *forbidden)
            .fold(Kinds::NONE, |kinds, (kind, _)| kinds.with(kind))
    }

    /// Looks at the clocks and at what ended by itself, and takes note of files.
    pub(super) fn look(&self, files: Files) {
        {
            let mut state = self.write();
            let counted = state.began.elapsed();
            state.clock.compare(counted, (self.0.system)());
            state.files = files;
        }
        self.tell_changes(false);
    }

    pub(super) fn files(&self) -> Files {
        self.read().files
    }

    pub(super) fn warn(&self, message: String) {
        self.0.events.send(KeeperEvent::Warning { message });
    }

    /// The bound that overrides alone give the keeper.
    pub(super) fn overridden(&self) -> Mode {
        let state = self.read();
        state.overrides.mode(Mode::Active, state.now_secs())
    }

    /// Tells whoever waits that something changed.
    fn tell_changes(&self, surely: bool) {
        let (told, mode, ended) = {
            let mut state = self.write();
            let now_secs = state.now_secs();
            let ended = state.next_end_secs.is_some_and(|end| end <= now_secs);
            state.next_end_secs = state.overrides.next_end_secs(now_secs);
            let mode = state.mode(self.0.configured);
            (std::mem::replace(&mut state.told, mode), mode, ended)
        };
        if told != mode {
            let Standing { reason, .. } = self.standing();
            self.0
                .events
                .send(KeeperEvent::ModeChanged { mode, reason });
        }
        if surely || ended || told != mode {
            self.0.changed.send_modify(|version| *version += 1);
        }
    }
}
