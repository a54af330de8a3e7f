//! Lines of the journal: `checksum json\n`, the checksum being the CRC-32 of the JSON in eight hexadecimal digits.

use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

use super::Record;

/// State of a journal's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tail {
    /// Complete.
    #[default]
    Clean,
    /// A line without its end, or zeros: a write that a crash interrupted. Nothing was sent for it.
    Torn {
        /// Bytes dropped.
        bytes: usize,
    },
    /// A last line that is complete but fails its checksum. It was probably torn as well; but if it was damaged later, it
    /// may have been an intent that was sent: nothing may be done before nothing signed can land any more.
    Suspect {
        /// Bytes to be dropped after that.
        bytes: usize,
    },
}

/// What a journal's bytes hold.
#[derive(Debug, Default)]
pub struct Scan {
    /// Records in order.
    pub records: Vec<Record>,
    /// Bytes up to the end of the last good record.
    pub valid_length: usize,
    /// What follows it.
    pub tail: Tail,
}

/// A record as a line.
pub(crate) fn line<T: Serialize>(record: &T) -> Result<Vec<u8>, serde_json::Error> {
    let json = serde_json::to_vec(record)?;
    let mut line = format!("{:08x} ", crc32fast::hash(&json)).into_bytes();
    line.extend_from_slice(&json);
    line.push(b'\n');
    Ok(line)
}

/// Reads all records.
///
/// # Errors
/// The offset of a line that does not read back although others follow it.
pub fn scan(bytes: &[u8]) -> Result<Scan, usize> {
    let mut scan = Scan::default();
    while scan.valid_length < bytes.len() {
        let rest = &bytes[scan.valid_length..];
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            scan.tail = Tail::Torn { bytes: rest.len() };
            break;
        };
        match parse(&rest[..end]) {
            Some(record) => {
                scan.records.push(record);
                scan.valid_length += end + 1;
            }
            None if end + 1 == rest.len() => {
                scan.tail = Tail::Suspect { bytes: rest.len() };
                break;
            }
            None => return Err(scan.valid_length),
        }
    }
    Ok(scan)
}

fn parse(line: &[u8]) -> Option<Record> {
    read(line).ok()
}

/// Why a line does not read back.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Damage {
    /// It does not begin with eight hexadecimal digits and a space.
    #[error("it has no checksum")]
    NoChecksum,
    /// Its checksum is another one.
    #[error("its checksum is {found:08x}, it says {said:08x}")]
    Checksum {
        /// At its beginning.
        said: u32,
        /// Of the rest.
        found: u32,
    },
    /// Its checksum is right, but it is no record.
    #[error("it is no record of this version ({0})")]
    NoRecord(String),
    /// It has no end.
    #[error("its last {0} bytes have no end: a write was interrupted, or is going on")]
    Torn(usize),
}

/// Reads a line, without its end.
pub(crate) fn read<T: DeserializeOwned>(line: &[u8]) -> Result<T, Damage> {
    let (checksum, json) = line.split_at_checked(9).ok_or(Damage::NoChecksum)?;
    let said = std::str::from_utf8(checksum)
        .ok()
        .and_then(|checksum| u32::from_str_radix(checksum.strip_suffix(' ')?, 16).ok())
        .ok_or(Damage::NoChecksum)?;
    let found = crc32fast::hash(json);
    if found != said {
        return Err(Damage::Checksum { said, found });
    }
    serde_json::from_slice(json).map_err(|error| Damage::NoRecord(error.to_string()))
}
