//! A file for each instruction: checks, a computation on values, movements through [`crate::session`], post-conditions.
//!
//! Some share a file because they share their accounts: `compound` is in [`collect`], `repay` in [`increase`], `set_automation` and
//! `set_first_keepers` in [`set_policy`], `accept_transfer` and `reclaim_reward` in [`transfer`]; [`admin`], [`insurance`], [`lend`]
//! and [`migrate`] have several each.

pub mod admin;
pub mod check_health;
pub mod close;
pub mod collect;
pub mod collect_reward;
pub mod decrease;
pub mod deleverage;
pub mod deleverage_swap;
pub mod exit;
pub mod increase;
pub mod init_market;
pub mod init_reserve;
pub mod insurance;
pub mod lend;
pub mod liquidate;
pub mod migrate;
pub mod open;
pub mod oracle_change;
pub mod recenter;
pub mod refresh_price;
pub mod refresh_stage;
pub mod rehedge;
pub mod safety;
pub mod set_policy;
pub mod settle;
pub mod show_loss;
pub mod transfer;
