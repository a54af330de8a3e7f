//! What the tests of the on-chain program share with the fuzzing target.
#![forbid(unsafe_code)]

pub mod game;
pub mod reference;
