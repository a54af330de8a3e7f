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
         is replaced with its operands as they were parsed. Constants, and what no test is seen to reach, are built one by one and tried with the\n\
         tests of their own package. Random runs are a twentieth as long as in CI. What is counted is known of the sources and tests\n\
         as they are.\n\n\
         *Found* is the share that a test noticed of all changes that compile, what was not tried included. *Of what can be* leaves out\n\
         the survivors that change nothing a test could see: the last table says why of each.\n\n\
         | code | changes | tried | do not compile | a test fails | a test dies | a test never ends | survived | explained | found | of what can be |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut survivors = String::new();
    let (mut changes, mut tried) = (0, 0);
    for (name, of_library) in libraries {
        let mut count = Count::default();
        for change in of_library {
            let key = change.key();
            let fate = found.fate(&key, sources);
            let explained = explanation(&key);
            count.add(fate, explained.is_some());
            if fate.is_some_and(Fate::is_survival) {
                let why = explained.unwrap_or("**not explained**");
                let what = key.split_once(' ').map_or(key.as_str(), |(_, what)| what);
                let _ = writeln!(survivors, "| `{}` in {} | {why} |", cell(what), change.file);
            }
        }
        let viable = of_library.len() - count.unviable;
        let _ = writeln!(
            text,
            "| `{name}` | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            of_library.len(),
            count.tried,
            count.unviable,
            count.found,
            count.aborted,
            count.never_ended,
            count.survived,
            count.explained,
            count.share(viable),
            count.share(viable - count.explained),
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

/// Of explained changes, those that do not survive or are there no more.
pub fn needless<'a>(
    explained: impl Iterator<Item = &'a str>,
    libraries: &[Library],
    found: &Found,
    sources: &Sources,
) -> Vec<&'a str> {
    let survives = |key: &str| {
        let mut changes = libraries.iter().flat_map(|(_, changes)| changes);
        // Of what is not known nothing is said.
        changes.any(|change| change.key() == key)
            && found.fate(key, sources).is_none_or(Fate::is_survival)
    };
    explained.filter(|key| !survives(key)).collect()
}

#[derive(Default)]
struct Count {
    tried: usize,
    unviable: usize,
    found: usize,
    aborted: usize,
    never_ended: usize,
    survived: usize,
    /// So many of the survivors are explained.
    explained: usize,
}

impl Count {
    fn add(&mut self, fate: Option<&Fate>, explained: bool) {
        let Some(fate) = fate else {
            return;
        };
        self.tried += 1;
        let of_fate = match fate {
            Fate::Unviable => &mut self.unviable,
            Fate::Found(_) => &mut self.found,
            Fate::Aborted(_) => &mut self.aborted,
            Fate::NeverEnded(_) => &mut self.never_ended,
            Fate::Survived => &mut self.survived,
        };
        *of_fate += 1;
        self.explained += usize::from(explained && fate.is_survival());
    }

    /// What was found of so many changes, rounded down; what was not tried counts as not found.
    fn share(&self, changes: usize) -> String {
        let found = self.found + self.aborted + self.never_ended;
        match (found * 1_000).checked_div(changes) {
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
        let libraries = [library];
        let text = markdown(&libraries, &found, &now);
        assert!(
            text.contains("| `a` | 6 | 4 | 1 | 1 | 0 | 1 | 1 | 0 | 40.0 % | 40.0 % |"),
            "{text}"
        );
        assert!(text.contains("4 of 6 changes were tried."));
        assert!(text.contains("| `replace \\|\\| with && in f #4` in a.rs | **not explained** |"));
        // Found, survived, not known, and what is no change.
        let keys = [1, 3, 5, 6].map(|number| change(number).key());
        let explained = || keys.iter().map(String::as_str);
        let needless = needless(explained(), &libraries, &found, &now);
        assert_eq!(needless, [&keys[0], &keys[3]]);
    }

    #[test]
    fn survivors_that_are_explained_are_left_out_of_one_share_and_not_of_the_other() {
        let mut count = Count::default();
        let found = Fate::Found("p: t".into());
        for (fate, explained) in [
            (Some(&found), false),
            (Some(&found), true),
            (Some(&Fate::Survived), true),
            (Some(&Fate::Survived), false),
            (None, true),
        ] {
            count.add(fate, explained);
        }
        assert_eq!((count.survived, count.explained), (2, 1));
        assert_eq!(count.share(5), "40.0 %");
        assert_eq!(count.share(5 - count.explained), "50.0 %");
    }
}
