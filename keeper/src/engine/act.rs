//! From an assessment to a job, and from its report to the next assessment.

use std::{mem::discriminant, sync::Arc, time::Duration};

use ballast_strategy::decide::{ActionKind, Assessment, Decision};
use solana_sdk::pubkey::Pubkey;
use tokio::time::Instant;

use super::{Engine, EngineError, Lane, room::room, shelf::Assessed, withheld::Withheld};
use crate::{
    control::Permission,
    event::{DecisionEvent, KeeperEvent},
    execute::{FeeAccounts, Job, Report, Verdict},
    journal::Outcome,
};

/// Longest pause after an action that protects somebody for which nothing was sent.
const LONGEST_UNSENT: Duration = Duration::from_secs(2);
/// Longest pause after such an action has failed on chain or not landed: several tries have to fit into a row of refusals, after which
/// something else takes its place.
const LONGEST_FAILED: Duration = Duration::from_secs(15);
/// Longest pause after anything for which no node answered: that says nothing against the action, and costs nothing.
const LONGEST_UNANSWERED: Duration = Duration::from_secs(5);

impl Engine {
    /// Nothing is due for a position: what failed before does not count any more.
    pub(super) fn calm(&mut self, position: &Pubkey) {
        for action in ActionKind::ALL {
            self.pace.succeeded(&(*position, action));
        }
        self.yields.end(position);
        self.refusals.end(position);
        self.refused.remove(position);
        self.expired.remove(&Lane::acts(*position));
        self.failed.remove(&Lane::acts(*position));
    }

    fn note_refusal(&mut self, position: Pubkey, action: ActionKind, now: Instant) {
        self.refusals.note(position, action, now);
        let refused = self.refused.entry(position).or_default();
        *refused = refused.with(action);
    }

    /// What the keeper does not do now with a position.
    pub(super) fn withheld(&self, position: &Pubkey) -> Withheld {
        let now = Instant::now();
        Withheld::of(position, &self.refused, &self.refusals, &self.executor, now)
    }

    fn permission(&self, subject: &Pubkey, action: ActionKind) -> Permission {
        self.executor.permission(subject, action)
    }

    /// Assesses a position and does what follows from it.
    pub(super) fn evaluate(&mut self, market: Pubkey, position: Pubkey) {
        let withheld = self.withheld(&position);
        let Some(shelf) = self.shelves.get_mut(&market) else {
            return;
        };
        // What is in flight is looked at again when it has come to its end.
        self.picture.note_position(market, position);
        if self.flights.contains_key(&Lane::acts(position)) {
            shelf.unwatch(&position);
            return;
        }
        let assessed = shelf.assess(&position, self.executor.keeper(), &self.config, withheld);
        let Assessed { at, survey } = match assessed {
            None => return,
            Some(Ok(assessed)) => assessed,
            Some(Err(error)) => {
                return self.problem(
                    position,
                    &format!("position {position} cannot be assessed: {error}"),
                );
            }
        };
        if self.tell(market, position, &at) {
            self.record(market, position, withheld, &at);
        }
        match at.decision {
            Decision::Act(action, _) => {
                self.dispatch(market, position, action.kind(), false);
                // While that pauses.
                return self.show_loss(market, position);
            }
            Decision::Blocked { .. } => {}
            Decision::Nothing if survey => {}
            Decision::Nothing => self.calm(&position),
        }
        if survey {
            self.dispatch(market, position, ActionKind::Compound, true);
        }
        self.show_loss(market, position);
    }

    /// Shows the market the newest price, and refreshes its risk stage, if that is due.
    pub(super) fn evaluate_market(&mut self, market: Pubkey) {
        self.show_price(market);
        let action = ActionKind::RefreshStage;
        if !self.config.automation.refresh_stages || self.flights.contains_key(&Lane::acts(market))
        {
            return;
        }
        let Some(shelf) = self.shelves.get(&market) else {
            return;
        };
        match shelf.stage_due() {
            Some(_) => self.dispatch(market, market, action, false),
            None => self.pace.succeeded(&(market, action)),
        }
    }

    /// Evaluates a position, or the market itself.
    pub(super) fn evaluate_subject(&mut self, market: Pubkey, subject: Pubkey) {
        if subject == market {
            self.evaluate_market(market);
        } else {
            self.evaluate(market, subject);
        }
    }

    /// Writes a decision down with all that it was made from: the book has not changed since.
    fn record(&self, market: Pubkey, position: Pubkey, withheld: Withheld, at: &Assessment) {
        let keeper = self.executor.keeper();
        if let Some(shelf) = self.shelves.get(&market)
            && let Some(situation) = shelf.situation(&position, keeper, &self.config, withheld)
        {
            self.executor.recorder.record(&position, &situation, at);
        }
    }

    /// Tells about a decision that differs from the last one told. What leads to an action is told when it is taken. Returns
    /// whether it differs.
    pub(super) fn tell(&mut self, market: Pubkey, position: Pubkey, at: &Assessment) -> bool {
        let told = match at.decision {
            Decision::Nothing => None,
            Decision::Act(action, _) => Some((action.kind(), None)),
            Decision::Blocked { wanted, .. } => {
                let blocks = at.decision.blocks();
                let obstacles = blocks.map(|(kind, obstacle)| (kind, discriminant(&obstacle)));
                Some((wanted, Some(obstacles.collect())))
            }
        };
        let before = match told.clone() {
            Some(told) => self.told.insert(position, told),
            None => self.told.remove(&position),
        };
        let acts = match at.decision {
            Decision::Act(action, _) => {
                self.permission(&position, action.kind()) > Permission::Nothing
            }
            Decision::Nothing | Decision::Blocked { .. } => false,
        };
        if before != told
            && !acts
            && let Some(shelf) = self.shelves.get(&market)
        {
            let decision = DecisionEvent::new(&shelf.market, position, at);
            self.events.send(KeeperEvent::Decision(decision));
        }
        before != told
    }

    /// Whether the keeper whose position it is goes first, for a while.
    fn gives_way(&mut self, position: Pubkey, action: ActionKind) -> bool {
        if !self.executor.shards.yields(&position)
            || self.permission(&position, action) != Permission::Send
        {
            return false;
        }
        let until = self.yields.until(position, action, Instant::now());
        if let Some(until) = until {
            self.pace.waits((position, action), until);
        }
        until.is_some()
    }

    /// Has an action done, or, for a survey, the position looked at.
    pub(super) fn dispatch(
        &mut self,
        market: Pubkey,
        position: Pubkey,
        action: ActionKind,
        survey: bool,
    ) {
        if (!survey && self.permission(&position, action) == Permission::Nothing)
            || self.pace.is_pausing(&(position, action), Instant::now())
        {
            return;
        }
        // It is looked at again once that has come to its end.
        if !action.protects() && self.executor.is_settled_anew(&position, action) {
            return;
        }
        if !survey && self.gives_way(position, action) {
            return;
        }
        if self.jobs.len() >= room(self.config.max_in_flight, action) {
            self.waiting.insert((action, market, position));
            return;
        }
        let withheld = self.withheld(&position);
        let Some(shelf) = self.shelves.get_mut(&market) else {
            return;
        };
        let lane = Lane::of(position, action);
        if !lane.shows {
            shelf.unwatch(&position);
        }
        let job = Job {
            market: Arc::clone(&shelf.market),
            position,
            fees: shelf
                .book
                .position(&position)
                .map(|tracked| FeeAccounts::new(&shelf.market, &tracked.position)),
            outlook: shelf.outlook(&position, self.config.automation.economics, withheld),
            survey,
            action,
            min_slot: self
                .min_slots
                .get(&position)
                .copied()
                .unwrap_or_default()
                .max(self.floor_slot)
                .max(self.executor.shards.floor_slot()),
            attempt: self.expired.get(&lane).copied().unwrap_or_default(),
            has_failed: self.failed.contains(&lane),
        };
        *self.flights.entry(lane).or_default() += 1;
        self.picture.note_position(market, position);
        let executor = self.executor.clone();
        self.jobs.spawn(async move { executor.act(job).await });
    }

    /// One thing less is done for this.
    pub(super) fn lands(&mut self, lane: Lane) {
        if let Some(flights) = self.flights.get_mut(&lane) {
            *flights = flights.saturating_sub(1);
            if *flights == 0 {
                self.flights.remove(&lane);
            }
        }
    }

    pub(super) fn failed_on_chain(&mut self, position: Pubkey, action: ActionKind, now: Instant) {
        self.note_refusal(position, action, now);
        self.pauses(position, action, now);
    }

    /// Lets something pause that has failed on chain or not landed.
    fn pauses(&mut self, position: Pubkey, action: ActionKind, now: Instant) {
        let longest = if action.protects() {
            LONGEST_FAILED
        } else {
            self.config.timing.backoff_max
        };
        self.pace.failed_at_most((position, action), now, longest);
    }

    pub(super) fn report(&mut self, report: Report) -> Result<(), EngineError> {
        let Report {
            market,
            position,
            action,
            survey,
            verdict,
            seen,
            fresh,
        } = report;
        let lane = Lane::of(position, action);
        self.lands(lane);
        self.picture.note_position(market, position);
        let key = (position, action);
        let now = Instant::now();
        // What keeps a position solvent waits for long only if it costs something to try.
        let longest_unsent = if action.protects() {
            LONGEST_UNSENT
        } else {
            self.config.timing.backoff_max
        };
        if let Some(seen) = seen
            && let Some(shelf) = self.shelves.get_mut(&market)
        {
            shelf.note_seen(position, seen);
        }
        if !matches!(verdict, Verdict::Unavailable(_)) {
            self.problems.remove(&position);
        }
        match verdict {
            Verdict::Halt(error) => return Err(error.into()),
            Verdict::Resolved(outcome) => {
                if self.resolved(lane, &outcome) {
                    self.pace.succeeded(&key);
                    // The position is another one now, unless something was only shown of it.
                    if !lane.shows {
                        self.refusals.end(&position);
                    }
                } else if matches!(outcome, Outcome::Failed { .. }) {
                    self.failed_on_chain(position, action, now);
                } else {
                    self.pauses(position, action, now);
                }
            }
            Verdict::Paper => self.pace.failed(key, now),
            // It was looked at, as it was to be.
            Verdict::NotDue if survey => self.pace.succeeded(&key),
            Verdict::Refused => {
                self.note_refusal(position, action, now);
                self.pace.failed_at_most(key, now, longest_unsent);
            }
            Verdict::NotDue => {
                self.pace.failed_at_most(key, now, longest_unsent);
            }
            Verdict::Unavailable(error) => {
                let longest = longest_unsent.min(LONGEST_UNANSWERED);
                self.pace.failed_at_most(key, now, longest);
                self.problem(position, &format!("{action} of {position}: {error}"));
            }
        }
        if let Some(fresh) = fresh {
            self.take_in_fresh(market, position, fresh);
        }
        self.evaluate_subject(market, position);
        self.admit_waiting();
        Ok(())
    }

    /// Something else is permitted than before: looks again at all for which something is due.
    pub(super) fn permitted_anew(&mut self) {
        self.admit_waiting();
        let mut due: Vec<Pubkey> = self.told.keys().copied().collect();
        due.sort_unstable();
        for position in due {
            if let Some(market) = self.market_of(&position) {
                self.evaluate(market, position);
            }
        }
        let markets: Vec<Pubkey> = self.shelves.keys().copied().collect();
        for market in markets {
            self.evaluate_market(market);
        }
    }

    /// Looks at waiting positions again, the most pressing first, for as long as there is room.
    pub(super) fn admit_waiting(&mut self) {
        while let Some(&next) = self.waiting.last()
            && self.jobs.len() < room(self.config.max_in_flight, next.0)
        {
            self.waiting.remove(&next);
            self.evaluate_subject(next.1, next.2);
        }
    }

    /// Notes an outcome; returns whether the action was done.
    pub(super) fn resolved(&mut self, lane: Lane, outcome: &Outcome) -> bool {
        let min_slot = self.min_slots.entry(lane.subject).or_default();
        *min_slot = outcome.slot().max(*min_slot);
        match outcome {
            Outcome::Landed { .. } => {
                self.expired.remove(&lane);
                self.failed.remove(&lane);
                true
            }
            Outcome::Expired { .. } | Outcome::Dropped { .. } => {
                let expired = self.expired.entry(lane).or_default();
                *expired = expired.saturating_add(1);
                false
            }
            Outcome::Failed { .. } => {
                self.failed.insert(lane);
                false
            }
            Outcome::Raced { .. } => false,
        }
    }
}
