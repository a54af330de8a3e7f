//! Where the history of positions is kept, and for how long.

use std::path::{Path, PathBuf};

use ballast_history::store::{Location, Postgres};
use serde::{Deserialize, Serialize};

use super::{ConfigError, invalid};

/// See the module's description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// Whether there is one.
    pub enabled: bool,
    /// Where; `None`: a file in the journal's directory.
    pub location: Option<Location>,
    /// After so many days points and actions are deleted; 0: never. Sums stay.
    pub keep_days: u32,
    /// Whether what happened before a position was first seen is read from the node's transaction history.
    pub backfill: bool,
    /// Whether every decision is written down with all that it was made from, so that `ballast journal replay` can make it again.
    pub record_decisions: bool,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawHistory {
    enabled: bool,
    path: Option<PathBuf>,
    url: Option<String>,
    keep_days: u32,
    backfill: bool,
    record_decisions: bool,
}

impl Default for RawHistory {
    fn default() -> Self {
        Self {
            enabled: true,
            path: None,
            url: None,
            keep_days: 400,
            backfill: true,
            record_decisions: true,
        }
    }
}

impl Default for History {
    fn default() -> Self {
        let raw = RawHistory::default();
        Self {
            enabled: raw.enabled,
            location: None,
            keep_days: raw.keep_days,
            backfill: raw.backfill,
            record_decisions: raw.record_decisions,
        }
    }
}

impl TryFrom<RawHistory> for History {
    type Error = ConfigError;

    fn try_from(raw: RawHistory) -> Result<Self, ConfigError> {
        let location = match (raw.path, raw.url) {
            (Some(_), Some(_)) => {
                return Err(invalid(
                    "history.path",
                    "is set beside history.url",
                    "keep path for a SQLite file, or url for Postgres",
                ));
            }
            (Some(path), None) => Some(Location::Sqlite(path)),
            (None, Some(url)) => {
                Postgres::check(&url).map_err(|error| {
                    invalid(
                        "history.url",
                        error.to_string(),
                        "write postgres://USER@HOST/DATABASE",
                    )
                })?;
                Some(Location::Postgres(url))
            }
            (None, None) => None,
        };
        Ok(Self {
            enabled: raw.enabled,
            location,
            keep_days: raw.keep_days,
            backfill: raw.backfill,
            record_decisions: raw.record_decisions,
        })
    }
}

impl History {
    /// A relative path is relative to the configuration's file.
    pub(super) fn relative_to(&mut self, directory: &Path) {
        if let Some(Location::Sqlite(path)) = &mut self.location {
            *path = directory.join(&path);
        }
    }

    /// Where it is; `None`: there is none.
    pub fn location(&self, journal_dir: &Path) -> Option<Location> {
        if !self.enabled {
            return None;
        }
        let default = || Location::Sqlite(journal_dir.join("history.sqlite"));
        Some(self.location.clone().unwrap_or_else(default))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<History, String> {
        let raw: RawHistory = toml::from_str(text).map_err(|error| error.to_string())?;
        History::try_from(raw).map_err(|error| error.to_string())
    }

    #[test]
    fn the_default_is_a_file_beside_the_journal() {
        let history = parse("").unwrap();
        assert_eq!(history, History::default());
        assert_eq!(
            history.location(Path::new("j")),
            Some(Location::Sqlite("j/history.sqlite".into()))
        );
        let off = parse("enabled = false").unwrap();
        assert_eq!(off.location(Path::new("j")), None);
    }

    #[test]
    fn a_path_is_relative_to_the_file_and_a_url_is_checked() {
        let mut history = parse("path = \"h.sqlite\"").unwrap();
        history.relative_to(Path::new("etc"));
        assert_eq!(
            history.location(Path::new("j")),
            Some(Location::Sqlite("etc/h.sqlite".into()))
        );
        let url = "postgres://me@localhost/ballast";
        let history = parse(&format!("url = \"{url}\"")).unwrap();
        assert_eq!(
            history.location(Path::new("j")),
            Some(Location::Postgres(url.into()))
        );
        for wrong in [
            "url = \"postgres://me:secret@db.example.org/x\"",
            "url = \"mysql://me:secret@localhost/x\"",
            "url = \"postgres://me@localhost/x\"\npath = \"h\"",
            "keep_years = 3",
        ] {
            let error = parse(wrong).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
