//! What follows from the journal: orders whose outcome is open, the venue's numbers of ours, the position, what it has earned.

use super::{
    holding::Holding,
    journal::{Entry, Origin},
};
use crate::{
    hyperliquid::{
        bytes::{Address, Cloid},
        eip712::keccak,
    },
    venue::{Fill, FillKind, Order},
};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// By how much later than a newer fill an older one may be listed.
const LATE_FILLS_MS: u64 = 120_000;

/// The journal, summed up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    next_sequence: u64,
    open: BTreeMap<u64, Order>,
    oids: BTreeSet<u64>,
    /// What orders of ours filled and the venue's list of fills has not shown yet, by the venue's number of the order.
    awaited: BTreeMap<u64, Decimal>,
    tids: BTreeSet<u64>,
    coins: BTreeMap<String, Holding>,
    since_ms: u64,
    last_fill_ms: u64,
}

/// What the hedge has earned since its journal began, in dollars. The three are all there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pnl {
    /// By the price, with everything that trading cost against the middle.
    pub price: Decimal,
    /// By the venue's fees: not above zero, but for rebates.
    pub fees: Decimal,
    /// By funding.
    pub funding: Decimal,
}

impl Pnl {
    /// All of it.
    #[must_use]
    pub fn total(&self) -> Decimal {
        self.price + self.fees + self.funding
    }
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
                at_ms,
                price,
            } => {
                let began_with = if position.is_zero() {
                    Some(Decimal::ZERO)
                } else {
                    price.map(|price| price * position)
                };
                let holding = Holding {
                    position: *position,
                    began_with,
                    // Of journals that do not say it.
                    began_ms: (*at_ms).max(*since_ms),
                    cost: began_with.unwrap_or_default(),
                    ..Holding::default()
                };
                self.coins.insert(coin.clone(), holding);
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
                if done.filled > Decimal::ZERO {
                    self.awaited.insert(done.oid, done.filled);
                }
            }
            Entry::Void { sequence, .. } => {
                self.open.remove(sequence);
            }
            Entry::Partner { oid } => {
                self.oids.insert(*oid);
            }
            Entry::Fill { origin, fill } => {
                self.tids.insert(fill.tid);
                self.last_fill_ms = self.last_fill_ms.max(fill.time_ms);
                if let Some(awaited) = self.awaited.get_mut(&fill.oid) {
                    *awaited -= fill.size;
                }
                self.awaited.retain(|_, size| *size > Decimal::ZERO);
                let holding = self.coins.entry(fill.coin.clone()).or_default();
                let signed = fill.side.signed(fill.size);
                holding.trade(signed, fill.price);
                holding.fees += fill.fee;
                if *origin == Origin::Own {
                    holding.own_fees.push((fill.time_ms, fill.fee));
                }
            }
            Entry::Funding { payment } => {
                let holding = self.coins.entry(payment.coin.clone()).or_default();
                holding.funding += payment.usdc;
                holding.last_funding_ms = holding.last_funding_ms.max(payment.time_ms);
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
        self.coins.get(coin).map(|holding| holding.position)
    }

    /// When the journal of an instrument began, by the venue's clock.
    #[must_use]
    pub fn began_ms(&self, coin: &str) -> Option<u64> {
        self.coins.get(coin).map(|holding| holding.began_ms)
    }

    /// What the hedge has earned since its journal began, at a price; `None`: what it began with is not known.
    #[must_use]
    pub fn pnl(&self, coin: &str, price: Decimal) -> Option<Pnl> {
        let holding = self.coins.get(coin)?;
        Some(Pnl {
            price: holding.position * price - holding.began_with? - holding.spent,
            fees: -holding.fees,
            funding: holding.funding,
        })
    }

    /// The part of [`Pnl::price`] that was earned on what was closed since the journal began, against the average of what it cost;
    /// `None`: what it began with is not known.
    #[must_use]
    pub fn realised(&self, coin: &str) -> Option<Decimal> {
        let holding = self.coins.get(coin)?;
        holding.began_with.map(|_| holding.realised)
    }

    /// Fees of our own orders from a time on.
    #[must_use]
    pub fn fees_since(&self, coin: &str, since_ms: u64) -> Decimal {
        let fees = self.coins.get(coin).map(|holding| &holding.own_fees);
        let fees = fees.into_iter().flatten().rev();
        // The newest are last.
        fees.take_while(|(time_ms, _)| *time_ms >= since_ms)
            .map(|(_, fee)| *fee)
            .sum()
    }

    /// From when on payments of funding are not in the books yet; `None` before the journal has begun.
    #[must_use]
    pub fn funding_since_ms(&self, coin: &str) -> Option<u64> {
        let holding = self.coins.get(coin)?;
        Some((holding.last_funding_ms + 1).max(holding.began_ms))
    }

    /// From when on fills have to be read. A list that lags may show an older one after a newer one.
    #[must_use]
    pub fn fills_since_ms(&self) -> u64 {
        self.since_ms
            .max(self.last_fill_ms.saturating_sub(LATE_FILLS_MS))
    }

    /// Whether orders of ours filled more than the venue's list of fills has shown.
    #[must_use]
    pub fn awaits_fills(&self) -> bool {
        !self.awaited.is_empty()
    }

    /// Whether the venue's number is one of an order of ours.
    #[must_use]
    pub fn is_ours(&self, oid: u64) -> bool {
        self.oids.contains(&oid)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        instrument::Side,
        venue::{Done, Funding},
    };

    fn fill(tid: u64, oid: u64, side: Side, price: i64, size: i64) -> Fill {
        Fill {
            tid,
            oid,
            time_ms: 1_000 * tid,
            coin: "SOL".into(),
            side,
            price: price.into(),
            size: size.into(),
            fee: Decimal::ONE,
            closed_pnl: Decimal::ZERO,
            kind: FillKind::Trade,
        }
    }

    #[test]
    fn what_was_earned_is_price_fees_and_funding() {
        let opening = |price| Entry::Opening {
            coin: "SOL".into(),
            position: 2.into(),
            since_ms: 500,
            seen: vec![],
            at_ms: 900,
            price,
        };
        let mut books = Books::of(&[
            opening(Some(100.into())),
            Entry::Taken {
                sequence: 0,
                done: Done {
                    oid: 7,
                    filled: 5.into(),
                },
            },
            Entry::Partner { oid: 8 },
            Entry::Funding {
                payment: Funding {
                    time_ms: 3_600_000,
                    coin: "SOL".into(),
                    usdc: Decimal::new(25, 2),
                    position: 1.into(),
                    rate: Decimal::ZERO,
                },
            },
        ]);
        for (fill, origin) in [
            (fill(1, 7, Side::Sell, 110, 5), Origin::Own),
            (fill(2, 8, Side::Buy, 90, 1), Origin::Own),
            (fill(3, 9, Side::Buy, 90, 1), Origin::Foreign),
        ] {
            assert_eq!(books.origin(&fill), Some(origin));
            books.apply(&Entry::Fill { origin, fill });
        }
        // Two at 100, five sold at 110, two bought at 90: one short at 95.
        let pnl = books.pnl("SOL", 95.into()).unwrap();
        assert_eq!(pnl.price, (-95 - 200 + 550 - 180).into());
        // The two at 100 were sold at 110, and of the three that were sold short at 110 two bought back at 90.
        assert_eq!(books.realised("SOL"), Some((2 * 10 + 2 * 20).into()));
        assert_eq!((pnl.fees, pnl.funding), ((-3).into(), Decimal::new(25, 2)));
        assert_eq!(pnl.total(), pnl.price + pnl.fees + pnl.funding);
        // Others' fees are not what we spend.
        assert_eq!(books.fees_since("SOL", 0), 2.into());
        assert_eq!(books.fees_since("SOL", 2_000), 1.into());
        assert_eq!(books.funding_since_ms("SOL"), Some(3_600_001));
        assert_eq!(books.pnl("BTC", 1.into()), None);
        let unknown = Books::of(&[opening(None)]);
        assert_eq!(
            (unknown.pnl("SOL", 1.into()), unknown.realised("SOL")),
            (None, None)
        );
    }

    #[test]
    fn fills_are_awaited_until_shown_and_one_that_is_listed_late_is_read() {
        let mut books = Books::of(&[Entry::Taken {
            sequence: 0,
            done: Done {
                oid: 7,
                filled: 5.into(),
            },
        }]);
        let mut book = |tid, oid, size| {
            let fill = fill(tid, oid, Side::Sell, 110, size);
            let origin = books.origin(&fill).unwrap();
            books.apply(&Entry::Fill { origin, fill });
            (books.awaits_fills(), books.fills_since_ms())
        };
        assert_eq!(book(130, 9, 5), (true, 10_000));
        // Earlier than that by the venue's clock, and listed later.
        assert_eq!(book(125, 7, 3), (true, 10_000));
        assert_eq!(book(126, 7, 2), (false, 10_000));
        assert_eq!(books.position("SOL"), Some((-10).into()));
    }
}
