//! Makes recorded decisions again.

use std::{fs, io, path::Path};

use ballast_strategy::recorded::ReplayError;
use serde::Serialize;

use super::{NAME, Record};
use crate::journal::{
    follow::{lines, name_of, numbered},
    verify::Finding,
};

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Decisions that came out the same, bit for bit.
    pub decisions: u64,
    /// Decisions that were not recorded, because the disk was too slow.
    pub lost: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Lines that do not read back.
    pub findings: Vec<Finding>,
    /// The first decision that comes out differently; nothing after it was looked at.
    pub differs: Option<Finding>,
}

/// Makes all recorded decisions of a directory again, the oldest first, up to the first that comes out differently.
///
/// # Errors
/// The system's.
pub fn replay(directory: &Path) -> io::Result<Replayed> {
    let mut replayed = Replayed::default();
    for path in numbered(directory, NAME)? {
        let bytes = fs::read(&path)?;
        // A length fits 64 bits.
        replayed.bytes += bytes.len() as u64;
        for line in lines::<Record>(&name_of(&path), &bytes) {
            let finding = |problem: String| Finding {
                file: line.file.clone(),
                line: line.number,
                offset: line.offset,
                problem,
            };
            match &line.record {
                Err(damage) => replayed.findings.push(finding(damage.to_string())),
                Ok(Record::Lost(count)) => replayed.lost += count,
                Ok(Record::Decision(recorded)) => match recorded.replay() {
                    Ok(()) => replayed.decisions += 1,
                    Err(error @ ReplayError::Differs { .. }) => {
                        let problem = format!(
                            "position {} at slot {}: {error}",
                            recorded.position, recorded.slot
                        );
                        replayed.differs = Some(finding(problem));
                        return Ok(replayed);
                    }
                    Err(error) => replayed.findings.push(finding(error.to_string())),
                },
            }
        }
    }
    Ok(replayed)
}
