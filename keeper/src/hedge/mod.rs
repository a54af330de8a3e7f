//! The hedge on a venue of what the chain leaves: a task beside the engine, which never waits for it.
//!
//! 1. [`exposure`] adds up what is to be hedged, from the engine's newest picture: the snapshot on which it decides. What is in flight or
//!    due on the chain counts as an interval, so that nothing is hedged twice and the chain goes first.
//! 2. [`desk`] is the task: for each perpetual one step of [`ballast_venue::hedge`] after the other, which settles what is unknown, reads
//!    fills, compares, decides, and sends at most one order. It looks from time to time, and when [`alarm`] hears on the venue's stream
//!    that something happened.
//! 3. [`sentry`] stands before each order: the mode, and [`lead`], the leader's lease where several keepers share an account.
//! 4. [`paper`] is a venue that is none. [`now`] and [`event`] are what others see.
//!
//! Whatever happens here, positions are looked after on the chain as without it.

mod alarm;
mod coin;
pub mod desk;
pub mod event;
pub mod exposure;
mod funding;
pub mod lead;
pub mod now;
mod paper;
pub mod sentry;
mod trouble;

pub use desk::{Desk, DeskError, Tools};
pub use event::HedgeEvent;
pub use now::{HedgeNow, HedgeWatch};
