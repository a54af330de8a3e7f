//! The binary, run as users run it.

mod backtest;
mod common;
mod control;
mod experiments;
mod hedge;
mod quote;
mod risk;
mod simulate;
mod stress;
mod usage;
