//! What earlier runs found: an interrupted run goes on where it was, and a known test is tried first.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{rewrite::Site, run::Outcome};
use crate::{cache::Key, repository};

/// What became of a guard, and of which code and tests that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub outcome: Outcome,
    /// Of the guard's file and, for a survivor, the tests.
    pub of: String,
}

/// See the module's description.
#[derive(Default)]
pub struct Memory {
    found: BTreeMap<String, Found>,
    /// How long each test takes.
    pub secs: BTreeMap<String, f64>,
}

fn file() -> PathBuf {
    repository::build_dir().join("mutants/found.json")
}

impl Memory {
    /// What is remembered; nothing where nothing readable is.
    pub fn read() -> Self {
        let text = fs::read_to_string(file()).unwrap_or_default();
        Self::parse(&serde_json::from_str(&text).unwrap_or_default())
    }

    fn parse(value: &Value) -> Self {
        let object = |name: &str| value[name].as_object().into_iter().flatten();
        let found = object("found").filter_map(|(key, found)| {
            let outcome = match found["by"].as_str() {
                Some(test) => Outcome::Killed(test.to_owned()),
                None => Outcome::Survived,
            };
            let of = found["of"].as_str()?.to_owned();
            Some((key.clone(), Found { outcome, of }))
        });
        let secs = object("secs").filter_map(|(test, secs)| Some((test.clone(), secs.as_f64()?)));
        Self {
            found: found.collect(),
            secs: secs.collect(),
        }
    }

    fn value(&self) -> Value {
        let found: BTreeMap<_, _> = self
            .found
            .iter()
            .map(|(key, found)| {
                let by = match &found.outcome {
                    Outcome::Killed(test) => Some(test),
                    Outcome::Survived => None,
                };
                (key, json!({ "by": by, "of": found.of }))
            })
            .collect();
        json!({ "found": found, "secs": self.secs })
    }

    /// Keeps it for the next run.
    pub fn write(&self) -> Result<()> {
        let file = file();
        let partial = file.with_extension("partial");
        fs::write(&partial, format!("{:#}\n", self.value()))
            .and_then(|()| fs::rename(&partial, &file))
            .with_context(|| format!("cannot write {}", file.display()))
    }

    /// What is known of a guard.
    pub fn of(&self, site: &Site) -> Option<&Found> {
        self.found.get(&key(site))
    }

    /// What became of a guard whose file has not changed since. Of a survivor it is known only with the same tests.
    pub fn outcome(&self, site: &Site, tests: &str) -> Option<Outcome> {
        let found = self.of(site)?;
        (found.of == known_of(site, &found.outcome, tests)).then(|| found.outcome.clone())
    }

    /// Remembers what became of a guard with these tests.
    pub fn learn(&mut self, site: &Site, outcome: Outcome, tests: &str) {
        let of = known_of(site, &outcome, tests);
        self.found.insert(key(site), Found { outcome, of });
    }
}

/// What an outcome is of: that a test misses a guard stays true whatever tests there are besides.
fn known_of(site: &Site, outcome: &Outcome, tests: &str) -> String {
    match outcome {
        Outcome::Killed(_) => site.code.clone(),
        Outcome::Survived => Key::new().text(&site.code).text(tests).hex(),
    }
}

/// The same for a guard as long as nobody touches it, wherever it moves in its file.
fn key(site: &Site) -> String {
    format!("{} {} #{}", site.file, site.text, site.nth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let mut memory = Memory {
            secs: BTreeMap::from([("a::b".to_owned(), 0.5)]),
            ..Memory::default()
        };
        let killed = Outcome::Killed("a::b".into());
        for (key, outcome) in [("one", killed), ("two", Outcome::Survived)] {
            let of = "y".to_owned();
            memory.found.insert(key.into(), Found { outcome, of });
        }
        let read = Memory::parse(&memory.value());
        assert_eq!(read.found, memory.found);
        assert_eq!(read.secs, memory.secs);
        assert!(Memory::parse(&Value::Null).found.is_empty());
    }
}
