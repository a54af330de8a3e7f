//! The tokens: one for changes, made by the keeper and readable by its user alone, and maybe one for reading.

use std::{
    fmt, fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use rand::TryRngCore;
use subtle::ConstantTimeEq;
use thiserror::Error;

/// Name of the file in the journal's directory.
const FILE: &str = "api-token";
/// Bytes of chance in it.
const BYTES: usize = 32;
/// Least letters of a token that somebody else has made.
const LEAST: usize = 16;

/// Why there is no token.
#[derive(Debug, Error)]
pub enum TokenError {
    /// The file cannot be used.
    #[error("the API's token {path}: {source}; check the directory's permissions")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is too short to be one.
    #[error(
        "the API's token {path} has fewer than {LEAST} letters; write 32 random bytes as hexadecimal digits into it"
    )]
    Short {
        /// The file.
        path: PathBuf,
    },
    /// There is no chance to be had.
    #[error("the system gives no random bytes: {0}")]
    NoRandom(String),
}

/// A token. Never shown by `Debug`, compared in constant time.
#[derive(Clone)]
pub struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Random bytes as hexadecimal digits.
pub(super) fn random(bytes: usize) -> Result<String, TokenError> {
    let mut random = vec![0; bytes];
    let filled = rand::rngs::OsRng.try_fill_bytes(&mut random);
    filled.map_err(|error| TokenError::NoRandom(error.to_string()))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Token {
    /// The token of a keeper's journal directory: what is there, if nobody else can read it, otherwise a new one.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn of_directory(directory: &Path) -> Result<Self, TokenError> {
        let path = Self::path(directory);
        let io = |source| TokenError::Io {
            path: path.clone(),
            source,
        };
        fs::create_dir_all(directory).map_err(io)?;
        if is_private(&path)
            && let Ok(token) = Self::read(&path)
        {
            return Ok(token);
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
        let token = random(BYTES)?;
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(io)?;
        file.write_all(token.as_bytes()).map_err(io)?;
        file.sync_all().map_err(io)?;
        Ok(Self(token))
    }

    /// Where that is.
    pub fn path(directory: &Path) -> PathBuf {
        directory.join(FILE)
    }

    /// A token from a file.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        let text = fs::read_to_string(path).map_err(|source| TokenError::Io {
            path: path.to_owned(),
            source,
        })?;
        let token = text.trim();
        if token.len() < LEAST {
            return Err(TokenError::Short {
                path: path.to_owned(),
            });
        }
        Ok(Self(token.to_owned()))
    }

    /// For the page's address.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether somebody knows it.
    pub(super) fn is(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

/// Whether only its owner reads it.
#[cfg(unix)]
fn is_private(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.mode() & 0o077 == 0)
}

#[cfg(not(unix))]
fn is_private(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_once_and_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let made = Token::of_directory(&directory.path().join("new")).unwrap();
        assert_eq!(made.expose().len(), 2 * BYTES);
        let path = Token::path(&directory.path().join("new"));
        assert!(is_private(&path));
        // After a restart it is the same.
        let again = Token::of_directory(&directory.path().join("new")).unwrap();
        assert!(again.is(made.expose()) && !again.is("") && !again.is(&made.expose()[1..]));
        assert_eq!(format!("{made:?}"), "Token(…)");
    }

    #[cfg(unix)]
    #[test]
    fn what_others_could_read_or_is_too_short_is_replaced() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = Token::path(directory.path());
        for (text, mode) in [("0123456789abcdef0123", 0o644), ("short", 0o600)] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let token = Token::of_directory(directory.path()).unwrap();
            assert!(!token.is(text) && is_private(&path));
            fs::remove_file(&path).unwrap();
        }
        fs::write(&path, "short").unwrap();
        assert!(matches!(Token::read(&path), Err(TokenError::Short { .. })));
    }
}
