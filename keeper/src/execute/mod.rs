//! Carries decisions out: look once more at one slot, prepare, journal, send, find out what became of it.
//!
//! For every position at most one of these runs at a time, and none while an earlier transaction could still land:
//! that is what keeps the keeper from acting twice. The same holds over a restart, because an intent is on disk before
//! its transaction is sent, and is resumed before anything else is done for its position.

mod backed;
mod balance;
pub mod budget;
mod build;
mod carry;
pub mod fee;
mod fees;
mod look;
mod posted;
mod settle;
mod tables;
mod tip;
mod view;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ballast_client::{
    Chain, ChainError, Instruction, Lane, MarketContext, PriorityFee, SendError, Sender,
    SenderConfig, TransactionSigner, instruction, lookup_table::LookupTableError, protecting,
};
use ballast_model::Amounts;
use solana_sdk::pubkey::Pubkey;
use thiserror::Error;
use tracing::{Instrument, Span, field};

pub use backed::Unbacked;
pub use budget::Spent;
pub use fees::{Earned, FeeAccounts};
pub use view::{Fresh, View, ViewError, ViewRequest};

use backed::{Backing, Disputes};
use balance::Balance;
use ballast_strategy::{
    decide::{Action, ActionKind, Assessment, Kinds, Reason, refresh_due},
    situation::{Outlook, SituationError},
    urgency::Stakes,
};
use ballast_view::TokenNames;
use budget::Spending;
use build::Learned;
use carry::Plan;
use look::{Look, acts};

use crate::{
    config::Config,
    control::{Control, Permission},
    decisions::Recorder,
    event::{DecisionEvent, KeeperEvent, inputs, market_inputs},
    events::Events,
    journal::{Intent, IntentId, JournalError, Outcome, SharedJournal},
    shards::{NotNow, Shards},
    updates::{PostError, Poster, PriceUpdates, UpdatesError},
};

/// A position, or a market, that something seems to be due for.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its market.
    pub market: Arc<MarketContext>,
    /// The position; the market's own address for a look at its evidence, its base price account for showing it a price.
    pub position: Pubkey,
    /// Where its fees are to be read.
    pub fees: Option<FeeAccounts>,
    /// What is known beyond accounts.
    pub outlook: Outlook,
    /// Nothing is known to be due: the fees are to be looked at.
    pub survey: bool,
    /// What seems to be due. Anything else is left for another job.
    pub action: ActionKind,
    /// Slot up to which the effects of earlier actions are known.
    pub min_slot: u64,
    /// How often this has been tried before without landing.
    pub attempt: u32,
    /// Whether the last try landed and failed, so that this one is simulated however urgent it is.
    pub has_failed: bool,
}

/// What came of a job or a resumed intent.
#[derive(Debug)]
pub enum Verdict {
    /// At one slot, it was not due, or something stood in the way.
    NotDue,
    /// It would fail; nothing was sent.
    Refused,
    /// Simulated and written down.
    Paper,
    /// A transaction was sent and its outcome is known.
    Resolved(Outcome),
    /// Nothing was sent, because a node did not answer or made no sense.
    Unavailable(String),
    /// Nothing may be done any more.
    Halt(JournalError),
}

/// A verdict with what was seen on the way.
#[derive(Debug)]
pub struct Report {
    /// The market.
    pub market: Pubkey,
    /// The position.
    pub position: Pubkey,
    /// What was to be done.
    pub action: ActionKind,
    /// Whether it was only to be looked at.
    pub survey: bool,
    /// What came of it.
    pub verdict: Verdict,
    /// What was seen before anything was done.
    pub seen: Option<Seen>,
    /// Newest accounts, for the book.
    pub fresh: Option<Fresh>,
}

/// What was seen of a position beyond its own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// At this slot.
    pub slot: u64,
    /// At this time.
    pub at_secs: i64,
    /// Fees that waited.
    pub fees: Option<Amounts>,
    /// The part of them that the pool had booked.
    pub booked_fees: Option<Amounts>,
    /// Lamports for rewards.
    pub reward_lamports: Option<u64>,
}

/// What every line about an action belongs to, whatever the level of what is logged.
fn action_span(position: Pubkey, action: ActionKind) -> Span {
    tracing::error_span!("action", intent = field::Empty, %position, %action)
}

/// Why nothing was sent.
#[derive(Debug, Error)]
enum Trouble {
    #[error(transparent)]
    View(#[from] ViewError),
    #[error(transparent)]
    Situation(#[from] SituationError),
    #[error(transparent)]
    Send(#[from] SendError),
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Spent(#[from] Spent),
    #[error("nobody to sign with: set keypair, or [signer]")]
    NoKey,
    #[error(transparent)]
    Tables(#[from] LookupTableError),
    #[error(transparent)]
    Updates(#[from] UpdatesError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Lease(#[from] NotNow),
    #[error(transparent)]
    Unbacked(#[from] Unbacked),
    #[error(
        "the band {lower} to {upper} needs tick arrays that do not exist: set automation.create_tick_arrays, or create them"
    )]
    NoTickArrays { lower: i32, upper: i32 },
}

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

    /// Does what is due for a position, if anything is, and waits for the outcome. Every line that is logged on the way has the number of
    /// the intent, as soon as there is one.
    pub async fn act(&self, job: Job) -> Report {
        let span = action_span(job.position, job.action);
        let protects = budget::is_reserved_for(job.action);
        let acting = self.act_within(job).instrument(span);
        match protects {
            true => protecting(acting).await,
            false => acting.await,
        }
    }

    async fn act_within(&self, job: Job) -> Report {
        let mut report = Report {
            market: job.market.address,
            position: job.position,
            action: job.action,
            survey: job.survey,
            verdict: Verdict::NotDue,
            seen: None,
            fresh: None,
        };
        let verdict = match job.action {
            ActionKind::RefreshStage => self.try_refresh(&job, &mut report).await,
            ActionKind::RefreshPrice => self.try_show(&job, &mut report).await,
            _ => self.try_act(&job, &mut report).await,
        };
        if matches!(verdict, Err(Trouble::Unbacked(_))) {
            // Nor is it taken into the book.
            (report.fresh, report.seen) = (None, None);
        }
        report.verdict = verdict.unwrap_or_else(|trouble| match trouble {
            Trouble::Journal(error) => Verdict::Halt(error),
            // As what was refused: something else, which the reserve pays for, may take its place.
            Trouble::Spent(spent) => {
                self.events.send(KeeperEvent::Refused {
                    position: job.position,
                    action: job.action,
                    error: spent.to_string(),
                });
                Verdict::Refused
            }
            other => Verdict::Unavailable(other.to_string()),
        });
        if let Verdict::Resolved(outcome) = &report.verdict {
            report.fresh = self
                .look_after(&job.market, job.position, outcome)
                .await
                .or(report.fresh);
        }
        report
    }

    /// Takes up an intent of an earlier run: sends the same bytes (only while its action is permitted) until its outcome is
    /// known.
    pub async fn resume(&self, intent: Intent, market: Option<Arc<MarketContext>>) -> Report {
        let span = action_span(intent.position, intent.action);
        span.record("intent", intent.id.0);
        self.resume_within(intent, market).instrument(span).await
    }

    async fn resume_within(&self, intent: Intent, market: Option<Arc<MarketContext>>) -> Report {
        let (position, address, action) = (intent.position, intent.market, intent.action);
        let sends = market.is_some();
        let verdict = match self.settle(&intent, sends, true).await {
            Ok(outcome) => Verdict::Resolved(outcome),
            Err(error) => Verdict::Halt(error),
        };
        let fresh = match (&verdict, &market) {
            (Verdict::Resolved(outcome), Some(market)) => {
                self.look_after(market, position, outcome).await
            }
            _ => None,
        };
        Report {
            market: address,
            position,
            action,
            survey: false,
            verdict,
            seen: None,
            fresh,
        }
    }

    /// The accounts after an action. Failing to see them is no harm: the position is looked at again before the next.
    async fn look_after(
        &self,
        market: &MarketContext,
        position: Pubkey,
        outcome: &Outcome,
    ) -> Option<Fresh> {
        let request = ViewRequest {
            market,
            position,
            fees: None,
            min_slot: outcome.slot(),
            wallet: None,
        };
        View::fetch(
            self.chain.as_ref(),
            &request,
            self.config.timing.poll_interval,
        )
        .await
        .ok()
        .map(|view| view.fresh)
    }

    async fn try_act(&self, job: &Job, report: &mut Report) -> Result<Verdict, Trouble> {
        let Some(look) = self.look(job, report).await? else {
            return Ok(Verdict::NotDue);
        };
        let at = look.assess()?;
        if let Some(due) = acts(&at, job.action) {
            return self.act_on(job, look, &at, due).await;
        }
        // Newer prices than the market's accounts hold may make it due, or possible.
        let Some(posted) = self.posted(job, &look).await? else {
            return Ok(Verdict::NotDue);
        };
        let Some(look) = self.look_again(&posted).await? else {
            return Ok(Verdict::NotDue);
        };
        let at = look.assess()?;
        match acts(&at, job.action) {
            Some(due) => self.act_on(&posted, look, &at, due).await,
            None => Ok(Verdict::NotDue),
        }
    }

    /// Does what is due.
    async fn act_on(
        &self,
        job: &Job,
        look: Look,
        at: &Assessment,
        action: Action,
    ) -> Result<Verdict, Trouble> {
        if self.permission(&job.position, job.action) == Permission::Nothing {
            return Ok(Verdict::NotDue);
        }
        let backing = self.backing(job, &look.view).await?;
        if backing == Backing::Changed {
            return Ok(Verdict::NotDue);
        }
        let id = self.number()?;
        self.recorder
            .record(&look.position.address, &look.situation(), at);
        let stakes = look.stakes(at);
        let Look { view, position, .. } = look;
        let market = &job.market;
        let decision = DecisionEvent::new(market, position.address, at);
        let told = decision.reason.clone();
        self.events.send(KeeperEvent::Decision(decision));
        let liquidates = job.action == ActionKind::Liquidate;
        let instructions = self.instructions(market, &position, &action, &view).await?;
        self.carry_out(Plan {
            id,
            market: Arc::clone(market),
            subject: position.address,
            kind: job.action,
            reason: told,
            inputs: inputs(at),
            stakes,
            // At most two, so that it fits.
            new_wallets: if liquidates {
                view.missing_wallets.len() as u32
            } else {
                0
            },
            instructions,
            attempt: job.attempt,
            must_simulate: job.has_failed || backing == Backing::Unsure,
        })
        .await
    }

    /// A number for what may come to an intent, in all that is logged from now on. One that comes to none is not given again.
    fn number(&self) -> Result<IntentId, JournalError> {
        let journal = self.journal.as_ref().ok_or(JournalError::Halted)?;
        let id = journal.next_id();
        Span::current().record("intent", id.0);
        Ok(id)
    }

    /// Refreshes the market's risk stage, if that is due.
    async fn try_refresh(&self, job: &Job, report: &mut Report) -> Result<Verdict, Trouble> {
        let view = self.view(job, None).await?;
        report.fresh = Some(view.fresh.clone());
        let market = &job.market;
        let Some(reason) = refresh_due(&view.market, &market.prices) else {
            return Ok(Verdict::NotDue);
        };
        if self.backing(job, &view).await? == Backing::Changed {
            return Ok(Verdict::NotDue);
        }
        let instruction = instruction::refresh_stage(market);
        self.tell_market(job, market, &view, &reason, instruction)
            .await
    }

    /// Does something to the market itself, or shows it something of a position.
    async fn tell_market(
        &self,
        job: &Job,
        market: &Arc<MarketContext>,
        view: &View,
        reason: &Reason,
        instruction: Instruction,
    ) -> Result<Verdict, Trouble> {
        let id = self.number()?;
        let names = TokenNames::of(&market.market);
        let (reason, inputs) = (reason.told(names.tokens()), market_inputs(&view.market));
        let position = if job.position == job.market.prices.base {
            market.address
        } else {
            job.position
        };
        self.events.send(KeeperEvent::Decision(DecisionEvent {
            market: market.address,
            position,
            action: Some(job.action),
            reason: reason.clone(),
            obstacle: None,
            inputs: inputs.clone(),
        }));
        self.carry_out(Plan {
            id,
            market: Arc::clone(market),
            subject: job.position,
            kind: job.action,
            reason,
            inputs,
            stakes: Stakes::default(),
            new_wallets: 0,
            instructions: vec![instruction].into(),
            attempt: job.attempt,
            must_simulate: job.has_failed,
        })
        .await
    }

    async fn view(
        &self,
        job: &Job,
        wallet: Option<(ballast_client::Wallet, Amounts)>,
    ) -> Result<View, ViewError> {
        let request = ViewRequest {
            market: &job.market,
            position: job.position,
            fees: job.fees,
            min_slot: job.min_slot,
            wallet,
        };
        let pause = self.config.timing.poll_interval;
        View::fetch(self.chain.as_ref(), &request, pause).await
    }
}

#[cfg(test)]
mod tests;
