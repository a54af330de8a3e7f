//! `ballast journal tail | export | verify | replay`: what a keeper has written down. Reads only, also while the keeper runs.

use std::{
    fmt,
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, Result};
use ballast_keeper::{
    Config,
    control::Scope,
    decisions::{Replayed, replay},
    journal::{
        Outcome, Record,
        follow::{Follower, Line},
        verify::{Finding, Verified, verify},
    },
};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::{
    format::utc,
    report::{Output, Told},
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
pub fn run(command: &JournalCommand, json: bool, output: &mut Output) -> Result<()> {
    match command {
        JournalCommand::Tail(args) => tail(args, json),
        JournalCommand::Export(args) => export(args),
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
                "no decision is recorded there: the keeper records them with history.record_decisions = true".into()
            })
        }
    }
}

/// An error of which standard output has told already.
fn refuse(wrong: bool, text: impl FnOnce() -> String) -> Result<()> {
    if wrong {
        return Err(Told(text()).into());
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
        "there is no journal in {}: name the keeper's journal_dir",
        directory.display()
    );
    for path in files {
        let bytes =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        lines.extend(ballast_keeper::journal::follow::lines(&name, &bytes));
    }
    Ok(lines)
}

fn tail(args: &TailArgs, json: bool) -> Result<()> {
    let directory = args.place.directory()?;
    let cannot = || format!("cannot read {}", directory.display());
    let mut follower = Follower::new(&directory);
    let lines: Vec<Line> = follower.more().with_context(cannot)?;
    let from = lines.len().saturating_sub(args.lines);
    let mut out = io::stdout().lock();
    show(&mut out, &lines[from..], json)?;
    if !args.follow {
        return Ok(());
    }
    // Until the reader leaves, or is interrupted.
    loop {
        std::thread::sleep(LOOK_EVERY);
        let lines: Vec<Line> = follower.more().with_context(cannot)?;
        show(&mut out, &lines, json)?;
    }
}

fn show(out: &mut impl Write, lines: &[Line], json: bool) -> Result<()> {
    for line in lines {
        if json {
            write_json(out, line)?;
        } else {
            writeln!(out, "{:>20}:{:<6} {}", line.file, line.number, Shown(line))?;
        }
    }
    out.flush()?;
    Ok(())
}

/// A line as others read it.
#[derive(Serialize)]
struct Exported<'a> {
    file: &'a str,
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<&'a Record>,
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<String>,
}

fn write_json(out: &mut impl Write, line: &Line) -> Result<()> {
    let exported = Exported {
        file: &line.file,
        line: line.number,
        record: line.record.as_ref().ok(),
        damage: line.record.as_ref().err().map(ToString::to_string),
    };
    serde_json::to_writer(&mut *out, &exported)?;
    writeln!(out)?;
    Ok(())
}

fn export(args: &ExportArgs) -> Result<()> {
    let lines = read(&args.place)?;
    let mut out: Box<dyn Write> = match &args.output {
        Some(path) => {
            let file =
                File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
            Box::new(BufWriter::new(file))
        }
        None => Box::new(BufWriter::new(io::stdout().lock())),
    };
    match args.format {
        Format::Jsonl => {
            for line in &lines {
                write_json(&mut out, line)?;
            }
        }
        Format::Csv => write_csv(&mut out, &lines)?,
    }
    out.flush()?;
    Ok(())
}

fn write_csv(out: &mut impl Write, lines: &[Line]) -> Result<()> {
    use std::collections::HashMap;
    let records = || lines.iter().filter_map(|line| line.record.as_ref().ok());
    let outcomes: HashMap<_, _> = records()
        .filter_map(|record| match record {
            Record::Outcome(outcome) => Some((outcome.id, &outcome.outcome)),
            _ => None,
        })
        .collect();
    writeln!(
        out,
        "id,decided_secs,position,action,reason,ltv_bps,equity,signature,outcome,slot,error"
    )?;
    for record in records() {
        let Record::Intent(intent) = record else {
            continue;
        };
        let (outcome, slot, error) = outcomes
            .get(&intent.id)
            .map_or(("open", None, None), |outcome| told(outcome));
        let fields = [
            intent.id.0.to_string(),
            intent.inputs.now_secs.to_string(),
            intent.position.to_string(),
            intent.action.to_string(),
            intent.reason.clone(),
            intent.inputs.ltv_bps.to_string(),
            intent.inputs.equity.to_string(),
            intent.signature.to_string(),
            outcome.into(),
            slot.map(|slot| slot.to_string()).unwrap_or_default(),
            error.unwrap_or_default().into(),
        ];
        writeln!(out, "{}", fields.map(|field| quoted(&field)).join(","))?;
    }
    Ok(())
}

/// A field of a CSV file.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.into()
    }
}

fn told(outcome: &Outcome) -> (&'static str, Option<u64>, Option<&str>) {
    match outcome {
        Outcome::Landed { slot } => ("landed", Some(*slot), None),
        Outcome::Failed { slot, error } => ("failed", Some(*slot), Some(error)),
        Outcome::Raced { slot, error } => ("raced", Some(*slot), Some(error)),
        Outcome::Expired { .. } => ("expired", None, None),
        Outcome::Dropped { error, .. } => ("dropped", None, Some(error)),
    }
}

/// A line for people.
struct Shown<'a>(&'a Line);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = match &self.0.record {
            Ok(record) => record,
            Err(damage) => return write!(f, "DAMAGED: {damage}"),
        };
        match record {
            Record::Header(header) => {
                write!(f, "keeper {} on {}", header.keeper, header.genesis_hash)
            }
            Record::Intent(intent) => write!(
                f,
                "{} intent {} {} {}: {} ({})",
                utc(intent.inputs.now_secs),
                intent.id.0,
                intent.action,
                intent.position,
                intent.reason,
                intent.signature
            ),
            Record::Outcome(record) => {
                let (name, slot, error) = told(&record.outcome);
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
                    paper.position,
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
                    write!(f, " {position}")?;
                }
                write!(f, " by {}: {}", entry.by, entry.note)
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
            open,
            findings,
        } = &self.0;
        writeln!(
            f,
            "{records} records: {intents} intents, {outcomes} outcomes, {paper} on paper, {overrides} overrides"
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
        writeln!(
            f,
            "{decisions} decisions came out the same, bit for bit ({bytes} bytes recorded)"
        )?;
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

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn fields_with_commas_and_quotes_stay_one() {
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted("a, \"b\""), "\"a, \"\"b\"\"\"");
    }
}
