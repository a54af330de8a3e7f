//! What the sources and jobs bring, into the books, and on to what it makes due.

use solana_sdk::pubkey::Pubkey;

use super::Engine;
use crate::{
    book::{Change, Problem},
    event::KeeperEvent,
    execute::Fresh,
    sources::{Asked, SourceEvent},
};

impl Engine {
    pub(super) fn source_event(&mut self, event: SourceEvent) {
        match event {
            SourceEvent::Account {
                market,
                address,
                slot,
                account,
            } => {
                self.picture.note_stream(true);
                if let Some(shelf) = self.shelves.get_mut(&market) {
                    let change = shelf.book.account(&address, slot, account);
                    self.take_in(market, address, change);
                }
            }
            SourceEvent::Market { address, accounts } => {
                if let Some(shelf) = self.shelves.get_mut(&address) {
                    let change = shelf.book.market_accounts(&accounts);
                    self.take_in(address, address, change);
                }
                self.recovered(address, Asked::Accounts);
            }
            SourceEvent::Positions {
                market,
                slot,
                positions,
            } => {
                self.recovered(market, Asked::Positions);
                self.recovered(market, Asked::Stream);
                let Some(shelf) = self.shelves.get_mut(&market) else {
                    return;
                };
                let (changed, missing, problems) = shelf.book.all_positions(slot, positions);
                self.picture.note_read(market);
                let positions = shelf.book.len();
                self.events.send(KeeperEvent::Resync {
                    market,
                    slot,
                    positions,
                });
                for problem in problems {
                    self.problem(problem.address(), &problem.to_string());
                }
                // Closed, or left out: that is settled by asking for each.
                for position in missing {
                    self.doubts.tell(market, position);
                }
                for position in changed {
                    self.evaluate(market, position);
                }
            }
            SourceEvent::Missing {
                market,
                position,
                slot,
            } => {
                let shelf = self.shelves.get_mut(&market);
                if shelf.is_some_and(|shelf| shelf.remove(&position, slot)) {
                    self.forget(market, position);
                }
            }
            SourceEvent::Published { market, prices } => {
                if let Some(shelf) = self.shelves.get_mut(&market) {
                    let change = shelf.book.publish(*prices);
                    self.react(market, change);
                }
                self.recovered(market, Asked::Updates);
            }
            SourceEvent::StreamLost { reason } => {
                self.picture.note_stream(false);
                self.events.send(KeeperEvent::StreamLost { reason });
            }
            SourceEvent::Trouble {
                market,
                asked,
                reason,
            } => self.trouble(market, asked, reason),
        }
    }

    /// Warns that a node does not answer, once for as long as it says the same.
    pub(super) fn trouble(&mut self, market: Pubkey, asked: Asked, reason: String) {
        let last = self.troubles.insert((market, asked), reason.clone());
        if last.as_ref() != Some(&reason) {
            self.events.send(KeeperEvent::Warning { message: reason });
        }
    }

    pub(super) fn recovered(&mut self, market: Pubkey, asked: Asked) {
        if let Some(reason) = self.troubles.remove(&(market, asked)) {
            self.events.send(KeeperEvent::Recovered { market, reason });
        }
    }

    pub(super) fn take_in(
        &mut self,
        market: Pubkey,
        address: Pubkey,
        change: Result<Change, Problem>,
    ) {
        match change {
            Ok(Change::Doubtful) => self.doubts.tell(market, address),
            Ok(change) => {
                self.problems.remove(&address);
                self.react(market, change);
            }
            Err(problem) => self.problem(address, &problem.to_string()),
        }
    }

    /// Warns, once for as long as it stays the same.
    pub(super) fn problem(&mut self, address: Pubkey, message: &str) {
        if self
            .problems
            .get(&address)
            .is_none_or(|last| last != message)
        {
            self.problems.insert(address, message.to_owned());
            self.events.send(KeeperEvent::Warning {
                message: message.to_owned(),
            });
        }
    }

    pub(super) fn react(&mut self, market: Pubkey, change: Change) {
        let Some(shelf) = self.shelves.get_mut(&market) else {
            return;
        };
        let measured = shelf.note_price();
        let due = shelf.due(change);
        if measured {
            self.remember();
        }
        self.picture.note();
        for position in due {
            self.evaluate(market, position);
        }
        if matches!(change, Change::Clock | Change::Market | Change::Rules) {
            self.evaluate_market(market);
        }
    }

    pub(super) fn forget(&mut self, market: Pubkey, position: Pubkey) {
        self.picture.note_position(market, position);
        self.calm(&position);
        self.told.remove(&position);
        self.min_slots.remove(&position);
    }

    pub(super) fn take_in_fresh(&mut self, market: Pubkey, position: Pubkey, fresh: Fresh) {
        let Some(shelf) = self.shelves.get_mut(&market) else {
            return;
        };
        let slot = fresh.market.slot;
        let gone = match fresh.position {
            Some(account) => {
                let change = shelf.book.account(&position, slot, account);
                if let Err(problem) = change {
                    self.problem(position, &problem.to_string());
                }
                false
            }
            None if position == market => false,
            None => shelf.remove(&position, slot),
        };
        if gone {
            self.forget(market, position);
        }
        if let Some(shelf) = self.shelves.get_mut(&market) {
            let change = shelf.book.market_accounts(&fresh.market);
            self.take_in(market, market, change);
        }
    }
}
