//! The protocol's accounting a second time: slow, in exact fractions, from its description (DESIGN section 2 and MATH) and not
//! from its code. Of the program's crates only types are used, to read accounts and events.
//!
//! A [`Book`] holds reserves and positions in real numbers. [`Book::follow`] changes them by what an event says was done, and
//! takes from the chain only what is not the program's to decide: what the owner asked for, what the pool paid in a swap and
//! in fees. [`Book::differences`] compares with what the chain has stored. Every number has a slack, by how much the chain's
//! may differ: it begins with nothing, each operation adds the two or three units that its roundings may cost, and where an
//! amount is a multiple of another the slack is multiplied alike.

mod book;
mod exact;
mod follow;
mod judge;
mod keepers;
mod liquidation;
mod losses;
mod position;
mod reserve;
mod story;

pub use book::{Book, oracle};
pub use exact::Q;
pub use follow::Unfollowed;
pub use judge::judge;
