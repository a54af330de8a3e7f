//! The binary, run as users run it.

mod backtest;
mod common;
mod experiments;
mod hedge;
mod journal;
mod quote;
mod risk;
mod simulate;
mod stress;
mod usage;
