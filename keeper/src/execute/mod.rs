//! Carries decisions out: look once more at one slot, prepare, journal, send, find out what became of it.
//!
//! For every position at most one of these runs at a time, and none while an earlier transaction could still land:
//! that is what keeps the keeper from acting twice. The same holds over a restart, because an intent is on disk before
//! its transaction is sent, and is resumed before anything else is done for its position.

mod build;
pub mod fee;
mod fees;
mod settle;
mod view;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ballast_client::{
    Chain, ChainError, MarketContext, Position, PriorityFee, Request, SendError,
    Sender, SenderConfig, VersionedTransaction, instruction, lookup_table::LookupTableError,
};
use ballast_model::{Amounts, Bps};
use solana_sdk::{pubkey::Pubkey, signature::Keypair, signer::Signer};
use thiserror::Error;

pub use fees::FeeAccounts;
pub use view::{Fresh, View, ViewError, ViewRequest};

use build::{Instructions, Learned, cannot_reset_range};

use crate::{
    config::{Config, Mode},
    decide::{ActionKind, Decision, assess, refresh_due},
    event::{DecisionEvent, KeeperEvent, inputs, market_inputs},
    events::Events,
    journal::{
        Inputs, Intent, JournalError, Outcome, OutcomeRecord, PaperRecord, Record, SharedJournal,
    },
    situation::{Outlook, Situation, SituationError},
};

/// A position, or a market, that something seems to be due for.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its market.
    pub market: Arc<MarketContext>,
    /// The position; the market's own address for what is done to the market.
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
    /// Lamports for rewards.
    pub reward_lamports: Option<u64>,
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
    #[error("no key to sign with: set keypair")]
    NoKey,
    #[error(transparent)]
    Tables(#[from] LookupTableError),
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
    pub(crate) keypair: Option<Arc<Keypair>>,
    pub(crate) config: Arc<Config>,
    pub(crate) events: Events,
    learned: Arc<Mutex<Learned>>,
}

/// What is about to be signed.
struct Plan {
    market: Arc<MarketContext>,
    /// The position, or the market.
    subject: Pubkey,
    kind: ActionKind,
    reason: String,
    inputs: Inputs,
    /// Price distance to the liquidation boundary.
    distance: Option<u32>,
    /// Accounts that are created on the way.
    new_wallets: u32,
    instructions: Instructions,
    attempt: u32,
    has_failed: bool,
}

impl Executor {
    /// An executor. Without a journal it refuses to act, without a key to sign.
    pub fn new(
        chain: Arc<dyn Chain>,
        journal: Option<SharedJournal>,
        keypair: Option<Arc<Keypair>>,
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
            chain,
            sender,
            journal,
            keypair,
            config,
            events,
            learned: Arc::default(),
        }
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        // Every change of it is a single insertion.
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who signs; the zero address without a key.
    pub fn keeper(&self) -> Pubkey {
        self.keypair
            .as_ref()
            .map(|keypair| keypair.pubkey())
            .unwrap_or_default()
    }

    /// Does what is due for a position, if anything is, and waits for the outcome.
    pub async fn act(&self, job: Job) -> Report {
        let mut report = Report {
            market: job.market.address,
            position: job.position,
            action: job.action,
            survey: job.survey,
            verdict: Verdict::NotDue,
            seen: None,
            fresh: None,
        };
        let verdict = if job.action == ActionKind::RefreshStage {
            self.try_refresh(&job, &mut report).await
        } else {
            self.try_act(&job, &mut report).await
        };
        report.verdict = verdict.unwrap_or_else(|trouble| match trouble {
            Trouble::Journal(error) => Verdict::Halt(error),
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

    /// Takes up an intent of an earlier run: sends the same bytes (only in active mode) until its outcome is known.
    pub async fn resume(&self, intent: Intent, market: Option<Arc<MarketContext>>) -> Report {
        let (position, address, action) = (intent.position, intent.market, intent.action);
        let sends = self.config.mode == Mode::Active && market.is_some();
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
        let liquidation = &self.config.liquidation;
        let wallet = liquidation
            .enabled
            .then(|| (job.market.wallet(&self.keeper()), liquidation.max_pay));
        let view = self.view(job, wallet).await?;
        report.fresh = Some(view.fresh.clone());
        let Some(position) = view.position.clone() else {
            return Ok(Verdict::NotDue);
        };
        let outlook = Outlook {
            fees: view.fees,
            reward_lamports: self.reward_lamports(&view, &position.position).await?,
            ..job.outlook
        };
        report.seen = Some(Seen {
            slot: view.market.slot,
            at_secs: view.market.now_secs,
            fees: outlook.fees,
            reward_lamports: outlook.reward_lamports,
        });
        let at = assess(&Situation {
            market: &view.market,
            position: &position.position,
            now_secs: view.market.now_secs,
            slot: view.market.slot,
            keeper: self.keeper(),
            funds: view.funds,
            outlook,
        })?;
        let (action, reason) = match at.decision {
            Decision::Act(action, reason) if action.kind() == job.action => (action, reason),
            _ => return Ok(Verdict::NotDue),
        };
        if self.config.mode == Mode::Observe {
            return Ok(Verdict::NotDue);
        }
        let market = &job.market;
        let decision = DecisionEvent::new(market.address, position.address, &at);
        self.events.send(KeeperEvent::Decision(decision));
        let maintenance = Bps::new(view.market.market.limits.maintenance_ltv_bps);
        let liquidates = job.action == ActionKind::Liquidate;
        let instructions = self.instructions(market, &position, &action, &view).await?;
        self.carry_out(Plan {
            market: Arc::clone(market),
            subject: position.address,
            kind: job.action,
            reason: reason.to_string(),
            inputs: inputs(&at),
            distance: fee::distance_bps(&at.model, at.oracle, maintenance),
            // At most two, so that it fits.
            new_wallets: if liquidates {
                view.missing_wallets.len() as u32
            } else {
                0
            },
            instructions,
            attempt: job.attempt,
            has_failed: job.has_failed,
        })
        .await
    }

    /// Refreshes the market's risk stage, if that is due.
    async fn try_refresh(&self, job: &Job, report: &mut Report) -> Result<Verdict, Trouble> {
        let view = self.view(job, None).await?;
        report.fresh = Some(view.fresh.clone());
        let market = &job.market;
        let Some(reason) = refresh_due(&view.market, &market.prices) else {
            return Ok(Verdict::NotDue);
        };
        let (reason, inputs) = (reason.to_string(), market_inputs(&view.market));
        self.events.send(KeeperEvent::Decision(DecisionEvent {
            market: market.address,
            position: market.address,
            action: Some(job.action),
            reason: reason.clone(),
            obstacle: None,
            inputs: inputs.clone(),
        }));
        self.carry_out(Plan {
            market: Arc::clone(market),
            subject: market.address,
            kind: job.action,
            reason,
            inputs,
            distance: None,
            new_wallets: 0,
            instructions: vec![instruction::refresh_stage(market)].into(),
            attempt: job.attempt,
            has_failed: job.has_failed,
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

    /// Lamports on the position's account beyond its rent, if the owner pays rewards at all.
    async fn reward_lamports(
        &self,
        view: &View,
        position: &Position,
    ) -> Result<Option<u64>, Trouble> {
        let Some(account) = &view.fresh.position else {
            return Ok(None);
        };
        if position.automation.reward_lamports == 0 {
            return Ok(Some(0));
        }
        let known = self.learned().position_rent;
        let rent = match known {
            Some(rent) => rent,
            None => {
                let rent = self.chain.rent_lamports(Position::SPACE).await?;
                self.learned().position_rent = Some(rent);
                rent
            }
        };
        Ok(Some(account.lamports.saturating_sub(rent)))
    }

    async fn carry_out(&self, mut plan: Plan) -> Result<Verdict, Trouble> {
        let keypair = self.keypair.as_ref().ok_or(Trouble::NoKey)?;
        let journal = self.journal.as_ref().ok_or(JournalError::Halted)?;
        let kind = plan.kind;
        let fees = &self.config.fees;
        let mut units = fee::compute_units_unsimulated(kind);
        units += fee::UNITS_TO_CREATE_WALLET * plan.new_wallets;
        let micro_lamports = fee::micro_lamports(fees, plan.distance, plan.attempt, units);
        let tables = match kind {
            ActionKind::Recenter | ActionKind::Exit => self.tables(&plan.market).await?,
            _ => Vec::new(),
        };
        let with = |instructions| {
            Request::new(keypair.as_ref(), instructions)
                .tables(&tables)
                .fee(PriorityFee::Fixed(micro_lamports))
        };
        let mut request = with(plan.instructions.first.clone());
        let active = self.config.mode == Mode::Active;
        // A swap may fail for reasons that only a simulation sees, and what has failed may fail again.
        let blind = matches!(kind, ActionKind::Deleverage | ActionKind::Liquidate);
        if active && blind && !plan.has_failed && fee::is_urgent(fees, plan.distance) {
            request = request.compute_limit(units);
        }
        let mut answer = self.sender.prepare(&request).await;
        if let Err(SendError::Refused(failure)) = &answer
            && cannot_reset_range(&plan.market, failure)
            && let Some(replacing) = plan.instructions.replacing.take()
        {
            self.learned().replaces.insert(plan.market.address);
            request = with(replacing);
            answer = self.sender.prepare(&request).await;
        }
        let mut prepared = match answer {
            Ok(prepared) => prepared,
            Err(SendError::Refused(failure)) if active => {
                self.events.send(KeeperEvent::Refused {
                    position: plan.subject,
                    action: kind,
                    error: failure.to_string(),
                });
                return Ok(Verdict::Refused);
            }
            Err(SendError::Refused(failure)) => {
                return self
                    .paper(journal, &plan, Some(failure.to_string()), 0)
                    .await;
            }
            Err(error) => return Err(error.into()),
        };
        let mut compute_units = compute_limit(prepared.transaction()).unwrap_or(units);
        if !active {
            return self.paper(journal, &plan, None, compute_units).await;
        }
        // The same bytes on the same blockhash (a node may lag) would be the earlier transaction and have its outcome.
        while journal.has_signature(&prepared.signature()) {
            compute_units = compute_units.saturating_add(1);
            request = request.compute_limit(compute_units);
            prepared = self.sender.prepare(&request).await?;
        }
        let intent = Intent {
            id: journal.next_id(),
            market: plan.market.address,
            position: plan.subject,
            action: kind,
            reason: plan.reason,
            inputs: plan.inputs,
            attempt: plan.attempt,
            signature: prepared.signature(),
            last_valid_block_height: prepared.last_valid_block_height(),
            compute_units,
            micro_lamports,
            transaction: prepared.to_bytes(),
        };
        journal
            .write(Record::Intent(Box::new(intent.clone())))
            .await?;
        Ok(Verdict::Resolved(self.settle(&intent, true, false).await?))
    }

    async fn paper(
        &self,
        journal: &SharedJournal,
        plan: &Plan,
        error: Option<String>,
        compute_units: u32,
    ) -> Result<Verdict, Trouble> {
        let (position, action) = (plan.subject, plan.kind);
        let record = PaperRecord {
            market: plan.market.address,
            position,
            action,
            reason: plan.reason.clone(),
            inputs: plan.inputs.clone(),
            error: error.clone(),
            compute_units: compute_units.into(),
        };
        journal.write(Record::Paper(record)).await?;
        self.events.send(KeeperEvent::Paper {
            position,
            action,
            error,
        });
        Ok(Verdict::Paper)
    }

    /// Finds the outcome of a journaled intent and writes it down.
    async fn settle(
        &self,
        intent: &Intent,
        sends: bool,
        resumed: bool,
    ) -> Result<Outcome, JournalError> {
        let journal = self.journal.as_ref().ok_or(JournalError::Halted)?;
        let &Intent {
            position,
            action,
            signature,
            attempt,
            ..
        } = intent;
        if sends {
            self.events.send(KeeperEvent::Sent {
                position,
                action,
                signature,
                attempt,
                resumed,
            });
        }
        let outcome = self.find_outcome(intent, sends).await?;
        journal
            .write(Record::Outcome(OutcomeRecord {
                id: intent.id,
                outcome: outcome.clone(),
            }))
            .await?;
        self.events.send(KeeperEvent::Resolved {
            position,
            action,
            reason: intent.reason.clone(),
            signature,
            outcome: outcome.clone(),
        });
        if matches!(outcome, Outcome::Expired { .. } | Outcome::Dropped { .. }) {
            self.check_balance().await;
        }
        Ok(outcome)
    }

    /// Warns if the keeper cannot pay for many more actions. A node that does not answer is no reason to.
    pub async fn check_balance(&self) {
        let keeper = self.keeper();
        let Ok(account) = self.chain.account(&keeper).await else {
            return;
        };
        let lamports = account.map_or(0, |account| account.lamports);
        let action = SIGNATURE_LAMPORTS.saturating_add(self.config.fees.max_lamports_per_action);
        let needed = action.saturating_mul(ACTIONS_TO_AFFORD);
        if lamports < needed {
            self.warn(format!(
                "keeper {keeper} has {lamports} lamports, {ACTIONS_TO_AFFORD} actions may cost {needed}: without SOL it \
                 cannot act, send it some"
            ));
        }
    }
}

/// What a signature costs.
const SIGNATURE_LAMPORTS: u64 = 5_000;
/// With less than these may cost the keeper warns.
const ACTIONS_TO_AFFORD: u64 = 20;

/// The compute-unit limit that a transaction sets.
fn compute_limit(transaction: &VersionedTransaction) -> Option<u32> {
    /// Tag of `SetComputeUnitLimit`, followed by the limit.
    const SET_LIMIT: u8 = 2;
    let keys = transaction.message.static_account_keys();
    transaction
        .message
        .instructions()
        .iter()
        .find_map(|instruction| {
            let program = keys.get(usize::from(instruction.program_id_index))?;
            let (tag, limit) = instruction.data.split_first()?;
            let is_limit = *program == COMPUTE_BUDGET && *tag == SET_LIMIT;
            is_limit.then(|| Some(u32::from_le_bytes(limit.try_into().ok()?)))?
        })
}

const COMPUTE_BUDGET: Pubkey = solana_sdk::pubkey!("ComputeBudget111111111111111111111111111111");

#[cfg(test)]
mod tests;
