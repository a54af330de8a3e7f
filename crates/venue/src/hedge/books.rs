//! What follows from the journal: orders whose outcome is open, the venue's numbers of ours, the position.

use super::journal::{Entry, Origin};
use crate::{
    hyperliquid::{
        bytes::{Address, Cloid},
        eip712::keccak,
    },
    venue::{Fill, FillKind, Order},
};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// The journal, summed up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    next_sequence: u64,
    open: BTreeMap<u64, Order>,
    oids: BTreeSet<u64>,
    tids: BTreeSet<u64>,
    positions: BTreeMap<String, Decimal>,
    since_ms: u64,
    last_fill_ms: u64,
}

impl Books {
    /// Sums up a journal.
    #[must_use]
    pub fn of(entries: &[Entry]) -> Self {
        let mut books = Self::default();
        for entry in entries {
            books.apply(entry);
        }
        books
    }

    /// Takes one more entry.
    pub fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Opening {
                coin,
                position,
                since_ms,
                seen,
            } => {
                self.positions.insert(coin.clone(), *position);
                self.tids.extend(seen);
                self.since_ms = *since_ms;
            }
            Entry::Intent { sequence, order } => {
                self.next_sequence = sequence + 1;
                self.open.insert(*sequence, order.clone());
            }
            Entry::Taken { sequence, done } => {
                self.open.remove(sequence);
                self.oids.insert(done.oid);
            }
            Entry::Void { sequence, .. } => {
                self.open.remove(sequence);
            }
            Entry::Fill { fill, .. } => {
                self.tids.insert(fill.tid);
                self.last_fill_ms = self.last_fill_ms.max(fill.time_ms);
                *self.positions.entry(fill.coin.clone()).or_default() +=
                    fill.side.signed(fill.size);
            }
        }
    }

    /// Orders whose outcome is not known.
    pub fn open(&self) -> impl Iterator<Item = (u64, &Order)> {
        self.open.iter().map(|(sequence, order)| (*sequence, order))
    }

    /// The position, if the journal knows where it began.
    #[must_use]
    pub fn position(&self, coin: &str) -> Option<Decimal> {
        self.positions.get(coin).copied()
    }

    /// From when on fills have to be read.
    #[must_use]
    pub fn fills_since_ms(&self) -> u64 {
        self.since_ms.max(self.last_fill_ms)
    }

    /// Whose fill it is; none where it is in the books already.
    #[must_use]
    pub fn origin(&self, fill: &Fill) -> Option<Origin> {
        if self.tids.contains(&fill.tid) || fill.time_ms < self.since_ms {
            return None;
        }
        Some(match fill.kind {
            FillKind::Deleveraging => Origin::Deleveraging,
            FillKind::Liquidation => Origin::Liquidation,
            FillKind::Trade if self.oids.contains(&fill.oid) => Origin::Own,
            FillKind::Trade => Origin::Foreign,
        })
    }

    /// The number of the next intent.
    #[must_use]
    pub const fn next_sequence(&self) -> u64 {
        self.next_sequence
    }
}

/// The client order id of an intent: the first half of the hash of everything that makes it, so that no two intents share one, and a
/// restart finds it again.
#[must_use]
pub fn cloid(account: Address, sequence: u64, order: &Order) -> Cloid {
    let text = format!(
        "{account} {sequence} {} {:?} {} {} {} {}",
        order.coin,
        order.side,
        order.size.normalize(),
        order.cap.normalize(),
        order.reduce_only,
        order.expires_after_ms
    );
    let hash = keccak(text.as_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    Cloid(id)
}
