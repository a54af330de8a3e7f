//! Concentrated-liquidity arithmetic, bit for bit what Orca's Whirlpool program computes.
//!
//! The crate is `no_std`, allocates nothing, never panics and knows nothing of Solana: the program, the keeper, the
//! simulator and the stand-in pool all call the same functions, so that what is predicted off chain is what happens on it.
//!
//! Conventions, used everywhere:
//! - *base* is the pool's token A, *quote* its token B; amounts are raw units (lamports, micro-USDC, ...) in a `u64`.
//! - A [`SqrtPrice`] is the square root of raw quote per raw base in Q64.64.
//! - Liquidity is a `u128` with `base = L * (1/s_lo - 1/s_hi)` and `quote = L * (s_hi - s_lo)`.
//! - The direction of every rounding is in the function's name: `_up` or `_down`.
//!
//! ```
//! use ballast_clmm::{Amounts, Band, SqrtPrice, Tick};
//!
//! # fn main() -> Result<(), ballast_clmm::ClmmError> {
//! let band = Band::new(Tick::new(-600)?, Tick::new(600)?)?;
//! let funds = Amounts::new(1_000_000, 1_000_000);
//! let liquidity = band.liquidity_for_amounts_down(funds, SqrtPrice::ONE)?;
//! // What a deposit of it costs is within the funds, and what a withdrawal pays is within what it cost.
//! let cost = band.amounts_up(liquidity, SqrtPrice::ONE)?;
//! assert!(funds.checked_sub(cost).is_ok());
//! let paid = band.amounts_down(liquidity, SqrtPrice::ONE)?;
//! assert!(cost.checked_sub(paid).is_ok());
//! # Ok(())
//! # }
//! ```
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

/// Whether this is compiled for the machine that programs run on. It and those of everybody else want the same results computed in
/// different ways: each counts instructions, and only the latter have 128-bit products and memory for tables.
const ON_CHAIN: bool = cfg!(target_os = "solana");

pub mod wide;

mod amounts;
mod band;
mod error;
mod liquidity;
mod next_price;
mod sqrt_price;
mod swap;
mod tick;

pub use amounts::{
    Amounts, Side, base_amount_down, base_amount_up, quote_amount_down, quote_amount_up,
};
pub use band::Band;
pub use error::ClmmError;
pub use next_price::{SwapMode, next_sqrt_price_from_base_up, next_sqrt_price_from_quote_down};
pub use sqrt_price::SqrtPrice;
pub use swap::{FEE_RATE_DENOMINATOR_PPM, SwapStep, SwapStepInput, swap_step};
pub use tick::{TICK_ARRAY_SIZE, Tick};
