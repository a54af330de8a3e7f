//! Tests that are left out where this machine has not got what they need. They say so, and `cargo xtask test` says it once more at its
//! end: what a test that passes prints, nobody sees.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::{
    env,
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Names the file that `cargo xtask test` reads afterwards.
const NOTES: &str = "BALLAST_LEFT_OUT";
/// Names the folder of recorded files.
const DATA: &str = "BALLAST_DATA";

/// Says that `tests` are left out, and `how` to run them.
///
/// # Panics
/// If the file that `BALLAST_LEFT_OUT` names cannot be written.
pub fn left_out(tests: &str, how: &str) {
    eprintln!("skipped: {tests}: {how}");
    if let Some(file) = env::var_os(NOTES) {
        let file = PathBuf::from(file);
        note(&file, tests, how).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}

/// The path of a recorded file; none, and said, where `BALLAST_DATA` names no folder.
pub fn recorded(name: &str) -> Option<PathBuf> {
    let folder = env::var_os(DATA).map(PathBuf::from);
    if folder.is_none() {
        left_out(
            "tests of recorded data",
            "name the folder of recorded files in BALLAST_DATA",
        );
    }
    Some(folder?.join(name))
}

/// Adds a line. Tests of many processes write: each in one piece, at the end.
fn note(file: &Path, tests: &str, how: &str) -> io::Result<()> {
    let mut file = File::options().append(true).create(true).open(file)?;
    file.write_all(format!("{tests}: {how}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_note_is_a_line() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("notes");
        note(&file, "tests of a database", "install it").unwrap();
        note(&file, "others", "wait").unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text, "tests of a database: install it\nothers: wait\n");
    }
}
