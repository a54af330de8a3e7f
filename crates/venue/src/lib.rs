//! Perpetuals on a venue, to hedge what the chain cannot or should not. Decisions are pure; a venue is a trait.
//!
//! 1. [`instrument`] and [`depth`] are steps of price and size, and what a book shows; [`decimal`] is the venue's number format.
//! 2. [`venue`] is what every venue can do. [`paper`] matches on given prices; [`hyperliquid`] signs and speaks the real one's language.
//! 3. [`funding`] forecasts what holding costs.
//! 4. [`standin`] serves the paper venue over Hyperliquid's interface.
//! 5. [`hedge`] decides, trades, and accounts for every fill.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod clock;
pub mod decimal;
pub mod depth;
mod durable;
pub mod funding;
pub mod hedge;
pub mod hyperliquid;
pub mod instrument;
pub mod paper;
pub mod standin;
pub mod venue;
