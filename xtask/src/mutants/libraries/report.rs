//! The libraries' part of `docs/MUTANTS.md`.

use std::fmt::Write;

use super::{
    Library,
    found::{Fate, Found},
    sources::Sources,
};
use crate::mutants::report::{cell, explanation};

/// What is known of these very sources and tests.
pub fn markdown(libraries: &[Library], found: &Found, sources: &Sources) -> String {
    let mut text = String::from(
        "Written by `cargo xtask mutants --libraries --keep`: each change that cargo-mutants lists is made, one at a time, and the tests\n\
         of its package, and quick tests of packages that use it, run until one fails; only those that reach\n\
         the change, which a run that logs it says. A change that no test notices has *survived*, also where none reaches it. An operator\n\
         is replaced with its operands as they were parsed. Constants, which no switch changes, are built one by one and tried with the\n\
         tests of their own package. Random runs are a twentieth as long as in CI. What is counted is known of the sources and tests\n\
         as they are; the share found is of all that compiles, what was not tried included.\n\n\
         | code | changes | tried | do not compile | a test fails | a test dies | a test never ends | survived | found |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    let mut survivors = String::new();
    let (mut changes, mut tried) = (0, 0);
    for (name, of_library) in libraries {
        let mut count = Count::default();
        for change in of_library {
            let key = change.key();
            let fate = found.fate(&key, sources);
            count.add(fate);
            if matches!(fate, Some(Fate::Survived | Fate::Unreached)) {
                let why = explanation(&key).unwrap_or("**not explained**");
                let what = key.split_once(' ').map_or(key.as_str(), |(_, what)| what);
                let _ = writeln!(survivors, "| `{}` in {} | {why} |", cell(what), change.file);
            }
        }
        let _ = writeln!(
            text,
            "| `{name}` | {} | {} | {} | {} | {} | {} | {} | {} |",
            of_library.len(),
            count.tried,
            count.unviable,
            count.found,
            count.aborted,
            count.never_ended,
            count.survived,
            count.share(of_library.len())
        );
        changes += of_library.len();
        tried += count.tried;
    }
    let _ = writeln!(text, "\n{tried} of {changes} changes were tried.");
    if !survivors.is_empty() {
        text.push_str("\n### Survivors in the libraries\n\n| change | why |\n|---|---|\n");
        text.push_str(&survivors);
    }
    text
}

#[derive(Default)]
struct Count {
    tried: usize,
    unviable: usize,
    found: usize,
    aborted: usize,
    never_ended: usize,
    survived: usize,
}

impl Count {
    fn add(&mut self, fate: Option<&Fate>) {
        let Some(fate) = fate else {
            return;
        };
        self.tried += 1;
        let of_fate = match fate {
            Fate::Unviable => &mut self.unviable,
            Fate::Found(_) => &mut self.found,
            Fate::Aborted(_) => &mut self.aborted,
            Fate::NeverEnded(_) => &mut self.never_ended,
            Fate::Survived | Fate::Unreached => &mut self.survived,
        };
        *of_fate += 1;
    }

    /// What was found of what compiles, rounded down; what was not tried counts as not found.
    fn share(&self, changes: usize) -> String {
        let viable = changes - self.unviable;
        let found = self.found + self.aborted + self.never_ended;
        match (found * 1_000).checked_div(viable) {
            Some(permille) => format!("{}.{} %", permille / 10, permille % 10),
            None => "-".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutants::libraries::change::{Change, Genre};

    #[test]
    fn changes_are_counted_and_survivors_listed() {
        let change = |number: u32| Change {
            number,
            file: "a.rs".into(),
            start: (1, 1),
            end: (1, 2),
            genre: Genre::BinaryOperator,
            replacement: "||".into(),
            what: "replace || with && in f".into(),
            nth: number as usize,
            returns: String::new(),
        };
        let library = ("a", (0..6).map(change).collect::<Vec<_>>());
        let mut found = Found::default();
        let now = Sources::of_code("now");
        let test = || "p: t".to_owned();
        let fates = [
            Fate::Unviable,
            Fate::Found(test()),
            Fate::NeverEnded(test()),
            Fate::Survived,
        ];
        for (number, fate) in (0..).zip(fates) {
            found.learn(change(number).key(), fate, &now);
        }
        found.learn(change(4).key(), Fate::Survived, &Sources::of_code("once"));
        let text = markdown(&[library], &found, &now);
        assert!(
            text.contains("| `a` | 6 | 4 | 1 | 1 | 0 | 1 | 1 | 40.0 % |"),
            "{text}"
        );
        assert!(text.contains("4 of 6 changes were tried."));
        assert!(text.contains("| `replace \\|\\| with && in f #4` in a.rs | **not explained** |"));
    }
}
