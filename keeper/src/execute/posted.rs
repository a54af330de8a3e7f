//! Prices that the keeper posts itself: for an action that needs younger ones than the market's accounts hold, and to show them.

use std::sync::Arc;

use async_trait::async_trait;
use ballast_client::{MarketContext, Signature, instruction, posting::POSTING_UNITS};
use ballast_strategy::{
    decide::{ActionKind, Reason, is_newer_than_shown, loss_to_show, shown_age_secs},
    urgency::Stakes,
};
use solana_sdk::pubkey::Pubkey;

use super::{
    Executor, Job, Report, Trouble, Verdict,
    budget::{is_reserved_for, posting_lamports_up},
    fee::micro_lamports,
    look::{Look, acts},
};
use crate::{
    book::published,
    control::Permission,
    journal::{
        IntentId, JournalError, PostedRecord, PostingOutcome, PostingRecord, Record, SharedJournal,
    },
    updates::{Occasion, Pair, PostError, Posted, Poster, SignedPrice},
};

impl Executor {
    /// Whether it posts prices for that.
    pub fn posts(&self, subject: &Pubkey, kind: ActionKind) -> bool {
        self.poster.is_some() && self.permission(subject, kind) == Permission::Send
    }

    fn posting(&self, job: &Job) -> Option<&Arc<Poster>> {
        let posts = self.posts(&job.position, job.action);
        self.poster.as_ref().filter(|_| posts)
    }

    /// The job with accounts of the keeper's own in place of the market's price accounts, in which it has posted the newest
    /// prices, if those make its action due and possible. `None`: they do not, or nothing is posted.
    pub(super) async fn posted(&self, job: &Job, look: &Look) -> Result<Option<Job>, Trouble> {
        let Some(poster) = self.posting(job).filter(|_| !job.survey) else {
            return Ok(None);
        };
        let prices = poster.newest(&job.market).await?;
        let newer = look.at_prices(&prices);
        let at = newer.assess()?;
        if acts(&at, job.action).is_none() {
            return Ok(None);
        }
        let stakes = newer.stakes(&at);
        let fee = micro_lamports(&self.config.fees, &stakes, job.attempt, POSTING_UNITS, 0);
        let posted = self.post(job, poster, &prices, fee).await?;
        Ok(Some(Job {
            market: at_accounts(&job.market, &posted),
            min_slot: job.min_slot.max(posted.slot),
            ..job.clone()
        }))
    }

    /// Shows the market the newest price, if that is newer than what it was shown: that of its accounts, or, where those are old,
    /// one that is posted first.
    pub(super) async fn try_show(
        &self,
        job: &Job,
        report: &mut Report,
    ) -> Result<Verdict, Trouble> {
        if job.position != job.market.prices.base {
            return self.try_show_loss(job, report).await;
        }
        let view = self.view(job, None).await?;
        report.fresh = Some(view.fresh.clone());
        let mut market = Arc::clone(&job.market);
        let mut secs = shown_age_secs(&view.market);
        if !is_newer_than_shown(&view.market) {
            let Some(poster) = self.posting(job) else {
                return Ok(Verdict::NotDue);
            };
            let prices = poster.newest(&job.market).await?;
            let newest = published::newest(&view.market, Some(&updates(&prices)));
            secs = shown_age_secs(&newest);
            let every = i64::from(self.config.prices.post_every_secs);
            if !is_newer_than_shown(&newest) || secs < every {
                return Ok(Verdict::NotDue);
            }
            market = self.post_to_show(job, poster, &prices).await?;
        }
        let shown = instruction::refresh_price(&market);
        self.tell_market(job, &market, &view, &Reason::Shown { secs }, shown)
            .await
    }

    /// Shows lenders what of a position's debts is not covered, if they know another loss: at the price of the market's accounts, or,
    /// where that is too old or tells nothing new, at one that is posted first.
    async fn try_show_loss(&self, job: &Job, report: &mut Report) -> Result<Verdict, Trouble> {
        let Some(look) = self.look(job, report).await? else {
            return Ok(Verdict::NotDue);
        };
        let mut market = Arc::clone(&job.market);
        let loss = match loss_to_show(&look.situation())? {
            Some(loss) => loss,
            None => {
                let Some(poster) = self.posting(job) else {
                    return Ok(Verdict::NotDue);
                };
                let prices = poster.newest(&job.market).await?;
                let newest = published::newest(&look.view.market, Some(&updates(&prices)));
                let every = i64::from(self.config.prices.post_every_secs);
                let newer = look.at_prices(&prices);
                let loss = loss_to_show(&newer.situation())?;
                // Showing it shows the price as well, so that one posting serves for all positions of the market.
                let Some(loss) = loss.filter(|_| shown_age_secs(&newest) >= every) else {
                    return Ok(Verdict::NotDue);
                };
                market = self.post_to_show(job, poster, &prices).await?;
                loss
            }
        };
        let shown = instruction::show_loss(&market, &job.position);
        let reason = Reason::Uncovered(loss.uncovered);
        self.tell_market(job, &market, &look.view, &reason, shown)
            .await
    }

    /// Posts prices that are to be shown; the market with them.
    async fn post_to_show(
        &self,
        job: &Job,
        poster: &Poster,
        prices: &Pair,
    ) -> Result<Arc<MarketContext>, Trouble> {
        let calm = Stakes::default();
        let fee = micro_lamports(&self.config.fees, &calm, job.attempt, POSTING_UNITS, 0);
        let posted = self.post(job, poster, prices, fee).await?;
        Ok(at_accounts(&job.market, &posted))
    }

    async fn post(
        &self,
        job: &Job,
        poster: &Poster,
        prices: &Pair,
        micro_lamports: u64,
    ) -> Result<Posted, Trouble> {
        let journal = self.journal.as_ref().ok_or(JournalError::Halted)?;
        let for_job = ForJob {
            executor: self,
            journal,
            job,
            micro_lamports,
            id: journal.next_id(),
        };
        let posted = poster.post(&job.market, prices, micro_lamports, &for_job);
        posted.await.map_err(|error| match error {
            PostError::Spent(spent) => spent.into(),
            PostError::Journal(error) => error.into(),
            other => other.into(),
        })
    }
}

/// A posting for a job.
struct ForJob<'a> {
    executor: &'a Executor,
    journal: &'a SharedJournal,
    job: &'a Job,
    micro_lamports: u64,
    /// One that comes to nothing is not given again.
    id: IntentId,
}

#[async_trait]
impl Occasion for ForJob<'_> {
    fn is_urgent(&self) -> bool {
        is_reserved_for(self.job.action)
    }

    fn may_send(&self) -> bool {
        self.executor.posts(&self.job.position, self.job.action)
    }

    async fn begin(&self, rent_lamports: u64) -> Result<(), PostError> {
        let (executor, job) = (self.executor, self.job);
        let fees = posting_lamports_up(POSTING_UNITS, self.micro_lamports);
        let max_lamports = fees.saturating_add(rent_lamports);
        executor.spend_on_posting(self.id, job.action, max_lamports)?;
        let record = Record::Posting(PostingRecord {
            id: self.id,
            market: job.market.address,
            subject: job.position,
            action: job.action,
            now_secs: executor.control.now_secs(),
            max_lamports,
        });
        Ok(self.journal.write(record).await?)
    }

    async fn end(&self, outcome: PostingOutcome, sent: &[Signature]) -> Result<(), JournalError> {
        if matches!(outcome, PostingOutcome::NotSent { .. }) {
            self.executor.spent_nothing(self.id);
        }
        let record = Record::Posted(PostedRecord {
            id: self.id,
            outcome,
            signatures: sent.iter().map(Signature::to_string).collect(),
        });
        self.journal.write(record).await
    }
}

impl Look {
    /// The same at newer prices.
    fn at_prices(&self, prices: &Pair) -> Self {
        let mut look = self.clone();
        look.view.market = published::newest(&self.view.market, Some(&updates(prices)));
        look
    }
}

fn updates(prices: &Pair) -> [ballast_abi::pyth::PriceUpdate; 2] {
    prices.each_ref().map(SignedPrice::update)
}

/// The market with other price accounts.
fn at_accounts(market: &MarketContext, posted: &Posted) -> Arc<MarketContext> {
    Arc::new(MarketContext {
        prices: posted.prices,
        ..market.clone()
    })
}
