//! `ballast doctor`: is everything there that the other commands need?

mod code;
mod flags;
mod grpc;
mod keeper;
mod market;
mod shards;

use std::{fmt, time::Duration};

use anyhow::Result;
use ballast_client::{Chain, RpcChain, Signer, ballast};
use ballast_flags::Row;
use ballast_keeper::sources::Websocket;
use clap::Args;
use console::style;
use serde::Serialize;

use crate::{
    commands::deploy::{UPGRADEABLE_LOADER, program_state},
    connection::Connection,
    format::{amount, duration},
    globals::Globals,
    report::{Output, Told},
    table::Table,
    target::MarketArgs,
    trouble::{self, Kind},
};

/// What to look at.
#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// Also check a keeper's configuration
    #[arg(long, value_name = "FILE")]
    pub config: Option<std::path::PathBuf>,
    /// Compare the deployed program with this one, byte for byte
    #[arg(long, value_name = "FILE.so")]
    pub program: Option<std::path::PathBuf>,
    #[command(flatten)]
    pub market: MarketArgs,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warn,
    Fail,
}

#[derive(Debug, Serialize)]
struct Check {
    what: &'static str,
    state: State,
    finding: String,
}

#[derive(Debug, Default, Serialize)]
struct DoctorReport {
    checks: Vec<Check>,
    /// Red flags, as far as one look can judge them.
    flags: Vec<Row>,
    /// What would bring all positions back after a gap.
    contingency: Option<flags::ContingencyReport>,
    /// As of every command that fails; not there if nothing did.
    #[serde(flatten)]
    failure: Option<serde_json::Value>,
}

/// What to do about a check that failed.
const AMEND: &str = "look at the lines with FAIL, they say what to do";
/// What to do where no node answers.
const NO_NODE: &str = "check --url, and that the node is up";

/// Less than this is too little to open a position with.
const LITTLE_LAMPORTS: u64 = 50_000_000;
/// A stream that says nothing for this long is not alive.
const STREAM_WAIT: Duration = Duration::from_secs(10);
/// Largest difference between this machine's clock and the cluster's.
const CLOCK_DRIFT_SECS: i64 = 60;

/// Checks everything, and fails if something needed is missing.
///
/// # Errors
/// If any check failed.
pub async fn run(args: &DoctorArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let mut report = DoctorReport::default();
    let connection = Connection::new(globals);
    let chain = connection.chain();
    let config = match &args.config {
        Some(path) => keeper::check(&mut report, path, chain).await,
        None => None,
    };
    let answers = node(&mut report, chain).await;
    if answers {
        if let Some(config) = &config {
            keeper::pools(&mut report, config, chain).await;
        }
        let stream = websocket(&mut report, globals).await;
        let lamports = key(&mut report, chain, globals).await;
        if let Some(group) = config.as_ref().and_then(|config| config.shards.as_ref()) {
            let (state, finding) = shards::check(group, chain).await;
            report.add("shards", state, finding);
        }
        let mut found = None;
        if program(&mut report, chain, args).await {
            found = market::check(&mut report, chain, args).await;
        }
        let seen = flags::Seen {
            stream,
            lamports,
            market: found,
        };
        flags::check(&mut report, &connection, config.as_ref(), seen).await;
    }
    let failed = report
        .checks
        .iter()
        .filter(|check| check.state == State::Fail)
        .count();
    let (kind, help) = match answers {
        true => (Kind::Other, AMEND),
        false => (Kind::Cluster, NO_NODE),
    };
    let error = format!("{failed} of {} checks failed", report.checks.len());
    report.failure = (failed > 0).then(|| trouble::line(kind, &error, Some(help)));
    output.print(&report)?;
    if failed > 0 {
        let text = format!("{error}: {help}");
        return Err(Told { text, kind }.into());
    }
    Ok(())
}

impl DoctorReport {
    fn add(&mut self, what: &'static str, state: State, finding: impl Into<String>) {
        self.checks.push(Check {
            what,
            state,
            finding: finding.into(),
        });
    }
}

async fn node(report: &mut DoctorReport, chain: &RpcChain) -> bool {
    match chain.clock().await {
        Ok(clock) => {
            let here = std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap_or_default();
            let drift = i64::try_from(here.as_secs())
                .unwrap_or(i64::MAX)
                .saturating_sub(clock.now_secs);
            let finding = format!("{} at slot {}", chain.label(), clock.slot);
            if drift.abs() > CLOCK_DRIFT_SECS {
                report.add(
                    "node",
                    State::Warn,
                    format!(
                        "{finding}, but its clock differs by {} from this machine's",
                        duration(drift)
                    ),
                );
            } else {
                report.add("node", State::Ok, finding);
            }
            true
        }
        Err(error) => {
            report.add("node", State::Fail, error.to_string());
            false
        }
    }
}

/// Returns how long the stream took to tell a slot, or why it did not.
async fn websocket(report: &mut DoctorReport, globals: &Globals) -> Result<u64, String> {
    let began = std::time::Instant::now();
    let fail = |reason: String| format!("{reason}; pass --ws-url (the keeper needs it)");
    let websocket = Websocket::new(globals.websocket());
    match tokio::time::timeout(STREAM_WAIT, websocket.slot()).await {
        Ok(Ok(slot)) => {
            report.add("websocket", State::Ok, format!("streams, slot {slot}"));
            Ok(began.elapsed().as_secs())
        }
        Ok(Err(error)) => {
            report.add("websocket", State::Warn, fail(error.to_string()));
            Err("The stream does not come up.".into())
        }
        Err(_) => {
            report.add(
                "websocket",
                State::Warn,
                fail(format!("no slot within {} s", STREAM_WAIT.as_secs())),
            );
            Ok(STREAM_WAIT.as_secs())
        }
    }
}

/// Returns the balance, or why it is not known.
async fn key(
    report: &mut DoctorReport,
    chain: &dyn Chain,
    globals: &Globals,
) -> Result<u64, String> {
    let signer = match globals.signer() {
        Ok(signer) => signer.pubkey(),
        // Much can be done without a key.
        Err(error) => {
            report.add("key", State::Warn, format!("{error:#}"));
            return Err("There is no key.".into());
        }
    };
    match chain.account(&signer).await {
        Err(error) => {
            report.add("key", State::Fail, error.to_string());
            Err("The node does not tell.".into())
        }
        Ok(account) => {
            let lamports = account.map_or(0, |account| account.lamports);
            let finding = format!("{signer} has {} SOL", amount(lamports, 9));
            if lamports < LITTLE_LAMPORTS {
                report.add(
                    "key",
                    State::Warn,
                    format!(
                        "{finding}: fund it, opening takes about {} SOL",
                        amount(LITTLE_LAMPORTS, 9)
                    ),
                );
            } else {
                report.add("key", State::Ok, finding);
            }
            Ok(lamports)
        }
    }
}

async fn program(report: &mut DoctorReport, chain: &dyn Chain, args: &DoctorArgs) -> bool {
    // Test clusters may hold it under a loader without upgrades.
    if let Ok(Some(account)) = chain.account(&ballast::ID).await
        && account.executable
        && account.owner != UPGRADEABLE_LOADER
    {
        report.add(
            "program",
            State::Ok,
            format!("{} is there, not upgradeable", ballast::ID),
        );
        code::check(report, &account.data, args.program.as_deref());
        return true;
    }
    match program_state(chain, &ballast::ID).await {
        Err(error) => report.add("program", State::Fail, format!("{error:#}")),
        Ok(None) => report.add(
            "program",
            State::Fail,
            format!(
                "{} is not deployed: run `ballast deploy`, or check --url",
                ballast::ID
            ),
        ),
        Ok(Some(state)) => {
            let authority = state
                .authority
                .map_or("nobody".into(), |authority| authority.to_string());
            report.add(
                "program",
                State::Ok,
                format!(
                    "{} deployed in slot {}, upgradeable by {authority}",
                    ballast::ID,
                    state.slot
                ),
            );
            code::check(report, state.code(), args.program.as_deref());
            return true;
        }
    }
    false
}

impl fmt::Display for DoctorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(["<", "<check", "<finding"]);
        for check in &self.checks {
            let state = match check.state {
                State::Ok => style("ok").green(),
                State::Warn => style("WARN").yellow(),
                State::Fail => style("FAIL").red(),
            };
            table.row([state.to_string(), check.what.into(), check.finding.clone()]);
        }
        for flag in &self.flags {
            table.row(flags::line(flag));
        }
        if let Some(contingency) = &self.contingency {
            table.row(contingency.line());
        }
        table.fmt(f)
    }
}
