//! The commands, one file each.

pub mod automation;
pub mod backtest;
pub mod close;
pub mod deploy;
pub mod doctor;
pub mod explain;
pub mod first_keepers;
pub mod funds;
pub mod hedge;
pub mod keeper;
pub mod lend;
pub mod market;
pub mod migrate;
pub mod open;
pub mod policy;
pub mod positions;
pub mod quote;
pub mod risk;
pub mod safety;
pub mod simulate;
pub mod transfer;
pub mod tx;
pub mod upkeep;
