//! What lenders see.

use serde::Serialize;

/// A reserve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReserveView {
    /// Its token.
    pub token: String,
    /// Lent to it, interest included.
    pub supplied: String,
    /// Not lent on.
    pub available: String,
    /// Owed to it.
    pub borrowed: String,
    /// Borrowed over supplied.
    pub utilisation_bps: u32,
    /// What borrowers pay a year.
    pub borrow_rate_bps: u32,
    /// What lenders get a year.
    pub supply_rate_bps: u32,
    /// Tokens that one share is worth.
    pub share_price: String,
    /// Set aside against bad debt.
    pub insurance: String,
    /// Ever booked and not covered.
    pub bad_debt: String,
    /// What positions do not cover and nobody has booked yet.
    pub shown_loss: String,
    /// Most that may be lent to it.
    pub supply_cap: String,
    /// Most that may be owed to it.
    pub borrow_cap: String,
}
