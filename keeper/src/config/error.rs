use std::path::PathBuf;

use thiserror::Error;

/// Why a configuration is refused.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {error}; check the path given to --config")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// In this file.
    #[error("{path}: {error}")]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: Box<ConfigError>,
    },
    /// In what is laid over the file.
    #[error("{origin}: {error}")]
    Layered {
        /// A variable of the environment, or a flag.
        origin: String,
        /// What is wrong with it.
        error: Box<ConfigError>,
    },
    /// An unknown key or a value of the wrong type in what is laid over the file.
    #[error(
        "{origin} (`{key}`): {problem}; correct or remove it, keeper/keeper.example.toml shows every key"
    )]
    Overlaid {
        /// A variable of the environment, or a flag.
        origin: String,
        /// The key, as a dotted path.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Not TOML, an unknown key, a missing key or a value of the wrong type.
    #[error(
        "configuration, line {line} (`{key}`): {problem}; correct or remove it, keeper/keeper.example.toml shows every key"
    )]
    Malformed {
        /// Which line, from 1.
        line: usize,
        /// Name of the key that the line sets; its value may be secret.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A value that makes no sense.
    #[error("configuration key `{key}`: {problem}; {fix}")]
    Invalid {
        /// The key, as a dotted path.
        key: String,
        /// What is wrong with it.
        problem: String,
        /// What to write instead.
        fix: &'static str,
    },
}
