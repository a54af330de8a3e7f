//! Whether the file of the keeper's key is its owner's alone.

use std::{
    env, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// A key file that others may read or write.
#[derive(Debug, Error)]
#[error("keypair {} has mode {mode:03o}: others may read or write it; type `chmod 600 {}`", .path.display(), .path.display())]
pub struct OpenKeyFile {
    /// Which file.
    pub path: PathBuf,
    /// Its permissions.
    pub mode: u32,
}

/// Why the permissions of a key file are not as they should be.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// Others may read or write it.
    #[error(transparent)]
    Open(#[from] OpenKeyFile),
    /// It cannot be looked at.
    #[error("keypair {}: {error}", .path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Refuses a file that others than its owner may read or write. One that systemd has put among the service's credentials is guarded by their
/// directory, whatever its mode says.
///
/// # Errors
/// [`KeyFileError`].
pub fn check(path: &Path) -> Result<(), KeyFileError> {
    let credentials = env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    check_beside(path, credentials.as_deref())
}

fn check_beside(path: &Path, credentials: Option<&Path>) -> Result<(), KeyFileError> {
    let guarded = credentials.is_some_and(|directory| path.parent() == Some(directory));
    #[cfg(unix)]
    if !guarded {
        use std::os::unix::fs::PermissionsExt;
        // Of a link, what it leads to.
        let metadata = std::fs::metadata(path).map_err(|error| KeyFileError::Unreadable {
            path: path.to_owned(),
            error,
        })?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let path = path.to_owned();
            return Err(OpenKeyFile { path, mode }.into());
        }
    }
    #[cfg(not(unix))]
    let _ = guarded;
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn only_the_owner_may_read_or_write_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("keeper.json");
        fs::write(&file, "[]").unwrap();
        for (mode, good) in [
            (0o600, true),
            (0o400, true),
            (0o640, false),
            (0o604, false),
            (0o620, false),
            (0o660, false),
            (0o644, false),
            (0o777, false),
        ] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let told = check_beside(&file, None);
            assert_eq!(told.is_ok(), good, "{mode:o}");
            if let Err(error) = told {
                let expected = format!("type `chmod 600 {}`", file.display());
                let error = error.to_string();
                assert!(error.contains(&expected), "{error}");
                assert!(error.contains(&format!("mode {mode:03o}")), "{error}");
            }
            // What systemd hands over is guarded by its directory; what merely lies below another is not.
            assert!(check_beside(&file, Some(directory.path())).is_ok());
            let other = Path::new("/run/credentials/other");
            assert_eq!(check_beside(&file, Some(other)).is_ok(), good);
        }
        let link = directory.path().join("link.json");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(check_beside(&link, None).is_err());
        let missing = check_beside(&directory.path().join("none.json"), None);
        assert!(missing.unwrap_err().to_string().contains("none.json"));
    }
}
