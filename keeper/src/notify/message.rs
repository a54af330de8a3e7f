//! What is said of an event, if anything.

mod hedge;

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};
use solana_sdk::pubkey::Pubkey;

use crate::{event::KeeperEvent, journal::Outcome};
use hedge::hedge;

/// How much of a hurry there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look at it today.
    Warning,
    /// Look at it now.
    Critical,
}

/// What is posted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    /// The same for every attempt to deliver it, and for no other message.
    pub id: String,
    /// When, Unix seconds.
    pub secs: i64,
    /// Which keeper.
    pub keeper: String,
    /// What kind of event.
    pub kind: &'static str,
    /// How much of a hurry there is.
    pub severity: Severity,
    /// One line for people; chat services show it.
    pub text: String,
    /// The event.
    pub data: Value,
}

/// Failures of a position's actions in a row.
#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    count: u32,
    told: bool,
}

/// Remembers what it has told, so that nothing is told twice.
#[derive(Debug)]
pub struct Teller {
    keeper: Pubkey,
    failures_in_row: u32,
    failures: HashMap<Pubkey, Failures>,
    /// When it began: numbers begin anew with every run.
    began_secs: Option<i64>,
    number: u64,
}

impl Teller {
    /// Of a keeper.
    pub fn new(keeper: Pubkey, failures_in_row: u32) -> Self {
        Self {
            keeper,
            failures_in_row,
            failures: HashMap::new(),
            began_secs: None,
            number: 0,
        }
    }

    /// What to tell of an event.
    pub fn hear(&mut self, event: &KeeperEvent, now_secs: i64) -> Option<Message> {
        use KeeperEvent as E;
        let (kind, severity, text) = match event {
            E::RedFlag {
                flag,
                raised: true,
                value,
                threshold,
                note,
            } => (
                "flag_raised",
                Severity::Warning,
                format!(
                    "red flag {}: {value}, limit {threshold}. {note}",
                    flag.name()
                ),
            ),
            E::RedFlag { flag, value, .. } => (
                "flag_cleared",
                Severity::Info,
                format!("red flag {} is quiet again: {value}", flag.name()),
            ),
            E::ModeChanged { mode, reason } => {
                let severity = if mode.sends() && *mode != crate::Mode::Reducing {
                    Severity::Info
                } else {
                    Severity::Critical
                };
                ("mode", severity, format!("mode is {mode} now: {reason}"))
            }
            E::Halted { reason } => (
                "halted",
                Severity::Critical,
                format!("the keeper has stopped and looks after nothing: {reason}"),
            ),
            E::BoundaryNear {
                position,
                positions,
                ltv_bps,
                ..
            } => (
                "boundary_near",
                Severity::Critical,
                format!(
                    "{positions} more positions are near liquidation; the highest LTV of them is {}.{:02} %, of {position}",
                    ltv_bps / 100,
                    ltv_bps % 100
                ),
            ),
            E::Contingency {
                short: true,
                gap_bps,
                base: [needed_base, kept_base],
                quote: [needed_quote, kept_quote],
                ..
            } => (
                "contingency_short",
                Severity::Warning,
                format!(
                    "after a gap of {}.{:02} % {needed_base} base and {needed_quote} quote would be needed, kept are \
                     {kept_base} and {kept_quote}",
                    gap_bps / 100,
                    gap_bps % 100
                ),
            ),
            E::Contingency { .. } => (
                "contingency_enough",
                Severity::Info,
                "enough is kept for a gap again".into(),
            ),
            E::Resolved {
                position,
                action,
                outcome,
                ..
            } => match outcome {
                Outcome::Landed { .. } | Outcome::Raced { .. } => {
                    let failed = self.failures.remove(position)?;
                    if !failed.told {
                        return None;
                    }
                    (
                        "actions_work_again",
                        Severity::Info,
                        format!(
                            "{action} of {position} worked, after {} failures",
                            failed.count
                        ),
                    )
                }
                Outcome::Failed { error, .. } | Outcome::Dropped { error, .. } => {
                    self.failed(*position, &action.to_string(), error)?
                }
                Outcome::Expired { .. } => {
                    self.failed(*position, &action.to_string(), "it was in no block in time")?
                }
            },
            E::Refused {
                position,
                action,
                error,
            } => self.failed(*position, &action.to_string(), error)?,
            E::Hedge(event) => hedge(event)?,
            _ => return None,
        };
        let data = serde_json::to_value(event).unwrap_or(Value::Null);
        Some(self.message(kind, severity, text, data, now_secs))
    }

    /// Events that came too fast to be heard.
    pub fn missed(&mut self, events: u64, now_secs: i64) -> Message {
        let text = format!("{events} events came too fast to be looked at; see the log");
        let data = json!({ "events": events });
        self.message("missed", Severity::Warning, text, data, now_secs)
    }

    fn failed(
        &mut self,
        position: Pubkey,
        action: &str,
        error: &str,
    ) -> Option<(&'static str, Severity, String)> {
        let failures = self.failures.entry(position).or_default();
        failures.count = failures.count.saturating_add(1);
        if failures.told || failures.count < self.failures_in_row {
            return None;
        }
        failures.told = true;
        let text = format!(
            "actions of {position} failed {} times in a row; the last, {action}: {error}",
            failures.count
        );
        Some(("actions_fail", Severity::Critical, text))
    }

    fn message(
        &mut self,
        kind: &'static str,
        severity: Severity,
        text: String,
        data: Value,
        now_secs: i64,
    ) -> Message {
        let began = *self.began_secs.get_or_insert(now_secs);
        self.number += 1;
        let keeper = self.keeper.to_string();
        Message {
            id: format!("{keeper}-{began}-{}", self.number),
            secs: now_secs,
            text: format!("Ballast keeper {}: {text}", &keeper[..keeper.len().min(8)]),
            keeper,
            kind,
            severity,
            data,
        }
    }
}

#[cfg(test)]
mod tests;
