//! What cargo-mutants would change: it lists, we carry out.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use crate::{process, sbf};

/// A place in a file, line and column from 1, as cargo-mutants counts.
pub type Place = (usize, usize);

/// What kind of code is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Genre {
    /// A function's body is replaced.
    FnValue,
    /// An operator between two operands is replaced.
    BinaryOperator,
    /// An operator before an operand is deleted.
    UnaryOperator,
    /// An arm of a `match` is deleted.
    MatchArm,
    /// The guard of an arm is replaced.
    MatchArmGuard,
    /// A field of a struct expression is deleted; the expression has a base.
    StructField,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its number among the changes of all libraries.
    pub number: u32,
    /// File, from the repository's root.
    pub file: String,
    /// What is replaced.
    pub start: Place,
    pub end: Place,
    pub genre: Genre,
    /// By what.
    pub replacement: String,
    /// What it does, in cargo-mutants' words, without the place.
    pub what: String,
    /// How many changes before it in its file read the same.
    pub nth: usize,
    /// Type that the function returns, with `->`; empty outside of functions.
    pub returns: String,
}

impl Change {
    /// Stays the same wherever in its file the change moves.
    pub fn key(&self) -> String {
        super::super::report::nth_of(&format!("{} {}", self.file, self.what), self.nth)
    }

    /// `file:line:column`.
    pub fn place(&self) -> String {
        format!("{}:{}:{}", self.file, self.start.0, self.start.1)
    }
}

/// The changes of a library, numbered from `first` on.
pub fn list(selection: &[&str], first: u32) -> Result<Vec<Change>> {
    let mut command = sbf::host_cargo();
    command
        .args(["mutants", "--list", "--json"])
        .args(selection);
    let text = process::output(&mut command)
        .context("`cargo install cargo-mutants --locked` if it is missing")?;
    parse(&text, first)
}

fn parse(text: &str, first: u32) -> Result<Vec<Change>> {
    let value: Value = serde_json::from_str(text)?;
    let listed = value.as_array().context("no list of changes")?;
    let mut seen = BTreeMap::new();
    let mut changes = Vec::new();
    for (number, change) in (first..).zip(listed) {
        let text = |name: &str| change[name].as_str().map(str::to_owned);
        let place = |end: &str| -> Option<Place> {
            let place = &change["span"][end];
            let number = |name: &str| usize::try_from(place[name].as_u64()?).ok();
            Some((number("line")?, number("column")?))
        };
        let read = || -> Option<Change> {
            let file = text("file")?;
            let name = text("name")?;
            // file:line:column: what
            let what = name.split_once(": ")?.1.to_owned();
            Some(Change {
                number,
                file,
                start: place("start")?,
                end: place("end")?,
                genre: genre(change["genre"].as_str()?)?,
                replacement: text("replacement")?,
                what,
                nth: 0,
                returns: change["function"]["return_type"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
            })
        };
        let mut change = read().ok_or_else(|| anyhow!("what is the change {change}?"))?;
        let count = seen
            .entry((change.file.clone(), change.what.clone()))
            .or_insert(0);
        change.nth = *count;
        *count += 1;
        changes.push(change);
    }
    Ok(changes)
}

fn genre(name: &str) -> Option<Genre> {
    Some(match name {
        "FnValue" => Genre::FnValue,
        "BinaryOperator" => Genre::BinaryOperator,
        "UnaryOperator" => Genre::UnaryOperator,
        "MatchArm" => Genre::MatchArm,
        "MatchArmGuard" => Genre::MatchArmGuard,
        "StructField" => Genre::StructField,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_read_and_equal_ones_counted() {
        let one = |line: u32, genre: &str| {
            format!(
                r#"{{ "file": "a.rs", "name": "a.rs:{line}:7: replace + with - in f", "genre": "{genre}",
                "replacement": "-", "function": null,
                "span": {{ "start": {{ "line": {line}, "column": 7 }}, "end": {{ "line": {line}, "column": 8 }} }} }}"#
            )
        };
        let text = format!(
            "[{}, {}]",
            one(3, "BinaryOperator"),
            one(4, "BinaryOperator")
        );
        let changes = parse(&text, 5).unwrap();
        assert_eq!(changes[0].key(), "a.rs replace + with - in f");
        assert_eq!(changes[1].key(), "a.rs replace + with - in f #2");
        assert_eq!(changes[1].place(), "a.rs:4:7");
        assert_eq!((changes[0].number, changes[1].number), (5, 6));
        assert_eq!((changes[0].start, changes[0].end), ((3, 7), (3, 8)));
        let unknown = parse(&format!("[{}]", one(3, "Weather")), 0);
        assert!(unknown.is_err());
    }
}
