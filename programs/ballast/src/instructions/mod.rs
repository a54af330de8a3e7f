//! One file per instruction: checks, a computation on values, movements through [`crate::session`], post-conditions.

pub mod admin;
pub mod check_health;
pub mod close;
pub mod collect_reward;
pub mod decrease;
pub mod deleverage;
pub mod init_market;
pub mod init_reserve;
pub mod lend;
pub mod liquidate;
pub mod open;
pub mod refresh_price;
pub mod rehedge;
pub mod set_policy;
