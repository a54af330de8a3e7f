//! A venue on paper: given prices and depth, it matches, charges, funds and liquidates as Hyperliquid does. The stand-in serves the
//! same exchange over Hyperliquid's interface. Deterministic: time is told, nothing is drawn.
//!
//! 1. [`ledger`] is what an account holds, and what each fill and payment does to it.
//! 2. [`exchange`] is markets, accounts and time; `matching` fills orders, `margin` closes what is short of it.
//! 3. [`venue`] is the exchange as a [`crate::venue::Venue`] for one account, with latency.

pub mod exchange;
pub mod ledger;
mod margin;
mod matching;
pub mod order;
pub mod venue;
