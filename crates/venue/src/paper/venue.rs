//! The exchange as a venue for one account: on a tape of prices, recorded or simulated, with latency.

use super::{
    exchange::{Exchange, FUNDING_INTERVAL_MS},
    order::{NewOrder, OrderRecord, Status},
};
use crate::{
    clock::Clock,
    depth::Depth,
    funding::Settlement,
    hyperliquid::{
        bytes::{Address, Cloid},
        order_wire::{OrderRef, Tif},
    },
    instrument::Instrument,
    venue::{Account, Done, Fill, Funding, Order, OrderState, Venue, VenueError},
};
use async_trait::async_trait;
use rust_decimal::{Decimal, prelude::ToPrimitive};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A market at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Quote {
    /// From when on.
    pub time_ms: u64,
    /// The asset's number.
    pub asset: u32,
    /// The price that funding and margin are computed from.
    pub index: Decimal,
    /// What others offer.
    pub depth: Depth,
    /// The next settlement's rate and premium.
    pub funding: (Decimal, Decimal),
}

/// An exchange and the quotes to come, oldest first.
#[derive(Debug, Clone)]
pub struct Tape {
    exchange: Exchange,
    quotes: VecDeque<Quote>,
}

impl Tape {
    /// Quotes are applied when their time has come; they are given in the order of time.
    #[must_use]
    pub fn new(exchange: Exchange, quotes: impl IntoIterator<Item = Quote>) -> Self {
        Self {
            exchange,
            quotes: quotes.into_iter().collect(),
        }
    }

    /// The exchange at a time: every quote and settlement up to it has happened.
    pub fn at(&mut self, now_ms: u64) -> &mut Exchange {
        while let Some(quote) = self.quotes.pop_front_if(|quote| quote.time_ms <= now_ms) {
            self.exchange.advance_to(quote.time_ms);
            self.exchange
                .set_funding(quote.asset, quote.funding.0, quote.funding.1);
            self.exchange
                .set_depth(quote.asset, quote.index, quote.depth);
        }
        self.exchange.advance_to(now_ms);
        &mut self.exchange
    }
}

/// The paper venue.
pub struct PaperVenue {
    tape: Arc<Mutex<Tape>>,
    clock: Arc<dyn Clock>,
    account: Address,
    latency_ms: u64,
}

impl PaperVenue {
    /// An order meets the market as it is `latency_ms` after it was sent.
    #[must_use]
    pub fn new(
        tape: Arc<Mutex<Tape>>,
        clock: Arc<dyn Clock>,
        account: Address,
        latency_ms: u64,
    ) -> Self {
        Self {
            tape,
            clock,
            account,
            latency_ms,
        }
    }

    fn tape(&self) -> MutexGuard<'_, Tape> {
        // Only a panic inside the exchange poisons it, and then nothing was half done that money depends on.
        self.tape.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unknown_coin(coin: &str) -> VenueError {
        VenueError::Refused(format!("there is no `{coin}` here"))
    }
}

impl OrderRecord {
    /// The record in a venue's common words.
    #[must_use]
    pub fn state(&self) -> OrderState {
        let done = Done {
            oid: self.oid,
            filled: self.filled,
        };
        if self.status == Status::Open {
            OrderState::Open(done)
        } else {
            OrderState::Closed(done)
        }
    }
}

#[async_trait]
impl Venue for PaperVenue {
    async fn instrument(&self, coin: &str) -> Result<Instrument, VenueError> {
        let mut tape = self.tape();
        let exchange = tape.at(self.clock.now_ms());
        exchange
            .market(coin)
            .map(|market| market.instrument.clone())
            .ok_or_else(|| Self::unknown_coin(coin))
    }

    async fn depth(&self, coin: &str) -> Result<Depth, VenueError> {
        let mut tape = self.tape();
        let exchange = tape.at(self.clock.now_ms());
        exchange
            .market(coin)
            .map(|market| market.depth.clone())
            .ok_or_else(|| Self::unknown_coin(coin))
    }

    async fn account(&self) -> Result<Account, VenueError> {
        let mut tape = self.tape();
        tape.at(self.clock.now_ms())
            .account(self.account)
            .ok_or_else(|| VenueError::AgentUnknown(self.account.to_string()))
    }

    async fn time_ms(&self) -> Result<u64, VenueError> {
        Ok(self.clock.now_ms())
    }

    async fn place(&self, order: &Order) -> Result<Done, VenueError> {
        let mut tape = self.tape();
        let arrives_ms = self.clock.now_ms() + self.latency_ms;
        let exchange = tape.at(arrives_ms);
        if order.expires_after_ms < arrives_ms {
            return Err(VenueError::Refused("it arrived after its time".into()));
        }
        let asset = exchange
            .market(&order.coin)
            .map(|market| market.instrument.asset)
            .ok_or_else(|| Self::unknown_coin(&order.coin))?;
        let placed = exchange.place(NewOrder {
            account: self.account,
            asset,
            side: order.side,
            price: order.cap,
            size: order.size,
            tif: Tif::Ioc,
            reduce_only: order.reduce_only,
            cloid: Some(order.cloid),
        });
        placed
            .map(|record| Done {
                oid: record.oid,
                filled: record.filled,
            })
            .map_err(|refusal| VenueError::Refused(refusal.to_string()))
    }

    async fn order(&self, cloid: Cloid) -> Result<OrderState, VenueError> {
        let mut tape = self.tape();
        let exchange = tape.at(self.clock.now_ms());
        Ok(exchange
            .order(self.account, OrderRef::Cloid(cloid))
            .map_or(OrderState::NeverSeen, OrderRecord::state))
    }

    async fn cancel(&self, coin: &str, cloid: Cloid) -> Result<(), VenueError> {
        let mut tape = self.tape();
        let exchange = tape.at(self.clock.now_ms());
        let asset = exchange
            .market(coin)
            .map(|market| market.instrument.asset)
            .ok_or_else(|| Self::unknown_coin(coin))?;
        exchange
            .cancel(self.account, asset, OrderRef::Cloid(cloid))
            .map_err(|refusal| VenueError::Refused(refusal.to_string()))
    }

    async fn fills(&self, since_ms: u64) -> Result<Vec<Fill>, VenueError> {
        let mut tape = self.tape();
        let fills = tape
            .at(self.clock.now_ms())
            .ledger(self.account)
            .map(|ledger| &ledger.fills);
        Ok(fills
            .into_iter()
            .flatten()
            .map(|record| &record.fill)
            .filter(|fill| fill.time_ms >= since_ms)
            .cloned()
            .collect())
    }

    async fn funding(&self, since_ms: u64) -> Result<Vec<Funding>, VenueError> {
        let mut tape = self.tape();
        let payments = tape
            .at(self.clock.now_ms())
            .ledger(self.account)
            .map(|ledger| &ledger.funding);
        Ok(payments
            .into_iter()
            .flatten()
            .filter(|payment| payment.time_ms >= since_ms)
            .cloned()
            .collect())
    }

    async fn settlements(&self, coin: &str, since_ms: u64) -> Result<Vec<Settlement>, VenueError> {
        let mut tape = self.tape();
        let market = tape
            .at(self.clock.now_ms())
            .market(coin)
            .ok_or_else(|| Self::unknown_coin(coin))?;
        let settled = market.settled.iter();
        Ok(settled
            .filter(|settled| settled.time_ms >= since_ms)
            .map(|settled| Settlement {
                hour: settled.time_ms / FUNDING_INTERVAL_MS,
                interval_hours: 1,
                rate: settled.rate.to_f64().unwrap_or(f64::NAN),
                premium: settled.premium.to_f64().unwrap_or(f64::NAN),
            })
            .collect())
    }

    async fn taker_fee(&self) -> Result<Decimal, VenueError> {
        Ok(self.tape().at(self.clock.now_ms()).fees().taker)
    }
}
