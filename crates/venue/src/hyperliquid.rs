//! Hyperliquid: its actions and their signatures.

pub mod action;
pub mod bytes;
pub mod case;
pub mod eip712;
pub mod order_wire;
pub mod sign;
pub mod user_action;
