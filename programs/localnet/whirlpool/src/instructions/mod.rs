//! One file per instruction: accounts in Whirlpool's order, checks, a pure computation, its application.
//!
//! Accounts are unchecked by Anchor's types on purpose: what matters is checked by hand in `account`, `token` and `state`,
//! which keeps the stand-in about as cheap as the real program.

mod change;
mod close_position;
mod collect_fees;
mod collect_reward;
mod initialize_config;
mod initialize_fee_tier;
mod initialize_pool;
mod initialize_tick_array;
mod modify_liquidity;
mod open_position;
mod remaining_accounts;
mod reposition_liquidity;
mod reset_position_range;
mod swap;
mod update_fees;

// Anchor's generated code looks for the generated modules of every accounts struct at the crate's root.
pub use close_position::*;
pub use collect_fees::*;
pub use collect_reward::*;
pub use initialize_config::*;
pub use initialize_fee_tier::*;
pub use initialize_pool::*;
pub use initialize_tick_array::*;
pub use modify_liquidity::*;
pub use open_position::*;
pub use remaining_accounts::*;
pub use reposition_liquidity::*;
pub use reset_position_range::*;
pub use swap::*;
pub use update_fees::*;
