//! Writes to the accounts whose layouts `ballast-abi` describes.

mod pool;
mod position;
mod tick_array;

pub use pool::{NewPool, PoolAccount, check_time};
pub use position::{NewPosition, PositionAccount, PositionUpdate, is_empty};
pub use tick_array::TickArrayAccount;
