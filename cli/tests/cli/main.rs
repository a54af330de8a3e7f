//! The binary, run as users run it.

mod backtest;
mod common;
mod hedge;
mod quote;
mod risk;
mod simulate;
mod usage;
