//! From flags to the mode. Enough raised flags put a keeper that acts into reducing mode, by an override like a person's, journaled with
//! the flags as its reason; so it survives restarts, and is ended by a person's `resume` and by nothing else. That covers the flags that were
//! raised then for `resume_holds_secs`: they do not reduce again before. A flag that is raised beyond those is news, and does.

use ballast_flags::{Board, Flag, Verdict};
use solana_sdk::pubkey::Pubkey;
use tokio::sync::watch;

use crate::{
    Mode,
    control::{Control, Refused, Request, Scope, Verb},
    event::KeeperEvent,
    events::Events,
};

/// By whom overrides of this module are.
pub const BY: &str = "flags";

/// Follows what people say, and says `reduce` itself.
pub(super) struct Reducer {
    control: Control,
    changes: watch::Receiver<u64>,
    events: Events,
    /// The newest `resume` that was heeded.
    heeded: Option<u64>,
    begun: bool,
    /// What was last warned of.
    told: Option<String>,
}

impl Reducer {
    pub fn new(control: Control, events: Events) -> Self {
        Self {
            changes: control.changes(),
            control,
            events,
            heeded: None,
            begun: false,
            told: None,
        }
    }

    /// Has the board cover what a person went on with. At the start it is not known what was raised when a person last said `resume`: then
    /// all flags are covered for what is left of the time.
    pub fn heed(&mut self, board: &mut Board<Pubkey>, last: &Verdict) {
        if self.begun && !self.changes.has_changed().unwrap_or(false) {
            return;
        }
        self.changes.mark_unchanged();
        let overrides = self.control.overrides();
        let newest = overrides
            .newest()
            .find(|entry| entry.scope == Scope::Keeper);
        if let Some(entry) = newest
            && entry.mode == Verb::Resume
            && self.heeded != Some(entry.id)
        {
            let raised: Vec<Flag> = if self.begun {
                last.raised().collect()
            } else {
                Flag::ALL.to_vec()
            };
            board.cover(raised, entry.secs);
            self.heeded = Some(entry.id);
        }
        self.begun = true;
    }

    /// Puts a keeper that acts into reducing mode if the flags say so.
    pub async fn follow(&mut self, verdict: &Verdict) {
        if !verdict.reduce || self.control.mode() != Mode::Active {
            return;
        }
        // Somebody has just said something: that is heeded first.
        if self.changes.has_changed().unwrap_or(false) {
            return;
        }
        let request = Request {
            scope: Scope::Keeper,
            verb: Verb::Reduce,
            note: format!("red flags: {}", verdict.evidence()),
            until_secs: None,
            expect_mode: Some(Mode::Active),
            key: None,
            by: BY.into(),
        };
        match self.control.apply(request).await {
            Ok(_) | Err(Refused::NotReady | Refused::ModeChanged { .. }) => self.told = None,
            Err(refused) => {
                let message = format!("red flags ask for reducing mode, but {refused}");
                if self.told.as_ref() != Some(&message) {
                    self.told = Some(message.clone());
                    self.events.send(KeeperEvent::Warning { message });
                }
            }
        }
    }
}
