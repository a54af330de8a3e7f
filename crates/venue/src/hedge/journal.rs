//! The hedge's journal: a line of JSON for everything that was decided and everything that the venue reported. An intent is in it
//! before it is sent; what cannot be written is not done.

use crate::{
    durable,
    hyperliquid::bytes::Address,
    venue::{Done, Fill, Funding, Order},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, Seek, Write},
    path::{Path, PathBuf},
};

/// Whose trade a fill is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// An intent of this journal.
    Own,
    /// Somebody else trades on the account.
    Foreign,
    /// The venue, because margin was short.
    Liquidation,
    /// The venue, because a counterparty's margin was short.
    Deleveraging,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// What was held when the journal began.
    Opening {
        /// The instrument.
        coin: String,
        /// The position.
        position: Decimal,
        /// From when on fills count.
        since_ms: u64,
        /// The trades of that moment that are in the position already.
        seen: Vec<u64>,
        /// When it began, by the venue's clock.
        #[serde(default)]
        at_ms: u64,
        /// What the position was worth then; none where there was none.
        #[serde(default)]
        price: Option<Decimal>,
    },
    /// An order that is about to be sent.
    Intent {
        /// Its number in this journal.
        sequence: u64,
        /// The order.
        order: Order,
    },
    /// The venue took it.
    Taken {
        /// Which.
        sequence: u64,
        /// What became of it.
        done: Done,
    },
    /// It did not happen, and cannot any more.
    Void {
        /// Which.
        sequence: u64,
        /// How that is known.
        why: String,
    },
    /// A fill.
    Fill {
        /// Whose.
        origin: Origin,
        /// The fill.
        fill: Fill,
    },
    /// An order that another process of ours has sent, under the same lease.
    Partner {
        /// The venue's number of it.
        oid: u64,
    },
    /// A funding payment.
    Funding {
        /// The payment.
        payment: Funding,
    },
}

/// Why the journal does not serve.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It cannot be read or written.
    #[error("the hedge's journal {file}: {source}")]
    Io {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process has it.
    #[error(
        "the hedge's journal {0} is held by another process: stop it first, two hedgers on one account undo each other"
    )]
    Held(PathBuf),
    /// A line in the middle is damaged.
    #[error(
        "line {line} of the hedge's journal {file} is damaged: {source}; mend it by hand, orders may hang on it"
    )]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// Which line.
        line: usize,
        /// What is wrong.
        source: serde_json::Error,
    },
}

/// The file's name: one for each position, because another coin's, account's or network's trades say nothing of it.
#[must_use]
pub fn file_name(network: &str, account: Address, coin: &str) -> String {
    let coin = coin.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    format!("hedge-{network}-{account}-{coin}.jsonl")
}

/// The journal's file.
#[derive(Debug)]
pub struct Journal {
    file: PathBuf,
    open: File,
}

impl Journal {
    /// Opens the journal for this process alone and reads what is in it. A last line that was not finished is cut off: what it was
    /// about was not done.
    ///
    /// # Errors
    /// The file cannot be read or written, another process has it, or a line in it is damaged.
    pub fn open(file: &Path) -> Result<(Self, Vec<Entry>), JournalError> {
        let failed = |source| JournalError::Io {
            file: file.to_owned(),
            source,
        };
        let mut open = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(file)
            .map_err(failed)?;
        match open.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::Held(file.to_owned())),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let (entries, whole) = entries(file, &open)?;
        open.set_len(whole).map_err(failed)?;
        open.seek(io::SeekFrom::Start(whole)).map_err(failed)?;
        // What a killed process wrote and did not sync reads back like the rest. It is relied on from here, so that it must outlive
        // the power as well, with the file's own entry.
        open.sync_all().map_err(failed)?;
        durable::sync_parent(file).map_err(failed)?;
        Ok((
            Self {
                file: file.to_owned(),
                open,
            },
            entries,
        ))
    }

    /// Reads a journal that another process may be writing; none without a file.
    ///
    /// # Errors
    /// The file cannot be read, or a line in it is damaged.
    pub fn read(file: &Path) -> Result<Vec<Entry>, JournalError> {
        match File::open(file) {
            Ok(open) => entries(file, &open).map(|(entries, _)| entries),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(JournalError::Io {
                file: file.to_owned(),
                source,
            }),
        }
    }

    /// Adds a line, on the disk when this returns.
    ///
    /// # Errors
    /// It could not be written: nothing may be done that hangs on it.
    pub fn append(&mut self, entry: &Entry) -> Result<(), JournalError> {
        let failed = |source| JournalError::Io {
            file: self.file.clone(),
            source,
        };
        let mut line = serde_json::to_vec(entry).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        self.open.write_all(&line).map_err(failed)?;
        self.open.sync_data().map_err(failed)
    }
}

/// Whole lines, and where they end.
fn entries(file: &Path, open: &File) -> Result<(Vec<Entry>, u64), JournalError> {
    let mut reader = BufReader::new(open);
    let (mut entries, mut whole, mut line) = (Vec::new(), 0, String::new());
    loop {
        line.clear();
        let read = reader
            .read_line(&mut line)
            .map_err(|source| JournalError::Io {
                file: file.to_owned(),
                source,
            })?;
        if read == 0 || !line.ends_with('\n') {
            return Ok((entries, whole));
        }
        let damaged = |source| JournalError::Damaged {
            file: file.to_owned(),
            line: entries.len() + 1,
            source,
        };
        let entry = serde_json::from_str(&line).map_err(damaged)?;
        entries.push(entry);
        whole += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back_and_an_unfinished_line_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("journal");
        let entry = |sequence| Entry::Void {
            sequence,
            why: "test".into(),
        };
        let (mut journal, entries) = Journal::open(&file).unwrap();
        assert!(entries.is_empty());
        journal.append(&entry(1)).unwrap();
        journal.append(&entry(2)).unwrap();
        assert!(matches!(Journal::open(&file), Err(JournalError::Held(_))));
        drop(journal);
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() - 3]).unwrap();
        let (mut journal, entries) = Journal::open(&file).unwrap();
        assert_eq!(entries, [entry(1)]);
        journal.append(&entry(3)).unwrap();
        assert_eq!(Journal::read(&file).unwrap(), [entry(1), entry(3)]);
        drop(journal);
        let mut damaged = std::fs::read(&file).unwrap();
        damaged[3] = b'!';
        std::fs::write(&file, damaged).unwrap();
        assert!(matches!(
            Journal::open(&file),
            Err(JournalError::Damaged { line: 1, .. })
        ));
        assert_eq!(Journal::read(&folder.path().join("none")).unwrap(), []);
    }
}
