//! Hyperliquid: its actions and their signatures, and a client of its interface.
//!
//! 1. [`action`] and [`user_action`] are what can be signed, [`sign`] how; [`case`] checks it against others.
//! 2. [`key_file`], [`nonce`] and [`budget`] are what a client has to keep.
//! 3. [`client`] is the venue over HTTP, [`stream`] its websocket, and [`listener`] keeps one open.

pub mod action;
mod answers;
pub mod budget;
pub mod bytes;
pub mod case;
pub mod client;
pub mod eip712;
pub mod key_file;
pub mod listener;
pub mod nonce;
pub mod order_wire;
pub mod sign;
pub mod stream;
mod transport;
pub mod user_action;
