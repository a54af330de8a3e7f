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
    /// Of the guard's file and the tests that its outcome depends on.
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

    /// What became of a guard, if its file and the tests on which that depends have not changed since.
    pub fn outcome(&self, site: &Site, tests: &Tests) -> Option<Outcome> {
        let found = self.of(site)?;
        (found.of == tests.known_of(site, &found.outcome)).then(|| found.outcome.clone())
    }

    /// Remembers what became of a guard with these tests.
    pub fn learn(&mut self, site: &Site, outcome: Outcome, tests: &Tests) {
        let of = tests.known_of(site, &outcome);
        self.found.insert(key(site), Found { outcome, of });
    }
}

/// What tells the tests that there are from others.
pub struct Tests {
    /// All of them, with the unit tests of the program and the crates, and all that they are built of.
    all: String,
    /// Each file of on-chain tests by its module, with what all such files use.
    modules: BTreeMap<String, String>,
}

impl Tests {
    /// Of the repository as it is.
    pub fn read() -> Result<Self> {
        let root = repository::root();
        let mut all = Key::new();
        for directory in ["tests", "programs/ballast/src", "crates"] {
            all = all.files(&root.join(directory))?;
        }
        let shared = Key::new()
            .files(&root.join("tests/src"))?
            .files(&root.join("tests/onchain/support"))?
            .files(&root.join("crates/localnet/src"))?
            .hex();
        let directory = root.join("tests/onchain");
        let mut modules = BTreeMap::new();
        for entry in fs::read_dir(&directory)
            .with_context(|| format!("cannot read {}", directory.display()))?
        {
            let file = entry?.path();
            let module = file.file_stem().unwrap_or_default().to_string_lossy();
            let key = Key::new().text(&shared).files(&file)?.hex();
            modules.insert(module.into_owned(), key);
        }
        Ok(Self {
            all: all.hex(),
            modules,
        })
    }

    /// What an outcome is of. That a test misses a guard stays true whatever other tests there are; that none does, does not.
    fn known_of(&self, site: &Site, outcome: &Outcome) -> String {
        let tests = match outcome {
            // Unit tests are deeper down.
            Outcome::Killed(test) => match test.split_once("::") {
                Some((module, name)) if !name.contains("::") => {
                    self.modules.get(module).unwrap_or(&self.all)
                }
                _ => &self.all,
            },
            Outcome::Survived => &self.all,
        };
        Key::new().text(&site.code).text(tests).hex()
    }
}

/// The same for a guard as long as nobody touches it, wherever it moves in its file.
fn key(site: &Site) -> String {
    format!("{} {} #{}", site.file, site.text, site.nth)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutants::rewrite::Kind;

    #[test]
    fn an_outcome_is_known_until_its_tests_or_its_code_change() {
        let site = |code: &str| Site {
            number: 0,
            file: "f.rs".into(),
            line: 1,
            kind: Kind::Check,
            text: "guard".into(),
            nth: 0,
            code: code.into(),
        };
        let tests = |all: &str, module: &str| Tests {
            all: all.into(),
            modules: BTreeMap::from([("a".to_owned(), module.to_owned())]),
        };
        let known = |outcome: &Outcome, code: &str, later: &Tests| {
            let mut memory = Memory::default();
            memory.learn(&site("code"), outcome.clone(), &tests("all", "module"));
            memory.outcome(&site(code), later).as_ref() == Some(outcome)
        };
        let by_module = Outcome::Killed("a::b".into());
        assert!(known(&by_module, "code", &tests("others", "module")));
        assert!(!known(&by_module, "code", &tests("all", "another")));
        assert!(!known(&by_module, "another", &tests("all", "module")));
        // A unit test, a time-out, a survivor.
        let by_unit = Outcome::Killed("a::tests::b".into());
        let by_time = Outcome::Killed("a test that never ends: ".into());
        for outcome in [by_unit, by_time, Outcome::Survived] {
            assert!(known(&outcome, "code", &tests("all", "another")));
            assert!(!known(&outcome, "code", &tests("others", "module")));
        }
    }

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
