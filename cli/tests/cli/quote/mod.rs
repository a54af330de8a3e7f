//! `ballast quote`, as a user runs it.

mod figures;
mod known;
mod refusals;

use serde_json::Value;

use crate::common::{Run, run, run_with};

/// The worked example of MATH section 2.
pub(super) const EXAMPLE: [&str; 15] = [
    "quote",
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
    "--hedge",
    "1",
    "--maintenance",
    "0.8",
];

pub(super) fn example(extra: &[&str]) -> Run {
    run(&[&EXAMPLE[..], extra].concat())
}

/// The example with one option changed.
pub(super) fn changed(option: &str, value: &str) -> Run {
    let mut line = EXAMPLE.to_vec();
    let at = line.iter().position(|part| *part == option).unwrap();
    line[at + 1] = value;
    run(&line)
}

/// Sentences that were broken for the terminal, whole again.
pub(super) fn unwrapped(text: &str) -> String {
    text.replace("\n  ", " ")
}

#[track_caller]
pub(super) fn close(value: &Value, expected: f64) {
    // The reference prints 12 decimals.
    let actual = value.as_f64().unwrap();
    assert!(
        (actual - expected).abs() <= 6e-13 * expected.abs().max(1.0),
        "{actual} is not {expected}"
    );
}
