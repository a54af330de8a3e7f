//! Carries decisions out: look once more at one slot, prepare, journal, send, find out what became of it.
//!
//! For every position at most one of these runs at a time, and none while an earlier transaction could still land:
//! that is what keeps the keeper from acting twice. The same holds over a restart, because an intent is on disk before
//! its transaction is sent, and is resumed before anything else is done for its position.

mod act;
mod backed;
mod balance;
pub mod budget;
mod build;
mod carry;
pub mod fee;
mod fees;
mod finality;
mod job;
mod look;
mod not_final;
mod posted;
mod settle;
mod tables;
mod tip;
mod trouble;
mod view;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ballast_client::{Chain, Lane, PriorityFee, Sender, SenderConfig, TransactionSigner};
use ballast_strategy::decide::{ActionKind, Kinds};
use solana_sdk::pubkey::Pubkey;

pub use backed::Unbacked;
pub use budget::Spent;
pub use fees::{Earned, FeeAccounts};
pub use finality::SettledAgain;
pub use job::{Job, Report, Seen, Verdict};
pub use view::{Fresh, View, ViewError, ViewRequest};

use backed::Disputes;
use balance::Balance;
use budget::Spending;
use build::Learned;
use not_final::NotFinal;
use trouble::Trouble;

use crate::{
    config::Config,
    control::{Control, Permission},
    decisions::Recorder,
    events::Events,
    journal::SharedJournal,
    shards::Shards,
    updates::{Poster, PriceUpdates},
};

/// See the module's description. Cheap to clone.
#[derive(Clone)]
pub struct Executor {
    pub(crate) chain: Arc<dyn Chain>,
    pub(crate) sender: Sender,
    pub(crate) journal: Option<SharedJournal>,
    pub(crate) signer: Option<Arc<dyn TransactionSigner>>,
    pub(crate) config: Arc<Config>,
    pub(crate) events: Events,
    pub(crate) control: Control,
    /// Whose positions are.
    pub(crate) shards: Shards,
    /// Writes decisions down.
    pub(crate) recorder: Recorder,
    /// Posts prices; `None`: only those of the markets' price accounts are used.
    poster: Option<Arc<Poster>>,
    learned: Arc<Mutex<Learned>>,
    balance: Arc<Balance>,
    disputes: Arc<Disputes>,
    not_final: Arc<NotFinal>,
    spending: Arc<Mutex<Spending>>,
}

impl Executor {
    /// An executor. Without a journal it refuses to act, without a signer to sign.
    pub fn new(
        chain: Arc<dyn Chain>,
        journal: Option<SharedJournal>,
        signer: Option<Arc<dyn TransactionSigner>>,
        config: Arc<Config>,
        events: Events,
    ) -> Self {
        let sender_config = SenderConfig {
            fee: PriorityFee::None,
            poll: config.timing.poll_interval,
            resend: config.timing.resend_interval,
            ..SenderConfig::default()
        };
        let sender = Sender::new(Arc::clone(&chain), sender_config);
        Self {
            control: Control::new(config.mode, events.clone(), None),
            shards: Shards::default(),
            recorder: Recorder::default(),
            chain,
            sender,
            journal,
            signer,
            config,
            events,
            poster: None,
            learned: Arc::default(),
            balance: Arc::default(),
            disputes: Arc::default(),
            not_final: Arc::default(),
            spending: Arc::default(),
        }
    }

    /// Hands what is signed in by another way than the nodes themselves.
    #[must_use]
    pub fn with_lane(mut self, lane: Arc<dyn Lane>) -> Self {
        self.sender = self.sender.with_lane(lane);
        self
    }

    /// Does what this allows, instead of what the configuration alone does.
    #[must_use]
    pub fn with_control(self, control: Control) -> Self {
        Self { control, ..self }
    }

    /// Writes decisions down.
    #[must_use]
    pub fn with_recorder(self, recorder: Recorder) -> Self {
        Self { recorder, ..self }
    }

    /// Acts only for what belongs to this keeper in its group.
    #[must_use]
    pub fn with_shards(self, shards: Shards) -> Self {
        Self { shards, ..self }
    }

    /// What something else takes the place of.
    pub(crate) fn forbidden(&self, position: &Pubkey) -> Kinds {
        self.shards.forbidden(&self.control, position)
    }

    /// What may be done now: as people let it, and as it is this keeper's to do.
    pub(crate) fn permission(&self, subject: &Pubkey, kind: ActionKind) -> Permission {
        match self.control.permission(subject, kind) {
            Permission::Send if !self.shards.permits(subject, kind) => Permission::Nothing,
            permission => permission,
        }
    }

    /// Acts on prices of this service too, and posts them where that is needed. Without a key it cannot.
    #[must_use]
    pub fn with_updates(mut self, source: Arc<dyn PriceUpdates>) -> Self {
        self.poster = self.signer.as_ref().map(|signer| {
            let chain = Arc::clone(&self.chain);
            let poster = Poster::new(source, chain, self.sender.clone(), Arc::clone(signer));
            Arc::new(poster)
        });
        self
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        // Every change of it is a single insertion.
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who signs; the zero address without a key.
    pub fn keeper(&self) -> Pubkey {
        self.signer
            .as_ref()
            .map(|signer| signer.address())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
