//! The agent's key, from a file that only its owner may read.

use super::sign::{PrivateKey, SignError};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A key file that is not used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read.
    #[error("the agent's key file {file} cannot be read: {source}")]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read or write it.
    #[error(
        "the agent's key file {file} has mode {mode:03o}: others may read or write it; chmod 600 it"
    )]
    Open {
        /// Which file.
        file: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It holds no key.
    #[error("the agent's key file {file} holds no key: {source}")]
    Malformed {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: SignError,
    },
}

/// Reads a key: `0x` and 64 hex digits, mode 600 or 400.
///
/// # Errors
/// The file cannot be read, others may read it, or it holds no key.
pub fn read_agent_key(file: &Path) -> Result<PrivateKey, KeyFileError> {
    let unreadable = |source| KeyFileError::Unreadable {
        file: file.to_owned(),
        source,
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(file).map_err(unreadable)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::Open {
                file: file.to_owned(),
                mode,
            });
        }
    }
    let text = fs::read_to_string(file).map_err(unreadable)?;
    PrivateKey::from_hex(text.trim()).map_err(|source| KeyFileError::Malformed {
        file: file.to_owned(),
        source,
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_a_file_that_is_closed_to_others_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("agent");
        assert!(matches!(
            read_agent_key(&file),
            Err(KeyFileError::Unreadable { .. })
        ));
        fs::write(&file, format!("0x{:064x}\n", 7)).unwrap();
        for (mode, open) in [
            (0o644, true),
            (0o640, true),
            (0o602, true),
            (0o600, false),
            (0o400, false),
        ] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let read = read_agent_key(&file);
            assert_eq!(
                matches!(read, Err(KeyFileError::Open { .. })),
                open,
                "{mode:o}"
            );
            assert_eq!(read.is_ok(), !open);
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&file, "secret").unwrap();
        let error = read_agent_key(&file).unwrap_err().to_string();
        assert!(error.contains("no key") && !error.contains("secret"));
    }
}
