//! Orders as the exchange keeps them, and why it refuses some.

use crate::{
    hyperliquid::{
        bytes::{Address, Cloid},
        order_wire::Tif,
    },
    instrument::Side,
};
use rust_decimal::Decimal;

/// An order that comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// For which account.
    pub account: Address,
    /// The asset's number.
    pub asset: u32,
    /// Buy or sell.
    pub side: Side,
    /// The limit.
    pub price: Decimal,
    /// The size.
    pub size: Decimal,
    /// How long it lives.
    pub tif: Tif,
    /// Whether it may only shrink the position.
    pub reduce_only: bool,
    /// The client's own number.
    pub cloid: Option<Cloid>,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It rests.
    Open,
    /// All of it filled.
    Filled,
    /// The rest was cancelled.
    Canceled,
    /// Nothing matched at once.
    IocCancelRejected,
}

/// An order that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRecord {
    /// Its number.
    pub oid: u64,
    /// What came in.
    pub order: NewOrder,
    /// How much has filled.
    pub filled: Decimal,
    /// What the filled part was worth.
    pub notional: Decimal,
    /// Where it stands.
    pub status: Status,
    /// When it came in.
    pub placed_ms: u64,
    /// Since when it stands there.
    pub status_ms: u64,
}

impl OrderRecord {
    /// What has not filled.
    #[must_use]
    pub fn left(&self) -> Decimal {
        self.order.size - self.filled
    }
}

/// Why an order is refused, in the venue's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such asset.
    #[error("Asset {0} does not exist.")]
    NoAsset(u32),
    /// No such account.
    #[error("User or API Wallet {0} does not exist.")]
    NoAccount(Address),
    /// The price is between steps.
    #[error("Price must be divisible by tick size. asset={0}")]
    Tick(u32),
    /// The size is between lots, or zero.
    #[error("Order has invalid size. asset={0}")]
    Size(u32),
    /// Too small.
    #[error("Order must have minimum value of $10. asset={0}")]
    MinNotional(u32),
    /// Nothing to reduce.
    #[error("Reduce only order would increase position. asset={0}")]
    ReduceOnly(u32),
    /// Not enough margin.
    #[error("Insufficient margin to place order. asset={0}")]
    Margin(u32),
    /// It would have taken.
    #[error("Post only order would have immediately matched. asset={0}")]
    PostOnly(u32),
    /// Nothing to take.
    #[error("Order could not immediately match against any resting orders. asset={0}")]
    NoMatch(u32),
    /// The order is not open.
    #[error("Order was never placed, already canceled, or filled. asset={0}")]
    NotOpen(u32),
}
