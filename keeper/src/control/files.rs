//! A file `halt` or `reduce` in the journal's directory, with the reason as its text: the override for when nothing else works.
//!
//! It binds by being there, within a second, and is journaled as an override, so that its removal alone resumes nothing. While
//! it is there no request gives more. It is a matter of its name: an empty file, a directory or one that cannot be read binds as
//! well, because whoever is in a hurry may have no time for more.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::sleep;

use super::{Control, Mode, Refused, Request, Scope, Verb};

/// How often it is looked for: twice within the second that is promised.
const LOOK_EVERY: Duration = Duration::from_millis(400);
/// Most bytes of a reason that are read.
const MOST_BYTES: u64 = 1_000;

/// What a file can stand for; its name is the verb's.
const VERBS: [Verb; 2] = [Verb::Halt, Verb::Reduce];

/// Which files are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Files {
    halt: bool,
    reduce: bool,
}

impl Files {
    /// The most that they leave.
    pub fn bound(self) -> Mode {
        let most = self.verb().and_then(Verb::bound);
        most.unwrap_or(Mode::Active)
    }

    /// What the more restraining of them asks for; it is its name as well.
    fn verb(self) -> Option<Verb> {
        match (self.halt, self.reduce) {
            (true, _) => Some(Verb::Halt),
            (false, true) => Some(Verb::Reduce),
            (false, false) => None,
        }
    }

    pub(super) fn reason(self) -> String {
        self.verb().map_or_else(
            || "configured".to_owned(),
            |verb| format!("the file `{verb}` is in the journal's directory"),
        )
    }

    /// Refuses what would give more than they leave.
    pub(super) fn require_left(self, request: &Request) -> Result<(), Refused> {
        let wanted = request.verb.bound().unwrap_or(Mode::Active);
        match self.verb() {
            Some(verb) if request.scope == Scope::Keeper && wanted > self.bound() => {
                Err(Refused::HeldByFile { file: verb.name() })
            }
            _ => Ok(()),
        }
    }

    /// Those of a directory. Where it cannot be told, what was known before.
    fn find(directory: &Path, before: Self) -> Self {
        let there = |verb: Verb, before: bool| match directory.join(verb.name()).symlink_metadata()
        {
            Ok(_) => true,
            Err(error) => before && error.kind() != ErrorKind::NotFound,
        };
        Self {
            halt: there(Verb::Halt, before.halt),
            reduce: there(Verb::Reduce, before.reduce),
        }
    }
}

/// Writes the file for `verb`, with its reason, whole and durable when this returns.
///
/// # Errors
/// The system's; for a verb that no file stands for, [`ErrorKind::InvalidInput`].
pub fn place(directory: &Path, verb: Verb, reason: &str) -> io::Result<PathBuf> {
    if !VERBS.contains(&verb) {
        return Err(ErrorKind::InvalidInput.into());
    }
    fs::create_dir_all(directory)?;
    let path = directory.join(verb.name());
    // Not under its name before it is whole: the keeper reads it once.
    let new = directory.join(format!("{verb}.new"));
    let mut file = File::create(&new)?;
    file.write_all(reason.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, &path)?;
    File::open(directory)?.sync_all()?;
    Ok(path)
}

/// Names of the files that are there.
pub fn present(directory: &Path) -> Vec<&'static str> {
    let names = VERBS.map(Verb::name).into_iter();
    names
        .filter(|name| directory.join(name).symlink_metadata().is_ok())
        .collect()
}

/// The reason that a file gives. What is not a plain file is not opened: reading a pipe would never end.
fn note(path: &Path) -> Option<String> {
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path)
        .ok()?
        .take(MOST_BYTES)
        .read_to_end(&mut bytes)
        .ok()?;
    Some(String::from_utf8_lossy(&bytes).trim().to_owned())
}

impl Control {
    /// Looks at files and clocks until it is dropped.
    pub async fn watch(&self, directory: Option<&Path>) {
        loop {
            self.look_at(directory).await;
            sleep(LOOK_EVERY).await;
        }
    }

    /// Looks once. What a file says is journaled before this returns.
    pub async fn look_at(&self, directory: Option<&Path>) {
        let before = self.files();
        let found = match directory {
            Some(directory) => {
                let directory = directory.to_owned();
                let find = move || Files::find(&directory, before);
                tokio::task::spawn_blocking(find).await.unwrap_or(before)
            }
            None => before,
        };
        // It binds at once, whether or not it can be journaled.
        self.look(found);
        let (Some(verb), Some(directory)) = (found.verb(), directory) else {
            return;
        };
        if self.overridden() <= found.bound() {
            return;
        }
        let path = directory.join(verb.name());
        let told = tokio::task::spawn_blocking(move || note(&path)).await;
        let note = told.ok().flatten().unwrap_or_default();
        let request = Request {
            scope: Scope::Keeper,
            verb,
            note: format!("file `{verb}`: {note}"),
            until_secs: None,
            expect_mode: None,
            key: None,
            by: "file".into(),
        };
        match self.apply_as(request, true).await {
            // The next look comes soon.
            Ok(_) | Err(Refused::NotReady) => {}
            Err(refused) => self.warn(format!("the file `{verb}` binds, but {refused}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_placed_is_found_with_its_reason() {
        let directory = tempfile::tempdir().unwrap();
        let deep = directory.path().join("deep/journal");
        assert_eq!(Files::find(&deep, Files::default()), Files::default());
        place(&deep, Verb::Reduce, "thin book").unwrap();
        let found = Files::find(&deep, Files::default());
        assert_eq!(
            (found.bound(), found.verb()),
            (Mode::Reducing, Some(Verb::Reduce))
        );
        place(&deep, Verb::Halt, "first").unwrap();
        let path = place(&deep, Verb::Halt, "venue is down").unwrap();
        let found = Files::find(&deep, found);
        assert_eq!(
            (found.bound(), found.verb()),
            (Mode::Halted, Some(Verb::Halt))
        );
        assert_eq!(note(&path).unwrap(), "venue is down");
        assert_eq!(present(&deep), ["halt", "reduce"]);
        fs::remove_file(path).unwrap();
        assert_eq!(Files::find(&deep, found).bound(), Mode::Reducing);
        for verb in [Verb::Pause, Verb::Resume] {
            assert_eq!(
                place(&deep, verb, "no").unwrap_err().kind(),
                ErrorKind::InvalidInput
            );
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_still_binds_and_no_pipe_is_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("halt");
        fs::create_dir(&path).unwrap();
        assert_eq!(
            Files::find(directory.path(), Files::default()).bound(),
            Mode::Halted
        );
        assert_eq!(note(&path), None);
        fs::remove_dir(&path).unwrap();
        // Into nowhere.
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("/nonexistent/target", &path).unwrap();
            assert_eq!(
                Files::find(directory.path(), Files::default()).bound(),
                Mode::Halted
            );
            assert_eq!(note(&path), None);
            fs::remove_file(&path).unwrap();
            let made = std::process::Command::new("mkfifo").arg(&path).status();
            if made.is_ok_and(|status| status.success()) {
                assert_eq!(
                    Files::find(directory.path(), Files::default()).bound(),
                    Mode::Halted
                );
                assert_eq!(note(&path), None);
            }
        }
    }

    #[test]
    fn only_so_much_of_a_reason_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = place(directory.path(), Verb::Halt, &"x".repeat(5_000)).unwrap();
        assert_eq!(note(&path).unwrap().len(), 1_000);
    }
}
