//! The program in the SVM: what it computes, what it refuses, what it costs. And whether its compiler can be trusted.

mod conservation;
mod costs;
mod guards_accounts;
mod guards_amounts;
mod guards_gifts;
mod guards_integrity;
mod guards_keeper;
mod guards_pool;
mod guards_prices;
mod guards_risk;
mod guards_setup;
mod lifecycle;
mod liquidation;
mod reference;
mod rewards;
mod support;
mod toolchain;
mod worked_example;
