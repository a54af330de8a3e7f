//! Why the journal cannot be used.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why the journal cannot be used.
#[derive(Debug, Error)]
pub enum JournalError {
    /// Reading or writing failed.
    #[error(
        "journal {path}: {source}; check the disk and the directory's permissions, then restart"
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another keeper has it open.
    #[error("journal {path} is in use by another keeper; give each keeper its own journal_dir")]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// Bytes in the middle that do not read back.
    #[error(
        "journal {path} is damaged at byte {offset}; look up the transactions around it, move the file away, wait two \
         minutes (until nothing signed can land any more), then restart"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: usize,
    },
    /// Written for another cluster, by another key or by another version.
    #[error("journal {path} has {what} {found}, expected {expected}; use another journal_dir")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// In the file.
        found: String,
        /// What this keeper has.
        expected: String,
    },
    /// An intent whose checksum is right but whose transaction is none.
    #[error(
        "journal: intent {id} holds no valid transaction ({reason}); it was written by another version, use that one"
    )]
    BadIntent {
        /// Its number.
        id: u64,
        /// What is wrong.
        reason: String,
    },
    /// Its damaged last line has not been dropped yet; what was in it may still land.
    #[error(
        "the journal's last line is damaged and still there; nothing may be written before it is dropped"
    )]
    SuspectTail,
    /// It failed before; nothing may be done until a restart has recovered.
    #[error("the journal could not be written before; the keeper is halted until it is restarted")]
    Halted,
}
