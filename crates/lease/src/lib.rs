//! Which of several keepers acts for a position: leases in Postgres, counted in block heights, so that the expiry of blockhashes
//! is the fence, which the chain itself enforces.
//!
//! 1. [`shard`]: positions are spread over shards, and shards over members, by rendezvous hashing.
//! 2. [`rules`]: a lease holds through a block height. Whoever holds it signs only what cannot land above that height; whoever
//!    wants it waits until the chain is above it. So no transaction of the old holder can land once the new one signs, however
//!    long the old one was paused, and whatever its clock says.
//! 3. [`Leases`]: the table. An intent is written in the transaction that checks the lease once more, and not before everything
//!    of earlier epochs has an outcome.
//!
//! The rules hold while of the two nodes that a member asks for the height at most one is ahead of the chain.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod rules;
pub mod shard;
mod table;

pub use rules::{Lease, TERM};
pub use table::{LeaseError, Leases, OpenIntent, Refusal};
