//! Numbers that documents repeat from the sources: a document that says another one than its source is a fault.

use std::{fs, path::Path};

use anyhow::{Context, Result};

const OPERATING: &str = "docs/OPERATING.md";
const GLOSSARY: &str = "docs/GLOSSARY.md";
const ALERTS: &str = "ops/prometheus/alerts.yml";
const SHARDS: &str = "crates/lease/src/shard.rs";
const LEASES: &str = "crates/lease/src/rules.rs";

/// Where a number stands.
enum Source {
    /// A constant of a file, whole or a part of it.
    Constant(&'static str, &'static str, u64),
    /// With what an alert compares.
    Threshold(&'static str),
    /// How long that has to last, in seconds.
    Lasting(&'static str),
}

/// How a document writes it.
enum Written {
    Number,
    Word,
    Time,
}

use Source::{Constant, Lasting, Threshold};
use Written::{Number, Time, Word};

/// Document, what it says with `{}` for the number, how, and where from.
type Row = (&'static str, &'static str, Written, Source);

const ROWS: [Row; 18] = [
    (
        OPERATING,
        "positions belong to {} shards",
        Number,
        Constant(SHARDS, "SHARDS", 1),
    ),
    (
        GLOSSARY,
        "one of the {} parts",
        Number,
        Constant(SHARDS, "SHARDS", 1),
    ),
    (
        OPERATING,
        "it goes first for {} s",
        Number,
        Constant("keeper/src/shards/mod.rs", "HEAD_START", 1),
    ),
    (
        OPERATING,
        "a lease holds for {} blocks",
        Number,
        Constant(LEASES, "TERM", 1),
    ),
    (
        OPERATING,
        "{} blocks after the last renewal",
        Number,
        Constant(LEASES, "TERM", 3),
    ),
    (
        OPERATING,
        "tries again every {} s",
        Number,
        Constant("keeper/src/shards/watch.rs", "LOOK_EVERY", 1),
    ),
    (
        OPERATING,
        "A venue that says nothing for {} s",
        Number,
        Constant("crates/venue/src/hyperliquid/stream.rs", "SILENCE", 1),
    ),
    (
        OPERATING,
        "with the defaults: {} where one thing goes wrong",
        Time,
        Constant("keeper/src/sim/nodes_tests.rs", "BOUND", 1),
    ),
    (
        OPERATING,
        "{} or more flags are raised",
        Word,
        Threshold("BallastRedFlags"),
    ),
    (
        OPERATING,
        "The alert counts to {} by itself",
        Word,
        Threshold("BallastRedFlags"),
    ),
    (
        OPERATING,
        "the price is more than {} s old",
        Number,
        Threshold("BallastOracleStall"),
    ),
    (
        OPERATING,
        "s old, for {})",
        Time,
        Lasting("BallastOracleStall"),
    ),
    (
        OPERATING,
        "(no stream for {})",
        Time,
        Lasting("BallastStreamLost"),
    ),
    (
        OPERATING,
        "taken nothing for {})",
        Time,
        Threshold("BallastHistoryNotWritten"),
    ),
    (
        OPERATING,
        "has not answered for {} s",
        Number,
        Lasting("BallastKeeperDead"),
    ),
    (
        OPERATING,
        "been `halted` for {}.",
        Time,
        Lasting("BallastHalted"),
    ),
    (
        OPERATING,
        "(no new slot for {} s)",
        Number,
        Threshold("BallastKeeperBlind"),
    ),
    (
        OPERATING,
        "(for {} something has been due",
        Time,
        Lasting("BallastPositionBlocked"),
    ),
];

/// What a document says that its source does not.
///
/// # Errors
/// If a file cannot be read, or a source has no such number.
pub fn faults(root: &Path) -> Result<Vec<String>> {
    let read = |path: &str| fs::read_to_string(root.join(path)).with_context(|| path.to_owned());
    let alerts = read(ALERTS)?;
    let mut faults = Vec::new();
    for (document, says, written, source) in ROWS {
        let number =
            match source {
                Constant(file, name, part) => constant(&read(file)?, name)
                    .with_context(|| format!("{file} has no number {name}"))?
                    .checked_div(part)
                    .context("a part of nothing")?,
                Threshold(alert) => threshold(&alerts, alert)
                    .with_context(|| format!("{ALERTS}: {alert} has none"))?,
                Lasting(alert) => lasting(&alerts, alert)
                    .with_context(|| format!("{ALERTS}: {alert} has none"))?,
            };
        let expected = says.replace("{}", &in_words(number, &written));
        if !on_one_line(&read(document)?).contains(&expected) {
            faults.push(format!("{document} does not say \"{expected}\""));
        }
    }
    Ok(faults)
}

/// Text may be wrapped anywhere.
fn on_one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

/// A number, or a `Duration::from_secs` of one.
fn constant(source: &str, name: &str) -> Option<u64> {
    let mark = format!("const {name}: ");
    let (_, rest) = source.split_once(&mark)?;
    let (_, value) = rest.split_once(';')?.0.split_once("= ")?;
    let value = value.strip_prefix("Duration::from_secs(").unwrap_or(value);
    value.trim_end_matches(')').replace('_', "").parse().ok()
}

/// The lines of an alert.
fn rule<'a>(alerts: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = alerts.split_once(&format!("- alert: {name}\n"))?;
    rest.split("- alert: ").next()
}

fn threshold(alerts: &str, name: &str) -> Option<u64> {
    let (_, rest) = rule(alerts, name)?.split_once("expr: ")?;
    let last = rest.lines().next()?.split_whitespace().next_back()?;
    last.parse().ok()
}

fn lasting(alerts: &str, name: &str) -> Option<u64> {
    let (_, rest) = rule(alerts, name)?.split_once("for: ")?;
    let time = rest.lines().next()?.trim();
    let (number, seconds) = match time.strip_suffix('m') {
        Some(minutes) => (minutes, 60),
        None => (time.strip_suffix('s')?, 1),
    };
    Some(number.parse::<u64>().ok()? * seconds)
}

fn in_words(number: u64, written: &Written) -> String {
    const WORDS: [&str; 11] = [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    ];
    let word = |number: u64| {
        let known = usize::try_from(number).ok().and_then(|at| WORDS.get(at));
        known.map_or_else(|| number.to_string(), |word| (*word).to_owned())
    };
    match written {
        Number => number.to_string(),
        Word => word(number),
        Time if number == 60 => "a minute".into(),
        Time if number.is_multiple_of(60) => format!("{} minutes", word(number / 60)),
        Time => format!("{number} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository;

    #[test]
    fn documents_repeat_what_is_so() {
        assert_eq!(faults(repository::root()).unwrap(), [""; 0]);
    }

    #[test]
    fn numbers_are_found_where_they_stand() {
        let source = "/// TERM\npub const TERM: u64 = 1_060;\nconst WAIT: Duration = Duration::from_secs(3);\nconst NONE: u64 = A;";
        assert_eq!(constant(source, "TERM"), Some(1_060));
        assert_eq!(constant(source, "WAIT"), Some(3));
        assert_eq!(constant(source, "NONE"), None);
        assert_eq!(constant(source, "ELSE"), None);
        let alerts =
            "- alert: A\n  expr: sum(x[15m]) >= 2\n  for: 5m\n- alert: B\n  expr: x == 0\n";
        assert_eq!(threshold(alerts, "A"), Some(2));
        assert_eq!(lasting(alerts, "A"), Some(300));
        assert_eq!(threshold(alerts, "B"), Some(0));
        assert_eq!(lasting(alerts, "B"), None);
        assert_eq!(threshold(alerts, "C"), None);
    }

    #[test]
    fn a_number_that_has_changed_is_a_fault() {
        let root = std::env::temp_dir().join(format!("ballast-repeated-{}", std::process::id()));
        for (document, _, _, source) in &ROWS {
            let file = match source {
                Constant(file, ..) => file,
                Threshold(_) | Lasting(_) => ALERTS,
            };
            for path in [document, &file] {
                let (from, to) = (repository::root().join(path), root.join(path));
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::copy(from, to).unwrap();
            }
        }
        assert_eq!(faults(&root).unwrap(), [""; 0]);
        for (path, from, to) in [
            (SHARDS, "SHARDS: u32 = 256", "SHARDS: u32 = 128"),
            (
                ALERTS,
                "ballast_slot_age_seconds > 5",
                "ballast_slot_age_seconds > 7",
            ),
            (
                OPERATING,
                "been `halted` for ten minutes",
                "been `halted` for nine minutes",
            ),
        ] {
            let file = root.join(path);
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.contains(from), "{path}");
            fs::write(&file, text.replace(from, to)).unwrap();
            assert_ne!(faults(&root).unwrap(), [""; 0], "{path}");
            fs::write(&file, text).unwrap();
        }
        fs::remove_dir_all(&root).unwrap();
    }
}
