//! What the hedge tells the world.

use ballast_venue::{
    hedge::{gate::End, journal::Origin, report::Alert, target::Ticket},
    instrument::Side,
    venue::Order,
};
use rust_decimal::Decimal;
use serde::Serialize;

/// See the module's description. Sizes are base tokens, prices dollars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "hedge", rename_all = "snake_case")]
pub enum HedgeEvent {
    /// An order was journaled and is being sent.
    Sent {
        /// The perpetual.
        coin: String,
        /// Buy or sell.
        side: Side,
        /// How much.
        size: Decimal,
        /// The worst price.
        cap: Decimal,
        /// Whether it may only shrink the position.
        reduce_only: bool,
        /// The client's number.
        cloid: String,
    },
    /// What became of one.
    Ended {
        /// The perpetual.
        coin: String,
        /// The client's number.
        cloid: String,
        /// `filled`, `unfilled` or `void`.
        outcome: &'static str,
        /// How much filled.
        filled: Decimal,
        /// Why it is void.
        reason: Option<String>,
    },
    /// This would have been sent, in a mode that does not send.
    Paper {
        /// The perpetual.
        coin: String,
        /// Buy or sell.
        side: Side,
        /// How much.
        size: Decimal,
        /// The worst price.
        cap: Decimal,
    },
    /// A trade on the account that is none of ours. The hedge goes on from the position that it left.
    OthersTrade {
        /// The perpetual.
        coin: String,
        /// Whose.
        by: Origin,
        /// Which way the position moved.
        side: Side,
        /// How much.
        size: Decimal,
        /// At which price.
        price: Decimal,
    },
    /// The hedge does not go on, or not as it should.
    Trouble {
        /// The perpetual.
        coin: String,
        /// What kind of trouble.
        kind: TroubleKind,
        /// Why.
        reason: String,
    },
    /// It goes on again.
    Recovered {
        /// The perpetual.
        coin: String,
        /// What was wrong.
        reason: String,
    },
    /// This keeper hedges the account now, or another does.
    Leader {
        /// Whether this one does.
        leads: bool,
    },
}

/// Kinds of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TroubleKind {
    /// The journal cannot be written: this perpetual is not traded any more until the keeper is started anew.
    Journal,
    /// The venue's position is not what the journal's fills make it: nothing is traded until they agree.
    Disagrees,
    /// The venue does not know the agent.
    Agent,
    /// The lease's table does not answer.
    Lease,
    /// The venue does not answer.
    Venue,
    /// The venue refused an order.
    Refused,
    /// It is not known whether an order happened.
    Unknown,
    /// It is not known what is to be hedged.
    Blind,
    /// The venue's price is far from the oracle's.
    OffPrice,
    /// Nothing is offered within the cap.
    NoDepth,
    /// More would be held than is permitted.
    Most,
    /// More was lost or paid than is permitted.
    Limit,
}

impl TroubleKind {
    /// Whether somebody has to look at it now.
    pub const fn is_critical(self) -> bool {
        matches!(self, Self::Journal | Self::Disagrees | Self::Agent)
    }
}

impl HedgeEvent {
    pub(super) fn sent(order: &Order) -> Self {
        Self::Sent {
            coin: order.coin.clone(),
            side: order.side,
            size: order.size,
            cap: order.cap,
            reduce_only: order.reduce_only,
            cloid: order.cloid.to_string(),
        }
    }

    pub(super) fn ended(order: &Order, end: &End, outcome: &'static str) -> Self {
        let (filled, reason) = match end {
            End::Taken(done) => (done.filled, None),
            End::Void(why) => (Decimal::ZERO, Some(why.clone())),
        };
        Self::Ended {
            coin: order.coin.clone(),
            cloid: order.cloid.to_string(),
            outcome,
            filled,
            reason,
        }
    }

    pub(super) fn paper(coin: &str, ticket: &Ticket) -> Self {
        Self::Paper {
            coin: coin.to_owned(),
            side: ticket.side,
            size: ticket.size,
            cap: ticket.cap,
        }
    }

    pub(super) fn others(alert: &Alert) -> Self {
        let fill = &alert.fill;
        Self::OthersTrade {
            coin: fill.coin.clone(),
            by: alert.origin,
            side: fill.side,
            size: fill.size,
            price: fill.price,
        }
    }
}
