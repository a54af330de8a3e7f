//! Carries decisions out: look once more at one slot, prepare, journal, send, find out what became of it.
//!
//! For every position at most one of these runs at a time, and none while an earlier transaction could still land:
//! that is what keeps the keeper from acting twice. The same holds over a restart, because an intent is on disk before
//! its transaction is sent, and is resumed before anything else is done for its position.

pub mod fee;
mod settle;
mod view;

use std::sync::Arc;

use ballast_client::{
    Chain, ChainError, MarketContext, PositionContext, PriorityFee, Request, SendError, Sender,
    SenderConfig, VersionedTransaction, instruction,
};
use ballast_model::{Amounts, Bps};
use solana_sdk::{instruction::Instruction, pubkey::Pubkey, signature::Keypair, signer::Signer};
use thiserror::Error;

pub use view::{Fresh, View, ViewError, ViewRequest};

use crate::{
    config::{Config, Mode},
    decide::{Action, ActionKind, Assessment, Decision, Reason, assess},
    event::{DecisionEvent, KeeperEvent, inputs},
    events::Events,
    journal::{Intent, JournalError, Outcome, OutcomeRecord, PaperRecord, Record, SharedJournal},
    situation::{Situation, SituationError},
};

/// A position that something seems to be due for.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its market.
    pub market: Arc<MarketContext>,
    /// The position.
    pub position: Pubkey,
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
    /// What came of it.
    pub verdict: Verdict,
    /// Newest accounts, for the book.
    pub fresh: Option<Fresh>,
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
}

/// What is about to be signed.
struct Plan {
    market: Arc<MarketContext>,
    position: PositionContext,
    at: Assessment,
    action: Action,
    reason: Reason,
    attempt: u32,
    has_failed: bool,
    view: View,
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
        }
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
            verdict: Verdict::NotDue,
            fresh: None,
        };
        let verdict = self.try_act(&job, &mut report.fresh).await;
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
            verdict,
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

    async fn try_act(&self, job: &Job, fresh: &mut Option<Fresh>) -> Result<Verdict, Trouble> {
        let liquidation = &self.config.liquidation;
        let wallet = liquidation
            .enabled
            .then(|| (job.market.wallet(&self.keeper()), liquidation.max_pay));
        let request = ViewRequest {
            market: &job.market,
            position: job.position,
            min_slot: job.min_slot,
            wallet,
        };
        let view = View::fetch(
            self.chain.as_ref(),
            &request,
            self.config.timing.poll_interval,
        )
        .await?;
        *fresh = Some(view.fresh.clone());
        let Some(position) = view.position.clone() else {
            return Ok(Verdict::NotDue);
        };
        let at = assess(&self.situation(&view, &position, view.funds))?;
        let (action, reason) = match at.decision {
            Decision::Act(action, reason) if action.kind() == job.action => (action, reason),
            _ => return Ok(Verdict::NotDue),
        };
        let market = Arc::clone(&job.market);
        self.carry_out(Plan {
            market,
            position,
            at,
            action,
            reason,
            attempt: job.attempt,
            has_failed: job.has_failed,
            view,
        })
        .await
    }

    fn situation<'a>(
        &self,
        view: &'a View,
        position: &'a PositionContext,
        funds: Option<Amounts>,
    ) -> Situation<'a> {
        Situation {
            market: &view.market,
            position: &position.position,
            now_secs: view.market.now_secs,
            slot: view.market.slot,
            keeper: self.keeper(),
            funds,
        }
    }

    async fn carry_out(&self, plan: Plan) -> Result<Verdict, Trouble> {
        let keypair = self.keypair.as_ref().ok_or(Trouble::NoKey)?;
        let journal = self.journal.as_ref().ok_or(JournalError::Halted)?;
        let kind = plan.action.kind();
        self.events.send(KeeperEvent::Decision(DecisionEvent::new(
            plan.market.address,
            plan.position.address,
            &plan.at,
        )));

        let fees = &self.config.fees;
        let maintenance = Bps::new(plan.view.market.market.limits.maintenance_ltv_bps);
        let distance = fee::distance_bps(&plan.at.model, plan.at.oracle, maintenance);
        let mut units = fee::compute_units_unsimulated(kind);
        if kind == ActionKind::Liquidate {
            // At most two, so that it fits.
            units += fee::UNITS_TO_CREATE_WALLET * plan.view.missing_wallets.len() as u32;
        }
        let micro_lamports = fee::micro_lamports(fees, distance, plan.attempt, units);
        let mut request = Request::new(keypair.as_ref(), self.instructions(&plan))
            .fee(PriorityFee::Fixed(micro_lamports));
        let active = self.config.mode == Mode::Active;
        // A swap may fail for reasons that only a simulation sees, and what has failed may fail again.
        let blind = kind != ActionKind::Rehedge && !plan.has_failed;
        if active && blind && fee::is_urgent(fees, distance) {
            request = request.compute_limit(units);
        }
        let mut prepared = match self.sender.prepare(&request).await {
            Ok(prepared) => prepared,
            Err(SendError::Refused(failure)) if active => {
                let (position, error) = (plan.position.address, failure.to_string());
                self.events.send(KeeperEvent::Refused {
                    position,
                    action: kind,
                    error,
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
            position: plan.position.address,
            action: kind,
            reason: plan.reason.to_string(),
            inputs: inputs(&plan.at),
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
        let (position, action) = (plan.position.address, plan.action.kind());
        let record = PaperRecord {
            market: plan.market.address,
            position,
            action,
            reason: plan.reason.to_string(),
            inputs: inputs(&plan.at),
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

    fn instructions(&self, plan: &Plan) -> Vec<Instruction> {
        let (market, position, keeper) = (&plan.market, &plan.position, self.keeper());
        let mut instructions = Vec::new();
        let action = match plan.action {
            Action::Rehedge(swap) => {
                let path = market.swap_path(plan.view.market.pool.tick_current, swap.trade);
                instruction::rehedge(market, position, &keeper, &path)
            }
            Action::Deleverage { .. } => instruction::deleverage(market, position, &keeper),
            Action::Liquidate { max_pay, .. } => {
                let wallet = market.wallet(&keeper);
                // Both accounts are needed, to pay from or to be paid to, even if nothing has to be paid in.
                for side in &plan.view.missing_wallets {
                    let create = instruction::create_wallet(market, &keeper, &keeper, *side);
                    instructions.push(create);
                }
                instruction::liquidate(
                    market,
                    position,
                    &keeper,
                    &wallet,
                    max_pay.base,
                    max_pay.quote,
                )
            }
        };
        instructions.push(action);
        instructions
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
