//! Who has to agree before an order is sent, and is told what became of it: a leader's lease, and whoever counts orders.

use crate::venue::{Done, Order};
use async_trait::async_trait;

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The venue took it.
    Taken(Done),
    /// It did not happen, and cannot any more.
    Void(String),
}

/// See the module's description.
#[async_trait]
pub trait Gate: Send + Sync {
    /// May it be sent? Asked when the intent is in the journal; an order that is not admitted is void there, with this reason.
    async fn admit(&self, order: &Order) -> Result<(), String>;
    /// The answer to an order, at once or found out later.
    async fn ended(&self, order: &Order, end: &End);
}

/// Admits everything: one process holds the journal, and the journal is locked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Open;

#[async_trait]
impl Gate for Open {
    async fn admit(&self, _order: &Order) -> Result<(), String> {
        Ok(())
    }

    async fn ended(&self, _order: &Order, _end: &End) {}
}
