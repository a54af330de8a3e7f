//! How a journal may end: torn, damaged, or with what is none.

use proptest::prelude::*;

use super::*;

/// A journal with two intents, the first resolved; and where its lines end.
fn sample() -> (Vec<u8>, Vec<usize>) {
    let (mut journal, _) = open(MemoryStorage::default()).unwrap();
    write_intent(&mut journal);
    write_intent(&mut journal);
    journal.write(&outcome(1)).unwrap();
    let bytes = journal.storage.written;
    let ends = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at + 1)
        .collect();
    (bytes, ends)
}

fn reopen(bytes: Vec<u8>) -> Result<(Journal<MemoryStorage>, Recovered), JournalError> {
    open(MemoryStorage {
        synced: bytes.len(),
        written: bytes,
        ..MemoryStorage::default()
    })
}

#[test]
fn a_torn_end_is_dropped_at_every_byte() {
    let (bytes, ends) = sample();
    for length in 0..bytes.len() {
        let (mut journal, recovered) = reopen(bytes[..length].to_vec()).unwrap();
        let lines = ends.iter().filter(|end| **end <= length).count();
        let open: Vec<u64> = recovered.open.iter().map(|intent| intent.id.0).collect();
        let expected: &[u64] = match lines {
            0 | 1 => &[],
            2 => &[1],
            _ => &[1, 2],
        };
        assert_eq!(open, expected, "cut at {length}");
        let whole = length == 0 || ends.contains(&length);
        assert_eq!(recovered.tail == Tail::Clean, whole, "cut at {length}");
        // It can be written on, and reads back.
        let added = write_intent(&mut journal);
        let (_, recovered) = reopen(journal.storage.written).unwrap();
        assert_eq!(
            recovered.open.last().map(|intent| intent.id),
            Some(added.id)
        );
        assert_eq!(recovered.tail, Tail::Clean);
    }
}

#[test]
fn zeros_after_the_end_are_a_torn_write() {
    let (mut bytes, _) = sample();
    bytes.extend([0; 4096]);
    assert_eq!(reopen(bytes).unwrap().1.tail, Tail::Torn { bytes: 4096 });
}

#[test]
fn damage_in_the_middle_is_an_error_and_at_the_end_it_is_suspect() {
    let (bytes, ends) = sample();
    for line in 0..ends.len() {
        let start = if line == 0 { 0 } else { ends[line - 1] };
        for at in start..ends[line] - 1 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            if damaged[at] == b'\n' {
                continue;
            }
            match reopen(damaged) {
                Err(JournalError::Damaged { offset, .. }) => {
                    assert!(line < 3 && offset == start, "{at}")
                }
                Ok((_, recovered)) => {
                    assert_eq!(
                        (line, recovered.tail),
                        (
                            3,
                            Tail::Suspect {
                                bytes: bytes.len() - start
                            }
                        ),
                        "{at}"
                    );
                    // The outcome is gone, so that the intent is open again.
                    assert_eq!(recovered.open.len(), 2);
                }
                Err(other) => panic!("{at}: {other}"),
            }
        }
    }
}

#[test]
fn a_suspect_end_stays_until_it_is_dropped() {
    let (mut bytes, ends) = sample();
    for last in [3, 0] {
        bytes.truncate(ends[last]);
        let at = bytes.len() - 5;
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        let (journal, first) = reopen(damaged).unwrap();
        assert!(matches!(first.tail, Tail::Suspect { .. }));
        // Another restart finds the same.
        let (mut journal, again) = reopen(journal.storage.written).unwrap();
        assert_eq!((again.tail, &again.open), (first.tail, &first.open));
        assert!(matches!(
            journal.write(&outcome(1)),
            Err(JournalError::SuspectTail)
        ));
        journal.drop_suspect_tail().unwrap();
        let (mut journal, dropped) = reopen(journal.storage.written).unwrap();
        assert_eq!((dropped.tail, &dropped.open), (Tail::Clean, &first.open));
        write_intent(&mut journal);
    }
}

#[test]
fn a_journal_without_header_is_damaged() {
    let (bytes, ends) = sample();
    assert!(matches!(
        reopen(bytes[ends[0]..].to_vec()),
        Err(JournalError::Damaged { offset: 0, .. })
    ));
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        // Whatever it is, it is no record: all of it is tail, or an error.
        if let Ok(scan) = scan(&bytes) {
            prop_assert_eq!(scan.valid_length, 0);
            prop_assert!(scan.records.is_empty());
        }
    }
}
