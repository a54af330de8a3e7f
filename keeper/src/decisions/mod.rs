//! Decisions, each with all that it was made from, in a file beside the journal; and making them again.
//!
//! Recorded is every decision that differs from the one before on its position, and every one that an intent or a paper record
//! follows from. Lines have checksums like the journal's. Nothing waits for the disk: a full queue drops, and the file says how
//! many are missing.

mod recorder;
mod replay;

pub use recorder::Recorder;
pub use replay::{Replayed, replay};

use ballast_strategy::recorded::Recorded;
use serde::{Deserialize, Serialize};

/// The file that is written.
const NAME: &str = "decisions.jsonl";

/// A line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Record {
    /// A decision.
    Decision(Box<Recorded>),
    /// So many were not recorded here.
    Lost(u64),
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ballast_strategy::{
        decide::assess,
        fixtures::{KEEPER, book_debts, position, situation, snapshot},
    };

    use super::*;
    use crate::journal::frame;

    /// Records decisions at these prices.
    fn record(directory: &std::path::Path, dollars: &[i64]) {
        let recorder = Recorder::to(directory).unwrap();
        for dollars in dollars {
            let held = position();
            let mut market = snapshot(*dollars);
            book_debts(&mut market, &held);
            let at = situation(&market, &held);
            recorder.record(&KEEPER, &at, &assess(&at).unwrap());
        }
        recorder.close();
    }

    #[test]
    fn what_is_recorded_is_decided_again() {
        let directory = tempfile::tempdir().unwrap();
        record(directory.path(), &[200, 205, 170]);
        record(directory.path(), &[190]);
        let replayed = replay(directory.path()).unwrap();
        assert_eq!((replayed.decisions, replayed.lost), (4, 0));
        assert_eq!((replayed.findings, replayed.differs), (Vec::new(), None));
    }

    #[test]
    fn the_first_that_differs_is_named_and_ends_it() {
        let directory = tempfile::tempdir().unwrap();
        record(directory.path(), &[200, 170, 171, 172]);
        let path = directory.path().join(NAME);
        let text = fs::read_to_string(&path).unwrap();
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        // One digit of a planned amount, with a checksum that is right.
        let json = &lines[1][9..];
        let record: Record = serde_json::from_str(json).unwrap();
        let Record::Decision(_) = record else {
            panic!("no decision");
        };
        let at = json.find("liquidity: ").unwrap() + "liquidity: ".len();
        let digit = if &json[at..=at] == "1" { "2" } else { "1" };
        let mut changed = json.to_owned();
        changed.replace_range(at..=at, digit);
        let record: Record = serde_json::from_str(&changed).unwrap();
        let line = frame::line(&record).unwrap();
        lines[1] = String::from_utf8(line).unwrap().trim_end().to_owned();
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        let replayed = replay(directory.path()).unwrap();
        let differs = replayed.differs.unwrap();
        assert_eq!((differs.line, replayed.decisions), (2, 1));
        assert!(
            differs.problem.contains("another decision"),
            "{}",
            differs.problem
        );
    }

    #[test]
    fn a_torn_end_is_cut_off_and_damage_is_named() {
        let directory = tempfile::tempdir().unwrap();
        record(directory.path(), &[200, 170]);
        let path = directory.path().join(NAME);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [whole.as_slice(), b"0123 torn"].concat()).unwrap();
        assert_eq!(replay(directory.path()).unwrap().findings.len(), 1);
        record(directory.path(), &[180]);
        let replayed = replay(directory.path()).unwrap();
        assert_eq!((replayed.decisions, replayed.findings.len()), (3, 0));
        let mut damaged = fs::read(&path).unwrap();
        damaged[50] ^= 1;
        fs::write(&path, damaged).unwrap();
        let replayed = replay(directory.path()).unwrap();
        assert_eq!((replayed.decisions, replayed.findings[0].line), (2, 1));
    }

    #[test]
    fn what_finds_no_room_is_counted_in_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let recorder = Recorder::full(directory.path()).unwrap();
        let held = position();
        let market = snapshot(200);
        let at = situation(&market, &held);
        for _ in 0..5 {
            recorder.record(&KEEPER, &at, &assess(&at).unwrap());
        }
        assert_eq!(recorder.lost(), 5);
        recorder.close();
        let replayed = replay(directory.path()).unwrap();
        assert_eq!((replayed.decisions, replayed.lost), (0, 5));
        // Nobody records: nothing happens.
        Recorder::default().record(&KEEPER, &at, &assess(&at).unwrap());
    }
}
