//! A position before it is opened: what it is at every price, what it earns and costs a day, what keeping its hedge takes, and how it
//! can end. One pure function, [`Quote::new`], from [`Inputs`] to a [`Quote`]; terminal, JSON and pictures only show it.
//!
//! Formulas stand where they are computed: [`Sizing`], [`Trigger`], [`Carry`], [`Rehedging`], [`Chance`], [`Unwinding`], [`Gap`],
//! [`HedgeCost`]. Amounts are in whole tokens, prices in quote per base, rates per day unless their name says otherwise. What a
//! position is at a price is computed with 31 digits; what the program would do with it (triggers, rehedges, liquidations, swaps), by
//! its own integer arithmetic.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod carry;
mod chances;
mod curve;
mod depth;
mod depth_file;
mod error;
mod figure;
mod funding;
mod gaps;
mod hits;
mod inputs;
#[cfg(test)]
mod normal;
mod opened;
mod quote;
mod realised;
mod rehedging;
mod sizing;
mod trade;
mod triggers;
mod unwinding;

pub use carry::Carry;
pub use chances::{Chance, Exits};
pub use curve::CurvePoint;
pub use depth::{Depth, DepthError, Fill, PoolNow, WalkError};
pub use depth_file::DepthFileError;
pub use error::QuoteError;
pub use funding::HedgeCost;
pub use gaps::{Gap, GapEnd};
pub use inputs::{Asked, Conditions, Inputs, Rules};
pub use opened::Opened;
pub use quote::Quote;
pub use realised::realised_sigma_day;
pub use rehedging::{AtEdge, Rehedging};
pub use sizing::Sizing;
pub use trade::Traded;
pub use triggers::{Side, Trigger, TriggerKind};
pub use unwinding::{OpeningTrade, Unwinding};
