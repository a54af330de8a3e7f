//! Pyth pull oracle: price accounts of the receiver program, and the instruction of the local stand-in receiver.

mod price_update;
pub mod stand_in;

pub use price_update::{PriceUpdate, PythError, Verification};
