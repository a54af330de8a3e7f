//! The position as a value object: what a leveraged concentrated-liquidity position is worth, how it reacts to price,
//! and what has to be done with it. Pure integer arithmetic without accounts, clocks or I/O, so that the on-chain
//! program, the keeper and the command line compute the same numbers.
//!
//! Conventions: base is the pool's token A, quote its token B; amounts are raw token units; a value is in raw quote
//! units; a price is given as its square root in Q64.64 ([`SqrtPrice`]). Every rounding goes against whoever acts and in
//! favour of the lenders, and its direction is in the function's name (`_up`, `_down`).
//!
//! The feature `screen` adds the floating-point twin behind `ballast risk`; everything else is `no_std` and free of
//! floats. Nothing panics: what cannot be represented is an error.
#![cfg_attr(not(any(test, feature = "screen")), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod boundaries;
mod bps;
mod error;
pub mod lending;
mod moved;
pub mod oracle;
mod plan;
mod position;
pub mod price;
pub mod quiet;
#[cfg(feature = "screen")]
pub mod screen;
mod valuation;

#[cfg(test)]
#[path = "../tests/model/common/seed.rs"]
mod seed;

pub use ballast_clmm::{Amounts, Band, Side, SqrtPrice, Tick};
pub use boundaries::Boundaries;
pub use bps::Bps;
pub use error::ModelError;
pub use moved::Moved;
pub use plan::{
    DeleverageError, DeleveragePlan, Exchange, HedgedError, HedgedPlan, HedgedRequest,
    LiquidationError, LiquidationPlan, OpenError, OpenPlan, OpenRequest, Part, RehedgeError,
    RehedgePlan, Settlement, SettlementBonus, Target, TargetError, TargetPlan, Trade,
    liquidity_for_value_down, plan_deleverage, plan_deleverage_part, plan_hedged, plan_liquidation,
    plan_open, plan_rehedge, plan_settlement, plan_target, worth_down,
};
pub use position::{AtPrice, Position};
pub use valuation::{Price, Valuation, base_for_value_up, value_down, value_up};
