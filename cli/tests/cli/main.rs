//! The binary, run as users run it.

mod common;
mod quote;
mod risk;
mod usage;
