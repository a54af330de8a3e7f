//! One market's book with its trigger index.

use std::sync::Arc;

use ballast_client::MarketContext;
use ballast_model::{Amounts, Boundaries};
use solana_sdk::pubkey::Pubkey;

use crate::{
    book::{Change, MarketBook},
    decide::{Assessment, assess},
    situation::{Situation, SituationError},
    trigger::{TriggerIndex, Watch},
    watch::watch,
};

pub(super) struct Shelf {
    pub market: Arc<MarketContext>,
    pub book: MarketBook,
    pub index: TriggerIndex<Pubkey>,
}

impl Shelf {
    pub fn new(market: Arc<MarketContext>) -> Self {
        Self {
            book: MarketBook::new(MarketContext::clone(&market)),
            market,
            index: TriggerIndex::default(),
        }
    }

    /// The positions that a change makes it necessary to look at.
    pub fn due(&self, change: Change) -> Vec<Pubkey> {
        let Some(snapshot) = self.book.snapshot() else {
            return Vec::new();
        };
        let in_time = || self.index.due_at_time(snapshot.now_secs);
        match change {
            Change::Nothing | Change::Doubtful => Vec::new(),
            Change::Clock => in_time(),
            Change::Rules => self
                .book
                .positions()
                .map(|(position, _)| *position)
                .collect(),
            Change::Position(position) => vec![position],
            Change::Market => {
                let mut due = match self.book.oracle() {
                    Some(oracle) => self.index.due_at_price(oracle),
                    // Without a price only what is restless can be looked at.
                    None => self.index.restless(),
                };
                due.extend(in_time());
                due.sort_unstable();
                due.dedup();
                due
            }
        }
    }

    /// Assesses a position and enters it into the index accordingly. `None` if market or position is not known.
    pub fn assess(
        &mut self,
        position: &Pubkey,
        keeper: Pubkey,
        funds: Option<Amounts>,
        horizon_secs: u32,
    ) -> Option<Result<Assessment, SituationError>> {
        let market = self.book.snapshot()?;
        let tracked = self.book.position(position)?;
        let situation = Situation {
            market,
            position: &tracked.position,
            now_secs: market.now_secs,
            slot: market.slot.max(tracked.slot),
            keeper,
            funds,
        };
        let assessed =
            assess(&situation).and_then(|at| Ok((at, watch(&situation, &at, horizon_secs)?)));
        // What cannot be assessed is tried again with every change.
        let until_secs = market.now_secs.saturating_add(i64::from(horizon_secs));
        let restless = Watch {
            quiet: Boundaries::Empty,
            until_secs,
        };
        let (result, watch) = match assessed {
            Ok((at, watch)) => (Ok(at), watch),
            Err(error) => (Err(error), restless),
        };
        self.index.insert(*position, watch);
        Some(result)
    }
}
