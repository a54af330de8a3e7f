//! The numbered files of a cluster.

use std::path::{Path, PathBuf};

use thiserror::Error;
use toml::Table;

use crate::desired::{Desired, DesiredError};

/// Why a cluster's files give no state.
#[derive(Debug, Error)]
pub enum FilesError {
    /// No such cluster.
    #[error(
        "there are no migrations for cluster {cluster}: known are {known}; or name a directory"
    )]
    UnknownCluster {
        /// What was asked for.
        cluster: String,
        /// What there is.
        known: String,
    },
    /// A file or directory cannot be read.
    #[error("{path}: {reason}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file's name does not begin with its number.
    #[error("{name}: migrations are named NNNN_what.toml, numbered from 0001 without gaps")]
    BadName {
        /// The name.
        name: String,
    },
    /// A file is no TOML, or states something unknown.
    #[error("{name}: {reason}")]
    BadFile {
        /// Which file.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The files together do not say enough.
    #[error(transparent)]
    Desired(#[from] DesiredError),
}

/// The files of one cluster, in order.
#[derive(Clone, Debug)]
pub struct Migrations {
    files: Vec<(String, Table)>,
}

/// What is built in: cluster, then name and content of its files.
const BUILT_IN: &[(&str, &[(&str, &str)])] = &[
    (
        "localnet",
        &[(
            "0001_market.toml",
            include_str!("../localnet/0001_market.toml"),
        )],
    ),
    (
        "devnet",
        &[
            (
                "0001_sol_usdc.toml",
                include_str!("../devnet/0001_sol_usdc.toml"),
            ),
            (
                "0002_room_for_the_fee.toml",
                include_str!("../devnet/0002_room_for_the_fee.toml"),
            ),
        ],
    ),
];

impl Migrations {
    /// The built-in files of a cluster.
    ///
    /// # Errors
    /// [`FilesError::UnknownCluster`].
    pub fn built_in(cluster: &str) -> Result<Self, FilesError> {
        let found = BUILT_IN.iter().find(|(name, _)| *name == cluster);
        let Some((_, files)) = found else {
            let known: Vec<_> = BUILT_IN.iter().map(|(name, _)| *name).collect();
            return Err(FilesError::UnknownCluster {
                cluster: cluster.into(),
                known: known.join(", "),
            });
        };
        Self::parse(
            files
                .iter()
                .map(|(name, text)| ((*name).into(), (*text).into())),
        )
    }

    /// The files of a directory. Other files in it than `*.toml` are ignored.
    ///
    /// # Errors
    /// [`FilesError`].
    pub fn in_directory(directory: &Path) -> Result<Self, FilesError> {
        let unreadable = |path: &Path, error: std::io::Error| FilesError::Unreadable {
            path: path.into(),
            reason: error.to_string(),
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(|error| unreadable(directory, error))? {
            let path = entry.map_err(|error| unreadable(directory, error))?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                let text =
                    std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                files.push((name.into_owned(), text));
            }
        }
        files.sort();
        Self::parse(files)
    }

    fn parse(texts: impl IntoIterator<Item = (String, String)>) -> Result<Self, FilesError> {
        let mut files = Vec::new();
        for (name, text) in texts {
            let number = name
                .get(..4)
                .and_then(|digits| digits.parse::<usize>().ok());
            if number != Some(files.len() + 1) || name.as_bytes().get(4) != Some(&b'_') {
                return Err(FilesError::BadName { name });
            }
            match text.parse::<Table>() {
                Ok(table) => files.push((name, table)),
                Err(error) => {
                    let reason = error.to_string();
                    return Err(FilesError::BadFile { name, reason });
                }
            }
        }
        Ok(Self { files })
    }

    /// Number of the last file.
    pub fn version(&self) -> usize {
        self.files.len()
    }

    /// The state that all files together ask for.
    ///
    /// # Errors
    /// [`FilesError::BadFile`] for unknown or malformed values, [`FilesError::Desired`] for missing ones.
    pub fn desired(&self) -> Result<Desired, FilesError> {
        let mut merged = Table::new();
        for (name, table) in &self.files {
            merge(&mut merged, table);
            // Each prefix must be readable, so that the message names the file that broke it.
            Desired::check(&merged).map_err(|reason| FilesError::BadFile {
                name: name.clone(),
                reason,
            })?;
        }
        Ok(Desired::from_table(&merged)?)
    }
}

/// Lays `over` onto `base`, table by table.
fn merge(base: &mut Table, over: &Table) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => merge(below, above),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(texts: &[(&str, &str)]) -> Result<Migrations, FilesError> {
        Migrations::parse(
            texts
                .iter()
                .map(|(name, text)| ((*name).into(), (*text).into())),
        )
    }

    const FIRST: &str = include_str!("../devnet/0001_sol_usdc.toml");

    #[test]
    fn a_later_file_changes_only_what_it_states() {
        let later = "[limits]\nmax_leverage_bps = 35000\n";
        let migrations = files(&[("0001_a.toml", FIRST), ("0002_b.toml", later)]).unwrap();
        assert_eq!(migrations.version(), 2);
        let (before, after) = (
            files(&[("0001_a.toml", FIRST)]).unwrap().desired(),
            migrations.desired(),
        );
        let (before, after) = (before.unwrap(), after.unwrap());
        assert_eq!(after.limits.max_leverage_bps, 35_000);
        assert_eq!(
            after.limits.maintenance_ltv_bps,
            before.limits.maintenance_ltv_bps
        );
        assert_eq!(after.market, before.market);
    }

    #[test]
    fn mistakes_name_the_file() {
        for (name, text) in [
            ("0002_a.toml", FIRST),
            ("a.toml", FIRST),
            ("0001.toml", FIRST),
            ("", FIRST),
        ] {
            assert!(
                matches!(files(&[(name, text)]), Err(FilesError::BadName { .. })),
                "{name}"
            );
        }
        assert!(matches!(
            files(&[("0001_a.toml", "[limits")]),
            Err(FilesError::BadFile { .. })
        ));
        let unknown = [
            ("0001_a.toml", FIRST),
            ("0002_b.toml", "[limits]\nmax_leverge_bps = 1\n"),
        ];
        let error = files(&unknown).unwrap().desired().unwrap_err().to_string();
        assert!(
            error.contains("0002_b.toml") && error.contains("max_leverge_bps"),
            "{error}"
        );
        let missing = files(&[("0001_a.toml", "[limits]\nmax_leverage_bps = 1\n")]).unwrap();
        assert!(matches!(missing.desired(), Err(FilesError::Desired(_))));
        assert!(matches!(
            Migrations::built_in("moon"),
            Err(FilesError::UnknownCluster { .. })
        ));
        assert!(Migrations::in_directory(Path::new("/nonexistent")).is_err());
    }
}
