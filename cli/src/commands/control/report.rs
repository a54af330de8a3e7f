//! What is shown of an override.

use std::{fmt, path::PathBuf};

use ballast_keeper::control::Verb;
use serde::Serialize;
use serde_json::Value;

/// What came of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Report {
    /// A keeper did it.
    Done(Done),
    /// It was left for one.
    Left(Left),
}

/// The keeper's answer.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Done(Value);

/// A file.
#[derive(Debug, Serialize)]
pub(super) struct Left {
    file: PathBuf,
    mode: Verb,
    why: String,
}

impl Done {
    /// Of an answer.
    pub fn new(answer: Value) -> Self {
        Self(answer)
    }
}

impl Left {
    /// Of a file that was written.
    pub fn new(file: PathBuf, mode: Verb, why: &str) -> Self {
        Self {
            file,
            mode,
            why: why.to_owned(),
        }
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or("?")
}

/// How many positions a request is about and how near they are, in words. What the keeper does not know is said to be so.
pub(super) fn stake(preview: &Value) -> String {
    let number = |field: &str| {
        preview[field]
            .as_u64()
            .map_or("?".to_owned(), |it| it.to_string())
    };
    let mut stake = format!(
        "{}\n  positions {}, equity {}; due now {}, within a usual day's move of liquidation {}",
        text(preview, "effect"),
        number("positions"),
        preview["equity"].as_str().unwrap_or("in several tokens"),
        number("due_now"),
        number("within_one_sigma_day"),
    );
    let nearest = &preview["nearest"];
    if let Some(bps) = nearest["distance_bps"].as_f64() {
        let days = match nearest["sigma_days"].as_f64() {
            Some(days) => format!(", {days:.1} days' usual moves"),
            None => String::new(),
        };
        stake.push_str(&format!(
            "\n  the nearest is {:.2}% from liquidation{days}",
            (bps / 100.0).abs()
        ));
    }
    stake
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(Done(answer)) => {
                let about = match answer["position"].as_str() {
                    Some(position) => format!("position {position}"),
                    None => "the keeper".to_owned(),
                };
                writeln!(
                    f,
                    "{} of {about}: journaled as #{} and in force",
                    text(answer, "mode"),
                    answer["id"]
                )?;
                for flight in answer["in_flight"].as_array().into_iter().flatten() {
                    writeln!(
                        f,
                        "  in flight, cannot be called back: {} of {} ({})",
                        text(flight, "action"),
                        text(flight, "position"),
                        text(flight, "signature")
                    )?;
                }
                Ok(())
            }
            Self::Left(Left { file, mode, why }) => {
                writeln!(f, "no keeper was reached: {why}")?;
                writeln!(
                    f,
                    "{} was written: a keeper of that journal follows it ({mode}) within a second, one that does not run when it \
                     starts. To end it, remove the file, then `ballast resume`.",
                    file.display()
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_at_stake_is_said_and_what_is_unknown_is_not_made_up() {
        let preview = json!({
            "effect": "The keeper sends nothing more.", "risk": "raises", "positions": 12, "equity": "1034.5", "due_now": 2,
            "within_one_sigma_day": 3, "nearest": { "id": 7, "side": "below", "distance_bps": -431, "sigma_days": 0.84 },
        });
        let said = stake(&preview);
        for part in [
            "sends nothing more",
            "positions 12",
            "1034.5",
            "due now 2",
            "liquidation 3",
            "4.31%",
            "0.8 days",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let said = stake(&json!({ "nearest": { "distance_bps": null } }));
        assert!(
            said.contains("positions ?") && !said.contains('%'),
            "{said}"
        );
    }
}
