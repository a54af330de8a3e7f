//! The hedge of the book's residual delta on a venue.
//!
//! 1. [`target`] decides from values: what is certain of the book's delta ([`exposure`]), the position, the [`band`]; and how large and
//!    how dear one order may be.
//! 2. [`cost`] is what a hedge costs before it is traded.
//! 3. [`journal`] remembers intents before they are sent, and everything that the venue reports; [`books`] is what follows from it.
//! 4. [`hedger`] is one step, as one [`want`]s it, with a [`report`]: settle what is unknown, read fills, compare, decide, trade. [`permit`] bounds what it may trade, and
//!    [`gate`] is who has to agree before an order is sent.

pub mod band;
pub mod books;
pub mod cost;
pub mod exposure;
pub mod gate;
pub mod hedger;
mod holding;
pub mod journal;
pub mod permit;
pub mod report;
pub mod target;
pub mod want;
