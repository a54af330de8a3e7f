//! From a job to its report: looks, decides whether it is due, and has it carried out.

use std::sync::Arc;

use ballast_client::{Instruction, MarketContext, instruction, protecting};
use ballast_model::Amounts;
use ballast_strategy::{
    decide::{Action, ActionKind, Assessment, Reason, refresh_due},
    urgency::Stakes,
};
use ballast_view::TokenNames;
use solana_sdk::pubkey::Pubkey;
use tracing::{Instrument, Span, field};

use super::{
    Executor, Fresh, Job, Report, Trouble, Verdict, View, ViewError, ViewRequest,
    backed::Backing,
    budget,
    carry::Plan,
    look::{Look, acts},
};
use crate::{
    control::Permission,
    event::{DecisionEvent, KeeperEvent, inputs, market_inputs},
    journal::{Intent, IntentId, JournalError, Outcome},
};

/// What every line about an action belongs to, whatever the level of what is logged.
pub(super) fn action_span(position: Pubkey, action: ActionKind) -> Span {
    tracing::error_span!("action", intent = field::Empty, %position, %action)
}

impl Executor {
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
    pub(super) async fn look_after(
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
    pub(super) async fn tell_market(
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
            obstacles: Vec::new(),
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

    pub(super) async fn view(
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
