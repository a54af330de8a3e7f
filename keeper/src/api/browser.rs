//! Opens the page in the browser of whoever sits at this terminal.

use std::{
    env, fs, io,
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use thiserror::Error;

/// Why the page was not opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The file that leads to it.
    #[error("{} cannot be written: {error}; open the address yourself", path.display())]
    File {
        /// Where it should have been.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The system's program that opens files.
    #[error("{opener} cannot be started: {error}; open the address yourself")]
    Opener {
        /// Its name.
        opener: &'static str,
        /// What the system says.
        error: io::Error,
    },
}

/// Whether somebody sees a browser that is opened from here: standard output is a terminal, and there is a display.
pub fn is_watched() -> bool {
    let display = ["DISPLAY", "WAYLAND_DISPLAY"];
    let has_display =
        cfg!(target_os = "macos") || display.iter().any(|name| env::var_os(name).is_some());
    has_display && io::stdout().is_terminal()
}

/// Opens `url` by way of a file in `directory` that only its owner can read: others see the command lines of browsers, and the
/// token is in the address.
///
/// # Errors
/// [`OpenError`].
pub fn open(directory: &Path, url: &str) -> Result<(), OpenError> {
    let path = directory.join("dashboard.html");
    write(&path, url).map_err(|error| OpenError::File {
        path: path.clone(),
        error,
    })?;
    let opener = match cfg!(target_os = "macos") {
        true => "open",
        false => "xdg-open",
    };
    Command::new(opener)
        .arg(&path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| OpenError::Opener { opener, error })?;
    Ok(())
}

fn write(path: &Path, url: &str) -> io::Result<()> {
    // One from before may have been made for others to read.
    let _ = fs::remove_file(path);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    write!(
        options.open(path)?,
        "<!doctype html><meta charset=utf-8><meta http-equiv=refresh content=\"0;url={url}\"><title>Ballast</title>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn only_its_owner_reads_the_file_with_the_token() {
        use std::os::unix::fs::PermissionsExt;

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("dashboard.html");
        // Somebody left one for all.
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        write(&path, "http://127.0.0.1:1/#token=abc").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("url=http://127.0.0.1:1/#token=abc"), "{text}");
    }
}
