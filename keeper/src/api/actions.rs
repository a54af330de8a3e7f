//! What the journal says of actions and overrides, as it is shown: kept up to date from the feed.

use std::collections::{BTreeMap, HashMap};

use ballast_model::SqrtPrice;
use ballast_view::{self as view, Action, ActionFigures, ActionOutcome, Figures, Scale};
use solana_sdk::pubkey::Pubkey;

use crate::{
    control::Override,
    journal::{Intent, Outcome, PaperRecord, Record, feed::Entry},
    picture::{MarketPicture, Picture},
};

/// Actions kept; older ones are the history's.
const KEPT: usize = 2_000;

/// What a reader of the stream is told.
#[derive(Clone, Debug)]
pub(super) enum Told {
    Action(Box<Action>),
    Override(Override),
}

/// An action, and what is yet to be seen of it.
#[derive(Clone, Debug)]
struct Noted {
    shown: Action,
    address: Pubkey,
    scale: Scale,
    /// Swap losses of the position before it.
    swap_loss: Option<u64>,
    /// On which slot's data it was decided.
    decided_slot: u64,
    /// Its effects are to be seen from this slot on.
    awaits_slot: Option<u64>,
}

/// See the module's description.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    actions: BTreeMap<u64, Noted>,
    /// Sequence number of the newest record in it.
    pub sequence: u64,
    /// When that was, cluster's clock.
    pub last_secs: Option<i64>,
    /// How many actions ended how, by kind and outcome, in this process.
    pub counted: BTreeMap<(String, &'static str), u64>,
    numbers: HashMap<Pubkey, u64>,
}

impl Log {
    /// Takes in a record; returns what readers are told.
    pub fn take_in(&mut self, entry: &Entry, picture: Option<&Picture>) -> Option<Told> {
        self.sequence = entry.sequence;
        match entry.record.as_ref() {
            Record::Intent(intent) => {
                let noted = self.noted(intent, picture);
                Some(self.keep(noted))
            }
            Record::Outcome(outcome) => {
                let noted = self.actions.get_mut(&outcome.id.0)?;
                let shown = &mut noted.shown;
                let before = shown.outcome;
                shown.outcome = outcome_of(&outcome.outcome);
                shown.error = match &outcome.outcome {
                    Outcome::Landed { .. } | Outcome::Expired { .. } => None,
                    Outcome::Failed { error, .. }
                    | Outcome::Raced { error, .. }
                    | Outcome::Dropped { error, .. } => Some(error.clone()),
                };
                noted.awaits_slot = match &outcome.outcome {
                    Outcome::Landed { slot } => Some(*slot),
                    _ => None,
                };
                shown.slot = match outcome.outcome.slot() {
                    0 => noted.decided_slot,
                    slot => slot,
                };
                // What a fork took back has left nothing behind.
                (shown.after, shown.cost) = (None, None);
                let told = shown.clone();
                // An outcome that only moved to another block is none more.
                if told.outcome != before {
                    self.count(&told);
                }
                Some(Told::Action(Box::new(told)))
            }
            Record::Paper(paper) => {
                let noted = self.of_paper(entry.sequence, paper, picture);
                self.count(&noted.shown);
                Some(self.keep(noted))
            }
            Record::Override(record) => {
                self.last_secs = Some(record.applied.entry.secs);
                Some(Told::Override(record.applied.entry.clone()))
            }
            _ => None,
        }
    }

    fn count(&mut self, action: &Action) {
        let outcome = match action.outcome {
            ActionOutcome::Pending => "pending",
            ActionOutcome::Landed => "landed",
            ActionOutcome::Failed => "failed",
            ActionOutcome::Raced => "raced",
            ActionOutcome::Expired => "expired",
            ActionOutcome::Dropped => "dropped",
            ActionOutcome::Paper => "paper",
        };
        *self
            .counted
            .entry((action.action.to_string(), outcome))
            .or_default() += 1;
    }

    fn keep(&mut self, noted: Noted) -> Told {
        self.last_secs = Some(noted.shown.secs);
        let told = Told::Action(Box::new(noted.shown.clone()));
        self.actions.insert(noted.shown.id, noted);
        while self.actions.len() > KEPT {
            self.actions.pop_first();
        }
        told
    }

    fn noted(&mut self, intent: &Intent, picture: Option<&Picture>) -> Noted {
        let found = Found::new(picture, &intent.market, &intent.position);
        let scale = found.scale;
        Noted {
            shown: Action {
                id: intent.id.0,
                secs: intent.inputs.now_secs,
                position: intent.position.to_string(),
                number: found
                    .number
                    .or_else(|| self.numbers.get(&intent.position).copied()),
                market: Some(intent.market.to_string()),
                action: intent.action,
                reason: intent.reason.clone(),
                price: price(scale, intent.inputs.oracle_x64),
                outcome: ActionOutcome::Pending,
                error: None,
                signature: Some(intent.signature.to_string()),
                slot: intent.inputs.slot,
                cost: None,
                by: "keeper",
                before: ActionFigures {
                    equity: view::text::signed_amount(intent.inputs.equity, scale.quote_decimals),
                    delta: found.delta,
                    ltv_bps: intent.inputs.ltv_bps,
                },
                after: None,
            },
            address: intent.position,
            scale,
            swap_loss: found.swap_loss,
            decided_slot: intent.inputs.slot,
            awaits_slot: None,
        }
    }

    fn of_paper(&self, sequence: u64, paper: &PaperRecord, picture: Option<&Picture>) -> Noted {
        let found = Found::new(picture, &paper.market, &paper.position);
        let scale = found.scale;
        Noted {
            shown: Action {
                id: sequence,
                secs: paper.inputs.now_secs,
                position: paper.position.to_string(),
                number: found.number,
                market: Some(paper.market.to_string()),
                action: paper.action,
                reason: paper.reason.clone(),
                price: price(scale, paper.inputs.oracle_x64),
                outcome: ActionOutcome::Paper,
                error: paper.error.clone(),
                signature: None,
                slot: paper.inputs.slot,
                cost: None,
                by: "keeper",
                before: ActionFigures {
                    equity: view::text::signed_amount(paper.inputs.equity, scale.quote_decimals),
                    delta: found.delta,
                    ltv_bps: paper.inputs.ltv_bps,
                },
                after: None,
            },
            address: paper.position,
            scale,
            swap_loss: None,
            decided_slot: paper.inputs.slot,
            awaits_slot: None,
        }
    }

    /// Notes what has become of positions whose action has landed. Returns whether anything is new.
    pub fn look_after(&mut self, picture: &Picture) -> bool {
        let mut changed = false;
        for noted in self.actions.values_mut() {
            let Some(slot) = noted.awaits_slot else {
                continue;
            };
            let Some((market, position)) = picture.position(&noted.address) else {
                // Closed, or of no position.
                noted.awaits_slot = None;
                continue;
            };
            if position.slot < slot {
                continue;
            }
            noted.awaits_slot = None;
            let newest = market.newest.as_deref();
            let figures = newest
                .and_then(|newest| Figures::new(newest, position.address, &position.position).ok());
            if let Some(figures) = figures {
                changed = true;
                noted.shown.after = Some(ActionFigures {
                    equity: figures.quote(figures.value.equity()),
                    delta: Some(figures.base(figures.delta)),
                    ltv_bps: figures.value.ltv_bps_up(),
                });
                let lost = position.position.entry.swap_loss;
                noted.shown.cost = noted.swap_loss.map(|before| {
                    view::text::amount(lost.saturating_sub(before), noted.scale.quote_decimals)
                });
            }
        }
        changed
    }

    /// Actions older than a number, newest first, and whether there are more.
    pub fn page(
        &self,
        position: Option<&Pubkey>,
        before: Option<u64>,
        limit: usize,
    ) -> (Vec<Action>, bool) {
        let mut found = self
            .actions
            .range(..before.unwrap_or(u64::MAX))
            .rev()
            .map(|(_, noted)| noted)
            .filter(|noted| position.is_none_or(|wanted| *wanted == noted.address));
        let page = found
            .by_ref()
            .take(limit)
            .map(|noted| noted.shown.clone())
            .collect();
        (page, found.next().is_some())
    }

    /// What a record was about, as it is known now.
    pub fn told(&self, entry: &Entry) -> Option<Told> {
        let action = |id: u64| {
            let noted = self.actions.get(&id)?;
            Some(Told::Action(Box::new(noted.shown.clone())))
        };
        match entry.record.as_ref() {
            Record::Intent(intent) => action(intent.id.0),
            Record::Outcome(outcome) => action(outcome.id.0),
            Record::Paper(_) => action(entry.sequence),
            Record::Override(record) => Some(Told::Override(record.applied.entry.clone())),
            _ => None,
        }
    }
}

fn price(scale: Scale, root_x64: u128) -> f64 {
    SqrtPrice::new(root_x64).map_or(0.0, |root| scale.price(root))
}

fn outcome_of(outcome: &Outcome) -> ActionOutcome {
    match outcome {
        Outcome::Landed { .. } => ActionOutcome::Landed,
        Outcome::Failed { .. } => ActionOutcome::Failed,
        Outcome::Raced { .. } => ActionOutcome::Raced,
        Outcome::Expired { .. } => ActionOutcome::Expired,
        Outcome::Dropped { .. } => ActionOutcome::Dropped,
    }
}

/// What a picture says of a position that something is done for.
struct Found {
    scale: Scale,
    number: Option<u64>,
    delta: Option<String>,
    swap_loss: Option<u64>,
}

impl Found {
    fn new(picture: Option<&Picture>, market: &Pubkey, position: &Pubkey) -> Self {
        let market: Option<&MarketPicture> =
            picture.and_then(|picture| picture.markets.get(market));
        // Before the first picture nothing is known of a market; there is none either.
        let scale = market.map_or(
            Scale {
                base_decimals: 9,
                quote_decimals: 6,
            },
            |market| Scale {
                base_decimals: market.context.market.base_decimals,
                quote_decimals: market.context.market.quote_decimals,
            },
        );
        let found = market.and_then(|market| Some((market, market.positions.get(position)?)));
        let delta = found.and_then(|(market, position)| {
            let newest = market.newest.as_deref()?;
            let figures = Figures::new(newest, position.address, &position.position).ok()?;
            Some(figures.base(figures.delta))
        });
        Self {
            scale,
            number: found.map(|(_, position)| position.position.id),
            delta,
            swap_loss: found.map(|(_, position)| position.position.entry.swap_loss),
        }
    }
}

/// An override as it is shown.
pub(super) fn shown_override(held: &Override, picture: Option<&Picture>) -> view::Override {
    use crate::control::{Scope, Verb};
    let (scope, position) = match held.scope {
        Scope::Keeper => (view::Scope::Keeper, None),
        Scope::Position { position } => (view::Scope::Position, Some(position)),
    };
    let found = position.and_then(|position| picture?.position(&position));
    let number = found.map(|(_, found)| found.position.id);
    let market = found.map(|(market, _)| market.context.address.to_string());
    view::Override {
        id: held.id,
        secs: held.secs,
        scope,
        mode: match held.mode {
            Verb::Halt => view::OverrideMode::Halt,
            Verb::Reduce => view::OverrideMode::Reduce,
            Verb::Pause => view::OverrideMode::Pause,
            Verb::Resume => view::OverrideMode::Resume,
        },
        note: held.note.clone(),
        by: held.by.clone(),
        position: position.map(|position| position.to_string()),
        number,
        market,
        until_secs: held.until_secs,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::journal::{IntentId, OutcomeRecord, tests::intent};

    fn take_in(log: &mut Log, record: Record) -> Action {
        let entry = Entry {
            sequence: log.sequence + 1,
            record: Arc::new(record),
        };
        match log.take_in(&entry, None) {
            Some(Told::Action(action)) => *action,
            other => panic!("{other:?}"),
        }
    }

    fn ends(log: &mut Log, outcome: Outcome) -> Action {
        let id = IntentId(1);
        take_in(log, Record::Outcome(OutcomeRecord { id, outcome }))
    }

    #[test]
    fn of_what_a_fork_took_back_the_last_outcome_is_shown_with_nothing_of_the_one_before() {
        let mut log = Log::default();
        let decided = take_in(&mut log, Record::Intent(Box::new(intent(1)))).slot;
        ends(&mut log, Outcome::Landed { slot: 9 });
        let noted = log.actions.get_mut(&1).unwrap();
        assert_eq!(noted.awaits_slot, Some(9));
        // Its effects have been seen.
        noted.awaits_slot = None;
        noted.shown.cost = Some("1".into());
        let again = ends(&mut log, Outcome::Landed { slot: 12 });
        assert_eq!((again.slot, again.cost), (12, None));
        assert_eq!(log.actions[&1].awaits_slot, Some(12));
        let counted = |log: &Log| log.counted.values().copied().collect::<Vec<_>>();
        assert_eq!(counted(&log), [1]);
        let expired = ends(&mut log, Outcome::Expired { block_height: 200 });
        assert_eq!(expired.outcome, ActionOutcome::Expired);
        assert_eq!((expired.slot, expired.error), (decided, None));
        assert_eq!(log.actions[&1].awaits_slot, None);
        assert_eq!(counted(&log), [1, 1]);
    }
}
