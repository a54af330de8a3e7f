//! The corpus that is kept: it replays, and it reaches everything that fuzzing is meant to start from.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use ballast_localnet::{Programs, Svm};
use ballast_tests::game::{Arena, EVENTS, Kind, decode};

/// Most bytes of all inputs together.
const LARGEST: u64 = 200_000;

#[test]
fn the_corpus_replays_and_reaches_everything() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/instructions");
    let mut files: Vec<_> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    // Which sides of the program's branches were taken.
    let branches = Arc::new(Mutex::new(Vec::new()));
    let seen = branches.clone();
    let svm = Svm::watched(Programs::find().unwrap(), move |side| {
        let mut seen = seen.lock().unwrap();
        seen.resize(side.of, false);
        seen[side.number] = true;
    });
    let mut arena = Arena::new(svm.unwrap());
    let (mut bytes, mut done) = (0, BTreeSet::new());
    let (mut happened, mut refused) = (BTreeMap::new(), BTreeMap::new());
    for file in &files {
        // Shown if it fails.
        println!("{}", file.display());
        let input = fs::read(file).unwrap();
        bytes += input.len() as u64;
        arena.play(&decode(&input), |step, played| {
            match &played.refused {
                None => {
                    done.insert(step.kind());
                }
                Some(failure) => {
                    let error = failure.ballast();
                    let name = error.map_or("others' errors".into(), |error| error.name());
                    *refused.entry(name).or_insert(0u64) += 1;
                }
            }
            for event in &played.events {
                *happened.entry(event.name()).or_insert(0u64) += 1;
            }
        });
    }
    let branches = branches.lock().unwrap();
    println!(
        "{} inputs, {bytes} bytes, {} of {} sides of branches\nevents: {happened:?}\nrefused: {refused:?}",
        files.len(),
        branches.iter().filter(|taken| **taken).count(),
        branches.len(),
    );
    assert!(bytes <= LARGEST, "{bytes} bytes are more than {LARGEST}");
    let run = "`cargo xtask fuzz --keep` takes what reaches it into the corpus";
    for kind in Kind::ALL {
        assert!(done.contains(kind), "no input succeeds in {kind:?}: {run}");
    }
    for event in EVENTS {
        assert!(
            happened.contains_key(event),
            "no input reaches {event}: {run}"
        );
    }
}
