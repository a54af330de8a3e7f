//! Nonces: the time in milliseconds, or one more than the last, whichever is later; remembered across restarts and clocks set back.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use crate::durable;

/// The nonces of one agent. One process holds it; an agent that two processes sign for is a mistake that the venue answers.
#[derive(Debug)]
pub struct Nonces {
    file: PathBuf,
    last: u64,
}

/// What keeps nonces from being used.
#[derive(Debug, thiserror::Error)]
pub enum NonceError {
    /// The file cannot be read or written.
    #[error("the nonce file {file}: {source}")]
    Io {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error(
        "the nonce file {file} holds `{text}` instead of a number; delete it once the clock is known to be right"
    )]
    Malformed {
        /// Which file.
        file: PathBuf,
        /// What it holds.
        text: String,
    },
}

impl Nonces {
    /// Takes up where the file says; without a file, at the time.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn open(file: &Path) -> Result<Self, NonceError> {
        let last = match fs::read_to_string(file) {
            Ok(text) => text.trim().parse().map_err(|_| NonceError::Malformed {
                file: file.to_owned(),
                text,
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(source) => {
                return Err(NonceError::Io {
                    file: file.to_owned(),
                    source,
                });
            }
        };
        Ok(Self {
            file: file.to_owned(),
            last,
        })
    }

    /// The next one, remembered before it is used.
    ///
    /// # Errors
    /// It cannot be remembered; then it must not be used.
    pub fn next(&mut self, now_ms: u64) -> Result<u64, NonceError> {
        let next = now_ms.max(self.last.saturating_add(1));
        let error = |source| NonceError::Io {
            file: self.file.clone(),
            source,
        };
        let fresh = self.file.with_extension("new");
        let mut written = fs::File::create(&fresh).map_err(error)?;
        written
            .write_all(format!("{next}\n").as_bytes())
            .and_then(|()| written.sync_all())
            .map_err(error)?;
        fs::rename(&fresh, &self.file).map_err(error)?;
        durable::sync_parent(&self.file).map_err(error)?;
        self.last = next;
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonces_rise_across_restarts_and_clocks_set_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("nonce");
        let mut nonces = Nonces::open(&file).unwrap();
        assert_eq!(
            [
                nonces.next(1000).unwrap(),
                nonces.next(1000).unwrap(),
                nonces.next(900).unwrap()
            ],
            [1000, 1001, 1002]
        );
        let mut again = Nonces::open(&file).unwrap();
        assert_eq!(
            [again.next(10).unwrap(), again.next(5000).unwrap()],
            [1003, 5000]
        );
        fs::write(&file, "x").unwrap();
        assert!(matches!(
            Nonces::open(&file),
            Err(NonceError::Malformed { .. })
        ));
        assert!(Nonces::open(folder.path()).is_err());
    }
}
