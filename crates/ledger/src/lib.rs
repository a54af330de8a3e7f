//! What each action does to a position, once. An action is a function over a [`Ledger`]: what is borrowed and repaid, provided
//! and withdrawn, collected and swapped, in which order and how much.
//!
//! Who keeps the ledger decides what that means. The program moves tokens and calls the pool; [`Values`] computes the same on
//! numbers, for the keeper's forecasts and for simulations. Whether an action is allowed, and what must hold after it, is not said
//! here.
//!
//! - [`hedge()`]: what rehedging and deleveraging with a swap do.
//! - [`deleverage()`], [`deleverage_swap()`].
//! - [`recenter()`].
//! - [`compound()`].
//! - [`exit()`].
//! - [`liquidate()`], which somebody else pays for: a [`Counter`].
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod caps;
mod compound;
mod deleverage;
mod error;
mod exit;
mod grow;
mod hedge;
mod ledger;
mod liquidate;
mod market_pool;
mod recenter;
mod swap;
mod values;

pub use caps::Caps;
pub use compound::{CompoundTerms, Compounded, GrowthLimits, compound};
pub use deleverage::{Deleveraged, deleverage, deleverage_swap, withdraw_and_repay};
pub use error::LedgerError;
pub use exit::{ExitTerms, Exited, Payout, exit, next_order};
pub use grow::{grow, leverage_within, mix, within_band};
pub use hedge::{HedgeTerms, Hedged, hedge};
pub use ledger::{Counter, Ledger, Moved, Order, settle};
pub use liquidate::{Liquidated, LiquidationTerms, liquidate, pay};
pub use market_pool::MarketPool;
pub use recenter::{RecenterTerms, Recentered, recenter};
pub use swap::{Swapped, quote_bound, stricter, swap, swap_up_to};
pub use values::{Lender, Pool, Values};
