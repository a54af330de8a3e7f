//! Says whether a journal holds together: every line reads back, and what it says makes sense.

use std::collections::{BTreeMap, BTreeSet};

use ballast_client::VersionedTransaction;
use serde::Serialize;
use solana_sdk::{hash::Hash, pubkey::Pubkey};

use super::{Confirmed, Header, Intent, IntentId, Outcome, Record, VERSION, follow::Line};

/// Something that does not hold together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file.
    pub file: String,
    /// The line, from 1 on.
    pub line: u64,
    /// Where it begins, bytes.
    pub offset: u64,
    /// What is wrong.
    pub problem: String,
}

/// What a journal holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Whole lines.
    pub records: u64,
    /// Intents.
    pub intents: u64,
    /// Outcomes.
    pub outcomes: u64,
    /// What paper mode would have done.
    pub paper: u64,
    /// What people said.
    pub overrides: u64,
    /// Postings of prices. One that a crash cut off has no end, which is no fault.
    pub postings: u64,
    /// Numbers of the intents whose outcome is not known yet. That is no fault while a keeper runs, or before it starts anew.
    pub open: Vec<u64>,
    /// What does not hold together.
    pub findings: Vec<Finding>,
}

/// Looks at all lines of a journal, oldest first.
pub fn verify(lines: impl IntoIterator<Item = Line>) -> Verified {
    let mut check = Check::default();
    for line in lines {
        check.line(line);
    }
    let Check {
        mut verified, open, ..
    } = check;
    verified.open = open.into_keys().map(|id| id.0).collect();
    verified
}

#[derive(Default)]
struct Check {
    verified: Verified,
    file: Option<String>,
    /// Cluster and key of the first header; a keeper without a key may be followed by one with.
    whose: Option<(Hash, Pubkey)>,
    given: BTreeSet<IntentId>,
    open: BTreeMap<IntentId, ()>,
    /// Postings without an end.
    posting: BTreeSet<IntentId>,
    /// What became of intents in a block, which a fork may take back: another outcome follows then.
    in_block: BTreeMap<IntentId, Outcome>,
}

impl Check {
    fn line(&mut self, line: Line) {
        let Line {
            file,
            number,
            offset,
            record,
        } = line;
        let first = self.file.as_ref() != Some(&file);
        self.file = Some(file.clone());
        let problem = match record {
            Err(damage) => Some(damage.to_string()),
            Ok(record) => {
                self.verified.records += 1;
                self.record(record, first)
            }
        };
        if let Some(problem) = problem {
            self.verified.findings.push(Finding {
                file,
                line: number,
                offset,
                problem,
            });
        }
    }

    /// What is wrong with a record, if anything.
    fn record(&mut self, record: Record, first: bool) -> Option<String> {
        if first && !matches!(record, Record::Header(_)) {
            let _ = self.inner(record);
            return Some("the file does not begin with a header".into());
        }
        self.inner(record)
    }

    fn inner(&mut self, record: Record) -> Option<String> {
        match record {
            Record::Header(header) => self.header(&header),
            Record::Intent(intent) => self.intent(&intent),
            Record::Outcome(outcome) => {
                self.verified.outcomes += 1;
                let id = outcome.id;
                let before = self.in_block.remove(&id);
                let taken_back = before.is_some_and(|before| before != outcome.outcome);
                if self.open.remove(&id).is_some() || taken_back {
                    if outcome.outcome.slot() > 0 {
                        self.in_block.insert(id, outcome.outcome);
                    }
                    return None;
                }
                Some(if self.given.contains(&id) {
                    format!("intent {} has an outcome already", id.0)
                } else {
                    format!("there is no intent {} before its outcome", id.0)
                })
            }
            Record::Paper(_) => {
                self.verified.paper += 1;
                None
            }
            Record::Override(_) => {
                self.verified.overrides += 1;
                None
            }
            Record::Posting(posting) => {
                self.verified.postings += 1;
                let is_new = self.given.insert(posting.id);
                self.posting.insert(posting.id);
                (!is_new).then(|| given_twice(posting.id))
            }
            Record::Posted(posted) => {
                let begun = self.posting.remove(&posted.id);
                (!begun).then(|| format!("no posting {} is open before its end", posted.id.0))
            }
        }
    }

    fn header(&mut self, header: &Header) -> Option<String> {
        if header.version != VERSION {
            return Some(format!(
                "it is of version {}, this keeper writes {VERSION}",
                header.version
            ));
        }
        // Their own lines may have been deleted with the file that was put aside.
        let left = header.continues.iter().flat_map(|it| &it.landed);
        for Confirmed { intent, outcome } in left {
            self.in_block.insert(intent.id, outcome.clone());
        }
        if let Some(continues) = &header.continues
            && let Some(last) = self.given.last()
            && continues.next_id <= last.0
        {
            return Some(format!(
                "it goes on with number {}, but {} was given before",
                continues.next_id, last.0
            ));
        }
        let (cluster, keeper) = *self
            .whose
            .get_or_insert((header.genesis_hash, header.keeper));
        if cluster != header.genesis_hash {
            return Some(format!(
                "it is of cluster {}, the one before of {cluster}",
                header.genesis_hash
            ));
        }
        if keeper == Pubkey::default() {
            self.whose = Some((cluster, header.keeper));
        } else if header.keeper != keeper && header.keeper != Pubkey::default() {
            return Some(format!(
                "it is of keeper {}, the one before of {keeper}",
                header.keeper
            ));
        }
        None
    }

    fn intent(&mut self, intent: &Intent) -> Option<String> {
        self.verified.intents += 1;
        if !self.given.insert(intent.id) {
            return Some(given_twice(intent.id));
        }
        self.open.insert(intent.id, ());
        let transaction: VersionedTransaction = match bincode::deserialize(&intent.transaction) {
            Ok(transaction) => transaction,
            Err(error) => return Some(format!("it holds no transaction ({error})")),
        };
        if transaction.signatures.first() != Some(&intent.signature) {
            return Some(format!(
                "its transaction is not the one of signature {}",
                intent.signature
            ));
        }
        (!transaction.verify_with_results().iter().all(|good| *good))
            .then(|| "its transaction's signature is not valid".into())
    }
}

fn given_twice(id: IntentId) -> String {
    format!("number {} is given twice", id.0)
}

#[cfg(test)]
mod tests {
    use solana_sdk::{
        message::{Message, VersionedMessage},
        signature::Keypair,
        signer::Signer,
    };

    use super::*;
    use crate::journal::{
        Continued, Outcome, OutcomeRecord,
        follow::lines,
        frame,
        tests::{header, intent, posted, posting},
    };

    fn signed(id: u64) -> Intent {
        let key = Keypair::new_from_array([7; 32]);
        let message = VersionedMessage::Legacy(Message::new(&[], Some(&key.pubkey())));
        let transaction = VersionedTransaction::try_new(message, &[&key]).unwrap();
        Intent {
            signature: transaction.signatures[0],
            transaction: bincode::serialize(&transaction).unwrap(),
            ..intent(id)
        }
    }

    fn bytes(records: &[Record]) -> Vec<u8> {
        let lines = records.iter().map(|record| frame::line(record).unwrap());
        lines.collect::<Vec<_>>().concat()
    }

    fn outcome(id: u64) -> Record {
        Record::Outcome(OutcomeRecord {
            id: IntentId(id),
            outcome: Outcome::Landed { slot: 3 },
        })
    }

    fn good() -> Vec<Record> {
        vec![
            Record::Header(header()),
            Record::Intent(Box::new(signed(1))),
            Record::Intent(Box::new(signed(2))),
            outcome(1),
        ]
    }

    fn problems(records: &[Record]) -> Vec<(u64, String)> {
        let findings = verify(lines("j", &bytes(records))).findings;
        let told = findings.into_iter();
        told.map(|finding| (finding.line, finding.problem))
            .collect()
    }

    #[test]
    fn a_good_journal_has_no_findings_and_says_what_is_open() {
        let verified = verify(lines("j", &bytes(&good())));
        assert_eq!(verified.findings, []);
        assert_eq!(
            (verified.records, verified.intents, verified.outcomes),
            (4, 2, 1)
        );
        assert_eq!(verified.open, [2]);
        // The next file goes on.
        let mut next = header();
        next.continues = Some(Continued {
            next_id: 3,
            slot: 3,
            ..Continued::default()
        });
        let mut all = lines("j-1", &bytes(&good()));
        all.extend(lines("j", &bytes(&[Record::Header(next), outcome(2)])));
        assert_eq!(verify(all).findings, []);
    }

    #[test]
    fn what_a_fork_takes_back_has_another_outcome() {
        let then = |outcome| {
            Record::Outcome(OutcomeRecord {
                id: IntentId(1),
                outcome,
            })
        };
        let expired = || then(Outcome::Expired { block_height: 9 });
        let again = then(Outcome::Landed { slot: 5 });
        let taken_back = [good(), vec![again, expired()]].concat();
        assert_eq!(problems(&taken_back), []);
        // Also after the file was put aside.
        let mut next = header();
        next.continues = Some(Continued {
            next_id: 3,
            landed: vec![Confirmed {
                intent: intent(1),
                outcome: Outcome::Landed { slot: 3 },
            }],
            ..Continued::default()
        });
        assert_eq!(problems(&[Record::Header(next), expired()]), []);
        // What is in no block is taken back by nothing.
        let found = problems(&[taken_back, vec![expired()]].concat());
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].1.contains("outcome already"), "{found:?}");
    }

    #[test]
    fn every_fault_is_named_with_its_line() {
        let told = |change: &dyn Fn(&mut Vec<Record>)| {
            let mut records = good();
            change(&mut records);
            problems(&records)
        };
        let one = |found: Vec<(u64, String)>, line: u64, part: &str| {
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found[0].0, line, "{found:?}");
            assert!(found[0].1.contains(part), "{found:?}");
        };
        one(told(&|all| drop(all.remove(0))), 1, "begin with a header");
        one(told(&|all| all.push(outcome(1))), 5, "outcome already");
        one(told(&|all| all.push(outcome(9))), 5, "no intent 9");
        one(
            told(&|all| all.push(Record::Intent(Box::new(signed(2))))),
            5,
            "given twice",
        );
        one(
            told(&|all| all[2] = Record::Intent(Box::new(intent(2)))),
            3,
            "holds no transaction",
        );
        let mut other = signed(2);
        other.signature = [1; 64].into();
        one(
            told(&|all| all[2] = Record::Intent(Box::new(other.clone()))),
            3,
            "not the one of signature",
        );
        let mut forged = signed(2);
        // The last byte counts the instructions; before it is the blockhash.
        let last = forged.transaction.len() - 2;
        forged.transaction[last] ^= 1;
        one(
            told(&|all| all[2] = Record::Intent(Box::new(forged.clone()))),
            3,
            "not valid",
        );
        let mut foreign = header();
        foreign.genesis_hash = [9; 32].into();
        one(
            told(&|all| all.push(Record::Header(foreign.clone()))),
            5,
            "cluster",
        );
        let mut newer = header();
        newer.version += 1;
        one(
            told(&|all| all[0] = Record::Header(newer.clone())),
            1,
            "version",
        );
        let mut back = header();
        back.continues = Some(Continued {
            next_id: 2,
            ..Continued::default()
        });
        one(
            told(&|all| all.push(Record::Header(back.clone()))),
            5,
            "was given before",
        );
    }

    #[test]
    fn postings_are_counted_and_numbered_with_the_intents() {
        let posted = || Record::Posted(posted(3));
        let mut all = good();
        // One of a run that was killed, and one that came to its end.
        all.extend([
            Record::Posting(posting(4)),
            Record::Posting(posting(3)),
            posted(),
        ]);
        let verified = verify(lines("j", &bytes(&all)));
        assert_eq!((verified.findings, verified.postings), (Vec::new(), 2));
        assert_eq!(verified.open, [2]);
        let told = |record: Record| {
            let all: Vec<_> = all.iter().cloned().chain([record]).collect();
            problems(&all)
        };
        for (record, part) in [
            (Record::Posting(posting(2)), "given twice"),
            (Record::Intent(Box::new(signed(3))), "given twice"),
            (posted(), "no posting 3"),
        ] {
            let found = told(record);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].0 == 8 && found[0].1.contains(part), "{found:?}");
        }
    }

    #[test]
    fn any_flipped_bit_is_found_in_its_line() {
        let whole = bytes(&good());
        let ends: Vec<_> = lines::<Record>("j", &whole)
            .iter()
            .map(|line| line.offset)
            .collect();
        for at in (0..whole.len()).step_by(7) {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            if damaged[at] == b'\n' || whole[at] == b'\n' {
                continue;
            }
            let line = ends.iter().filter(|end| **end <= at as u64).count() as u64;
            let findings = verify(lines("j", &damaged)).findings;
            assert!(findings.iter().any(|finding| finding.line == line), "{at}");
        }
    }
}
