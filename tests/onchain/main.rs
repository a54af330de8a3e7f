//! The program in the SVM: what it computes, what it refuses, what it costs.

mod costs;
mod guards_accounts;
mod guards_amounts;
mod guards_prices;
mod guards_risk;
mod liquidation;
mod support;
mod worked_example;
