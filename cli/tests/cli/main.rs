//! The binary, run as users run it.

mod backtest;
mod common;
mod quote;
mod risk;
mod simulate;
mod stress;
mod usage;
