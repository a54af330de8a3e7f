//! Perpetuals on a venue, to hedge what the chain cannot or should not.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod decimal;
pub mod hyperliquid;
