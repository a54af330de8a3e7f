//! What came of it: as text, and as `docs/MUTANTS.md`.

use std::{collections::BTreeMap, fmt::Write};

use super::{
    rewrite::{Kind, Site},
    run::{Outcome, SKIPPED},
};

/// Where it is kept.
pub const FILE: &str = "docs/MUTANTS.md";

/// Survivors that are right to survive: `file text`, with a number if it is not the first that reads so, and why.
const EXPLAINED: &str = include_str!("explained.txt");

/// See the module's description.
pub struct Report<'a> {
    results: Vec<(&'a Site, Outcome)>,
    guards: usize,
}

impl<'a> Report<'a> {
    /// Of the sites that were tried, out of so many guards.
    pub fn new(sites: &'a [Site], mut results: BTreeMap<u16, Outcome>, guards: usize) -> Self {
        let results = sites
            .iter()
            .filter_map(|site| Some((site, results.remove(&site.number)?)))
            .collect();
        Self { results, guards }
    }

    fn survivors(&self) -> impl Iterator<Item = &'a Site> + '_ {
        self.results
            .iter()
            .filter(|(_, outcome)| *outcome == Outcome::Survived)
            .map(|(site, _)| *site)
    }

    /// For the terminal.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for site in self.survivors() {
            let why = explanation(&site.key()).unwrap_or("not explained");
            let _ = writeln!(text, "survived: {}  {}  ({why})", site.place(), site.text);
        }
        let _ = writeln!(
            text,
            "{} of {} guards tried, {} survived",
            self.results.len(),
            self.guards,
            self.survivors().count()
        );
        text
    }

    /// For the repository.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "Written by `cargo xtask mutants --keep`: each guard is switched off, one at a time, and the unit tests of\n\
             program, ledger and model and the on-chain tests run until one fails; of the latter only those in which the guard has made a\n\
             difference, which a program that logs it says. A guard whose absence no test notices has *survived*. Tests of what the program\n\
             costs and of its compiler are left out ({}).\n\n\
             Guards are `require…` in all its forms, refusals (`return err!`, `return Err`) of a block that yields nothing, the rules of\n\
             parameters, `address` of accounts, `min` and `max`, and what rounds: functions of which there are an `_up` and a\n\
             `_down`, calls of them, and `div_ceil`. Not switched are what Anchor's types check (signers, owners of program\n\
             accounts, seeds) and refusals that yield a value (`ok_or`, `let … else`, arms of a `match`).\n\n\
             | kind | tried | found | survived |\n|---|---|---|---|\n",
            SKIPPED.map(|module| format!("`{module}`")).join(", ")
        );
        for (kind, name) in [
            (Kind::Check, "checks and rules"),
            (Kind::Bound, "caps and floors (`min`, `max`)"),
            (Kind::Rounding, "directions of rounding"),
        ] {
            let of_kind = self.results.iter().filter(|(site, _)| site.kind == kind);
            let tried = of_kind.clone().count();
            let survived = of_kind
                .filter(|(_, outcome)| *outcome == Outcome::Survived)
                .count();
            let _ = writeln!(
                text,
                "| {name} | {tried} | {} | {survived} |",
                tried - survived
            );
        }
        let _ = writeln!(
            text,
            "\n{} of {} guards were tried.",
            self.results.len(),
            self.guards
        );
        if self.results.len() < self.guards {
            text.push_str(
                "\nThe others were not tried, or not with all tests: this file is the state of a search that is not over, and says \
                 nothing of\nthem. A guard counts as tried when a test has failed or all have passed, so that survivors come last. `cargo xtask mutants --resume --keep` goes on.\n",
            );
        }
        if self.survivors().next().is_some() {
            text.push_str("\n### Surviving guards\n\n| guard | why |\n|---|---|\n");
        }
        for site in self.survivors() {
            let why = explanation(&site.key()).unwrap_or("**not explained**");
            let guard = cell(&nth_of(&site.text, site.nth));
            let _ = writeln!(text, "| `{guard}` in {} | {why} |", site.file);
        }
        text
    }
}

/// The document with one of its parts written anew.
pub fn with_part(document: &str, heading: &str, part: &str) -> String {
    const TITLE: &str = "# Mutants\n\nWhether the tests notice when something is gone or wrong.\n";
    let new = format!("\n## {heading}\n\n{}\n", part.trim_end());
    let document = if document.is_empty() { TITLE } else { document };
    let Some(start) = document.find(&format!("\n## {heading}\n")) else {
        return format!("{document}{new}");
    };
    let end = document[start + 1..]
        .find("\n## ")
        .map_or(document.len(), |end| start + 1 + end);
    format!("{}{new}{}", &document[..start], &document[end..])
}

/// Text for a cell of a table.
pub fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Why a survivor is right to survive, if that is known.
pub fn explanation(key: &str) -> Option<&'static str> {
    explanations(EXPLAINED)
        .into_iter()
        .find(|(explained, _)| *explained == key)
        .map(|(_, why)| why)
}

/// The changes of libraries that are explained; the others are guards.
pub fn explained_changes() -> impl Iterator<Item = &'static str> {
    let of_library = |key: &&str| {
        let words = key.split_once(' ').map_or("", |(_, words)| words);
        words.starts_with("replace ") || words.starts_with("delete ")
    };
    explanations(EXPLAINED)
        .into_iter()
        .map(|(key, _)| key)
        .filter(of_library)
}

/// A key with a number where others read the same: the second is `#2`.
pub fn nth_of(key: &str, nth: usize) -> String {
    match nth {
        0 => key.to_owned(),
        nth => format!("{key} #{}", nth + 1),
    }
}

/// Pairs of lines: `file text`, and the reason, indented.
fn explanations(text: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut pairs = Vec::new();
    let mut part = None;
    for line in text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
    {
        match (line.starts_with(' '), part) {
            (true, Some(part)) => pairs.push((part, line.trim())),
            (true, None) => {}
            (false, _) => part = Some(line.trim()),
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survivors_are_counted_and_explained() {
        let site = |number, kind| Site {
            number,
            file: "f.rs".into(),
            line: 7,
            kind,
            text: format!("guard {number}"),
            nth: 0,
            code: String::new(),
        };
        let sites = [site(0, Kind::Check), site(1, Kind::Bound)];
        let results = BTreeMap::from([
            (0, Outcome::Killed("a_test".into())),
            (1, Outcome::Survived),
        ]);
        let report = Report::new(&sites, results, 5);
        assert!(report.text().contains("survived: f.rs:7  guard 1"));
        assert!(report.text().contains("2 of 5 guards tried, 1 survived"));
        assert!(
            report
                .markdown()
                .contains("| checks and rules | 1 | 1 | 0 |")
        );
        assert!(
            report
                .markdown()
                .contains("| `guard 1` in f.rs | **not explained** |")
        );
    }

    #[test]
    fn parts_of_the_document_are_replaced_and_the_rest_stays() {
        let one = with_part("", "One", "1\n");
        let both = with_part(&one, "Two", "2");
        assert!(both.starts_with("# Mutants\n"));
        assert!(both.ends_with("\n## One\n\n1\n\n## Two\n\n2\n"));
        let changed = with_part(&both, "One", "3\n\n### Four\n");
        assert!(changed.ends_with("\n## One\n\n3\n\n### Four\n\n## Two\n\n2\n"));
        assert_eq!(with_part(&changed, "One", "1"), both);
    }

    #[test]
    fn explanations_are_pairs_of_lines() {
        let pairs = explanations("# why\nf.rs guard\n  because\n\ng.rs\n  of that\n");
        assert_eq!(pairs, [("f.rs guard", "because"), ("g.rs", "of that")]);
    }
}
