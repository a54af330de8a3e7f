//! Binary interfaces of the programs Ballast works with: Orca Whirlpool, the Pyth pull oracle and SPL tokens.
//!
//! The only crate that knows offsets, discriminators, account orders and PDA seeds. It is `no_std`, parses bytes with
//! checks and without alignment assumptions, and serves both sides: the on-chain program (through CPI) and everything off
//! chain. All numbers on the wire are little-endian; offsets include the 8-byte account discriminator.
//!
//! Program ids of pools and oracles are parameters everywhere: they are market data. The well-known ids live in
//! [`clusters`] and are meant for migrations only.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

mod bytes;
mod wire;

pub mod clusters;
mod error;
pub mod pyth;
pub mod spl;
pub mod system;
pub mod whirlpool;

pub use error::LayoutError;
pub use solana_address::Address;
pub use solana_instruction::{AccountMeta, Instruction};
