//! One step of the hedge. Every step begins with what is unknown and ends with at most one order, so that a crash anywhere leaves at
//! most one order whose outcome the next step has to find out.

use super::{
    books::{Books, cloid},
    gate::{End, Gate, Open},
    journal::{Entry, Journal, JournalError, Origin},
    permit::Permit,
    report::{Alert, Outcome, Report, Seen},
    target::{Decision, Rules, Ticket, decide},
    want::Want,
};
use crate::{
    hyperliquid::bytes::{Address, Cloid},
    venue::{Account, Order, OrderState, Venue, VenueError},
};
use rust_decimal::Decimal;
use std::sync::Arc;

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

/// The hedge of one instrument on one venue.
pub struct Hedger<V> {
    plan: Plan,
    venue: V,
    journal: Journal,
    gate: Arc<dyn Gate>,
    books: Books,
}

impl<V: Venue> Hedger<V> {
    /// Takes up where a journal ends.
    #[must_use]
    pub fn new(plan: Plan, venue: V, journal: Journal, entries: &[Entry]) -> Self {
        Self {
            plan,
            venue,
            journal,
            gate: Arc::new(Open),
            books: Books::of(entries),
        }
    }

    /// With somebody who has to agree before an order is sent.
    #[must_use]
    pub fn with_gate(mut self, gate: Arc<dyn Gate>) -> Self {
        self.gate = gate;
        self
    }

    /// Sets half of the band in which nothing is traded.
    pub const fn set_band(&mut self, band: Decimal) {
        self.plan.rules.band = band;
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
    pub async fn step(&mut self, want: impl Into<Want>, now_ms: u64) -> Result<Report, HedgeError> {
        let want = want.into();
        self.begin().await?;
        let waiting = self.settle(want.permit).await?;
        let alerts = self.read_fills(waiting.is_some()).await?;
        if let Some(cloid) = waiting {
            return Ok(Report {
                outcome: Outcome::Waiting(cloid),
                seen: None,
                alerts,
            });
        }
        if self.books.awaits_fills() {
            // The account may be as old as the fills: both would agree, and the same trade would be sent again.
            return Err(VenueError::NoAnswer(
                "the fills of an answered order are not shown yet".into(),
            )
            .into());
        }
        let account = self.agreed_account().await?;
        let depth = self.venue.depth(&self.plan.coin).await?;
        let seen = Seen {
            mid: depth.mid(),
            half_spread: depth.half_spread(),
            account,
        };
        let outcome = match (want.exposure, seen.mid) {
            (None, _) => Outcome::Blind,
            (Some(_), Some(mid)) if want.is_off(mid) => Outcome::OffPrice { mid },
            (Some(exposure), _) => {
                let position = seen.account.position(&self.plan.coin);
                let instrument = self.venue.instrument(&self.plan.coin).await?;
                let decision = decide(exposure, position, &self.plan.rules, &instrument, &depth);
                match want.permit.room.bound(decision, position, &instrument) {
                    Decision::Trade(ticket) if want.permit.sends => {
                        self.trade(&ticket, now_ms).await?
                    }
                    Decision::Trade(ticket) => Outcome::Shown(ticket),
                    other => Outcome::Idle(other),
                }
            }
        };
        Ok(Report {
            outcome,
            seen: Some(seen),
            alerts,
        })
    }

    /// Journals funding that was paid or received since the journal began. It moves no position, so that no step waits for it.
    ///
    /// # Errors
    /// The journal cannot be written, or the venue did not answer.
    pub async fn read_funding(&mut self) -> Result<(), HedgeError> {
        let coin = self.plan.coin.clone();
        let Some(since_ms) = self.books.funding_since_ms(&coin) else {
            return Ok(());
        };
        for payment in self.venue.funding(since_ms).await? {
            if payment.coin == coin && payment.time_ms >= since_ms {
                self.write(&Entry::Funding { payment })?;
            }
        }
        Ok(())
    }

    /// Takes note of orders of another process of ours, so that their fills are not taken for a stranger's.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn know_partners(
        &mut self,
        oids: impl IntoIterator<Item = u64>,
    ) -> Result<(), JournalError> {
        for oid in oids {
            if !self.books.is_ours(oid) {
                self.write(&Entry::Partner { oid })?;
            }
        }
        Ok(())
    }

    async fn trade(&mut self, ticket: &Ticket, now_ms: u64) -> Result<Outcome, HedgeError> {
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
        self.send(sequence, order).await
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
        let at_ms = self.venue.time_ms().await?;
        let price = if position.is_zero() {
            None
        } else {
            self.venue.depth(&self.plan.coin).await?.mid()
        };
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
            at_ms,
            price,
        })?)
    }

    /// Asks what became of orders whose outcome is open. Returns one that still is.
    async fn settle(&mut self, permit: Permit) -> Result<Option<Cloid>, HedgeError> {
        let open: Vec<(u64, Order)> = self
            .books
            .open()
            .map(|(sequence, order)| (sequence, order.clone()))
            .collect();
        let mut waiting = None;
        for (sequence, order) in open {
            match self.venue.order(order.cloid).await? {
                OrderState::Closed(done) => {
                    self.write(&Entry::Taken { sequence, done })?;
                    self.gate.ended(&order, &End::Taken(done)).await;
                }
                OrderState::NeverSeen
                    if self.venue.time_ms().await? > order.expires_after_ms + EXPIRY_MARGIN_MS =>
                {
                    self.void(
                        sequence,
                        &order,
                        "the venue never saw it, and it has expired".into(),
                    )
                    .await?;
                }
                OrderState::Open(_) => {
                    // It was to fill at once or not at all.
                    if permit.sends {
                        self.venue.cancel(&order.coin, order.cloid).await?;
                    }
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
            // Other coins are somebody else's business.
            if origin != Origin::Own && fill.coin == self.plan.coin {
                alerts.push(Alert { origin, fill });
            }
        }
        Ok(alerts)
    }

    async fn agreed_account(&self) -> Result<Account, HedgeError> {
        let coin = &self.plan.coin;
        let account = self.venue.account().await?;
        let shown = account.position(coin);
        let booked = self.books.position(coin).unwrap_or_default();
        if shown == booked {
            Ok(account)
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
        if let Err(why) = self.gate.admit(&order).await {
            self.write(&Entry::Void {
                sequence,
                why: why.clone(),
            })?;
            return Ok(Outcome::NotAdmitted(why));
        }
        match self.venue.place(&order).await {
            Ok(done) => {
                self.write(&Entry::Taken { sequence, done })?;
                self.gate.ended(&order, &End::Taken(done)).await;
                Ok(Outcome::Traded {
                    filled: done.filled,
                })
            }
            Err(VenueError::Unknown(_)) => Ok(Outcome::Unknown),
            Err(error) => {
                // All others say that it did not happen.
                self.void(sequence, &order, error.to_string()).await?;
                Ok(Outcome::Refused(error))
            }
        }
    }

    async fn void(&mut self, sequence: u64, order: &Order, why: String) -> Result<(), HedgeError> {
        self.write(&Entry::Void {
            sequence,
            why: why.clone(),
        })?;
        self.gate.ended(order, &End::Void(why)).await;
        Ok(())
    }
}
