//! Which tests are likely to miss a guard: they are run first.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use anyhow::{Context, Result};

use super::rewrite::Site;
use crate::repository;

/// What takes longer runs when nothing quicker has failed.
const SLOW_SECS: f64 = 4.0;

/// How unlikely a test is that names neither the error nor the place.
const NOTHING_IN_COMMON: u8 = 3;

/// Common words have more tests in common than it is quick to try.
const MOST_LIKELY: usize = 24;

/// The on-chain tests with what their sources say.
pub struct Order {
    /// What each test's text holds, by its name.
    texts: BTreeMap<String, String>,
    /// Errors that a function of the program named `require_…` answers.
    errors: BTreeMap<String, BTreeSet<String>>,
}

impl Order {
    /// Of the tests with these names.
    pub fn read(tests: &[String]) -> Result<Self> {
        let mut texts = BTreeMap::new();
        for test in tests {
            texts.insert(test.clone(), String::new());
        }
        let directory = repository::root().join("tests/onchain");
        for (module, text) in sources(&directory)? {
            for (name, text) in functions(&text) {
                if let Some(known) = texts.get_mut(&format!("{module}::{name}")) {
                    known.push_str(text);
                }
            }
        }
        let mut errors: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let program = repository::root().join("programs/ballast/src");
        for (_, text) in sources(&program)? {
            for (name, text) in functions(&text) {
                if name.starts_with("require_") {
                    errors
                        .entry(name.to_owned())
                        .or_default()
                        .extend(errors_in(text));
                }
            }
        }
        Ok(Self { texts, errors })
    }

    /// All tests, the likeliest first; among equals the one that takes the least time, as far as that is known. And how many of
    /// them are likely at all.
    pub fn of(&self, site: &Site, secs: &BTreeMap<String, f64>) -> (Vec<&str>, usize) {
        let (errors, words) = self.words(site);
        let mut tests: Vec<_> = self
            .texts
            .iter()
            .map(|(name, text)| {
                let takes_secs = secs.get(name).copied().unwrap_or(1.0);
                let names_error = errors.iter().any(|error| text.contains(error.as_str()));
                let names_place = words
                    .iter()
                    .any(|word| text.contains(word.as_str()) || name.contains(word.as_str()));
                let unlikely =
                    NOTHING_IN_COMMON - 2 * u8::from(names_error) - u8::from(names_place);
                let is_guard = name.starts_with("guards_");
                let slow = takes_secs > SLOW_SECS;
                let millis = (takes_secs * 1e3) as u64;
                ((slow, unlikely, !is_guard, millis), name.as_str())
            })
            .collect();
        tests.sort();
        let many = tests
            .iter()
            .take_while(|((slow, unlikely, _, _), _)| !slow && *unlikely < NOTHING_IN_COMMON)
            .take(MOST_LIKELY)
            .count();
        (tests.into_iter().map(|(_, name)| name).collect(), many)
    }

    /// Errors and names that a test of a guard holds.
    fn words(&self, site: &Site) -> (BTreeSet<String>, Vec<String>) {
        let mut errors: BTreeSet<String> = errors_in(&site.text).collect();
        for (function, of_function) in &self.errors {
            if site.text.contains(&format!("{function}(")) {
                errors.extend(of_function.iter().cloned());
            }
        }
        let path = site.file.trim_end_matches(".rs");
        let word = match path.rsplit('/').next() {
            Some("mod") | None => path.rsplit('/').nth(1),
            stem => stem,
        };
        (errors, word.map(str::to_owned).into_iter().collect())
    }
}

fn errors_in(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split("BallastError::").skip(1).map(|rest| {
        rest.chars()
            .take_while(|c| c.is_ascii_alphanumeric())
            .collect()
    })
}

/// Every source file below a directory, with its stem.
fn sources(directory: &std::path::Path) -> Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    let entries =
        fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            all.push((stem.into_owned(), fs::read_to_string(&path)?));
        }
    }
    Ok(all)
}

/// Every function's name and text, which reaches to the next function.
fn functions(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("fn ").skip(1).filter_map(|text| {
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
        Some((&text[..end], text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutants::rewrite::Kind;

    #[test]
    fn tests_that_name_the_error_and_the_place_come_first_and_slow_ones_last() {
        let tests = [
            ("keeper::a", "rehedge, NotOwner"),
            ("guards_x::b", "NotOwner"),
            ("guards_x::c", "rehedge"),
            ("guards_x::d", ""),
            ("worked_example::e", ""),
            ("states::f", "rehedge, NotOwner"),
        ];
        let order = Order {
            texts: tests.map(|(name, text)| (name.into(), text.into())).into(),
            errors: BTreeMap::from([("require_it".into(), BTreeSet::from(["NotOwner".into()]))]),
        };
        let site = |text: &str| Site {
            number: 0,
            file: "programs/ballast/src/instructions/rehedge.rs".into(),
            line: 1,
            kind: Kind::Check,
            text: text.into(),
            nth: 0,
            code: String::new(),
        };
        let mut secs = BTreeMap::from([("states::f".to_owned(), 5.0)]);
        let expected = tests.map(|(name, _)| name);
        for text in ["require!(a, BallastError::NotOwner);", "x::require_it(a)?;"] {
            assert_eq!(order.of(&site(text), &secs), (expected.to_vec(), 3));
        }
        secs.insert("guards_x::b".to_owned(), 2.0);
        assert_eq!(
            order.of(&site("a.min(b)"), &secs).0[1..4],
            ["keeper::a", "guards_x::d", "guards_x::b"]
        );
    }
}
