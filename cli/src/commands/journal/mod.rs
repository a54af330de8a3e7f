//! `ballast journal tail | export | verify | replay`: what a keeper has written down. Reads only, also while the keeper runs.

mod export;

use std::{
    fmt,
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, Result};
use ballast_keeper::{
    Config,
    control::Scope,
    decisions::{Replayed, replay},
    journal::{
        PostingOutcome, Record,
        follow::{Follower, Line},
        verify::{Finding, Verified, verify},
    },
};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::{
    format::utc,
    globals::Globals,
    report::{Output, Told, note},
    table::ends,
    trouble::misuse,
};

/// How often it looks for more.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What to do with a journal.
#[derive(Subcommand, Debug)]
pub enum JournalCommand {
    /// Show the newest records, and what is added
    Tail(TailArgs),
    /// Write all records out, the oldest first
    Export(ExportArgs),
    /// Check every line: that it reads back, that every outcome has its intent, that transactions are the ones signed
    Verify(PlaceArgs),
    /// Make every recorded decision again from what it was made from; fails on the first that comes out differently
    Replay(PlaceArgs),
}

#[derive(Args, Debug)]
pub struct PlaceArgs {
    /// Directory of the journal
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    dir: Option<PathBuf>,
    /// The keeper's configuration, which names the directory
    #[arg(long, value_name = "FILE", conflicts_with = "dir")]
    config: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct TailArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// How many records
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20)]
    lines: usize,
    /// Go on with what is added, until ctrl-c
    #[arg(short, long)]
    follow: bool,
}

#[derive(Args, Debug)]
pub struct ExportArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// jsonl: all records. csv: actions, one a line, with their outcome
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Jsonl,
    Csv,
}

/// Does it.
///
/// # Errors
/// A directory that cannot be read; damage, for `verify`; a decision that comes out differently, for `replay`.
pub fn run(command: &JournalCommand, globals: &Globals, output: &mut Output) -> Result<()> {
    match command {
        JournalCommand::Tail(args) => tail(args, globals),
        JournalCommand::Export(args) => export::export(args),
        JournalCommand::Verify(place) => {
            let report = VerifyReport(verify(read(place)?));
            output.print(&report)?;
            let findings = report.0.findings.len();
            refuse(findings > 0, || {
                format!("the journal does not hold together in {findings} places")
            })
        }
        JournalCommand::Replay(place) => {
            let directory = place.directory()?;
            let report = ReplayReport(
                replay(&directory)
                    .with_context(|| format!("cannot read {}", directory.display()))?,
            );
            output.print(&report)?;
            let Replayed {
                decisions,
                findings,
                differs,
                ..
            } = &report.0;
            refuse(differs.is_some(), || {
                "a decision comes out differently: it was made by another version, or the record was changed".into()
            })?;
            refuse(!findings.is_empty(), || {
                format!("{} lines do not read back", findings.len())
            })?;
            refuse(*decisions == 0, || {
                "no decision is recorded there: set history.record_decisions = true in the keeper's configuration".into()
            })
        }
    }
}

/// An error of which standard output has told already.
fn refuse(wrong: bool, text: impl FnOnce() -> String) -> Result<()> {
    if wrong {
        return Err(Told::new(text()).into());
    }
    Ok(())
}

impl PlaceArgs {
    fn directory(&self) -> Result<PathBuf> {
        match (&self.dir, &self.config) {
            (Some(directory), _) => Ok(directory.clone()),
            (None, Some(config)) => Ok(Config::read(config)?.journal_dir),
            // The command line asks for one of them.
            (None, None) => Ok(PathBuf::from(".")),
        }
    }
}

/// All lines of a journal that there is.
fn read(place: &PlaceArgs) -> Result<Vec<Line>> {
    let directory = place.directory()?;
    let cannot = || format!("cannot read {}", directory.display());
    let mut lines = Vec::new();
    let files = ballast_keeper::journal::follow::files(&directory).with_context(cannot)?;
    anyhow::ensure!(
        !files.is_empty(),
        misuse!(
            "there is no journal in {}: name the keeper's journal_dir",
            directory.display()
        )
    );
    for path in files {
        let bytes =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        lines.extend(ballast_keeper::journal::follow::lines(&name, &bytes));
    }
    Ok(lines)
}

fn tail(args: &TailArgs, globals: &Globals) -> Result<()> {
    let directory = args.place.directory()?;
    let cannot = || format!("cannot read {}", directory.display());
    let mut follower = Follower::new(&directory);
    let lines: Vec<Line> = follower.more().with_context(cannot)?;
    if lines.is_empty() {
        note(format_args!("no records in {}", directory.display()));
    }
    let from = lines.len().saturating_sub(args.lines);
    let mut out = io::stdout().lock();
    show(&mut out, &lines[from..], globals)?;
    if !args.follow {
        return Ok(());
    }
    // Until the reader leaves, or is interrupted.
    loop {
        std::thread::sleep(LOOK_EVERY);
        let lines: Vec<Line> = follower.more().with_context(cannot)?;
        show(&mut out, &lines, globals)?;
    }
}

fn show(out: &mut impl Write, lines: &[Line], globals: &Globals) -> Result<()> {
    for line in lines {
        let place = format!("{:>20}:{:<6}", line.file, line.number);
        if globals.json {
            export::write_json(out, line)?;
        } else if globals.wide {
            writeln!(out, "{place} {:#}", Shown(line))?;
        } else {
            writeln!(out, "{place} {}", Shown(line))?;
        }
    }
    out.flush()?;
    Ok(())
}

/// A line for people.
struct Shown<'a>(&'a Line);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = match &self.0.record {
            Ok(record) => record,
            Err(damage) => return write!(f, "DAMAGED: {damage}"),
        };
        let wide = f.alternate();
        let short = |address: String| match wide {
            true => address,
            false => ends(&address),
        };
        match record {
            Record::Header(header) => {
                let keeper = short(header.keeper.to_string());
                write!(
                    f,
                    "keeper {keeper} on {}",
                    short(header.genesis_hash.to_string())
                )
            }
            Record::Intent(intent) => write!(
                f,
                "{} intent {} {} {}: {} ({})",
                utc(intent.inputs.now_secs),
                intent.id.0,
                intent.action,
                short(intent.position.to_string()),
                intent.reason,
                short(intent.signature.to_string())
            ),
            Record::Outcome(record) => {
                let (name, slot, error) = export::told(&record.outcome);
                write!(f, "intent {} {name}", record.id.0)?;
                if let Some(slot) = slot {
                    write!(f, " in slot {slot}")?;
                }
                error.map_or(Ok(()), |error| write!(f, ": {error}"))
            }
            Record::Paper(paper) => {
                write!(
                    f,
                    "{} paper {} {}: {}",
                    utc(paper.inputs.now_secs),
                    paper.action,
                    short(paper.position.to_string()),
                    paper.reason
                )?;
                match &paper.error {
                    Some(error) => write!(f, ", would fail: {error}"),
                    None => Ok(()),
                }
            }
            Record::Override(record) => {
                let entry = &record.applied.entry;
                write!(
                    f,
                    "{} override {} {}",
                    utc(entry.secs),
                    entry.id,
                    entry.mode
                )?;
                if let Scope::Position { position } = entry.scope {
                    write!(f, " {}", short(position.to_string()))?;
                }
                write!(f, " by {}: {}", entry.by, entry.note)
            }
            Record::Posting(posting) => write!(
                f,
                "{} posting {} for {} {}, at most {} lamports",
                utc(posting.now_secs),
                posting.id.0,
                posting.action,
                short(posting.subject.to_string()),
                posting.max_lamports
            ),
            Record::Posted(posted) => {
                write!(f, "posting {} ", posted.id.0)?;
                match &posted.outcome {
                    PostingOutcome::Landed { slot } => write!(f, "landed in slot {slot}")?,
                    PostingOutcome::NotSent { error } => write!(f, "was not sent: {error}")?,
                    PostingOutcome::BrokenOff { error } => write!(f, "was broken off: {error}")?,
                }
                match &posted.signatures[..] {
                    [] => Ok(()),
                    sent => {
                        let sent: Vec<_> = sent.iter().map(|it| short(it.to_string())).collect();
                        write!(f, " ({})", sent.join(", "))
                    }
                }
            }
        }
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct VerifyReport(Verified);

impl fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verified {
            records,
            intents,
            outcomes,
            paper,
            overrides,
            postings,
            open,
            findings,
        } = &self.0;
        writeln!(
            f,
            "{records} records: {intents} intents, {outcomes} outcomes, {paper} on paper, {overrides} overrides, {postings} postings"
        )?;
        if !open.is_empty() {
            let ids: Vec<_> = open.iter().map(u64::to_string).collect();
            writeln!(f, "no outcome yet: intent {}", ids.join(", "))?;
        }
        findings
            .iter()
            .try_for_each(|finding| write_finding(f, finding))?;
        if findings.is_empty() {
            writeln!(f, "everything reads back and holds together")?;
        }
        Ok(())
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct ReplayReport(Replayed);

impl fmt::Display for ReplayReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Replayed {
            decisions,
            lost,
            bytes,
            findings,
            differs,
        } = &self.0;
        if *decisions > 0 || differs.is_some() {
            writeln!(
                f,
                "{decisions} decisions came out the same, bit for bit ({bytes} bytes recorded)"
            )?;
        }
        if *lost > 0 {
            writeln!(
                f,
                "{lost} decisions were not recorded: the disk was too slow"
            )?;
        }
        findings
            .iter()
            .try_for_each(|finding| write_finding(f, finding))?;
        differs
            .iter()
            .try_for_each(|finding| write_finding(f, finding))
    }
}

fn write_finding(f: &mut fmt::Formatter<'_>, finding: &Finding) -> fmt::Result {
    writeln!(
        f,
        "{}:{} (byte {}): {}",
        finding.file, finding.line, finding.offset, finding.problem
    )
}
