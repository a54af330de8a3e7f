//! `ballast simulate`, as a user runs it.

mod around;
mod following;
mod market;
mod output;
mod record;
mod strategies;
mod wandering;

use serde_json::Value;

use crate::common::{Run, run};

/// The worked example for a week, at looks every hour.
pub(super) const EXAMPLE: [&str; 27] = [
    "simulate",
    "--model",
    "gbm",
    "--sigma-day",
    "0.05",
    "--drift-day",
    "0",
    "--horizon-days",
    "7",
    "--step-secs",
    "3600",
    "--paths",
    "2000",
    "--seed",
    "1",
    "--price",
    "200",
    "--lower",
    "190",
    "--upper",
    "210",
    "--equity",
    "100",
    "--leverage",
    "3",
    "--strategy",
    "hold",
];

pub(super) fn example(extra: &[&str]) -> Run {
    run(&[&EXAMPLE[..], extra].concat())
}

/// The example with one option changed.
pub(super) fn changed(option: &str, value: &str, extra: &[&str]) -> Run {
    let mut line = EXAMPLE.to_vec();
    let at = line.iter().position(|part| *part == option).unwrap();
    line[at + 1] = value;
    run(&[&line[..], extra].concat())
}

pub(super) fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("no number: {value}"))
}
