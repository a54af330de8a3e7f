//! One step of the hedge. Every step begins with what is unknown and ends with at most one order, so that a crash anywhere leaves at
//! most one order whose outcome the next step has to find out.

use super::{
    books::{Books, cloid},
    journal::{Entry, Journal, JournalError, Origin},
    target::{Decision, Exposure, Rules, decide},
};
use crate::{
    hyperliquid::bytes::{Address, Cloid},
    venue::{Fill, Order, OrderState, Venue, VenueError},
};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// How long after its expiry, by the venue's clock, an order that it never saw is taken for void.
const EXPIRY_MARGIN_MS: u64 = 2_000;

/// For whom and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The account that holds the position.
    pub account: Address,
    /// The instrument.
    pub coin: String,
    /// How it trades.
    pub rules: Rules,
    /// How long an order may take to arrive.
    pub expires_after_ms: u64,
}

/// Why a step did not come to its end. Only the journal's failure is final; after the others the next step takes up.
#[derive(Debug, thiserror::Error)]
pub enum HedgeError {
    /// What cannot be remembered is not done.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The venue did not serve.
    #[error(transparent)]
    Venue(#[from] VenueError),
    /// The venue's position is not what the fills make it.
    #[error(
        "{coin}: the venue shows a position of {shown}, the journal's fills make {booked}; nothing is traded until they agree"
    )]
    Disagree {
        /// The instrument.
        coin: String,
        /// At the venue.
        shown: Decimal,
        /// In the journal.
        booked: Decimal,
    },
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// An order was answered; there may be more to do.
    Traded {
        /// How much of it filled.
        filled: Decimal,
    },
    /// An order was refused.
    Refused(VenueError),
    /// It is not known whether an order happened.
    Unknown,
    /// An earlier order's outcome is not known yet.
    Waiting(Cloid),
    /// Nothing to trade, and why.
    Idle(Decision),
}

/// What somebody should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Whose trade it was.
    pub origin: Origin,
    /// The trade.
    pub fill: Fill,
}

/// A step's outcome, with trades that were not ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What was done.
    pub outcome: Outcome,
    /// What the venue or others did. The position that they left is what the step hedged.
    pub alerts: Vec<Alert>,
}

/// The hedge of one instrument on one venue.
pub struct Hedger<V> {
    plan: Plan,
    venue: V,
    journal: Journal,
    books: Books,
    /// What answers said was filled and the venue's list of fills has not shown yet, by the venue's number of the order.
    awaited: BTreeMap<u64, Decimal>,
}

impl<V: Venue> Hedger<V> {
    /// Takes up where a journal ends.
    #[must_use]
    pub fn new(plan: Plan, venue: V, journal: Journal, entries: &[Entry]) -> Self {
        Self {
            plan,
            venue,
            journal,
            books: Books::of(entries),
            awaited: BTreeMap::new(),
        }
    }

    /// What follows from the journal.
    #[must_use]
    pub const fn books(&self) -> &Books {
        &self.books
    }

    /// The venue.
    #[must_use]
    pub const fn venue(&self) -> &V {
        &self.venue
    }

    /// Settles, reads, compares, decides and trades, in this order.
    ///
    /// # Errors
    /// The journal cannot be written, the venue did not answer, or both disagree.
    pub async fn step(&mut self, exposure: Exposure, now_ms: u64) -> Result<Report, HedgeError> {
        self.begin().await?;
        let waiting = self.settle().await?;
        let alerts = self.read_fills(waiting.is_some()).await?;
        if let Some(cloid) = waiting {
            return Ok(Report {
                outcome: Outcome::Waiting(cloid),
                alerts,
            });
        }
        if !self.awaited.is_empty() {
            // The account may be as old as the fills: both would agree, and the same trade would be sent again.
            return Err(VenueError::NoAnswer(
                "the fills of an answered order are not shown yet".into(),
            )
            .into());
        }
        let position = self.agreed_position().await?;
        let instrument = self.venue.instrument(&self.plan.coin).await?;
        let depth = self.venue.depth(&self.plan.coin).await?;
        let outcome = match decide(exposure, position, &self.plan.rules, &instrument, &depth) {
            Decision::Trade(ticket) => {
                let mut order = Order {
                    coin: self.plan.coin.clone(),
                    side: ticket.side,
                    size: ticket.size,
                    cap: ticket.cap,
                    reduce_only: ticket.reduce_only,
                    cloid: Cloid([0; 16]),
                    expires_after_ms: now_ms + self.plan.expires_after_ms,
                };
                let sequence = self.books.next_sequence();
                order.cloid = cloid(self.plan.account, sequence, &order);
                self.send(sequence, order).await?
            }
            other => Outcome::Idle(other),
        };
        Ok(Report { outcome, alerts })
    }

    fn write(&mut self, entry: &Entry) -> Result<(), JournalError> {
        self.journal.append(entry)?;
        self.books.apply(entry);
        Ok(())
    }

    /// What is held at the beginning, once. Fills are read before and after: none may fall between.
    async fn begin(&mut self) -> Result<(), HedgeError> {
        if self.books.position(&self.plan.coin).is_some() {
            return Ok(());
        }
        let before = self.venue.fills(0).await?;
        let position = self.venue.account().await?.position(&self.plan.coin);
        if self.venue.fills(0).await? != before {
            return Err(VenueError::NoAnswer(
                "the account traded while its position was read".into(),
            )
            .into());
        }
        let since_ms = before.last().map_or(0, |fill| fill.time_ms);
        let seen = before
            .iter()
            .filter(|fill| fill.time_ms == since_ms)
            .map(|fill| fill.tid)
            .collect();
        Ok(self.write(&Entry::Opening {
            coin: self.plan.coin.clone(),
            position,
            since_ms,
            seen,
        })?)
    }

    /// Asks what became of orders whose outcome is open. Returns one that still is.
    async fn settle(&mut self) -> Result<Option<Cloid>, HedgeError> {
        let open: Vec<(u64, Order)> = self
            .books
            .open()
            .map(|(sequence, order)| (sequence, order.clone()))
            .collect();
        let mut waiting = None;
        for (sequence, order) in open {
            match self.venue.order(order.cloid).await? {
                OrderState::Closed(done) => self.write(&Entry::Taken { sequence, done })?,
                OrderState::NeverSeen
                    if self.venue.time_ms().await? > order.expires_after_ms + EXPIRY_MARGIN_MS =>
                {
                    self.write(&Entry::Void {
                        sequence,
                        why: "the venue never saw it, and it has expired".into(),
                    })?;
                }
                OrderState::Open(_) => {
                    // It was to fill at once or not at all.
                    self.venue.cancel(&order.coin, order.cloid).await?;
                    waiting = Some(order.cloid);
                }
                OrderState::NeverSeen => waiting = Some(order.cloid),
            }
        }
        Ok(waiting)
    }

    /// Journals what was filled since. While an order's outcome is open, a fill of an unknown order may be its own, and waits.
    async fn read_fills(&mut self, unsettled: bool) -> Result<Vec<Alert>, HedgeError> {
        let mut alerts = Vec::new();
        for fill in self.venue.fills(self.books.fills_since_ms()).await? {
            let Some(origin) = self.books.origin(&fill) else {
                continue;
            };
            if origin == Origin::Foreign && unsettled {
                break;
            }
            self.write(&Entry::Fill {
                origin,
                fill: fill.clone(),
            })?;
            if let Some(awaited) = self.awaited.get_mut(&fill.oid) {
                *awaited -= fill.size;
            }
            self.awaited.retain(|_, size| *size > Decimal::ZERO);
            // Other coins are somebody else's business.
            if origin != Origin::Own && fill.coin == self.plan.coin {
                alerts.push(Alert { origin, fill });
            }
        }
        Ok(alerts)
    }

    async fn agreed_position(&self) -> Result<Decimal, HedgeError> {
        let coin = &self.plan.coin;
        let shown = self.venue.account().await?.position(coin);
        let booked = self.books.position(coin).unwrap_or_default();
        if shown == booked {
            Ok(shown)
        } else {
            Err(HedgeError::Disagree {
                coin: coin.clone(),
                shown,
                booked,
            })
        }
    }

    async fn send(&mut self, sequence: u64, order: Order) -> Result<Outcome, HedgeError> {
        self.write(&Entry::Intent {
            sequence,
            order: order.clone(),
        })?;
        match self.venue.place(&order).await {
            Ok(done) => {
                self.write(&Entry::Taken { sequence, done })?;
                if done.filled > Decimal::ZERO {
                    self.awaited.insert(done.oid, done.filled);
                }
                Ok(Outcome::Traded {
                    filled: done.filled,
                })
            }
            Err(VenueError::Unknown(_)) => Ok(Outcome::Unknown),
            Err(error) => {
                // All others say that it did not happen.
                self.write(&Entry::Void {
                    sequence,
                    why: error.to_string(),
                })?;
                Ok(Outcome::Refused(error))
            }
        }
    }
}
