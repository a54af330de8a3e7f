//! A journal for other programs: a JSON object a line, or a table of actions.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
};

use anyhow::{Context, Result};
use ballast_keeper::journal::{Outcome, Record, follow::Line};
use serde::Serialize;

use super::{ExportArgs, Format, read};

/// Writes all records out.
///
/// # Errors
/// What cannot be read or written.
pub(super) fn export(args: &ExportArgs) -> Result<()> {
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

/// One line of JSON.
///
/// # Errors
/// What cannot be written.
pub(super) fn write_json(out: &mut impl Write, line: &Line) -> Result<()> {
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
        "id,decided_secs,position,action,reason,ltv_bps,equity_raw,signature,outcome,slot,error"
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

/// An outcome's name, slot and error.
pub(super) fn told(outcome: &Outcome) -> (&'static str, Option<u64>, Option<&str>) {
    match outcome {
        Outcome::Landed { slot } => ("landed", Some(*slot), None),
        Outcome::Failed { slot, error } => ("failed", Some(*slot), Some(error)),
        Outcome::Raced { slot, error } => ("raced", Some(*slot), Some(error)),
        Outcome::Expired { .. } => ("expired", None, None),
        Outcome::Dropped { error, .. } => ("dropped", None, Some(error)),
    }
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
