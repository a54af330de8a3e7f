//! `ballast tx`: what became of a transaction whose outcome a command has not seen.

use std::{fmt, time::Duration};

use anyhow::{Context, Result};
use ballast_client::{BallastEvent, Fate, Signature, await_fate, fate};
use clap::Args;
use serde::Serialize;

use crate::{
    connection::Connection,
    globals::Globals,
    progress,
    report::{Output, Told},
};

/// Pause between two looks.
const POLL: Duration = Duration::from_secs(1);

/// Which transaction.
#[derive(Args, Debug)]
pub struct TxArgs {
    /// Its signature
    pub signature: Signature,
    /// Last block height at which it can land, if that is known
    #[arg(long, value_name = "HEIGHT")]
    pub last_valid: Option<u64>,
    /// Wait until it has landed or cannot land any more, at most two minutes or so
    #[arg(long)]
    pub wait: bool,
}

/// What is known of it.
#[derive(Debug, Serialize)]
struct TxReport {
    signature: String,
    /// `landed`, `failed`, `seen`, `expired` or `unknown`.
    outcome: &'static str,
    slot: Option<u64>,
    /// Why it failed.
    error: Option<String>,
    /// What the program told.
    events: Vec<&'static str>,
    /// Of an unknown one: the block height now, and the one above which it has expired.
    block_height: Option<u64>,
    certain_above: Option<u64>,
}

/// Looks it up.
///
/// # Errors
/// If the cluster does not answer; for everything but a transaction that has landed and succeeded.
pub async fn run(args: &TxArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let connection = Connection::new(globals);
    let chain = connection.chain();
    let found = if args.wait {
        let bar = progress::spinner("waiting for the transaction to land or to expire");
        let found = await_fate(chain, &args.signature, args.last_valid, POLL).await;
        bar.finish_and_clear();
        found
    } else {
        fate(chain, &args.signature, args.last_valid).await
    };
    let found = found.context(
        "looking the transaction up failed; a node that keeps transaction history is needed (--url)",
    )?;
    let report = TxReport::new(args.signature.to_string(), &found);
    output.print(&report)?;
    match found {
        Fate::Landed { .. } => Ok(()),
        _ => Err(Told::new(format!(
            "transaction {} has not landed and succeeded: {}",
            report.signature, report.outcome
        ))
        .into()),
    }
}

impl TxReport {
    fn new(signature: String, found: &Fate) -> Self {
        let blank = Self {
            signature,
            outcome: "expired",
            slot: None,
            error: None,
            events: Vec::new(),
            block_height: None,
            certain_above: None,
        };
        match found {
            Fate::Landed { slot, logs } => Self {
                outcome: "landed",
                slot: Some(*slot),
                events: BallastEvent::in_logs(logs)
                    .iter()
                    .map(BallastEvent::name)
                    .collect(),
                ..blank
            },
            Fate::Failed { slot, failure } => Self {
                outcome: "failed",
                slot: Some(*slot),
                error: Some(failure.to_string()),
                ..blank
            },
            Fate::Seen { slot } => Self {
                outcome: "seen",
                slot: Some(*slot),
                ..blank
            },
            Fate::Expired => blank,
            Fate::Unknown {
                height,
                certain_above,
            } => Self {
                outcome: "unknown",
                block_height: Some(*height),
                certain_above: Some(*certain_above),
                ..blank
            },
        }
    }
}

impl fmt::Display for TxReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            signature, outcome, ..
        } = self;
        let slot = self.slot.unwrap_or_default();
        match *outcome {
            "landed" => {
                write!(f, "transaction {signature} landed in slot {slot}")?;
                match self.events.is_empty() {
                    true => writeln!(f),
                    false => writeln!(f, ": {}", self.events.join(", ")),
                }
            }
            "failed" => writeln!(
                f,
                "transaction {signature} failed in slot {slot}, nothing was done: {}",
                self.error.as_deref().unwrap_or("the node does not say why")
            ),
            "seen" => writeln!(
                f,
                "transaction {signature} is in slot {slot}, which is not confirmed yet: look again"
            ),
            "expired" => writeln!(
                f,
                "transaction {signature} has expired: it has not landed and never will, send again"
            ),
            _ => writeln!(
                f,
                "transaction {signature} is in no block; it may land up to block height {}, now it is {}: do not send again \
                 before (--wait waits)",
                self.certain_above.unwrap_or_default(),
                self.block_height.unwrap_or_default()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fate_says_whether_to_send_again() {
        let told = |found: &Fate| TxReport::new("SIGNATURE".into(), found);
        for (found, parts) in [
            (
                Fate::Landed {
                    slot: 7,
                    logs: Vec::new(),
                },
                ["landed", "slot 7"],
            ),
            (Fate::Seen { slot: 7 }, ["seen", "look again"]),
            (Fate::Expired, ["expired", "send again"]),
            (
                Fate::Unknown {
                    height: 5,
                    certain_above: 9,
                },
                ["unknown", "do not send again"],
            ),
        ] {
            let report = told(&found);
            assert_eq!(report.outcome, parts[0]);
            let text = report.to_string();
            assert!(
                text.contains(parts[1]) && text.contains("SIGNATURE"),
                "{text}"
            );
        }
    }
}
