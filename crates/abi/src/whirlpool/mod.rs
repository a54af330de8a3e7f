//! Orca Whirlpool: accounts, addresses, errors and instructions.

pub mod error_code;
pub mod fees;
pub mod instruction;
pub mod layout;
pub mod pda;
pub mod swap;

mod config;
mod pool;
mod position;
mod tick_array;

pub use config::{ConfigView, FeeTierView};
pub use pool::{PoolView, RewardView};
pub use position::PositionView;
pub use tick_array::{
    TICKS_PER_ARRAY, TickArrayView, TickSlot, TickState, array_start, band_tick_arrays,
    is_array_start, swap_tick_arrays,
};
