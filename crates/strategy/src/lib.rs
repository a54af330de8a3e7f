//! What to do about a position, and when to look at it again. Pure: neither a runtime nor a node nor a clock, so that the keeper,
//! the command line and a simulator decide alike.
//!
//! 1. [`situation`] is everything a decision depends on, as values of one moment; market and prices are a
//!    [`ballast_snapshot::MarketSnapshot`].
//! 2. [`prices`] says whether the program would accept its prices.
//! 3. [`decide`] says what to do, a pure function of the situation that mirrors the program's rules.
//! 4. [`watch()`](watch::watch) says from which prices and which time on something may be due; [`trigger`] finds who is concerned,
//!    by the dense numbers of [`ids`], by which [`held`] keeps positions too.
//!    [`sweep`] computes all of them at one price, as a screen: what a book would be elsewhere.
//! 5. [`act`] carries an action out on a ledger of numbers.
//! 6. [`recorded`] writes a decision down with all that it was made from, and makes it again.
//! 7. [`urgency`] says how near a liquidation is by price, time and money.
//! 8. [`volatility`] measures how much the price moves, [`fee_yield`] what the pool pays its liquidity.
//! 9. [`Tokens`] and [`text`] put decisions into words, in whole tokens with their names.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod act;
mod chunks;
pub mod decide;
pub mod fee_yield;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
pub mod held;
pub mod ids;
mod kinds;
pub mod prices;
#[cfg(test)]
mod random;
pub mod recorded;
pub mod situation;
pub mod sweep;
pub mod text;
mod tokens;
pub mod trigger;
pub mod urgency;
pub mod volatility;
pub mod watch;

pub use kinds::{ActionKind, Kinds};
pub use tokens::Tokens;
