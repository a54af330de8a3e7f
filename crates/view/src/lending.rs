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

/// What threatens those who lend to a market.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LendersView {
    /// Of the answer.
    pub version: u64,
    /// The oracle's price.
    pub price: f64,
    /// A usual day's move, as a part of the price.
    pub sigma_day: f64,
    /// `measured`, or `assumed` until enough was seen.
    pub sigma_state: &'static str,
    /// Base and quote.
    pub reserves: Vec<ReserveView>,
    /// What is lent near liquidation, the nearest first; each holds those before it.
    pub near: Vec<NearDebt>,
    /// Jumps of the price.
    pub gaps: Vec<LenderGap>,
    /// Positions whose numbers cannot be computed, which nothing here holds.
    pub unvalued: usize,
}

/// Debts of positions that are so near to liquidation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NearDebt {
    /// Within so many days of usual movement.
    pub sigma_days: u32,
    /// How many positions.
    pub positions: usize,
    /// Base they owe.
    pub debt_base: String,
    /// Quote they owe.
    pub debt_quote: String,
    /// Both, quote.
    pub debt_value: String,
    /// Of all that is lent, rounded up.
    pub share_bps: u32,
}

/// The price jumps, and nobody acts on the way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LenderGap {
    /// The jump.
    pub move_bps: i32,
    /// Where it ends.
    pub price: f64,
    /// Positions at or above maintenance there.
    pub positions_liquidated: usize,
    /// Positions that own less than they owe.
    pub positions_insolvent: usize,
    /// Base that they do not cover.
    pub shortfall_base: String,
    /// Quote that they do not cover.
    pub shortfall_quote: String,
    /// Both, quote.
    pub shortfall_value: String,
    /// What insurance pays for at most, quote.
    pub insurance_value: String,
    /// What is left to lenders, quote: the insurance of one token does not pay for the other.
    pub lenders_lose_value: String,
    /// Of all that is supplied, rounded up.
    pub lenders_lose_bps: u32,
}
