//! What a step of the hedge did.

use rust_decimal::Decimal;

use super::{
    journal::Origin,
    target::{Decision, Ticket},
};
use crate::{
    hyperliquid::bytes::Cloid,
    venue::{Account, Fill, VenueError},
};

/// What the venue showed, and what was made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The account, before this step's order.
    pub account: Account,
    /// Halfway between the best prices; `None` where a side is empty.
    pub mid: Option<Decimal>,
    /// Half of what is between them, as a share of the middle.
    pub half_spread: Option<Decimal>,
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
    /// This would be sent, if anything might be.
    Shown(Ticket),
    /// It is not known what is to be hedged.
    Blind,
    /// The venue's price is far from the one elsewhere.
    OffPrice {
        /// The venue's.
        mid: Decimal,
    },
    /// The gate did not admit an order.
    NotAdmitted(String),
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
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What was done.
    pub outcome: Outcome,
    /// What the venue showed; `None` where an earlier order is waited for.
    pub seen: Option<Seen>,
    /// What the venue or others did. The position that they left is what the step hedged.
    pub alerts: Vec<Alert>,
}
