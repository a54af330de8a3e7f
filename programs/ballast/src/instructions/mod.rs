//! One file per instruction: checks, a computation on values, movements through [`crate::session`], post-conditions.

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
pub mod recenter;
pub mod refresh_price;
pub mod refresh_stage;
pub mod rehedge;
pub mod set_policy;
pub mod transfer;
