//! What became of changes, kept for the document and for the next run.

use std::{collections::BTreeMap, fmt, fs, path::PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::sources::Sources;
use crate::repository;

/// What became of one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It does not compile.
    Unviable,
    /// This test failed.
    Found(String),
    /// This test ended the process, and did so again.
    Aborted(String),
    /// This test did not end, and did not again.
    NeverEnded(String),
    /// All tests that reach it pass.
    Survived,
}

impl Fate {
    /// The test that missed something.
    pub fn by(&self) -> Option<&str> {
        match self {
            Self::Found(test) | Self::Aborted(test) | Self::NeverEnded(test) => Some(test),
            Self::Unviable | Self::Survived => None,
        }
    }

    /// Whether no test missed anything.
    pub fn is_survival(&self) -> bool {
        matches!(self, Self::Survived)
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Unviable => "does not compile",
            Self::Found(_) => "found",
            Self::Aborted(_) => "aborted",
            Self::NeverEnded(_) => "never ended",
            Self::Survived => "survived",
        }
    }

    fn parse(value: &Value) -> Option<Self> {
        let by = || value["by"].as_str().map(str::to_owned);
        Some(match value["fate"].as_str()? {
            "does not compile" => Self::Unviable,
            "found" => Self::Found(by()?),
            "aborted" => Self::Aborted(by()?),
            "never ended" => Self::NeverEnded(by()?),
            "survived" => Self::Survived,
            _ => return None,
        })
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// See the module's description. Changes go by their key.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// With that of which it is known.
    fates: BTreeMap<String, (Fate, String)>,
}

fn file() -> PathBuf {
    repository::build_dir().join("mutants/libraries.json")
}

impl Found {
    /// What is remembered; nothing where nothing readable is.
    pub fn read() -> Self {
        let text = fs::read_to_string(file()).unwrap_or_default();
        Self::parse(&serde_json::from_str(&text).unwrap_or_default())
    }

    fn parse(value: &Value) -> Self {
        let fates = value.as_object().into_iter().flatten();
        let known = |(key, value): (&String, &Value)| {
            let of = value["of"].as_str()?.to_owned();
            Some((key.clone(), (Fate::parse(value)?, of)))
        };
        Self {
            fates: fates.filter_map(known).collect(),
        }
    }

    fn value(&self) -> Value {
        let value =
            |(fate, of): &(Fate, String)| json!({ "fate": fate.word(), "by": fate.by(), "of": of });
        self.fates
            .iter()
            .map(|(key, known)| (key.clone(), value(known)))
            .collect()
    }

    /// Keeps it for the next run.
    pub fn write(&self) -> Result<()> {
        let file = file();
        let partial = file.with_extension("partial");
        fs::write(&partial, format!("{:#}\n", self.value()))
            .and_then(|()| fs::rename(&partial, &file))
            .with_context(|| format!("cannot write {}", file.display()))
    }

    /// What became of a change, if that is known of the sources as they are.
    pub fn fate(&self, key: &str, sources: &Sources) -> Option<&Fate> {
        let (fate, of) = self.fates.get(key)?;
        (*of == sources.of(key, fate)).then_some(fate)
    }

    /// The test that once missed something: a good one to begin with, whatever has changed.
    pub fn known_by(&self, key: &str) -> Option<&str> {
        self.fates.get(key)?.0.by()
    }

    /// Remembers what became of a change.
    pub fn learn(&mut self, key: String, fate: Fate, sources: &Sources) {
        let of = sources.of(&key, &fate);
        self.fates.insert(key, (fate, of));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_holds_for_the_same_sources() {
        let mut found = Found::default();
        let test = || "p: t".to_owned();
        let now = Sources::of_code("now");
        let fates = [
            Fate::Unviable,
            Fate::Found(test()),
            Fate::Aborted(test()),
            Fate::NeverEnded(test()),
            Fate::Survived,
        ];
        for (key, fate) in ["a", "b", "c", "d", "e"].into_iter().zip(fates) {
            found.learn(key.into(), fate, &now);
        }
        let read = Found::parse(&found.value());
        assert_eq!(read, found);
        assert_eq!(read.fate("e", &now), Some(&Fate::Survived));
        assert_eq!(read.fate("b", &Sources::default()), None);
        assert_eq!(read.known_by("b"), Some("p: t"));
        assert_eq!(read.known_by("e"), None);
    }
}
