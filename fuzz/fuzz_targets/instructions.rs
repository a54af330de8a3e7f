//! Sequences of instructions, prices and time, executed on the very `ballast.so` that is deployed, guided by the branches that
//! it takes. After each step everything must be as `ballast_tests::game` says.
//!
//! The program runs in a virtual machine, into which the compiler's instrumentation does not see. The runtime's trace does:
//! each side of each conditional jump of the program has a counter that libFuzzer looks at, beside what became of each step.
//! The host's own code needs no instrumentation, so that this target uses what all tests are compiled to.
#![no_main]

use std::{
    cell::RefCell,
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::{AtomicU8, Ordering},
};

use ballast_localnet::{BranchSide, Programs, Svm};
use ballast_tests::game::{Arena, Played, Step, cross, decode, mutate};
use libfuzzer_sys::{fuzz_crossover, fuzz_mutator, fuzz_target, fuzzer_mutate};

/// Counters of branches; a program with more of them needs more.
const BRANCHES: usize = 1 << 16;
/// Counters of results. What becomes of a step shares one with another step's in one case of many, which costs little.
const RESULTS: usize = 1 << 13;

/// libFuzzer reads and clears words.
#[repr(C, align(8))]
struct Counters {
    branches: [AtomicU8; BRANCHES],
    results: [AtomicU8; RESULTS],
}

// SAFETY: libFuzzer expects nothing in this section but bytes, in a multiple of the size of a word. It reads and clears them
// while no input is being run.
// Nothing here reads it: without `used` the compiler would leave it out.
#[used]
#[unsafe(link_section = "__libfuzzer_extra_counters")]
static COUNTERS: Counters = Counters {
    branches: [const { AtomicU8::new(0) }; BRANCHES],
    results: [const { AtomicU8::new(0) }; RESULTS],
};

thread_local! {
    static ARENA: RefCell<Arena> = RefCell::new(Arena::new(
        Svm::watched(Programs::find().expect("programs are built"), saw_branch)
            .expect("programs are loadable"),
    ));
}

fuzz_target!(|data: &[u8]| {
    let steps = decode(data);
    let show = std::env::var_os("BALLAST_FUZZ_SHOW").is_some();
    if show {
        for (number, step) in steps.iter().enumerate() {
            eprintln!("step {number}: {step:?}");
        }
    }
    let (mut number, mut last_event) = (0, "");
    ARENA.with_borrow_mut(|arena| {
        arena.play(&steps, |step, played| {
            if show {
                show_result(number, step, played);
            }
            number += 1;
            saw_result(step, played, &mut last_event);
        });
    });
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed, |bytes| {
        fuzzer_mutate(bytes, bytes.len(), bytes.len());
    })
});

fuzz_crossover!(|data1: &[u8], data2: &[u8], out: &mut [u8], seed: u32| {
    cross(data1, data2, out, seed)
});

fn saw_branch(side: BranchSide) {
    assert!(
        side.of <= BRANCHES,
        "the program has {} sides of branches, the fuzzing target counters for {BRANCHES}",
        side.of
    );
    // Whether, not how often: otherwise the corpus would fill with sequences that only do something more often.
    COUNTERS.branches[side.number].store(1, Ordering::Relaxed);
}

/// Counts how a kind of step ends, and which event comes after which.
fn saw_result(step: &Step, played: &Played, last_event: &mut &'static str) {
    let code = played.refused.as_ref().map(|failure| failure.code());
    count((step.kind() as u8, code));
    for event in &played.events {
        count((*last_event, event.name()));
        *last_event = event.name();
    }
}

fn count(what: impl Hash) {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    let place = hasher.finish() % RESULTS as u64;
    COUNTERS.results[place as usize].store(1, Ordering::Relaxed);
}

fn show_result(number: usize, step: &Step, played: &Played) {
    let kind = step.kind();
    match &played.refused {
        Some(failure) => eprintln!("{number} {kind:?}: refused: {failure}"),
        None => eprintln!("{number} {kind:?}: {:?}", played.events),
    }
}
