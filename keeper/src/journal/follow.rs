//! Reads a journal that may be written meanwhile: all files of its directory, line by line, and what is added later. Nothing is
//! locked and nothing is changed.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

use super::{Record, frame, frame::Damage, storage::NAME};

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<T = Record> {
    /// The file's name.
    pub file: String,
    /// From 1 on.
    pub number: u64,
    /// Where it begins, bytes.
    pub offset: u64,
    /// What it says.
    pub record: Result<T, Damage>,
}

/// The files of a journal, oldest first; the last one is being written.
///
/// # Errors
/// The system's; a directory without a journal has no files.
pub fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    numbered(directory, NAME)
}

/// Files `name-1.jsonl`, `name-2.jsonl` and so on, and `name.jsonl`, as far as they are there.
pub(crate) fn numbered(directory: &Path, name: &str) -> io::Result<Vec<PathBuf>> {
    let stem = name.trim_end_matches(".jsonl");
    let mut aside = Vec::new();
    for entry in fs::read_dir(directory)? {
        let found = entry?.file_name();
        let number = found.to_str().and_then(|found| {
            let number = found.strip_prefix(stem)?.strip_prefix('-')?;
            number.strip_suffix(".jsonl")?.parse::<u64>().ok()
        });
        if let Some(number) = number {
            aside.push((number, directory.join(found)));
        }
    }
    aside.sort();
    let mut files: Vec<_> = aside.into_iter().map(|(_, path)| path).collect();
    let newest = directory.join(name);
    if newest.exists() {
        files.push(newest);
    }
    Ok(files)
}

/// The lines of a file's bytes; a last one without its end is [`Damage::Torn`].
pub fn lines<T: DeserializeOwned>(file: &str, bytes: &[u8]) -> Vec<Line<T>> {
    let mut reader = Lines::new(file);
    let mut lines = reader.read(bytes);
    lines.extend(reader.torn());
    lines
}

/// Lines as their bytes come.
struct Lines {
    file: String,
    number: u64,
    offset: u64,
    rest: Vec<u8>,
}

impl Lines {
    fn new(file: &str) -> Self {
        Self {
            file: file.into(),
            number: 0,
            offset: 0,
            rest: Vec::new(),
        }
    }

    /// The lines that end in these bytes.
    fn read<T: DeserializeOwned>(&mut self, bytes: &[u8]) -> Vec<Line<T>> {
        self.rest.extend_from_slice(bytes);
        let mut lines = Vec::new();
        let mut begin = 0;
        while let Some(length) = self.rest[begin..].iter().position(|byte| *byte == b'\n') {
            let line = &self.rest[begin..begin + length];
            self.number += 1;
            lines.push(Line {
                file: self.file.clone(),
                number: self.number,
                offset: self.offset,
                record: frame::read(line),
            });
            begin += length + 1;
            // A length in memory fits 64 bits.
            self.offset += length as u64 + 1;
        }
        self.rest.drain(..begin);
        lines
    }

    /// What has no end.
    fn torn<T>(&self) -> Option<Line<T>> {
        (!self.rest.is_empty()).then(|| Line {
            file: self.file.clone(),
            number: self.number + 1,
            offset: self.offset,
            record: Err(Damage::Torn(self.rest.len())),
        })
    }
}

/// See the module's description.
pub struct Follower {
    directory: PathBuf,
    name: String,
    current: Option<(File, Lines)>,
}

impl Follower {
    /// A journal of a directory; it need not exist yet.
    pub fn new(directory: &Path) -> Self {
        Self::of(directory, NAME)
    }

    pub(crate) fn of(directory: &Path, name: &str) -> Self {
        Self {
            directory: directory.to_owned(),
            name: name.into(),
            current: None,
        }
    }

    /// Everything that has been added since it was asked last; the first time, everything there is. A line that is being
    /// written comes when it is whole.
    ///
    /// # Errors
    /// The system's. Asking again is safe.
    pub fn more<T: DeserializeOwned>(&mut self) -> io::Result<Vec<Line<T>>> {
        let mut found = Vec::new();
        if self.current.is_none() {
            let mut files = numbered(&self.directory, &self.name)?;
            let Some(newest) = files.pop() else {
                return Ok(found);
            };
            for path in files {
                found.extend(lines(&name_of(&path), &fs::read(&path)?));
            }
            self.current = Some((File::open(&newest)?, Lines::new(&name_of(&newest))));
        }
        loop {
            // Asked before the rest is read: what is put aside is not written any more.
            let replaced = self.is_replaced()?;
            let Some((file, reader)) = &mut self.current else {
                return Ok(found);
            };
            // A keeper that starts drops a torn end.
            let known = reader.offset + reader.rest.len() as u64;
            if file.metadata()?.len() < known {
                file.seek(SeekFrom::Start(reader.offset))?;
                reader.rest.clear();
            }
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            found.extend(reader.read(&bytes));
            if !replaced {
                return Ok(found);
            }
            let path = self.directory.join(&self.name);
            self.current = Some((File::open(&path)?, Lines::new(&self.name)));
        }
    }

    /// Whether there is another file under the name by now.
    fn is_replaced(&self) -> io::Result<bool> {
        let Some((file, _)) = &self.current else {
            return Ok(false);
        };
        match fs::metadata(self.directory.join(&self.name)) {
            Ok(now) => Ok(!same(&now, &file.metadata()?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[cfg(unix)]
fn same(a: &fs::Metadata, b: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn same(a: &fs::Metadata, b: &fs::Metadata) -> bool {
    a.created().ok() == b.created().ok()
}

pub(crate) fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{
        Journal,
        tests::{header, intent},
    };

    fn write(journal: &mut Journal<crate::journal::FileStorage>) -> u64 {
        let intent = intent(journal.next_id().0);
        let id = intent.id.0;
        journal.write(&Record::Intent(Box::new(intent))).unwrap();
        id
    }

    fn ids(lines: Vec<Line>) -> Vec<u64> {
        let record = lines.into_iter().map(|line| line.record.unwrap());
        record
            .filter_map(|record| match record {
                Record::Intent(intent) => Some(intent.id.0),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn what_is_written_comes_once_and_whole() {
        let directory = tempfile::tempdir().unwrap();
        let mut follower = Follower::new(directory.path());
        assert_eq!(follower.more::<Record>().unwrap(), []);
        let (mut journal, _) = Journal::open(directory.path(), &header()).unwrap();
        assert_eq!(follower.more::<Record>().unwrap().len(), 1, "the header");
        let first = write(&mut journal);
        let second = write(&mut journal);
        assert_eq!(ids(follower.more().unwrap()), [first, second]);
        assert_eq!(follower.more::<Record>().unwrap(), []);
        // Half a line is no line yet.
        drop(journal);
        let path = directory.path().join(NAME);
        let whole = fs::read(&path).unwrap();
        let line = frame::line(&Record::Intent(Box::new(intent(9)))).unwrap();
        let (one, other) = line.split_at(20);
        fs::write(&path, [whole.as_slice(), one].concat()).unwrap();
        assert_eq!(follower.more::<Record>().unwrap(), []);
        fs::write(&path, [whole.as_slice(), one, other].concat()).unwrap();
        let lines = follower.more::<Record>().unwrap();
        assert_eq!((lines[0].number, lines[0].offset), (4, whole.len() as u64));
        assert_eq!(ids(lines), [9]);
    }

    #[test]
    fn a_torn_end_that_a_restart_drops_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(directory.path(), &header()).unwrap();
        write(&mut journal);
        drop(journal);
        let path = directory.path().join(NAME);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [whole.as_slice(), b"0123"].concat()).unwrap();
        let mut follower = Follower::new(directory.path());
        assert_eq!(ids(follower.more().unwrap()), [1]);
        let (mut journal, _) = Journal::open(directory.path(), &header()).unwrap();
        assert_eq!(follower.more::<Record>().unwrap(), []);
        let next = write(&mut journal);
        assert_eq!(ids(follower.more().unwrap()), [next]);
    }

    #[test]
    fn a_file_put_aside_is_read_to_its_end_and_the_new_one_from_its_beginning() {
        let directory = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(directory.path(), &header()).unwrap();
        let first = write(&mut journal);
        let mut follower = Follower::new(directory.path());
        assert_eq!(ids(follower.more().unwrap()), [first]);
        let second = write(&mut journal);
        let begun = frame::line(&Record::Header(header())).unwrap();
        journal.storage.rotate(&begun).unwrap();
        let third = write(&mut journal);
        assert_eq!(ids(follower.more().unwrap()), [second, third]);
        let mut later = Follower::new(directory.path());
        let lines = later.more::<Record>().unwrap();
        assert_eq!(lines[1].file, "journal-1.jsonl");
        assert_eq!(ids(lines), [first, second, third]);
    }

    #[test]
    fn damage_is_named_and_what_follows_is_read() {
        let line = |id| frame::line(&Record::Intent(Box::new(intent(id)))).unwrap();
        let mut bytes = [line(1), line(2), line(3)].concat();
        let at = line(1).len() + 30;
        bytes[at] ^= 1;
        bytes.extend(b"nonsense\n00000000 {}");
        let lines: Vec<Line> = lines("f", &bytes);
        assert_eq!(lines.len(), 5);
        assert!(lines[0].record.is_ok() && lines[2].record.is_ok());
        assert!(matches!(lines[1].record, Err(Damage::Checksum { .. })));
        assert_eq!(lines[1].offset, line(1).len() as u64);
        assert_eq!(lines[3].record, Err(Damage::NoChecksum));
        assert_eq!(lines[4].record, Err(Damage::Torn(11)));
        assert_eq!((lines[4].file.as_str(), lines[4].number), ("f", 5));
    }
}
