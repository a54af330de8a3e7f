//! The binary, run as users run it.

mod backtest;
mod colour;
mod common;
mod control;
mod dashboard;
mod exit_codes;
mod experiments;
mod hedge;
mod help;
mod journal;
mod keeper_config;
mod progress;
mod quote;
mod risk;
mod simulate;
mod stress;
mod usage;
