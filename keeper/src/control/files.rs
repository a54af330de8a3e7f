//! A file `halt` or `reduce` in the journal's directory, with the reason as its text: the override for when nothing else works.
//!
//! It binds by being there, within a second, and is journaled as an override, so that its removal alone resumes nothing. While
//! it is there no request gives more. It is a matter of its name: an empty file, a directory or one that cannot be read binds as
//! well, because whoever is in a hurry may have no time for more.

use std::{
    fs::File,
    io::{ErrorKind, Read},
    path::Path,
    time::Duration,
};

use tokio::time::sleep;

use super::{Control, Mode, Refused, Request, Scope, Verb};

/// How often it is looked for: twice within the second that is promised.
const LOOK_EVERY: Duration = Duration::from_millis(400);
/// Most bytes of a reason that are read.
const MOST_BYTES: u64 = 1_000;

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
