//! What every venue can do, in its own words and ours. The paper venue and Hyperliquid's client implement it.

use crate::{
    depth::Depth,
    funding::Settlement,
    hyperliquid::bytes::Cloid,
    instrument::{Instrument, Side, StepError},
};
use async_trait::async_trait;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An order that fills what it can at once, within a price, before a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The instrument.
    pub coin: String,
    /// Buy or sell.
    pub side: Side,
    /// How much.
    pub size: Decimal,
    /// The worst price.
    pub cap: Decimal,
    /// Whether it may only shrink the position.
    pub reduce_only: bool,
    /// The hash of the intent.
    pub cloid: Cloid,
    /// After this time the venue refuses it: an order whose answer was lost cannot land later.
    pub expires_after_ms: u64,
}

/// What became of an order that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The venue's number.
    pub oid: u64,
    /// How much of it filled.
    pub filled: Decimal,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderState {
    /// The venue has never seen it.
    NeverSeen,
    /// It can still fill.
    Open(Done),
    /// It cannot fill any more.
    Closed(Done),
}

/// Why a position changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FillKind {
    /// An order was filled.
    Trade,
    /// The venue closed the position because its margin was short.
    Liquidation,
    /// The venue closed the position because a counterparty's margin was short.
    Deleveraging,
}

/// A fill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// The trade's number; no two are alike for one account.
    pub tid: u64,
    /// The order's number.
    pub oid: u64,
    /// When.
    pub time_ms: u64,
    /// The instrument.
    pub coin: String,
    /// Which way the position moved.
    pub side: Side,
    /// The price.
    pub price: Decimal,
    /// The size.
    pub size: Decimal,
    /// What it cost; negative for a rebate.
    pub fee: Decimal,
    /// What closing earned, without fees.
    pub closed_pnl: Decimal,
    /// Why.
    pub kind: FillKind,
}

/// A funding payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Funding {
    /// When.
    pub time_ms: u64,
    /// The instrument.
    pub coin: String,
    /// What came in; negative when it went out.
    pub usdc: Decimal,
    /// The position it was for.
    pub position: Decimal,
    /// The rate of the hour.
    pub rate: Decimal,
}

/// A position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The instrument.
    pub coin: String,
    /// Negative when short.
    pub size: Decimal,
    /// The average price at which it was opened.
    pub entry: Decimal,
    /// Where it would be liquidated; none where no price does.
    pub liquidation: Option<Decimal>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What it is worth: for a unified account, spot balance and open profits together.
    pub equity: Decimal,
    /// What is held as margin.
    pub margin_used: Decimal,
    /// Its positions.
    pub positions: Vec<Position>,
}

impl Account {
    /// The size held of an instrument.
    #[must_use]
    pub fn position(&self, coin: &str) -> Decimal {
        self.positions
            .iter()
            .find(|position| position.coin == coin)
            .map_or(Decimal::ZERO, |position| position.size)
    }
}

/// What went wrong, by what is known of the consequence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VenueError {
    /// It did not happen, and will not.
    #[error("the venue refused it: {0}")]
    Refused(String),
    /// It did not happen; the key may not sign for the account.
    #[error(
        "the venue does not know the agent: {0}. Approve it with the account's own key, or check network and address"
    )]
    AgentUnknown(String),
    /// It did not happen; later it might.
    #[error("not now: {reason}; again in {retry_after_ms} ms")]
    Busy {
        /// Why.
        reason: String,
        /// When it makes sense to try again.
        retry_after_ms: u64,
    },
    /// It may have happened.
    #[error("unknown whether it happened: {0}")]
    Unknown(String),
    /// The answer to a question made no sense, or none came.
    #[error("no usable answer: {0}")]
    NoAnswer(String),
    /// What was asked for is between the venue's steps.
    #[error(transparent)]
    Step(#[from] StepError),
}

/// A venue, for one account.
#[async_trait]
pub trait Venue: Send + Sync {
    /// An instrument by its name.
    async fn instrument(&self, coin: &str) -> Result<Instrument, VenueError>;
    /// What its book shows.
    async fn depth(&self, coin: &str) -> Result<Depth, VenueError>;
    /// The account.
    async fn account(&self) -> Result<Account, VenueError>;
    /// The venue's clock, which is what an order's time to live is measured by.
    async fn time_ms(&self) -> Result<u64, VenueError>;
    /// Places an order. Only [`VenueError::Unknown`] leaves open whether it happened.
    async fn place(&self, order: &Order) -> Result<Done, VenueError>;
    /// Where an order stands.
    async fn order(&self, cloid: Cloid) -> Result<OrderState, VenueError>;
    /// Cancels what is open of an order.
    async fn cancel(&self, coin: &str, cloid: Cloid) -> Result<(), VenueError>;
    /// Fills from a time on, oldest first.
    async fn fills(&self, since_ms: u64) -> Result<Vec<Fill>, VenueError>;
    /// Funding payments from a time on, oldest first.
    async fn funding(&self, since_ms: u64) -> Result<Vec<Funding>, VenueError>;
    /// The market's settlements of funding from a time on, oldest first: what a forecast is made of.
    async fn settlements(&self, coin: &str, since_ms: u64) -> Result<Vec<Settlement>, VenueError>;
    /// What the account pays for taking, as a share of the notional.
    async fn taker_fee(&self) -> Result<Decimal, VenueError>;
}

/// A venue that hands on to another one what it does not do itself.
#[async_trait]
pub trait Relay: Send + Sync {
    /// The kind of the other.
    type Target: Venue + ?Sized;
    /// The other.
    fn target(&self) -> &Self::Target;
    /// See [`Venue::account`].
    async fn account(&self) -> Result<Account, VenueError> {
        self.target().account().await
    }
    /// See [`Venue::place`].
    async fn place(&self, order: &Order) -> Result<Done, VenueError> {
        self.target().place(order).await
    }
    /// See [`Venue::fills`].
    async fn fills(&self, since_ms: u64) -> Result<Vec<Fill>, VenueError> {
        self.target().fills(since_ms).await
    }
}

/// A venue that several hedges share.
impl<V: Venue + ?Sized> Relay for Arc<V> {
    type Target = V;

    fn target(&self) -> &V {
        self
    }
}

#[async_trait]
impl<R: Relay> Venue for R {
    async fn instrument(&self, coin: &str) -> Result<Instrument, VenueError> {
        self.target().instrument(coin).await
    }
    async fn depth(&self, coin: &str) -> Result<Depth, VenueError> {
        self.target().depth(coin).await
    }
    async fn account(&self) -> Result<Account, VenueError> {
        Relay::account(self).await
    }
    async fn time_ms(&self) -> Result<u64, VenueError> {
        self.target().time_ms().await
    }
    async fn place(&self, order: &Order) -> Result<Done, VenueError> {
        Relay::place(self, order).await
    }
    async fn order(&self, cloid: Cloid) -> Result<OrderState, VenueError> {
        self.target().order(cloid).await
    }
    async fn cancel(&self, coin: &str, cloid: Cloid) -> Result<(), VenueError> {
        self.target().cancel(coin, cloid).await
    }
    async fn fills(&self, since_ms: u64) -> Result<Vec<Fill>, VenueError> {
        Relay::fills(self, since_ms).await
    }
    async fn funding(&self, since_ms: u64) -> Result<Vec<Funding>, VenueError> {
        self.target().funding(since_ms).await
    }
    async fn settlements(&self, coin: &str, since_ms: u64) -> Result<Vec<Settlement>, VenueError> {
        self.target().settlements(coin, since_ms).await
    }
    async fn taker_fee(&self) -> Result<Decimal, VenueError> {
        self.target().taker_fee().await
    }
}
