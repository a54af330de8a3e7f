//! Pyth pull oracle: price accounts of the receiver program, the signed updates that they are posted from, and how: first the
//! signed message into an account of the Wormhole program, which verifies it, then each price out of it through the receiver.
//! Beside it, the one instruction that only the local stand-in receiver has.

mod accumulator;
mod config;
mod message;
mod price_update;
mod reader;
pub mod receiver;
pub mod stand_in;
mod vaa;
pub mod wormhole;

pub use accumulator::{AccumulatorUpdate, MAX_UPDATE_BYTES, MerkleUpdate};
pub use config::{DataSource, ReceiverConfig};
pub use message::{Hash160, Keccak256, PriceMessage, SignedRoot, hash_leaf, hash_node, root_of};
pub use price_update::{PriceUpdate, PythError, Verification};
pub use reader::UpdateError;
pub use vaa::{GUARDIAN_SIGNATURE_BYTES, Vaa};
