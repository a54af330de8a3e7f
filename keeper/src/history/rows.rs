//! From the journal's records to rows of actions and overrides, and fees of transactions.

use std::collections::HashMap;

use ballast_history::{ActionRow, Figures, Origin, OverrideRow};
use solana_sdk::pubkey::Pubkey;

use crate::{
    control::{OverrideRecord, Scope},
    journal::{Inputs, Intent, IntentId, Landed, Outcome, PaperRecord, Record},
};

/// What a signature costs.
const SIGNATURE_LAMPORTS: u64 = 5_000;

/// A fee that was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fee {
    /// For this position.
    pub position: Pubkey,
    /// By this intent.
    pub intent: u64,
    /// So much.
    pub lamports: u64,
}

/// What a record adds.
#[derive(Debug, Default)]
pub(super) struct Added {
    pub action: Option<ActionRow>,
    pub order: Option<OverrideRow>,
    pub fee: Option<Fee>,
    /// Another outcome of this intent was told before: a fork has taken it back.
    pub overturned: Option<Overturned>,
}

/// An outcome that counts no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overturned {
    /// Of this position.
    pub position: Pubkey,
    /// Of this intent.
    pub intent: u64,
    /// It is in no block now, so that its fee was not paid.
    pub unpaid: bool,
}

/// Reads records in their order.
#[derive(Debug, Default)]
pub(super) struct Rows {
    keeper: String,
    /// Intents without an outcome.
    open: HashMap<IntentId, Intent>,
    /// What a fork may still take back.
    landed: Landed,
}

impl Rows {
    pub fn read(&mut self, record: Record) -> Added {
        match record {
            Record::Header(header) => {
                self.keeper = header.keeper.to_string();
                if let Some(continues) = &header.continues {
                    self.landed = Landed::of(&continues.landed);
                }
                Added::default()
            }
            Record::Intent(intent) => {
                let row = self.row(&intent, "pending", None, None);
                self.open.insert(intent.id, *intent);
                Added {
                    action: Some(row),
                    ..Added::default()
                }
            }
            Record::Outcome(record) => {
                let open = self.open.remove(&record.id);
                match self.landed.take_in(open, &record) {
                    Some((intent, before)) => {
                        self.outcome(&intent, before.as_ref(), &record.outcome)
                    }
                    None => Added::default(),
                }
            }
            Record::Paper(paper) => Added {
                action: Some(self.paper(&paper)),
                ..Added::default()
            },
            Record::Override(record) => Added {
                order: Some(order(&record)),
                ..Added::default()
            },
            // They belong to no position.
            Record::Posting(_) | Record::Posted(_) => Added::default(),
        }
    }

    fn outcome(&self, intent: &Intent, before: Option<&Outcome>, outcome: &Outcome) -> Added {
        let (name, slot, error) = match outcome {
            Outcome::Landed { slot } => ("landed", Some(*slot), None),
            Outcome::Failed { slot, error } => ("failed", Some(*slot), Some(error)),
            Outcome::Raced { slot, error } => ("raced", Some(*slot), Some(error)),
            Outcome::Expired { .. } => ("expired", None, None),
            Outcome::Dropped { error, .. } => ("dropped", None, Some(error)),
        };
        Added {
            action: Some(self.row(intent, name, slot, error.cloned())),
            // What is in a block has paid, also if it failed, and in whichever it is.
            fee: slot.filter(|_| before.is_none()).map(|_| Fee {
                position: intent.position,
                intent: intent.id.0,
                lamports: fee_lamports(intent),
            }),
            order: None,
            overturned: before.map(|_| Overturned {
                position: intent.position,
                intent: intent.id.0,
                unpaid: slot.is_none(),
            }),
        }
    }

    fn row(
        &self,
        intent: &Intent,
        outcome: &str,
        slot: Option<u64>,
        error: Option<String>,
    ) -> ActionRow {
        let (position, signature) = (intent.position.to_string(), intent.signature.to_string());
        ActionRow {
            key: ActionRow::key_of(&signature, &position),
            intent: Some(intent.id.0),
            secs: intent.inputs.now_secs,
            position,
            number: None,
            action: intent.action.to_string(),
            reason: Some(intent.reason.clone()),
            price_x64: price(&intent.inputs),
            outcome: outcome.into(),
            error,
            signature: Some(signature),
            slot,
            cost: None,
            by: Some(self.keeper.clone()),
            before: figures(intent.position, intent.market, &intent.inputs),
            after: None,
            origin: Origin::Journal,
        }
    }

    fn paper(&self, paper: &PaperRecord) -> ActionRow {
        let inputs = &paper.inputs;
        let position = paper.position.to_string();
        ActionRow {
            // Of a slot, a position is simulated once for an action.
            key: format!("paper:{}:{position}:{}", inputs.slot, paper.action),
            intent: None,
            secs: inputs.now_secs,
            number: None,
            action: paper.action.to_string(),
            reason: Some(paper.reason.clone()),
            price_x64: price(inputs),
            outcome: "paper".into(),
            error: paper.error.clone(),
            signature: None,
            slot: Some(inputs.slot),
            cost: None,
            by: Some(self.keeper.clone()),
            before: figures(paper.position, paper.market, inputs),
            after: None,
            origin: Origin::Journal,
            position,
        }
    }
}

fn price(inputs: &Inputs) -> Option<u128> {
    (inputs.oracle_x64 > 0).then_some(inputs.oracle_x64)
}

/// A market has none. The delta that decisions are made on is the hedge error.
fn figures(position: Pubkey, market: Pubkey, inputs: &Inputs) -> Option<Figures> {
    (position != market).then_some(Figures {
        equity: inputs.equity,
        delta: inputs.hedge_error,
        ltv_bps: inputs.ltv_bps,
    })
}

fn fee_lamports(intent: &Intent) -> u64 {
    let priority = u128::from(intent.micro_lamports) * u128::from(intent.compute_units);
    let priority = priority.div_ceil(1_000_000);
    SIGNATURE_LAMPORTS.saturating_add(u64::try_from(priority).unwrap_or(u64::MAX))
}

fn order(record: &OverrideRecord) -> OverrideRow {
    let entry = &record.applied.entry;
    let position = match entry.scope {
        Scope::Keeper => None,
        Scope::Position { position } => Some(position.to_string()),
    };
    OverrideRow {
        key: entry.id.to_string(),
        secs: entry.secs,
        scope: match position {
            None => "keeper".into(),
            Some(_) => "position".into(),
        },
        position,
        number: None,
        mode: entry.mode.to_string(),
        note: entry.note.clone(),
        by: entry.by.clone(),
        until_secs: entry.until_secs,
    }
}

#[cfg(test)]
mod tests {
    use ballast_strategy::decide::ActionKind;

    use super::*;
    use crate::journal::{
        OutcomeRecord,
        tests::{header, intent},
    };

    fn told(rows: &mut Rows, id: u64, outcome: Outcome) -> Added {
        rows.read(Record::Intent(Box::new(intent(id))));
        rows.read(Record::Outcome(OutcomeRecord {
            id: IntentId(id),
            outcome,
        }))
    }

    #[test]
    fn an_intent_and_its_outcome_are_one_row() {
        let mut rows = Rows::default();
        rows.read(Record::Header(header()));
        let pending = rows.read(Record::Intent(Box::new(intent(1))));
        let pending = pending.action.unwrap();
        assert_eq!(pending.outcome, "pending");
        assert_eq!(pending.by, Some(header().keeper.to_string()));
        let done = told(&mut rows, 1, Outcome::Landed { slot: 9 });
        let row = done.action.unwrap();
        assert_eq!(
            (row.key, row.outcome.as_str(), row.slot),
            (pending.key, "landed", Some(9))
        );
        // 11 units at 12 micro-lamports are less than a lamport, and cost one.
        let fee = done.fee.unwrap();
        assert_eq!((fee.intent, fee.lamports), (1, 5_001));
    }

    #[test]
    fn what_is_in_no_block_costs_nothing() {
        let mut rows = Rows::default();
        for (outcome, name, pays) in [
            (Outcome::Expired { block_height: 4 }, "expired", false),
            (
                Outcome::Dropped {
                    block_height: 4,
                    error: "e".into(),
                },
                "dropped",
                false,
            ),
            (
                Outcome::Failed {
                    slot: 4,
                    error: "e".into(),
                },
                "failed",
                true,
            ),
            (
                Outcome::Raced {
                    slot: 4,
                    error: "e".into(),
                },
                "raced",
                true,
            ),
        ] {
            let done = told(&mut rows, 7, outcome);
            assert_eq!(done.action.unwrap().outcome, name);
            assert_eq!(done.fee.is_some(), pays, "{name}");
        }
        // An outcome without its intent says nothing.
        let alone = rows.read(Record::Outcome(OutcomeRecord {
            id: IntentId(99),
            outcome: Outcome::Landed { slot: 1 },
        }));
        assert!(alone.action.is_none() && alone.fee.is_none());
    }

    #[test]
    fn what_a_fork_took_back_is_told_anew_and_paid_once() {
        let mut rows = Rows::default();
        let then = |rows: &mut Rows, outcome| {
            let id = IntentId(1);
            rows.read(Record::Outcome(OutcomeRecord { id, outcome }))
        };
        let landed = told(&mut rows, 1, Outcome::Landed { slot: 9 });
        assert_eq!(landed.overturned, None);
        let again = then(&mut rows, Outcome::Landed { slot: 12 });
        assert_eq!(again.action.unwrap().slot, Some(12));
        assert_eq!(again.fee, None);
        assert!(!again.overturned.unwrap().unpaid);
        let expired = then(&mut rows, Outcome::Expired { block_height: 200 });
        let row = expired.action.unwrap();
        assert_eq!((row.outcome.as_str(), row.slot), ("expired", None));
        assert_eq!(expired.fee, None);
        assert!(expired.overturned.unwrap().unpaid);
        // What is in no block is taken back by nothing.
        assert!(
            then(&mut rows, Outcome::Landed { slot: 1 })
                .action
                .is_none()
        );
    }

    #[test]
    fn what_is_done_to_a_market_has_no_figures() {
        let mut rows = Rows::default();
        let mut of_market = intent(3);
        of_market.position = of_market.market;
        of_market.action = ActionKind::RefreshStage;
        let row = rows.read(Record::Intent(Box::new(of_market))).action;
        assert_eq!(row.unwrap().before, None);
        let row = rows.read(Record::Intent(Box::new(intent(4)))).action;
        assert_eq!(row.unwrap().before.unwrap().delta, i128::MIN);
    }
}
